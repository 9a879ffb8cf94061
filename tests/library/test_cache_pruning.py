"""The cache says what it holds, and gives up what no report needs, and nothing else."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

import pytest
from typer.testing import CliRunner

from scenefer.cli import app, terminal
from scenefer.core.errors import PlanError, SceneferError
from scenefer.core.film import Span
from scenefer.library import cache_pruning, status
from scenefer.library.cache_pruning import Use
from scenefer.pipeline import observation_cache, plans
from tests.caches import claimed, finished

INF = float("inf")
A, B, C = "a" * 16, "b" * 16, "c" * 16
SETTINGS, WEIGHTS = "a" * 12, "e" * 12


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Three films in the cache, the first read by two sets of weights."""
    data = tmp_path / "data"
    chunk = finished(data, A, Span(0.0, INF), name="a.mkv")
    (chunk / f"logits-{'f' * 12}.parquet").write_text("read by other weights")
    (chunk / f"logits-{'f' * 12}.sha256").write_text("its checksum")
    finished(data, B, Span(0.0, 40.0), name="b.mkv")
    finished(data, B, Span(40.0, INF), name="b.mkv")
    finished(data, C, Span(0.0, INF), name="c.mkv")
    return data


def test_the_cache_tells_films_by_name_their_size_and_who_needs_them(data: Path):
    claimed(data, C, Span(40.0, INF))
    a, b, c = cache_pruning.survey(data, [Use(A, SETTINGS, WEIGHTS), Use(B, "0" * 12, WEIGHTS)])
    assert [(part.name, part.n_chunks, part.used, part.running) for part in (a, b, c)] == [
        ("a.mkv", 1, True, False), ("b.mkv", 2, False, False), ("c.mkv", 1, False, True),
    ]  # fmt: skip
    assert (a.seconds, b.seconds) == (4.0, 44.0)
    assert a.settings == "sample rate 2.0"
    assert a.size == sum(path.stat().st_size for path in (data / "observed" / A).rglob("*.*") if path.is_file())
    assert sorted(path.name for path in a.spare) == [f"logits-{'f' * 12}.parquet", f"logits-{'f' * 12}.sha256"]
    assert (a.freed, b.freed, c.freed) == (a.spare_size, b.size, 0)
    assert terminal.cache_record([a, b, c])["bytes"] == a.size + b.size + c.size


def test_pruning_removes_what_no_report_refers_to_and_keeps_what_is_being_read(data: Path):
    claimed(data, C, Span(40.0, INF))
    kept = list(cache_pruning.survey(data, [Use(A, SETTINGS, WEIGHTS)]))
    freed = cache_pruning.prune(kept, data)
    assert freed == kept[0].spare_size + kept[1].size > 0
    assert sorted(path.name for path in (data / "observed").iterdir()) == [A, C]
    assert observation_cache.is_done(observation_cache.chunk_folder(data, A, SETTINGS, Span(0.0, INF)), WEIGHTS)
    assert not observation_cache.is_done(observation_cache.chunk_folder(data, A, SETTINGS, Span(0.0, INF)), "f" * 12)


def test_nothing_outside_the_cache_is_touched_whatever_lies_in_it(tmp_path: Path, data: Path):
    outside = tmp_path / "precious" / SETTINGS / "0.000-end"
    outside.mkdir(parents=True)
    (outside / "film.mkv").touch()
    (data / "observed" / ("d" * 16)).symlink_to(tmp_path / "precious")
    (data / "observed" / C / ("1" * 12)).symlink_to(tmp_path / "precious" / SETTINGS)
    (data / "observed" / B / SETTINGS / "linked").symlink_to(tmp_path / "precious")
    (data / "observed" / "mine").mkdir()
    (data / "fer2013.parquet").touch()
    kept = list(cache_pruning.survey(data, []))
    assert {part.film for part in kept} == {A, B, C}
    cache_pruning.prune(kept, data)
    assert (outside / "film.mkv").exists()
    assert (data / "fer2013.parquet").exists()
    assert sorted(path.name for path in (data / "observed").iterdir()) == [C, "d" * 16, "mine"]
    with pytest.raises(ValueError, match="is not in"):
        cache_pruning.prune(kept, tmp_path / "elsewhere")


def test_where_reports_cannot_be_read_nothing_is_called_superfluous(data: Path):
    kept = list(cache_pruning.survey(data, None))
    assert [(part.used, part.freed) for part in kept] == [(None, 0)] * 3
    assert cache_pruning.prune(kept, data) == 0
    assert len(list((data / "observed").iterdir())) == 3


def test_what_else_lies_there_is_named(data: Path):
    (data / "films").mkdir()
    (data / "films" / "index.json").write_text("12345")
    (data / "sources.toml").write_text("123")
    assert cache_pruning.besides(data) == {"films": 5, "sources.toml": 3}


def test_a_report_names_what_it_was_made_of(tmp_path: Path):
    settings = plans.make_plan("fast")
    record = {
        "film": {"id": A},
        "settings": asdict(settings),
        "weights": {"detector": {"sha256": "d"}, "expression": {"sha256": "x"}},
    }
    (tmp_path / "film").mkdir()
    (tmp_path / "film" / "run.json").write_text(json.dumps(record))
    record["settings"]["run"]["of_another_version"] = 1
    (tmp_path / "film" / "run.json").write_text(json.dumps(record))
    weights = plans.expression_id(settings, "x")
    assert list(cache_pruning.uses_of(tmp_path)) == [Use(A, plans.observe_id(settings, "d", weights), weights)]


def test_what_is_being_reported_is_kept(data: Path, tmp_path: Path):
    (tmp_path / "reports" / ".claims" / "b.claim-1").mkdir(parents=True)
    (tmp_path / "reports" / ".claims" / "c.claim-1").mkdir()
    os.utime(tmp_path / "reports" / ".claims" / "c.claim-1", (0, 0))  # of a process that is long gone
    finishing = list(status.finishing(tmp_path / "reports"))
    assert finishing == ["b"]
    kept = cache_pruning.survey(data, [], finishing)
    assert [(part.name, part.freed > 0) for part in kept] == [("a.mkv", True), ("b.mkv", False), ("c.mkv", True)]


def test_a_damaged_note_of_a_chunk_is_passed_over(data: Path):
    (manifest, *_) = (data / "observed").rglob("manifest.json")
    manifest.write_text("{}")
    assert len(list(cache_pruning.survey(data, None))) == 3


def test_without_reports_or_with_one_that_cannot_be_read_nothing_is_superfluous(tmp_path: Path):
    with pytest.raises(PlanError, match="has no report"):
        list(cache_pruning.uses_of(tmp_path))
    (tmp_path / "film").mkdir()
    (tmp_path / "film" / "run.json").write_text("{}")
    with pytest.raises(SceneferError, match="what it needs is unknown"):
        list(cache_pruning.uses_of(tmp_path))


def test_pruning_needs_a_word_and_a_report(tmp_path: Path, data: Path):
    def said(*arguments: str) -> tuple[int, BaseException | None]:
        places = ["--data", str(data), "--out", str(tmp_path / "reports")]
        done = CliRunner().invoke(app, ["cache", *places, *arguments])
        return done.exit_code, done.exception

    assert said()[0] == 0
    assert isinstance(said("--prune", "--yes")[1], PlanError)
    (tmp_path / "reports" / "film").mkdir(parents=True)
    settings = asdict(plans.make_plan())
    weights = {"detector": {"sha256": "d"}, "expression": {"sha256": "x"}}
    record = {"film": {"id": A}, "settings": settings, "weights": weights}
    (tmp_path / "reports" / "film" / "run.json").write_text(json.dumps(record))
    assert "say --yes" in str(said("--prune")[1])
    assert len(list((data / "observed").iterdir())) == 3
    assert said("--prune", "--yes") == (0, None)
    assert list((data / "observed").iterdir()) == []


@pytest.mark.parametrize(
    ("size", "said"), [(0, "0 B"), (999, "999 B"), (12_345, "12 kB"), (3_400_000, "3.4 MB"), (2.5e14, "250 TB")]
)
def test_sizes_are_written_as_they_are_read(size: float, said: str):
    assert terminal.bytes_in_words(int(size)) == said
