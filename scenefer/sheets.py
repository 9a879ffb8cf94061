"""Sheets: a list of scenes with what each was meant to show, read from CSV; and the template to fill in.

    scene,start,end,intended,character,note
    rage,24.600,27.600,angry,,
    home,0:00:45.120,0:00:56.000,happy:0.6;neutral:0.4,,two men at a table

Columns may stand in any order; the last three may be missing. A scene takes several rows if it has several characters.
A file that cannot be understood is an error that names row, column, value and remedy; nothing is guessed silently.
Rows are counted as a spreadsheet counts them: the line of column names is row 1.
"""

from __future__ import annotations

import csv
import difflib
import io
import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from scenefer.errors import OutputError, SheetError
from scenefer.film import Film, clock
from scenefer.intentions import parse_intention, write_intention
from scenefer.timecode import seconds_of, whole_hours

if TYPE_CHECKING:
    import pandas as pd

REQUIRED = ("scene", "start", "end")
COLUMNS = (*REQUIRED, "intended", "character", "note")

_LARGEST = 20 << 20  # bytes; a sheet is typed by a person
_BEYOND = 1.0  # seconds past the end of the film that are clipped: lists are rounded
_AS_CSV = 'save it as "CSV UTF-8 (comma delimited)"'
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would compute a cell that begins so


@dataclass(frozen=True)
class _Row:
    number: int  # as a spreadsheet counts
    scene: str
    start: float  # seconds
    end: float
    hours: float  # seconds of the start that are whole hours in its notation
    intended: str | None
    character: str | None
    note: str | None
    others: tuple[str | None, ...]  # the values of the columns that are kept

    @property
    def place(self) -> str:
        return f"row {self.number} ({self.scene})"


class Lists(NamedTuple):
    """What a user says of the scenes of a film."""

    scenes: pd.DataFrame | None = None  # where they lie; None = to be guessed
    intended: pd.DataFrame | None = None  # what they are meant to show, where another sheet says it
    notices: tuple[str, ...] = ()


def read_lists(film: Film, scenes: Path | None, intended: Path | None) -> Lists:
    """Read a sheet of scenes, a sheet of intentions, or both; intentions alone give the scenes too.

    Raises:
        SheetError: as ``read_sheet``; or nothing is intended, or for a scene that the sheet of scenes has not.
    """
    if intended is None:
        return Lists(None, None) if scenes is None else Lists(*_first(read_sheet(scenes, film)))
    meant, notices = read_sheet(intended, film)
    if not meant["intended"].notna().any():
        raise SheetError(f"{intended} says of no scene what it is meant to show; fill in the column intended")
    if scenes is None:
        return Lists(meant, None, tuple(notices))
    sheet, others = read_sheet(scenes, film)
    known = [str(name) for name in sheet["scene"]]
    for name in map(str, meant["scene"]):
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"name it as {scenes.name} does"
            raise SheetError(f"{intended}, scene {name!r}: {scenes.name} has no such scene; {hint}")
    return Lists(sheet, meant, (*others, *notices))


def _first(read: tuple[pd.DataFrame, list[str]]) -> tuple[pd.DataFrame, None, tuple[str, ...]]:
    return read[0], None, tuple(read[1])


def read_sheet(path: Path, film: Film) -> tuple[pd.DataFrame, list[str]]:
    """Read a sheet of scenes.

    Args:
        path: CSV in UTF-8.
        film: the film that it describes; its frame rate, timecode and duration give the times their meaning.

    Returns:
        Columns scene, start, end (seconds of film time), intended (one of the seven, or a mixture whose shares sum
        to 1), character, note, and the columns not known, as text; null where a cell is empty. In order of time.
        And notices: what was done to the list, in sentences.

    Raises:
        SheetError: one line; file, row, column, value and remedy.
    """
    import pandas as pd

    header, lines = _table(path)
    columns, others = _columns(path, header)
    rows = [_row(path, film, number, cells, columns, others) for number, cells in lines]
    if not rows:
        raise SheetError(f"{path}: no row follows the column names; write one row a scene")
    rows, notices = _on_film_time(path, rows, film)
    rows = sorted(rows, key=lambda row: row.start)
    _check_scenes(path, rows)
    rows, clipped = _within(path, rows, film)
    if others:
        notices.insert(0, f"{path.name}: columns kept but not understood: {', '.join(others)}")
    sheet = pd.DataFrame(
        [(row.scene, row.start, row.end, row.intended, row.character, row.note, *row.others) for row in rows],
        columns=[*COLUMNS, *others],
        dtype="object",
    )
    return sheet.astype({"start": "float64", "end": "float64"}), notices + clipped


def write_template(scenes: pd.DataFrame, path: Path) -> None:
    """Write the sheet to fill in: a row a scene, what was intended left empty.

    Args:
        scenes: table SCENES.

    Raises:
        OutputError: the folder cannot be written, or the sheet exists, since somebody may have filled it in.
    """
    if path.exists():
        raise OutputError(f"{path} exists and may be filled in; rename it, or choose another name with --out")
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for name, start, end in zip(scenes["name"], scenes["start"], scenes["end"], strict=True):
        writer.writerow([spreadsheet_safe(str(name)), clock(start), clock(end), "", "", ""])
    beside = path.with_name(path.name + ".tmp")
    try:
        beside.write_text(text.getvalue(), encoding="utf-8")
        os.replace(beside, path)
    except OSError as error:
        with suppress(OSError):
            beside.unlink()
        raise OutputError(f"{path} cannot be written: {error.strerror or error}; choose another --out") from error


def spreadsheet_safe(text: str) -> str:
    """Mark a cell that a spreadsheet would compute as text, by an apostrophe; ``read_sheet`` takes it off again."""
    return "'" + text if text.startswith(_FORMULA) else text


def _table(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Read the column names and the rows that are not blank, each with its number."""
    text = _text(path)
    try:
        lines = [
            (number, [cell.strip() for cell in cells])
            for number, cells in enumerate(csv.reader(io.StringIO(text, newline=""), strict=True), start=1)
        ]
    except csv.Error as error:
        raise SheetError(f"{path}: not CSV ({error}); {_AS_CSV}") from error
    lines = [(number, cells) for number, cells in lines if any(cells)]
    if not lines:
        raise SheetError(f"{path} is empty; it needs the columns {','.join(REQUIRED)} and one row a scene")
    return lines[0][1], lines[1:]


def _text(path: Path) -> str:
    try:
        size = path.stat().st_size
        if size > _LARGEST:
            raise SheetError(f"{path} has {size / 2**20:.0f} MB; a sheet has less than {_LARGEST >> 20}")
        raw = path.read_bytes()
    except OSError as error:
        raise SheetError(f"{path} cannot be read: {error.strerror}; give the path of a CSV file") from error
    if raw.startswith(b"PK\x03\x04"):
        raise SheetError(f"{path} is a spreadsheet or an archive, not CSV; {_AS_CSV}")
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in raw:
        raise SheetError(f"{path} is UTF-16 or no text at all; {_AS_CSV}")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = raw[: error.start].count(b"\n") + 1
        raise SheetError(f"{path}, row {row}: byte 0x{raw[error.start]:02x} is not UTF-8; {_AS_CSV}") from error


def _columns(path: Path, header: list[str]) -> tuple[dict[str, int], list[str]]:
    """Find the place of every known column, and the names of the others."""
    names = [name.casefold() if name.casefold() in COLUMNS else name for name in header]
    for separator, word in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
        if len(names) == 1 and separator in names[0]:
            # Semicolons part the shares of a mixture and mark drop-frame times, so reading on would be a guess.
            raise SheetError(f"{path}, row 1: columns are parted by {word} ({names[0]!r}); {_AS_CSV}")
    for name in names:
        if names.count(name) > 1:
            raise SheetError(
                f"{path}, row 1: column {name!r} stands there {names.count(name)} times; name every column once"
            )
    missing = [name for name in COLUMNS if name not in names]
    others = [name for name in names if name not in COLUMNS]
    for name in others:
        near = difflib.get_close_matches(name.casefold(), missing, n=1, cutoff=0.75)
        if near:
            raise SheetError(f"{path}, row 1: unknown column {name!r}: did you mean {near[0]}?")
    for name in REQUIRED:
        if name in missing:
            raise SheetError(
                f"{path}, row 1: column {name!r} is missing, found {', '.join(map(repr, header))}; "
                f"the first row names the columns: {','.join(COLUMNS)}"
            )
    return {name: place for place, name in enumerate(names)}, others


def _row(path: Path, film: Film, number: int, cells: list[str], columns: dict[str, int], others: Iterable[str]) -> _Row:
    if len(cells) > len(columns):
        raise SheetError(
            f"{path}, row {number}: {len(cells)} values for {len(columns)} columns, the last is {cells[-1]!r}; "
            'put a value that contains a comma in "quotes"'
        )
    cells = cells + [""] * (len(columns) - len(cells))

    def cell(column: str) -> str:
        text = cells[columns[column]] if column in columns else ""
        return text[1:] if text.startswith("'") and text[1:].startswith(_FORMULA) else text

    def seconds(column: str) -> float:
        try:
            return seconds_of(cell(column), film.frame_rate)
        except ValueError as error:
            raise SheetError(f"{path}, row {number}, column {column}: {cell(column)!r} is no time: {error}") from error

    try:
        intended = write_intention(parse_intention(cell("intended")))
    except ValueError as error:
        raise SheetError(f"{path}, row {number}, column intended, {cell('intended')!r}: {error}") from error
    if not cell("scene"):
        raise SheetError(f"{path}, row {number}, column scene: '' is no name; give the scene one")
    return _Row(
        number=number,
        scene=cell("scene"),
        start=seconds("start"),
        end=seconds("end"),
        hours=whole_hours(cell("start"), film.frame_rate),
        intended=intended or None,
        character=cell("character") or None,
        note=cell("note") or None,
        others=tuple(cell(column) or None for column in others),
    )


def _on_film_time(path: Path, rows: list[_Row], film: Film) -> tuple[list[_Row], list[str]]:
    """Shift a list that lies beyond the film as a whole: it counts from the film's timecode, or from an hour."""
    first = min(rows, key=lambda row: row.start)
    if film.duration is None or first.start < film.duration:
        return rows, []
    shifts = [(first.hours, "that is the hour in which it begins")]
    if film.timecode is not None:
        with suppress(ValueError):  # a container may carry anything; the list may still begin at a whole hour
            shifts.insert(0, (seconds_of(film.timecode, film.frame_rate), f"the film's timecode is {film.timecode}"))
    last = max(row.end for row in rows)
    for shift, why in shifts:
        if 0 < shift <= first.start + 1e-6 and last - shift <= film.duration + _BEYOND:
            moved = [replace(row, start=max(0.0, row.start - shift), end=row.end - shift) for row in rows]
            return moved, [f"{path.name}: all times lie beyond the film; {clock(shift)} was subtracted: {why}"]
    raise SheetError(
        f"{path}, {first.place}, column start: {clock(first.start)} and all other times lie beyond the film, which "
        f"ends at {clock(film.duration)}; count from the film's first frame"
    )


def _check_scenes(path: Path, rows: list[_Row]) -> None:
    """Hold that spans run forwards, that the rows of a scene agree, and that scenes do not overlap."""
    scenes: dict[str, _Row] = {}
    characters: set[tuple[str, str | None]] = set()
    before: _Row | None = None  # the scene that ends last so far
    for row in rows:
        if row.end <= row.start:
            raise SheetError(
                f"{path}, {row.place}, column end: {clock(row.end)} is not after the start {clock(row.start)}; "
                "correct one of them"
            )
        same = scenes.setdefault(row.scene, row)
        if (same.start, same.end) != (row.start, row.end):
            raise SheetError(
                f"{path}, {row.place}: {clock(row.start)} to {clock(row.end)}, but row {same.number} gives the scene "
                f"{clock(same.start)} to {clock(same.end)}; write equal times, or give one of them another name"
            )
        if (row.scene, row.character) in characters:
            raise SheetError(
                f"{path}, {row.place}, column character: {row.character or ''!r} has a row of this scene already; "
                "keep one of them, or give the scene another name"
            )
        characters.add((row.scene, row.character))
        if same is not row:
            continue
        if before is not None and row.start < before.end - 1e-6:
            raise SheetError(
                f"{path}, {row.place}, column start: {clock(row.start)} lies before the end {clock(before.end)} of "
                f"{before.place}; scenes must not overlap"
            )
        before = row


def _within(path: Path, rows: list[_Row], film: Film) -> tuple[list[_Row], list[str]]:
    """Clip what ends up to a second after the film."""
    if film.duration is None:
        return rows, []
    kept, notices = [], []
    for row in rows:
        for column, beyond in (("start", row.start >= film.duration), ("end", row.end > film.duration + _BEYOND)):
            if beyond:
                raise SheetError(
                    f"{path}, {row.place}, column {column}: {clock(getattr(row, column))} lies beyond the film, which "
                    f"ends at {clock(film.duration)}; correct it, or count from the film's first frame"
                )
        if row.end > film.duration + float(1 / film.frame_rate):  # a frame is a matter of counting, not a finding
            notices.append(
                f"{path.name}, {row.place}: the end {clock(row.end)} was clipped to the film's, {clock(film.duration)}"
            )
        kept.append(replace(row, end=min(row.end, film.duration)))
    return kept, notices
