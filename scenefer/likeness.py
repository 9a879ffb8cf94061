"""How alike the shots of a film are: by colours, by the arrangement of light and dark, by the people seen, in time."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    import pandas as pd

_BRIGHTNESS = 0.3  # weight of the arrangement of light and dark; the rest is colour
_UNRELATED = 120.0  # seconds: shots further apart show how alike shots of this film are by themselves
_ABOVE = 0.2  # how far from there to the likeness of neighbours a pair has to be, to speak for one scene
_USUAL = 0.4  # the same threshold where a film is too short to have unrelated shots
_N_PAIRS = 200  # unrelated pairs that suffice
_N_COMPARED = 600  # shots, evenly over the film, that are compared each with each for them
_FAINT = 12.0  # norm of a signature below which its arrangement is noise


class Looks(NamedTuple):
    """What shots are compared by, a row a shot."""

    colours: np.ndarray  # (N, P) square roots of the palette's shares; rows of zeros where no frame was sampled
    arrangement: np.ndarray  # (N, 144) signatures without their mean, of length 1
    people: np.ndarray  # (N, Q) shares of the people's time; rows of zeros where nobody was seen


def looks(shots: pd.DataFrame, frames: pd.DataFrame, people: pd.DataFrame | None) -> Looks:
    """Sum up what each shot shows; arguments as of ``scenes.group_shots``."""
    import numpy as np

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
    """Add up the bytes of the frames of each shot: (n_shots, bytes a frame) float64; ``shot`` rises."""
    import numpy as np

    if not len(shot):
        return np.zeros((n_shots, 1))
    values = np.frombuffer(b"".join(rows), np.uint8).reshape(len(shot), -1)
    present, begins = np.unique(shot, return_index=True)
    sums = np.zeros((n_shots, values.shape[1]))
    sums[present] = np.add.reduceat(values, begins, axis=0, dtype=np.int64)
    return sums


def _likeness(looks: Looks, rows: np.ndarray, others: np.ndarray, weight_of_people: float) -> np.ndarray:
    """Compare shots: (R, O), 1 = alike, 0 = nothing in common.

    Colours by Hellinger distance, the arrangement of light and dark by correlation; where a shot is too short to have
    a sampled frame, by the arrangement alone.
    """
    import numpy as np

    arrangement = np.sqrt(np.clip((1 - looks.arrangement[rows] @ looks.arrangement[others].T) / 2, 0, 1))
    colours = np.sqrt(np.clip(1 - looks.colours[rows] @ looks.colours[others].T, 0, 1))
    known = np.outer(looks.colours[rows].any(axis=1), looks.colours[others].any(axis=1))
    picture = 1 - np.where(known, (1 - _BRIGHTNESS) * colours + _BRIGHTNESS * arrangement, arrangement)
    shared = np.zeros_like(picture)
    for one, other in zip(looks.people[rows].T, looks.people[others].T, strict=True):  # at once they take gigabytes
        shared += np.minimum.outer(one, other)
    return picture + weight_of_people * shared * (1 - picture)


def gains(looks: Looks, middles: np.ndarray, memory: float, people: float) -> list[np.ndarray]:
    """Compute for each shot what being in one scene with each of the shots before it is worth.

    Args:
        middles: (N,) seconds, of the shots.
        memory: seconds after which a likeness counts 1/e.
        people: weight of the people that two shots share.

    Returns:
        A list of (K,) for the K shots next before it; what was longer ago counts nothing.
    """
    import numpy as np

    rows = np.arange(len(middles))
    begins = np.searchsorted(middles, middles - 6 * memory)
    likenesses = [
        _likeness(looks, rows[begin:row], rows[row : row + 1], people)[:, 0] for row, begin in enumerate(begins)
    ]
    # Of the shots within memory the likest one; in films of long takes, where there is none, the shot before.
    neighbours = [
        likeness[middles[begin:row] >= middles[row] - memory].max(initial=likeness[-1])
        for row, (begin, likeness) in enumerate(zip(begins, likenesses, strict=True))
        if len(likeness)
    ]
    some = rows[:: -(-len(rows) // _N_COMPARED)]
    apart = np.abs(middles[some][:, None] - middles[some])
    unrelated = _likeness(looks, some, some, people)[apart > _UNRELATED]
    threshold = _USUAL
    if len(unrelated) >= _N_PAIRS and neighbours:
        usual = float(np.median(unrelated))
        threshold = usual + _ABOVE * (float(np.median(neighbours)) - usual)
    return [
        (likeness - threshold) * np.exp(-(middles[row] - middles[begin:row]) / memory)
        for row, (begin, likeness) in enumerate(zip(begins, likenesses, strict=True))
    ]
