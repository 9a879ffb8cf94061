"""Numbers that stay: who comes back before the camera gets the number from before, where the identity network knows.

As in ``analysis/people.py``: the best faces of a track become vectors, and it is the person to whose vectors they are
near on average; two faces in one picture are never one person. Vectors stay in memory and are gone with the session.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scenefer.analysis import people
from scenefer.analysis.face_vectors import FaceVectors
from scenefer.analysis.people import ActorSettings

if TYPE_CHECKING:
    import pandas as pd

    from scenefer.models import IdentityModel

_APART = 0.4  # seconds between the faces of a track that become vectors: neighbours say the same
_KEPT = 12  # vectors of a person


class Numbers:
    """Gives tracks numbers, from 1, in order of appearance.

    Args:
        identity: tells people apart; None gives every track a number of its own.
    """

    def __init__(self, identity: IdentityModel | None, settings: ActorSettings = ActorSettings()) -> None:
        self._identity, self._settings = identity, settings
        self._number: dict[int, int] = {}  # of every track
        self._looked: dict[int, list[float]] = {}  # of every track: when a face of it became a vector
        self._vectors: dict[int, np.ndarray] = {}  # (n, D) of every number whose person is known
        self._last = 0

    def of(self, faces: pd.DataFrame, time: float) -> dict[int, int]:
        """Return the number of each track in a picture.

        Args:
            faces: table FACES of this picture, with the column ``track``.
        """
        tracks = faces["track"].tolist()
        for track in sorted(tracks):
            if track not in self._number:
                self._last += 1
                self._number[track] = self._last
        if self._identity is not None:
            self._look(faces, time, self._identity)
        return {track: self._number[track] for track in tracks}

    def _look(self, faces: pd.DataFrame, time: float, identity: IdentityModel) -> None:
        """Turn the face of one track into a vector, that of the track that was looked at least; one costs 25 ms."""
        good = people.best_faces(faces, self._settings)
        wanting = [track for track in good["track"].tolist() if self._wants(track, time)]
        if not wanting:
            return
        track = min(wanting, key=lambda track: (len(self._looked.get(track, [])), track))
        vector = FaceVectors(identity).of(good.loc[good["track"] == track])  # (1, D)
        if track not in self._looked:
            others = {self._number[other] for other in faces["track"].tolist() if other != track}
            self._recognise(track, vector, others)
        self._looked.setdefault(track, []).append(time)
        number = self._number[track]
        self._vectors[number] = _joined(self._vectors.get(number), vector)

    def _wants(self, track: int, time: float) -> bool:
        looked = self._looked.get(track, [])
        return len(looked) < self._settings.faces_a_track and (not looked or time - looked[-1] >= _APART)

    def _recognise(self, track: int, vector: np.ndarray, others: set[int]) -> None:
        """Give a track the number of the nearest person who is not in the picture, if that is near enough."""
        apart = {
            number: float(people.distances(vector, known).mean())
            for number, known in self._vectors.items()
            if number not in others
        }
        nearest = min(apart, key=apart.__getitem__, default=None)
        if nearest is None or apart[nearest] > self._settings.farthest:
            return
        self._number[track] = nearest
        self._last = max(self._number.values())  # the number that it had for a moment is free again


def _joined(known: np.ndarray | None, vector: np.ndarray) -> np.ndarray:
    return vector if known is None else np.concatenate([known, vector])[-_KEPT:]
