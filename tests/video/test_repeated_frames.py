"""Pictures that a film holds are shown for as long as they are held, and lost ones are not papered over."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest

from scenefer.core.film import Film, Span
from scenefer.video import ReaderNotes, frames, probe
from scenefer.video.repeated_frames import Decoded, repeated
from tests.clips import moving, write_clip

HELD = [*range(10), *range(60, 70)]  # in frames of 1/25 s: nothing new from 0.36 to 2.4 s
GRID = [0.4, 0.6, 0.8, 1.0, 1.2, 1.4, 1.6, 1.8, 2.0, 2.2]


def held_film(path: Path, **options: Any) -> Film:
    return probe(write_clip(path, moving(len(HELD)), times=HELD, b_frames=2, **options))


@pytest.mark.parametrize("threads", [1, 4])
def test_a_held_picture_is_shown_again_at_each_point_of_the_grid(tmp_path: Path, threads: int):
    read = list(frames(held_film(tmp_path / "call.mp4"), sample_rate=5, threads=threads))
    expected = [*(k / 25 for k in range(10)), *GRID, *(k / 25 for k in range(60, 70))]
    assert [frame.time for frame in read] == pytest.approx(expected)
    assert [frame.index for frame in read] == list(range(30))
    assert all(frame.pixels is not None for frame in read[10:20])
    assert all(np.array_equal(frame.small, read[9].small) for frame in read[10:20])
    assert not np.array_equal(read[20].small, read[9].small)


def test_spans_within_a_held_picture_join_without_a_seam(tmp_path: Path):
    film = held_film(tmp_path / "call.mp4", gop=5)
    whole = [frame.time for frame in frames(film, sample_rate=5)]
    parts = [frame for span in (Span(0.0, 1.1), Span(1.1, 9.0)) for frame in frames(film, span, sample_rate=5)]
    assert [frame.time for frame in parts if not frame.run_up] == whole
    assert [frame.time for frame in parts if frame.run_up] == [1.0]


def test_who_wants_every_frame_gets_each_once(tmp_path: Path):
    read = list(frames(held_film(tmp_path / "call.mp4"), sample_rate=None))
    assert [frame.time for frame in read] == pytest.approx([k / 25 for k in HELD])


def test_a_container_that_may_have_lost_pictures_holds_none(tmp_path: Path):
    read = list(frames(held_film(tmp_path / "call.mkv"), sample_rate=5))
    assert [frame.time for frame in read] == pytest.approx([k / 25 for k in HELD], abs=1e-3)


def test_what_is_damaged_is_not_replaced_by_what_was_before(tmp_path: Path):
    path = write_clip(tmp_path / "clip.mp4", moving(50), codec="mjpeg", pix_fmt="yuvj420p", options={})
    content = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        for number, packet in enumerate(container.demux(video=0)):
            if 10 <= number < 40:
                content[packet.pos : packet.pos + packet.size] = bytes(packet.size)
    path.write_bytes(content)
    notes = ReaderNotes()
    read = list(frames(probe(path), sample_rate=5, threads=1, notes=notes))
    assert [frame.time for frame in read] == pytest.approx([k / 25 for k in range(50) if not 10 <= k < 40])
    assert notes.n_damaged == 30


def decoded(*shown: tuple[float, bool]) -> Generator[Decoded]:
    for time, follows in shown:
        yield Decoded(time, SimpleNamespace(), follows)  # pyright: ignore[reportArgumentType]  # any picture will do


FILM = Film(
    Path("call.mp4"), "0" * 16, 64, 36, 4.0, Fraction(10), container="mov,mp4,m4a,3gp,3g2,mj2", end_declared=True
)


def times(source: Generator[Decoded], film: Film = FILM, rate: float = 2.0, **notes: Any) -> list[float]:
    return [time for time, _ in repeated(source, film, rate, ReaderNotes(**notes))]


def test_the_last_picture_is_held_to_the_declared_end_of_a_film_that_is_whole():
    assert times(decoded((0.0, True), (1.2, True))) == [0.0, 0.5, 1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 3.5]
    assert times(decoded((0.0, True), (1.2, True)), replace(FILM, end_declared=False)) == [0.0, 0.5, 1.0, 1.2]
    assert times(decoded((0.0, True), (1.2, True)), n_damaged=1) == [0.0, 0.5, 1.0, 1.2]


def test_a_picture_before_a_loss_is_not_held():
    assert times(decoded((0.0, True), (1.2, False), (3.9, True))) == [0.0, 1.2, 1.5, 2.0, 2.5, 3.0, 3.5, 3.9]


def test_what_lasts_two_steps_of_the_grid_or_of_a_slow_film_is_not_held():
    assert times(decoded((0.0, True), (1.0, True), (2.0, True), (3.0, True))) == [0.0, 1.0, 2.0, 3.0]
    slow = replace(FILM, frame_rate=Fraction(1))
    assert times(decoded((0.0, True), (1.9, True), (3.0, True)), slow) == [0.0, 1.9, 3.0]


def test_a_damaged_timestamp_does_not_fill_hours():
    assert times(decoded((0.0, True), (1e6, True)), replace(FILM, duration=1e6)) == [*(k / 2 for k in range(1200)), 1e6]
