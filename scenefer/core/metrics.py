"""Distances of distributions, agreement, calibration and quantification: arrays in, numbers out.

A distribution is an array whose last axis holds K shares. It need not sum to 1, but must not be negative or all zero.
Where the order matters, ``p`` is the reference (intended, or judged by people) and ``q`` is what was detected.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Skill(NamedTuple):
    """How much closer the given pairs are than random pairs."""

    shuffled: float  # mean distance over random pairings
    skill: float  # 1 - observed / shuffled: 0 = as at random, 1 = no distance left
    p: float  # (1 + pairings as close as the observed one) / (1 + pairings)


def js_distance(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Compute the Jensen-Shannon distance, base 2: 0 for equal, 1 for disjoint distributions, symmetric.

    The square root of the divergence, hence a metric (Endres and Schindelin, IEEE Trans. Inf. Theory 49, 2003).

    Args:
        p, q: (..., K), broadcast against each other.

    Returns:
        (...) float64.
    """
    p, q = _shares(p), _shares(q)
    surprise = (_times_its_log(p) + _times_its_log(q)) / 2 - _times_its_log((p + q) / 2)
    return np.sqrt(np.clip(_total(surprise), 0.0, 1.0))


def total_variation(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Compute the share of mass that must be moved to turn p into q: (...) float64, 0 for equal, 1 for disjoint."""
    return np.clip(_total(np.abs(_shares(p) - _shares(q))) / 2, 0.0, 1.0)


def brier(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Compute the squared distance of forecast q from p (Brier 1950, summed over classes): (...) float64, 0 to 2."""
    return ((_shares(p) - _shares(q)) ** 2).sum(axis=-1)


def log_score(p: np.ndarray, q: np.ndarray, epsilon: float = 1e-6) -> np.ndarray:
    """Compute the cross-entropy of p under forecast q, in bits (Good 1952): (...) float64, 0 is best.

    A forecast of 0 would give an infinite score, so q is first mixed with ``epsilon`` of the uniform distribution.
    """
    q = _shares(q)
    return -(_shares(p) * np.log2((1 - epsilon) * q + epsilon / q.shape[-1])).sum(axis=-1)


def rank_of(shares: np.ndarray, label: int) -> np.ndarray:
    """Return the rank of ``label`` among shares (..., K), 1 = largest; ties all get the better rank."""
    return 1 + (shares > shares[..., label : label + 1]).sum(axis=-1)


def confusion(truth: np.ndarray, found: np.ndarray, n_classes: int) -> np.ndarray:
    """Count pairs of labels: (n_classes, n_classes) int64; rows are true labels, columns are found labels.

    Raises:
        ValueError: the arrays differ in shape, or a label is not in 0 .. n_classes - 1.
    """
    truth, found = np.asarray(truth, np.int64), np.asarray(found, np.int64)
    if truth.shape != found.shape:
        raise ValueError(f"truth and found must have one shape, got {truth.shape} and {found.shape}")
    both = np.concatenate([truth.ravel(), found.ravel()])
    if both.size and (both.min() < 0 or both.max() >= n_classes):
        raise ValueError(f"labels must lie in 0..{n_classes - 1}, got {both.min()}..{both.max()}")
    pairs = truth.ravel() * n_classes + found.ravel()
    return np.bincount(pairs, minlength=n_classes**2).reshape(n_classes, n_classes)


def recalls(counts: np.ndarray) -> np.ndarray:
    """Compute the recall of every class from a confusion matrix (K, K): (K,) float64; NaN for classes without truth."""
    true = counts.sum(axis=1)
    return np.divide(np.diag(counts), true, out=np.full(len(counts), np.nan), where=true > 0)


def macro_f1(counts: np.ndarray) -> float:
    """Compute the mean F1 over the classes of a confusion matrix (K, K) that occur as truth or finding; NaN if none."""
    occurs = counts.sum(axis=0) + counts.sum(axis=1)
    if not occurs.any():
        return float("nan")
    return float((2 * np.diag(counts)[occurs > 0] / occurs[occurs > 0]).mean())


def cohen_kappa(counts: np.ndarray) -> float:
    """Compute agreement beyond chance from a confusion matrix (K, K) (Cohen 1960): 1 = perfect, 0 = chance.

    NaN where kappa is undefined: the matrix is empty or has one class only.
    """
    n = counts.sum()
    if n == 0:
        return float("nan")
    by_chance = float((counts.sum(axis=0) * counts.sum(axis=1)).sum() / n**2)
    return float((counts.trace() / n - by_chance) / (1 - by_chance)) if by_chance < 1 else float("nan")


def permutation_skill(distances: np.ndarray, n: int, rng: np.random.Generator) -> Skill:
    """Compare the pairs on the diagonal of distances (N, N) with ``n`` random pairings of rows and columns.

    Raises:
        ValueError: there are no pairs.
    """
    if not len(distances):
        raise ValueError("pairings of nothing are not defined")
    columns = np.arange(len(distances))
    rows = rng.permuted(np.tile(columns, (n, 1)), axis=1)
    means = distances[rows, columns].mean(axis=1)  # (n,)
    observed, shuffled = float(distances.diagonal().mean()), float(means.mean())
    as_close = int((means <= observed + 1e-12).sum())  # 1e-12: the same pairing may differ by rounding
    return Skill(shuffled, 1 - observed / shuffled if shuffled > 0 else 0.0, (1 + as_close) / (1 + n))


def ece(probabilities: np.ndarray, labels: np.ndarray, n_bins: int = 15, *, weights: np.ndarray | None = None) -> float:
    """Compute the expected calibration error of the top label in equal-width bins (Guo et al., ICML 2017): 0 to 1.

    Args:
        probabilities: (N, K), rows sum to 1.
        labels: (N,) int; or (N, K) human votes: a hit then counts as the share of votes for the top label.
        weights: (N,) weight of each row; equal by default.

    Raises:
        ValueError: there are no rows.
    """
    if not len(probabilities):
        raise ValueError("calibration of no probabilities is not defined")
    top = probabilities.argmax(axis=1)
    confidence = probabilities.max(axis=1)
    hit = (top == labels).astype(float) if labels.ndim == 1 else _shares(labels)[np.arange(len(top)), top]
    bins = np.clip(np.ceil(confidence * n_bins).astype(int) - 1, 0, n_bins - 1)
    weights = np.ones(len(top)) if weights is None else weights
    gaps = np.bincount(bins, weights * (hit - confidence), minlength=n_bins)
    return float(np.abs(gaps).sum() / weights.sum())


def _shares(masses: np.ndarray) -> np.ndarray:
    masses = np.asarray(masses, np.float64)
    return masses / _total(masses)[..., None]


def _total(values: np.ndarray) -> np.ndarray:
    """Sum over the last axis; for a short axis, a product with ones is ten times faster than NumPy's sum."""
    return values @ np.ones(values.shape[-1])


def _times_its_log(shares: np.ndarray) -> np.ndarray:
    """Compute p log2 p, which is 0 at 0."""
    return shares * np.log2(np.where(shares > 0, shares, 1.0))
