"""A run takes the place of a run and of nothing else, and what else lies there is not lost."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from scenefer.core import atomic, run_folder
from scenefer.core.errors import OutputError
from scenefer.core.film import Film, Span
from scenefer.library import catalogue, jobs
from scenefer.pipeline.plans import make_plan


def film(path: Path) -> Film:
    return Film(path, "0123456789abcdef", 16, 16, 1.0, Fraction(25))


def folder(path: Path, *files: str) -> Path:
    for name in files:
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(f"{path.name}/{name}")
    return path


def files(path: Path) -> dict[str, str]:
    return {str(file.relative_to(path)): file.read_text() for file in path.rglob("*") if file.is_file()}


def test_what_is_no_run_is_not_replaced_and_another_name_is_taken(tmp_path: Path):
    """Films beside their reports: the folder of a film's stills, or of its rushes, has the film's name."""
    rushes = folder(tmp_path / "scene 1", "rushes.mov")
    beside = folder(tmp_path / "scene 1.1.tmp", "run.json")
    assert run_folder.report_folder(film(tmp_path / "scene 1.mp4"), tmp_path) == tmp_path / "scene 1-012345"
    with pytest.raises(OutputError, match="scene 1 is there and is no report of scenefer; choose another --out"):
        run_folder.exchange(beside, rushes)
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="is no report"):
        run_folder.exchange(beside, tmp_path / "file")
    assert files(rushes) == {"rushes.mov": "scene 1/rushes.mov"}
    (tmp_path / "empty").mkdir()
    run_folder.exchange(beside, tmp_path / "empty")
    assert files(tmp_path / "empty") == {"run.json": "scene 1.1.tmp/run.json"}


def test_figures_and_notes_stay_where_a_run_is_written_again_and_its_own_files_do_not(tmp_path: Path):
    place = folder(
        tmp_path / "film", "run.json", "tables/old.parquet", "pictures/1.jpg", "figures/arc.png", "notes.txt"
    )
    run_folder.exchange(folder(tmp_path / "film.1.tmp", "run.json", "tables/new.parquet"), place)
    assert set(files(place)) == {"run.json", "tables/new.parquet", "figures/arc.png", "notes.txt"}
    assert files(place)["run.json"] == "film.1.tmp/run.json"
    run_folder.exchange(folder(tmp_path / "film.1.tmp", "run.json"), place, keep_others=False)
    assert set(files(place)) == {"run.json"}
    assert os.listdir(tmp_path) == ["film"]


def test_what_a_kill_left_comes_back_and_another_film_is_left_alone(tmp_path: Path):
    folder(tmp_path / "a.17.old.tmp", "run.json", "notes.txt")
    folder(tmp_path / "a.17.tmp", "run.json")
    living = folder(tmp_path / "a.b.18.tmp", "run.json")  # of the film "a.b", which another process writes
    run_folder.restore(tmp_path / "a")
    assert set(files(tmp_path / "a")) == {"run.json", "notes.txt"}
    assert files(tmp_path / "a")["run.json"] == "a.17.old.tmp/run.json"
    folder(tmp_path / "a.19.old.tmp", "run.json", "more.txt")  # killed after the exchange
    run_folder.restore(tmp_path / "a")
    assert set(files(tmp_path / "a")) == {"run.json", "notes.txt", "more.txt"}
    assert files(tmp_path / "a")["run.json"] == "a.17.old.tmp/run.json"
    assert sorted(os.listdir(tmp_path)) == ["a", living.name]


def test_a_batch_knows_the_reports_that_a_kill_put_aside(tmp_path: Path):
    aside = folder(tmp_path / "a.17.old.tmp", "report.html")
    record = {"film": {"id": "x", "path": "x.mkv"}, "state": "done", "forgotten": "2026-01-01"}
    (aside / "run.json").write_text(json.dumps(record))
    assert catalogue.find_reports(tmp_path)["x"][0].forgotten
    assert os.listdir(tmp_path) == ["a"]


def test_an_exchange_that_was_undone_meanwhile_is_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    place, beside = folder(tmp_path / "a", "run.json"), folder(tmp_path / "a.17.tmp", "run.json", "report.html")
    rename = os.rename

    def undone_once(source: Path, target: Path) -> None:
        monkeypatch.setattr(os, "rename", rename)
        rename(source, target)
        run_folder.restore_all(tmp_path)

    monkeypatch.setattr(os, "rename", undone_once)
    run_folder.exchange(beside, place)
    assert set(files(place)) == {"run.json", "report.html"}
    assert os.listdir(tmp_path) == ["a"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("Film.1080p.mkv", "Film.1080p", id="as it is"),
        pytest.param("x.tmp.mp4", "x.tmp_", id="no name of what is swept"),
        pytest.param("\u5f71" * 84 + ".mp4", "\u5f71" * 60, id="short enough for what is written beside it"),
    ],
)
def test_a_film_names_its_folder(name: str, expected: str):
    assert run_folder.folder_name(Path(name)) == expected


def test_a_film_that_was_forgotten_since_it_was_planned_is_not_read_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "film").mkdir()
    (tmp_path / "film" / "run.json").write_text('{"film": {"id": "0123456789abcdef"}, "forgotten": "2026-01-01"}')
    reported: list[Path] = []
    monkeypatch.setattr(jobs, "_report", lambda job, folder, tell: reported.append(folder))
    whole = Span(0.0, float("inf"))
    job = jobs.Finish(
        film(tmp_path / "film.mp4"), whole, make_plan(), tmp_path, tmp_path, None, None, every_clip=False, made_of={}
    )
    jobs.finish(job, lambda seconds: None)
    assert reported == []
    jobs.finish(replace(job, always=True), lambda seconds: None)  # `analyze`, which asks for it
    assert reported == [tmp_path / "film"]


def test_what_a_run_consists_of_is_no_place_for_a_result(tmp_path: Path):
    run = tmp_path / "film"
    (run / "pictures").mkdir(parents=True)
    (run / "run.json").write_text("{}")
    link = tmp_path / "linked.csv"
    link.symlink_to(run / "run.json")
    for place in (run / "run.json", run / "pictures" / "arc.png", run / "tables" / "faces.parquet", link):
        with pytest.raises(OutputError, match=r"belongs to the run .*film; choose another --to"):
            atomic.write_result(place, b"", "")
    for place in (run / "notes.csv", run / "figures" / "arc.png", tmp_path / "pictures" / "arc.png"):
        atomic.write_result(place, b"own", "")
        assert place.read_bytes() == b"own"


def test_a_result_is_written_through_a_link(tmp_path: Path):
    (tmp_path / "share").mkdir()
    (tmp_path / "share" / "real.csv").write_text("old")
    (tmp_path / "linked.csv").symlink_to(tmp_path / "share" / "real.csv")
    atomic.write_result(tmp_path / "linked.csv", b"new", "")
    assert (tmp_path / "linked.csv").is_symlink()
    assert (tmp_path / "share" / "real.csv").read_text() == "new"
