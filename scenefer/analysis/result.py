"""The analysis of a film as a value: tables and record, saved as a run and loaded again."""

from __future__ import annotations

import csv
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pandas as pd

from scenefer.core import tables
from scenefer.core.errors import SceneferError, unwritable
from scenefer.core.film import Film, as_record, of_record
from scenefer.core.run_folder import RECORD, exchange
from scenefer.core.run_record import RECORD_VERSION, RunRecord
from scenefer.core.schema import TABLES

if TYPE_CHECKING:
    from scenefer.analysis.edits import Edits

_SHEET = "sheet.csv"


@dataclass(frozen=True)
class Analysis:
    """Everything that is known about a film; ``core/schema.py`` defines the tables."""

    film: Film
    frames: pd.DataFrame
    faces: pd.DataFrame
    pictures: pd.DataFrame
    shots: pd.DataFrame
    tracks: pd.DataFrame
    samples: pd.DataFrame
    expressions: pd.DataFrame
    scenes: pd.DataFrame
    scene_emotions: pd.DataFrame
    sheet: pd.DataFrame | None  # the user's list of scenes, as read: one row per scene and character
    run: RunRecord  # contents of run.json: versions, settings, weights, timings, coverage, warnings, state
    vectors: pd.DataFrame | None = None  # of faces, if they are kept (``ActorSettings.keep_vectors``)
    comparison: pd.DataFrame | None = None  # intended against detected, if the sheet states intentions
    validation_sample: pd.DataFrame | None = None  # faces drawn for people to judge, if a sample was drawn
    validated: pd.DataFrame | None = None  # shares corrected by these judgements
    edits: Edits | None = None  # what was corrected by hand in these tables
    measured: Analysis | None = None  # as it was before that; this is what is written

    @property
    def begins(self) -> float:
        """Film time of the film's first picture, seconds: above 0 where it begins after the sound.

        Of a film that was read in part the first picture was not read; its file was asked when it was opened.
        """
        is_whole = not (self.run.get("span") or [0.0])[0]
        seen = float(self.frames["time"].iloc[0]) if is_whole and len(self.frames) else self.film.begins
        return round(seen, 6)


_OPTIONAL = ("vectors", "comparison", "validation_sample", "validated")
EDITED = frozenset(
    {"pictures", "tracks", "samples", "expressions", "scenes", "scene_emotions"}
)  # by corrections by hand
_TABLES = tuple(entry.name for entry in fields(Analysis) if entry.name in TABLES and entry.name not in _OPTIONAL)


def save(
    analysis: Analysis,
    folder: Path,
    pages: Mapping[str, str | bytes],
    *,
    keep_others: bool = True,
) -> None:
    """Write a run: tables, ``run.json``, and pages and pictures by file name; beside its place first, then exchanged.

    Of what was corrected by hand, the tables are written as they were measured: corrections apply when they are read.

    Args:
        keep_others: what else lies in the folder of an earlier run stays there.

    Raises:
        OutputError: the folder cannot be written, is no run, or the disk is full; what is there is left as it was.
    """
    folder = Path(os.path.realpath(folder))  # a link is not exchanged, but what it leads to
    beside = folder.with_name(f"{folder.name}.{os.getpid()}.tmp")
    measured = analysis.measured or analysis
    origin = {"film": analysis.film.id, "versions": analysis.run.get("versions", {})}
    try:
        shutil.rmtree(beside, ignore_errors=True)
        (beside / "tables").mkdir(parents=True)
        for name in (*_TABLES, *_OPTIONAL):
            if (table := getattr(measured if name in EDITED else analysis, name)) is not None:
                tables.write(_file(beside, name), table, name, origin)
        if analysis.sheet is not None:
            # All is quoted, for pandas leaves a lone carriage return bare, and reads it as the end of a line.
            analysis.sheet.to_csv(beside / "tables" / _SHEET, index=False, quoting=csv.QUOTE_ALL)
        record = {**analysis.run, "version": RECORD_VERSION, "film": as_record(analysis.film, key_frames=False)}
        if analysis.measured is not None:
            record["coverage"] = measured.run["coverage"]
        for name, content in {**pages, RECORD: json.dumps(record, indent=1, default=str)}.items():
            whole = content if isinstance(content, bytes) else content.encode("utf-8", "surrogateescape")
            (beside / name).parent.mkdir(exist_ok=True)
            (beside / name).write_bytes(whole)
        exchange(beside, folder, keep_others=keep_others)
    except OSError as error:
        raise unwritable(folder, error, "free space or choose another --out") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def read_record(folder: Path) -> dict[str, Any]:
    """Read the ``run.json`` of a run.

    Raises:
        OSError, ValueError: it is missing or damaged.
    """
    record = json.loads((folder / RECORD).read_text(encoding="utf-8", errors="surrogateescape"))
    if not isinstance(record, dict):
        raise ValueError(f"{folder / RECORD} holds no object")
    return record


def load(folder: Path, *, pictures: bool = True) -> Analysis:
    """Load a run; this needs neither the film nor the cache.

    Args:
        pictures: False leaves them out, which fill most of a long film's memory: faces have no crops, and table
            PICTURES is empty.

    Raises:
        SceneferError: the folder holds no run, or a run of another version.
    """
    try:
        run = read_record(folder)
        film = of_record(run.pop("film"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise SceneferError(f"{folder} is no run of scenefer: it has no readable run.json") from error
    if run.get("version", RECORD_VERSION) != RECORD_VERSION:
        raise SceneferError(
            f"{folder} was written by another version of scenefer: its {RECORD} is of version {run['version']}, this "
            f"one reads {RECORD_VERSION}; update scenefer, or analyze the film again"
        )
    sheet = None
    if (kept := folder / "tables" / _SHEET).is_file():
        try:
            sheet = pd.read_csv(kept, keep_default_na=False, dtype=str).astype({"start": "float64", "end": "float64"})
        except (OSError, ValueError, KeyError) as error:
            said = "cannot be read as scenefer wrote it; give your sheet to scenefer compare --intended"
            raise SceneferError(f"{kept} {said}") from error
        texts = sheet.drop(columns=["start", "end"])
        sheet[texts.columns] = texts.astype(object).where(texts != "", None)  # None for empty cells, as in read_sheet
    return Analysis(
        film=film,
        **{name: _table(folder, name, pictures=pictures) for name in _TABLES},
        sheet=sheet,
        run=cast(RunRecord, run),
        edits=None,  # they apply when a run is read by ``pipeline/edited_runs``
        measured=None,
        **{name: tables.read(file, name) for name in _OPTIONAL if (file := _file(folder, name)).is_file()},
    )


def _table(folder: Path, table: str, *, pictures: bool) -> pd.DataFrame:
    if not pictures and table == "pictures":
        return tables.empty(table)
    return tables.read(_file(folder, table), table, without=("crop",) if not pictures and table == "faces" else ())


def _file(folder: Path, table: str) -> Path:
    return folder / "tables" / f"{table}.parquet"
