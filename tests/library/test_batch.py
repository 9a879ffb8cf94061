"""Libraries, worked on by the program as it is called: what is done again, what is not, and what is named."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pandas as pd
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

from scenefer.core.film import film_id
from scenefer.library import failures, planner
from scenefer.library.batch import Batch
from scenefer.library.jobs import Finish
from scenefer.library.orders import Order
from scenefer.models import known_weights
from scenefer.pipeline import chunks
from scenefer.pipeline.executors.serial import serial
from scenefer.pipeline.plans import make_plan
from tests.batches import QUICK, SMALL, batch, ended, failed, planned
from tests.program import complaints, finished_chunks, make_film, scenefer


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three films, of four chunks, two and one, and what is none."""
    folder = tmp_path_factory.mktemp("films")
    make_film(folder / "long.mkv", 20.0, size=SMALL)
    make_film(folder / "middle.mkv", 10.0, size=(112, 64))
    make_film(folder / "short.mkv", 2.0, size=(128, 72))
    (folder / "text.mp4").write_text("no film")
    (folder / "notes.txt").write_text("no film, and not named like one")
    return folder


@pytest.mark.parametrize("more", [("--dry-run",), ("--dry-run", "--json"), ()])
def test_a_film_without_a_sheet_and_a_sheet_without_a_film_are_named(more: tuple[str, ...], tmp_path: Path):
    (tmp_path / "films").mkdir()
    (tmp_path / "sheets").mkdir()
    for name in ("alpha", "beta", "gamma"):
        make_film(tmp_path / "films" / f"{name}.mkv", 1.0, size=SMALL)
    for name in ("Beta", "alpha", "gama"):
        (tmp_path / "sheets" / f"{name}.csv").write_text("scene,start,end,intended\na,0,1,happy\n")
    done = scenefer("batch", "films", "--intended", "sheets", *QUICK, *more, cwd=tmp_path)
    said = [line.partition(": ")[2] for line in complaints(done) if "sheet" in line]
    assert said == [
        "sheets has no sheet for 1 of 3 films: gamma.mkv",
        "sheets: 1 sheet named as no film: gama.csv (did you mean gamma.mkv?)",
    ]
    if not more:
        assert "library: reports/library.html" in done.stdout.splitlines()
        records = {path.parent.name: json.loads(path.read_text()) for path in tmp_path.glob("reports/*/run.json")}
        assert {name: "comparison" in record for name, record in records.items()} == {
            **{"alpha": True, "beta": True, "gamma": False}
        }


def test_a_missing_line_of_a_list_and_a_link_that_leads_nowhere_fail_alone(tmp_path: Path):
    make_film(tmp_path / "there.mkv", 1.0, size=SMALL)
    (tmp_path / "link.mkv").symlink_to(tmp_path / "nowhere.mkv")
    (tmp_path / "list").write_text("gone.mkv\nlink.mkv\nthere.mkv\n", encoding="utf-16")
    events = batch("--input-list", "list", cwd=tmp_path, code=1)
    assert ended(events) == {"there.mkv": "done", "gone.mkv": "failed", "link.mkv": "failed"}
    assert failed(tmp_path).keys() == {"gone.mkv", "link.mkv"}
    assert {row["remedy"] for row in failed(tmp_path).values()} != {""}


def test_a_library_is_resumed_by_content_and_redoes_what_changed_and_nothing_else(films: Path, tmp_path: Path):
    shutil.copytree(films, tmp_path / "films")
    assert planned("films", cwd=tmp_path)["long.mkv"] == ("to look at", None, None)
    assert not (tmp_path / "data").exists()

    events = batch("films", cwd=tmp_path, code=1)
    assert ended(events) == {"long.mkv": "done", "middle.mkv": "done", "short.mkv": "done", "text.mp4": "failed"}
    begun = [Path(event["film"]).name for event in events if event["event"] == "begun"]
    assert begun == ["long.mkv", "middle.mkv", "short.mkv"], "longest first"
    assert events[-1]["done"] == 3
    assert events[-1]["exit"] == 1
    left = {path.name for path in (tmp_path / "reports").iterdir()}
    assert left == {"long", "middle", "short", "library", "library.html"}
    assert "read from 0:00:00.000" in (tmp_path / "reports" / "long" / "log.txt").read_text()
    assert failed(tmp_path)["text.mp4"]["permanent"] == "true"
    assert not list(tmp_path.rglob("*.tmp")) + list(tmp_path.rglob("*claim*"))

    # A reader that failed is asked no more, another one is.
    reports, torn = tmp_path / "reports", Path("films/short.mkv")
    for reader, state in ((chunks.reader(make_plan()), "failed"), ("decord 0.6.0", "done")):
        content = film_id(tmp_path / torn)
        failure = failures.describe(torn, content, "observe", "torn", permanent=True, read_by=reader)
        failures.note(reports, (tmp_path / torn).resolve(), failure)
        assert planned("films", cwd=tmp_path)["short.mkv"][0] == state
    failures.forget(reports, (tmp_path / torn).resolve())

    # Nothing is done twice, renamed and moved films included; it still exits 1, for the film that is none.
    first = finished_chunks(tmp_path / "data")
    (tmp_path / "films" / "moved").mkdir()
    (tmp_path / "films" / "long.mkv").rename(tmp_path / "films" / "moved" / "renamed.mkv")
    assert ended(batch("films", cwd=tmp_path, code=1)) == {}
    assert finished_chunks(tmp_path / "data") == first

    # Another setting of a later stage reads no film again.
    (tmp_path / "plan.toml").write_text("[scenes]\nn_scenes = 2\n")
    assert planned("films", "--plan", "plan.toml", cwd=tmp_path)["short.mkv"] == ("to do", "settings changed", 0)
    assert len(ended(batch("films", "--plan", "plan.toml", cwd=tmp_path, code=1))) == 3
    assert finished_chunks(tmp_path / "data") == first

    # A film that changed is read, and so is what was none before.
    make_film(tmp_path / "films" / "short.mkv", 3.0, size=SMALL)
    shutil.copy(films / "short.mkv", tmp_path / "films" / "text.mp4")
    events = batch("films", "--plan", "plan.toml", cwd=tmp_path, code=0)
    assert ended(events) == {"short.mkv": "done"}, "the other one's content is known"
    assert failed(tmp_path) == {}
    assert first.items() < finished_chunks(tmp_path / "data").items()

    # A second file of the same content shares the first one's report, and the counts say so.
    shutil.copy(tmp_path / "films" / "text.mp4", tmp_path / "films" / "copy.mkv")
    events = batch("films", "--plan", "plan.toml", cwd=tmp_path, code=0)
    assert ended(events) == {}
    assert (events[-1]["films"], events[-1]["done"], events[-1]["copies"]) == (5, 5, 1)


def test_copies_of_a_film_share_a_report_from_the_first_run_on_unless_their_sheets_differ(films: Path, tmp_path: Path):
    (tmp_path / "films").mkdir()
    for name in ("a.mkv", "b.mkv", "c.mkv"):
        shutil.copy(films / "short.mkv", tmp_path / "films" / name)
    (tmp_path / "sheets").mkdir()
    (tmp_path / "sheets" / "b.csv").write_text("scene,start,end\n1,0:00:00,0:00:02\n")
    events = batch("films", "--scenes", "sheets", cwd=tmp_path, code=0)
    assert ended(events) == {"a.mkv": "done", "b.mkv": "done", "c.mkv": "done"}
    runs = {Path(event["film"]).name: event["run"] for event in events if event["event"] == "done"}
    assert runs == {"a.mkv": "reports/a", "b.mkv": "reports/b", "c.mkv": "reports/a"}
    assert not (tmp_path / "reports" / "c").exists()
    assert (events[-1]["done"], events[-1]["copies"]) == (3, 1)

    assert {state for state, _, _ in planned("films", "--scenes", "sheets", cwd=tmp_path).values()} == {"done"}
    (tmp_path / "sheets" / "c.csv").write_text("scene,start,end\n1,0:00:00,0:00:01\n")
    events = batch("films", "--scenes", "sheets", cwd=tmp_path, code=0)
    assert {Path(event["film"]).name: event["run"] for event in events if event["event"] == "done"} == {
        "c.mkv": "reports/c"
    }
    assert events[-1]["copies"] == 0
    assert {state for state, _, _ in planned("films", "--scenes", "sheets", cwd=tmp_path).values()} == {"done"}


def test_sheets_are_matched_by_name_and_a_bad_one_fails_its_film_alone(films: Path, tmp_path: Path):
    (tmp_path / "sheets").mkdir()
    (tmp_path / "sheets" / "short.csv").write_text("scene,start,end,intended\na,0,1,happy\nb,1,2,sad\n")
    (tmp_path / "sheets" / "middle.csv").write_text("scene,start,end,intended\na,7,1,happy\n")
    command = (films / "short.mkv", films / "middle.mkv", "--intended", "sheets")
    events = batch(*command, cwd=tmp_path, code=1)
    assert ended(events) == {"middle.mkv": "failed", "short.mkv": "done"}
    row = failed(tmp_path)["middle.mkv"]
    assert (row["stage"], row["permanent"]) == ("sheet", "false")
    assert "row 2" in row["error"]
    scenes = pd.read_parquet(tmp_path / "reports" / "short" / "tables" / "scenes.parquet")
    assert scenes["name"].tolist() == ["a", "b"]

    # A part of a library without a sheet is as good as any, and one without a film too.
    parts = [planned(films, "--intended", "sheets", "--shard", f"{part}/4", cwd=tmp_path) for part in (1, 2, 3, 4)]
    assert sorted(name for part in parts for name in part) == ["long.mkv", "middle.mkv", "short.mkv", "text.mp4"]
    assert [len(part) for part in parts] == [1, 2, 0, 1]

    # Mended, it is tried again; the other film's sheet is the same, and so is its report.
    (tmp_path / "sheets" / "middle.csv").write_text("scene,start,end,intended\na,1,7,happy\n")
    assert ended(batch(*command, "--only-failed", cwd=tmp_path, code=0)) == {"middle.mkv": "done"}
    assert failed(tmp_path) == {}


def test_the_last_film_is_finished_with_all_cores_and_the_others_with_one(films: Path, tmp_path: Path):
    finished: dict[str, int] = {}

    def watched(work, jobs, workers, progress):
        for outcome in serial(work, jobs, workers, progress):
            if isinstance(outcome.job, Finish):
                finished[outcome.job.path.name] = outcome.job.threads
            yield outcome

    plan = make_plan("fast", options={"run.workers": 3})
    order = Order([films / "short.mkv", films / "middle.mkv"], plan, tmp_path / "data", tmp_path / "out")
    Batch(order).work(watched, 2)
    assert finished == {"middle.mkv": 1, "short.mkv": 3}


def test_a_run_read_by_other_weights_is_known_as_such(films: Path, tmp_path: Path):
    shipped = known_weights.EXPRESSION["rmn_face"].path
    with safe_open(shipped, "numpy") as stored:
        tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118 - it is no mapping
        save_file(tensors, tmp_path / "other.safetensors", {**stored.metadata(), "note": "the same, called otherwise"})
    (tmp_path / "plan.toml").write_text('[models]\nexpression = "other.safetensors"\n')
    film = films / "short.mkv"
    batch(film, cwd=tmp_path, code=0)
    assert planned(film, cwd=tmp_path)["short.mkv"][0] == "done"
    other = planned(film, "--plan", "plan.toml", cwd=tmp_path)
    assert other["short.mkv"][:2] == ("to do", "read with other weights")

    done = scenefer("reclassify", "reports/short", "--weights", "other.safetensors", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert planned(film, cwd=tmp_path)["short.mkv"] == ("to do", "read with other weights", 0)
    assert planned(film, "--plan", "plan.toml", cwd=tmp_path)["short.mkv"][0] == "done"


def test_a_stated_timecode_holds_for_its_run_alone(films: Path, tmp_path: Path):
    def timecode() -> str | None:
        record = json.loads((tmp_path / "reports" / "short" / "run.json").read_text())
        return record["film"]["timecode"]

    film = films / "short.mkv"
    done = scenefer("analyze", film, *QUICK, "--timecode-start", "10:00:00:00", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert timecode() == "10:00:00:00"
    assert ended(batch(film, cwd=tmp_path, code=0)) == {"short.mkv": "done"}
    assert timecode() is None


def test_two_films_of_one_name_have_two_reports_whoever_ends_first(films: Path, tmp_path: Path):
    for folder, film in (("a", "short.mkv"), ("b", "middle.mkv"), ("library", "long.mkv")):
        (tmp_path / folder).mkdir()
        shutil.copy(films / film, tmp_path / folder / ("library.mkv" if folder == "library" else "same.mkv"))
    batch("a", "b", "library", cwd=tmp_path, code=0)
    found = sorted(path.name for path in (tmp_path / "reports").iterdir())
    assert found[0] == "library"
    assert found[1].startswith("library-")
    assert found[2:4] == ["library.html", "same"]
    assert found[4].startswith("same-")


def test_other_failures_than_of_bytes_are_tried_again(films: Path, tmp_path: Path):
    (tmp_path / "films").mkdir()
    (tmp_path / "films" / "later.mkv").symlink_to(tmp_path / "short.mkv")
    batch("films", cwd=tmp_path, code=3)
    assert failed(tmp_path)["later.mkv"]["permanent"] == "false"
    shutil.copy(films / "short.mkv", tmp_path / "short.mkv")
    batch("films", cwd=tmp_path, code=0)
    assert failed(tmp_path) == {}


def test_a_film_that_was_analysed_by_itself_has_failed_no_longer(films: Path, tmp_path: Path):
    (tmp_path / "sheets").mkdir()
    (tmp_path / "sheets" / "short.csv").write_text("scene,start,end\na,1,0\n")
    film = films / "short.mkv"
    batch(film, "--scenes", "sheets", cwd=tmp_path, code=3)
    assert set(failed(tmp_path)) == {"short.mkv"}
    assert scenefer("analyze", film, *QUICK, cwd=tmp_path).returncode == 0
    assert ended(batch(film, cwd=tmp_path, code=0)) == {}
    assert failed(tmp_path) == {}


def test_a_library_without_a_film_is_a_mistake_of_usage(tmp_path: Path):
    (tmp_path / "empty").mkdir()
    for arguments in (["empty"], [], ["missing"], ["empty", "--executor", "threads"], ["empty", "--shard", "3/2"]):
        done = scenefer("batch", *arguments, cwd=tmp_path)
        assert done.returncode == 2, done.stderr
        assert len(complaints(done)) == 1


@pytest.mark.slow
def test_hard_films_and_good_ones_are_one_library(tmp_path: Path):
    """The good ones all succeed, the bad ones are all named."""
    from tests.conftest import FILMS
    from tests.hard_films import ROWS

    if not FILMS.is_dir():
        pytest.skip(f"the clips are not at {FILMS}; set SCENEFER_FILMS to their folder")
    done = scenefer("batch", FILMS, *QUICK, "--json", cwd=tmp_path, limit=1800)
    assert done.returncode == 1, done.stderr
    states = ended([json.loads(line) for line in done.stdout.splitlines()])
    bad = {row["file"] for row in ROWS if row["exit"] != "0"}
    partial = {row["file"] for row in ROWS if row["exit"] == "0" and row["warning"]}
    assert {name for name, state in states.items() if state == "failed"} == bad
    assert {name for name, state in states.items() if state == "partial"} >= partial
    assert set(failed(tmp_path)) >= bad | partial
    assert os.path.isfile(tmp_path / "reports" / "testfilm_720p25" / "report.html")


def test_a_timeline_package_is_known_by_what_it_holds(tmp_path: Path):
    package = tmp_path / "film.fcpxmld"
    package.mkdir()
    (package / "Info.fcpxml").write_text("<fcpxml/>")
    before = planner._digest(package)
    (package / "Info.fcpxml").write_text("<fcpxml version='1.11'/>")
    assert planner._digest(package) != before
    assert planner._digest(tmp_path / "gone.fcpxmld") == "unreadable"
