"""Agreement between people who judged faces (inter-coder agreement), and between the expression reader and them.

A judgement is an index into the seven emotions, ``CANNOT_TELL``, or ``MISSING`` where a person did not judge a face.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations, pairwise
from typing import NamedTuple

import numpy as np

from scenefer.analysis.bootstrap import interval, widening
from scenefer.core import metrics
from scenefer.core.schema import EMOTIONS

UNSURE = "cannot tell"  # in files
CANNOT_TELL = -1
MISSING = -2
RESAMPLES = 1000
EDGES = (0.0, 0.4, 0.6, 0.8, 1.0)  # bins of the reader's confidence in its calibration table
_K = len(EMOTIONS)

Figure = tuple[float, float, float]  # a value and the two ends of its 95 % interval


class Calibrated(NamedTuple):
    """The faces in one bin of the reader's confidence."""

    low: float  # lower edge of the bin, exclusive
    high: float  # upper edge of the bin, inclusive
    share: float  # share of all faces
    confidence: float  # mean confidence
    right: Figure


class ReaderAgreement(NamedTuple):
    """Agreement of the reader with people, weighted by the seconds of all usable faces."""

    accuracy: Figure
    kappa: Figure  # Cohen's
    confusion: np.ndarray  # (7, 7) sums to 1; rows are people's labels, columns are detected labels
    recall: np.ndarray  # (7,) NaN for emotions that nobody saw
    ece: float  # expected calibration error
    calibration: tuple[Calibrated, ...]


def krippendorff_alpha(coincidences: np.ndarray) -> float:
    """Compute Krippendorff's alpha of nominal data: 1 = perfect agreement, 0 = as by chance.

    Krippendorff, Content Analysis, 4th edition, 2019, chapter 12.

    Args:
        coincidences: (K, K), the sum over faces of ``coincidences``.

    Returns:
        NaN if all judgements are the same, or no face has two judgements.
    """
    of_class = coincidences.sum(axis=1)
    n = of_class.sum()
    by_chance = n**2 - (of_class**2).sum()
    if not by_chance > 0:
        return float("nan")
    return float(1 - (n - 1) * (n - np.trace(coincidences)) / by_chance)


def coincidences(codes: np.ndarray) -> np.ndarray:
    """Count the pairs of judgements of each face, each weighted by 1 / (judgements of the face - 1): (N, 7, 7).

    Args:
        codes: (coders, N) int64; negative codes are ignored.
    """
    votes = votes_of(codes)
    n = votes.sum(axis=1)[:, None, None]
    pairs = votes[:, :, None] * votes[:, None, :]
    for k in range(_K):
        pairs[:, k, k] -= votes[:, k]
    return pairs / (n - 1).clip(1)


def people_alpha(codes: np.ndarray, cluster: np.ndarray, seed: int = 0) -> Figure:
    """Compute alpha between people, with an interval from resampling clusters of faces, such as tracks."""
    by_cluster = _by_cluster(coincidences(codes).reshape(-1, _K * _K), cluster)
    return _figure(lambda sums: krippendorff_alpha(sums.reshape(_K, _K)), by_cluster, seed, -1.0)


def pairwise_kappas(codes: np.ndarray) -> dict[tuple[int, int], tuple[float, int]]:
    """Compute Cohen's kappa for every pair of people, and the number of faces for which both named an emotion."""
    found = {}
    for a, b in combinations(range(len(codes)), 2):
        both = (codes[a] >= 0) & (codes[b] >= 0)
        found[a, b] = (metrics.cohen_kappa(metrics.confusion(codes[a, both], codes[b, both], _K)), int(both.sum()))
    return found


def votes_of(codes: np.ndarray) -> np.ndarray:
    """Count the judgements of each face by emotion: (N, 7) float64; "cannot tell" is not counted.

    Args:
        codes: (coders, N) int64.
    """
    return (codes[:, :, None] == np.arange(_K)).sum(axis=0).astype(np.float64)


def reader_agreement(
    read: np.ndarray, votes: np.ndarray, weight: np.ndarray, cluster: np.ndarray, seed: int = 0
) -> ReaderAgreement:
    """Compare the reader with people; if people disagree about a face, it is split between their labels.

    Args:
        read: (N, 7) probabilities of the judged faces.
        votes: (N, 7) numbers of judgements, at least one per face.
        weight: (N,) seconds that each face represents: its own seconds divided by its probability of being drawn.
        cluster: (N,) int64, the track; intervals come from resampling tracks.
    """
    seen = votes / votes.sum(axis=1, keepdims=True)
    top, confidence = read.argmax(axis=1), read.max(axis=1)
    cells = weight[:, None, None] * seen[:, :, None] * np.eye(_K)[top][:, None, :]  # (N, 7, 7)
    confusion = cells.sum(axis=0) / weight.sum()
    tables = _by_cluster(cells.reshape(-1, _K * _K), cluster)
    right = seen[np.arange(len(top)), top]
    bins = []
    for low, high in pairwise(EDGES):
        inside = weight * ((confidence > low) & (confidence <= high))
        if inside.sum() > 0:
            sums = _by_cluster(np.stack([inside * right, inside], axis=1), cluster)
            share, sure = inside.sum() / weight.sum(), inside @ confidence / inside.sum()
            bins.append(Calibrated(low, high, float(share), float(sure), _figure(_ratio, sums, seed, 0.0)))
    return ReaderAgreement(
        accuracy=_figure(lambda sums: np.trace(sums.reshape(_K, _K)) / sums.sum(), tables, seed, 0.0),
        kappa=_figure(lambda sums: metrics.cohen_kappa(sums.reshape(_K, _K)), tables, seed, -1.0),
        confusion=confusion,
        recall=metrics.recalls(confusion),
        ece=metrics.ece(read, votes, weights=weight),
        calibration=tuple(bins),
    )


def _ratio(sums: np.ndarray) -> float:
    return float(sums[0] / sums[1]) if sums[1] > 0 else float("nan")


def _by_cluster(values: np.ndarray, cluster: np.ndarray) -> np.ndarray:
    """Sum values (N, V) by cluster: (clusters, V)."""
    number = np.unique(cluster, return_inverse=True)[1].ravel()
    return np.stack([np.bincount(number, column) for column in values.T], axis=1)


def _figure(statistic: Callable[[np.ndarray], float], sums: np.ndarray, seed: int, least: float) -> Figure:
    """Compute a statistic of sums over clusters, and its interval from resampling clusters; NaN if undefined.

    Args:
        least: the lowest value that the statistic can have; the highest is 1.
    """
    n = len(sums)
    drawn = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), RESAMPLES) @ sums
    resampled = np.array([statistic(one) for one in drawn])
    estimate = float(statistic(sums.sum(axis=0)))
    known = resampled[~np.isnan(resampled)]
    if n < 3 or not len(known) or np.isnan(estimate):
        return estimate, float("nan"), float("nan")
    low, high = interval(np.array(estimate), known, factor=widening(n, n - 1))
    return estimate, max(float(low), least), min(float(high), 1.0)
