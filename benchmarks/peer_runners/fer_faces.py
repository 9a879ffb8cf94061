"""``fer``: faces and their expressions, frame by frame, as its README shows; faces by ``haar`` or by ``mtcnn``."""

from __future__ import annotations

import sys
from importlib.resources import files
from pathlib import Path

from benchmarks import others, peer_runners


def main(film: str, out: str, every: str, detector: str) -> None:
    """Judge every ``every``-th frame."""
    if detector == "mtcnn":
        others.import_mtcnn()  # before fer does, which fails beside a CPU build of torch
    from fer.fer import FER  # pyright: ignore[reportMissingImports]

    # Its own copy of OpenCV's cascade: OpenCV 5, which it takes too, ships none.
    cascade = str(files("fer") / "data" / "haarcascade_frontalface_default.xml")
    reader = FER(cascade_file=cascade, mtcnn=detector == "mtcnn")
    faces, judged = [], 0
    for frame, picture in peer_runners.sampled(Path(film), int(every)):
        faces += [(frame, face["emotions"]) for face in reader.detect_emotions(picture)]
        judged += 1
    peer_runners.write(Path(out), judged, faces)


if __name__ == "__main__":
    main(*sys.argv[1:])
