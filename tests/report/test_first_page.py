"""The first page: one calm curve, where to look again, and one sheet of paper."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scenefer.analysis.scene_emotions import summarise
from scenefer.analysis.scene_views import EmotionSettings
from scenefer.comparison import scene_comparison
from scenefer.core.language import ENGLISH, Language
from scenefer.report import cards, director, intended_vs_detected, render
from scenefer.report.balance_curve import SIGNS, balance
from scenefer.report.moments import moments
from tests.builders import expressions_table
from tests.edits import excluding
from tests.reports import NASTY, Page, analysed, compared, intending


def curve(meant: dict[int, dict[str, float]] | None = None, **shares: Any):
    times = np.arange(0, 40, 0.2)
    faces = expressions_table(time=times, track=0, shot=0, scene=(times // 20).astype(int), weight=0.2, **shares)
    return balance(faces, meant or {}, 40.0)


def first_page(whole: Any, found: Any = None, language: Language = ENGLISH) -> dict[str, Any]:
    scenes = cards.scene_cards(whole, intended_vs_detected.of_scenes(found, language), language)
    return director.page(whole, found, scenes, 30.0, language)


def test_surprise_and_neutral_count_for_neither_side():
    signs = {"happy": 1, "angry": -1, "disgust": -1, "fear": -1, "sad": -1, "surprise": 0, "neutral": 0}
    assert signs == SIGNS


def test_the_balance_is_happy_less_the_four_unpleasant_in_points():
    mixed = curve(happy=0.5, sad=0.1, fear=0.1, neutral=0.3)
    assert mixed.detected == pytest.approx(np.full(200, 30.0))
    assert np.isnan(mixed.intended).all()
    assert mixed.reach == 50.0


def test_the_intended_balance_is_smoothed_as_the_detected_one_is():
    """A film that shows exactly what was intended has one curve twice."""
    happy = np.where(np.arange(0, 40, 0.2) < 20, 1.0, 0.0)
    found = curve(
        {0: {"happy": 1.0}, 1: {"sad": 0.6, "neutral": 0.4}},
        happy=happy,
        sad=0.6 * (1 - happy),
        neutral=0.4 * (1 - happy),
    )
    assert found.detected == pytest.approx(found.intended)
    assert found.detected[[0, -1]] == pytest.approx([100, -60], abs=0.1)


def test_there_is_no_curve_where_no_face_is_usable_nor_an_intended_one_where_nothing_was():
    times = np.arange(0, 40, 0.2)
    faces = expressions_table(time=times, scene=(times // 20).astype(int), happy=1.0, usable=times < 20)
    gone = balance(faces, {}, 40.0)
    assert np.isfinite(gone.detected[gone.time < 20]).all()
    assert np.isnan(gone.detected[gone.time > 23]).all()
    half = curve({0: {"happy": 1.0}}, happy=1.0)
    assert np.isfinite(half.intended[half.time < 19]).all()
    assert np.isnan(half.intended[half.time > 21]).all()


def test_the_moments_are_the_scenes_furthest_from_what_was_intended():
    whole, found = compared(rage="angry", joy="sad", empty="fear")
    (moment,) = moments(whole, found, ENGLISH)
    joy = whole.scene_emotions.loc[whole.scene_emotions["scene"] == 1].set_index(["view", "emotion"])["percent"]
    share = {emotion: round(joy["screen_time", emotion]) for emotion in ("happy", "sad")}
    assert moment.scene == 1
    assert moment.sentence.replace("\N{NO-BREAK SPACE}", " ") == (
        f"Intended: sad. The faces mostly show happy ({share['happy']} %); sad makes up {share['sad']} %."
    )
    assert moment.jpeg in set(whole.pictures["jpeg"])
    assert 10 <= moment.time < 20


def test_the_picture_is_of_where_the_scene_departs_most():
    whole, found = compared(rage="angry", joy="sad", empty="fear")
    rows = whole.expressions
    worst = (rows["scene"] == 1) & rows["time"].between(17.6, 18.6)
    rows.loc[rows["scene"] == 1, "sad"] = 0.2
    rows.loc[worst, "sad"] = 0.0
    assert moments(whole, found, ENGLISH)[0].time == 18.0  # pictures are kept every two seconds


def test_without_an_intention_they_are_the_scenes_that_depart_most_from_the_film():
    whole = analysed(("a", "b", "c", "d", "empty"))
    rows = whole.expressions
    emotions = list(SIGNS)
    rows.loc[rows["scene"] != 2, emotions] = np.array([0, 0, 0, 0.1, 0.1, 0, 0.8], np.float32)
    rows.loc[rows["scene"] == 2, emotions] = np.array([0, 0, 0, 0, 0.9, 0, 0.1], np.float32)
    table = summarise(rows, whole.samples, whole.scenes, whole.tracks, EmotionSettings(resamples=50))
    first, *_ = moments(replace(whole, scene_emotions=table), None, ENGLISH)
    assert first.scene == 2
    assert first.sentence.replace("\N{NO-BREAK SPACE}", " ") == (
        "The faces show sad far more than elsewhere: 90 % here, 30 % over the film."
    )


def test_a_film_without_usable_faces_has_no_curve_and_no_moments():
    whole = analysed(("nobody",))
    page = first_page(whole)
    assert page["curve"] is None
    assert page["moments"] == []
    assert page["found"].startswith("No face was found.")


def test_a_film_of_a_glance_says_so_on_its_first_page():
    whole = analysed()
    brief = replace(whole, scene_emotions=whole.scene_emotions.assign(percent=np.nan))
    assert first_page(brief)["found"] == "No scene shows enough usable faces for percentages."


def test_moments_have_the_timecode_of_the_film():
    whole, found = compared(rage="angry", joy="sad", empty="fear")
    whole = replace(whole, film=replace(whole.film, timecode="01:00:00:00"))
    (moment,) = first_page(whole, found)["moments"]
    assert moment["when"] == f"01:00:{int(moment['time']):02}:00"


@pytest.mark.parametrize("timecode", ["00:00:00;00", "00:00:00:29", "reel 4"])
def test_a_timecode_that_does_not_exist_counts_from_zero(timecode: str):
    whole, found = compared(rage="angry", joy="sad", empty="fear")
    whole = replace(whole, film=replace(whole.film, timecode=timecode))
    (moment,) = first_page(whole, found)["moments"]
    assert moment["when"] == f"00:00:{int(moment['time']):02}:00"


def test_a_rate_that_is_nearly_a_standard_one_is_that():
    """A container's average of 24.0019 frames a second would be 13 frames ahead after two hours."""
    whole, found = compared(rage="angry", joy="sad", empty="fear")
    late = whole.pictures.assign(time=whole.pictures["time"] + 7000)
    whole = replace(
        whole,
        film=replace(whole.film, frame_rate=Fraction(240019, 10000), timecode="00:00:00:00"),
        pictures=late,
        expressions=whole.expressions.assign(time=whole.expressions["time"] + 7000),
        scenes=whole.scenes.assign(start=whole.scenes["start"] + 7000, end=whole.scenes["end"] + 7000),
    )
    (moment,) = first_page(whole, found)["moments"]
    assert moment["when"] == f"01:56:{40 + int(moment['time']) - 7000:02}:00"


def test_it_comes_first_and_names_stay_text():
    sheet = intending(**{name: "sad" for name in NASTY})
    html = render(analysed(NASTY, sheet=sheet))
    assert html.index('class="director"') < html.index('class="facts"') < html.index('id="player"')
    assert NASTY[0] not in html
    text = Page(render(*compared(rage="angry", joy="sad", empty="fear"))).text
    assert text.index("One moment to look at again") < text.index("Where to look")


@pytest.mark.parametrize("code", ["en", "id"])
def test_it_fits_on_one_sheet_of_paper(browser: Any, tmp_path: Path, code: str):
    names = tuple(f"the kitchen of the old house, before dawn, take {n}" for n in range(8))
    sheet = intending(**{name: "disgust:0.6;surprise:0.4" for name in names})
    whole = analysed(names, sheet=sheet)
    film = replace(whole.film, path=Path("A rather long name of a film, final cut of november.mp4"))
    whole = excluding(replace(whole, film=film), (2.0, 4.0))
    validated = {"people": 2, "faces": 60, "accuracy": [0.81, 0.7, 0.9]}
    whole = replace(whole, run={**whole.run, "validation": validated})
    path = tmp_path / "report.html"
    path.write_text(render(whole, scene_comparison.of_run(whole), Language(code)), encoding="utf-8")
    page = browser.new_page()
    page.goto(path.as_uri())
    page.evaluate("window.print = () => {}")
    page.click("#print-first")
    whole_page, first = r"/Type\s*/Page\b", page.pdf(prefer_css_page_size=True, print_background=True)
    assert len(re.findall(whole_page.encode(), first)) == 1
    assert len(page.query_selector_all(".director .trust")) == 3
    assert "81\N{NO-BREAK SPACE}% (70" in page.inner_text(".judged"), "the sign stays with its number"
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.querySelector('.director')).breakAfter") == "page"
    assert len(page.query_selector_all(".moments li")) == 3
    page.close()
