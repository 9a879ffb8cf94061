"""PySceneDetect's AdaptiveDetector, the one that its command takes by itself: cuts, from all frames."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks import others, peer_runners


def main(film: str, out: str, every: str) -> None:
    """Find cuts; ``every`` must be 1."""
    import cv2

    if every != "1":
        raise ValueError("cuts are looked for in every frame")
    cuts = others.pyscenedetect_cuts(Path(film))
    n_frames = int(cv2.VideoCapture(film).get(cv2.CAP_PROP_FRAME_COUNT))
    peer_runners.write(Path(out), n_frames, cuts=cuts)


if __name__ == "__main__":
    main(*sys.argv[1:])
