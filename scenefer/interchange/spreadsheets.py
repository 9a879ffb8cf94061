"""Read Excel workbooks, with cells as displayed; needs openpyxl, the extra ``xlsx``.

A cell that Excel stores as a time of day is returned as the displayed text: 0:01:30, not 0.00104 of a day.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

from scenefer.core.errors import SheetError
from scenefer.core.text import printable
from scenefer.interchange.decoding import read_bytes

SUFFIXES = (".xlsx", ".xlsm")

_UNPACKED = 200 << 20  # bytes of all its parts; a bomb has more
_OLD = b"\xd0\xcf\x11\xe0"  # magic bytes of .xls and of password-protected files
_EPOCH = datetime(1899, 12, 30)
_AS_CSV = "save it as .xlsx without a password, or as CSV UTF-8"


class Worksheet(NamedTuple):
    """The non-blank rows of a worksheet, each with its row number in the spreadsheet."""

    title: str
    lines: list[tuple[int, list[str]]]


def read_workbook(path: Path) -> list[Worksheet]:
    """Read the visible, non-empty worksheets of a workbook; formulas are read as their stored results.

    Raises:
        SheetError: it is not a workbook or is protected, or openpyxl is not installed.
    """
    try:
        import openpyxl
    except ImportError as error:
        raise SheetError(
            f"{printable(path)} needs openpyxl: pip install 'scenefer[xlsx]'; or save it as CSV UTF-8"
        ) from error
    raw = read_bytes(path)
    if raw.startswith(_OLD):
        raise SheetError(f"{printable(path)} is an old .xls or has a password; {_AS_CSV}")
    try:
        _refuse_bombs(raw)
        book = openpyxl.load_workbook(BytesIO(raw), read_only=True, data_only=True)
        sheets = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
        found = [Worksheet(sheet.title, list(_lines(sheet))) for sheet in sheets]
    except Exception as error:  # openpyxl does not validate its input: a damaged part can raise anything
        why = " ".join(str(error).split())[:120] or type(error).__name__
        raise SheetError(f"{printable(path)} cannot be read as a workbook ({why}); {_AS_CSV}") from error
    return [sheet for sheet in found if sheet.lines]


def _refuse_bombs(raw: bytes) -> None:
    with zipfile.ZipFile(BytesIO(raw)) as archive:
        parts = archive.infolist()
        if sum(part.file_size for part in parts) > _UNPACKED:
            raise ValueError(f"it unpacks to over {_UNPACKED >> 20} MB")
        for part in parts:
            if part.filename.endswith((".xml", ".rels")) and b"<!ENTITY" in archive.read(part).replace(b"\0", b""):
                raise ValueError(f"{part.filename} declares entities, which no spreadsheet does")


def _lines(sheet: Any) -> Iterator[tuple[int, list[str]]]:
    sheet.reset_dimensions()  # some programs write wrong dimensions
    for number, row in enumerate(sheet.iter_rows(), start=1):
        cells = [_shown(cell) for cell in row]
        if any(cells):
            yield number, cells


def _shown(cell: Any) -> str:
    """Format a cell as the spreadsheet displays it; a time has no seconds if the cell format has none."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float):
        return f"{value:.15g}"
    if isinstance(value, datetime) and value.year > 1904:
        return value.isoformat(sep=" ")
    if isinstance(value, datetime):  # a time of 24 hours or more
        value = value - _EPOCH
    if isinstance(value, time):
        value = timedelta(hours=value.hour, minutes=value.minute, seconds=value.second, microseconds=value.microsecond)
    if isinstance(value, timedelta):
        return _clock(value, str(cell.number_format))
    return str(value).strip()


def _clock(value: timedelta, form: str) -> str:
    seconds = round(value.total_seconds(), 3)
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    if "s" not in form.casefold():  # typed as 1:30, which a sheet of scenes means as minutes and seconds
        return f"{hours}:{minutes:02}"
    return f"{hours}:{minutes:02}:{rest:06.3f}"
