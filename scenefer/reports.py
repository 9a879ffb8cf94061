"""The reports that a folder holds, each with what it was made of."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from scenefer import exchange, library
from scenefer.analysis import read_record


class Report(NamedTuple):
    """A whole report, as its record describes it."""

    folder: Path
    film: str  # path, where it was when it was reported
    made_of: Mapping[str, str]
    state: str
    forgotten: bool  # its people, by ``scenefer forget``


def find(out: Path) -> dict[str, list[Report]]:
    """Find every whole report in a folder, by the film's id; those that an exchange has moved aside are put back."""
    found: dict[str, list[Report]] = {}
    exchange.restore_all(out)
    for folder in library.runs_in(out):
        try:
            record = read_record(folder)
            if (folder / "report.html").is_file():
                film, made_of = record["film"], record.get("made_of", {})
                report = Report(folder, film["path"], made_of, record["state"], "forgotten" in record)
                found.setdefault(film["id"], []).append(report)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue
    return found


def choose(film: Path, reports: Sequence[Report], made_of: Mapping[str, str]) -> Report | None:
    """Choose a film's report of those of its content: a copy of it may have one of its own, by another sheet.

    Args:
        made_of: what the report should depend on, by part.
    """
    for holds in (
        lambda report: report.forgotten,
        lambda report: report.made_of == made_of,
        lambda report: report.film == str(film),
        lambda report: not os.path.exists(report.film),  # it was moved since
    ):
        if (report := next(filter(holds, reports), None)) is not None:
            return report
    return None
