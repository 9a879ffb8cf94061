"""Which scene of another run is the same one: the one of its name, else the one of its time."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from scenefer.core.scene import Scene, scenes_of

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
    here, there = scenes_of(scenes), scenes_of(others)
    named = {scene.name: scene.id for scene in there}
    found = {scene.id: Pair(scene.id, named[scene.name], False) for scene in here if scene.name in named}
    taken = {pair.other for pair in found.values()}
    if len(here) == len(there) == 1:
        found.setdefault(here[0].id, Pair(here[0].id, there[0].id, True))
        return found
    free = [scene for scene in here if scene.id not in found]
    left = [scene for scene in there if scene.id not in taken]
    close = sorted(
        ((_overlap(one, other), one.id, other.id) for one in free for other in left),
        key=lambda overlap: (-overlap[0], *overlap[1:]),
    )
    for overlap, scene, other in close:
        if overlap >= _LEAST and scene not in found and other not in taken:
            found[scene] = Pair(scene, other, True)
            taken.add(other)
    return {scene.id: found[scene.id] for scene in here if scene.id in found}


def _overlap(one: Scene, other: Scene) -> float:
    shared = min(one.end, other.end) - max(one.start, other.start)
    whole = max(one.end, other.end) - min(one.start, other.start)
    return max(0.0, shared) / whole if whole > 0 else 0.0
