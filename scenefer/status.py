"""How far a library is, from what lies on disk: nobody who works on it is asked, and nothing is written."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from scenefer import exchange, library, survey
from scenefer.analysis import read_record
from scenefer.errors import printable

PATIENCE = 60.0  # seconds without a heartbeat after which a claim is taken for abandoned
_HELD = re.compile(r"(?P<name>.+)\.claim-\d+")
_CLAIM = re.compile(r"(?P<span>.+)\.claim(-\d+)?")


class Claim(NamedTuple):
    """A piece of a film that somebody works on."""

    film: str  # id
    settings: str  # observe id
    span: str  # as the piece's folder is called
    age: float  # seconds since its owner last gave a sign of life


@dataclass(frozen=True)
class Working:
    """A film that is being read."""

    film: str  # id
    name: str  # the id where nothing names it
    n_running: int  # pieces
    n_done: int  # pieces, by the same settings
    seconds: float  # film time of the finished pieces
    duration: float | None  # seconds; None where it is not known


@dataclass(frozen=True)
class Status:
    """Where the films of a library stand; names, control characters escaped."""

    done: tuple[str, ...]
    partial: tuple[str, ...]
    running: tuple[Working, ...]
    failed: tuple[tuple[str, str], ...]  # name and error
    waiting: tuple[str, ...] | None  # None where no folder of films was given: then nobody knows


def read_status(reports: Path, data: Path, films: Path | None = None) -> Status:
    """Count the films of a library by their state.

    Args:
        reports: the folder of the reports.
        data: the folder of the cache.
        films: the folder of the films; those in it that have neither a report nor a failure and of which no piece is
            being read are waiting. They are told by their paths, and by what they hold where a batch has looked at
            them: a film that was moved since counts as waiting until then.
    """
    from scenefer.finding import films_in

    done, partial, at, ids = [], [], set(), set()
    for folder in library.runs_in(reports):
        try:
            record = read_record(folder)
            path = Path(record["film"]["path"])
            ids.add(record["film"]["id"])
            (partial if record["state"] == "partial" else done).append(printable(path.name))
            at.add(os.path.realpath(path))
        except (OSError, ValueError, KeyError, TypeError):
            continue  # is being exchanged, or is damaged: the library's page names it
    failed = []
    for failure in library.failures(reports):
        if failure.get("state") != "partial":
            path = str(failure.get("film"))
            name = printable(Path(path).name)
            failed.append((name, printable(str(failure.get("error"))).replace(printable(path), name)))
            at.add(os.path.realpath(path))
    working = _working(data)
    names = {film.name for film in working}
    waiting = None
    if films is not None:
        left = (path for path in films_in([films]) if os.path.realpath(path) not in at and _id(path, data) not in ids)
        waiting = tuple(name for path in left if (name := printable(path.name)) not in names)
    return Status(tuple(done), tuple(partial), working, tuple(failed), waiting)


def _id(path: Path, data: Path) -> str | None:
    known = survey.recall(path, data)
    return None if known is None else known.id


def running(data: Path, patience: float = PATIENCE) -> Iterator[Claim]:
    """Yield the pieces that somebody works on now.

    A claim is a file or a folder beside the place of the piece that is being made,
    ``data/observed/<film id>/<observe id>/<span>.claim`` or ``….claim-<n>``; its owner touches it every few seconds.
    One that nobody has touched for ``patience`` seconds, by this machine's clock, is left out.
    """
    for film in _folders(data / "observed"):
        for settings in _folders(film):
            for name in _names(settings):
                if claimed := _CLAIM.fullmatch(name):
                    try:
                        age = time.time() - (settings / name).stat().st_mtime
                    except OSError:
                        continue  # has just ended
                    if age <= patience:
                        yield Claim(film.name, settings.name, claimed["span"], age)


def finishing(reports: Path, patience: float = PATIENCE) -> Iterator[str]:
    """Yield the names, as of their folders, of films whose pieces are read and whose reports are written now."""
    held = reports / exchange.CLAIMS
    for name in _names(held):
        if claimed := _HELD.fullmatch(name):
            with suppress(OSError):  # has just ended
                if time.time() - (held / name).stat().st_mtime <= patience:
                    yield claimed["name"]


def film_time(piece: Path, manifest: Mapping[str, Any]) -> float:
    """Return how much film time a finished piece covers, seconds; of a piece to the end, up to its last frame."""
    start, end = manifest["span"]
    if end is None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            stored = pq.read_metadata(piece / "frames.parquet")
            end = stored.row_group(stored.num_row_groups - 1).column(0).statistics.max  # column 0 is the time
        except (OSError, pa.ArrowException, AttributeError, IndexError):
            return 0.0
    return float(end) - float(start)


def locate(place: Path, out: Path | None, data: Path | None) -> tuple[Path, Path, Path | None]:
    """Find out what a folder is that was called a library: of reports, of the cache, or of films.

    Returns:
        The folders of the reports, of the cache, and of the films, None where it is not known.
    """
    if (place / "observed").is_dir():
        return out or place.parent / "reports", place, None
    if (place / library.FOLDER).is_dir() or next(library.runs_in(place), None) is not None:
        return place, data or place.parent / "data", None
    reports = out or Path("reports")
    return reports, data or reports.parent / "data", place


def _working(data: Path) -> tuple[Working, ...]:
    claims: dict[tuple[str, str], int] = {}
    for claim in running(data):
        claims[claim.film, claim.settings] = claims.get((claim.film, claim.settings), 0) + 1
    index = dict(_looked_at(data)) if claims else {}
    found = []
    for (film, settings), n in claims.items():
        pieces = [(piece, read_manifest(piece)) for piece in _folders(data / "observed" / film / settings)]
        ready = [(piece, manifest) for piece, manifest in pieces if manifest is not None]
        path, duration = index.get(film) or (ready[0][1].get("film", film) if ready else film, None)
        seconds = sum(film_time(piece, manifest) for piece, manifest in ready)
        found.append(Working(film, printable(Path(path).name), n, len(ready), seconds, duration))
    return tuple(sorted(found, key=lambda film: film.name))


def _looked_at(data: Path) -> Iterator[tuple[str, tuple[str, float | None]]]:
    """Yield the ids of films with path and duration, from what a batch notes of every file that it looked at."""
    for folder in _folders(data / "films"):
        for name in _names(folder):
            try:
                record = json.loads((folder / name).read_text(encoding="utf-8", errors="surrogateescape"))
                yield record["id"], (record["path"], (record["film"] or {}).get("duration"))
            except (OSError, ValueError, KeyError, TypeError):
                continue  # is being written, or is no such note


def read_manifest(piece: Path) -> dict[str, Any] | None:
    """Read what a finished piece says of itself; None where it is not finished, or damaged."""
    try:
        manifest = json.loads((piece / "manifest.json").read_text(encoding="utf-8"))
        return manifest if {"span", "film"} <= dict(manifest).keys() else None
    except (OSError, ValueError, TypeError):
        return None  # not finished, or damaged


def _folders(folder: Path) -> Iterator[Path]:
    yield from (folder / name for name in _names(folder) if (folder / name).is_dir())


def _names(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []
