"""Shots, found from the stored scores: no pixel is looked at again, so settings are retuned without decoding.

A hard cut is a cut score that stands out from its neighbourhood. The neighbourhood is measured in seconds of the film's
own timestamps, so variable frame rates and repeated frames need no case of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scenefer import tables
from scenefer.transitions import PLAIN, Transition, blended, find_dissolves, find_fades

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

_RETURNED = 0.45  # a picture is back when its distance from the one before a flash is this share of the flash's own
_BRIGHTNESS = 0.9  # share of its mean brightness that is taken off a picture for that
_ONSET = 0.7  # the same, of the first picture of a flicker
_REPEATED = 0.01  # cut_score up to which a frame may repeat the one before
_STRAY = 0.1  # seconds: two cuts that are no further apart may be one
_MIXED = 0.3  # residual of a single frame that is a mixture of its two sides


@dataclass(frozen=True)
class ShotSettings:
    threshold: float = 0.12  # cut_score below which nothing is a cut
    contrast: float = 2.75  # a cut's score, as a multiple of the scores around it
    neighbourhood: float = 0.13  # seconds before and after, whose scores are "around it"; three frames at least
    flash: float = 0.2  # seconds within which the picture returns after a flash or a passing object
    longest: float = 3.0  # seconds that a dissolve or a fade may take; 0: none are looked for
    residual: float = 0.2  # distance of pictures from the blend of two unlike ones, as a share of the distance of those
    difference: float = 10.0  # grey levels (0..255) that the ends of a blend differ by at least, root mean square
    longest_void: float = 2.0  # seconds of black or white that a fade may go through; beyond, they are a shot


def find_shots(frames: pd.DataFrame, settings: ShotSettings = ShotSettings()) -> pd.DataFrame:
    """Cut a film into shots where the picture changes, abruptly or gradually, into another one.

    A flash, a flicker, or an object that passes the camera is no cut, because the picture returns.

    Args:
        frames: table FRAMES, ordered by time; only time, cut_score and signature are read.

    Returns:
        Table SHOTS; the spans are half-open and together cover the film, the last frame's duration included.
    """
    import numpy as np

    if not len(frames):
        return tables.empty("shots")
    time = frames["time"].to_numpy()
    pictures = np.frombuffer(b"".join(frames["signature"]), np.uint8).reshape(len(time), -1)
    score = frames["cut_score"].to_numpy(dtype=np.float64, na_value=0.0)
    cuts = _hard_cuts(time, score, pictures, settings)
    gradual: list[Transition] = []
    if settings.longest:
        gradual, cuts = find_fades(time, pictures, cuts, settings)
        gradual += find_dissolves(time, score, pictures, cuts, gradual, settings)
    # The last frame lasts as long as the others do; a film of a single one is taken to run at 25 a second.
    step = float(np.median(np.diff(time))) if len(time) > 1 else 0.04
    return _table(time, cuts, gradual, step)


def one_a_frame(frames: pd.DataFrame, seconds: float = 1.0) -> pd.DataFrame:
    """Make every frame a shot of its own of ``seconds`` at most, as the pictures of a folder of stills are.

    A picture that could not be read leaves a gap.
    """
    import numpy as np

    if not len(frames):
        return tables.empty("shots")
    shots = _table(frames["time"].to_numpy(), np.arange(1, len(frames)), [], seconds)
    return shots.assign(end=np.minimum(shots["end"], shots["start"] + seconds))


def length_of(shots: pd.DataFrame) -> float:
    """Tell how much film time was read, seconds; ``shots``: table SHOTS."""
    return float(shots["end"].iloc[-1] - shots["start"].iloc[0]) if len(shots) else 0.0


def _table(time: np.ndarray, cuts: np.ndarray, gradual: list[Transition], step: float) -> pd.DataFrame:
    rows = [(time[0], "start", None, None), *((time[cut], "cut", None, None) for cut in cuts)]
    for before, after, kind in gradual:
        begin, end = time[before + 1], time[after]
        rows.append(((begin + end) / 2, kind, begin, end))
    rows.sort(key=lambda row: row[0])
    starts, kinds, begins, ends = zip(*rows, strict=True)
    return tables.conform(
        {
            "shot": range(len(rows)),
            "start": starts,
            "end": [*starts[1:], time[-1] + step],
            "transition": kinds,
            "transition_start": begins,
            "transition_end": ends,
        },
        "shots",
    )


def _hard_cuts(time: np.ndarray, score: np.ndarray, pictures: np.ndarray, settings: ShotSettings) -> np.ndarray:
    """Find the rows that begin a new picture: (C,) int, rising."""
    import numpy as np

    high = np.flatnonzero(score >= settings.threshold)
    steady = score.copy()
    steady[high[_returning(time, pictures, high, settings.flash)]] = 0.0  # nor may a flicker hide the cut beside it
    around = _activity(time, steady, settings.neighbourhood, 3, float("inf"))
    # Films of 12 pictures a second shown at 24 repeat every frame; the repeats hide how much it moves.
    fresh = np.flatnonzero(steady > _REPEATED)
    around[fresh] = np.maximum(around[fresh], _activity(time[fresh], steady[fresh], 0.0, 2, settings.flash))
    cuts = np.flatnonzero((steady >= settings.threshold) & (steady >= settings.contrast * around))
    return _once(time, pictures, cuts)


def _activity(time: np.ndarray, score: np.ndarray, reach: float, least: int, longest: float) -> np.ndarray:
    """Compute what scores are usual around each frame: the second largest before or after it, whichever is larger.

    The largest is left out, since it may be the cut at the other end of a short shot.

    Args:
        reach: seconds before and after.
        least: frames before and after that count even beyond ``reach``, up to ``longest`` seconds.
    """
    import numpy as np

    n = len(time)
    sides = []
    for direction in (-1, 1):
        first, second = np.zeros(n), np.zeros(n)
        for offset in range(1, n):
            here = np.arange(offset, n) if direction < 0 else np.arange(n - offset)
            there = here + direction * offset
            apart = np.abs(time[there] - time[here])
            near = apart <= (longest if offset <= least else reach) + 1e-6
            if not near.any():
                break
            value = np.where(near, score[there], 0.0)
            second[here] = np.maximum(second[here], np.minimum(first[here], value))
            first[here] = np.maximum(first[here], value)
        sides.append(second)
    return np.maximum(*sides)


def _returning(time: np.ndarray, pictures: np.ndarray, rows: np.ndarray, flash: float) -> np.ndarray:
    """Tell which rows lie in a flash: a picture from just before is seen again after at most ``flash`` seconds."""
    import numpy as np

    # With their brightness, a black frame would be so far from everything that any picture behind it seemed to return.
    shown = pictures - (_BRIGHTNESS * pictures.mean(axis=1, keepdims=True)).astype(np.float32)
    within = np.zeros(len(rows), dtype=bool)
    reach = flash + 1e-6
    for back in range(1, len(time)):  # before = the frame before the flash: before < row <= after
        first = rows - back + 1
        open_ = (first > 0) & (time[rows] - time[first] <= reach) & ~within
        if not open_.any():
            break
        index = np.flatnonzero(open_)
        first = first[index]
        before = shown[first - 1]
        peak = np.zeros(len(index))
        for ahead in range(len(time)):
            after = first + ahead
            near = (after < len(time)) & (time[np.minimum(after, len(time) - 1)] - time[first] <= reach)
            if not near.any():
                break
            now = shown[np.minimum(after, len(time) - 1)]
            away = np.abs(now - before).mean(axis=1)
            within[index[near & (after >= rows[index]) & (away <= _RETURNED * peak)]] = True
            peak = np.maximum(peak, away)
    # Where a flicker begins, motion may have changed the picture before it: half way back is enough to belong to it.
    onset = np.flatnonzero(~within & np.isin(rows + 1, rows[within]) & (rows > 0))
    row = rows[onset]
    away, back = (np.abs(shown[there] - shown[row - 1]).mean(axis=1) for there in (row, row + 1))
    within[onset] = back <= _ONSET * away
    return within


def _once(time: np.ndarray, pictures: np.ndarray, cuts: np.ndarray) -> np.ndarray:
    """Keep the first of two cuts that have nothing between them but black, white, or a blend of their two sides.

    A converted frame rate leaves such a blend; a lost or inserted frame leaves the black.
    """
    import numpy as np

    kept: list[int] = []
    for cut in cuts:
        if kept and time[cut] - time[kept[-1]] <= _STRAY + 1e-6:
            stray = pictures[kept[-1] : cut].astype(np.float64)
            share, rest = blended(stray, pictures[kept[-1] - 1], pictures[cut])
            if (stray.std(axis=1) < PLAIN).all() or ((rest < _MIXED) & (share > 0) & (share < 1)).all():
                continue
        kept.append(int(cut))
    return np.array(kept, dtype=int)
