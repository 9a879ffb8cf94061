"""The distribution of the last seconds, and how far it is from what was intended."""

from __future__ import annotations

from collections import deque

import numpy as np

from scenefer.core import metrics
from scenefer.core.schema import EMOTIONS

SECONDS = 10.0


class Running:
    """The faces that counted in the last seconds: their mean probabilities, weighted by the seconds they stand for."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._kept: deque[tuple[float, float, np.ndarray]] = deque()

    def add(self, time: float, weight: float, probabilities: np.ndarray) -> None:
        """Take the faces of a picture, (N, 7), at a time that stands for ``weight`` seconds; N may be 0."""
        if len(probabilities) and weight > 0:
            self._kept.append((time, weight, probabilities))
        while self._kept and time - self._kept[0][0] >= self._seconds:
            self._kept.popleft()

    def shares(self) -> np.ndarray | None:
        """Return the shares (7,), which sum to 1; None where no face counted."""
        if not self._kept:
            return None
        sums = sum((weight * faces.sum(axis=0) for _, weight, faces in self._kept), np.zeros(len(EMOTIONS)))
        return sums / sums.sum()

    def face_seconds(self) -> float:
        """Return how many seconds of faces they rest on; two faces for a second are two."""
        return sum(weight * len(faces) for _, weight, faces in self._kept)


def misplaced(intended: np.ndarray, shares: np.ndarray) -> float:
    """Return the share of the shown distribution that would have to be another one for it to be as intended, 0 to 1.

    Total variation, which the verdicts on mixtures are by.
    """
    return float(metrics.total_variation(intended, shares))
