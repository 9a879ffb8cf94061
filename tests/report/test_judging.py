"""Do you agree? Answers stay in the browser, are saved as CSV, and are counted and shown without correcting a share."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scenefer.core.errors import SheetError
from scenefer.interchange.judged_faces import COLUMNS, read_judged
from scenefer.report import render
from tests.reports import Page, analysed


@pytest.fixture
def page(browser: Any, tmp_path: Path) -> Iterator[Any]:
    path = tmp_path / "report.html"
    path.write_text(render(analysed()), encoding="utf-8")
    context = browser.new_context(accept_downloads=True, viewport={"width": 1440, "height": 900})
    made = context.new_page()
    trouble: list[str] = []
    made.on("console", lambda message: trouble.append(message.text))
    made.on("pageerror", lambda error: trouble.append(str(error)))
    made.on(
        "request", lambda request: trouble.append(request.url) if request.url[:5] not in ("data:", "file:") else None
    )
    made.goto(path.as_uri())
    yield made
    context.close()
    assert [said for said in trouble if not said.startswith("blob:")] == []


def table(**changed: str) -> str:
    row = {"film": "0123456789abcdef", "face": "3", "time": "0.600", "read": "angry", "judgement": "wrong",
           "instead": "sad", "note": "", **changed}  # fmt: skip
    return ",".join(COLUMNS) + "\r\n" + ",".join(row[name] for name in COLUMNS) + "\r\n"


def test_answers_by_keyboard_are_kept_and_saved_as_the_command_reads_them(page: Any, tmp_path: Path):
    summaries = page.query_selector_all(".judging summary")
    assert len(summaries) == 8
    assert {one.text_content() for one in summaries} == {"Do you agree?"}
    names = [one.get_attribute("aria-label") for one in summaries]
    assert len(set(names)) == len(names), "each says of which face it is"
    assert names[0].startswith("Do you agree? angry, 0:0")
    summaries[0].focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert summaries[0].text_content() == "you agree"
    assert summaries[0].get_attribute("aria-label").startswith("you agree: angry, 0:0")
    summaries[1].focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")  # from right to wrong
    page.keyboard.press("Tab")
    page.keyboard.press("s")  # sad
    page.keyboard.press("Tab")
    page.keyboard.type('=looks down, "tired"')
    assert summaries[1].text_content() == "you say sad"
    assert page.text_content(".judged-bar span") == "2 faces looked at; you agree with 1"
    page.reload()
    assert page.eval_on_selector_all(".judging summary", "(all) => all.map((one) => one.textContent)")[:3] == [
        "you agree",
        "you say sad",
        "Do you agree?",
    ]
    with page.expect_download() as saved:
        page.click("[data-does=save-judged]")
    saved.value.save_as(tmp_path / "judged.csv")
    rows = list(csv.DictReader((tmp_path / "judged.csv").read_text(encoding="utf-8").splitlines()))
    assert tuple(rows[0]) == COLUMNS
    read = read_judged(tmp_path / "judged.csv", analysed())
    assert sorted((row["judgement"], row["instead"], row["note"]) for row in read) == [
        ("right", "", ""),
        ("wrong", "sad", 'looks down, "tired"'),
    ]
    page.click("[data-does=drop-judged]")
    assert not page.is_visible(".judged-bar")
    assert page.text_content(".judging summary") == "Do you agree?"


def test_every_question_has_a_name(page: Any):
    page.click(".judging summary")
    named = page.eval_on_selector_all(
        ".judging input, .judging select",
        "(all) => all.map((one) => one.getAttribute('aria-label') || one.labels[0].textContent.trim())",
    )
    assert len(named) == 5
    assert all(named)
    assert page.text_content(".judging legend") == "Read as angry"
    assert "angry" not in page.eval_on_selector_all(".judging option", "(all) => all.map((one) => one.value)")


def test_what_was_said_is_counted_and_shown_and_corrects_nothing(tmp_path: Path):
    whole = analysed()
    lines = table() + table(face="4", judgement="right", instead="").splitlines()[1] + "\r\n"
    (tmp_path / "judged.csv").write_text(lines, encoding="utf-8")
    judged = replace(whole, run={**whole.run, "judged": read_judged(tmp_path / "judged.csv", whole)})
    text = Page(render(judged)).text
    assert "Of 2 faces you looked at, you agree with 1; a chosen handful is no random sample" in text
    assert "read as angry: you say sad" in text
    before, after = (render(one).split('class="bars')[1:] for one in (whole, judged))
    assert [part[: part.index("</table>")] for part in before] == [part[: part.index("</table>")] for part in after]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (table(film="f" * 16), "line 2: it is of another film"),
        (table(face="999999"), "line 2: face '999999' is not read as 'angry' in this run"),
        (table(read="sad"), "line 2: face '3' is not read as 'sad' in this run"),
        (table(judgement="rigth"), "did you mean 'right'"),
        (table(instead="sda"), "did you mean 'sad'"),
        ("face,judgement\n3,right\n", "no column film"),
        (",".join(COLUMNS) + "\n", "no face is judged in it"),
    ],
)
def test_a_file_that_is_not_of_this_report_is_refused(tmp_path: Path, text: str, complaint: str):
    path = tmp_path / "judged.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SheetError, match=complaint):
        read_judged(path, analysed())
