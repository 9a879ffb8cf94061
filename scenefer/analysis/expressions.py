"""Expressions of faces: calibrated probabilities of seven expressions, and whether a face counts.

The probabilities describe how a face looks, not what the person feels.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from scenefer.analysis.steadying import steadied
from scenefer.core import geometry
from scenefer.core.film import Film
from scenefer.core.schema import EMOTIONS
from scenefer.core.settings import Settings, bounded
from scenefer.models import framing
from scenefer.models.expression.blending import least_labels, probabilities

if TYPE_CHECKING:
    import pandas as pd

    from scenefer.models import Calibration

__all__ = ["EMOTIONS", "ExpressionSettings", "probabilities", "read_expressions", "smooth"]

SMOOTHED = 1.0  # seconds; averaging window for drawn curves


@dataclass(frozen=True)
class ExpressionSettings(Settings):
    """Which faces count, and over how long a face is read."""

    least_confidence: float = bounded(0.0, 0, 1)  # minimum detector score of a face; 0 = the detector's own limit
    smallest_side: float = 20.0  # px of the film; the shorter side of the box
    widest_yaw: float = bounded(70.0, 0, 90)  # degrees to either side
    widest_pitch: float = bounded(35.0, 0, 90)  # degrees up or down
    least_sharpness: float = 50.0  # variance of the Laplacian at 48 px; less is required of smaller faces
    sure: float = bounded(0.0, 0, 1)  # tracks with a lower best score must last for least_seconds; 0 as above
    least_seconds: float = 0.7  # minimum duration of such tracks: 2 samples at 2 a second, 4 samples at 5
    # Seconds: a face is read together with those of its track about so near (``steadying``); 0 = each alone. On the
    # annotated clips 0.4 to 0.6 read alike; from 1.5 on, expressions that last shorter are lost.
    steadied_over: float = bounded(0.5, 0, 10)


def rule_for(film: Film, settings: ExpressionSettings, detector: str) -> ExpressionSettings:
    """Fill in the detector's score limits; each still stands alone."""
    known = framing.placement(detector)
    if film.kind == "video":
        return replace(
            settings,
            least_confidence=settings.least_confidence or known.least,
            sure=settings.sure or known.sure,
        )
    return replace(
        settings, least_confidence=settings.least_confidence or known.least_still, least_seconds=0.0, steadied_over=0.0
    )


def read_expressions(
    linked_faces: pd.DataFrame,
    samples: pd.DataFrame,
    calibration: Calibration,
    settings: ExpressionSettings = ExpressionSettings(),
) -> pd.DataFrame:
    """Compute for every face its probabilities, its weight in seconds, and whether it counts.

    Args:
        linked_faces: table FACES with the column ``track``.
        samples: table SAMPLES; must contain the exact time of every face.

    Returns:
        Table EXPRESSIONS, one row per face, ordered by time and track. ``why`` is the first reason that applies of
        "transition", "low score", "not a face", "small", "in profile", "bowed", "blurred".

    Raises:
        ValueError: the time of a face is not the time of a sample.
    """
    from scenefer.analysis.sampling import rows_of
    from scenefer.core.tables import conform

    faces = linked_faces.sort_values(["time", "track"], kind="stable")
    sample = samples.iloc[rows_of(samples, faces["time"].to_numpy())]
    inside_transition = (sample["why"] == "transition").to_numpy(bool)
    doubtful = _doubtful(faces, sample["weight"].to_numpy(), settings)
    why = why_not(faces, inside_transition, doubtful, settings)
    usable = np.array([reason is None for reason in why], bool)
    logits = steadied(
        logits_of(faces, calibration),
        faces["time"].to_numpy(),
        faces["track"].to_numpy(),
        usable,
        settings.steadied_over,
    )
    read = probabilities(logits, calibration)
    columns = {
        "face": faces["face"].to_numpy(),
        "track": faces["track"].to_numpy(),
        "time": faces["time"].to_numpy(),
        "shot": sample["shot"].to_numpy(),
        "scene": sample["scene"].array,
        **{emotion: read[:, column] for column, emotion in enumerate(EMOTIONS)},
        "weight": sample["weight"].to_numpy(),
        "usable": usable,
        "why": why,
    }
    return conform(columns, "expressions")


def counted(expressions: pd.DataFrame) -> np.ndarray:
    """Return which faces count, (N,) bool: usable and with a weight above 0. All shares are computed from these."""
    return expressions["usable"].to_numpy(bool) & (expressions["weight"].to_numpy() > 0)


def film_shares(expressions: pd.DataFrame) -> np.ndarray | None:
    """Compute the shares over all faces that count, (7,) percent of their seconds; None if no face counts."""
    faces = expressions.loc[counted(expressions)]
    if not len(faces):
        return None
    return 100 * np.average(faces[list(EMOTIONS)].to_numpy(np.float64), axis=0, weights=faces["weight"].to_numpy())


def smooth(expressions: pd.DataFrame, seconds: float = SMOOTHED) -> pd.DataFrame:
    """Average the usable probabilities of each track over a window of ``seconds``, for drawn curves only.

    Tracks end at cuts, so curves do not extend across cuts. Percentages and intervals use the values as they are.

    Returns:
        The usable rows of ``expressions``, ordered by track and time; the seven still sum to 1.
    """
    usable = (
        expressions.loc[expressions["usable"]].sort_values(by=["track", "time"], kind="stable").reset_index(drop=True)
    )
    if not len(usable):
        return usable
    time, track = usable["time"].to_numpy(), usable["track"].to_numpy()
    sums = np.zeros((len(usable) + 1, len(EMOTIONS)))
    np.cumsum(usable[list(EMOTIONS)].to_numpy(np.float64), axis=0, out=sums[1:])
    begins = np.flatnonzero(np.diff(track, prepend=track[0] - 1))
    first, stop = np.empty(len(usable), np.int64), np.empty(len(usable), np.int64)
    for begin, end in pairwise([*begins, len(usable)]):
        inside = time[begin:end]
        first[begin:end] = begin + np.searchsorted(inside, inside - seconds / 2 - 1e-9, side="left")
        stop[begin:end] = begin + np.searchsorted(inside, inside + seconds / 2 + 1e-9, side="right")
    means = (sums[stop] - sums[first]) / (stop - first)[:, None]
    return usable.assign(**{emotion: means[:, k].astype(np.float32) for k, emotion in enumerate(EMOTIONS)})


def why_not(
    faces: pd.DataFrame, inside_transition: np.ndarray, doubtful: np.ndarray, settings: ExpressionSettings
) -> np.ndarray:
    """Return why each face does not count, (N,) object: the first reason of ``read_expressions``, None where it does.

    Args:
        faces: table FACES.
        inside_transition: (N,) bool, the picture is a mixture of two.
        doubtful: (N,) bool, its track was never seen surely, nor for long: see ``is_doubtful``.
    """
    x0, y0, x1, y1 = faces[["x0", "y0", "x1", "y1"]].to_numpy().T
    side = np.minimum(x1 - x0, y1 - y0)
    confidence, yaw, pitch, sharpness = (faces[name].to_numpy() for name in ("confidence", "yaw", "pitch", "sharpness"))
    # Enlarging a face from 24 px to 48 px spreads its detail over twice the distance, so only a quarter of the
    # sharpness is required.
    least_sharpness = settings.least_sharpness * np.minimum(side / geometry.SHARPNESS_SIDE, 1) ** 2
    reasons = {
        "transition": inside_transition,
        "low score": confidence < settings.least_confidence,
        "not a face": doubtful,
        "small": side < settings.smallest_side,
        "in profile": np.abs(yaw) > settings.widest_yaw,
        "bowed": np.abs(pitch) > settings.widest_pitch,  # false for NaN (unknown)
        "blurred": sharpness < least_sharpness,
    }
    why = np.full(len(faces), None, object)
    for reason, holds in reversed(reasons.items()):
        why[holds] = reason
    return why


def _doubtful(faces: pd.DataFrame, weight: np.ndarray, settings: ExpressionSettings) -> np.ndarray:
    """Mark the faces of short tracks with low detector scores: often prints, masks or patterns."""
    numbers, track = np.unique(faces["track"], return_inverse=True)
    best, seconds = np.zeros(len(numbers)), np.bincount(track, weight, len(numbers))
    np.maximum.at(best, track, faces["confidence"].to_numpy())
    return is_doubtful(best, seconds, settings)[track]


def is_doubtful(best: np.ndarray, seconds: np.ndarray, settings: ExpressionSettings) -> np.ndarray:
    """Tell which tracks, by their best score and the seconds that they are seen, are taken for no face."""
    return (best < settings.sure) & (seconds < settings.least_seconds - 1e-6)


def logits_of(faces: pd.DataFrame, calibration: Calibration) -> np.ndarray:
    """Return the logits of a table FACES as an array, (N, L) float32, also where it has no rows."""
    if not len(faces):
        return np.zeros((0, least_labels(calibration)), np.float32)
    return np.stack(faces["logits"].tolist())
