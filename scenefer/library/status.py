"""Progress of a library, read from the files on disk: running processes are not asked, and nothing is written."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from scenefer.analysis.result import read_record
from scenefer.core import run_folder
from scenefer.core.text import printable
from scenefer.library import failures
from scenefer.library.discovery import films_in
from scenefer.pipeline import locks, observation_cache, probe_cache
from scenefer.pipeline.locks import PATIENCE


class Claim(NamedTuple):
    """A chunk of a film that a process is working on."""

    film: str  # id
    settings: str  # observe id
    span: str  # name of the chunk's folder
    age: float  # seconds since its owner's last heartbeat


@dataclass(frozen=True)
class Working:
    """A film that is being read."""

    film: str  # id
    name: str  # the id if the name is unknown
    n_running: int  # chunks
    n_done: int  # chunks, by the same settings
    seconds: float  # film time of the finished chunks
    duration: float | None  # seconds; None = unknown


@dataclass(frozen=True)
class Status:
    """The films of a library by state, as names with control characters escaped."""

    done: tuple[str, ...]
    partial: tuple[str, ...]
    running: tuple[Working, ...]
    failed: tuple[tuple[str, str], ...]  # name and error
    waiting: tuple[str, ...] | None  # None = unknown, because no folder of films was given


def read_status(reports: Path, data: Path, films: Path | None = None) -> Status:
    """Count the films of a library by their state.

    Args:
        reports: the folder of the reports.
        data: the folder of the cache.
        films: the folder of the films. A film is waiting if it has neither a report nor a failure and no chunk of it is
            being read. Films are matched by path and, if a batch has probed them, by content; a moved film counts as
            waiting until a batch probes it again.
    """

    done, partial, at, ids = [], [], set(), set()
    for folder in run_folder.runs_in(reports):
        try:
            record = read_record(folder)
            path = Path(record["film"]["path"])
            ids.add(record["film"]["id"])
            (partial if record["state"] == "partial" else done).append(printable(path.name))
            at.add(os.path.realpath(path))
        except (OSError, ValueError, KeyError, TypeError):
            continue  # is being exchanged, or is damaged: the library's page names it
    failed = []
    for failure in failures.read_table(reports):
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
    known = probe_cache.recall(path, data)
    return None if known is None else known.id


def running(data: Path, patience: float = PATIENCE) -> Iterator[Claim]:
    """Yield the chunks that are being worked on now; for ``patience`` see ``locks.held``."""
    for film in _folders(observation_cache.observed_folder(data)):
        for settings in _folders(film):
            for span, age in locks.held(settings, patience):
                yield Claim(film.name, settings.name, span, age)


def finishing(reports: Path, patience: float = PATIENCE) -> Iterator[str]:
    """Yield the folder names of films whose chunks are all read and whose reports are being written."""
    for name, _ in locks.held(reports / run_folder.CLAIMS, patience):
        yield name


def film_time(chunk: Path, manifest: Mapping[str, Any]) -> float:
    """Return the film time of a finished chunk, in seconds; the last chunk of a film ends at its last frame."""
    start, end = manifest["span"]
    if end is None:
        try:
            stored = pq.read_metadata(chunk / "frames.parquet")
            end = stored.row_group(stored.num_row_groups - 1).column(0).statistics.max  # column 0 is the time
        except (OSError, pa.ArrowException, AttributeError, IndexError):
            return 0.0
    return float(end) - float(start)


def locate(place: Path, out: Path | None, data: Path | None) -> tuple[Path, Path, Path | None]:
    """Find out whether a folder given as a library holds reports, the cache or films.

    Returns:
        The folders of the reports, of the cache, and of the films (None if not known).
    """
    if observation_cache.observed_folder(place).is_dir():
        return out or place.parent / "reports", place, None
    if (place / run_folder.LIBRARY).is_dir() or next(run_folder.runs_in(place), None) is not None:
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
        places = _folders(observation_cache.film_folder(data, film) / settings)
        chunks = [(chunk, observation_cache.recall_manifest(chunk)) for chunk in places]
        ready = [(chunk, manifest) for chunk, manifest in chunks if manifest is not None]
        path, duration = index.get(film) or (ready[0][1].get("film", film) if ready else film, None)
        seconds = sum(film_time(chunk, manifest) for chunk, manifest in ready)
        found.append(Working(film, printable(Path(path).name), n, len(ready), seconds, duration))
    return tuple(sorted(found, key=lambda film: film.name))


def _looked_at(data: Path) -> Iterator[tuple[str, tuple[str, float | None]]]:
    """Yield the id, path and duration of each film from the records that a batch keeps of every file it probed."""
    for folder in _folders(probe_cache.folder(data)):
        for name in _names(folder):
            try:
                record = json.loads((folder / name).read_text(encoding="utf-8", errors="surrogateescape"))
                yield record["id"], (record["path"], (record["film"] or {}).get("duration"))
            except (OSError, ValueError, KeyError, TypeError):
                continue  # it is being written, or is not such a record


def _folders(folder: Path) -> Iterator[Path]:
    yield from (folder / name for name in _names(folder) if (folder / name).is_dir())


def _names(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []
