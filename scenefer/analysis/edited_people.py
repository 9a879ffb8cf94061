"""The people of a film while somebody puts them right: renamed, merged, or a track made a person of its own."""

from __future__ import annotations

import numpy as np
import pandas as pd

from scenefer.analysis.edits import Merge, Rename, Split
from scenefer.core import tables
from scenefer.core.text import looked_up, printable


class People:
    """Who is in which track, and what they are called."""

    def __init__(self, tracks: pd.DataFrame) -> None:
        self._tracks = tracks
        rows = tables.rows_of(tracks[["track", "actor", "actor_name"]])
        self._person_of: dict[int, int | None] = {
            row["track"]: None if row["actor"] is None else row["actor"] + 1 for row in rows
        }
        self._names: dict[int, str] = {
            row["actor"] + 1: row["actor_name"] or "" for row in rows if row["actor"] is not None
        }
        self._merged: dict[int, int] = {}
        self._moved: set[int] = set()  # tracks

    def apply(self, edit: Rename | Merge | Split) -> None:
        """Apply a correction.

        Raises:
            ValueError: it does not fit the people as they are by now.
        """
        if not self._names:
            raise ValueError("people are not told apart in this run; analyse the film without --no-identity")
        if isinstance(edit, Rename):
            self._rename(edit)
        elif isinstance(edit, Merge):
            self._merge(edit)
        else:
            self._split(edit)

    def tracks(self) -> pd.DataFrame:
        """Return the table TRACKS; how sure the grouping was of a track that was put elsewhere is not known."""
        people = list(self._person_of.values())
        told = self._tracks.assign(
            actor=pd.array([None if person is None else person - 1 for person in people], dtype="Int64"),
            actor_name=np.array([self._names.get(person or 0) or None for person in people], object),
            actor_confidence=self._tracks["actor_confidence"].mask(self._tracks["track"].isin(list(self._moved))),
        )
        return tables.conform(told, "tracks")

    def _rename(self, edit: Rename) -> None:
        self._require(edit.person)
        same = [one for one, name in self._names.items() if name and looked_up(name) == looked_up(edit.name)]
        if other := next((one for one in same if one != edit.person), None):
            raise ValueError(f"person {other} is called {printable(edit.name)!r} already; merge the two instead")
        self._names[edit.person] = edit.name

    def _merge(self, edit: Merge) -> None:
        self._require(edit.person)
        self._require(edit.into)
        if edit.person == edit.into:
            raise ValueError(f"person {edit.person} cannot be merged into itself")
        for track in self._tracks_of(edit.person):
            self._person_of[track] = edit.into
            self._moved.add(track)
        name = self._names.pop(edit.person)
        self._names[edit.into] = self._names[edit.into] or name
        self._merged[edit.person] = edit.into

    def _split(self, edit: Split) -> None:
        if edit.track not in self._person_of:
            raise ValueError(f"the run has no track {edit.track}; its tracks are numbered 0 to {len(self._tracks) - 1}")
        if edit.person in self._names or edit.person in self._merged:
            raise ValueError(f"person {edit.person} is there already; give the new person another number")
        person = self._person_of[edit.track]
        if person is not None and len(self._tracks_of(person)) == 1:
            raise ValueError(f"track {edit.track} is all there is of person {person}")
        self._person_of[edit.track] = edit.person
        self._names[edit.person] = ""
        self._moved.add(edit.track)

    def _tracks_of(self, person: int) -> list[int]:
        return [track for track, own in self._person_of.items() if own == person]

    def _require(self, person: int) -> None:
        if person in self._names:
            return
        if person in self._merged:
            raise ValueError(f"person {person} was merged into person {self._merged[person]} by an edit before")
        raise ValueError(f"the run has no person {person}; the last one is person {max(self._names)}")
