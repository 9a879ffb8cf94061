"""Finds the films in folders: each real file once, whatever links lead to it, however many there are."""

from __future__ import annotations

import glob
import logging
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from scenefer.errors import PlanError, printable

# Containers that PyAV reads, by the suffixes that cameras, editors and archives give them. Stills are none of them: a
# folder of stills is a film by itself, and is named by itself.
SUFFIXES = frozenset(
    {
        *(".mp4", ".m4v", ".mov", ".qt", ".3gp", ".3g2", ".f4v", ".mkv", ".webm", ".ogv", ".ogm", ".flv", ".nut"),
        *(".avi", ".divx", ".wmv", ".asf", ".rm", ".rmvb", ".nsv", ".wtv"),
        *(".mpg", ".mpeg", ".mpe", ".m1v", ".m2v", ".m2p", ".vob", ".mod", ".tod"),
        *(".ts", ".mts", ".m2t", ".m2ts", ".tp", ".trp"),
        *(".mxf", ".gxf", ".dv", ".y4m", ".mjpeg", ".mjpg"),
        *(".h264", ".264", ".h265", ".265", ".hevc", ".ivf", ".obu", ".vc1", ".drc"),
    }
)

_log = logging.getLogger(__name__)
_Key = tuple[int, int]  # device and inode: what a file is, whatever it is called


def films_in(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield films one by one, as they are found, those of a folder in the order of their names.

    A file that is named is a film, whatever its suffix; in folders suffixes decide, hidden files are passed over, and
    so are folders of runs. Folders are walked to their depths, through links too; a folder or file that was met before
    under another name is not met again, which cuts loops. A link that leads nowhere is yielded, to fail by its name.

    Args:
        paths: files, folders, and patterns of names ("films/*.mkv"); ``**`` is not needed.

    Raises:
        PlanError: a path does not exist, or a pattern fits nothing; raised when it is reached.
    """
    seen: set[_Key] = set()
    for path in paths:
        if not path.exists() and not path.is_symlink() and glob.has_magic(os.fspath(path)):
            found = [Path(name) for name in sorted(glob.glob(os.fspath(path)))]
            if not found:
                raise PlanError(f"{printable(path)} fits no file; check the pattern")
        else:
            found = [path]
        for each in found:
            yield from _walk(each, seen) if each.is_dir() else _file(each, seen)


def natural(text: str) -> list[str | int]:
    """Make a key that sorts as people count, 2 before 10; numbers stand at every other place."""
    parts = re.split(r"(\d+)", text)
    return [int(part) if place % 2 else part for place, part in enumerate(parts)]


def _file(path: Path, seen: set[_Key]) -> Iterator[Path]:
    try:
        status = path.stat()
    except OSError as error:
        raise PlanError(f"{printable(path)} does not exist or cannot be reached; check the path") from error
    if _is_new((status.st_dev, status.st_ino), seen):
        yield path


def _walk(folder: Path, seen: set[_Key]) -> Iterator[Path]:
    waiting = [_entries(os.fspath(folder), seen)]  # the folders from ``folder`` down to the current one
    while waiting:
        for device, entry in waiting[-1]:
            if _is_folder(entry):
                waiting.append(_entries(entry.path, seen))
                break
            if os.path.splitext(entry.name)[1].lower() in SUFFIXES and _is_new(_key(device, entry), seen):
                yield Path(entry.path)
        else:
            waiting.pop()


def _entries(folder: str, seen: set[_Key]) -> Iterator[tuple[int, os.DirEntry[str]]]:
    """Yield the device of a folder with each of its entries; of a folder that was met before, or of a run, none."""
    try:
        status = os.stat(folder)
        if not _is_new((status.st_dev, status.st_ino), seen):
            return
        with os.scandir(folder) as found:
            entries = sorted((entry for entry in found if not entry.name.startswith(".")), key=lambda entry: entry.name)
    except OSError as error:
        _log.warning("%s cannot be listed: %s", printable(folder), error.strerror)
        return
    if not any(entry.name == "run.json" for entry in entries):
        yield from ((status.st_dev, entry) for entry in entries)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _key(device: int, entry: os.DirEntry[str]) -> _Key:
    """Identify a file; only a link costs a call, so that a hundred thousand files are found in seconds."""
    if entry.is_symlink():
        try:
            status = entry.stat()
        except OSError:
            return device, entry.inode()  # leads nowhere: it is itself
        return status.st_dev, status.st_ino
    return device, entry.inode()


def _is_new(key: _Key, seen: set[_Key]) -> bool:
    """Tell whether a file is met for the first time, and remember it."""
    if key in seen:
        return False
    seen.add(key)
    return True
