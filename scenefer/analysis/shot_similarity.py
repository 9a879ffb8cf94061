"""Similarity of the shots of a film: by colours, by the layout of light and dark, by people, and by time."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

_BRIGHTNESS = 0.3  # weight of the layout of light and dark; the rest is colour
_UNRELATED = 120.0  # seconds; shots farther apart are unrelated and give the base similarity of this film
_ABOVE = 0.2  # threshold for a gain, as a fraction of the way from the base similarity to that of neighbours
_USUAL = 0.4  # threshold for films that are too short to have unrelated shots
_N_PAIRS = 200  # minimum number of unrelated pairs
_N_COMPARED = 600  # number of shots, evenly over the film, of which all pairs are compared for the base similarity
_FAINT = 12.0  # below this norm of a signature its layout is noise


class Looks(NamedTuple):
    """Features for comparing shots, one row per shot."""

    colours: np.ndarray  # (N, P) square roots of the palette's shares; zeros if no frame was sampled
    arrangement: np.ndarray  # (N, 144) mean signatures, centred and normalised to length 1
    people: np.ndarray  # (N, Q) share of each person in the shot's faces; zeros if nobody was seen


def looks(shots: pd.DataFrame, frames: pd.DataFrame, people: pd.DataFrame | None) -> Looks:
    """Compute the features of each shot; arguments as for ``scenes.group_shots``."""
    time = frames["time"].to_numpy()
    shot = np.clip(np.searchsorted(shots["start"].to_numpy(), time, side="right") - 1, 0, None)
    palettes = frames["palette"].to_numpy()
    sampled = np.flatnonzero(frames["palette"].notna().to_numpy())
    n = len(shots)
    colours = _sums([palettes[row] for row in sampled], shot[sampled], n)
    colours = np.sqrt(colours / np.maximum(colours.sum(axis=1, keepdims=True), 1e-9))
    arrangement = _sums(frames["signature"], shot, n) / np.maximum(np.bincount(shot, minlength=n), 1)[:, None]
    arrangement -= arrangement.mean(axis=1, keepdims=True)
    arrangement /= np.maximum(np.linalg.norm(arrangement, axis=1, keepdims=True), _FAINT)
    seen = np.zeros((n, 0)) if people is None else people.to_numpy(dtype=float)
    seen = seen / np.maximum(seen.sum(axis=1, keepdims=True), 1e-9)
    return Looks(colours, arrangement, seen)


def _sums(rows: Iterable[bytes], shot: np.ndarray, n_shots: int) -> np.ndarray:
    """Sum the bytes of the frames of each shot: (n_shots, bytes per frame) float64; ``shot`` must be sorted."""
    if not len(shot):
        return np.zeros((n_shots, 1))
    values = np.frombuffer(b"".join(rows), np.uint8).reshape(len(shot), -1)
    present, begins = np.unique(shot, return_index=True)
    sums = np.zeros((n_shots, values.shape[1]))
    sums[present] = np.add.reduceat(values, begins, axis=0, dtype=np.int64)
    return sums


def _similarity(looks: Looks, rows: np.ndarray, others: np.ndarray, weight_of_people: float) -> np.ndarray:
    """Compute the similarity of shots: (R, O), 1 = alike, 0 = nothing in common.

    Colours are compared by Hellinger distance, the layout of light and dark by correlation. If a shot is too short to
    have a sampled frame, only the layout counts.
    """
    arrangement = np.sqrt(np.clip((1 - looks.arrangement[rows] @ looks.arrangement[others].T) / 2, 0, 1))
    colours = np.sqrt(np.clip(1 - looks.colours[rows] @ looks.colours[others].T, 0, 1))
    known = np.outer(looks.colours[rows].any(axis=1), looks.colours[others].any(axis=1))
    picture = 1 - np.where(known, (1 - _BRIGHTNESS) * colours + _BRIGHTNESS * arrangement, arrangement)
    shared = np.zeros_like(picture)
    for one, other in zip(looks.people[rows].T, looks.people[others].T, strict=True):  # all at once need gigabytes
        shared += np.minimum.outer(one, other)
    return picture + weight_of_people * shared * (1 - picture)


def gains(looks: Looks, middles: np.ndarray, memory: float, people: float) -> list[np.ndarray]:
    """Compute for each shot the gain of being in the same scene as each earlier shot.

    Args:
        middles: (N,) seconds, middles of the shots.
        memory: seconds after which the weight of a similarity is 1/e.
        people: weight of the people that two shots share.

    Returns:
        For each shot an array (K,) for the K shots directly before it; shots longer ago have no gain.
    """
    rows = np.arange(len(middles))
    begins = np.searchsorted(middles, middles - 6 * memory)
    similarities = [
        _similarity(looks, rows[begin:row], rows[row : row + 1], people)[:, 0] for row, begin in enumerate(begins)
    ]
    # The most similar shot within ``memory``, or the previous shot if there is none, as in films of long takes.
    neighbours = [
        similarity[middles[begin:row] >= middles[row] - memory].max(initial=similarity[-1])
        for row, (begin, similarity) in enumerate(zip(begins, similarities, strict=True))
        if len(similarity)
    ]
    some = rows[:: -(-len(rows) // _N_COMPARED)]
    apart = np.abs(middles[some][:, None] - middles[some])
    unrelated = _similarity(looks, some, some, people)[apart > _UNRELATED]
    threshold = _USUAL
    if len(unrelated) >= _N_PAIRS and neighbours:
        usual = float(np.median(unrelated))
        threshold = usual + _ABOVE * (float(np.median(neighbours)) - usual)
    return [
        (similarity - threshold) * np.exp(-(middles[row] - middles[begin:row]) / memory)
        for row, (begin, similarity) in enumerate(zip(begins, similarities, strict=True))
    ]
