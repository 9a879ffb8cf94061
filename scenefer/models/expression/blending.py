"""From the logits of a network's heads to calibrated probabilities of the seven emotions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from scenefer.core.schema import EMOTIONS
from scenefer.models import Calibration

_SIX = [column for column, emotion in enumerate(EMOTIONS) if emotion != "neutral"]


def probabilities(logits: np.ndarray, calibration: Calibration) -> np.ndarray:
    """Turn logits (N, L) into calibrated probabilities (N, 7) float32 by temperature scaling (Guo et al., ICML 2017).

    Raises:
        ValueError: the logits do not include all heads used.
    """
    scaled = blend(logits, calibration) / calibration.temperature
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)


def blend(logits: np.ndarray, calibration: Calibration) -> np.ndarray:
    """Blend the logits of the heads used: (N, L) to (N, 7) float64, log probabilities up to a constant per row.

    Heads are averaged, weighted by their shares. Up to a constant per row, the mean of logits is the mean of log
    probabilities, that is, the geometric mean of the heads' probabilities (a logarithmic opinion pool; Genest and
    Zidek, Statistical Science 1986). If there are ``expressive`` heads, the average only decides how neutral a face is;
    the rest of the probability is divided among the six other expressions as the expressive heads divide it.

    Raises:
        ValueError: the logits do not include all heads.
    """
    least = least_labels(calibration)
    if logits.ndim != 2 or logits.shape[1] < least:
        raise ValueError(f"logits must have shape (N, ≥ {least}), got {logits.shape}")
    pooled = _pooled(logits, calibration.reading)
    if calibration.expressive:
        six = _pooled(logits, calibration.expressive)[:, _SIX]
        left = np.logaddexp.reduce(pooled[:, _SIX], axis=1) - np.logaddexp.reduce(six, axis=1)
        pooled[:, _SIX] = six + left[:, None]
    return pooled


def _pooled(logits: np.ndarray, heads: Sequence[tuple[int, float]]) -> np.ndarray:
    wide = logits.astype(np.float64)
    return sum(
        (share * wide[:, first : first + len(EMOTIONS)] for first, share in heads),
        np.zeros((len(logits), len(EMOTIONS))),
    )


def least_labels(calibration: Calibration) -> int:
    """Return the minimum number of logits that the heads used require."""
    return max(first for first, _ in (*calibration.reading, *calibration.expressive)) + len(EMOTIONS)
