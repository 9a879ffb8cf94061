"""All films of a folder of reports together: tables across films, and a page that lists the films.

    reports/<film>/run.json, tables/                         a run, as ``result.save`` leaves it
    reports/library/films.parquet                            a row a film
    reports/library/<table>/film=<film id>/part.parquet      the runs' tables, each as one table partitioned by film, as
                                                             they were corrected by hand
    reports/library/failures.parquet                         what could not be read: written by a batch
    reports/library.html

Frames, faces and pictures stay with the runs: they are large, and whoever deletes pictures of faces there has deleted
them; but for a small frame of each film in the page, which is written anew when the film is forgotten. Readers see
whole files: each is written beside its place, under a name that begins with a dot, and renamed.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from scenefer.analysis.result import EDITED, read_record
from scenefer.core import atomic, run_folder, tables
from scenefer.core.errors import SceneferError, SheetError, unwritable
from scenefer.core.language import ENGLISH, LANGUAGES, Language
from scenefer.core.schema import names
from scenefer.core.text import printable
from scenefer.library import catalogue_row, failures, groups
from scenefer.library.posters import posters
from scenefer.pipeline import edited_runs

if TYPE_CHECKING:
    import pandas as pd

GATHERED = ("scenes", "shots", "tracks", "samples", "expressions", "scene_emotions", "comparison")
_OPTIONAL = frozenset({"comparison"})  # only films with intentions have it
_LANGUAGE = re.compile(r'<html lang="(\w+)"')
_FILM_ID = re.compile(r"[0-9a-f]{16}")


class Run(NamedTuple):
    """A finished run in a folder of reports."""

    folder: Path
    stamp: str  # changes whenever the run is written
    film: str  # id
    made: str  # ISO 8601


class Unreadable(NamedTuple):
    """A folder that looks like a run but cannot be used."""

    folder: str
    error: str


class Report(NamedTuple):
    """A whole report, as its record describes it."""

    folder: Path
    film: str  # path of the film at the time of the report
    made_of: Mapping[str, str]
    state: str
    forgotten: bool  # its people were removed by ``scenefer forget``


def write(reports: Path, language: Language = ENGLISH) -> Path:
    """Gather the runs of a folder of reports into its library, and list them in a page.

    Only films whose runs changed are read again. If a film has several runs, the newest counts and the page names the
    others. A film whose run is gone is removed.

    Args:
        language: of the page.

    Returns:
        The page.

    Raises:
        OutputError: the folder cannot be written or the disk is full; existing files stay intact.
    """
    from scenefer.report import library_groups, library_page

    library = reports / run_folder.LIBRARY
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
        grouped = _compared(reports, films, language)
        if grouped is not None:
            groups.write_shares(reports, grouped.groups)
        _remove_others(library, set(films["film"]))
        text = library_page.render(
            films,
            failures.read_table(reports),
            [broken._asdict() for broken in unreadable],
            doubles,
            language,
            groups=library_groups.lay_out(grouped, language),
            posters=posters(reports, rows),
        )
        atomic.write_whole(reports / run_folder.LIBRARY_PAGE, text.encode("utf-8", "replace"))
    except OSError as error:
        raise unwritable(library, error, "free space") from error
    return reports / run_folder.LIBRARY_PAGE


def _compared(reports: Path, films: pd.DataFrame, language: Language) -> groups.Grouped | None:
    """Compare groups; a stored table that was edited and can no longer be read ends no run, the page says so."""
    try:
        return groups.compare(reports, films, language)
    except SheetError as error:
        return groups.Grouped([], [str(error)])


def rewrite(reports: Path) -> Path | None:
    """Write a page that is there anew, in its language, as ``write``; None where there is none."""
    page = reports / run_folder.LIBRARY_PAGE
    if not page.is_file():
        return None
    with page.open(encoding="utf-8", errors="replace") as file:
        found = _LANGUAGE.search(file.read(200))
    return write(reports, Language(found[1]) if found and found[1] in LANGUAGES else ENGLISH)


def find_reports(out: Path) -> dict[str, list[Report]]:
    """Find all complete reports in a folder, by film id; restore those that an interrupted write moved aside.

    A live session in which a film was played is no report of the film, unless its people were forgotten.
    """
    found: dict[str, list[Report]] = {}
    run_folder.restore_all(out)
    for folder in run_folder.runs_in(out):
        try:
            record = read_record(folder)
            is_session = "recorded_live" in record and "forgotten" not in record
            if (folder / run_folder.REPORT).is_file() and not is_session:
                film, made_of = record["film"], record.get("made_of", {})
                report = Report(folder, film["path"], made_of, record["state"], "forgotten" in record)
                found.setdefault(film["id"], []).append(report)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue
    return found


def is_behind(reports: Path) -> bool:
    """Tell whether a run is newer than the page that lists all runs, or there is no such page."""
    try:
        listed = (reports / run_folder.LIBRARY_PAGE).stat().st_mtime_ns
        return any((folder / run_folder.RECORD).stat().st_mtime_ns > listed for folder in run_folder.runs_in(reports))
    except OSError:
        return True


def choose_report(film: Path, reports: Sequence[Report], made_of: Mapping[str, str]) -> Report | None:
    """Choose a film's report among those of the same content: a copy may have its own, from another sheet.

    Args:
        made_of: what the report should depend on, by part.
    """
    for holds in (
        lambda report: report.forgotten,
        lambda report: report.made_of == made_of,
        lambda report: report.film == str(film),
        lambda report: not os.path.exists(report.film),  # the film has been moved since
    ):
        if (report := next(filter(holds, reports), None)) is not None:
            return report
    return None


def _known(library: Path) -> dict[str, dict[str, Any]]:
    """Read the rows gathered before, by the run's folder name; empty if there are none, or only in an old format."""
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
    """Find the newest run of each film, the folders of its older runs by film id, and folders that cannot be used."""
    newest: dict[str, Run] = {}
    doubles: dict[str, list[str]] = {}
    unreadable = []
    for folder in run_folder.runs_in(reports):
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
    stamp = run_folder.stamp_of(folder)
    if row is not None and row["record"] == stamp:
        return Run(folder, stamp, row["film"], row["made"])
    folder.name.encode()  # fails unless the name is valid Unicode, as tables and links need
    record = read_record(folder)
    film = record["film"]["id"]
    if not _FILM_ID.fullmatch(film):  # it becomes the name of a folder
        raise ValueError(film)
    return Run(folder, stamp, film, str(record["made"]))


def _gather(run: Run, library: Path) -> dict[str, Any]:
    """Link a run's tables into the library and summarise the film as a row of the table FILMS.

    Raises:
        SceneferError: the run is damaged or of another version.
    """
    stored = {name: run.folder / "tables" / f"{name}.parquet" for name in GATHERED}
    for name in _OPTIONAL:
        if not stored[name].is_file():
            del stored[name]
    read = {name: tables.read(path, name) for name, path in stored.items()}
    corrected = edited_runs.load(run.folder) if (run.folder / run_folder.EDITS).is_file() else None
    if corrected is not None:
        read |= {name: getattr(corrected, name) for name in EDITED}
    try:
        record = read_record(run.folder)
        entry = catalogue_row.entry({**record, **(corrected.run if corrected else {})}, read)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SceneferError(
            f"{printable(run.folder / run_folder.RECORD)} is damaged; analyse the film again"
        ) from error
    row = {"film": run.film, "folder": run.folder.name, "record": run.stamp, "made": run.made, **entry}
    for name in GATHERED:
        place = library / name / f"film={run.film}"
        if name in stored:
            place.mkdir(parents=True, exist_ok=True)
            if corrected is not None and name in EDITED:
                tables.write(place / "part.parquet", read[name], name, {"film": run.film})
            else:
                _link(stored[name], place / "part.parquet")
        else:
            shutil.rmtree(place, ignore_errors=True)
    return row


def _link(source: Path, place: Path) -> None:
    """Hard-link a file, which costs no space; copy it if the file system has no hard links."""
    beside = place.with_name(f".{place.name}.{os.getpid()}.tmp")
    with suppress(FileNotFoundError):
        beside.unlink()
    try:
        os.link(source, beside, follow_symlinks=False)
    except OSError:
        shutil.copyfile(source, beside)
    os.replace(beside, place)
    with suppress(FileNotFoundError):
        beside.unlink()  # rename does nothing if both names already are the same file


def _remove_others(library: Path, films: Iterable[str]) -> None:
    """Remove what was gathered of films that are gone."""
    kept = {f"film={film}" for film in films}
    for table in GATHERED:
        if (library / table).is_dir():
            for name in set(os.listdir(library / table)) - kept:
                if name.startswith("film="):
                    shutil.rmtree(library / table / name, ignore_errors=True)
