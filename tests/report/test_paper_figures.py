"""The figures for papers have their names, sizes and type."""

from __future__ import annotations

import math
import re
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import matplotlib
import pandas as pd
import pytest
from PIL import Image

from scenefer.comparison import scene_comparison
from scenefer.core.language import Language
from scenefer.report import arc_plates, figure_captions, paper_figures
from scenefer.report.arc_plates import film_arcs
from scenefer.report.paper_figures import write_plates
from scenefer.report.paper_style import wrapped
from tests.edits import excluding
from tests.reports import analysed, compared, intending


def names(paths: list[Path]) -> list[str]:
    return [path.name for path in paths]


KINDS = ("png", "svg", "pdf", "txt")


def test_every_plate_is_written_as_png_svg_and_pdf_with_its_caption(tmp_path: Path):
    whole, found = compared(rage="angry", joy="happy:0.6;neutral:0.4", empty=None)
    written = write_plates(whole, found, tmp_path / "figures")
    assert names(written) == [f"{plate}.{kind}" for plate in ("film-arc", "scenes", "confusion") for kind in KINDS]
    assert {path.name for path in (tmp_path / "figures").iterdir()} == set(names(written))
    for path in written:
        if path.suffix == ".svg":
            assert ElementTree.parse(path).getroot().tag.endswith("svg")
        elif path.suffix == ".pdf":
            assert path.read_bytes().startswith(b"%PDF")
        elif path.suffix == ".txt":
            assert path.read_text("utf-8").startswith("film.mp4: ")
        else:
            with Image.open(path) as picture:
                assert picture.info["dpi"] == pytest.approx((300, 300), abs=0.1)
                assert picture.width <= 300 * 180 / 25.4 + 1


def test_without_intentions_there_is_no_confusion(tmp_path: Path):
    assert names(write_plates(analysed(), None, tmp_path)) == [
        f"{plate}.{kind}" for plate in ("film-arc", "scenes") for kind in KINDS
    ]


def test_many_scenes_are_divided_among_plates(tmp_path: Path):
    written = write_plates(analysed(tuple(f"s{k}" for k in range(30))), None, tmp_path)
    assert names(written)[4:] == [f"scenes-{n}.{kind}" for n in (1, 2) for kind in KINDS]


LONG = ("The kitchen at night", "Rage", "Lena and her mother argue about the letter", "INT. HOSPITAL CORRIDOR – DAY")


def forty():
    return analysed(tuple(f"{k} {LONG[k % 4]}" for k in range(40)))


def test_titles_of_forty_scenes_do_not_touch():
    whole = forty()
    with matplotlib.rc_context(paper_figures._STYLE):
        plate = paper_figures.scene_bars(whole, list(range(24)))
        plate.draw_without_rendering()
    bold = [text for text in plate.findobj(matplotlib.text.Text) if text.get_fontweight() == "bold" and text.get_text()]
    titles = [text.get_window_extent() for text in bold]
    assert len(titles) == 24
    assert not [1 for k, one in enumerate(titles) for other in titles[k + 1 :] if one.overlaps(other)]


def test_the_arc_of_forty_scenes_has_rows_and_names_apart():
    with matplotlib.rc_context(paper_figures._STYLE):
        (plate,) = film_arcs(forty())
        plate.draw_without_rendering()
    assert len(plate.axes) == 2
    steps = {round(b - a) for axes in plate.axes for a, b in pairwise(axes.get_xticks().tolist())}
    assert steps == {30}, "every row is divided alike"
    for axes in plate.axes:
        drawn = [text for text in axes.texts if text.get_text()]
        assert len(drawn) == 20
        at = sorted(text.get_transform().transform(text.get_position())[0] for text in drawn)
        apart = min(b - a for a, b in pairwise(at)) / plate.dpi * 72  # points
        assert apart * math.sin(math.radians(45)) > 8, "a line of 7 points is 8 high"


def test_names_that_fit_stand_level_and_those_in_a_heap_are_moved_apart():
    with matplotlib.rc_context(paper_figures._STYLE):
        (plate,) = film_arcs(analysed(("a", "b", "c")))
    assert {text.get_rotation() for text in plate.axes[0].texts} == {0}
    places = arc_plates._apart([98.0, 99.0, 99.5, 100.0], 0.0, 100.0)
    assert places[-1] == 100.0
    assert min(b - a for a, b in pairwise(places)) == pytest.approx(100 / 38)
    assert arc_plates._apart([10.0, 50.0], 0.0, 100.0) == [10.0, 50.0]


def test_a_title_is_wrapped_between_words_or_within_a_long_one():
    assert wrapped("Rage", 20) == "Rage"
    assert wrapped("Lena and her mother argue about it", 20) == "Lena and her mother\nargue about it"
    assert wrapped("愤怒的母亲在厨房里", 10) == "愤怒的母亲\n在厨房里"
    assert wrapped("x" * 50, 20) == f"{'x' * 20}\n{'x' * 19}…"


def test_captions_cite_as_the_project_asks(tmp_path: Path):
    facts = (Path(__file__).parents[2] / "CITATION.cff").read_text("utf-8")
    for said in (f"title: {figure_captions.TITLE}", f"- name: {figure_captions.AUTHORS}"):
        assert said in facts
    assert f"license: {figure_captions.LICENCE}" in facts
    whole, found = compared(rage="angry", joy="happy", empty=None)
    write_plates(whole, found, tmp_path)
    text = (tmp_path / "scenes.txt").read_text("utf-8")
    assert "Faces usable in 67\N{NO-BREAK SPACE}% of the film's time; expressions read by the weights rmn_face." in text
    assert "Cite: The scenefer authors: scenefer, version 0.1.0, Apache-2.0; and the papers" in text


def test_excluded_moments_are_hatched_in_the_arc_named_below_it_and_told_in_captions(tmp_path: Path):
    whole = excluding(analysed(sheet=intending(rage="angry", joy="happy", empty=None)), (2.0, 4.0), (12.0, 13.5))
    with matplotlib.rc_context(paper_figures._STYLE):
        (plate,) = film_arcs(whole)
        plate.draw_without_rendering()
    hatched = [patch for patch in plate.axes[0].patches if patch.get_hatch()]
    assert [(patch.get_x(), patch.get_width()) for patch in hatched] == [(2.0, 2.0), (12.0, 1.5)]
    (key,) = plate.legends
    assert key.get_texts()[-1].get_text() == "excluded by hand"
    assert key.get_patches()[-1].get_hatch()
    box = key.get_window_extent()
    assert box.x0 >= 0
    assert box.x1 <= plate.bbox.x1
    write_plates(whole, scene_comparison.of_run(whole), tmp_path)
    said = {name: (tmp_path / f"{name}.txt").read_text("utf-8") for name in ("film-arc", "scenes", "confusion")}
    assert "Hatched: moments that were excluded by hand, 3.5 s in all; no face in them counts." in said["film-arc"]
    for name in ("scenes", "confusion"):
        assert "Moments that were excluded by hand, 3.5 s in all, count in nothing shown here." in said[name]


def test_without_excluded_moments_nothing_is_hatched_or_told(tmp_path: Path):
    with matplotlib.rc_context(paper_figures._STYLE):
        (plate,) = film_arcs(analysed())
    assert not [patch for patch in plate.findobj(matplotlib.patches.Patch) if patch.get_hatch()]
    assert len(plate.legends[0].get_texts()) == 7
    write_plates(analysed(), None, tmp_path)
    assert "by hand" not in "".join(path.read_text("utf-8") for path in tmp_path.glob("*.txt"))


def test_a_name_is_text_and_no_formula(tmp_path: Path):
    sheet = intending(**{"$\\frac{1$": "angry", "<b>&": None})
    whole = analysed(("$\\frac{1$", "<b>&", "empty"), sheet=sheet)
    assert len(write_plates(whole, None, tmp_path)) == 8
    ElementTree.parse(tmp_path / "scenes.svg")


def test_characters_that_no_font_has_are_said_once_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(paper_figures, "_FALLBACKS", ())
    assert len(write_plates(analysed(("愤怒", "joy", "怒")), None, tmp_path)) == 8
    (said,) = caplog.messages
    assert said.startswith("no font here has 怒愤, in the names of scenes")
    assert paper_figures._lacking(["愤怒", "joy 1\t"], [paper_figures._FONT]) == "怒愤"


def test_names_that_the_font_has_are_drawn_without_a_word(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    write_plates(analysed(("Ярость", "Ärger", "joy")), None, tmp_path)
    assert caplog.messages == []


def test_the_same_run_gives_the_same_file(tmp_path: Path):
    first = write_plates(analysed(), None, tmp_path / "a")
    again = write_plates(analysed(), None, tmp_path / "b")
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in again]


def test_type_is_seven_points_or_more_and_written_in_the_language():
    whole, found = compared(rage="angry", joy="sad", empty=None)
    with matplotlib.rc_context(paper_figures._STYLE):
        drawn = [
            *film_arcs(whole, Language("id")),
            paper_figures.scene_bars(whole, [0, 1, 2], Language("id")),
        ]
        drawn.append(paper_figures.confusion(found, Language("id")))
        texts = [text for plate in drawn for text in plate.findobj(matplotlib.text.Text) if text.get_text().strip()]
    assert {"marah", "dimaksudkan", "wajah terlalu sedikit"} <= {text.get_text() for text in texts}
    assert min(text.get_fontsize() for text in texts) >= 7
    assert not any(re.search("intended|angry|faces", text.get_text()) for text in texts)


def test_the_bars_are_the_percentages_of_the_table():
    whole = analysed()
    with matplotlib.rc_context(paper_figures._STYLE):
        axes = paper_figures.scene_bars(whole, [0]).axes[0]
    bars = [patch.get_width() for patch in axes.patches]
    rows = whole.scene_emotions.query("scene == 0 and view == 'screen_time'")
    pd.testing.assert_series_equal(
        pd.Series(bars), rows["percent"].reset_index(drop=True), check_names=False, check_dtype=False
    )
