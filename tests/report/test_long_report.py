"""The report of a long film: detail that can be read, scenes that are found again, cards that open."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scenefer.comparison import scene_comparison
from scenefer.report import render
from scenefer.report.emotion_curves import coarse_curves
from tests.builders import expressions_table
from tests.edits import excluding
from tests.reports import analysed, intending

N = 130  # scenes of 10 s
TOP = "document.querySelector('#scene-{} h3').getBoundingClientRect().top"
LISTED = "[...document.querySelectorAll('.card')].filter((card) => !card.hidden).map((card) => card.id)"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of 130 scenes; every seventh was to show what it does not, and every scene of Ada's has a face of hers."""
    names = tuple(f"scene {k}, in the kitchen" for k in range(N))
    shown = ("angry", "happy", "neutral", "fear", "surprise", "disgust", "sad")
    sheet = intending(**{name: "sad" if k % 7 == 0 else shown[k % 7] for k, name in enumerate(names)})
    whole = analysed(names, sheet=sheet)
    whole.tracks.loc[whole.tracks["shot"] < 12, ["actor", "actor_name", "actor_confidence"]] = (0, "Ada", 0.9)
    whole = excluding(whole, (604.0, 608.0))
    path = tmp_path_factory.mktemp("long") / "report.html"
    path.write_text(render(whole, scene_comparison.of_run(whole)), encoding="utf-8")
    return path


@pytest.fixture
def page(browser: Any, report: Path, request: pytest.FixtureRequest) -> Iterator[Any]:
    """The report, opened in a window as wide as the test says."""
    made = browser.new_page(viewport={"width": getattr(request, "param", 1440), "height": 900}, reduced_motion="reduce")
    trouble: list[str] = []
    made.on("console", lambda message: trouble.append(message.text))
    made.on("pageerror", lambda error: trouble.append(str(error)))
    made.goto(report.as_uri())
    yield made
    made.close()
    assert trouble == []


def wait(page: Any, expression: str) -> None:
    deadline = time.monotonic() + 30
    while not page.evaluate(expression):
        assert time.monotonic() < deadline, expression
        page.wait_for_timeout(20)


def choose(page: Any, tool: str, value: str) -> list[int]:
    """Choose in a list of the scenes' tools, and return the scenes that are listed then."""
    page.select_option(f"[data-tool={tool}]", value)
    return [int(name.removeprefix("scene-")) for name in page.evaluate(LISTED)]


def test_a_coarse_curve_is_the_mean_of_a_part_and_blank_where_no_face_is():
    times = np.arange(0, 100, 0.5)
    sad = np.where(times < 5, 0.0, 0.5)
    others = dict.fromkeys(("neutral", "angry", "disgust", "fear", "surprise"), 0.0)
    scene = (times >= 10).astype(int)
    faces = expressions_table(time=times, scene=scene, happy=1 - sad, sad=sad, usable=times < 20, **others)
    at, shares, wanted = coarse_curves(faces, 100.0, {1: {"sad": 1.0}}, bins=10)
    assert at.tolist() == [0, 0, 5, 15, 20, 20]
    assert shares[:, 3].tolist() == pytest.approx([0, 75, 75, 50, 50, 0])
    assert shares[:, 4].tolist() == pytest.approx([0, 25, 25, 50, 50, 0])
    assert np.isnan(wanted[:3]).all()
    assert wanted[3:5].tolist() == pytest.approx([50, 50])


@pytest.mark.parametrize("page", [1440, 390], indirect=True)
def test_a_link_lands_at_its_scene_whose_card_opens(page: Any):
    assert page.evaluate("document.querySelectorAll('.card > details[open]').length") == 0
    for scene in (120, 3, 77):
        page.eval_on_selector(f".tile[href='#scene-{scene}']", "(link) => link.click()")
        wait(page, "new Promise((done) => { const y = scrollY; setTimeout(() => done(scrollY === y), 300); })")
        assert 40 < page.evaluate(TOP.format(scene)) < 100
        assert page.evaluate(f"document.querySelector('#scene-{scene} details').open")
        assert page.evaluate(f"document.querySelector('#scene-{scene} .body').getBoundingClientRect().height") > 100
    assert page.evaluate("document.querySelectorAll('.card > details[open]').length") == 3


@pytest.mark.parametrize("page", [1440, 390], indirect=True)
def test_closed_cards_have_their_bars_below_each_other_and_open_ones_one_left_edge(page: Any):
    left = "(all) => [...new Set(all.map((one) => Math.round(one.getBoundingClientRect().left)))]"
    assert len(page.eval_on_selector_all(".card .mix", left)) == 1
    page.evaluate("document.querySelector('#scene-7 details').open = true")
    assert len(page.eval_on_selector_all("#scene-7 .intended, #scene-7 .body", left)) == 1


def test_a_card_is_open_when_the_page_was_asked_for_there(browser: Any, report: Path):
    page = browser.new_page(viewport={"width": 390, "height": 900})
    page.goto(f"{report.as_uri()}#scene-99")
    wait(page, "document.querySelector('#scene-99 details').open")
    wait(page, "new Promise((done) => { const y = scrollY; setTimeout(() => done(scrollY === y), 400); })")
    assert 40 < page.evaluate(TOP.format(99)) < 100
    page.close()


def test_scenes_are_chosen_by_verdict_and_person_and_ordered_by_gap_and_name(page: Any):
    assert choose(page, "show", "all") == list(range(N))
    apart = choose(page, "show", "mismatch")
    assert apart == list(range(0, N, 7))
    said = page.evaluate("document.querySelector('.scene-tools output').textContent")
    assert said == f"{len(apart)} of {N} scenes"
    choose(page, "order", "gap")
    gaps = page.evaluate("[...document.querySelectorAll('.card:not([hidden])')].map((card) => +card.dataset.gap)")
    assert gaps == sorted(gaps, reverse=True)
    choose(page, "show", "all")
    by_name = choose(page, "order", "name")
    assert by_name == list(range(N))  # numbers in names count as numbers
    assert choose(page, "person", "0") == [0, 1, 2]
    assert choose(page, "show", "unjudged") == []
    assert choose(page, "person", "") == [N - 1]


def test_a_link_to_a_scene_that_is_not_listed_lists_all_again(page: Any):
    listed = choose(page, "show", "mismatch")
    other = next(scene for scene in range(60, N) if scene not in listed)
    page.evaluate(f"location.hash = 'scene-{other}'")
    wait(page, f"!document.getElementById('scene-{other}').hidden")
    wait(page, "new Promise((done) => { const y = scrollY; setTimeout(() => done(scrollY === y), 300); })")
    assert 40 < page.evaluate(TOP.format(other)) < 100
    assert page.evaluate("document.querySelector('[data-tool=show]').value") == "all"


def test_the_tools_and_cards_are_worked_by_keyboard(page: Any):
    page.focus("[data-tool=show]")
    page.keyboard.press("w")
    wait(page, f"document.querySelectorAll('.card[hidden]').length > {N // 2}")
    page.focus(".card:not([hidden]) summary")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.parentElement.open")
    page.focus("[data-tool=open]")
    page.keyboard.press("Enter")
    assert page.evaluate("document.querySelectorAll('.card > details:not([open])').length") == 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.querySelectorAll('.card > details[open]').length") == 0


def test_paper_has_every_card_open_and_the_window_gets_its_own_back(page: Any):
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    heights = page.eval_on_selector_all(".card .body", "(all) => all.map((one) => one.getBoundingClientRect().height)")
    assert len(heights) == N
    assert min(heights) > 20
    widths = page.eval_on_selector_all(".card .covered", "(all) => all.map((one) => one.getBoundingClientRect().width)")
    assert min(widths) > 180, "what is said beside the bars can be read"
    page.wait_for_selector("#arc[data-drawn=yes]")
    wait(page, "document.getElementById('arc').dataset.labelled.endsWith(',840')")
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.evaluate("document.querySelectorAll('.card > details[open]').length") == 0


@pytest.mark.parametrize("page", [1440, 390], indirect=True)
def test_names_of_the_strip_can_be_read_and_its_map_leads_along_the_film(page: Any):
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
    widths = page.eval_on_selector_all(".strip li", "(all) => all.map((one) => one.getBoundingClientRect().width)")
    assert len(widths) == N
    assert min(widths) >= 90
    pieces = page.evaluate(
        "getComputedStyle(document.querySelector('.strip-map')).backgroundImage.match(/rgb/g).length"
    )
    wide = page.evaluate("document.querySelector('.strip-map').clientWidth")
    assert pieces / 2 == min(N, wide // 3)  # each has its colour at both ends
    page.eval_on_selector(".strip-map", "(map) => map.scrollIntoView({ block: 'center' })")
    box = page.query_selector(".strip-map").bounding_box()
    page.mouse.click(box["x"] + 0.9 * box["width"], box["y"] + 5)
    assert page.evaluate("document.querySelector('.strip').scrollLeft") > 60 * 90


@pytest.mark.parametrize("page", [1440, 390], indirect=True)
def test_excluded_moments_are_hatched_in_the_map_of_the_strip(page: Any):
    box, piece = (page.locator(one).bounding_box() for one in (".strip-map", ".strip-map .excluded"))
    middle = (piece["x"] + piece["width"] / 2 - box["x"]) / box["width"]
    assert middle == pytest.approx((60 + 0.6) / N, abs=0.005), "seconds 4 to 8 of scene 60"
    assert 4 <= piece["width"] < 10
    assert piece["height"] == box["height"]
    assert page.locator(".strip .excluded").count() == 1


@pytest.mark.parametrize("page", [1440, 390], indirect=True)
def test_the_arc_names_as_many_scenes_as_can_be_read_and_draws_as_many_as_pixels_allow(page: Any):
    page.eval_on_selector("#arc", "(plot) => plot.scrollIntoView()")
    page.wait_for_selector("#arc[data-drawn=yes]")
    room = page.evaluate("document.querySelector('#arc .nsewdrag').getBoundingClientRect().width")
    boxes = "[...document.querySelectorAll('#arc .annotation-text')].map((one) => one.getBoundingClientRect())"
    names = page.evaluate(f"{boxes}.map(({{ left, right }}) => [left, right])")
    assert len(names) >= room // 220
    assert all(before[1] <= after[0] + 1 for before, after in pairwise(names))
    shapes = page.evaluate("document.getElementById('arc').layout.shapes.map((one) => [one.x0, one.x1, one.yref])")
    bands = [(right - left) / (10 * N) * room for left, right, of in shapes if of == "paper"]
    assert min(bands) >= 6.5
    assert len(bands) == (N if room / N >= 7 else pytest.approx(room / 7, rel=0.5))
    assert page.evaluate("document.getElementById('arc').dataset.curves") == "coarse"
    for _ in range(3):
        page.click("button[data-figure=arc][data-move=in]")
    wait(page, "document.getElementById('arc').dataset.curves === 'fine'")
    drawn = page.evaluate("document.getElementById('arc').layout.shapes.length")
    assert drawn == 2 * N  # a band and what was intended, each scene alone
