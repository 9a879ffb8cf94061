"""Gradual transitions: what counts as one, and what the searches for fades, dissolves and wipes have in common.

All three work on signatures (``frame_features``), 16 x 9 luma values a frame, so pixels are not needed again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from scenefer.core.settings import Settings, bounded

BLACK = 24  # maximum luma (0..255) of a black picture, after compression; white is at most as far from 255
PLAIN = 4.0  # a picture whose signature has a smaller standard deviation is plain


@dataclass(frozen=True)
class TransitionSettings(Settings):
    """What counts as a dissolve or a fade."""

    threshold: float = 0.12  # minimum change of the picture, as summed cut_score, in a transition
    longest: float = bounded(3.0, 0, 3600)  # maximum seconds of a dissolve, fade or wipe; 0 = none is searched
    residual: float = 0.2  # maximum residual of a blend, relative to the distance of its (dissimilar) ends
    difference: float = bounded(10.0, 0, 255)  # grey levels: minimum RMS difference of a blend's ends
    longest_void: float = 2.0  # seconds of black or white within a fade; if longer, they are a shot


class Transition(NamedTuple):
    """A gradual transition, by rows of the table frames."""

    before: int  # last frame of the old picture
    after: int  # first frame of the new picture
    kind: str  # dissolve, fade or wipe


def runs(mask: np.ndarray) -> list[tuple[int, int]]:
    """Return the first and last rows of all runs of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    return [(int(a), int(b) - 1) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def correlation(pictures: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Correlate signatures (K, 144) row by row: (K,), about 0 if one of the two is plain."""
    a = pictures - pictures.mean(axis=-1, keepdims=True)
    b = others - others.mean(axis=-1, keepdims=True)
    return (a * b).sum(axis=-1) / np.maximum(np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1), a.shape[-1])


def blended(pictures: np.ndarray, before: np.ndarray, after: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fit pictures (K, 144) by (1 - a) before + a after: a (K,), and residual (K,) relative to |after - before|."""
    chord = after.astype(np.float64) - before
    length = max(float(np.linalg.norm(chord)), 1e-9)
    share = (pictures - before.astype(np.float64)) @ chord / length**2
    rest = np.linalg.norm(pictures - before - share[:, None] * chord, axis=1) / length
    return share, rest
