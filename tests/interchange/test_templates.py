"""The sheet to fill in is read back as it was written, and never written over one that somebody filled in."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pandas as pd
import pytest

from scenefer.core.errors import OutputError, PlanError
from scenefer.core.film import Film
from scenefer.core.tables import conform
from scenefer.interchange.csv_rows import spreadsheet_safe
from scenefer.interchange.scene_lists import read_sheet
from scenefer.interchange.templates import write_pictures, write_template
from tests.builders import scenes_table, shots_table


def film() -> Film:
    return Film(Path("film.mp4"), "0" * 16, 1280, 720, 60.0, Fraction(25))


def test_the_template_is_read_back(tmp_path: Path):
    scenes = scenes_table(name=["1", "=1+1"], start=[0.0, 20.04], end=[20.04, 60.0])
    path = tmp_path / "scenes.csv"
    write_template(scenes, path)
    assert path.read_text().splitlines() == [
        "scene,start,end,intended,character,note",
        "1,0h00m00.000s,0h00m20.040s,,,",
        "'=1+1,0h00m20.040s,0h01m00.000s,,,",
    ]
    table, notices = read_sheet(path, film())
    assert table["scene"].tolist() == ["1", "=1+1"]
    assert table["end"].tolist() == [20.04, 60.0]
    assert notices == []
    assert list(tmp_path.iterdir()) == [path]


def test_a_sheet_that_may_be_filled_in_is_not_overwritten(tmp_path: Path):
    path = tmp_path / "scenes.csv"
    path.write_text("mine")
    with pytest.raises(PlanError, match="may be filled in"):
        write_template(scenes_table(name=["1"], start=[0.0], end=[2.0]), path)
    assert path.read_text() == "mine"


def test_a_template_that_cannot_be_written_is_an_error(tmp_path: Path):
    (tmp_path / "no folder").touch()
    with pytest.raises(OutputError, match="cannot be written"):
        write_template(scenes_table(name=["1"], start=[0.0], end=[2.0]), tmp_path / "no folder" / "scenes.csv")


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@a", "\ta"])
def test_a_cell_that_a_spreadsheet_would_compute_is_marked(text: str):
    assert spreadsheet_safe(text) == "'" + text
    assert spreadsheet_safe("rage = joy") == "rage = joy"


def test_a_list_that_says_what_is_intended_is_written_on(tmp_path: Path):
    path = tmp_path / "scenes.csv"
    said = pd.DataFrame(
        {
            "scene": ["a", "a", "b"],
            "intended": ["angry", "sad", None],
            "character": ["Ada", "@Bo", None],
            "note": [None, "-", "x"],
        }
    )
    write_template(scenes_table(name=["a", "b"], start=[0.0, 10.0]), path, said)
    assert path.read_text().splitlines()[1:] == [
        "a,0h00m00.000s,0h00m10.000s,angry,Ada,",
        "a,0h00m00.000s,0h00m10.000s,sad,'@Bo,'-",
        "b,0h00m10.000s,0h00m20.000s,,,x",
    ]


def test_pictures_lie_beside_the_sheet_in_the_order_of_the_scenes(tmp_path: Path):
    scenes = scenes_table(name=["1", '../a<b>: \n"c"', "9"], start=[0.0, 4.0, 8.0])
    shots = shots_table(start=[0.0, 2.0, 4.0, 8.0], end=[2.0, 4.0, 8.0, 18.0])
    pictures = conform({"time": [1.0, 3.0, 6.0, 9.0], "jpeg": [b"one", b"two", b"three", b"four"]}, "pictures")
    folder = write_pictures(scenes, shots, pictures, tmp_path / "film.csv")
    assert folder == tmp_path / "film-pictures"
    assert {path.name: path.read_bytes() for path in sorted(folder.iterdir())} == {
        "001-1.jpg": b"one",
        "001-2.jpg": b"two",
        "002-a_b_c-1.jpg": b"three",
        "003-9-1.jpg": b"four",
    }
    assert list(tmp_path.iterdir()) == [folder]


def test_pictures_of_an_earlier_sheet_are_not_written_over(tmp_path: Path):
    (tmp_path / "film-pictures").mkdir()
    with pytest.raises(PlanError, match="film-pictures exists"):
        write_template(scenes_table(name=["1"], start=[0.0]), tmp_path / "film.csv")
