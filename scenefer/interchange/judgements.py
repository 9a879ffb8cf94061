"""Read the CSV in which the coding page saves a person's judgements."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from scenefer.comparison.coders import CANNOT_TELL, UNSURE
from scenefer.core.errors import SheetError
from scenefer.core.schema import EMOTIONS
from scenefer.core.text import did_you_mean, printable

COLUMNS = ("sample", "coder", "face", "code")
_MOST_DIGITS = 18  # of the number of a face


def read_judgements(paths: Sequence[Path], sample: str, faces: set[int]) -> dict[str, dict[int, int]]:
    """Read people's judgements, one file per person.

    Args:
        sample: the sample's id (``coding_sample.sample_id``).
        faces: the faces in the sample.

    Returns:
        By person, the emotion's index or ``CANNOT_TELL`` for each judged face; if a face was judged twice, the last
        judgement.

    Raises:
        SheetError: a file was not saved by the page, belongs to another sample, is empty, has the same person as
            another file, or has a row that cannot be read.
    """
    found: dict[str, dict[int, int]] = {}
    for path in paths:
        coder, codes = _read(path, sample, faces)
        if coder in found:
            raise SheetError(f"{printable(path)}: '{printable(coder)}' is the person of another file too; rename one")
        found[coder] = codes
    return found


def _read(path: Path, sample: str, faces: set[int]) -> tuple[str, dict[int, int]]:
    name = path.stem
    codes: dict[int, int] = {}
    for line, row in read_rows(path, COLUMNS, "the page of scenefer validate saved"):
        where = f"{printable(path)}, line {line}"
        if row["sample"] != sample:
            said = f"sample {printable(row['sample'])!r}, and this run's is {sample!r}"
            raise SheetError(f"{where}: {said}; give judgements of the page that lies in this run")
        face, code = row["face"].strip(), row["code"].strip().casefold()
        if not is_number(face) or int(face) not in faces:
            raise SheetError(f"{where}: face {printable(face)!r} is not in the sample")
        if code not in (*EMOTIONS, UNSURE):
            meant = did_you_mean(code, (*EMOTIONS, UNSURE))
            raise SheetError(f"{where}: unknown code {printable(code)!r}; {meant}")
        codes[int(face)] = CANNOT_TELL if code == UNSURE else EMOTIONS.index(code)
        name = row["coder"].strip() or path.stem
    if not codes:
        raise SheetError(f"{printable(path)}: no face is judged in it")
    return name, codes


def is_number(text: str) -> bool:
    """Check whether a text is the number of a face; int() refuses thousands of digits."""
    return text.isdecimal() and len(text) <= _MOST_DIGITS


def read_rows(path: Path, columns: Sequence[str], source: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the rows of a CSV that a page saved, with their lines.

    Args:
        columns: required columns.
        source: how it was saved, for messages: "give a CSV that …".

    Raises:
        SheetError: it cannot be read, is not CSV, or lacks a column.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        reader = csv.DictReader(text.splitlines(), restval="", strict=True)
        if missing := [name for name in columns if name not in (reader.fieldnames or ())]:
            said = f"no column {', '.join(missing)}"
            raise SheetError(f"{printable(path)}: {said}; give a CSV that {source}")
        for row in reader:
            yield reader.line_num, {name: row[name] for name in columns}
    except OSError as error:
        raise SheetError(f"{printable(path)} cannot be read: {error.strerror or error}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise SheetError(f"{printable(path)} is no CSV: {error}; give one that {source}") from error
