"""Shares of expressions, corrected by a random sample of faces that people judged: prediction-powered inference.

The reader's predictions for all faces are corrected by its errors on the judged ones (Angelopoulos et al., Science 382,
2023). The tuning parameter of PPI++ (Angelopoulos, Duchi and Zrnic, arXiv:2311.01453) weights the predictions, from 0
(only judged faces count) to 1. It is chosen to minimise the variance, so no interval is wider than from judged faces
alone.

The sizes of the strata are known, as in a survey. The variance is that of linearised sums over clusters of faces, shots
or tracks (Särndal, Swensson and Wretman, Model Assisted Survey Sampling, 1992, sections 5.5 and 6.6). It includes both
the sampling of faces and the sampling of clusters, because another take could have shown other faces.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from scenefer.analysis.bootstrap import student
from scenefer.comparison.coding_sample import LEAST

LEAST_CODED = 10  # minimum judged faces for corrected shares
LEAST_CLUSTERS = 3  # minimum clusters with a judged face


class Faces(NamedTuple):
    """All N usable faces of a film or scene, and people's judgements of some of them."""

    read: np.ndarray  # (N, K) probabilities, rows sum to 1
    judged: np.ndarray  # (N, K) shares of people's labels, rows sum to 1; NaN for faces that nobody judged
    weight: np.ndarray  # (N,) seconds that the face stands for
    stratum: np.ndarray  # (N,) int64, stratum of the sampling
    probability: np.ndarray  # (N,) probability of being drawn, above 0
    cluster: np.ndarray  # (N,) int64, the shot or track


class Shares(NamedTuple):
    """Estimated shares of K classes, each with its 95 % interval."""

    percent: np.ndarray  # (K,)
    low: np.ndarray  # (K,)
    high: np.ndarray  # (K,)
    tuning: np.ndarray  # (K,) 0 to 1: weight of the reader's predictions
    n_coded: int  # judged faces
    n_clusters: int  # clusters with judged faces


def correct(faces: Faces, *, read_counts: bool = True) -> Shares | None:
    """Estimate the shares that people would see in all faces, in percent of the faces' seconds.

    Each class has its own tuning, so the shares sum only approximately to 100. A class that nobody saw has the share 0,
    and its upper end is the two-sided 95 % limit for 0 of n (Clopper and Pearson, Biometrika 26, 1934), with
    clusters as trials.

    Args:
        read_counts: False = use only judged faces; the tuning is 0.

    Returns:
        None if fewer than ``LEAST_CODED`` faces, or faces in fewer than ``LEAST_CLUSTERS`` clusters, were judged.
    """
    seen = ~np.isnan(faces.judged[:, 0])
    cluster = np.unique(faces.cluster, return_inverse=True)[1].ravel()
    n_coded, n_clusters = int(seen.sum()), len(np.unique(cluster[seen]))
    if n_coded < LEAST_CODED or n_clusters < LEAST_CLUSTERS:
        return None
    cell = _cells(faces.stratum, seen)
    known, parts = _by_sample(np.where(seen[:, None], faces.judged, 0.0), faces, seen, cell, cluster)
    guessed, guessed_parts = _by_sample(faces.read, faces, seen, cell, cluster)
    total = faces.weight.sum()
    mean = faces.weight @ faces.read / total
    slopes = _sums(cluster, faces.weight[:, None] * (faces.read - mean)) - guessed_parts
    power = (slopes**2).sum(axis=0)
    against = -(parts * slopes).sum(axis=0)
    best = np.divide(against, power, out=np.zeros_like(power), where=power > 0)
    n_all = len(parts)

    def interval(tuning: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        share = known + tuning * (mean - guessed)
        variance = n_all / (n_all - 1) * ((parts + tuning * slopes) ** 2).sum(axis=0) / total**2
        low, high = _wilson(share, variance, known, student(n_clusters - 1))
        unseen = 1 - 0.025 ** (1 / n_clusters)
        low = np.where(known >= 1 - 1e-12, 1 - unseen, low)
        high = np.where(known <= 1e-12, unseen, high)
        share, low, high = (np.clip(100 * value, 0, 100) for value in (share, low, high))
        return share, np.minimum(low, share), np.maximum(high, share)

    alone = interval(np.zeros_like(power))
    if not read_counts:
        return Shares(*alone, np.zeros_like(power), n_coded, n_clusters)
    tuning = np.clip(best, 0.0, 1.0)
    _, low, high = interval(tuning)
    tuning[high - low > alone[2] - alone[1]] = 0.0  # clipping at 0 % can make a shifted interval wider
    return Shares(*interval(tuning), tuning, n_coded, n_clusters)


def _wilson(share: np.ndarray, variance: np.ndarray, known: np.ndarray, t: float) -> tuple[np.ndarray, np.ndarray]:
    """Compute Wilson's interval (J. Am. Stat. Assoc. 22, 1927), which keeps its coverage for rare classes.

    It uses the effective number of trials, for which a simple random sample with the known share would have the same
    variance (Korn and Graubard, Survey Methodology 24, 1998).
    """
    spread = np.maximum(known * (1 - known), 1e-12)
    per_trial = t**2 * variance / spread  # t² / n
    around = np.clip(share, 0, 1)
    middle = (around + per_trial / 2) / (1 + per_trial)
    half = np.sqrt(around * (1 - around) * per_trial + per_trial**2 / 4) / (1 + per_trial)
    return middle - half, middle + half


def _by_sample(
    values: np.ndarray, faces: Faces, seen: np.ndarray, cell: np.ndarray, cluster: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Estimate the mean of values (N, K) from the sampled rows only.

    Returns:
        (K,) the mean, and (clusters, K) the contribution of each cluster to the error of the total.
    """
    drawn = faces.weight[seen] / faces.probability[seen]  # seconds that a judged face represents
    inside, sampled = cell[seen], values[seen]
    size = np.bincount(cell, faces.weight)
    spoken = np.bincount(inside, drawn, len(size))
    means = _sums(inside, drawn[:, None] * sampled, len(size)) / spoken[:, None]
    mean = size @ means / size.sum()
    n = np.bincount(inside, minlength=len(size))
    grown = np.sqrt(n / np.maximum(n - 1, 1))[inside] * drawn * (size / spoken)[inside]
    parts = _sums(cluster, faces.weight[:, None] * (means[cell] - mean))
    return mean, parts + _sums(cluster[seen], grown[:, None] * (sampled - means[inside]), len(parts))


def _cells(stratum: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Number the strata from 0; merge those with fewer than two judged faces, so that each has at least two."""
    cell = np.unique(stratum, return_inverse=True)[1].ravel()
    n = np.bincount(cell[seen], minlength=cell.max() + 1)
    poor = n < LEAST
    if poor.any() and n[poor].sum() < LEAST:
        poor[n.argmax()] = True
    return np.unique(np.where(poor[cell], -1, cell), return_inverse=True)[1].ravel()


def _sums(group: np.ndarray, values: np.ndarray, n: int = 0) -> np.ndarray:
    """Sum values (N, K) by group: (groups, K)."""
    return np.stack([np.bincount(group, column, n) for column in values.T], axis=1)
