"""Confidence intervals from a nested bootstrap of grouped observations (Davison and Hinkley 1997, section 3.8).

Neighbouring frames are nearly identical, so resampling frames would give intervals that are too narrow. Instead,
independent groups are resampled: shots, within them tracks, within them blocks of one second. One or two shots are too
few to represent other shots. Their interval is widened according to the effective number of independent observations,
because neighbouring blocks are correlated.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

_Z = NormalDist().inv_cdf(0.975)
# Faces are read beside their neighbours (``steadying``), which takes deviation from samples, but hardly any from means
# of takes: on the annotated clips intervals of takes became 0.7 times as wide as of the same faces read alone.
_LEFT_BY_STEADYING = 0.7


class Evidence(NamedTuple):
    """The usable faces of one scene in n blocks, ready to be resampled."""

    levels: tuple[np.ndarray, ...]  # (n,) int64 each, coarsest first (people, shots, tracks): a block's group, sorted
    mass: np.ndarray  # (n, 7) seconds of each emotion: probabilities times weights
    weight: np.ndarray  # (n,) face seconds


def resample(evidence: Evidence, n: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Draw groups of the coarsest level with replacement, within each drawn group those of the next level, then blocks.

    A group that was drawn c times draws c times as many members as it has, which combines c draws of the nested
    bootstrap in one.

    Returns:
        How often each group was drawn: one array (n, groups) int64 per level; the last one is for the blocks.
    """
    n_blocks = len(evidence.weight)
    counts: list[np.ndarray] = []
    above, drawn = np.zeros(n_blocks, np.int64), np.ones((n, 1), np.int64)
    for level in (*evidence.levels, np.arange(n_blocks)):
        members, first = np.unique(level, return_index=True)
        size = np.bincount(above[first])  # number of members of each group above; members are contiguous
        draws = drawn * size  # (n, groups above)
        first_member = np.arange(n)[:, None] * len(members) + np.cumsum(size) - size  # (n, groups above)
        repeats = draws.ravel()
        among = np.repeat(np.broadcast_to(size, draws.shape).ravel(), repeats)
        place = (rng.random(len(among)) * among).astype(np.int64)
        place += np.repeat(first_member.ravel(), repeats)
        drawn = np.bincount(place, minlength=n * len(members)).reshape(n, -1)
        counts.append(drawn)
        above = level
    return counts


def interval(estimate: np.ndarray, resampled: np.ndarray, *, factor: float) -> tuple[np.ndarray, np.ndarray]:
    """Compute the 95 % percentile interval of a bootstrap, with both half-widths multiplied by a factor.

    Args:
        estimate: (...) the value from all data.
        resampled: (n, ...) the values of the resamples.
        factor: from ``widening`` or ``take_widening``; if infinite, so are the ends.

    Returns:
        The lower and the upper end, not clipped to a range; the interval contains the estimate.
    """
    if math.isinf(factor):
        return np.full_like(estimate, -np.inf), np.full_like(estimate, np.inf)
    ordered = np.sort(resampled, axis=0)  # five times faster than numpy's quantile, which partitions
    last = len(ordered) - 1
    low, high = (
        ordered[int(place)] + place % 1 * (ordered[min(int(place) + 1, last)] - ordered[int(place)])
        for place in (0.025 * last, 0.975 * last)
    )
    return estimate - factor * np.maximum(estimate - low, 0.0), estimate + factor * np.maximum(high - estimate, 0.0)


def widening(n: int, df: float) -> float:
    """Return the factor by which the interval of n resampled units is too narrow: t(0.975, df) / 1.96 · √(n / df).

    The bootstrap's variance is too small by the factor df / n, and its tails are normal instead of Student's t. For n
    independent units df is n - 1.
    """
    return student(df) / _Z * max(n / df, 1.0) ** 0.5


def take_widening(blocks: Evidence) -> float:
    """Return the factor by which the interval of resampled neighbouring blocks is too narrow; infinite for one block.

    n blocks of a track with autocorrelation ρ are worth n (1 - ρ) / (1 + ρ) independent ones (Bayley and Hammersley,
    J. R. Stat. Soc. Suppl. 8, 1946), and the mean of each track costs one degree of freedom. ρ is taken one standard
    error above its estimate: it is uncertain with few blocks, and an interval that is too wide is the smaller error. At
    least two degrees of freedom are assumed, because with fewer every interval would be the whole range. What steadying
    took from the deviation is given back; where faces were read alone, that is too wide.
    """
    n, n_tracks = len(blocks.weight), len(np.unique(blocks.levels[-1]))
    if n < 2:
        return math.inf
    correlation = min(sum(autocorrelation(blocks)), 1.0)
    df = max(n * (1 - correlation) / (1 + correlation) - n_tracks, 2.0)
    return widening(n, df) / _LEFT_BY_STEADYING


def autocorrelation(blocks: Evidence) -> tuple[float, float]:
    """Estimate the correlation between the shares of neighbouring blocks in a track, pooled over tracks and emotions.

    The estimate is biased downwards, because deviations are from the mean of the same few blocks; this is corrected to
    first order (Marriott and Pope, Biometrika 41, 1954).

    Returns:
        The estimate, 0 to 1, and its standard error (Bartlett, J. R. Stat. Soc. Suppl. 8, 1946); 1 and 0 if there are
        too few blocks.
    """
    track, of_track = np.unique(blocks.levels[-1], return_inverse=True)
    n, length = len(of_track), len(of_track) / len(track)
    if length <= 3:
        return 1.0, 0.0
    shares = blocks.mass / blocks.weight[:, None]
    sums = np.stack([np.bincount(of_track, column) for column in shares.T], axis=1)
    apart = shares - (sums / np.bincount(of_track)[:, None])[of_track]
    spread = float((apart**2).sum())
    neighbours = of_track[1:] == of_track[:-1]
    measured = float((apart[1:] * apart[:-1])[neighbours].sum()) / spread if spread > 0 else 0.0
    correlation = min(max((length * measured + 1) / (length - 3), 0.0), 1.0)
    return correlation, ((1 - correlation**2) / n) ** 0.5


def student(df: float) -> float:
    """Return the 0.975 quantile of Student's t, accurate to 1 % for two or more degrees of freedom.

    Expansion 26.7.5 of Abramowitz and Stegun, Handbook of Mathematical Functions, 1964.
    """
    z = _Z
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / df**power for power, term in enumerate(terms, start=1))
