"""What is known of a film by its path, size and time of change, so that it is neither hashed nor opened again.

    data/films/<2 digits>/<hash of the path>.json     the film as it was probed, or why it is none

The record saves work and is never needed: a film that was moved is opened once more, and known again by its content.
"""

from __future__ import annotations

import json
import stat
from array import array
from base64 import b64decode, b64encode
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from scenefer import files
from scenefer.errors import FilmError, PlanError
from scenefer.film import Film, as_record, film_id, of_record, path_id

_VERSION = 2  # of the record


class Stamp(NamedTuple):
    """What changes when a file does; a clock that jumps may hide a change of the same size, and nothing else may."""

    size: int  # bytes
    mtime_ns: int


@dataclass(frozen=True)
class Known:
    """A file that was looked at: a film, or none."""

    path: Path
    stamp: Stamp | None  # of folders of stills None: they are looked at each time
    id: str | None  # of its content, also where it is no film; None where it cannot be read
    film: Film | None
    error: str | None = None  # why it is none
    permanent: bool = False  # and remains none, as long as its bytes are the same


def stamp_of(path: Path) -> Stamp | None:
    """Ask for a file's size and time of change; None for a folder, or what is gone."""
    try:
        found = path.stat()
    except OSError:
        return None
    return None if stat.S_ISDIR(found.st_mode) else Stamp(found.st_size, found.st_mtime_ns)


def recall(path: Path, data: Path) -> Known | None:
    """Remember a file that has not changed since it was looked at; None if it is not known so."""
    stamp = stamp_of(path)
    if stamp is None:
        return None
    try:
        record = json.loads(_place(path, data).read_bytes())
        if record["made_with"] != _made_with() or (record["size"], record["mtime_ns"]) != stamp:
            return None
        film = None
        if record["film"]:
            key_frames = array("d", b64decode(record["key_frames"]))
            film = of_record({**record["film"], "path": path, "key_frames": key_frames})
        return Known(path, stamp, record["id"], film, record["error"], permanent=film is None)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def look(path: Path, data: Path) -> Known:
    """Open a file to see what it is, and remember it.

    Raises:
        OutputError: the folder of the cache cannot be written.
    """
    from scenefer import video

    stamp = stamp_of(path)
    try:
        film = video.probe(path)
    except (FilmError, PlanError) as error:
        content = _content(path)
        permanent = content is not None and stamp is not None and stamp_of(path) == stamp
        known = Known(path, stamp, content, None, str(error), permanent)
    else:
        known = Known(path, stamp, film.id, film)
    if stamp is not None and (known.film or known.permanent):
        _remember(known, stamp, data)
    return known


def remember(film: Film, data: Path) -> None:
    """Remember a film that was probed.

    Raises:
        OutputError: the folder of the cache cannot be written.
    """
    stamp = stamp_of(film.path)
    if stamp is not None:
        _remember(Known(film.path, stamp, film.id, film), stamp, data)


def _content(path: Path) -> str | None:
    try:
        return film_id(path) if path.is_file() else None
    except FilmError:
        return None


def _remember(known: Known, stamp: Stamp, data: Path) -> None:
    place = _place(known.path, data)
    record = {
        "path": known.path,
        **stamp._asdict(),
        "made_with": _made_with(),
        "id": known.id,
        "film": as_record(known.film, key_frames=False) if known.film else None,
        # A thousand numbers a film: as text they take a third of the time in which a library is planned.
        "key_frames": b64encode(array("d", known.film.key_frames if known.film else ())).decode(),
        "error": known.error,
    }
    content = json.dumps(record, default=str).encode("ascii")
    files.write_result(place, content, "free space or choose another --data")


def _place(path: Path, data: Path) -> Path:
    name = path_id(path)
    return data / "films" / name[:2] / f"{name}.json"


@cache
def _made_with() -> str:
    return f"{_VERSION} av {metadata.version('av')}"
