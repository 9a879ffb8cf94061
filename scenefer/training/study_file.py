"""The file of a study: a published table as TOML, with what all rows share and the rows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from scenefer.core import config
from scenefer.core.errors import PlanError
from scenefer.core.settings import bounded, one_of
from scenefer.core.text import did_you_mean
from scenefer.training import recipes
from scenefer.training.recipes import Recipe

FOLDER = config.SHIPPED / "studies"
NOTE = "study"  # in a study's folder, beside those of its rows: its name
_MADE = ("name", "networks", "recipe")  # of what a row of the file states: made into other values


@dataclass(frozen=True)
class Row:
    """A row of a published table."""

    name: str
    recipe: Recipe
    learn: tuple[str, ...]  # names of pictures, see ``study_data``
    test: tuple[str, ...]
    published: dict[str, float] = field(default_factory=dict)  # accuracy by test, 0 to 1
    published_top5: dict[str, float] = field(default_factory=dict)
    begins_with: str = ""  # the row whose weights this one starts from; "" = as its recipe says
    wrong: float = 0.0  # share of the labels that are made wrong before learning
    attention: bool = False  # draw by Grad-CAM where the network looked
    boxes: bool = False  # write each face that is found in whole pictures, a CSV a test


@dataclass(frozen=True)
class Study:
    """A published table."""

    name: str
    title: str
    paper: str
    about: str  # what is to be known to read the table
    kind: str  # networks, or light_distance
    rows: tuple[Row, ...]


def slug(name: str) -> str:
    """Name the folder of a row."""
    return re.sub(r"\W+", "_", name).strip("_")


@dataclass(frozen=True)
class _File:
    """What a study's file may state."""

    title: str = ""
    paper: str = ""
    about: str = ""
    kind: str = one_of("networks", ("networks", "light_distance"))
    recipe: dict[str, Any] = field(default_factory=dict)  # that all rows share
    row: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class _Stated:
    """What a row of the file may state: a row of the study for each of its networks."""

    name: str = ""
    networks: tuple[str, ...] = ()
    learn: tuple[str, ...] = ()
    test: tuple[str, ...] = ()
    recipe: dict[str, Any] = field(default_factory=dict)  # changes what all rows share
    published: dict[str, float] = field(default_factory=dict)
    published_top5: dict[str, float] = field(default_factory=dict)
    begins_with: str = ""
    wrong: float = bounded(0.0, 0.0, 1.0)
    attention: bool = False
    boxes: bool = False


def read(path: Path) -> Study:
    """Read a study.

    Raises:
        PlanError: the file is no TOML, or has a key or a value that nothing can be done with.
    """
    stated = config.changed(_File(), config.read(path), str(path), {"recipe": _section, "row": _sections})
    rows: list[Row] = []
    for number, row in enumerate(stated.row):
        rows += _rows(row, stated.recipe, path, f"{path}, row {number + 1}")
    if stated.kind == "networks" and not rows:
        raise PlanError(f"{path}: says no [[row]]: the networks, the sets that they learn, and those they are tried on")
    folders = {NOTE: NOTE}
    for row in rows:
        folder = slug(row.name).casefold()  # a file system may not tell capitals from small letters
        if not folder or folder in folders:
            why = f"as {folders[folder]!r} does" if folder else "which has no letter and no figure"
            raise PlanError(
                f"{path}: the row {row.name!r} would have the folder {folder!r}, {why}; give it another name"
            )
        folders[folder] = row.name
    for number, row in enumerate(rows):
        _require_beginning(row, rows[:number], path)
    return Study(path.stem, stated.title or path.stem, stated.paper, stated.about, stated.kind, tuple(rows))


def _require_beginning(row: Row, before: list[Row], path: Path) -> None:
    """Refuse a row that begins with what no earlier row of the same network learned."""
    names = [one.name for one in before if one.recipe.network == row.recipe.network]
    if row.begins_with and row.begins_with not in names:
        raise PlanError(
            f"{path}: the row {row.name!r} begins with {row.begins_with!r}, which is no earlier row of its network; "
            + did_you_mean(row.begins_with, names)
        )


def _rows(row: dict[str, Any], shared: dict[str, Any], path: Path, where: str) -> Iterator[Row]:
    """Make the rows of one section of the file: one a network."""
    lists = dict.fromkeys(("networks", "learn", "test"), _names)
    shares = dict.fromkeys(("published", "published_top5"), _shares)
    stated = config.changed(_Stated(), row, where, {"recipe": _section, **lists, **shares})
    for network in stated.networks or ("",):
        recipe = recipes.parse(_merged(shared, stated.recipe | ({"network": network} if network else {}), where), path)
        for key in ("learn", "test"):
            if not getattr(stated, key):
                raise PlanError(f"{where}: says no {key!r}: the sets that it learns from, or is tried on")
        for key in shares:
            for test in getattr(stated, key):
                if test not in stated.test:
                    raise PlanError(f"{where}: {key}: it is not tried on {test!r}; {did_you_mean(test, stated.test)}")
        name = ", ".join(part for part in (network, stated.name) if part) or recipe.network
        given = {entry.name: getattr(stated, entry.name) for entry in fields(stated) if entry.name not in _MADE}
        yield Row(name, recipe, **given)


def _merged(shared: dict[str, Any], changes: dict[str, Any], where: str) -> dict[str, Any]:
    augment = {
        key: value
        for stated in (shared, changes)
        for key, value in _section(stated.get("augment", {}), f"{where}: augment").items()
    }
    return {**shared, **changes, **({"augment": augment} if augment else {})}


def _section(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise PlanError(f"{where} must be a section of keys and values, not {value!r}")
    return value


def _sections(value: Any, where: str) -> tuple[dict[str, Any], ...]:
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise PlanError(f"{where} must be sections, each begun by [[row]], not {value!r}")
    return tuple(value)


def _names(value: Any, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise PlanError(f'{where} must be a list of names, ["fer2013", ...], not {value!r}')
    return tuple(value)


def _shares(value: Any, where: str) -> dict[str, float]:
    if not isinstance(value, dict) or not all(
        type(share) in (int, float) and 0 <= share <= 1 for share in value.values()
    ):
        raise PlanError(f'{where} must be shares from 0 to 1 by test, {{ "fer2013:PrivateTest" = 0.7 }}, not {value!r}')
    return value
