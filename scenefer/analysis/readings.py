"""What the expression network says of faces, each read once: one that hardly changed is not read again."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from scenefer.core import geometry
from scenefer.models import ExpressionModel, framing

_BATCH = 32  # faces, about, that are given to the network together: in smaller batches it is slower
_SIDE = 24  # px; faces are compared as pictures of this side
_SAME = 0.08  # difference of two faces up to which they are one picture, see ``_difference``


class Readings:
    """Numbers the readings of faces, and has them made a batch at a time.

    Args:
        detector: that drew the boxes, by its name.
    """

    def __init__(self, model: ExpressionModel, detector: str) -> None:
        self._model, self._detector = model, detector
        self._crops: list[np.ndarray] = []  # of faces that are to be read, and
        self._framed: list[np.ndarray] = []  # their boxes within the crops, (4,)
        self._logits: list[np.ndarray] = []
        self._n = 0
        self._before: list[tuple[int, np.ndarray]] = []  # of each face of the last picture: its reading, the face read

    def add(self, crops: Sequence[np.ndarray], framed: np.ndarray, before: np.ndarray) -> list[int]:
        """Take the faces of a picture; say which reading each has.

        Args:
            crops: N, as ``geometry.crop_faces`` cuts them.
            framed: (N, 4) their boxes as fractions of the crops.
            before: (N,) which face of the last picture each is, -1 of a new one.
        """
        seen: list[tuple[int, np.ndarray]] = []
        for crop, box, face, place in zip(
            crops, framed, geometry.grey_faces(crops, framed, _SIDE), before.tolist(), strict=True
        ):
            if place >= 0 and _difference(face, self._before[place][1]) <= _SAME:
                seen.append(self._before[place])
                continue
            seen.append((self._n, face))
            self._n += 1
            self._crops.append(crop)
            self._framed.append(box)
        self._before = seen
        if len(self._crops) >= _BATCH:
            self._read()
        return [number for number, _ in seen]

    def logits(self) -> np.ndarray:
        """Finish what waits; (M, L) float32 of all readings, by number."""
        self._read()
        return np.concatenate(self._logits)

    def _read(self) -> None:
        if self._crops:
            squares = framing.squares(np.stack(self._framed), self._detector)
            self._logits.append(self._model.logits(self._crops, squares))
            self._crops, self._framed = [], []


def _difference(face: np.ndarray, other: np.ndarray) -> float:
    """Measure how much two grey faces (S, S) uint8 differ: mean distance as a share of the first one's deviation."""
    return cv2.mean(cv2.absdiff(face, other))[0] / (cv2.meanStdDev(face)[1].item() + 8)
