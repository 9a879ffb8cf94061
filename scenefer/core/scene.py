"""A scene as a record, for code that goes through a film scene by scene."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import pandas as pd


class Scene(NamedTuple):
    """A scene of a film: which it is, and when."""

    id: int  # column "scene" of the tables
    name: str
    start: float  # s
    end: float  # s

    @property
    def middle(self) -> float:
        """Its middle, s."""
        return (self.start + self.end) / 2


def scenes_of(table: pd.DataFrame) -> list[Scene]:
    """List the scenes of a table SCENES, in its order."""
    columns = (table[column].tolist() for column in ("scene", "name", "start", "end"))
    return [Scene(int(scene), str(name), start, end) for scene, name, start, end in zip(*columns, strict=True)]


def names_of(table: pd.DataFrame) -> dict[int, str]:
    """Return the name of every scene of a table SCENES, by its id."""
    return {scene.id: scene.name for scene in scenes_of(table)}
