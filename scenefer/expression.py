"""What a face shows: calibrated probabilities of seven expressions, and whether the face may count.

What is read is how a face looks; it is no determination of what a person feels.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from scenefer.schema import EMOTIONS

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from scenefer.models import Calibration

__all__ = ["EMOTIONS", "ExpressionSettings", "probabilities", "read_expressions", "smooth"]


@dataclass(frozen=True)
class ExpressionSettings:
    least_confidence: float = 0.9  # detector score from which a face counts
    smallest_side: float = 20.0  # px of the film; the shorter side of the box
    widest_yaw: float = 45.0  # degrees to either side
    least_sharpness: float = 20.0  # variance of the Laplacian at 48 px
    sure: float = 0.98  # a track whose best score is below this must be long to be believed
    least_faces: int = 4  # faces from which a track that never is sure is believed all the same


def probabilities(logits: np.ndarray, calibration: Calibration) -> np.ndarray:
    """Turn logits (N, L) into calibrated probabilities (N, 7) float32 by temperature scaling (Guo et al., ICML 2017).

    Raises:
        ValueError: the logits have no such head, or the head has not seven labels.
    """
    import numpy as np

    first, stop = calibration.head
    if logits.ndim != 2 or stop > logits.shape[1] or stop - first != len(EMOTIONS):
        raise ValueError(
            f"logits must have shape (N, ≥ {stop}) with a head of 7, got {logits.shape}, head {first}:{stop}"
        )
    scaled = logits[:, first:stop].astype(np.float64) / calibration.temperature
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)


def read_expressions(
    linked_faces: pd.DataFrame,
    samples: pd.DataFrame,
    calibration: Calibration,
    settings: ExpressionSettings = ExpressionSettings(),
) -> pd.DataFrame:
    """Give every face its probabilities, its weight in seconds, and a verdict whether it counts.

    Args:
        linked_faces: table FACES with the column ``track``.
        samples: table SAMPLES; faces lie at its times exactly.

    Returns:
        Table EXPRESSIONS, a row a face, ordered by time and track. ``why`` is one of "transition", "low score", "not a
        face", "small", "turned away", "blurred": the first that applies.

    Raises:
        ValueError: a face lies at a time that is no sample.
    """
    import numpy as np

    from scenefer.samples import rows_of
    from scenefer.tables import conform

    faces = linked_faces.sort_values(["time", "track"], kind="stable")
    sample = samples.iloc[rows_of(samples, faces["time"].to_numpy())]
    inside_transition = (sample["why"] == "transition").to_numpy(bool)
    why = _why_not(faces, inside_transition, settings)
    read = probabilities(_logits(faces, calibration), calibration)
    columns = {
        "face": faces["face"].to_numpy(),
        "track": faces["track"].to_numpy(),
        "time": faces["time"].to_numpy(),
        "shot": sample["shot"].to_numpy(),
        "scene": sample["scene"].array,
        **{emotion: read[:, column] for column, emotion in enumerate(EMOTIONS)},
        "weight": sample["weight"].to_numpy(),
        "usable": np.array([reason is None for reason in why], bool),
        "why": why,
    }
    return conform(columns, "expressions")


def counted(expressions: pd.DataFrame) -> np.ndarray:
    """Tell which faces count, (N,) bool: those that are usable and stand for some time; every share rests on it."""
    return expressions["usable"].to_numpy(bool) & (expressions["weight"].to_numpy() > 0)


def smooth(expressions: pd.DataFrame, seconds: float) -> pd.DataFrame:
    """Average the usable probabilities of each track over a window of ``seconds``, for drawn curves only.

    A track ends at the cut, so no curve is carried across one. Percentages and intervals use the unsmoothed values.

    Returns:
        The usable rows of ``expressions``, ordered by track and time; the seven still sum to 1.
    """
    import numpy as np

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


def _why_not(faces: pd.DataFrame, inside_transition: np.ndarray, settings: ExpressionSettings) -> np.ndarray:
    """Return why each face does not count, None where it does."""
    import numpy as np

    x0, y0, x1, y1 = faces[["x0", "y0", "x1", "y1"]].to_numpy().T
    side = np.minimum(x1 - x0, y1 - y0)
    confidence, yaw, sharpness = (faces[name].to_numpy() for name in ("confidence", "yaw", "sharpness"))
    reasons = {
        "transition": inside_transition,
        "low score": confidence < settings.least_confidence,
        "not a face": _doubtful(faces, settings),
        "small": side < settings.smallest_side,
        "turned away": np.abs(yaw) > settings.widest_yaw,
        "blurred": sharpness < settings.least_sharpness,
    }
    why = np.full(len(faces), None, object)
    for reason, holds in reversed(reasons.items()):
        why[holds] = reason
    return why


def _doubtful(faces: pd.DataFrame, settings: ExpressionSettings) -> np.ndarray:
    """Mark the faces of short tracks that the detector was never sure of: prints, masks, machines, patterns."""
    import numpy as np

    _, track, n_faces = np.unique(faces["track"], return_inverse=True, return_counts=True)
    best = np.zeros(len(n_faces))
    np.maximum.at(best, track, faces["confidence"].to_numpy())
    return ((best < settings.sure) & (n_faces < settings.least_faces))[track]


def _logits(faces: pd.DataFrame, calibration: Calibration) -> np.ndarray:
    import numpy as np

    if not len(faces):
        return np.zeros((0, calibration.head[1]), np.float32)
    return np.stack(faces["logits"].tolist())
