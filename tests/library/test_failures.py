from __future__ import annotations

import csv
from pathlib import Path

import pandas as pd
import pytest

from scenefer.core import tables
from scenefer.library import failures


def test_failures_become_tables_in_which_nothing_is_a_formula_or_a_control_character(tmp_path: Path):
    odd = Path("=1+1\n\x1b[31m.mp4")
    failures.note(tmp_path, odd, failures.describe(odd, None, "look", "\x1b[31mbad; do = this; or that", time=1.5))
    other = Path("b.mp4")
    failures.note(tmp_path, other, failures.describe(other, "ab", "observe", "torn", permanent=True, state="partial"))
    failures.write_tables(tmp_path, failures.read(tmp_path))
    table = tables.read(tmp_path / "library" / "failures.parquet", "failures")
    pd.testing.assert_frame_equal(table, tables.check(table, "failures"))
    assert table["film"].tolist() == ["=1+1\\n\\x1b[31m.mp4", "b.mp4"]
    assert table["error"].tolist() == ["\\x1b[31mbad", "torn"]
    assert table["remedy"].tolist() == ["do = this; or that", ""]
    assert table["permanent"].tolist() == [False, True]
    assert table["time"].iloc[0] == 1.5
    with (tmp_path / "library" / "failures.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[0]["film"] == "'=1+1\\n\\x1b[31m.mp4"
    assert rows[1]["permanent"] == "true"
    assert "\x1b" not in str(rows)


def test_a_film_that_succeeds_is_forgotten_and_a_later_failure_replaces_an_earlier(tmp_path: Path):
    film = Path("film.mp4")
    for message in ("first", "second"):
        failures.note(tmp_path, film, failures.describe(film, None, "look", message))
    assert [failure.error for failure in failures.read(tmp_path).values()] == ["second"]
    failures.forget(tmp_path, film)
    failures.forget(tmp_path, film)
    assert failures.read(tmp_path) == {}


def test_a_damaged_record_does_not_hide_the_others(tmp_path: Path):
    film = Path("film.mp4")
    failures.note(tmp_path, film, failures.describe(film, None, "look", "torn"))
    (tmp_path / "library" / "failures" / "0.json").write_text('{"film": ')
    assert len(failures.read(tmp_path)) == 1


@pytest.mark.parametrize(
    ("film", "message", "error", "remedy"),
    [
        (
            "/a/Tom; Jerry.mp4",
            "/a/Tom; Jerry.mp4 is empty; copy it again",
            "/a/Tom; Jerry.mp4 is empty",
            "copy it again",
        ),
        ("; .mp4", "; .mp4 is torn", "; .mp4 is torn", ""),
        ("/a/x.mp4", "the disk is full; free space; or go", "the disk is full", "free space; or go"),
    ],
)
def test_a_semicolon_in_the_name_of_a_film_ends_no_error(film: str, message: str, error: str, remedy: str):
    described = failures.describe(Path(film), None, "look", message)
    assert (described.error, described.remedy) == (error, remedy)
