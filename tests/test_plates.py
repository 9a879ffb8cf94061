"""The figures for papers have their names, sizes and type."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import matplotlib
import pandas as pd
import pytest
from PIL import Image

from scenefer import plates
from scenefer.language import Language
from scenefer.plates import write_plates
from tests.test_report import analysed, compared, intending


def names(paths: list[Path]) -> list[str]:
    return [path.name for path in paths]


def test_every_plate_is_written_as_png_and_svg(tmp_path: Path):
    whole, found = compared(rage="angry", joy="happy:0.6;neutral:0.4", empty=None)
    written = write_plates(whole, found, tmp_path / "figures")
    assert names(written) == [
        f"{plate}.{kind}" for plate in ("film-arc", "scenes", "confusion") for kind in ("png", "svg")
    ]
    assert {path.name for path in (tmp_path / "figures").iterdir()} == set(names(written))
    for path in written:
        if path.suffix == ".svg":
            assert ElementTree.parse(path).getroot().tag.endswith("svg")
        else:
            with Image.open(path) as picture:
                assert picture.info["dpi"] == pytest.approx((300, 300), abs=0.1)
                assert picture.width <= 300 * 180 / 25.4 + 1


def test_without_intentions_there_is_no_confusion(tmp_path: Path):
    assert names(write_plates(analysed(), None, tmp_path)) == [
        "film-arc.png",
        "film-arc.svg",
        "scenes.png",
        "scenes.svg",
    ]


def test_many_scenes_are_divided_among_plates(tmp_path: Path):
    written = write_plates(analysed(tuple(f"s{k}" for k in range(30))), None, tmp_path)
    assert names(written)[2:] == ["scenes-1.png", "scenes-1.svg", "scenes-2.png", "scenes-2.svg"]


def test_a_name_is_text_and_no_formula(tmp_path: Path):
    sheet = intending(**{"$\\frac{1$": "angry", "<b>&": None})
    whole = analysed(("$\\frac{1$", "<b>&", "empty"), sheet=sheet)
    assert len(write_plates(whole, None, tmp_path)) == 4
    ElementTree.parse(tmp_path / "scenes.svg")


def test_characters_that_no_font_has_are_said_once_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(plates, "_FALLBACKS", ())
    assert len(write_plates(analysed(("愤怒", "joy", "怒")), None, tmp_path)) == 4
    (said,) = caplog.messages
    assert said.startswith("no font here has 怒愤, in the names of scenes")
    assert plates._lacking(["愤怒", "joy 1\t"], [plates._FONT]) == "怒愤"


def test_names_that_the_font_has_are_drawn_without_a_word(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    write_plates(analysed(("Ярость", "Ärger", "joy")), None, tmp_path)
    assert caplog.messages == []


def test_the_same_run_gives_the_same_file(tmp_path: Path):
    first = write_plates(analysed(), None, tmp_path / "a")
    again = write_plates(analysed(), None, tmp_path / "b")
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in again]


def test_type_is_seven_points_or_more_and_written_in_the_language():
    whole, found = compared(rage="angry", joy="sad", empty=None)
    with matplotlib.rc_context(plates._STYLE):
        drawn = [plates.film_arc(whole, Language("id")), plates.scene_bars(whole, [0, 1, 2], Language("id"))]
        drawn.append(plates.confusion(found, Language("id")))
        texts = [text for plate in drawn for text in plate.findobj(matplotlib.text.Text) if text.get_text().strip()]
    assert {"marah", "dimaksudkan", "wajah terlalu sedikit"} <= {text.get_text() for text in texts}
    assert min(text.get_fontsize() for text in texts) >= 7
    assert not any(re.search("intended|angry|faces", text.get_text()) for text in texts)


def test_the_bars_are_the_percentages_of_the_table():
    whole = analysed()
    with matplotlib.rc_context(plates._STYLE):
        axes = plates.scene_bars(whole, [0]).axes[0]
    bars = [patch.get_width() for patch in axes.patches]
    rows = whole.scene_emotions.query("scene == 0 and view == 'screen_time'")
    pd.testing.assert_series_equal(
        pd.Series(bars), rows["percent"].reset_index(drop=True), check_names=False, check_dtype=False
    )
