"""Shot detection from the stored scores; it needs no pixels, so settings can be changed without decoding again.

A hard cut is a cut score that stands out from its neighbourhood. The neighbourhood is measured in seconds of film time,
so variable frame rates and repeated frames need no special case.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scenefer.analysis.dissolves import find_dissolves
from scenefer.analysis.fades import find_fades
from scenefer.analysis.transitions import PLAIN, Transition, TransitionSettings, blended, runs
from scenefer.analysis.wipes import find_wipes
from scenefer.core import tables

if TYPE_CHECKING:
    import pandas as pd

_RETURNED = 0.45  # after a flash the picture is back if its distance from before is at most this share of the flash's
_BRIGHTNESS = 0.9  # share of its mean brightness that is subtracted from a picture for that comparison
_ONSET = 0.7  # as _RETURNED, but for the first picture of a flicker
_REPEATED = 0.01  # maximum cut_score of a frame that repeats the previous one
_LONGEST_HOLD = 0.34  # seconds; a picture that is repeated for longer is a still
_PACED = 4  # minimum number of consecutive pictures, held for about the same time, that form a regular pace
_SLOW = 0.09  # seconds; with more time between new pictures, motion changes them about as much as a cut
_MOTION = 0.5  # cut_score that motion between such pictures rarely reaches
_SLOW_THRESHOLD = 0.3  # minimum cut_score of a cut at a slow pace
_SLOW_ODDS = 1.9  # minimum odds of a cut's score at a slow pace, as a multiple of the odds of the scores around it
_STRAY = 0.1  # seconds; two cuts within this time may be the same cut
_MIXED = 0.3  # maximum residual of a single frame that is a blend of its two neighbours


@dataclass(frozen=True)
class ShotSettings(TransitionSettings):
    """What counts as a cut; ``threshold`` is also the minimum cut_score of a cut."""

    contrast: float = 2.75  # minimum score of a cut, as a multiple of the scores around it
    neighbourhood: float = 0.13  # seconds before and after that are "around" a cut; at least three frames
    flash: float = 0.2  # seconds; if the picture returns within this time, it was a flash or a passing object


def find_shots(frames: pd.DataFrame, settings: ShotSettings = ShotSettings()) -> pd.DataFrame:
    """Divide a film into shots, at abrupt or gradual changes to another picture.

    A flash, a flicker, or an object that passes the camera is not a cut, because the picture returns.

    Args:
        frames: table FRAMES, ordered by time; only time, cut_score and signature are read.

    Returns:
        Table SHOTS; the spans are half-open and together cover the film, the last frame's duration included.
    """
    if not len(frames):
        return tables.empty("shots")
    time = frames["time"].to_numpy()
    pictures = np.frombuffer(b"".join(frames["signature"]), np.uint8).reshape(len(time), -1)
    score = frames["cut_score"].to_numpy(dtype=np.float64, na_value=0.0)
    # Assume that the last frame lasts as long as the others, and that a film with one frame runs at 25 a second.
    step = float(np.median(np.diff(time))) if len(time) > 1 else 0.04
    new = _new_pictures(time, score)
    cuts, gradual = _changes(time[new], score[new], pictures[new], settings)
    return _table(time, new[cuts], [Transition(int(new[a]), int(new[b]), kind) for a, b, kind in gradual], step)


def _changes(
    time: np.ndarray, score: np.ndarray, pictures: np.ndarray, settings: ShotSettings
) -> tuple[np.ndarray, list[Transition]]:
    """Find the first rows after hard cuts, and the gradual transitions; repeated pictures must already be removed."""
    cuts = _hard_cuts(time, score, pictures, settings)
    gradual: list[Transition] = []
    if settings.longest:
        gradual, cuts = find_fades(time, pictures, cuts, settings)
        gradual += find_dissolves(time, score, pictures, cuts, gradual, settings)
        gradual += find_wipes(time, score, pictures, cuts, gradual, settings)
    return cuts, gradual


def one_a_frame(frames: pd.DataFrame, seconds: float = 1.0) -> pd.DataFrame:
    """Make every frame a separate shot of at most ``seconds``, for the pictures of a folder of stills.

    An unreadable picture leaves a gap.
    """
    if not len(frames):
        return tables.empty("shots")
    shots = _table(frames["time"].to_numpy(), np.arange(1, len(frames)), [], seconds)
    return shots.assign(end=np.minimum(shots["end"], shots["start"] + seconds))


def length_of(shots: pd.DataFrame) -> float:
    """Return how many seconds of film time were read; ``shots`` is table SHOTS."""
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


def inside_transition(time: np.ndarray, shots: pd.DataFrame) -> np.ndarray:
    """Check which times (T,), in seconds, are inside a gradual transition: (T,) bool."""
    inside = np.zeros(len(time), bool)
    gradual = shots.dropna(subset=["transition_start", "transition_end"])
    for start, end in zip(gradual["transition_start"], gradual["transition_end"], strict=True):
        inside |= (time >= start) & (time < end)
    return inside


def _hard_cuts(time: np.ndarray, score: np.ndarray, pictures: np.ndarray, settings: ShotSettings) -> np.ndarray:
    """Find the first rows after hard cuts: (C,) int, sorted."""
    high = np.flatnonzero(score >= settings.threshold)
    steady = score.copy()
    steady[high[_returning(time, pictures, high, settings.flash)]] = 0.0  # a flicker must not hide a cut next to it
    around = _activity(time, steady, settings.neighbourhood, 3, float("inf"))
    # Films of 12 pictures a second shown at 24 repeat every frame, and the repeats hide the amount of motion.
    fresh = np.flatnonzero(steady > _REPEATED)
    around[fresh] = np.maximum(around[fresh], _activity(time[fresh], steady[fresh], 0.0, 2, settings.flash))
    return _once(time, pictures, np.flatnonzero(_stands_out(time, steady, around, settings)))


def _new_pictures(time: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Drop repeated frames in parts of a film where new pictures come at a slow, regular pace.

    Returns:
        The remaining rows (N,) int, sorted; where pictures are repeated for other reasons, all rows remain.
    """
    first = np.flatnonzero(np.concatenate([[True], score[1:] > _REPEATED]))
    gaps = np.diff(np.append(first, len(time)))
    lasting = np.diff(np.append(time[first], time[-1]))
    # A pace is regular: eight pictures in 25 frames give gaps of 3, 3, 3, 3, 3, 3, 3 and 4.
    alike = (np.abs(np.diff(gaps)) <= 1) & (lasting[1:] <= _LONGEST_HOLD) & (lasting[:-1] <= _LONGEST_HOLD)
    paced = np.zeros(len(gaps), dtype=bool)
    for begin, end in runs(alike):
        paced[begin : end + 2] = end + 2 - begin >= _PACED
    paced &= _mean_of_five(lasting) > _SLOW
    # Shots of a few frames each can have such a pace too, but their scores are higher, since everything changes.
    paced &= np.median(np.lib.stride_tricks.sliding_window_view(np.pad(score[first], 2, "edge"), 5), axis=1) < _MOTION
    return np.flatnonzero(np.repeat(~paced, gaps) | np.isin(np.arange(len(time)), first))


def _mean_of_five(values: np.ndarray) -> np.ndarray:
    """Average each value (N,) with the two before and the two after it; edge values are repeated."""
    return np.convolve(np.pad(values, 2, "edge"), np.ones(5) / 5, "valid")


def _stands_out(time: np.ndarray, score: np.ndarray, around: np.ndarray, settings: ShotSettings) -> np.ndarray:
    """Decide which scores (T,) are cuts, by comparing them with the usual scores ``around`` them."""
    usual = (score >= settings.threshold) & (score >= settings.contrast * around)
    # At eight pictures a second there is so much motion that scores are close to 1; odds separate them better.
    odds = score * (1 - around) >= _SLOW_ODDS * around * (1 - score)
    pace = _mean_of_five(np.diff(time, append=time[-1]))
    slow = (pace > _SLOW) & (pace <= _LONGEST_HOLD)
    cut = np.where(slow, (score >= _SLOW_THRESHOLD) & odds, usual)
    # A shot cannot be a single picture at this pace: of two cuts in a row, the second is motion.
    cut[1:] &= ~(slow[1:] & cut[:-1])
    return cut


def _activity(time: np.ndarray, score: np.ndarray, reach: float, least: int, longest: float) -> np.ndarray:
    """Compute the usual score around each frame: the second largest score before or after it, whichever is larger.

    The largest score is ignored, because it may be the cut at the other end of a short shot.

    Args:
        reach: seconds before and after.
        least: number of frames before and after that count even beyond ``reach``, up to ``longest`` seconds.
    """
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
    """Check which rows are in a flash: the picture just before it returns after at most ``flash`` seconds."""
    # Subtract most of the brightness: otherwise a black frame is so far from all others that any picture after it would
    # seem to return.
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
    # At the start of a flicker, motion may have changed the picture before it, so a partial return (_ONSET) is enough.
    onset = np.flatnonzero(~within & np.isin(rows + 1, rows[within]) & (rows > 0))
    row = rows[onset]
    away, back = (np.abs(shown[there] - shown[row - 1]).mean(axis=1) for there in (row, row + 1))
    within[onset] = back <= _ONSET * away
    return within


def _once(time: np.ndarray, pictures: np.ndarray, cuts: np.ndarray) -> np.ndarray:
    """Merge two cuts into the first if there are only plain pictures or blends of both sides between them.

    Frame rate conversion produces such blends; lost or inserted frames produce black ones.
    """
    kept: list[int] = []
    for cut in cuts:
        if kept and time[cut] - time[kept[-1]] <= _STRAY + 1e-6:
            stray = pictures[kept[-1] : cut].astype(np.float64)
            share, rest = blended(stray, pictures[kept[-1] - 1], pictures[cut])
            if (stray.std(axis=1) < PLAIN).all() or ((rest < _MIXED) & (share > 0) & (share < 1)).all():
                continue
        kept.append(int(cut))
    return np.array(kept, dtype=int)
