"""How far a library is can be told from what lies on disk, while others work on it."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from scenefer.cli import terminal
from scenefer.core.film import Span, film_id
from scenefer.library import status
from scenefer.pipeline import probe_cache
from tests.caches import INF, claimed, finished
from tests.clips import moving, write_clip


def run_of(reports: Path, film: Path, state: str = "done") -> None:
    folder = reports / film.stem
    folder.mkdir(parents=True)
    record = {"film": {"path": str(film), "id": "0" * 16}, "state": state, "made": "2026-03-22"}
    (folder / "run.json").write_text(json.dumps(record))


def test_a_film_is_done_by_what_it_holds_wherever_it_lies_and_one_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    films, reports, data = tmp_path / "films", tmp_path / "reports", tmp_path / "data"
    clip = write_clip(tmp_path / "a.mkv", moving(5))
    films.mkdir()
    clip.rename(films / "moved.mkv")
    record = {"film": {"path": "a.mkv", "id": film_id(films / "moved.mkv")}, "state": "done", "made": "2026-03-22"}
    (reports / "a").mkdir(parents=True)
    (reports / "a" / "run.json").write_text(json.dumps(record))
    monkeypatch.chdir(tmp_path / "films")
    assert status.read_status(reports, data, films).waiting == ("moved.mkv",)
    probe_cache.look(films / "moved.mkv", data)  # by a batch
    assert status.read_status(reports, data, films).waiting == ()


def test_films_are_counted_by_state(tmp_path: Path):
    films, reports, data = tmp_path / "films", tmp_path / "reports", tmp_path / "data"
    films.mkdir()
    for name in ("a.mkv", "b.mkv", "c.mkv", "d.mkv", "e.mkv"):
        (films / name).touch()
    run_of(reports, films / "a.mkv")
    run_of(reports, films / "b.mkv", "partial")
    (reports / "library").mkdir()
    failures = [{"film": str(films / "c.mkv"), "state": "failed", "error": f"{films}/c.mkv is\x1b[31m empty"},
                {"film": str(films / "b.mkv"), "state": "partial", "error": "torn"}]  # fmt: skip
    pq.write_table(pa.Table.from_pylist(failures), reports / "library" / "failures.parquet")
    finished(data, "d" * 16, Span(0.0, 40.02), name="d.mkv")
    finished(data, "d" * 16, Span(40.02, INF), name="d.mkv")
    claimed(data, "d" * 16, Span(80.0, 120.0))
    found = status.read_status(reports, data, films)
    assert found == status.Status(
        ("a.mkv",),
        ("b.mkv",),
        (status.Working("d" * 16, "d.mkv", 1, 2, 44.02, None),),
        (("c.mkv", "c.mkv is\\x1b[31m empty"),),
        ("e.mkv",),
    )
    assert status.read_status(reports, data).waiting is None
    assert terminal.status_record(found)["waiting"] == ["e.mkv"]
    assert terminal.status_table(found).row_count == 5


def test_a_claim_is_a_file_or_folder_that_was_touched_of_late(tmp_path: Path):
    film = "0123456789abcdef"
    claimed(tmp_path, film, Span(0.0, 40.0), age=10)
    claimed(tmp_path, film, Span(40.0, INF), age=600)
    claimed(tmp_path, film, Span(80.0, INF), suffix=".claim")
    claimed(tmp_path, film, Span(90.0, INF), suffix=".123.tmp")
    assert [claim.span for claim in status.running(tmp_path)] == ["0.000-40.000", "80.000-end"]
    assert [claim.span for claim in status.running(tmp_path, patience=1e4)][1] == "40.000-end"
    (first, _) = status.running(tmp_path)
    assert first.age == pytest.approx(10, abs=5)
    assert (first.film, first.settings) == (film, "a" * 12)


def test_a_film_of_which_nothing_is_finished_is_called_by_what_a_batch_noted_else_by_its_id(tmp_path: Path):
    claimed(tmp_path, "b" * 16, Span(0.0, 40.0))
    assert status.read_status(tmp_path, tmp_path).running == (status.Working("b" * 16, "b" * 16, 1, 0, 0.0, None),)
    (tmp_path / "films" / "0f").mkdir(parents=True)
    note = {"id": "b" * 16, "path": "films/b.mkv", "film": {"duration": 62.0}}
    (tmp_path / "films" / "0f" / "1.json").write_text(json.dumps(note))
    (tmp_path / "films" / "0f" / "2.json").write_text("{")
    (found,) = status.read_status(tmp_path, tmp_path).running
    assert (found.name, found.duration) == ("b.mkv", 62.0)


def test_nothing_is_nothing(tmp_path: Path):
    assert status.read_status(tmp_path / "reports", tmp_path / "data") == status.Status((), (), (), (), None)


def test_a_library_is_known_by_its_films_its_reports_or_its_cache(tmp_path: Path):
    films, reports, data = tmp_path / "films", tmp_path / "reports", tmp_path / "data"
    (data / "observed").mkdir(parents=True)
    films.mkdir()
    run_of(reports, Path("a.mkv"))
    assert status.locate(data, None, None) == (reports, data, None)
    assert status.locate(reports, None, None) == (reports, data, None)
    assert status.locate(films, reports, None) == (reports, data, films)
    assert status.locate(films, None, None) == (Path("reports"), Path("data"), films)


def test_looking_writes_nothing(tmp_path: Path):
    run_of(tmp_path / "reports", Path("a.mkv"))
    claimed(tmp_path / "data", "b" * 16, Span(0.0, 40.0))
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    status.read_status(tmp_path / "reports", tmp_path / "data", tmp_path)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before
