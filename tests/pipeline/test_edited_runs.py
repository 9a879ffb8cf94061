"""A run that was corrected by hand is so for every reader, and its measured tables stay as they were."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import scenefer
from scenefer.analysis import result
from scenefer.analysis.result import EDITED
from scenefer.comparison.coding_sample import draw_sample, shown
from scenefer.comparison.scene_comparison import EDITED_SINCE
from scenefer.comparison.validation import evaluate
from scenefer.core import tables
from scenefer.core.errors import SceneferError, SheetError
from scenefer.core.run_folder import EDITS, FORMER_EDITS
from scenefer.core.schema import EMOTIONS
from scenefer.library import catalogue
from scenefer.pipeline import edited_runs, erasure, film_analysis
from scenefer.pipeline.run_comparison import compared_with_intentions, with_estimate
from tests.edits import BOUNDARY, EVERY, EXCLUDE, RENAME, edits_of, told_apart, write_edits
from tests.program import complaints
from tests.program import scenefer as program
from tests.reports import Page, intending

WHOLE = told_apart(sheet=intending(rage="angry", joy="happy", empty=None))


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "reports" / "film"
    film_analysis.write(WHOLE, folder)
    return folder


def edit(folder: Path, *entries: Any) -> result.Analysis:
    """Apply corrections to a run, as ``scenefer report --edits`` does."""
    edits = edits_of(folder.parent, WHOLE, *entries)
    found = edited_runs.with_edits(edited_runs.measured(folder), edits)
    film_analysis.write(found, folder)
    return found


def stored(folder: Path) -> dict[str, str]:
    """The bytes of every table as they lie in a run, hashed; comparisons are computed, not measured."""
    files = sorted((folder / "tables").glob("*.parquet"))
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files if path.stem != "comparison"}


def page(folder: Path) -> str:
    return (folder / "report.html").read_text(encoding="utf-8")


def undo(folder: Path) -> None:
    film_analysis.write(edited_runs.measured(folder), folder)


def test_every_reader_sees_the_corrections_and_the_measured_tables_stay(run: Path):
    before, percent = stored(run), scenefer.load(run).scene_table()["happy"].tolist()
    found = edit(run, *EVERY)
    assert stored(run) == before
    loaded = scenefer.load(run)
    for name in EDITED:
        pd.testing.assert_frame_equal(getattr(loaded, name), getattr(found, name))
    assert loaded.scene_table()["happy"].tolist()[0] > percent[0] + 5
    assert loaded.measured is not None
    assert loaded.measured.scenes.equals(WHOLE.scenes)
    compared = scenefer.compare(run).table
    assert compared.loc[compared["name"] == "rage", "detected_happy"].iloc[0] > percent[0] + 5
    record = json.loads(scenefer.export(run, run.parent / "film.json").read_text())
    assert [scene["end"] for scene in record["scenes"]] == [12.5, 20.0, 30.0]
    assert "character:Anna" in record["scenes"][0]["percent"]
    assert record["edits"]["n"] == 5
    faces = pd.read_csv(scenefer.export(run, run.parent / "faces.csv"))
    assert not faces["time"].between(2.0, 3.99).any()


def test_taking_them_off_gives_the_same_report_to_the_byte(run: Path):
    film_analysis.write(edited_runs.load(run), run)
    before = {path.name: path.read_bytes() for path in (run / "report.html", run / "run.json")}
    edit(run, *EVERY)
    assert page(run) != before["report.html"].decode()
    undo(run)
    assert {name: (run / name).read_bytes() for name in before} == before
    assert not (run / EDITS).exists()
    again = edited_runs.with_edits(edited_runs.measured(run), edits_of(run, WHOLE, *EVERY))
    assert (run / FORMER_EDITS).read_bytes() == again.edits.content if again.edits else b""


def test_they_are_kept_by_whatever_writes_the_run_again(run: Path):
    edit(run, *EVERY)
    first = page(run)
    film_analysis.write(edited_runs.load(run), run)
    assert page(run) == first
    assert (run / EDITS).read_bytes() == (run.parent / "film-edits.json").read_bytes()
    assert not (run / FORMER_EDITS).exists()


def test_other_edits_take_their_place_and_what_was_there_is_put_aside(run: Path):
    edit(run, RENAME)
    kept = (run / EDITS).read_bytes()
    found = edit(run, EXCLUDE)
    assert found.tracks["actor_name"].isna().all()
    assert (run / FORMER_EDITS).read_bytes() == kept


def test_record_and_report_say_what_was_corrected_by_which_file(run: Path):
    edit(run, *EVERY)
    content = (run.parent / "film-edits.json").read_bytes()
    film_analysis.write(edited_runs.load(run), run)  # from the run's own copy, whose name is another
    record = json.loads((run / "run.json").read_text())
    assert record["edits"]["file"] == "film-edits.json"
    assert record["edits"]["sha256"] == hashlib.sha256(content).hexdigest()
    assert (record["edits"]["n"], sum(record["edits"]["kinds"].values())) == (5, 5)
    assert record["coverage"] == WHOLE.run["coverage"], "the record holds what was measured"
    text = " ".join(Page(page(run)).text.split())
    assert "5 edits by hand apply: 1 person renamed, 1 person merged, 1 track split off" in text
    assert f"film-edits.json (SHA-256 {record['edits']['sha256']})" in text
    for line in ("Person 2 is called Anna", "joy begins at 0:12.5", "0:02 to 0:04 is excluded"):
        assert line in text


def test_the_verdict_is_of_the_corrected_scenes(run: Path):
    before = {row["name"]: row["verdict"] for row in tables.rows_of(scenefer.compare(run).table)}
    edit(run, {"edit": "boundary", "scene": "joy", "edge": "start", "time": 18.0})
    after = {row["name"]: row["verdict"] for row in tables.rows_of(scenefer.compare(run).table)}
    assert before["rage"] == "match"
    assert after["rage"] != "match"


def test_judged_faces_stay_judged_and_shares_that_they_corrected_are_of_the_scenes_of_then(run: Path):
    sample = draw_sample(WHOLE.expressions, 80)
    read = dict(
        zip(WHOLE.expressions["face"], WHOLE.expressions[list(EMOTIONS)].to_numpy().argmax(axis=1), strict=True)
    )
    codes = {"jo": {face: int(read[face]) for face in shown(sample)}}

    def judge(whole: result.Analysis) -> list[str]:
        found = evaluate(whole, sample, codes)
        judged = replace(whole, validation_sample=sample, validated=found.table)
        judged = with_estimate(replace(judged, run={**whole.run, "validation": found.record}), "validated")
        film_analysis.write(judged, run)
        return notices()

    def notices() -> list[str]:
        compared = compared_with_intentions(edited_runs.load(run))
        assert compared is not None
        return [said for said in compared.notices if said.startswith("verdicts")]

    assert judge(WHOLE)[0].startswith("verdicts on 2 of 2 judged scenes use shares")
    edit(run, RENAME)
    assert notices()[0].startswith("verdicts on 2 of 2 judged scenes use shares"), "names change no share of a scene"
    edit(run, EXCLUDE)
    assert notices() == [EDITED_SINCE]
    assert judge(edited_runs.load(run))[0].startswith("verdicts on 2 of 2 judged scenes use shares")
    undo(run)
    assert notices() == [EDITED_SINCE]


def test_a_name_makes_an_intention_for_a_character_be_about_that_person(run: Path):
    sheet = WHOLE.sheet.assign(character=["Anna", None, None]) if WHOLE.sheet is not None else None
    film_analysis.write(replace(WHOLE, sheet=sheet), run)
    edit(run, RENAME)
    found = compared_with_intentions(edited_runs.load(run))
    assert found is not None
    assert "character:Anna" in set(found.table["view"])


def test_a_new_analysis_takes_over_what_fits_it_and_says_what_does_not(run: Path):
    edit(run, *EVERY)
    same = edited_runs.with_kept(WHOLE, run)
    assert same.edits is not None
    other = replace(WHOLE, tracks=WHOLE.tracks.assign(actor=WHOLE.tracks["actor"].replace({3: 2})))
    new = edited_runs.with_kept(other, run)
    assert new.edits is None
    assert new.run["warnings"] == [
        f"edits by hand are not applied, and lie in {FORMER_EDITS}: film-edits.json: it is of another analysis of this "
        "film, with other people, tracks or scenes; make the edits in the report that lies in this run"
    ]
    kept = (run / EDITS).read_bytes()
    film_analysis.write(new, run)
    assert (run / FORMER_EDITS).read_bytes() == kept
    assert not (run / EDITS).exists()
    assert "edits by hand are not applied" in page(run)
    fresh = edited_runs.with_edits(edited_runs.measured(run), edits_of(run.parent, other, RENAME))
    assert fresh.run["warnings"] == [], "others that fit are"


def test_a_new_analysis_that_is_written_from_python_takes_them_over_too(run: Path):
    edit(run, *EVERY)
    scenefer.report(WHOLE, run)
    assert scenefer.load(run).edits is not None
    assert not (run / FORMER_EDITS).exists()


def test_kept_edits_that_are_damaged_are_named_with_the_way_out(run: Path):
    edit(run, RENAME)
    (run / EDITS).write_text("{")
    with pytest.raises(SheetError, match=r"edits.json is no JSON .* or scenefer report .*film --no-edits takes"):
        edited_runs.load(run)
    undo(run)
    assert edited_runs.load(run).edits is None


def test_who_forgets_people_keeps_the_corrections(run: Path):
    edit(run, *EVERY)
    shares = edited_runs.load(run).scene_emotions
    edit(run, *EVERY, {"edit": "rename", "person": 1, "name": "Bo"})
    assert (run / FORMER_EDITS).exists()
    erasure.forget(run)
    forgotten = edited_runs.load(run)
    assert forgotten.faces["crop"].isna().all()
    assert set(forgotten.tracks["actor_name"].dropna()) == {"Anna", "Bo"}
    assert len(forgotten.scene_emotions) > len(shares), "Bo has shares of his own"
    assert not (run / FORMER_EDITS).exists()
    assert erasure.forget(run).removed == ()


def test_the_library_shows_the_corrected_films(run: Path):
    catalogue.write(run.parent)
    row = tables.read(run.parent / "library" / "films.parquet", "films").iloc[0]
    edit(run, EXCLUDE, BOUNDARY)
    catalogue.write(run.parent)
    after = tables.read(run.parent / "library" / "films.parquet", "films").iloc[0]
    assert after["coverage"] < row["coverage"]
    assert after["angry"] < row["angry"]
    part = run.parent / "library" / "scenes" / f"film={WHOLE.film.id}" / "part.parquet"
    assert tables.read(part, "scenes")["start"].tolist() == [0.0, 12.5, 20.0]
    assert tables.read(run / "tables" / "scenes.parquet", "scenes")["start"].tolist() == [0.0, 10.0, 20.0]
    undo(run)
    catalogue.write(run.parent)
    assert tables.read(part, "scenes")["start"].tolist() == [0.0, 10.0, 20.0]
    assert tables.read(run / "tables" / "scenes.parquet", "scenes")["start"].tolist() == [0.0, 10.0, 20.0]


def test_the_command_applies_keeps_and_takes_off(run: Path, tmp_path: Path):
    path = write_edits(tmp_path / "my edits.json", WHOLE, *EVERY)
    done = program("report", run, "--edits", path, cwd=tmp_path)
    assert (done.returncode, complaints(done)) == (0, [])
    assert f"edits: 5 applied, kept in {run / EDITS}" in done.stdout
    assert "Anna" in page(run)
    edited = page(run)
    assert program("report", run, cwd=tmp_path).returncode == 0
    assert page(run) == edited
    wrong = write_edits(tmp_path / "wrong.json", WHOLE, RENAME, {**RENAME, "person": 9})
    refused = program("report", run, "--edits", wrong, cwd=tmp_path)
    assert refused.returncode != 0
    assert len(complaints(refused)) == 1
    assert "wrong.json, edit 2 (rename): the run has no person 9" in refused.stderr
    assert page(run) == edited
    both = program("report", run, "--edits", path, "--no-edits", cwd=tmp_path)
    assert both.returncode != 0
    assert "leave one of them out" in both.stderr
    off = program("report", run, "--no-edits", cwd=tmp_path)
    assert f"edits: taken off; they lie in {run / FORMER_EDITS}" in off.stdout
    assert "Anna" not in page(run)


def test_every_reader_of_runs_goes_through_one_door():
    """A reader that calls ``result.load`` would see, and write, a run without what was corrected in it."""
    package = Path(scenefer.__file__).parent
    doors = {"pipeline/edited_runs.py", "pipeline/explanation.py"}  # a face's picture and weights are as measured
    for path in package.rglob("*.py"):
        if path.relative_to(package).as_posix() not in doors:
            assert "result.load(" not in path.read_text(encoding="utf-8"), path


def test_a_folder_without_a_run_is_said_to_be_none(tmp_path: Path):
    with pytest.raises(SceneferError, match="is no run of scenefer"):
        edited_runs.load(tmp_path)
