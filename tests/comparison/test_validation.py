"""People judge a page of faces; from what they save come agreement, the reader's accuracy and corrected shares."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scenefer.analysis import result
from scenefer.analysis.result import Analysis
from scenefer.comparison import coders, validation
from scenefer.comparison.coding_sample import draw_sample, sample_id, shown
from scenefer.core.errors import SceneferError, SheetError
from scenefer.core.language import Language
from scenefer.core.schema import EMOTIONS
from scenefer.interchange.judgements import read_judgements
from scenefer.pipeline import film_analysis
from scenefer.report import coding_page
from tests.reports import NASTY, analysed


@pytest.fixture(scope="module")
def run() -> Analysis:
    whole = analysed()
    return replace(whole, validation_sample=draw_sample(whole.expressions, 40))


def detected(run: Analysis) -> dict[int, int]:
    """What the reader says of the drawn faces, as if a person had."""
    read = run.expressions.set_index("face")[list(EMOTIONS)]
    return {face: int(read.loc[face].to_numpy().argmax()) for face in shown(run.validation_sample)}


def test_people_who_see_what_is_detected_find_the_reader_right(run: Analysis):
    found = validation.evaluate(run, run.validation_sample, {"a": detected(run), "b": detected(run)})
    assert found.record["accuracy"] == [1.0, 1.0, 1.0]
    assert found.record["alpha"][0] == 1.0
    assert found.record["sentence"] == "judged by 2 people on 40 faces: the reader is right in 100 % (100 to 100)"
    assert validation.sentence(found.record, Language("id")).startswith("dinilai oleh 2 orang pada 40 wajah")
    film = found.table.loc[found.table["scene"].isna() & (found.table["estimate"] == "validated")]
    assert film.set_index("emotion")["percent"][["angry", "happy"]].to_list() == pytest.approx([50, 50], abs=8)
    assert "Agreement of the people: Krippendorff's alpha 1.00" in validation.summary(found, run)


def test_a_face_that_cannot_be_told_is_counted_and_corrects_nothing(run: Analysis):
    said = detected(run)
    unsure = dict.fromkeys(list(said)[:10], coders.CANNOT_TELL)
    found = validation.evaluate(run, run.validation_sample, {"a": {**said, **unsure}})
    assert (found.record["faces"], found.record["cannot_tell"], found.record["alpha"]) == (30, 10, None)
    with pytest.raises(SceneferError, match="nobody could tell"):
        validation.evaluate(run, run.validation_sample, {"a": dict.fromkeys(said, coders.CANNOT_TELL)})


def test_a_scene_with_few_judged_faces_is_said_to_have_few(run: Analysis):
    few = dict(list(detected(run).items())[:12])
    found = validation.evaluate(run, run.validation_sample, {"a": few})
    lines = validation.summary(found, run).splitlines()
    thin = [line for line in lines if "too few judged faces" in line]
    n = len(run.scenes)
    assert thin == [f"  {n} of {n} scenes: too few judged faces; a scene needs 10, in 3 shots or tracks"]
    estimates = found.table.loc[found.table["scene"] == 0, "estimate"].unique()
    assert estimates.tolist() == ["raw"]


def test_sample_and_result_stay_with_the_run(run: Analysis, tmp_path: Path):
    found = validation.evaluate(run, run.validation_sample, {"a": detected(run)})
    film_analysis.write(
        replace(run, validated=found.table, run={**run.run, "validation": found.record}), tmp_path / "r"
    )
    loaded = result.load(tmp_path / "r")
    film_analysis.write(loaded, tmp_path / "r")
    loaded = result.load(tmp_path / "r")
    assert loaded.validated.equals(found.table)
    assert loaded.validation_sample.equals(run.validation_sample)
    assert loaded.run["validation"]["sentence"] == found.record["sentence"]


SAMPLE = "sample,coder,face,code\ns,ann,1,happy\n"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("face,code\n1,happy\n", "no column sample, coder"),
        (SAMPLE.replace("s,ann", "t,ann"), "line 2: sample 't'"),
        (SAMPLE.replace("1,happy", "7,happy"), "line 2: face '7' is not in the sample"),
        (SAMPLE.replace("happy", "hapy"), "did you mean 'happy'"),
        ("sample,coder,face,code\n", "no face is judged"),
        ("", "no column"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_a_line(text: str, complaint: str, tmp_path: Path):
    path = tmp_path / "codes.csv"
    path.write_text(text)
    with pytest.raises(SheetError, match=complaint):
        read_judgements([path], "s", {1, 2})


def test_two_files_of_one_person_and_files_that_are_none_are_refused(tmp_path: Path):
    for name, content in (("a.csv", SAMPLE.encode()), ("b.csv", SAMPLE.encode()), ("c.csv", b"\xff\xfe\x00\x01")):
        (tmp_path / name).write_bytes(content)
    with pytest.raises(SheetError, match="another file too"):
        read_judgements([tmp_path / "a.csv", tmp_path / "b.csv"], "s", {1})
    for name in ("c.csv", "d.csv"):
        with pytest.raises(SheetError, match=name):
            read_judgements([tmp_path / name], "s", {1})
    unnamed = tmp_path / "codes-e.csv"
    unnamed.write_text(SAMPLE.replace("ann", ""))
    assert read_judgements([unnamed], "s", {1}) == {"codes-e": {1: 3}}


def test_the_page_holds_no_reading_and_is_escaped(run: Analysis):
    """Other readings of the same faces make the same page, so that nobody can find them in it."""
    page = coding_page.render(replace(run, film=replace(run.film, path=Path(NASTY[0]))), run.validation_sample)
    assert "<script>alert" not in page
    swapped = run.expressions.rename(columns={"angry": "happy", "happy": "angry"})
    plain = coding_page.render(run, run.validation_sample)
    assert coding_page.render(replace(run, expressions=swapped), run.validation_sample) == plain
    with pytest.raises(SceneferError, match="no pictures"):
        coding_page.render(replace(run, faces=run.faces.assign(crop=None)), run.validation_sample)


def test_a_person_judges_by_the_keyboard_resumes_and_saves(run: Analysis, browser: Any, tmp_path: Path):
    page_file = tmp_path / "validation.html"
    page_file.write_text(coding_page.render(run, run.validation_sample), encoding="utf-8")
    context = browser.new_context()
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.url[:5] not in ("data:", "blob:") else None)
    page.on("pageerror", lambda error: asked.append(str(error)))
    page.goto(page_file.as_uri())
    for key in ("4", "0", "7", "ArrowLeft", "1"):
        page.keyboard.press(key)
    page.reload()
    assert page.inner_text("#progress") == "face 4 of 40, 3 judged"
    page.fill("#coder", 'An"n, 1')
    page.focus("#save")
    with page.expect_download() as saving:
        page.keyboard.press("s")
    saving.value.save_as(tmp_path / "codes.csv")
    rows = list(csv.DictReader((tmp_path / "codes.csv").read_text("utf-8").splitlines()))
    first = shown(run.validation_sample)[:3]
    assert [(int(row["face"]), row["code"]) for row in rows] == list(
        zip(first, ("happy", "cannot tell", "angry"), strict=True)
    )
    known = sample_id(run.validation_sample, run.film.id)
    judged = read_judgements([tmp_path / "codes.csv"], known, set(first))
    assert judged == {'An"n, 1': dict(zip(first, (3, coders.CANNOT_TELL, 0), strict=True))}
    assert asked == [page_file.as_uri()] * 2
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    assert axe.Axe().run(page).response["violations"] == []
    context.close()
