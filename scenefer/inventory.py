"""Which films a library has: folders, patterns and lists become paths, each real file once."""

from __future__ import annotations

import glob
import hashlib
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from scenefer.errors import PlanError, printable

# What files of film are called; a file that is named itself is read whatever it is called.
SUFFIXES = frozenset(
    (".3g2", ".3gp", ".asf", ".avi", ".divx", ".dv", ".f4v", ".flv", ".gif", ".gxf", ".h264", ".h265", ".hevc", ".ivf",
     ".m1v", ".m2p", ".m2t", ".m2ts", ".m2v", ".m4v", ".mjpeg", ".mjpg", ".mkv", ".mod", ".mov", ".mp4", ".mpe",
     ".mpeg", ".mpg", ".mpv", ".mts", ".mxf", ".nsv", ".nut", ".obu", ".ogm", ".ogv", ".qt", ".rm", ".rmvb", ".swf",
     ".tod", ".ts", ".vob", ".vro", ".webm", ".wmv", ".wtv", ".y4m")
)  # fmt: skip
_WILD = frozenset("*?[")


class Found(NamedTuple):
    """A file of the library, and its name within it, which is the same on every machine that has the library."""

    path: Path
    name: str


def find_films(
    places: Sequence[Path], input_list: Path | None = None, leave_out: Iterable[Path] = ()
) -> tuple[list[Found], list[str]]:
    """Find the films of a library.

    Folders are searched to their ends, for files named like films; links are followed, circles of them cut. What begins
    with a dot is left out. A file that is named itself is taken whatever its name; so is a folder of stills.

    Args:
        places: files, folders, and patterns with ``*``, ``?``, ``[…]`` and ``**``.
        input_list: a file with a path a line (or separated by NUL), "-" for standard input.
        leave_out: folders that are not searched: those of the reports and of the cache.

    Returns:
        The films in order of their names, and notes on folders that could not be searched.

    Raises:
        PlanError: a place does not exist, a pattern fits nothing, or the list cannot be read.
    """
    named = [*places, *(_listed(input_list) if input_list else ())]
    left_out = {_identity(folder) for folder in leave_out}
    notes: list[str] = []
    found: list[Found] = []
    seen: set[object] = set()
    for place in named:
        for path in _expanded(place):
            inside = [Found(path, path.name)] if not path.is_dir() else list(_inside(path, left_out, notes))
            if path.is_dir() and not inside and _holds_pictures(path):
                inside = [Found(path, path.name)]  # a folder of stills
            for film in inside:
                identity = _identity(film.path)
                if identity not in seen:
                    seen.add(identity)
                    found.append(film)
    return found, notes


def shard(found: Sequence[Found], text: str) -> list[Found]:
    """Take the i-th of n parts of a library, ``text`` being "i/n"; a film's part depends on its name alone.

    Raises:
        PlanError: the text is not so.
    """
    part, _, parts = text.partition("/")
    if not (part.isdecimal() and parts.isdecimal() and 1 <= int(part) <= int(parts)):
        raise PlanError(f"--shard {text!r} must be i/n, 1/4 to 4/4 say")
    return [film for film in found if _number(film.name) % int(parts) == int(part) - 1]


def match_sheets(found: Sequence[Found], folder: Path | None) -> tuple[dict[Path, Path], list[str]]:
    """Find each film's sheet in a folder: named as the film, with .csv for its suffix.

    Returns:
        Sheets by film, and notes on sheets that fit none.

    Raises:
        PlanError: there is no such folder.
    """
    if folder is None:
        return {}, []
    if not folder.is_dir():
        raise PlanError(f"{folder} is no folder; give a folder of sheets named as the films")
    sheets = {path.stem: path for path in sorted(folder.iterdir()) if path.suffix.lower() == ".csv"}
    matched = {film.path: sheets[film.path.stem] for film in found if film.path.stem in sheets}
    over = sorted(set(sheets.values()) - set(matched.values()))
    return matched, [f"{printable(path)} fits no film: no film is named {printable(path.stem)!r}" for path in over]


def _listed(file: Path) -> list[Path]:
    try:
        content = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise PlanError(f"{file} cannot be read: {error.strerror}") from error
    lines = content.split(b"\0") if b"\0" in content else content.splitlines()
    return [Path(os.fsdecode(line)) for line in lines if line.strip()]


def _expanded(place: Path) -> list[Path]:
    if os.path.lexists(place):
        return [place]
    if not _WILD & set(str(place)):
        raise PlanError(f"{printable(place)}: there is no such file or folder")
    paths = sorted(Path(path) for path in glob.glob(str(place), recursive=True))
    if not paths:
        raise PlanError(f"{printable(place)} fits no file")
    return [path for path in paths if path.is_dir() or path.suffix.lower() in SUFFIXES]


def _inside(root: Path, left_out: set[object], notes: list[str]) -> Iterator[Found]:
    """Yield the films below a folder, in order of their names."""
    entered: set[object] = set(left_out)
    waiting = [root]
    while waiting:
        folder = waiting.pop()
        if (identity := _identity(folder)) in entered:
            continue
        entered.add(identity)
        try:
            with os.scandir(folder) as scanned:
                entries = sorted(scanned, key=lambda entry: entry.name)
        except OSError as error:
            notes.append(f"{printable(folder)} cannot be searched: {error.strerror}")
            continue
        folders = []
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                folders.append(Path(entry.path))
            elif os.path.splitext(entry.name)[1].lower() in SUFFIXES:
                yield Found(Path(entry.path), os.path.relpath(entry.path, root))
        waiting.extend(reversed(folders))


def _identity(path: Path) -> object:
    """Tell files apart however many names lead to them; a link that leads nowhere is a file of its own."""
    try:
        stat = os.stat(path)
    except OSError:
        return os.path.abspath(path)
    return stat.st_dev, stat.st_ino


def _holds_pictures(folder: Path) -> bool:
    from scenefer.video.stills import is_named_as_picture

    try:
        return any(is_named_as_picture(path) for path in folder.iterdir())
    except OSError:
        return False


def _number(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest()[:8])
