"""The page that sets runs side by side."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scenefer.analysis import result
from scenefer.analysis.result import Analysis
from scenefer.comparison.takes import compare_takes
from scenefer.core.language import ENGLISH, Language
from scenefer.pipeline import side_by_side
from scenefer.report import comparison_page
from scenefer.report.comparison_page import Shown
from tests.reports import NASTY, Page, analysed, intending, save


def runs(*names: str) -> list[Analysis]:
    """Runs of three scenes; the second and third are of other films, in which rage is read as happy."""
    first = analysed(sheet=intending(rage="angry", joy="happy", empty="sad"))
    made = [first]
    for number, name in enumerate(names, 1):
        film = replace(first.film, id=f"{number:016x}", path=Path(f"{name}.mp4"))
        shown = first.expressions.assign(angry=first.expressions["happy"], happy=first.expressions["angry"])
        emotions = first.scene_emotions.assign(
            emotion=first.scene_emotions["emotion"].replace({"angry": "happy", "happy": "angry"})
        )
        made.append(replace(first, film=film, expressions=shown, scene_emotions=emotions))
    return made


def page_of(made: list[Analysis], language: Language = ENGLISH) -> str:
    shown = [Shown(run, f"../{place}/report.html") for place, run in enumerate(made)]
    return comparison_page.render(shown, compare_takes(made), language)


def test_each_scene_has_a_frame_of_each_run_its_bars_and_its_differences():
    made = runs("other")
    page = Page(page_of(made))
    assert [source[:22] for source in page.attributes("src")] == ["data:image/jpeg;base64"] * 6
    assert [name for name in page.attributes("id") if name.startswith("scene-")] == ["scene-0", "scene-1", "scene-2"]
    row = compare_takes(made).differences[0].table.query("name == 'rage' and emotion == 'angry'").iloc[0]
    assert f"{comparison_page.signed(row['difference'], ENGLISH)} " in page.text
    assert row["difference"] < -20
    assert "A is nearest to what was intended in 2 scenes." in page.text
    assert "Which run is nearest to what was intended, and which expressions differ from A" in page.text
    assert "In 1 scene fewer than two runs show enough faces to say." in page.text
    assert [h for h in page.attributes("href") if h.endswith("html")] == ["../0/report.html", "../1/report.html"]


def test_a_scene_without_enough_faces_has_a_sentence_and_no_empty_bars():
    page = Page(page_of(runs("other")))
    assert page.text.count("Too few faces for percentages in any of the 2 runs.") == 1
    assert sum(tag == "table" and one.get("class") == "shares" for tag, one in page.elements) == 2


def test_where_nothing_differs_and_nothing_is_nearest_it_is_said_plainly():
    first = runs()[0]
    text = Page(page_of([first, replace(first, film=replace(first.film, id="7" * 16))])).text
    assert "In none of the 2 compared scenes does an expression differ by more than its uncertainty." in text
    assert "In 2 scenes no run is clearly nearest to what was intended." in text


def test_takes_that_cannot_be_told_apart_are_said_to_be():
    first, second = runs("other")
    again = replace(first, film=replace(first.film, id="7" * 16))
    text = Page(page_of([first, second, again])).text
    assert "smallest distance, but cannot be told apart from C" in text
    assert "farther than A by" in text


def test_the_page_asks_for_nothing_and_names_are_text():
    made = runs("other")
    scenes = made[0].scenes.assign(name=list(NASTY[:3]))
    films = [replace(run.film, path=Path(NASTY[0].replace("/", "∕"))) for run in made]
    made = [replace(run, scenes=scenes, film=film, sheet=None) for run, film in zip(made, films, strict=True)]
    html = page_of(made)
    assert not Page(html).scripts
    assert "script-src ;" in html
    assert "<script>" not in html
    assert NASTY[0] in Page(html).text


def test_a_run_without_the_scene_and_one_without_pictures_are_shown_without():
    first, second = runs("other")
    second = replace(second, scenes=second.scenes.iloc[:2], pictures=second.pictures.iloc[:0])
    page = Page(page_of([first, second]))
    assert len(page.attributes("src")) == 2
    assert "In A, not in B: empty" in page.text


def test_the_page_lies_beside_the_first_run_and_leads_to_both_reports(tmp_path: Path):
    one = save(tmp_path, "one", 1, rage="angry", joy="happy")
    two = save(tmp_path / "elsewhere", "two", 2)
    compared, page = side_by_side.compare(one, [two])
    assert page == one / "compared-with-two.html"
    links = [link for link in Page(page.read_text("utf-8")).attributes("href") if link.endswith("report.html")]
    assert [(page.parent / link).resolve() for link in links] == [one / "report.html", two / "report.html"]
    result.save(result.load(one), one, {"report.html": "again"})
    assert page.is_file(), "a run that is written again keeps it"
    assert compared.table["standing"].notna().any()


@pytest.mark.parametrize(
    ("width", "scheme", "code"), [(1440, "light", "id"), (1440, "dark", "en"), (390, "light", "en")]
)
def test_axe_finds_no_serious_problem(browser: Any, tmp_path: Path, width: int, scheme: str, code: str):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    place = tmp_path / "page.html"
    place.write_text(page_of(runs("other", "third"), Language(code)), encoding="utf-8")
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(place.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    grave = [
        (problem["id"], [node["html"][:120] for node in problem["nodes"]][:3])
        for problem in axe.Axe().run(page).response["violations"]
        if problem["impact"] in ("serious", "critical")
    ]
    page.close()
    assert grave == []
    assert [url for url in asked if not url.startswith("data:")] == [place.as_uri()]
