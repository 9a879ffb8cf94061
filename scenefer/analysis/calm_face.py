"""Baseline correction: an expression that is detected in a person nearly always is their calm face; subtract it.

FaceReader calls such a step continuous calibration. Here it is cautious in three ways. The baseline is what a person
shows for at least three quarters of their time (a quartile, not the mean, so that strong moments do not raise it). It
shrinks if the person was seen only for a short time. Nothing is subtracted for a person seen in fewer than three shots,
because there a held expression looks like a calm face. What is subtracted is added to neutral.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from scenefer.core.schema import EMOTIONS

LEAST_SHOTS = 3  # minimum number of shots with a person
_QUARTILE = 0.25
_SHRINKAGE = 30.0  # seconds of a person's face for which half of the quartile is subtracted

_NEUTRAL = EMOTIONS.index("neutral")


def take_off(faces: pd.DataFrame) -> pd.DataFrame:
    """Subtract each person's calm face.

    Args:
        faces: rows of the table EXPRESSIONS that count, with the column ``actor``; negative = unknown person.

    Returns:
        The same rows; unchanged for unknown people and for people seen in too few shots. The seven still sum to 1.
    """
    shares = faces[list(EMOTIONS)].to_numpy(np.float64, copy=True)
    actors, shots, weight = (faces[name].to_numpy() for name in ("actor", "shot", "weight"))
    for actor in np.unique(actors[actors >= 0]):
        rows = np.flatnonzero(actors == actor)
        if len(np.unique(shots[rows])) >= LEAST_SHOTS:
            own = shares[rows]
            taken = np.minimum(own, calm_face(own, weight[rows]))
            own -= taken
            own[:, _NEUTRAL] += taken.sum(axis=1)
            shares[rows] = own
    return faces.assign(**{emotion: shares[:, column] for column, emotion in enumerate(EMOTIONS)})


def calm_face(shares: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return how much of each expression to subtract for one person: (7,) from 0 to 1; 0 for neutral.

    Args:
        shares: (N, 7) probabilities of the person's faces.
        weight: (N,) seconds that each face stands for.
    """
    order = np.argsort(shares, axis=0)
    below = np.cumsum(weight[order], axis=0) / weight.sum()  # (N, 7) part of the time at or below the sorted values
    at = (below >= _QUARTILE - 1e-9).argmax(axis=0)
    quartile = np.take_along_axis(shares, np.take_along_axis(order, at[None], axis=0), axis=0)[0]
    quartile[_NEUTRAL] = 0.0
    return quartile * weight.sum() / (weight.sum() + _SHRINKAGE)
