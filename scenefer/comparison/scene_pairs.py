"""Which scene of another run is the same one: the one of its name, else the one of its time."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import pandas as pd

_LEAST = 0.5  # of the time that two scenes take together, which both must cover to be one


class Pair(NamedTuple):
    """A scene of a run and the same scene of another."""

    scene: int
    other: int
    by_time: bool  # their names differ


def pair_scenes(scenes: pd.DataFrame, others: pd.DataFrame) -> dict[int, Pair]:
    """Pair the scenes of two tables SCENES by name, those left over by time; each is in one pair at most.

    By time, two scenes are one where both cover at least half of what they cover together (the Jaccard index), the
    largest overlap first. If each run has one scene alone, it is the same: takes of one scene differ in length.

    Returns:
        The pairs by scene of the first table, in its order.
    """
    rows, there = (list(_spans(table)) for table in (scenes, others))
    named = {name: scene for scene, name, _, _ in there}
    found = {scene: Pair(scene, named[name], False) for scene, name, _, _ in rows if name in named}
    taken = {pair.other for pair in found.values()}
    if len(rows) == len(there) == 1:
        found.setdefault(rows[0][0], Pair(rows[0][0], there[0][0], True))
        return found
    free = [row for row in rows if row[0] not in found]
    left = [row for row in there if row[0] not in taken]
    close = sorted(
        ((_overlap(one, other), one[0], other[0]) for one in free for other in left),
        key=lambda overlap: (-overlap[0], *overlap[1:]),
    )
    for overlap, scene, other in close:
        if overlap >= _LEAST and scene not in found and other not in taken:
            found[scene] = Pair(scene, other, True)
            taken.add(other)
    return {scene: found[scene] for scene, _, _, _ in rows if scene in found}


def _spans(table: pd.DataFrame) -> list[tuple[int, str, float, float]]:
    return [
        (int(scene), str(name), float(start), float(end))
        for scene, name, start, end in table[["scene", "name", "start", "end"]].itertuples(index=False)
    ]


def _overlap(one: tuple[int, str, float, float], other: tuple[int, str, float, float]) -> float:
    shared = min(one[3], other[3]) - max(one[2], other[2])
    whole = max(one[3], other[3]) - min(one[2], other[2])
    return max(0.0, shared) / whole if whole > 0 else 0.0
