"""Which films a library has: folders, patterns and lists become paths, and each has a name that all machines share."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from scenefer.errors import PlanError
from scenefer.finding import films_in


class Found(NamedTuple):
    """A file of the library, and its name within it, which is the same on every machine that has the library."""

    path: Path
    name: str


def find_films(places: Sequence[Path], input_list: Path | None = None) -> list[Found]:
    """Find the films of a library, each real file once; see ``finding.films_in``.

    Args:
        places: files, folders, and patterns of names.
        input_list: a file with a path a line (or separated by NUL), "-" for standard input.

    Raises:
        PlanError: a place does not exist, a pattern fits nothing, or the list cannot be read.
    """
    named = [*places, *(_listed(input_list) if input_list else ())]
    folders = [os.path.join(place, "") for place in map(os.fspath, named)]
    found = []
    for path in films_in(named):
        text = os.fspath(path)
        inside = next((folder for folder in folders if text.startswith(folder)), None)
        found.append(Found(path, text.removeprefix(inside) if inside else path.name))
    return found


def shard(found: Sequence[Found], text: str) -> list[Found]:
    """Take the i-th of n parts of a library, ``text`` being "i/n"; a film's part depends on its name alone.

    Raises:
        PlanError: the text is not so.
    """
    part, _, parts = text.partition("/")
    if not (part.isdecimal() and parts.isdecimal() and 1 <= int(part) <= int(parts)):
        raise PlanError(f"--shard {text!r} must be i/n, 1/4 to 4/4 say")
    return [film for film in found if _number(film.name) % int(parts) == int(part) - 1]


def _listed(file: Path) -> list[Path]:
    try:
        content = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise PlanError(f"{file} cannot be read: {error.strerror}") from error
    lines = content.split(b"\0") if b"\0" in content else content.splitlines()
    return [Path(os.fsdecode(line)) for line in lines if line.strip()]


def _number(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest()[:8])
