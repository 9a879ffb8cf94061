"""Settings from TOML: find a file by path or name, read it, and fill frozen dataclasses; defaults define the types."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from scenefer.core.errors import PlanError
from scenefer.core.settings import checked
from scenefer.core.text import did_you_mean

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Settings = TypeVar("Settings", bound="DataclassInstance")

_PACKAGE = Path(str(files("scenefer")))
# A wheel has the plans inside the package; a checkout has them next to it, where users look for them.
SHIPPED = next(
    (place for place in (_PACKAGE / "pipelines", _PACKAGE.parent / "pipelines") if place.is_dir()), Path("pipelines")
)


def find(name: str | os.PathLike[str], folder: Path, what: str) -> Path:
    """Find a TOML file by its path or, if it ships with scenefer, by its bare name.

    Args:
        folder: where the shipped files are: ``SHIPPED`` or a folder inside it.
        what: the kind of file, for the error message.

    Raises:
        PlanError: no such file exists; the message lists the shipped ones.
    """
    if Path(name).is_file():
        return Path(name)
    shipped = {path.stem: path for path in folder.glob("*.toml")}
    if str(name) in shipped:
        return shipped[str(name)]
    raise PlanError(f"there is no {what} {str(name)!r}; give a TOML file or one of: {', '.join(sorted(shipped))}")


def read(path: Path) -> dict[str, Any]:
    """Read a TOML file.

    Raises:
        PlanError: the file is missing or is not valid TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))  # Notepad writes a byte order mark
    except (OSError, ValueError, RecursionError) as error:  # ValueError: no UTF-8, no TOML, thousands of digits
        raise PlanError(f"{path} cannot be read as TOML: {error}") from error


def changed(
    settings: Settings, stated: Mapping[str, Any], where: str, parsers: Mapping[str, Callable[[Any, str], Any]] = {}
) -> Settings:
    """Return a copy of ``settings`` in which the stated keys have their stated values.

    Args:
        settings: a dataclass.
        stated: keys and values, as a file states them.
        where: name of the file, for error messages.
        parsers: by key, functions that parse values which are neither numbers nor plain strings.

    Raises:
        PlanError: a key is unknown, or a value has another type than its default or is out of bounds.
    """
    known = {entry.name: entry for entry in fields(settings)}
    values: dict[str, Any] = {}
    for key, value in stated.items():
        if key not in known:
            raise PlanError(f"{where}: unknown key {key!r}; {did_you_mean(key, known)}")
        if key in parsers:
            values[key] = parsers[key](value, f"{where}: {key}")
        else:
            values[key] = checked(value, getattr(settings, key), known[key], f"{where}: ")
    return replace(settings, **values)
