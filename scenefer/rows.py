"""Rows of a sheet: CSV as people, spreadsheets and PySceneDetect write it, cell by cell.

A row that cannot be understood is an error that names row, column, value and remedy; nothing is guessed silently. Rows
are counted as a spreadsheet counts them: the line of column names is row 1.
"""

from __future__ import annotations

import csv
import difflib
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from scenefer.errors import SheetError
from scenefer.film import Film
from scenefer.intentions import parse_intention, write_intention
from scenefer.timecode import exact_rate, is_timecode, seconds_of, whole_hours

REQUIRED = ("scene", "start", "end")
COLUMNS = (*REQUIRED, "intended", "character", "note")
MANY = 200  # clips of a timeline, or finds of PySceneDetect; more of them are shots, not scenes

_LARGEST = 20 << 20  # bytes; a sheet is typed by a person, a timeline holds a film's cuts
_AS_CSV = 'save it as "CSV UTF-8"'
_SEPARATORS = ",;\t"  # spreadsheets write semicolons where the system's settings make the comma the decimal sign
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would compute a cell that begins so
# https://www.scenedetect.com/docs/latest/cli.html#list-scenes
_DETECTED = ("Scene Number", "Start Time (seconds)", "End Time (seconds)")
_ROUNDED = 0.0006  # seconds; PySceneDetect writes three decimals


@dataclass(frozen=True)
class Row:
    """A scene as a list has it, before it is held against the film."""

    number: int  # as a spreadsheet counts, or as the markers or clips follow each other
    scene: str
    start: float  # seconds, from where the list counts
    end: float
    hours: float = 0.0  # seconds of the start that are whole hours in its notation
    intended: str | None = None
    character: str | None = None
    note: str | None = None
    others: tuple[str | None, ...] = ()  # the values of the columns that are kept
    kind: str = "row"
    counts_frames: bool = False  # its times are timecodes, which a film's own timecode may count for

    @property
    def place(self) -> str:
        """Name the row in a message."""
        return f"{self.kind} {self.number} ({self.scene})"

    def cell(self, column: str) -> str:
        """Name one of its values in a message."""
        return f"{self.place}, {'column ' * (self.kind == 'row')}{column}"


def read_rows(path: Path, film: Film, *, every_clip: bool = False) -> tuple[list[Row], list[str]]:
    """Read the rows of a CSV file, and the names of the columns that are kept but not known.

    Args:
        every_clip: take what PySceneDetect lists as scenes even where it is more than ``MANY``.

    Raises:
        SheetError: one line; file, row, column, value and remedy.
    """
    header, lines = _table(path, read_text(path, _AS_CSV))
    if header[0] == _DETECTED[0]:
        if len(lines) > MANY and not every_clip:
            raise SheetError(
                f"{path} lists {len(lines):,} scenes of PySceneDetect, which are shots; leave scenes to be guessed, or "
                "take every one as a scene with --every-clip"
            )
        return _detected(path, film, header, lines), []
    columns, others = _columns(path, header)
    rows = [_row(path, film, number, cells, columns, others) for number, cells in lines]
    if not rows:
        raise SheetError(f"{path}: no row follows the column names; write one row a scene")
    return rows, others


def read_text(path: Path, remedy: str) -> str:
    """Read a list of scenes as text.

    Args:
        remedy: how to save it so that it can be read.

    Raises:
        SheetError: it cannot be read, has over 20 MB, or is not UTF-8.
    """
    try:
        size = path.stat().st_size
        if size > _LARGEST:
            raise SheetError(f"{path} has {size / 2**20:.0f} MB; a list of scenes has less than {_LARGEST >> 20}")
        raw = path.read_bytes()
    except OSError as error:
        raise SheetError(f"{path} cannot be read: {error.strerror}; give the path of a list of scenes") from error
    if raw.startswith(b"PK\x03\x04"):
        raise SheetError(f"{path} is a spreadsheet or an archive, no text; {remedy}")
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in raw:
        raise SheetError(f"{path} is UTF-16 or no text at all; {remedy}")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = raw[: error.start].count(b"\n") + 1
        raise SheetError(f"{path}, row {row}: byte 0x{raw[error.start]:02x} is not UTF-8; {remedy}") from error


def spreadsheet_safe(text: str) -> str:
    """Mark a cell that a spreadsheet would compute as text, by an apostrophe; ``read_rows`` takes it off again."""
    return "'" + text if text.startswith(_FORMULA) else text


def _table(path: Path, text: str) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Read the column names and the rows that are not blank, each with its number."""
    separator = max(_SEPARATORS, key="".join(text.lstrip().splitlines()[:1]).count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        lines = [(number, [cell.strip() for cell in cells]) for number, cells in enumerate(reader, start=1)]
    except csv.Error as error:
        raise SheetError(f"{path}: not CSV ({error}); {_AS_CSV}") from error
    lines = [(number, cells) for number, cells in lines if any(cells)]
    if any(cells[0] == _DETECTED[0] for _, cells in lines[1:2]):  # PySceneDetect lists cuts before the column names
        lines = lines[1:]
    if not lines:
        raise SheetError(f"{path} is empty; it needs the columns {','.join(REQUIRED)} and one row a scene")
    (_, header), *rows = lines
    while not header[-1] and not any("".join(cells[len(header) - 1 :]) for _, cells in rows):
        header = header[:-1]  # spreadsheets leave commas behind
        rows = [(number, cells[: len(header)]) for number, cells in rows]
    return header, rows


def _columns(path: Path, header: list[str]) -> tuple[dict[str, int], list[str]]:
    """Find the place of every known column, and the names of the others."""
    names = [name.casefold() if name.casefold() in COLUMNS else name for name in header]
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


def _row(path: Path, film: Film, number: int, cells: list[str], columns: dict[str, int], others: Iterable[str]) -> Row:
    if len(cells) > len(columns):
        raise SheetError(
            f"{path}, row {number}: {len(cells)} values for {len(columns)} columns, the last is {cells[-1]!r}; "
            'put a value that contains the sign between columns in "quotes"'
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
    if ":" in cell("character") and _is_intention(cell("character")):
        raise SheetError(
            f"{path}, row {number}, column character: {cell('character')!r} is a share of what is intended; "
            'write a mixture as "happy:0.6;neutral:0.4", in quotes'
        )
    if not cell("scene"):
        raise SheetError(f"{path}, row {number}, column scene: '' is no name; give the scene one")
    return Row(
        number=number,
        scene=cell("scene"),
        start=seconds("start"),
        end=seconds("end"),
        hours=whole_hours(cell("start"), film.frame_rate),
        intended=intended or None,
        character=cell("character") or None,
        note=cell("note") or None,
        others=tuple(cell(column) or None for column in others),
        counts_frames=is_timecode(cell("start")) and is_timecode(cell("end")),
    )


def _is_intention(text: str) -> bool:
    try:
        return bool(parse_intention(text))
    except ValueError:
        return False


def _detected(path: Path, film: Film, header: list[str], lines: list[tuple[int, list[str]]]) -> list[Row]:
    """Take the scenes of PySceneDetect: its numbers as names, its seconds put back on the frames they stand for."""
    missing = [name for name in _DETECTED if name not in header]
    if missing:
        raise SheetError(f"{path}: column {missing[0]!r} is missing; write the list with: scenedetect list-scenes")
    places = [header.index(name) for name in _DETECTED]
    rate = float(exact_rate(film.frame_rate))
    rows = []
    for number, cells in lines:
        try:
            name, *times = (cells[place] for place in places)
            start, end = (seconds_of(text, film.frame_rate) for text in times)
        except (IndexError, ValueError) as error:
            raise SheetError(f"{path}, row {number}: no scene of PySceneDetect ({error}); list them again") from error
        rows.append(Row(number, name, _on_frame(start, rate), _on_frame(end, rate)))
    if not rows:
        raise SheetError(f"{path} lists no scene; PySceneDetect writes none of a film without cuts")
    return rows


def _on_frame(seconds: float, rate: float) -> float:
    frame = round(seconds * rate) / rate
    return frame if abs(frame - seconds) < _ROUNDED else seconds
