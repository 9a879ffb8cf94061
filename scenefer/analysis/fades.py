"""Detection of fades through black, white or another plain colour, from signatures.

In a fade the picture appears out of, or disappears into, a plain picture: its distance from the plain one grows, or
falls, from frame to frame, while its shape stays.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from scenefer.analysis.transitions import BLACK, PLAIN, Transition, TransitionSettings, correlation, runs

_RESEMBLES = 0.9  # two pictures whose signatures correlate more show the same
_BLINK = 1.0  # seconds: a fade that is at most this long and returns to the same picture is a flash or a blink
_SHAPE = 0.65  # minimum correlation of a picture with itself during a fade, in which it may move
_FULL = 0.97  # share of its rise at which a fade is complete; the rest may be changing light in the picture


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
    other[cuts[correlation(pictures[cuts - 1], pictures[cuts]) < _RESEMBLES]] = True
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
            back = correlation(pictures[[before]], pictures[[after]])[0] >= _RESEMBLES
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
