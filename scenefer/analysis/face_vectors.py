"""Embedding vectors of the faces of a film, each computed once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from scenefer.core import geometry, jpeg

if TYPE_CHECKING:
    import pandas as pd

    from scenefer.models import IdentityModel

_BATCH = 64  # faces whose pictures are in memory together


class FaceVectors:
    """Turns faces of a film into vectors, and remembers them: most that tell whether a track divides are wanted again.

    Args:
        model: decides itself whether to average with the mirrored face.
        tell: called after each batch.
    """

    def __init__(self, model: IdentityModel, tell: Callable[[], None] | None = None) -> None:
        self._model, self._tell = model, tell
        self._known: dict[int, np.ndarray] = {}  # by number of the face

    def of(self, faces: pd.DataFrame) -> np.ndarray:
        """Return the vectors of faces, (N, D) float32.

        Args:
            faces: rows of table FACES, at least one, all with crops.
        """
        new = faces.loc[[face not in self._known for face in faces["face"].tolist()]]
        _, points = geometry.in_crop(*geometry.boxes_landmarks_turns(new))
        for start in range(0, len(new), _BATCH):
            crops = [jpeg.decode(crop) for crop in new["crop"].iloc[start : start + _BATCH]]
            found = self._model.vectors(crops, points[start : start + _BATCH])
            self._known.update(zip(new["face"].iloc[start : start + _BATCH].tolist(), found, strict=True))
            if self._tell is not None:
                self._tell()
        return np.stack([self._known[face] for face in faces["face"].tolist()])
