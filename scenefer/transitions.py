"""Gradual transitions, found by arithmetic on signatures: dissolves, and fades through black or white.

A dissolve is a span over which every signature is a blend of the signatures at its ends, x(t) = (1 - a(t)) A + a(t) B
with a rising: motion does not blend, it moves, so pans and zooms leave a residual that a dissolve does not (the linear
model of Hampapur, Jain & Weymouth, Production model based digital video segmentation, 1995). A fade is a rise or fall
of brightness out of or into a plain black or white picture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np

    from scenefer.shots import ShotSettings

BLACK = 24  # luma (0..255) up to which a picture may be black, after compression; as far from 255 it may be white
PLAIN = 4.0  # standard deviation of a signature below which the picture shows nothing
RESEMBLES = 0.9  # correlation of signatures above which two pictures are views of the same

_SHORTEST = 0.16  # seconds: the shortest span over which a blend is looked for; the others are 1.5 times the last
_MIDWAY = 0.15  # residual of a frame midway between two others up to which it is worth a closer look
_BLINK = 1.0  # seconds: a fade that is no longer and leads back to the same picture is a flash or a blink
_BRIEF = 0.3  # seconds: a dissolve that is no longer has to be quicker than what is around it
_FULL = 0.97  # share of its rise at which a fade has arrived; the rest may be the picture's own light


class Transition(NamedTuple):
    """A gradual transition, by rows of the table frames."""

    before: int  # last frame of the picture before
    after: int  # first frame of the picture after
    kind: str  # dissolve or fade


def find_fades(
    time: np.ndarray, pictures: np.ndarray, cuts: np.ndarray, settings: ShotSettings
) -> tuple[list[Transition], np.ndarray]:
    """Find fades through black or white, and which of the cuts (C,) are no part of one.

    One of the two sides may be a cut. Black at the begin or the end of the film is a fade to or from nothing: no
    transition. Black that lasts is a shot between two fades.
    """
    import numpy as np

    level, plain = pictures.mean(axis=1), pictures.std(axis=1) < PLAIN
    # A step of a fade may pass for a cut, but it leads to the same picture.
    other = np.zeros(len(time) + 1, dtype=bool)
    other[cuts[correlation(pictures[cuts - 1], pictures[cuts]) < RESEMBLES]] = True
    found: list[Transition] = []
    for void in (0, 255):
        away = np.abs(level - void)
        for first, last in _runs(plain & (away < BLACK)):
            before = _arrival(time, away, other[1:], first, -1, settings)
            after = _arrival(time, away, other[:-1], last, 1, settings)
            into, out = before < first - 1, after > last + 1  # else that side is a cut
            inside = (cuts > (before if into else last)) & (cuts <= (after if out else first))
            if before < 0 or after == len(time):
                cuts = cuts[~inside]
            elif not (into or out) or (void and plain[[before, after]].any()):
                continue  # two cuts; or a plain picture, which fades through black, not through white
            elif time[last] - time[first] > settings.longest_void:
                cuts = cuts[~inside]
                found += [Transition(before, first, "fade")] * into + [Transition(last, after, "fade")] * out
            else:
                cuts = cuts[(cuts <= before) | (cuts > after)]
                back = correlation(pictures[[before]], pictures[[after]])[0] >= RESEMBLES
                if not (back and time[after] - time[before] <= _BLINK):
                    found.append(Transition(before, after, "fade"))
    return found, cuts


def _runs(mask: np.ndarray) -> list[tuple[int, int]]:
    """List the first and last rows of the runs of true values."""
    import numpy as np

    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    return [(int(a), int(b) - 1) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _arrival(
    time: np.ndarray, away: np.ndarray, other: np.ndarray, start: int, direction: int, settings: ShotSettings
) -> int:
    """Follow brightness from the void at row ``start`` to the row at which the picture has wholly come.

    Args:
        away: (T,) distance of each frame's brightness from the void's.
        other: (T,) true where, coming from the void, another picture begins.

    Returns:
        The neighbour of ``start`` where the picture comes or goes at once; it may lie outside of the film.
    """
    import numpy as np

    end = start
    while True:
        ahead = end + direction * np.array([1, 2])  # the second, because frames may be repeated
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
    settings: ShotSettings,
) -> list[Transition]:
    """Find the dissolves between the cuts; none overlaps another or a fade."""
    import numpy as np

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
        taken[centres[k] - looked : centres[k] + looked + 1] = True  # one look at a place is enough
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


def _dissolves_into(x: np.ndarray, settings: ShotSettings) -> bool:
    """Tell whether pictures (K, 144) lead from their first to their last by blending, and these are two pictures."""
    import numpy as np

    before, after = x[0], x[-1]
    lit = np.maximum(before, after) > BLACK  # bars are the same in every picture
    if not lit.any() or min(before.std(), after.std()) < PLAIN:
        return False
    if np.sqrt(np.mean((after - before)[lit] ** 2)) < settings.difference:
        return False
    share, rest = blended(x, before, after)
    # The more alike the ends, the more a slow pan resembles a blend of them, and the better the blend has to fit.
    unlike = 1 - correlation(before[None, lit], after[None, lit])[0]
    steps = np.diff(share)
    if rest.mean() > settings.residual * min(1, unlike) or steps.max() > 0.5 or steps.min() < -0.1:
        return False
    # A blend of two pictures has less contrast than they have; a pan over a soft picture keeps it (Alattar, 1993).
    share = share.clip(0, 1)[:, None]
    blends = (1 - share) * before + share * after
    kept = ((1 - share) * before.std() + share * after.std()).mean()
    return bool(x.std(axis=1).mean() <= (blends.std(axis=1).mean() + 3 * kept) / 4)


def _is_sudden(x: np.ndarray, before: int, after: int) -> bool:
    """Tell whether pictures (K, 144) change twice as fast between two rows as on the quieter side of them.

    A few frames of steady motion are as good a blend as a brief dissolve.
    """
    import numpy as np

    far = max(2, (after - before) // 2)
    paces = [
        float(np.linalg.norm(x[b] - x[a])) / max(b - a, 1)
        for a, b in ((before, after), (max(before - far, 0), before), (after, min(after + far, len(x) - 1)))
    ]
    return paces[0] >= 2 * min(paces[1:])


def _seeds(
    time: np.ndarray, x: np.ndarray, change: np.ndarray, cuts: np.ndarray, settings: ShotSettings
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Find frames that are a blend of a frame before and one after, which differ: rows of the three, and a merit."""
    import numpy as np

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
    """Widen a seed to the whole transition: the ramp between two levels that fits the way from one end to the other.

    The way is what a picture has of the direction from frame ``low`` to frame ``high``; frames beyond ``first`` and
    ``last`` belong to other shots.
    """
    import numpy as np

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
    """Correlate signatures, row by row (K, 144): (K,), 0 where one of the two is plain."""
    import numpy as np

    a = pictures - pictures.mean(axis=-1, keepdims=True)
    b = others - others.mean(axis=-1, keepdims=True)
    return (a * b).sum(axis=-1) / np.maximum(np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1), a.shape[-1])


def blended(pictures: np.ndarray, before: np.ndarray, after: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fit pictures (K, 144) by (1 - a) before + a after: a (K,), and the residual (K,), in distances of the two."""
    import numpy as np

    chord = after.astype(np.float64) - before
    length = max(float(np.linalg.norm(chord)), 1e-9)
    share = (pictures - before.astype(np.float64)) @ chord / length**2
    rest = np.linalg.norm(pictures - before - share[:, None] * chord, axis=1) / length
    return share, rest
