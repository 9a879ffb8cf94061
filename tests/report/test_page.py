"""The report in a browser: all of it works, by mouse and by keyboard, asks for nothing, and can be read by all."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from scenefer.core.language import ENGLISH, Language
from scenefer.report import render
from tests.reports import NASTY, analysed, compared, intending

SCREENSHOTS = Path(__file__).parents[2] / "screenshots"  # git-ignored: to be looked at
SIZES = [(1440, "light"), (1440, "dark"), (390, "light"), (390, "dark")]

INDEX = """[...document.querySelectorAll("{}")].indexOf(document.activeElement)"""

Open = Callable[..., tuple[Any, list[str]]]


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Open]:
    """Open a report from disk, with its figures drawn: the page, and what it complained about or asked for."""
    context = browser.new_context()
    trouble: list[str] = []

    def open_(html: str, width: int = 1440, scheme: str = "light", drawn: bool = True) -> tuple[Any, list[str]]:
        path = tmp_path / "report.html"
        path.write_text(html, encoding="utf-8")
        page = context.new_page()
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.on("console", lambda message: trouble.append(message.text))
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.on("request", lambda request: trouble.append(request.url) if request.url[:5] != "data:" else None)
        page.on("dialog", lambda dialog: trouble.append("dialog"))
        page.goto(path.as_uri())
        if drawn:
            for name in ("arc", "lanes"):
                page.eval_on_selector(f"#{name}", "(plot) => plot.scrollIntoView()")
                page.wait_for_selector(f"#{name}[data-drawn=yes]")
            page.evaluate("scrollTo(0, 0)")
        assert trouble.pop(0) == path.as_uri()
        return page, trouble

    yield open_
    context.close()


def judged(language: Language = ENGLISH) -> str:
    """A report with a scene of every verdict that the built film can have, and one without evidence."""
    whole, found = compared(rage="angry", joy="sad", empty="fear")
    return render(whole, found, language)


def wait(page: Any, expression: str) -> None:
    """Wait until something holds; Playwright's own waiting evaluates text in the page, which the policy forbids."""
    deadline = time.monotonic() + 30
    while not page.evaluate(expression):
        assert time.monotonic() < deadline, expression
        page.wait_for_timeout(20)


def span(page: Any, name: str) -> list[float]:
    return page.evaluate(f"document.getElementById('{name}').layout.xaxis.range")


@pytest.mark.parametrize(("width", "scheme"), SIZES)
def test_the_report_opens_without_complaint_or_request_and_fits(opened: Open, width: int, scheme: str):
    page, trouble = opened(judged(), width, scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("document.querySelectorAll('#arc .scatterlayer .trace').length") == 11
    assert page.evaluate("document.querySelectorAll('#lanes .barlayer .point').length") == 8
    SCREENSHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"report-{width}-{scheme}.png", full_page=True)
    assert trouble == []


@pytest.mark.parametrize("width", [1440, 390])
def test_every_link_button_and_summary_does_something(opened: Open, width: int):
    page, trouble = opened(judged(), width)
    for link in page.query_selector_all("a[href]"):
        target = link.get_attribute("href")
        link.focus()
        link.press("Enter")
        assert page.evaluate("location.hash") == target
        assert page.evaluate("document.querySelector(location.hash) !== null"), target
    for link in page.query_selector_all("main a[href]"):
        link.click()
        assert page.evaluate("location.hash") == link.get_attribute("href")
    for summary in page.query_selector_all("summary"):
        summary.click()
        assert page.evaluate("(element) => element.parentElement.open", summary)
    for name in ("arc", "lanes"):
        for move, expected in (
            ("in", [7.5, 22.5]),
            ("on", [15, 30]),
            ("back", [7.5, 22.5]),
            ("out", [0, 30]),
            ("in", [7.5, 22.5]),
            ("all", [0, 30]),
        ):
            page.click(f"button[data-figure={name}][data-move={move}]")
            assert span(page, name) == expected
    assert len(page.query_selector_all("button")) == 13
    assert trouble == []


def test_a_click_on_the_arc_leads_to_its_scene_and_a_drag_zooms(opened: Open):
    page, trouble = opened(judged())
    page.eval_on_selector("#arc", "(plot) => plot.scrollIntoView({block: 'center'})")
    area = page.query_selector("#arc .nsewdrag").bounding_box()
    page.mouse.move(area["x"] + area["width"] / 2, area["y"] + area["height"] / 2)  # in the second of three scenes
    page.wait_for_selector("#arc .hoverlayer .legend")
    page.mouse.down()
    page.mouse.up()
    wait(page, "location.hash === '#scene-1'")
    page.eval_on_selector("#arc", "(plot) => plot.scrollIntoView({block: 'center'})")
    area = page.query_selector("#arc .nsewdrag").bounding_box()
    page.mouse.move(area["x"] + 0.1 * area["width"], area["y"] + 60)
    page.mouse.down()
    page.mouse.move(area["x"] + 0.4 * area["width"], area["y"] + 60, steps=5)
    page.mouse.up()
    wait(page, "document.getElementById('arc').layout.xaxis.range[1] < 20")
    assert span(page, "arc") == pytest.approx([3, 12], abs=0.5)
    assert trouble == []


def test_all_of_it_is_reached_and_worked_by_keyboard(opened: Open):
    page, trouble = opened(judged())
    focusable = "a[href], button, summary, [tabindex='0']"
    wanted = page.evaluate(f'document.querySelectorAll("{focusable}").length')
    assert wanted >= 30
    # Where the next Tab goes from: to draw the figures they were scrolled to, which moves it in some browsers.
    page.evaluate("document.body.tabIndex = -1; document.body.focus()")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
    reached = [page.evaluate(INDEX.format(focusable))]
    for _ in range(wanted - 1):
        page.keyboard.press("Tab")
        reached.append(page.evaluate(INDEX.format(focusable)))
    assert reached == list(range(wanted))
    page.focus(".skip")
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#scenes"
    page.focus("button[data-figure=arc][data-move=in]")
    page.keyboard.press("Space")
    assert span(page, "arc") == [7.5, 22.5]
    page.focus("summary")
    page.keyboard.press("Enter")
    assert page.evaluate("document.querySelector('details').open")
    outline = page.evaluate("getComputedStyle(document.querySelector('summary')).outlineStyle")
    assert outline == "solid"
    assert trouble == []


@pytest.mark.parametrize(("width", "scheme"), SIZES)
@pytest.mark.parametrize("code", ["en", "id"])
def test_axe_finds_no_serious_problem(opened: Open, width: int, scheme: str, code: str):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page, _ = opened(judged(Language(code)), width, scheme)
    page.eval_on_selector_all("details", "(all) => all.forEach((one) => { one.open = true; })")
    response = axe.Axe().run(page).response
    assert len(response["passes"]) > 20  # rules that had something to look at
    grave = [
        (problem["id"], problem["impact"], [node["html"][:120] for node in problem["nodes"]][:3])
        for problem in response["violations"]
        if problem["impact"] in ("serious", "critical")
    ]
    assert grave == []


def test_titles_names_and_notes_stay_text_once_the_scripts_have_run(opened: Open):
    sheet = intending(**{name: "sad" for name in NASTY})
    sheet["note"] = NASTY[::-1]
    whole = analysed(NASTY, sheet=sheet)
    page, trouble = opened(render(whole))
    labels = page.evaluate("[...document.querySelectorAll('#arc .annotation-text')].map((text) => text.textContent)")
    assert len(labels) == len(NASTY)
    for label, name in zip(labels, NASTY, strict=True):
        assert name.startswith(re.sub("…$", "", label))
    assert page.evaluate("[...document.querySelectorAll('.note')].map((note) => note.textContent)") == list(NASTY[::-1])
    assert page.evaluate("document.querySelectorAll('script').length") == 17
    assert page.evaluate("document.querySelectorAll('[onerror]').length") == 0
    assert trouble == []


def test_on_paper_nothing_is_hidden_and_figures_fit(opened: Open):
    page, trouble = opened(judged())
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    wait(page, "document.querySelector('#lanes .main-svg').clientWidth === 840")
    for shown in (".card", ".research p", "#arc .main-svg", "#lanes .main-svg"):
        heights = page.eval_on_selector_all(shown, "(all) => all.map((one) => one.getBoundingClientRect().height)")
        assert heights, shown
        assert min(heights) > 10, shown
    assert page.evaluate("getComputedStyle(document.querySelector('nav')).display") == "flex"
    assert page.evaluate("document.querySelector('.bar').getBoundingClientRect().height") == 0
    assert page.pdf(format="A4", print_background=True).startswith(b"%PDF")
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert trouble == []


def test_on_paper_two_cards_stand_on_a_page(opened: Open):
    page, _ = opened(judged(), width=703, drawn=False)  # px: A4 less its margins
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    heights = page.eval_on_selector_all(".card", "(all) => all.map((one) => one.getBoundingClientRect().height)")
    assert 100 < max(heights) < 1031 / 2
    for row in page.query_selector_all(".detected, .bars, .faces"):
        assert row.evaluate("(one) => one.scrollWidth <= one.clientWidth + 1"), row.get_attribute("class")


def test_paper_has_the_weights_and_settings_that_are_open_and_says_where_the_others_stand(opened: Open):
    page, _ = opened(judged(), drawn=False)
    groups = page.query_selector_all(".made-with")
    assert len(groups) >= 2
    assert not page.is_visible(".on-paper")
    page.emulate_media(media="print")
    assert page.is_visible(".on-paper")
    assert not any(group.is_visible() for group in groups)
    page.emulate_media(media="screen")
    for group in groups:
        group.query_selector("summary").click()
    page.emulate_media(media="print")
    assert all(group.query_selector("table").is_visible() for group in groups)
    assert not page.is_visible(".on-paper")


@pytest.mark.parametrize("width", [1440, 390])
def test_names_of_scenes_over_the_arc_can_be_told_apart(opened: Open, width: int):
    names = tuple(
        f"{name} {k}" for k in range(8) for name in ("Joy", "The count leaves", "Interview", "Rage in the hall")
    )
    page, _ = opened(render(analysed(names)), width)
    shown = page.evaluate(
        "[...document.querySelectorAll('#arc .annotation-text')]"
        ".map((one) => [one.textContent.replace('▏', ''), one.getBoundingClientRect()])"
        ".map(([name, { left, right }]) => [name, left, right])"
    )
    assert len(shown) >= (8 if width == 1440 else 2)
    for name, _, _ in shown:
        assert name in names or len(name) >= 9, name
    assert all(before[2] <= after[1] + 1 for before, after in pairwise(shown))


def test_on_a_phone_labels_stand_beside_what_they_name(opened: Open):
    page, _ = opened(judged(), 390)
    plane, side = (page.locator(one).bounding_box() for one in (".plane", ".side"))
    assert side["y"] >= plane["y"] + plane["height"]


@pytest.mark.parametrize("code", ["en", "id"])
def test_the_confusion_fits_at_every_width_in_columns_of_one_width(opened: Open, code: str):
    page, _ = opened(judged(Language(code)), drawn=False)
    for width in (390, 640, 700, 960, 1024, 1200, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.eval_on_selector(".whole .scroll", "(one) => one.scrollWidth <= one.clientWidth"), width
        heads = page.eval_on_selector_all(
            ".confusion thead th", "(all) => all.map((one) => [one.scrollWidth - one.clientWidth, one.offsetWidth])"
        )
        assert len(heads) == 7
        assert max(over for over, _ in heads) <= 0, f"a head runs over its column at {width}"
        assert max(of for _, of in heads) - min(of for _, of in heads) <= 1


@pytest.mark.parametrize("width", [740, 1000, 1440])
def test_beside_the_bars_of_a_scene_with_one_picture_its_faces_stand_below_that(opened: Open, width: int):
    whole, found = compared(rage="angry", joy="sad", empty=None)
    page, _ = opened(render(replace(whole, pictures=whole.pictures.iloc[[1, 6]]), found), width, drawn=False)
    left, top, right, bottom = page.eval_on_selector(
        "#scene-0 .faces",
        "(one) => { const r = one.getBoundingClientRect(); return [r.left, r.top, r.right, r.bottom]; }",
    )
    still, bars = (page.locator(f"#scene-0 {part}").bounding_box() for part in (".stills", ".detected"))
    assert left == pytest.approx(still["x"], abs=1)
    assert right <= bars["x"]
    assert still["y"] + still["height"] <= top < bars["y"] + bars["height"] <= bottom + 200


def test_a_figure_is_drawn_when_it_comes_near_and_its_place_is_kept_until_then(opened: Open):
    page, trouble = opened(judged(), width=390, drawn=False)
    wait(page, "document.readyState === 'complete'")
    page.evaluate("new Promise((done) => requestIdleCallback(() => setTimeout(done, 200)))")
    assert page.evaluate("[typeof Plotly, document.querySelectorAll('[data-drawn]').length]") == ["undefined", 0]
    heights = page.eval_on_selector_all(".plot", "(all) => all.map((one) => one.clientHeight)")
    page.eval_on_selector("#lanes", "(plot) => plot.scrollIntoView()")
    page.wait_for_selector("#lanes[data-drawn=yes]")
    page.eval_on_selector("#arc", "(plot) => plot.scrollIntoView()")
    page.wait_for_selector("#arc[data-drawn=yes]")
    assert page.eval_on_selector_all(".main-svg", "(all) => all.map((one) => one.clientHeight)")[::3] == heights
    assert trouble == []


def test_a_button_of_a_figure_that_is_not_drawn_yet_draws_it(opened: Open):
    page, trouble = opened(judged(), width=390, drawn=False)
    page.evaluate("document.querySelector('button[data-figure=lanes][data-move=in]').click()")
    page.wait_for_selector("#lanes[data-drawn=yes]")
    wait(page, "document.getElementById('lanes').layout.xaxis.range[0] === 7.5")
    assert trouble == []


def test_paper_asked_for_at_once_has_every_figure_and_the_window_gets_its_own_back(opened: Open):
    page, trouble = opened(judged(), drawn=False)
    assert page.pdf(format="A4", print_background=True).startswith(b"%PDF")
    for name in ("arc", "lanes"):
        wait(page, f"document.querySelector('#{name} .main-svg').clientWidth > 1000")
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    pictures = page.eval_on_selector_all(".stills img", "(all) => all.map((one) => one.clientHeight)")
    assert min(pictures) > 40
    assert trouble == []


@pytest.mark.parametrize("width", [1440, 700, 390])
def test_over_the_arc_the_widest_scenes_are_named_and_no_name_stands_over_another_scene(opened: Open, width: int):
    names = ("overture", "A letter arrives", "hall", "The count leaves the house", "stairs", "Epilogue in the garden")
    whole = analysed(names)
    edges = [0.0, 3.0, 5.0, 6.0, 30.0, 32.0, 60.0]
    whole = replace(whole, scenes=whole.scenes.assign(start=edges[:-1], end=edges[1:]))
    page, _ = opened(render(whole), width)
    left, room = page.eval_on_selector(
        "#arc .nsewdrag", "(one) => { const { left, width } = one.getBoundingClientRect(); return [left, width]; }"
    )
    shown = page.evaluate(
        "[...document.querySelectorAll('#arc .annotation-text')]"
        ".map((one) => [one.textContent, one.getBoundingClientRect()])"
        ".map(([name, { left, right }]) => [name, left, right])"
    )
    owners = [[k for k, own in enumerate(names) if own.startswith(name.removesuffix("…"))] for name, _, _ in shown]
    assert {3, 5} <= {k for own in owners for k in own}, "the two widest"
    for (name, begin, end), own in zip(shown, owners, strict=True):
        assert len(own) == 1, name
        from_, to = (left + edge / 60 * room for edge in edges[own[0] : own[0] + 2])
        assert from_ - 1 <= begin < end <= to + 1, name


@pytest.mark.parametrize("width", [1440, 390])
def test_a_link_to_a_scene_lands_with_its_heading_at_the_top(opened: Open, width: int):
    """Scrolled smoothly, by a click or from another page; nothing above it grows meanwhile."""
    names = tuple(f"scene {k}" for k in range(40))
    page, trouble = opened(render(analysed(names)), width, drawn=False)
    page.emulate_media(reduced_motion="no-preference")
    top = "document.querySelector('#scene-{} h3').getBoundingClientRect().top"
    for scene in (38, 3, 20):
        page.eval_on_selector(f".tile[href='#scene-{scene}']", "(link) => link.click()")
        page.wait_for_timeout(200)
        wait(page, "new Promise((done) => { const y = scrollY; setTimeout(() => done(scrollY === y), 400); })")
        assert 40 < page.evaluate(top.format(scene)) < 100
    address = page.url.partition("#")[0]
    page.goto("about:blank")
    page.goto(f"{address}#scene-31")
    wait(page, "new Promise((done) => { const y = scrollY; setTimeout(() => done(scrollY === y), 400); })")
    assert 40 < page.evaluate(top.format(31)) < 100
    assert set(trouble) <= {"about:blank", address, f"{address}#scene-31"}
