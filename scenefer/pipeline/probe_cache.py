"""Remember probed films by path, size and modification time, so that they are not hashed or opened again.

    data/films/<2 digits>/<hash of the path>.json     the probed film, or why the file is not a film

The records only save work: a moved film is opened once more and recognised by its content.
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

from scenefer.core import atomic
from scenefer.core.errors import FilmError, PlanError
from scenefer.core.film import Film, as_record, film_id, of_record, path_id

_VERSION = 4  # of the record


class Stamp(NamedTuple):
    """Changes whenever a file changes, except if the size stays the same and the clock jumped."""

    size: int  # bytes
    mtime_ns: int


@dataclass(frozen=True)
class Known:
    """A probed file, which may not be a film."""

    path: Path
    stamp: Stamp | None  # None for a folder of stills, which is probed each time
    id: str | None  # of its content, even if it is not a film; None if it cannot be read
    film: Film | None
    error: str | None = None  # why it is not a film
    permanent: bool = False  # the error stays as long as the bytes are the same


def folder(data: Path) -> Path:
    """Return the folder of the records; its subfolders have two-digit names."""
    return data / "films"


def stamp_of(path: Path) -> Stamp | None:
    """Return a file's size and modification time; None for a folder or a missing file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return None if stat.S_ISDIR(found.st_mode) else Stamp(found.st_size, found.st_mtime_ns)


def recall(path: Path, data: Path) -> Known | None:
    """Return the record of a file that has not changed since it was probed; None if there is none."""
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
    """Probe a file, and store the result.

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
    """Store a probed film.

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
        # A thousand numbers per film: reading them as text would take a third of the time to plan a library.
        "key_frames": b64encode(array("d", known.film.key_frames if known.film else ())).decode(),
        "error": known.error,
    }
    content = json.dumps(record, default=str).encode("ascii")
    atomic.write_result(place, content, "free space or choose another --data")


def _place(path: Path, data: Path) -> Path:
    name = path_id(path)
    return folder(data) / name[:2] / f"{name}.json"


@cache
def _made_with() -> str:
    return f"{_VERSION} av {metadata.version('av')}"
