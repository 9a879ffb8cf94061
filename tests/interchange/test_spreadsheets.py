"""A workbook is read as the cells that a person sees in it."""

from __future__ import annotations

import sys
import zipfile
from datetime import datetime, time, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from scenefer.core.errors import SheetError
from scenefer.core.film import Film
from scenefer.interchange.scene_lists import read_sheet

openpyxl = pytest.importorskip("openpyxl")


def film() -> Film:
    return Film(Path("film.mp4"), "0" * 16, 1280, 720, 7000.0, Fraction(25))


def workbook(path: Path, sheets: dict[str, list[list[Any]]], formats: dict[str, str] | None = None) -> Path:
    """Write a workbook: rows by worksheet, and formats of numbers by cell of the last one."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
        for place, form in (formats or {}).items():
            sheet[place].number_format = form
    book.save(path)
    return path


def read(path: Path) -> tuple[pd.DataFrame, list[str]]:
    return read_sheet(path, film())


HEADER = ["scene", "start", "end", "intended"]


@pytest.mark.parametrize("name", ["x.xlsx", "x.XLSX", "x.xlsm"])
def test_texts_and_numbers_are_what_they_are_in_a_csv(name: str, tmp_path: Path):
    rows = [HEADER, [1, 0, 10.5, "happy:0.6;neutral:0.4"], ["two", "00:00:10:13", "0:00:20", None]]
    table, notices = read(workbook(tmp_path / name, {"Sheet1": rows}))
    assert table["scene"].tolist() == ["1", "two"]
    assert table["start"].tolist() == pytest.approx([0, 10.52])
    assert table["end"].tolist() == [10.5, 20]
    assert table["intended"].tolist() == ["happy:0.6;neutral:0.4", None]
    assert notices == []


@pytest.mark.parametrize(
    ("value", "form", "seconds"),
    [
        (time(0, 1, 30), "h:mm:ss", 90),
        (time(1, 30), "h:mm", 90),  # typed as 1:30, and shown so
        (timedelta(hours=1, minutes=30), "[h]:mm:ss", 5400),
        (timedelta(seconds=90, milliseconds=500), "mm:ss.0", 90.5),
        (datetime(2026, 1, 1, 0, 1, 30), "yyyy-mm-dd", None),
        (0.1 + 0.2, "0.0", 0.3),
    ],
)
def test_a_time_of_day_is_the_time_that_is_shown(value: object, form: str, seconds: float | None, tmp_path: Path):
    path = workbook(tmp_path / "x.xlsx", {"a": [HEADER, ["1", 0, value, None]]}, {"C2": form})
    if seconds is None:
        with pytest.raises(SheetError, match="'2026-01-01 00:01:30' is no time"):
            read(path)
    else:
        assert read(path)[0]["end"].tolist() == pytest.approx([seconds], abs=1e-9)


def test_cells_that_keep_times_as_numbers_are_refused_with_the_format_to_give_them(tmp_path: Path):
    rows = [HEADER, ["1", 0, 30 / 86400, "happy"], ["2", 30 / 86400, 90 / 86400, "sad"]]
    path = workbook(tmp_path / "x.xlsx", {"a": rows})
    with pytest.raises(SheetError, match=r"0.00104167 is 0:01:30.000.*format \[h\]:mm:ss"):
        read(path)
    shown = workbook(path, {"a": rows}, {cell: "h:mm:ss" for cell in ("B2", "C2", "B3", "C3")})
    assert read(shown)[0]["end"].tolist() == [30, 90]


def test_the_first_worksheet_with_scenes_is_read_and_said_and_rows_count_from_its_top(tmp_path: Path):
    rows = [["Scene list of My Film"], [], HEADER, ["1", 0, "soon", None]]
    path = workbook(tmp_path / "x.xlsx", {"Cast": [["Ada", "Bo"]], "Scenes": rows, "Empty": []})
    with pytest.raises(SheetError, match=r"x\.xlsx, row 4, column end: 'soon' is no time"):
        read(path)
    rows[3][2] = 10
    table, notices = read(workbook(path, {"Cast": [["Ada", "Bo"]], "Scenes": rows, "Empty": []}))
    assert table["end"].tolist() == [10]
    assert notices == ["x.xlsx: of its 2 worksheets 'Scenes' was read"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "not a zip file"),
        (b"PK\x03\x04 and no more", "cannot be read as a workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "is an old .xls or has a password"),
        (b"scene,start,end\na,0,5\n", "not a zip file"),
    ],
)
def test_what_is_no_workbook_is_refused_in_one_line(content: bytes, why: str, tmp_path: Path):
    (tmp_path / "x.xlsx").write_bytes(content)
    with pytest.raises(SheetError, match=why) as error:
        read(tmp_path / "x.xlsx")
    assert "\n" not in str(error.value)
    assert "save it as .xlsx" in str(error.value)


def test_an_empty_workbook_is_refused(tmp_path: Path):
    with pytest.raises(SheetError, match="is empty"):
        read(workbook(tmp_path / "x.xlsx", {"a": []}))


@pytest.mark.parametrize("part", ["entities", "bomb"])
def test_a_workbook_that_would_burst_is_refused(part: str, tmp_path: Path):
    path = workbook(tmp_path / "x.xlsx", {"a": [HEADER, ["1", 0, 10, None]]})
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        if part == "entities":
            text = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'
            archive.writestr("xl/more.xml", text.encode("utf-16"))
        else:
            archive.writestr("xl/more.bin", bytes(201 << 20))
    with pytest.raises(SheetError, match="declares entities" if part == "entities" else "unpacks to over 200 MB"):
        read(path)


def test_without_openpyxl_it_is_said_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = workbook(tmp_path / "x.xlsx", {"a": [HEADER]})
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(SheetError, match=r"pip install 'scenefer\[xlsx\]'"):
        read(path)
