"""Detection of gradual transitions from signatures: dissolves, and fades through black, white or another plain colour.

In a dissolve every signature is a blend of the signatures at its ends, x(t) = (1 - a(t)) A + a(t) B with increasing a.
Motion does not blend pictures, so pans and zooms leave a residual that a dissolve does not (the linear model of
Hampapur, Jain & Weymouth, Production model based digital video segmentation, 1995). In a fade the picture appears out
of, or disappears into, a plain picture.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from scenefer.core.settings import Settings, bounded

BLACK = 24  # maximum luma (0..255) of a black picture, after compression; white is at most as far from 255
PLAIN = 4.0  # a picture whose signature has a smaller standard deviation is plain
RESEMBLES = 0.9  # two pictures whose signatures correlate more show the same

_SHORTEST = 0.16  # seconds: the shortest span that is searched for a blend; each further span is 1.5 times longer
_MIDWAY = 0.15  # maximum residual of a frame midway between two others to be a candidate
_BLINK = 1.0  # seconds: a fade that is at most this long and returns to the same picture is a flash or a blink
_BRIEF = 0.3  # seconds: a dissolve that is at most this long must change faster than its surroundings
_SHAPE = 0.65  # minimum correlation of a picture with itself during a fade, in which it may move
_FULL = 0.97  # share of its rise at which a fade is complete; the rest may be changing light in the picture


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


def find_fades(
    time: np.ndarray, pictures: np.ndarray, cuts: np.ndarray, settings: TransitionSettings
) -> tuple[list[Transition], np.ndarray]:
    """Find fades through black, white or another colour, and return them with the cuts (C,) that are not part of one.

    One of the two sides may be a cut. A fade at the start or end of the film is not a transition. Black that lasts
    longer than ``longest_void`` is a shot between two fades.

    Args:
        time: (T,) seconds of film time.
        pictures: (T, 144) uint8, the signatures of the frames.
        cuts: (C,) rows at which another picture begins.
    """
    plain = pictures.std(axis=1) < PLAIN
    # A step of a fade may have been detected as a cut, but it leads to the same picture.
    other = np.zeros(len(time) + 1, dtype=bool)
    other[cuts[correlation(pictures[cuts - 1], pictures[cuts]) < RESEMBLES]] = True
    found: list[Transition] = []
    for void, first, last, away in _voids(time, pictures, plain, settings):
        before = _arrival(time, away, other[1:], first, -1, settings)
        after = _arrival(time, away, other[:-1], last, 1, settings)
        into, out = before < first - 1, after > last + 1  # if false, that side is a cut
        inside = (cuts > (before if into else last)) & (cuts <= (after if out else first))
        sides = [pictures[before:first]] * into + [pictures[after:last:-1]] * out
        if 0 < void < 255 and not all(map(_keeps_its_shape, sides)):
            continue  # not a fade: fog, a wall or the sky, from which the camera turns away
        if before < 0 or after == len(time):
            cuts = cuts[~inside]
        elif not (into or out) or (void and plain[[before, after]].any()):
            continue  # two cuts; or a plain picture, which counts only for fades through black
        elif time[last] - time[first] > settings.longest_void:
            cuts = cuts[~inside]
            found += [Transition(before, first, "fade")] * into + [Transition(last, after, "fade")] * out
        else:
            cuts = cuts[(cuts <= before) | (cuts > after)]
            back = correlation(pictures[[before]], pictures[[after]])[0] >= RESEMBLES
            if not (back and time[after] - time[before] <= _BLINK):
                found.append(Transition(before, after, "fade"))
    return found, cuts


def _voids(
    time: np.ndarray, pictures: np.ndarray, plain: np.ndarray, settings: TransitionSettings
) -> Iterator[tuple[int, int, int, np.ndarray]]:
    """Yield the runs of plain pictures that a fade may go through: black, then white, then other colours.

    Yields:
        Brightness, first row, last row, and the distance of each picture (T,) from a plain one of that brightness; for
        other colours 0 where a picture is too far away in time to matter.
    """
    level = pictures.mean(axis=1)
    for void in (0, 255):
        away = np.abs(level - void)
        for first, last in runs(plain & (away < BLACK)):
            yield void, first, last, away
    for first, last in runs(plain & (level >= BLACK) & (level <= 255 - BLACK)):
        low = np.searchsorted(time, time[first] - settings.longest - 1)
        high = np.searchsorted(time, time[last] + settings.longest + 1)
        away = np.zeros(len(time))
        void = round(float(np.median(level[first : last + 1])))
        away[low:high] = np.abs(pictures[low:high].astype(np.float32) - void).mean(axis=1)
        yield void, first, last, away


def _keeps_its_shape(pictures: np.ndarray) -> bool:
    """Check whether pictures (K, 144), the first of which is complete, only lose contrast, as in a fade."""
    steps = pictures[pictures.std(axis=1) >= PLAIN].astype(np.float64)
    if len(steps) < 3:
        return False
    return bool(correlation(steps, np.broadcast_to(steps[:1], steps.shape)).min() >= _SHAPE)


def runs(mask: np.ndarray) -> list[tuple[int, int]]:
    """Return the first and last rows of all runs of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    return [(int(a), int(b) - 1) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _arrival(
    time: np.ndarray, away: np.ndarray, other: np.ndarray, start: int, direction: int, settings: TransitionSettings
) -> int:
    """Follow a fade from the plain picture at row ``start`` to the row where the other picture is complete.

    Args:
        away: (T,) distance of each frame from the plain picture.
        other: (T,) true where, coming from the plain picture, a different picture begins.
        direction: 1 to follow forwards in time, -1 backwards.

    Returns:
        The row; for an abrupt change, the neighbour of ``start``, which may be outside the film.
    """
    end = start
    while True:
        ahead = end + direction * np.array([1, 2])  # also the second next, because frames may be repeated
        ahead = ahead[(ahead >= 0) & (ahead < len(away))]
        rising = ahead[away[ahead] > away[end] + 0.1]
        if not len(rising) or abs(time[rising[0]] - time[start]) > settings.longest:
            break
        if away[end] > BLACK and other[ahead].any():
            break
        end = int(rising[0])
    path = away[start : end + 1] if direction > 0 else away[end : start + 1][::-1]
    rise = path - path[0]
    if len(path) < 4 or rise[-1] < settings.difference or np.diff(rise).max() > rise[-1] / 2:
        return start + direction
    return start + direction * int(np.argmax(rise >= _FULL * rise[-1]))


def find_dissolves(
    time: np.ndarray,
    score: np.ndarray,
    pictures: np.ndarray,
    cuts: np.ndarray,
    fades: list[Transition],
    settings: TransitionSettings,
) -> list[Transition]:
    """Find the dissolves between the cuts; they overlap neither each other nor fades.

    Args:
        time: (T,) seconds of film time.
        score: (T,) 0 to 1, ``cut_score`` of the frames.
        pictures: (T, 144) uint8, the signatures of the frames.
        cuts: (C,) rows at which another picture begins.
    """
    x = pictures.astype(np.float32)
    taken = np.zeros(len(time), dtype=bool)
    for fade in fades:
        taken[fade.before + 1 : fade.after] = True
    claimed = taken.copy()
    change = np.concatenate([[0.0], np.cumsum(score)])
    centres, lows, highs, merits = _seeds(time, x, change, cuts, settings)
    edges = np.array([0, *cuts, len(time)])
    shots = np.searchsorted(edges, centres, side="right") - 1
    found: list[Transition] = []
    for k in np.argsort(-merits, kind="stable"):
        if taken[centres[k]]:
            continue
        low, high = int(lows[k]), int(highs[k])
        looked = (high - low) // 4
        taken[centres[k] - looked : centres[k] + looked + 1] = True  # do not test neighbouring seeds again
        first, last = int(edges[shots[k]]), int(edges[shots[k] + 1]) - 1
        blend = _fit(time, x, low, high, first, last)
        if (
            not claimed[blend.before + 1 : blend.after].any()
            and (lasting := time[blend.after] - time[blend.before]) <= settings.longest
            and change[blend.after + 1] - change[blend.before + 1] >= settings.threshold
            and _dissolves_into(x[blend.before : blend.after + 1], settings)
            and (lasting > _BRIEF or _is_sudden(x[first : last + 1], blend.before - first, blend.after - first))
        ):
            found.append(blend)
            taken[blend.before : blend.after + 1] = claimed[blend.before + 1 : blend.after] = True
    return found


def _dissolves_into(x: np.ndarray, settings: TransitionSettings) -> bool:
    """Check whether pictures (K, 144) blend from the first to the last one, and these two differ."""
    before, after = x[0], x[-1]
    lit = np.maximum(before, after) > BLACK  # bars are the same in every picture
    if not lit.any() or min(before.std(), after.std()) < PLAIN:
        return False
    if np.sqrt(np.mean((after - before)[lit] ** 2)) < settings.difference:
        return False
    share, rest = blended(x, before, after)
    # If the ends are similar, a slow pan resembles a blend, so the blend must fit better.
    unlike = 1 - correlation(before[None, lit], after[None, lit])[0]
    steps = np.diff(share)
    if rest.mean() > settings.residual * min(1, unlike) or steps.max() > 0.5 or steps.min() < -0.1:
        return False
    # A blend has less contrast than its two pictures; a pan over a soft picture keeps its contrast (Alattar, 1993).
    share = share.clip(0, 1)[:, None]
    blends = (1 - share) * before + share * after
    kept = ((1 - share) * before.std() + share * after.std()).mean()
    return bool(x.std(axis=1).mean() <= (blends.std(axis=1).mean() + 3 * kept) / 4)


def _is_sudden(x: np.ndarray, before: int, after: int) -> bool:
    """Check whether pictures (K, 144) change at least twice as fast between two rows as on the calmer side of these.

    Without this check, a few frames of steady motion would fit a blend as well as a brief dissolve does.
    """
    far = max(2, (after - before) // 2)
    paces = [
        float(np.linalg.norm(x[b] - x[a])) / max(b - a, 1)
        for a, b in ((before, after), (max(before - far, 0), before), (after, min(after + far, len(x) - 1)))
    ]
    return paces[0] >= 2 * min(paces[1:])


def _seeds(
    time: np.ndarray, x: np.ndarray, change: np.ndarray, cuts: np.ndarray, settings: TransitionSettings
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Find frames that blend an earlier and a later, different frame: rows (frame, earlier, later), and a merit."""
    found = []
    rows = np.arange(len(time))
    shot = np.searchsorted(cuts, rows, side="right")
    n_spans = max(1, 1 + int(np.log(settings.longest / _SHORTEST) / np.log(1.5)))
    for span in _SHORTEST * 1.5 ** np.arange(n_spans):
        low = np.searchsorted(time, time - span / 2 - 1e-6)
        high = np.searchsorted(time, time + span / 2 + 1e-6, side="right") - 1
        for block in np.array_split(rows, max(1, len(rows) // 4096)):
            enough = change[high[block] + 1] - change[low[block] + 1] >= settings.threshold / 2
            one_shot = shot[low[block]] == shot[high[block]]
            here = block[(low[block] < block) & (block < high[block]) & enough & one_shot]
            chord = x[high[here]] - x[low[here]]
            length = np.einsum("ij,ij->i", chord, chord)
            far = length >= x.shape[1] * settings.difference**2
            here, chord, length = here[far], chord[far], length[far]
            offset = x[here] - x[low[here]]
            share = np.einsum("ij,ij->i", offset, chord) / length
            rest = np.einsum("ij,ij->i", offset, offset) / length - share**2
            good = (np.abs(share - 0.5) <= 0.3) & (rest <= _MIDWAY**2)
            here, rest, length = here[good], rest[good], length[good]
            merit = np.sqrt(length) * (1 - np.sqrt(np.maximum(rest, 0)) / _MIDWAY)
            found.append((here, low[here], high[here], merit))
    return tuple(np.concatenate(column) for column in zip(*found, strict=True))  # type: ignore[return-value]


def _fit(time: np.ndarray, x: np.ndarray, low: int, high: int, first: int, last: int) -> Transition:
    """Extend a seed to the whole transition, by fitting a ramp between two levels.

    The ramp is fitted to the projections of the pictures on the direction from frame ``low`` to frame ``high``. Frames
    before ``first`` and after ``last`` belong to other shots.
    """
    margin = max(high - low, 4)
    left, right = max(low - margin, first), min(high + margin, last)
    rows = np.arange(left, right + 1)
    way = x[rows] @ (x[high] - x[low])
    way -= way.mean()
    middle = (low + high) // 2
    step = max(1, (right - left) // 40)
    begins, ends = np.arange(left, middle + 1, step), np.arange(middle + 1, right + 1, step)
    while True:
        begin, end = (grid.ravel() for grid in np.meshgrid(begins, ends))
        ramp = np.clip((time[rows] - time[begin, None]) / (time[end] - time[begin])[:, None], 0, 1)
        ramp -= ramp.mean(axis=1, keepdims=True)
        explained = (ramp @ way) ** 2 / np.maximum(np.einsum("ij,ij->i", ramp, ramp), 1e-9)
        best = int(np.argmax(explained))
        if step == 1:
            return Transition(int(begin[best]), int(end[best]), "dissolve")
        begins = np.arange(max(begin[best] - step + 1, left), min(begin[best] + step, middle + 1))
        ends = np.arange(max(end[best] - step + 1, middle + 1), min(end[best] + step, right + 1))
        step = 1


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
