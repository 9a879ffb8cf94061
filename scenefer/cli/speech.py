"""What commands say, and where: results on stdout, all else on stderr."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from scenefer import console
from scenefer.errors import OutputError, PlanError, printable

out = console.Console(width=None if sys.stdout.isatty() else 110)
err = console.Console(stderr=True)


def say(text: str) -> None:
    """Print a line, whatever characters are in it."""
    out.print(printable(text), markup=False, highlight=False, soft_wrap=True)


def say_lines(text: str) -> None:
    """Print lines, each as ``say`` does."""
    for line in text.splitlines():
        say(line)


def note_lines(text: str) -> None:
    """Print lines on stderr, beside the result."""
    for line in text.splitlines():
        err.print(printable(line), markup=False, highlight=False, soft_wrap=True)


def complain(text: str) -> None:
    """Print a line on stderr, as an error is printed that ends the program."""
    err.print(f"scenefer: {printable(text)}", markup=False, highlight=False, soft_wrap=True)


def demand_places(*folders: Path) -> None:
    """Refuse folders that cannot be made or written, before a film is read for them; nothing is made.

    Raises:
        OutputError: one of them, or the nearest folder above it that is there, is none or may not be written.
    """
    for folder in folders:
        above = next(place for place in (folder, *folder.absolute().parents) if place.exists())
        if not above.is_dir() or not os.access(above, os.W_OK | os.X_OK):
            why = "may not be written" if above.is_dir() else "is no folder"
            said = f"{printable(folder)} cannot be written: {printable(above)} {why}"
            raise OutputError(f"{said}; choose another --out or --data")


def demand(*paths: Path) -> None:
    """Refuse paths that do not exist.

    Raises:
        PlanError: one of them.
    """
    for path in paths:
        if not path.exists():
            raise PlanError(f"{path}: there is no such file or folder")
