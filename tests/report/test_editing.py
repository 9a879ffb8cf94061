"""Correct and name: edits are made in the page, kept in the browser, saved, applied, and shown by the report."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scenefer.core.language import Language
from scenefer.interchange.edits_file import read_edits
from scenefer.pipeline import edited_runs, film_analysis
from scenefer.report import render
from tests.edits import BOUNDARY, EVERY, EXCLUDE, MERGE, RENAME, SPLIT, edits_of, told_apart
from tests.reports import NASTY, Page, intending

SCREENSHOTS = Path(__file__).parents[2] / "screenshots"  # git-ignored: to be looked at
WHOLE = told_apart(sheet=intending(rage="angry", joy="happy", empty=None))
LISTED = "(all) => all.map((one) => one.firstElementChild.textContent + ' / ' + one.querySelector('small').textContent)"

NAMES = "(all) => all.map((one) => one.getAttribute('aria-label') || (one.labels[0] ?? one).textContent.trim())"

Open = Callable[..., Any]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "my reports" / "film"
    film_analysis.write(WHOLE, folder)
    return folder


@pytest.fixture
def opened(browser: Any) -> Iterator[Open]:
    """Open a report from disk; what is kept in the browser stays from one opening to the next."""
    context = browser.new_context(accept_downloads=True)
    trouble: list[str] = []

    def open_(folder: Path, width: int = 1440, scheme: str = "light") -> Any:
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.on("console", lambda message: trouble.append(message.text))
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.on("request", lambda asked: trouble.append(asked.url) if asked.url[:5] not in ("data:", "file:") else None)
        page.goto((folder / "report.html").as_uri())
        return page

    yield open_
    context.close()
    assert [said for said in trouble if not said.startswith("blob:")] == []


def edit(folder: Path, *entries: dict[str, Any]) -> None:
    found = edited_runs.with_edits(edited_runs.measured(folder), edits_of(folder.parent, WHOLE, *entries))
    film_analysis.write(found, folder)


def listed(page: Any) -> list[str]:
    return page.eval_on_selector_all(".edits li", LISTED)


def press(page: Any, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def make_every_edit_by_keyboard(page: Any) -> None:
    page.focus(".edit-toggle")
    press(page, "Enter")
    page.focus('.people [data-person="2"] .edit-this')  # rename
    press(page, "Enter")
    page.keyboard.type("Anna")
    press(page, "Enter")
    page.focus('.people [data-person="4"] .edit-this:nth-child(2)')  # merge
    press(page, "Enter")
    page.keyboard.type("Anna")  # chooses the entry that begins so
    press(page, "Tab", "Enter")
    page.focus('.tracks [data-track="0"] .edit-this')  # split off
    press(page, "Enter", "Tab", "Enter")
    page.focus("#scene-1 > .edit-these .edit-this")  # begins at
    press(page, "Enter", "Tab", "Tab", "Enter")  # the next cut
    page.focus(".editing form:not([hidden]) [type=submit]")
    press(page, "Enter")
    page.focus("[data-opens=exclude]")
    press(page, "Enter")
    page.keyboard.type("0:02")
    page.focus("form[data-kind=exclude] [name=end]")
    page.keyboard.type("4,0")
    press(page, "Enter")


def saved(page: Any, to: Path) -> Path:
    with page.expect_download() as download:
        page.click(".editing [data-does=save]")
    assert download.value.suggested_filename == "film-edits.json"
    download.value.save_as(to)
    return to


def test_every_edit_by_keyboard_is_kept_saved_applied_and_shown(opened: Open, run: Path, tmp_path: Path):
    page = opened(run)
    assert not page.query_selector(".editing"), "editing is off until it is asked for"
    make_every_edit_by_keyboard(page)
    pending = [
        "Person 2 is called Anna / not applied yet",
        "Person 4 is the same as Anna (person 2) / not applied yet",
        "Track 0 is somebody else: Person 5 / not applied yet",
        "joy begins at 0:12.5 / not applied yet",
        "0:02 to 0:04 is excluded / not applied yet",
    ]
    assert listed(page) == pending
    assert page.text_content('.people [data-person="2"] .pending-edit') == "Person 2 is called Anna (not applied yet)"
    page.reload()
    page.click(".edit-toggle")
    assert listed(page) == pending, "they are kept in the browser"
    path = saved(page, tmp_path / "film-edits.json")
    entries = json.loads(path.read_text(encoding="utf-8"))["edits"]
    assert entries[3]["says"] == "joy begins at 0:12.5"
    assert [{name: value for name, value in entry.items() if name != "says"} for entry in entries] == list(EVERY)
    assert page.text_content(".command code") == f"scenefer report '{run}' --edits film-edits.json"
    film_analysis.write(edited_runs.with_edits(edited_runs.measured(run), read_edits(path)), run)
    page.reload()
    page.click(".edit-toggle")
    assert listed(page) == [line.replace("not applied yet", "applied") for line in pending]
    assert page.query_selector_all(".pending-edit") == []
    assert page.text_content('.people [data-person="2"] h3') == "Anna"
    assert page.query_selector_all('.people [data-person="4"]') == []
    assert page.text_content("#scene-1 .when").startswith("0:12.5–0:20.0")
    assert len(page.query_selector_all("#scene-0 .inside .excluded")) == 1


def test_undo_takes_what_rests_on_it_along_and_can_be_undone(opened: Open, run: Path):
    edit(run, SPLIT, {"edit": "rename", "person": 5, "name": "Bo"})
    page = opened(run)
    page.click(".edit-toggle")
    page.click(".edits li:first-child button")
    assert listed(page) == [
        "Track 0 is somebody else: Person 5 / still applied, taken off in the file",
        "Person 5 is called Bo / still applied, taken off in the file",
    ]
    assert "Person 5 is called Bo" in page.text_content(".editing .said")
    assert page.text_content(".command code") == f"scenefer report '{run}' --no-edits"
    assert page.is_disabled("[data-does=save]")
    page.click(".edits li:first-child button")
    assert listed(page)[0] == "Track 0 is somebody else: Person 5 / applied"


def test_edits_of_this_browser_stay_where_the_report_was_made_again_with_others(opened: Open, run: Path):
    page = opened(run)
    page.click(".edit-toggle")
    page.click('.people [data-person="1"] .edit-this')
    page.keyboard.type("Bo")
    press(page, "Enter")
    edit(run, RENAME)
    page.reload()
    page.click(".edit-toggle")
    assert listed(page) == ["Person 2 is called Anna / applied", "Person 1 is called Bo / not applied yet"]
    film_analysis.write(edited_runs.measured(run), run)  # --no-edits
    page.reload()
    page.click(".edit-toggle")
    assert listed(page) == ["Person 1 is called Bo / not applied yet"]


@pytest.mark.parametrize(
    ("kind", "fields", "complaint"),
    [
        ("rename", {"name": "ANNA"}, "Person 2 is called ANNA already; merge the two instead"),
        ("rename", {"name": " "}, "Give a name, or take one off that Person 1 has"),
        ("merge", {"person": "1", "into": "1"}, "Choose two people"),
        ("boundary", {"scene": "joy", "time": "soon"}, "Give a film time, like 1:02.5"),
        ("boundary", {"scene": "joy", "time": "1:02.5"}, "1:02.5 lies outside the film, 0:00 to 0:30"),
        ("boundary", {"scene": "joy", "time": "21"}, "It would cross joy, 0:10 to 0:20"),
        ("boundary", {"scene": "joy", "time": "20"}, "joy would be left without a frame"),
        ("exclude", {"start": "5", "end": "5"}, "The moment is empty: its end must come after its start"),
        ("exclude", {"start": "3", "end": "5"}, "It overlaps 0:02 to 0:04, which is excluded already"),
    ],
)
def test_what_does_not_fit_is_said_at_once(opened: Open, run: Path, kind: str, fields: dict[str, str], complaint: str):
    edit(run, RENAME, EXCLUDE)
    page = opened(run)
    page.click(".edit-toggle")
    page.click(f"[data-opens={kind}]")
    for name, value in fields.items():
        field = page.query_selector(f"form[data-kind={kind}] [name={name}]")
        if field.evaluate("(one) => one.localName") == "select":
            field.select_option(value)
        else:
            field.fill(value)
    page.click(f"form[data-kind={kind}] [type=submit]")
    assert page.text_content(f"form[data-kind={kind}] [role=alert]") == complaint
    assert len(listed(page)) == 2
    page.focus(f"form[data-kind={kind}] [type=submit]")
    press(page, "Escape")
    assert not page.is_visible(f"form[data-kind={kind}]")


@pytest.mark.parametrize(
    ("start", "end", "says"),
    [
        ("01:00:02:00", "01:00:04:12", "0:02 to 0:04.48 is excluded / not applied yet"),
        ("0h00m02.000s", "0h00m04.480s", "0:02 to 0:04.48 is excluded / not applied yet"),
        ("00:59:59:24", "4", "00:59:59:24 lies before the film, which starts at 01:00:00:00"),
        ("01:00:02:25", "4", "There is no timecode 01:00:02:25 at 25 frames a second"),
        ("01:00:31:00", "40", "0:31 lies outside the film, 0:00 to 0:30"),
    ],
)
def test_a_moment_is_given_by_the_timecode_of_the_film(opened: Open, tmp_path: Path, start: str, end: str, says: str):
    film_analysis.write(replace(WHOLE, film=replace(WHOLE.film, timecode="01:00:00:00")), tmp_path)
    page = opened(tmp_path)
    page.click(".edit-toggle")
    page.click("[data-opens=exclude]")
    page.fill("form[data-kind=exclude] [name=start]", start)
    page.fill("form[data-kind=exclude] [name=end]", end)
    page.click("form[data-kind=exclude] [type=submit]")
    assert [*listed(page), page.text_content("form[data-kind=exclude] [role=alert]")][0] == says
    page.click("[data-opens=exclude]")
    page.fill("form[data-kind=exclude] [name=start]", start)
    page.click("form[data-kind=exclude] [data-cut='1'][data-for=start]")
    assert not page.input_value("form[data-kind=exclude] [name=start]").startswith("-")


def test_every_button_at_a_thing_says_of_which_thing_it_is(opened: Open, run: Path):
    page = opened(run)
    page.click(".edit-toggle")
    named = "(all) => all.map((one) => [one.getAttribute('aria-label'), one.textContent])"
    buttons = page.eval_on_selector_all(".edit-this", named)
    names = [name for name, _ in buttons]
    assert len(set(names)) == len(names) > 20
    assert all(shown in name for name, shown in buttons), "who speaks to the page says what is seen"
    assert {
        "Rename Person 4",
        "Split off a track of Person 4",
        "Somebody else: track 0",
        "Exclude a moment: joy",
    } <= set(names)
    page.click('.people [data-person="2"] .edit-this')
    page.keyboard.type("Anna")
    press(page, "Enter")
    assert page.get_attribute('.people [data-person="2"] .edit-this', "aria-label") == "Rename Anna (person 2)"


def test_a_second_edit_of_the_same_thing_takes_the_place_of_the_first(opened: Open, run: Path):
    page = opened(run)
    page.click(".edit-toggle")
    for name in ("Ann", "Anna"):
        page.click('.people [data-person="2"] .edit-this')
        page.fill("form[data-kind=rename] [name=name]", name)
        press(page, "Enter")
    assert listed(page) == ["Person 2 is called Anna / not applied yet"]


@pytest.mark.parametrize(("width", "scheme"), [(1440, "dark"), (390, "light"), (390, "dark")])
def test_editing_fits_wide_and_narrow_and_everything_in_it_has_a_name(opened: Open, run: Path, width: int, scheme: str):
    edit(run, *EVERY)
    page = opened(run, width, scheme)
    page.click(".edit-toggle")
    assert page.is_visible(".kinds") == (width > 700), "where there is little room, it is one line at first"
    if width < 700:
        assert page.query_selector(".editing").bounding_box()["height"] < 70
        page.focus(".editing .fold")
        press(page, "Enter")
    for kind in ("rename", "merge", "split", "boundary", "exclude"):
        page.click(f"[data-opens={kind}]")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        box = page.query_selector(".editing").bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        assert box["y"] + box["height"] <= 900
        names = page.eval_on_selector_all(
            f"form[data-kind={kind}] :is(input, select, button)",
            NAMES,
        )
        assert all(names)
        submit = page.query_selector(f"form[data-kind={kind}] [type=submit]").bounding_box()
        assert submit["y"] + submit["height"] <= box["y"] + box["height"], "it can be reached without scrolling"
    SCREENSHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"editing-{width}-{scheme}.png")
    page.click(".edit-toggle")
    assert not page.is_visible(".editing")
    assert not page.is_visible(".edit-this")


def test_excluded_moments_are_hatched_and_the_legend_says_so(opened: Open, run: Path, tmp_path: Path):
    edit(run, EXCLUDE)
    page = opened(run)
    page.eval_on_selector("#arc", "(plot) => plot.scrollIntoView()")
    page.wait_for_selector("#arc[data-drawn=yes]")
    page.eval_on_selector("#lanes", "(plot) => plot.scrollIntoView()")
    page.wait_for_selector("#lanes[data-drawn=yes]")
    for figure in ("arc", "lanes"):
        assert page.evaluate(f"document.querySelectorAll('#{figure} pattern').length") == 1
    text = (run / "report.html").read_text(encoding="utf-8")
    assert text.count('<i class="swatch excluded"></i>excluded by hand') >= 3, "of the arc, the balance and the tracks"
    places = re.findall(r'<i class="excluded over" style="left:([\d.]+)%;width:([\d.]+)%"></i>', text)
    assert ("20.0", "20.0") in places, "of the scene"
    assert "hatched: excluded by hand" in Page(text).text
    assert "excluded" not in re.sub(r"<(script|style|template).*?</\1>", "", render(WHOLE), flags=re.S)


def test_stills_and_runs_without_people_offer_what_they_have(opened: Open, tmp_path: Path):
    stills = replace(told_apart(), film=replace(WHOLE.film, kind="stills"))
    nobody = told_apart()
    nobody = replace(
        nobody, tracks=nobody.tracks.assign(actor=nobody.tracks["actor"].mask(nobody.tracks["actor"] >= 0))
    )
    for name, whole, offered in (("stills", stills, 3), ("nobody", nobody, 2)):
        film_analysis.write(whole, tmp_path / name)
        page = opened(tmp_path / name)
        page.click(".edit-toggle")
        assert len(page.query_selector_all(".kinds button")) == offered, name


def test_nasty_names_are_text_wherever_they_stand(opened: Open, tmp_path: Path):
    whole = told_apart(names=NASTY[:3])
    folder = tmp_path / "nasty"
    film_analysis.write(whole, folder)
    edits = edits_of(tmp_path, whole, {**RENAME, "name": NASTY[0]}, {**BOUNDARY, "scene": NASTY[1]})
    film_analysis.write(edited_runs.with_edits(edited_runs.measured(folder), edits), folder)
    page = opened(folder)
    page.click(".edit-toggle")
    assert listed(page)[0].startswith(f"Person 2 is called {NASTY[0]}")


def test_the_page_edits_in_the_language_of_the_report():
    text = render(WHOLE, language=Language("id"))
    assert ">Sunting</button>" in text
    assert "{who} bernama {name}" in text
    assert MERGE["into"] == 2
