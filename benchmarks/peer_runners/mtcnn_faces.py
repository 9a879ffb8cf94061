"""facenet-pytorch's MTCNN with its own settings, on pictures of full size: faces alone, without expressions."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks import others, peer_runners


def main(film: str, out: str, every: str) -> None:
    """Find the faces of every ``every``-th frame."""
    network = others.import_mtcnn()(keep_all=True)
    faces, judged = [], 0
    for frame, picture in peer_runners.sampled(Path(film), int(every)):
        boxes, _ = network.detect(picture[..., ::-1].copy())  # it wants RGB
        faces += [(frame, None)] * (0 if boxes is None else len(boxes))
        judged += 1
    peer_runners.write(Path(out), judged, faces)


if __name__ == "__main__":
    main(*sys.argv[1:])
