"""Detection of wipes and irises from signatures: an edge moves over the picture and reveals another one.

At every moment of a wipe, each position shows one of the two pictures, not a blend as in a dissolve. A position that
has changed does not change back. The two pictures meet at an edge and are not scattered. The shape and direction of the
edge (straight, round or from both sides) do not matter.
"""

from __future__ import annotations

import numpy as np

from scenefer.analysis.transitions import PLAIN, Transition, TransitionSettings, correlation

_SHORTEST = 0.3  # seconds: the shortest span that is searched for a wipe; each further span is 1.4 times longer
_DIFFERS = 16.0  # minimum difference, in grey levels, between the two pictures at an informative position
_PLACES = 0.4  # minimum share of informative positions
_PURE = 0.2  # maximum mean distance of a position from the closer picture, relative to the pictures' distance
_BACK = 0.06  # maximum share of positions that seem to change back
_RAGGED = 0.17  # maximum share of neighbouring positions that are separated by the edge
_STAYS = 0.8  # minimum correlation of the two pictures with those half a span before and after them
_SHARES = (0.1, 0.9)  # limits for the share of changed positions in the middle of the span
_ENDS = (0.04, 0.96)  # shares of changed positions that mark the start and end of a wipe
_MOMENTS = (0.3, 0.4, 0.5, 0.6, 0.7)  # moments to check, as fractions of a span


def find_wipes(
    time: np.ndarray,
    score: np.ndarray,
    pictures: np.ndarray,
    cuts: np.ndarray,
    others: list[Transition],
    settings: TransitionSettings,
) -> list[Transition]:
    """Find the wipes and irises between the cuts; they overlap neither each other nor other transitions."""
    if len(time) < 3:
        return []
    x = pictures.astype(np.float32)
    taken = np.zeros(len(time), dtype=bool)
    for other in others:
        taken[other.before : other.after + 1] = True
    taken[cuts] = True
    busy = np.concatenate([[0], np.cumsum(taken)])
    change = np.concatenate([[0.0], np.cumsum(score)])
    rows = np.arange(len(time))
    found: list[Transition] = []
    n_spans = max(1, 1 + int(np.log(settings.longest * 1.4 / _SHORTEST) / np.log(1.4)))
    # Long spans first, because a part of a wipe also looks like a wipe.
    for span in _SHORTEST * 1.4 ** np.arange(n_spans)[::-1]:
        low = np.searchsorted(time, time - span / 2 - 1e-6)
        high = np.minimum(np.searchsorted(time, time + span / 2 + 1e-6), len(time) - 1)
        free = busy[high + 1] == busy[low + 1]
        whole = time[high] - time[low] >= 0.9 * span
        seeds = rows[free & whole & (high - low >= 4) & (change[high + 1] - change[low + 1] >= settings.threshold)]
        for block in np.array_split(seeds, max(1, len(seeds) // 2048)):
            edges = np.array([0, *cuts, len(time)])
            shot = np.searchsorted(edges, block, side="right")
            for seed in _wiped(x, low[block], high[block], edges[shot - 1], edges[shot] - 1):
                wipe = _ends(x, int(low[block][seed]), int(high[block][seed]))
                if wipe is not None and not taken[wipe.before : wipe.after + 1].any():
                    found.append(wipe)
                    taken[wipe.before : wipe.after + 1] = True
    return _lasting(time, x, sorted(found), settings)


def _lasting(
    time: np.ndarray, x: np.ndarray, wipes: list[Transition], settings: TransitionSettings
) -> list[Transition]:
    """Drop pairs of wipes that cover the picture briefly and uncover it again, such as a bus that passes the camera."""
    kept: list[Transition] = []
    for wipe in wipes:
        soon = kept and time[wipe.before] - time[kept[-1].after] <= settings.longest_void
        if soon and _alike(x[[kept[-1].before]], x[[wipe.after]])[0]:
            kept.pop()
        else:
            kept.append(wipe)
    return kept


def _wiped(x: np.ndarray, low: np.ndarray, high: np.ndarray, first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Find the spans (S,) that are a wipe from their first to their last picture: their indices, the purest first.

    Args:
        low, high: first and last row of each span.
        first, last: first and last row of the shot that contains each span.
    """
    before, after = x[low], x[high]
    apart = np.abs(after - before)
    tells = apart > _DIFFERS
    enough = np.flatnonzero(tells.mean(axis=1) >= _PLACES)
    length = high - low
    stays = _alike(x[np.maximum(low - length // 2, first)], before)
    stays &= _alike(x[np.minimum(high + length // 2, last)], after)
    enough = enough[stays[enough]]
    if not len(enough):
        return enough
    before, after, apart, tells = before[enough], after[enough], apart[enough], tells[enough]
    n_tell = tells.sum(axis=1)
    good = np.ones(len(enough), dtype=bool)
    impure = np.zeros(len(enough))
    changed = np.zeros(tells.shape, dtype=bool)
    share = np.zeros(len(enough))
    for moment in _MOMENTS:
        now = x[low[enough] + np.round(moment * length[enough]).astype(int)]
        nearer = np.minimum(np.abs(now - before), np.abs(now - after))
        impure += (np.where(tells, nearer / np.maximum(apart, 1), 0).sum(axis=1) / n_tell) / len(_MOMENTS)
        done = tells & (np.abs(now - after) < np.abs(now - before))
        good &= (changed & ~done).sum(axis=1) <= _BACK * n_tell
        share_now = done.sum(axis=1) / n_tell
        good &= share_now >= share
        good &= _edge(done, tells) <= _RAGGED
        changed, share = done, share_now
        if moment == 0.5:
            good &= (share >= _SHARES[0]) & (share <= _SHARES[1])
    good &= impure <= _PURE
    kept = np.flatnonzero(good)
    return enough[kept[np.argsort(impure[kept])]]


def _alike(pictures: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Check which pictures (S, 144) show the same as others; plain ones are compared by brightness."""
    return (correlation(pictures, others) >= _STAYS) | (np.abs(pictures - others).mean(axis=1) < PLAIN)


def _edge(done: np.ndarray, tells: np.ndarray) -> np.ndarray:
    """Measure how ragged the edge is: share of informative neighbouring pairs of which only one has changed; (S,)."""
    from scenefer.analysis.frame_features import SIGNATURE_SIZE

    columns, lines = SIGNATURE_SIZE
    done, tells = done.reshape(-1, lines, columns), tells.reshape(-1, lines, columns)
    differ, pairs = np.zeros(len(done)), np.zeros(len(done))
    for a, b in (((slice(None), slice(1, None)), (slice(None), slice(-1))),
                 ((slice(None), slice(None), slice(1, None)), (slice(None), slice(None), slice(-1)))):  # fmt: skip
        both = tells[a] & tells[b]
        pairs += both.sum(axis=(1, 2))
        differ += (both & (done[a] != done[b])).sum(axis=(1, 2))
    return differ / np.maximum(pairs, 1)


def _ends(x: np.ndarray, low: int, high: int) -> Transition | None:
    """Narrow a span to its wipe: from the last complete old picture to the first complete new one."""
    before, after = x[low], x[high]
    tells = np.abs(after - before) > _DIFFERS
    now = x[low : high + 1][:, tells]
    share = (np.abs(now - after[tells]) < np.abs(now - before[tells])).mean(axis=1)
    begin = int(np.flatnonzero(share <= _ENDS[0])[-1]) if (share <= _ENDS[0]).any() else 0
    end = begin + int(np.argmax(share[begin:] >= _ENDS[1]))
    return Transition(low + begin, low + end, "wipe") if end > begin + 2 else None
