"""Read the CSV of judged faces saved by a report: right, wrong, which emotion instead, or cannot tell."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from scenefer.core.errors import SheetError
from scenefer.core.schema import EMOTIONS
from scenefer.core.text import did_you_mean, printable
from scenefer.interchange.judgements import is_number, read_rows

if TYPE_CHECKING:
    from scenefer.analysis.result import Analysis

COLUMNS = ("film", "face", "time", "read", "judgement", "instead", "note")
JUDGEMENTS = ("right", "wrong", "cannot tell")


def read_judged(path: Path, analysis: Analysis) -> list[dict[str, Any]]:
    """Read the judgements of the faces of a report.

    Returns:
        One row per face, in order of film time: face, time (s), the emotion it is read as, judgement, instead and note;
        if a face occurs twice, the last row counts.

    Raises:
        SheetError: the file was not saved by a report, belongs to another film or another analysis, is empty, or has a
            row that cannot be read.
    """
    whole = analysis.measured or analysis  # faces of moments that were excluded by hand were judged all the same
    usable = whole.expressions.loc[whole.expressions["usable"]]
    read = dict(zip(usable["face"].tolist(), usable[list(EMOTIONS)].to_numpy().argmax(axis=1).tolist(), strict=True))
    times = dict(zip(usable["face"].tolist(), usable["time"].tolist(), strict=True))
    found: dict[int, dict[str, Any]] = {}
    for line, row in read_rows(path, COLUMNS, "the report saved"):
        where = f"{printable(path)}, line {line}"
        if row["film"] != analysis.film.id:
            raise SheetError(f"{where}: it is of another film; give the faces of this run's report")
        face, judgement = row["face"].strip(), row["judgement"].strip().casefold()
        instead = row["instead"].strip().casefold()
        if not is_number(face) or int(face) not in read or EMOTIONS[read[int(face)]] != row["read"]:
            said = f"face {printable(face)!r} is not read as {printable(row['read'])!r} in this run"
            raise SheetError(f"{where}: {said}; judge the faces of the report that lies in it")
        if judgement not in JUDGEMENTS:
            raise SheetError(
                f"{where}: unknown judgement {printable(judgement)!r}; {did_you_mean(judgement, JUDGEMENTS)}"
            )
        if instead not in ("", *EMOTIONS):
            raise SheetError(f"{where}: unknown emotion {printable(instead)!r}; {did_you_mean(instead, EMOTIONS)}")
        found[int(face)] = {
            "face": int(face),
            "time": times[int(face)],
            "read": row["read"],
            "judgement": judgement,
            "instead": instead if judgement == "wrong" else "",
            "note": printable(row["note"]),
        }
    if not found:
        raise SheetError(f"{printable(path)}: no face is judged in it")
    return sorted(found.values(), key=lambda row: (row["time"], row["face"]))
