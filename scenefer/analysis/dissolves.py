"""Detection of dissolves from signatures.

In a dissolve every signature is a blend of the signatures at its ends, x(t) = (1 - a(t)) A + a(t) B with increasing a.
Motion does not blend pictures, so pans and zooms leave a residual that a dissolve does not (the linear model of
Hampapur, Jain & Weymouth, Production model based digital video segmentation, 1995).
"""

from __future__ import annotations

import numpy as np

from scenefer.analysis.transitions import BLACK, PLAIN, Transition, TransitionSettings, blended, correlation

_SHORTEST = 0.16  # seconds: the shortest span that is searched for a blend; each further span is 1.5 times longer
_MIDWAY = 0.15  # maximum residual of a frame midway between two others to be a candidate
_BRIEF = 0.3  # seconds: a dissolve that is at most this long must change faster than its surroundings


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
