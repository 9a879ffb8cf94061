"""The other programs of ``benchmarks.peers``, each run in the environment in which it is installed.

``python -m benchmarks.peer_runners.NAME FILM OUT EVERY [...]`` judges every EVERY-th frame of a film, from the first,
and writes ``{"judged": frames, "faces": [{"frame": k, "emotions": {name: share} or null}], "cuts": [frame]}``, each
with what the program gives. A module here imports nothing of scenefer that its environment lacks; ``face_api.mjs``
does the same in Node.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np


def sampled(film: Path, every: int) -> Iterator[tuple[int, np.ndarray]]:
    """Read every ``every``-th frame of a film as users of OpenCV do: frame number and picture (H, W, 3) uint8 BGR."""
    import cv2

    capture = cv2.VideoCapture(str(film))
    frame = 0
    while capture.grab():
        if frame % every == 0:
            got, picture = capture.retrieve()
            if got:
                yield frame, picture
        frame += 1


def write(
    out: Path, judged: int, faces: Sequence[tuple[int, Mapping[str, float] | None]] = (), cuts: Sequence[int] = ()
) -> None:
    """Write what a program gave: faces as pairs of their frame and the shares of emotions, None without."""
    plain: list[dict[str, Any]] = [
        {"frame": frame, "emotions": None if emotions is None else {name: float(emotions[name]) for name in emotions}}
        for frame, emotions in faces
    ]
    out.write_text(json.dumps({"judged": judged, "faces": plain, "cuts": [int(cut) for cut in cuts]}), "utf-8")
