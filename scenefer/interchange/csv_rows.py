"""Read the rows of a sheet: CSV and workbooks from people, spreadsheets, PySceneDetect and editing programs.

A row that cannot be parsed raises an error with row, column, value and remedy; nothing is guessed silently. Rows are
numbered as in a spreadsheet, from the first row of the file, including rows above the column names.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from scenefer.comparison.intentions import Vocabulary, parse_intention
from scenefer.core.errors import SheetError
from scenefer.core.film import Film
from scenefer.core.text import printable
from scenefer.core.timecode import exact_rate, is_timecode, seconds_of, whole_hours
from scenefer.interchange import spreadsheets
from scenefer.interchange.columns import Column, Header, check_header, read_header
from scenefer.interchange.list_formats import readable
from scenefer.interchange.scene_row import MANY, REQUIRED, Row, one_line

SUFFIXES = (".csv", ".tsv", *spreadsheets.SUFFIXES)
AS_CSV = 'save it as "CSV UTF-8"'

_SEPARATORS = ",;\t"  # spreadsheets write semicolons if the decimal sign of the locale is a comma
_STATED = re.compile(r'"?sep=(.)"?\s*$', re.MULTILINE)  # a line that tells Excel the separator
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet treats a cell that starts with one of these as a formula
_ABOVE = 20  # number of non-blank rows searched for the column names, which may follow titles
# https://www.scenedetect.com/docs/latest/cli.html#list-scenes
_DETECTED = ("Scene Number", "Start Time (seconds)", "End Time (seconds)")
_ROUNDED = 0.0006  # seconds; PySceneDetect writes three decimals

_Line = tuple[int, list[str]]


@dataclass
class Table:
    """The header of a list, its non-blank rows, and notices about it."""

    header: Header
    lines: list[_Line]
    notices: list[str] = field(default_factory=list)


def read_table(path: Path, text: str | None) -> Table:
    """Read the table of a file: from the text of a CSV, or from the first worksheet of a workbook that has one.

    Raises:
        SheetError: the file is not CSV, not a workbook, or empty.
    """
    if text is not None:
        header, lines = _header(path, _split(path, text))
        return Table(header, lines)
    sheets = spreadsheets.read_workbook(path)
    if not sheets:
        raise _empty(path)
    read = [(sheet.title, *_header(path, sheet.lines)) for sheet in sheets]
    title, header, lines = next((one for one in read if one[1].is_whole()), read[0])
    several = [f"of its {len(read)} worksheets {title!r} was read"] if len(read) > 1 else []
    return Table(header, lines, several)


def read_rows(
    path: Path, film: Film, table: Table, vocabulary: Vocabulary, *, every_clip: bool = False
) -> tuple[list[Row], list[str]]:
    """Read the rows of a table, and the names of unknown columns, which are kept.

    Args:
        every_clip: accept scenes listed by PySceneDetect even if there are more than ``MANY``.

    Raises:
        SheetError: one line; file, row, column, value and remedy.
    """
    header, lines = table.header, table.lines
    if header.names[0] == _DETECTED[0]:
        if len(lines) > MANY and not every_clip:
            raise SheetError(
                f"{printable(path)} lists {len(lines):,} scenes of PySceneDetect, which are shots; leave scenes to be "
                "guessed, or take every one as a scene with --every-clip"
            )
        return _detected(path, film, header.names, lines), []
    check_header(printable(path), header)
    if header.spelt:
        table.notices.append(f"columns read as: {', '.join(header.spelt)}")
    header, said = _with_emotion(header, lines, vocabulary)
    table.notices += said
    if header.others:
        names = ", ".join(column.name for column in header.others)
        table.notices.append(f"columns kept but not understood: {names}")
    rows = [_row(path, film, header, vocabulary, number, cells) for number, cells in lines]
    if not rows:
        raise SheetError(f"{printable(path)}: no row follows the column names; write one row a scene")
    return rows, [column.name for column in header.others]


def spreadsheet_safe(text: str) -> str:
    """Put an apostrophe before a cell that a spreadsheet would take as a formula; ``read_rows`` removes it again."""
    return "'" + text if text.startswith(_FORMULA) else text


def plain_cell(text: str) -> str:
    """Remove the apostrophe that ``spreadsheet_safe`` added."""
    return text[1:] if text.startswith("'") and text[1:].startswith(_FORMULA) else text


def cell_of(cells: Sequence[str], column: Column | None) -> str:
    """Return the value of a column; empty if the row is too short or there is no such column."""
    return plain_cell(cells[column.place]) if column is not None and column.place < len(cells) else ""


def time_of(text: str, column: Column, film: Film) -> float:
    """Parse a time in the unit that its column's name states, or by ``timecode.seconds_of`` if it states none.

    Raises:
        ValueError: the text is not a time.
    """
    plain = text.strip().replace(",", ".").replace(".", "", 1).isdigit()
    if column.unit is None or not plain:
        return seconds_of(text, film.frame_rate)
    value = float(text.strip().replace(",", "."))
    return value * column.unit if column.unit else value / float(exact_rate(film.frame_rate))


def _split(path: Path, text: str) -> list[_Line]:
    """Split a CSV with the separator that gives the most known column names; row numbers are those of the file."""
    stated = _STATED.match(text)
    signs = _SEPARATORS + (stated[1] if stated and stated[1] not in _SEPARATORS else "")
    separator = max(signs, key=lambda sign: (_promise(text, sign), _first_line(text).count(sign)))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    lines: list[_Line] = []
    number = 0
    try:
        for number, cells in enumerate(reader, start=1):
            lines.append((number, [cell.strip() for cell in cells]))
    except csv.Error as error:
        raise SheetError(
            f"{printable(path)}, row {number + 1}: not CSV ({error}); a quote inside a quoted value is written twice, "
            f'"Scene ""1"""; or {AS_CSV}'
        ) from error
    return [(number, cells) for number, cells in lines[1 if stated else 0 :] if any(cells)]


def _first_line(text: str) -> str:
    return "".join(text.lstrip().splitlines()[:1])


def _promise(text: str, separator: str) -> int:
    """Return the largest number of known columns in any of the first rows if they are split by this separator."""
    head = "".join(text.splitlines(keepends=True)[: 2 * _ABOVE])
    reader = csv.reader(io.StringIO(head, newline=""), delimiter=separator)
    try:
        return max((len(header.columns) for header in _headers(list(enumerate(reader, start=1)))), default=0)
    except csv.Error:
        return 0


def _headers(lines: Sequence[_Line]) -> list[Header]:
    return [read_header(number, [one_line(cell) for cell in cells]) for number, cells in lines[:_ABOVE]]


def _header(path: Path, lines: list[_Line]) -> tuple[Header, list[_Line]]:
    """Find the row of the column names and the rows below it; drop trailing columns that are entirely empty."""
    if not lines:
        raise _empty(path)
    headers = _headers(lines)
    most = max(headers, key=lambda header: len(header.columns))  # the first if several are equal
    header = next((one for one in headers if one.is_whole()), most)
    rows = lines[headers.index(header) + 1 :]
    names = header.names
    while len(names) > 1 and not names[-1] and not any("".join(cells[len(names) - 1 :]) for _, cells in rows):
        names = names[:-1]  # spreadsheets leave commas behind
        rows = [(number, cells[: len(names)]) for number, cells in rows]
    return read_header(header.row, names), rows


def _empty(path: Path) -> SheetError:
    return SheetError(
        f"{printable(path)} is empty; it needs the columns {','.join(REQUIRED)} and one row a scene; {readable()}"
    )


def _with_emotion(header: Header, lines: list[_Line], vocabulary: Vocabulary) -> tuple[Header, list[str]]:
    """Use a column of emotions as ``intended`` if there is no such column and all values are valid intentions."""
    columns = dict(header.columns)
    column = columns.pop("emotion", None)
    if column is None:
        return header, []
    kept = header._replace(columns=columns, others=sorted([*header.others, column]))
    values = [(number, text) for number, cells in lines if (text := cell_of(cells, column))]
    if "intended" in columns or not values:
        return kept, []
    for number, text in values:
        try:
            vocabulary.parse(text)
        except ValueError:
            return kept, [
                f"column {column.name} is not read as intended, since row {number} has {text!r}; name it intended if "
                "it says what each scene is meant to show"
            ]
    taken = header._replace(columns={**columns, "intended": column})
    return taken, [f"column {column.name} is read as intended; name it otherwise if it says something else"]


def _row(path: Path, film: Film, header: Header, vocabulary: Vocabulary, number: int, cells: list[str]) -> Row:
    where = f"{printable(path)}, row {number}"
    while len(cells) > len(header.names) and not cells[-1]:
        cells = cells[:-1]  # spreadsheets leave commas behind
    if len(cells) > len(header.names):
        raise SheetError(
            f"{where}: {len(cells)} values for {len(header.names)} columns, the last is {cells[-1]!r}; "
            'put a value that contains the sign between columns in "quotes"'
        )
    columns = header.columns

    def cell(role: str) -> str:
        return cell_of(cells, columns.get(role))

    def seconds(role: str) -> float:
        try:
            return time_of(cell(role), columns[role], film)
        except ValueError as error:
            raise SheetError(f"{where}, column {columns[role].name}: {cell(role)!r} is no time: {error}") from error

    try:
        intended = vocabulary.read(cell("intended"))
    except ValueError as error:
        raise SheetError(f"{where}, column intended, {cell('intended')!r}: {error}") from error
    if ":" in cell("character") and _is_intention(cell("character")):
        raise SheetError(
            f"{where}, column character: {cell('character')!r} is a share of what is intended; "
            'write a mixture as "happy:0.6;neutral:0.4", in quotes'
        )
    name = one_line(cell("scene"))
    if not name:
        raise SheetError(f"{where}, column scene: '' is no name; give the scene one")
    start = seconds("start")
    times = [cell(role) for role in ("start", "end", "duration") if cell(role)]
    return Row(
        number=number,
        scene=name,
        start=start,
        end=seconds("end") if "end" in columns else start + seconds("duration"),
        hours=whole_hours(cell("start"), film.frame_rate) if columns["start"].unit is None else start // 3600 * 3600,
        intended=intended,
        character=one_line(cell("character")) or None,
        note=cell("note") or None,
        others=tuple(cell_of(cells, column) or None for column in header.others),
        counts_frames=all(map(is_timecode, times)),
    )


def _is_intention(text: str) -> bool:
    try:
        return bool(parse_intention(text))
    except ValueError:
        return False


def _detected(path: Path, film: Film, header: list[str], lines: list[_Line]) -> list[Row]:
    """Read the scenes of PySceneDetect: use their numbers as names, and snap their rounded seconds to frames."""
    missing = [name for name in _DETECTED if name not in header]
    if missing:
        raise SheetError(
            f"{printable(path)}: column {missing[0]!r} is missing; write the list with: scenedetect list-scenes"
        )
    places = [header.index(name) for name in _DETECTED]
    rate = float(exact_rate(film.frame_rate))
    rows = []
    for number, cells in lines:
        try:
            name, *times = (cells[place] for place in places)
            start, end = (seconds_of(text, film.frame_rate) for text in times)
        except (IndexError, ValueError) as error:
            raise SheetError(
                f"{printable(path)}, row {number}: no scene of PySceneDetect ({error}); list them again"
            ) from error
        rows.append(Row(number, name, _on_frame(start, rate), _on_frame(end, rate)))
    if not rows:
        raise SheetError(f"{printable(path)} lists no scene; PySceneDetect writes none of a film without cuts")
    return rows


def _on_frame(seconds: float, rate: float) -> float:
    frame = round(seconds * rate) / rate
    return frame if abs(frame - seconds) < _ROUNDED else seconds
