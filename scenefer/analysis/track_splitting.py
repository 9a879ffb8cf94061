"""Splits a track where it changes to another person: in a split screen, a screen in the picture, or a video call.

A cut in only a part of the picture is not a cut of the film, and the faces before and after it are in the same place,
so they are linked to one track. A change needs two signs: the picture of the face changes suddenly, and the identity
network sees two people. One sign alone is too often wrong: a head may turn fast, and a profile is far from the frontal
face of the same person.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from scenefer.analysis.people import ActorSettings, best_faces
from scenefer.core import jpeg

if TYPE_CHECKING:
    from scenefer.analysis.face_vectors import FaceVectors

_SIDE = 16  # px; faces are compared as thumbnails of this size, which are robust to light and small head turns


def changes(
    linked_faces: pd.DataFrame, face_vectors: FaceVectors, settings: ActorSettings = ActorSettings()
) -> pd.Series:
    """Number the successive people in each track.

    Args:
        linked_faces: table FACES with the column ``track``, rows in any order.

    Returns:
        int64 with the index of ``linked_faces``: 0 before the first change in the face's track, 1 before the next, and
        so on; all 0 if the faces have no crops.
    """
    part = pd.Series(0, index=linked_faces.index)
    seen = linked_faces.loc[linked_faces["crop"].notna()]
    for _, faces in seen.sort_values(["track", "time"]).groupby("track"):
        begun = 0  # first face of the current person
        for moment, until in pairwise([*_sudden(faces["crop"].tolist(), settings.least_alike), len(faces)]):
            before, after = faces.iloc[begun:moment], faces.iloc[moment:until]
            if _are_two(before, after, face_vectors, settings):
                begun = moment
                later = faces["time"].iloc[moment]
                part[(linked_faces["track"] == faces["track"].iloc[0]) & (linked_faces["time"] >= later)] += 1
    return part


def _sudden(crops: list[bytes], least: float) -> list[int]:
    """Return the sorted positions of faces in a track that correlate less than ``least`` with the previous face."""
    flat = np.stack([jpeg.thumbnail(crop, _SIDE) for crop in crops]).reshape(len(crops), -1)
    flat -= flat.mean(axis=1, keepdims=True)
    flat /= np.linalg.norm(flat, axis=1, keepdims=True) + 1e-6
    return (np.flatnonzero((flat[1:] * flat[:-1]).sum(axis=1) < least) + 1).tolist()


def _are_two(before: pd.DataFrame, after: pd.DataFrame, face_vectors: FaceVectors, settings: ActorSettings) -> bool:
    """Tell whether the faces before and after are two people's: by the best of each, and if so by the mean of more."""
    chosen = [best_faces(faces, settings) for faces in (before, after)]
    if not all(len(faces) for faces in chosen):
        return False
    # Means lie nearer to each other than single faces do, so that most heads that turned are told from one.
    for n_faces in (1, settings.faces_a_track):
        first, second = (face_vectors.of(faces.iloc[:n_faces]).mean(axis=0) for faces in chosen)
        if np.linalg.norm(first - second) <= settings.nearest_other:
            return False
    return True
