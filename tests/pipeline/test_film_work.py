"""A film in work, without an executor: which jobs it names, and what follows from how they end."""

from __future__ import annotations

import json
import shutil
from fractions import Fraction
from pathlib import Path

import pytest

from scenefer.core.errors import AccessError, FilmError, OutputError, SceneferError
from scenefer.core.film import Film, Span
from scenefer.models.selftest import PORTRAIT
from scenefer.pipeline import api, probe_cache
from scenefer.pipeline.chunks import Chunk
from scenefer.pipeline.executors.base import Outcome
from scenefer.pipeline.film_work import FilmWork
from scenefer.pipeline.observation_cache import DamagedChunk
from scenefer.pipeline.plans import make_plan


@pytest.fixture
def chunks(tmp_path: Path) -> list[Chunk]:
    """Three chunks of four seconds each, none of them read."""
    path = tmp_path / "film.mp4"
    path.write_bytes(b"twelve seconds")
    film = Film(path, "0" * 16, 96, 54, 12.0, Fraction(25))
    spans = [Span(0.0, 4.0), Span(4.0, 8.0), Span(8.0, float("inf"))]
    stamp = probe_cache.stamp_of(path)
    return [
        Chunk(film, span, tmp_path / "data" / str(n), make_plan(), tmp_path, "e", 1, stamp)
        for n, span in enumerate(spans)
    ]


def read(chunk: Chunk) -> Outcome:
    """Put a chunk into the cache, as the job of it does."""
    chunk.folder.mkdir(parents=True)
    record = {"expression_id": chunk.expression_id, "files": {}, "notes": {}}
    (chunk.folder / "manifest.json").write_text(json.dumps(record))
    return Outcome(chunk, None)


def work_on(chunks: list[Chunk]) -> FilmWork:
    return FilmWork(chunks[0].film, chunks, lambda work: "the last job")


def test_missing_chunks_are_named_and_the_last_job_once_all_are_there(chunks: list[Chunk]):
    read(chunks[0])
    work = work_on(chunks)
    assert work.first_jobs() == chunks[1:]
    assert (work.n_resumed, work.left, work.read) == (1, 8.0, 4.0)
    work.reach(chunks[2], 1.5)
    assert work.read == 5.5
    assert work.settle(read(chunks[2])) == []
    assert (work.left, work.read) == (4.0, 8.0)
    assert work.settle(read(chunks[1])) == ["the last job"]
    assert not work.has_ended
    assert work.settle(Outcome("the last job", None)) == []
    assert work.state == "done"
    assert [line.partition(" ")[2] for line in work.log] == [
        "read from 0:00:08.000: 4.0 s of film",
        "read from 0:00:04.000: 4.0 s of film",
    ]


def test_a_film_whose_chunks_are_all_there_begins_with_its_last_job_or_is_done(chunks: list[Chunk]):
    for chunk in chunks:
        read(chunk)
    assert work_on(chunks).first_jobs() == ["the last job"]
    assert FilmWork(chunks[0].film, chunks).state == "done"


def test_chunks_found_damaged_are_read_again_three_times_at_most(chunks: list[Chunk]):
    for chunk in chunks:
        read(chunk)
    work = work_on(chunks)
    assert work.first_jobs() == ["the last job"]
    for _ in range(3):
        shutil.rmtree(chunks[1].folder)  # as who finds it damaged does
        assert work.settle(Outcome("the last job", DamagedChunk("it is not as it was written"))) == [chunks[1]]
        assert (work.state, work.left) == ("reading", 4.0)
        assert work.settle(read(chunks[1])) == ["the last job"]
    error = DamagedChunk("it is not as it was written")
    assert work.settle(Outcome("the last job", error)) == []
    assert work.state == "failed"
    assert work.trouble is not None
    assert work.trouble.error is error
    assert work.n_resumed == 3


@pytest.mark.parametrize(
    ("error", "changed", "permanent"),
    [
        pytest.param(FilmError("cannot be decoded"), False, True, id="its bytes"),
        pytest.param(FilmError("was changed"), True, False, id="other bytes now"),
        pytest.param(AccessError("cannot be read"), False, False, id="its disk"),
    ],
)
def test_a_chunk_that_cannot_be_read_fails_the_film(
    chunks: list[Chunk], error: SceneferError, changed: bool, permanent: bool
):
    work = work_on(chunks)
    work.reach(chunks[1], 2.5)
    if changed:
        chunks[1].path.write_bytes(b"other bytes")
    assert work.settle(Outcome(chunks[1], error)) == []
    assert work.trouble == (chunks[1], error, 6.5, permanent)
    assert work.state == "failed"
    assert work.running == 0.0
    assert work.log[-1].endswith(str(error))


def test_a_single_film_is_not_begun_either_where_its_disk_is_full(tmp_path: Path):
    plan = make_plan(options={"run.least_free": 1e9})
    with pytest.raises(OutputError, match="MB left, less than 1000000000; free space"):
        api.analyze(PORTRAIT, plan, data=tmp_path / "data")
    assert not (tmp_path / "data").exists()
