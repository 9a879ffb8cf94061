"""The balance of pleasant and unpleasant expressions over a film: a smooth curve, and the intended one.

It is derived from the seven: the share of happy less the shares of angry, disgust, fear and sad; surprise and neutral
count for neither. It says what faces show, on a scale from −100 (all unpleasant) to 100 points (all pleasant).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scenefer.analysis.expressions import counted
from scenefer.comparison.verdicts import CLASSES
from scenefer.core.schema import EMOTIONS

if TYPE_CHECKING:
    import pandas as pd

_CLUSTERS = next(classes.members for classes in CLASSES if classes.name == "clustered")
SIGNS = {emotion: (emotion in _CLUSTERS["positive"]) - (emotion in _CLUSTERS["negative"]) for emotion in EMOTIONS}

_POINTS = 200  # of the curve
_BINS = 2000  # of film time, before smoothing
_SPREAD = 1 / 40  # standard deviation of the smoothing Gaussian, as a fraction of the film's length
_LEAST = 1.0  # seconds; minimum of the standard deviation
_SEEN = 0.05  # no curve if faces are usable in less than this share of the window


@dataclass(frozen=True)
class Balance:
    """Two curves over film time, NaN where there is no evidence."""

    time: np.ndarray  # (N,) seconds
    detected: np.ndarray  # (N,) points, -100 to 100
    intended: np.ndarray  # (N,) points, for the scenes of the same faces, smoothed in the same way
    window: float  # width of the smoothing window, seconds

    @property
    def reach(self) -> float:
        """Return the smallest axis limit, 25, 50 or 100 points, that contains both curves."""
        known = np.abs(np.concatenate([self.detected, self.intended]))
        largest = float(np.nanmax(known)) if np.isfinite(known).any() else 0.0
        return next((reach for reach in (25.0, 50.0) if largest <= 0.96 * reach), 100.0)


def balance_of(shares: Mapping[str, float]) -> float:
    """Return the balance of shares that sum to 1, in points."""
    return 100 * sum(SIGNS[emotion] * share for emotion, share in shares.items())


def balance(expressions: pd.DataFrame, meant: Mapping[int, Mapping[str, float]], end: float) -> Balance:
    """Compute the balance over a film, smoothed by its length, and across cuts, to show the overall course.

    Args:
        expressions: table EXPRESSIONS; faces that count are weighted by the seconds they stand for.
        meant: intended shares by scene.
        end: end of the film, seconds.
    """
    faces = expressions.loc[counted(expressions)]
    spread = max(_SPREAD * end, _LEAST)
    points = np.linspace(0, end, _POINTS)
    middles = (np.arange(_BINS) + 0.5) * end / _BINS
    kernel = np.exp(-(((points[:, None] - middles) / spread) ** 2) / 2)  # (N, bins)
    place = np.clip((faces["time"].to_numpy() / end * _BINS).astype(int), 0, _BINS - 1)
    weight = faces["weight"].to_numpy()
    shown = 100 * faces[list(EMOTIONS)].to_numpy(np.float64) @ np.array([SIGNS[emotion] for emotion in EMOTIONS])
    wanted = {scene: balance_of(shares) for scene, shares in meant.items() if shares}
    intended = np.array([wanted.get(scene, np.nan) for scene in faces["scene"].fillna(-1)], np.float64)
    told = ~np.isnan(intended)
    seen = kernel @ _sums(place, weight)
    known = kernel @ _sums(place, weight * told)
    enough = seen > _SEEN * kernel.sum(axis=1) * end / _BINS
    return Balance(
        points,
        _over(kernel @ _sums(place, weight * shown), seen, enough),
        _over(kernel @ _sums(place, weight * np.where(told, intended, 0.0)), known, enough & (known > 0.5 * seen)),
        2.355 * spread,  # full width at half maximum
    )


def _sums(place: np.ndarray, values: np.ndarray) -> np.ndarray:
    return np.bincount(place, values, _BINS)


def _over(part: np.ndarray, whole: np.ndarray, where: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.full_like(part, np.nan), where=where)
