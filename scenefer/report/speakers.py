"""Who speaks most of a scene, as far as mouths were measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenefer.core.language import ENGLISH, Language
from scenefer.report import people

if TYPE_CHECKING:
    import pandas as pd

_MOST = 0.5  # of a person's measured time in the scene
_LEAST = 0.5  # of the time that the person is seen there must be measured


def speakers(seen: pd.DataFrame, tracks: pd.DataFrame, language: Language = ENGLISH) -> str:
    """Name the people who speak most of the time that they are seen in a scene; empty where nobody is known to.

    Args:
        seen: the usable faces of a scene: track, weight, actor, actor_name.
        tracks: table TRACKS.
    """
    timed = seen.merge(tracks[["track", "speaking"]], on="track")
    timed = timed.assign(seconds=timed["weight"].where(timed["speaking"].notna(), 0.0))
    timed = timed.assign(spoken=timed["seconds"] * timed["speaking"].fillna(0.0))
    numbers = timed["actor"].fillna(-1).astype("int64")
    names, unknown = [], False
    for actor in sorted(set(numbers)):
        faces = timed.loc[numbers == actor]
        measured = faces["seconds"].sum()
        if measured <= 0 or measured < _LEAST * faces["weight"].sum() or faces["spoken"].sum() < _MOST * measured:
            continue
        if actor == -1:
            unknown = True
        else:
            names.append(people.label(actor, faces["actor_name"].iloc[0], language))
    if names:
        return language.many(
            "{who} speaks most of this scene", "{who} speak most of this scene", len(names), who=", ".join(names)
        )
    return language.say("somebody speaks most of this scene") if unknown else ""
