"""How commands print: results on stdout, everything else on stderr."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

from scenefer.cli import terminal
from scenefer.core.errors import OutputError, PlanError
from scenefer.core.text import printable

out = terminal.Console(width=None if sys.stdout.isatty() else 110)
err = terminal.Console(stderr=True)


def say(text: str) -> None:
    """Print a line on stdout, with unprintable characters escaped."""
    out.print(printable(text), markup=False, highlight=False, soft_wrap=True)


def say_lines(text: str) -> None:
    """Print lines on stdout, each with ``say``."""
    for line in text.splitlines():
        say(line)


def note_lines(text: str) -> None:
    """Print lines on stderr, to keep them apart from the result."""
    for line in text.splitlines():
        err.print(printable(line), markup=False, highlight=False, soft_wrap=True)


def quoted(path: Path) -> str:
    """Quote a path for the shell; a name that is not printable needs bash or zsh."""
    name = str(path)
    if printable(name) == name:
        return shlex.quote(name)
    plain = name.replace("\\", "\\\\").replace("'", "\\'")
    return f"$'{printable(plain)}'"


def complain(text: str) -> None:
    """Print a line on stderr, in the format of a fatal error."""
    err.print(f"scenefer: {printable(text)}", markup=False, highlight=False, soft_wrap=True)


def require_places(*folders: Path) -> None:
    """Check that folders can be created or written, before a film is read for them; create nothing.

    Raises:
        OutputError: one of them, or its nearest existing parent, is not a folder or is not writable.
    """
    for folder in folders:
        above = next(place for place in (folder, *folder.absolute().parents) if place.exists())
        if not above.is_dir() or not os.access(above, os.W_OK | os.X_OK):
            why = "may not be written" if above.is_dir() else "is no folder"
            said = f"{printable(folder)} cannot be written: {printable(above)} {why}"
            raise OutputError(f"{said}; choose another --out or --data")


def require_paths(*paths: Path) -> None:
    """Check that all paths exist.

    Raises:
        PlanError: one of them does not exist.
    """
    for path in paths:
        if not path.exists():
            raise PlanError(f"{path}: there is no such file or folder")


def refuse_both(one: str | bool | None, other: str | bool | None, why: str = "give one of them") -> None:
    """Check that at most one of two options is given; one that is not is empty.

    Raises:
        PlanError: both are given.
    """
    if one and other:
        raise PlanError(f"{one} and {other} exclude each other; {why}")
