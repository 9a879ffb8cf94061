"""The films of a folder of reports as one table, a row a run, for spreadsheets and statistics programs."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from scenefer.core import atomic, run_folder
from scenefer.core.errors import PlanError, SceneferError
from scenefer.core.text import printable
from scenefer.interchange.csv_rows import spreadsheet_safe
from scenefer.interchange.export import format_of
from scenefer.interchange.film_table import film_row
from scenefer.pipeline import edited_runs
from scenefer.pipeline.run_comparison import compared_with_intentions

ENDING = "films.csv"


def is_library(folder: Path) -> bool:
    """Tell whether a folder holds runs, and is none itself."""
    return not (folder / run_folder.RECORD).is_file() and next(run_folder.runs_in(folder), None) is not None


def write(reports: Path, to: Path) -> tuple[int, list[str]]:
    """Write a row a run, by the name of its folder, which stands in a column of its own; one run is read at a time.

    Returns:
        How many rows there are, and what could not be read, a sentence each.

    Raises:
        PlanError: the file's name asks for something else, which a run has and a folder of runs has not.
        OutputError: the file cannot be written.
        SceneferError: no run can be read.
    """
    if not to.name.casefold().endswith(ENDING):
        format_of(to)
        raise PlanError(
            f"{printable(reports)} is a folder of runs, of which --to writes {ENDING} alone; else name one run"
        )
    rows, unreadable = [], []
    for folder in run_folder.runs_in(reports):
        try:
            loaded = edited_runs.load(folder)
            row = film_row(loaded, compared_with_intentions(loaded))
        except SceneferError as error:
            unreadable.append(str(error))
            continue
        row.insert(0, "run", spreadsheet_safe(printable(folder.name)))
        rows.append(row)
    if not rows:
        raise SceneferError("; ".join(unreadable))
    text = pd.concat(rows, ignore_index=True).to_csv(index=False, errors="backslashreplace")
    atomic.write_result(to, text.encode("utf-8", "backslashreplace"), "choose another --to")
    return len(rows), unreadable
