"""Find the films of a library: expand folders, patterns and lists to paths, each real file once despite links.

Every film gets a name that is the same on all machines.
"""

from __future__ import annotations

import codecs
import glob
import hashlib
import logging
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from scenefer.core.errors import PlanError
from scenefer.core.film import PICTURE_SUFFIXES
from scenefer.core.run_folder import RECORD
from scenefer.core.text import printable

# Containers that PyAV reads, by the suffixes that cameras, editors and archives give them. Stills are not included: a
# folder of stills is one film, and has to be given by its own name.
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
_Key = tuple[int, int]  # device and inode identify a file under any name

_NAMED = 3  # number of pictures that a warning names; it counts the others
_SHORT = 6  # bytes; shorter lines are not taken for UTF-16: they may be NUL-separated one-letter names


class Found(NamedTuple):
    """A file of the library, and its name within the library, which is the same on every machine."""

    path: Path
    name: str


def find_films(places: Sequence[Path], input_list: Path | None = None) -> list[Found]:
    """Find the films of a library, each real file once; see ``films_in``. A warning names pictures that are skipped.

    Args:
        places: files, folders, and patterns of names.
        input_list: a file with one path per line (or separated by NUL), "-" for standard input; UTF-16 is accepted.
            Paths that do not exist are returned too, so that they are reported as failures.

    Raises:
        PlanError: a place does not exist, a pattern fits nothing, or the list cannot be read.
    """
    listed = _listed(input_list) if input_list else []
    folders = [os.path.join(place, "") for place in map(os.fspath, (*places, *listed))]
    found, pictures = [], list[Path]()
    for path in films_in(places, listed, pictures):
        text = os.fspath(path)
        inside = next((folder for folder in folders if text.startswith(folder)), None)
        found.append(Found(path, text.removeprefix(inside) if inside else path.name))
    named = {film.path for film in found}
    _name_passed_over([picture for picture in pictures if picture not in named])
    return found


def shard(found: Sequence[Found], text: str) -> list[Found]:
    """Take the i-th of n parts of a library; ``text`` is "i/n". A film's part depends only on its name.

    Raises:
        PlanError: the text does not have this form.
    """
    part, _, parts = text.partition("/")
    if not (part.isdecimal() and parts.isdecimal() and 1 <= int(part) <= int(parts)):
        raise PlanError(f"--shard {text!r} must be i/n, 1/4 to 4/4 say")
    return [film for film in found if _number(film.name) % int(parts) == int(part) - 1]


def films_in(paths: Iterable[Path], listed: Iterable[Path] = (), pictures: list[Path] | None = None) -> Iterator[Path]:
    """Yield films as they are found, in each folder in the order of their names.

    A file given by name counts as a film, whatever its suffix. In folders the suffix decides; hidden files and folders
    of runs are skipped. Folders are walked recursively, following links; a folder or file already seen under another
    name is skipped, which breaks loops. A broken link is yielded, so that it is reported as a failure. So is a listed
    path that does not exist: it must not keep the others from being read.

    Args:
        paths: files, folders, and patterns of names ("films/*.mkv"); ``**`` is not needed.
        listed: the same, from a list of films.
        pictures: a list to which the skipped pictures in folders are added.

    Raises:
        PlanError: one of ``paths`` does not exist, or is a pattern that matches nothing; raised when it is reached.
    """
    seen: set[_Key] = set()
    for path, is_listed in (*((path, False) for path in paths), *((path, True) for path in listed)):
        found = [path]
        if not os.path.lexists(path) and glob.has_magic(os.fspath(path)):
            found = _fitting(path) or ([path] if is_listed else [])
            if not found:
                raise PlanError(f"{printable(path)} fits no file; check the pattern")
        for each in found:
            if os.path.isdir(each):
                yield from _walk(each, seen, [] if pictures is None else pictures)
            elif os.path.exists(each):
                yield from _file(each, seen)
            elif is_listed or each.is_symlink():
                yield each
            else:
                raise PlanError(f"{printable(each)} does not exist or cannot be reached; check the path")


def _name_passed_over(pictures: Sequence[Path]) -> None:
    """Warn which pictures in folders are not read: otherwise an animation among them would be missed silently."""
    if pictures:
        names = ", ".join(printable(picture.name) for picture in pictures[:_NAMED])
        _log.warning(
            "%d picture%s passed over, %s%s: in folders only films are read; give a picture, an animation or a folder "
            "of pictures by its own name",
            *(len(pictures), " is" if len(pictures) == 1 else "s are"),
            *(names, " …" if len(pictures) > _NAMED else ""),
        )


def _fitting(pattern: Path) -> list[Path]:
    """List the matches of a pattern; a path component that exists literally, such as ``[1080p]``, is not a pattern."""
    there, parts = Path(), list[str]()
    for part in pattern.parts:
        there = there / part
        parts.append(glob.escape(part) if os.path.lexists(there) else part)
    plain = os.fspath(pattern).replace("[", "[[]")  # for brackets in a component that follows a pattern
    names = glob.glob(os.fspath(Path(*parts))) or glob.glob(plain)
    return [Path(name) for name in sorted(names)]


def _listed(file: Path) -> list[Path]:
    try:
        content = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise PlanError(f"{printable(file)} cannot be read: {error.strerror}; check --input-list") from error
    content = _plain(content)
    lines = content.split(b"\0") if b"\0" in content else content.splitlines()
    return [Path(os.fsdecode(line)) for line in lines if line.strip()]


def _plain(content: bytes) -> bytes:
    """Remove the byte order mark, and convert UTF-16, as Windows writes it, to the encoding of paths on this system."""
    if content.startswith(codecs.BOM_UTF8):
        return content[len(codecs.BOM_UTF8) :]
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    else:  # no byte order mark: in UTF-16, every other byte of an ASCII line is zero
        line = content.partition(b"\n")[0]
        big, little = (len(line) > _SHORT and set(line[k::2]) == {0} for k in (0, 1))
        encoding = "utf-16-be" if big else "utf-16-le" if little else ""
    return os.fsencode(content.decode(encoding, "replace")) if encoding else content


def _number(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest()[:8])


def _file(path: Path, seen: set[_Key]) -> Iterator[Path]:
    status = path.stat()
    if _is_new((status.st_dev, status.st_ino), seen):
        yield path


def _walk(folder: Path, seen: set[_Key], pictures: list[Path]) -> Iterator[Path]:
    waiting = [_entries(os.fspath(folder), seen)]  # the folders from ``folder`` down to the current one
    while waiting:
        for device, entry in waiting[-1]:
            if _is_folder(entry):
                waiting.append(_entries(entry.path, seen))
                break
            suffix = os.path.splitext(entry.name)[1].lower()
            if suffix in SUFFIXES and _is_new(_key(device, entry), seen):
                yield Path(entry.path)
            elif suffix in PICTURE_SUFFIXES:
                pictures.append(Path(entry.path))
        else:
            waiting.pop()


def _entries(folder: str, seen: set[_Key]) -> Iterator[tuple[int, os.DirEntry[str]]]:
    """Yield each entry of a folder with the folder's device; nothing for a folder already seen or a folder of a run."""
    try:
        status = os.stat(folder)
        if not _is_new((status.st_dev, status.st_ino), seen):
            return
        with os.scandir(folder) as found:
            entries = sorted((entry for entry in found if not entry.name.startswith(".")), key=lambda entry: entry.name)
    except OSError as error:
        _log.warning("%s cannot be listed: %s", printable(folder), error.strerror)
        return
    if not any(entry.name == RECORD for entry in entries):
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
            return device, entry.inode()  # broken: the link stands for itself
        return status.st_dev, status.st_ino
    return device, entry.inode()


def _is_new(key: _Key, seen: set[_Key]) -> bool:
    """Tell whether a file is met for the first time, and remember it."""
    if key in seen:
        return False
    seen.add(key)
    return True
