"""The films of a folder of reports as one: tables that are read across films, and a page that lists them.

    reports/<film>/run.json, tables/                         a run, as ``analysis.save`` leaves it
    reports/library/films.parquet                            a row a film
    reports/library/<table>/film=<film id>/part.parquet      the runs' tables, each as one table partitioned by film
    reports/library/failures.parquet                         what could not be read: written by a batch
    reports/library.html

Frames, faces and pictures stay with the runs: they are large, and whoever deletes pictures of faces there has deleted
them. Readers see whole files: each is written beside its place, under a name that begins with a dot, and renamed.
"""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from scenefer import entries, files, tables
from scenefer.analysis import read_record
from scenefer.errors import SceneferError, printable, unwritable
from scenefer.language import ENGLISH, Language
from scenefer.schema import names

FOLDER, PAGE = NAMES = ("library", "library.html")  # in the folder of the reports; no run may have these names
GATHERED = ("scenes", "shots", "tracks", "samples", "expressions", "scene_emotions", "comparison")
_OPTIONAL = frozenset({"comparison"})  # only films with intentions have it
_FILM_ID = re.compile(r"[0-9a-f]{16}")

_log = logging.getLogger(__name__)


class Run(NamedTuple):
    """A finished run in a folder of reports."""

    folder: Path
    stamp: str  # changes whenever the run is written
    film: str  # id
    made: str  # ISO 8601


class Unreadable(NamedTuple):
    """A folder that looks like a run and cannot be used."""

    folder: str
    error: str


def write(reports: Path, language: Language = ENGLISH) -> Path:
    """Gather the runs of a folder of reports into its library, and list them in a page.

    Only films whose runs changed are read. Of several runs of one film the one made last counts, the page names the
    others; a film whose run is gone is removed.

    Args:
        language: of the page.

    Returns:
        The page.

    Raises:
        OutputError: the folder cannot be written or the disk is full; what is there is left whole.
    """
    from scenefer.report import library as page

    library = reports / FOLDER
    known = _known(library)
    runs, doubles, unreadable = _find_runs(reports, known)
    rows: list[Mapping[str, Any]] = []
    for run in runs:
        row = known.get(run.folder.name)
        if row is None or row["record"] != run.stamp:
            try:
                row = _gather(run, library)
            except SceneferError as error:
                unreadable.append(Unreadable(run.folder.name, str(error)))
                continue
            except OSError as error:
                raise unwritable(library, error, "free space") from error
        rows.append(row)
    films = tables.conform({name: [row[name] for row in rows] for name in names("films")}, "films")
    try:
        library.mkdir(parents=True, exist_ok=True)
        tables.write(library / "films.parquet", films, "films")
        _remove_others(library, set(films["film"]))
        text = page.render(films, failures(reports), [broken._asdict() for broken in unreadable], doubles, language)
        files.write_whole(reports / PAGE, text.encode("utf-8", "replace"))
    except OSError as error:
        raise unwritable(library, error, "free space") from error
    return reports / PAGE


def runs_in(reports: Path) -> Iterator[Path]:
    """Yield the folders of finished runs in a folder of reports, by name; none where there is no such folder."""
    try:
        with os.scandir(reports) as entries:
            names = sorted(entry.name for entry in entries if entry.is_dir())
    except OSError:
        return
    for name in names:
        if name != FOLDER and not name.endswith(".tmp") and (reports / name / "run.json").is_file():
            yield reports / name


def stamp_of(folder: Path) -> str:
    """Identify a run as it lies in its folder: another stamp, whenever it is written.

    Raises:
        OSError: there is no run.
    """
    seen = (folder / "run.json").stat()
    return f"{seen.st_size}-{seen.st_mtime_ns}-{seen.st_ino}"


def failures(reports: Path) -> list[dict[str, Any]]:
    """Read what a batch noted of films that could not be read, wholly or in part; empty where there was no batch."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = reports / FOLDER / "failures.parquet"
    if (records := path.with_suffix("")).is_dir():  # a record a film, of which the table is made when the batch ends
        return [record for place in sorted(records.glob("*.json")) if (record := _record(place))]
    if not path.is_file():
        return []
    try:
        return pq.read_table(path).to_pylist()
    except (OSError, pa.ArrowInvalid):
        _log.warning("%s is damaged; the next batch writes it again", printable(path))
        return []


def _record(place: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(place.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return {}  # is being written, or is damaged


def _known(library: Path) -> dict[str, dict[str, Any]]:
    """Read what is gathered already, by the name of the run's folder; empty where it is nothing, or of old."""
    path = library / "films.parquet"
    try:
        films = tables.read(path, "films") if path.is_file() else tables.empty("films")
    except (SceneferError, ValueError):
        return {}
    whole = set.intersection(*(_gathered(library / table) for table in GATHERED if table not in _OPTIONAL))
    return {row["folder"]: row for row in tables.rows_of(films) if row["film"] in whole}


def _gathered(table: Path) -> set[str]:
    try:
        return {name.removeprefix("film=") for name in os.listdir(table) if (table / name / "part.parquet").is_file()}
    except OSError:
        return set()


def _find_runs(
    reports: Path, known: Mapping[str, Mapping[str, Any]]
) -> tuple[list[Run], dict[str, list[str]], list[Unreadable]]:
    """Find the runs that count, the folders of other runs of the same films by id, and what cannot be used."""
    newest: dict[str, Run] = {}
    doubles: dict[str, list[str]] = {}
    unreadable = []
    for folder in runs_in(reports):
        try:
            run = _head(folder, known.get(folder.name))
        except (OSError, ValueError, KeyError, TypeError):
            error = "its run.json, or the folder's name, cannot be read; analyse the film again"
            unreadable.append(Unreadable(printable(folder.name), error))
            continue
        other = newest.get(run.film)
        if other is not None:
            run, other = (run, other) if run.made > other.made else (other, run)
            doubles.setdefault(run.film, []).append(other.folder.name)
        newest[run.film] = run
    return sorted(newest.values(), key=lambda run: run.folder.name), doubles, unreadable


def _head(folder: Path, row: Mapping[str, Any] | None) -> Run:
    stamp = stamp_of(folder)
    if row is not None and row["record"] == stamp:
        return Run(folder, stamp, row["film"], row["made"])
    folder.name.encode()  # a table holds text, and a link leads to it
    record = read_record(folder)
    film = record["film"]["id"]
    if not _FILM_ID.fullmatch(film):  # it becomes the name of a folder
        raise ValueError(film)
    return Run(folder, stamp, film, str(record["made"]))


def _gather(run: Run, library: Path) -> dict[str, Any]:
    """Put a run's tables in their places and sum the film up in a row of the table FILMS.

    Raises:
        SceneferError: the run is damaged or of another version.
    """
    stored = {name: run.folder / "tables" / f"{name}.parquet" for name in GATHERED}
    for name in _OPTIONAL:
        if not stored[name].is_file():
            del stored[name]
    read = {name: tables.read(path, name) for name, path in stored.items()}
    try:
        entry = entries.entry(read_record(run.folder), read)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SceneferError(f"{printable(run.folder / 'run.json')} is damaged; analyse the film again") from error
    row = {"film": run.film, "folder": run.folder.name, "record": run.stamp, "made": run.made, **entry}
    for name in GATHERED:
        place = library / name / f"film={run.film}"
        if name in stored:
            place.mkdir(parents=True, exist_ok=True)
            _link(stored[name], place / "part.parquet")
        else:
            shutil.rmtree(place, ignore_errors=True)
    return row


def _link(source: Path, place: Path) -> None:
    """Give a file a second name, which costs no space; copy it where the file system cannot."""
    beside = place.with_name(f".{place.name}.{os.getpid()}.tmp")
    with suppress(FileNotFoundError):
        beside.unlink()
    try:
        os.link(source, beside, follow_symlinks=False)
    except OSError:
        shutil.copyfile(source, beside)
    os.replace(beside, place)
    with suppress(FileNotFoundError):
        beside.unlink()  # rename leaves both names where they are one file already


def _remove_others(library: Path, films: Iterable[str]) -> None:
    """Remove what was gathered of films that are gone."""
    kept = {f"film={film}" for film in films}
    for table in GATHERED:
        if (library / table).is_dir():
            for name in set(os.listdir(library / table)) - kept:
                if name.startswith("film="):
                    shutil.rmtree(library / table / name, ignore_errors=True)
