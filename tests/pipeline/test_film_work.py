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
from scenefer.pipeline.chunks import Piece
from scenefer.pipeline.executors.base import Outcome
from scenefer.pipeline.film_work import FilmWork
from scenefer.pipeline.observation_cache import DamagedPiece
from scenefer.pipeline.plans import make_plan


@pytest.fixture
def pieces(tmp_path: Path) -> list[Piece]:
    """Three pieces of four seconds each, none of them read."""
    path = tmp_path / "film.mp4"
    path.write_bytes(b"twelve seconds")
    film = Film(path, "0" * 16, 96, 54, 12.0, Fraction(25))
    spans = [Span(0.0, 4.0), Span(4.0, 8.0), Span(8.0, float("inf"))]
    stamp = probe_cache.stamp_of(path)
    return [
        Piece(film, span, tmp_path / "data" / str(n), make_plan(), tmp_path, "e", 1, stamp)
        for n, span in enumerate(spans)
    ]


def read(piece: Piece) -> Outcome:
    """Put a piece into the cache, as the job of it does."""
    piece.folder.mkdir(parents=True)
    record = {"expression_id": piece.expression_id, "files": {}, "notes": {}}
    (piece.folder / "manifest.json").write_text(json.dumps(record))
    return Outcome(piece, None)


def work_on(pieces: list[Piece]) -> FilmWork:
    return FilmWork(pieces[0].film, pieces, lambda work: "the last job")


def test_missing_pieces_are_named_and_the_last_job_once_all_are_there(pieces: list[Piece]):
    read(pieces[0])
    work = work_on(pieces)
    assert work.first_jobs() == pieces[1:]
    assert (work.n_resumed, work.left, work.read) == (1, 8.0, 4.0)
    work.reach(pieces[2], 1.5)
    assert work.read == 5.5
    assert work.settle(read(pieces[2])) == []
    assert (work.left, work.read) == (4.0, 8.0)
    assert work.settle(read(pieces[1])) == ["the last job"]
    assert not work.has_ended
    assert work.settle(Outcome("the last job", None)) == []
    assert work.state == "done"
    assert [line.partition(" ")[2] for line in work.log] == [
        "read from 0:00:08.000: 4.0 s of film",
        "read from 0:00:04.000: 4.0 s of film",
    ]


def test_a_film_whose_pieces_are_all_there_begins_with_its_last_job_or_is_done(pieces: list[Piece]):
    for piece in pieces:
        read(piece)
    assert work_on(pieces).first_jobs() == ["the last job"]
    assert FilmWork(pieces[0].film, pieces).state == "done"


def test_pieces_found_damaged_are_read_again_three_times_at_most(pieces: list[Piece]):
    for piece in pieces:
        read(piece)
    work = work_on(pieces)
    assert work.first_jobs() == ["the last job"]
    for _ in range(3):
        shutil.rmtree(pieces[1].folder)  # as who finds it damaged does
        assert work.settle(Outcome("the last job", DamagedPiece("it is not as it was written"))) == [pieces[1]]
        assert (work.state, work.left) == ("reading", 4.0)
        assert work.settle(read(pieces[1])) == ["the last job"]
    error = DamagedPiece("it is not as it was written")
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
def test_a_piece_that_cannot_be_read_fails_the_film(
    pieces: list[Piece], error: SceneferError, changed: bool, permanent: bool
):
    work = work_on(pieces)
    work.reach(pieces[1], 2.5)
    if changed:
        pieces[1].path.write_bytes(b"other bytes")
    assert work.settle(Outcome(pieces[1], error)) == []
    assert work.trouble == (pieces[1], error, 6.5, permanent)
    assert work.state == "failed"
    assert work.running == 0.0
    assert work.log[-1].endswith(str(error))


def test_a_single_film_is_not_begun_either_where_its_disk_is_full(tmp_path: Path):
    plan = make_plan(options={"run.least_free": 1e9})
    with pytest.raises(OutputError, match="MB left, less than 1000000000; free space"):
        api.analyze(PORTRAIT, plan, data=tmp_path / "data")
    assert not (tmp_path / "data").exists()
