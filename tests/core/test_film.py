"""What is known of a film: its id, its division into chunks, how times and names are written."""

from __future__ import annotations

import os
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest

from scenefer.core.errors import AccessError
from scenefer.core.film import Film, Span, chunk_spans, clock, film_id, require_readable
from scenefer.core.text import printable

INFINITE = float("inf")


def film(*, key_frames: tuple[float, ...], duration: float | None) -> Film:
    return Film(Path("film.mp4"), "0" * 16, 640, 360, duration, Fraction(25), key_frames=key_frames)


def every(seconds: float, until: float) -> tuple[float, ...]:
    return tuple(k * seconds for k in range(int(until / seconds)))


def test_a_moved_film_keeps_its_id_and_a_changed_one_gets_another(tmp_path):
    first, moved, changed = tmp_path / "a.mp4", tmp_path / "b.mp4", tmp_path / "c.mp4"
    content = bytes(range(256)) * 40_000  # 10 MB
    first.write_bytes(content)
    moved.write_bytes(content)
    changed.write_bytes(content[:-1])
    assert film_id(first) == film_id(moved)
    assert film_id(first) != film_id(changed)
    assert len(film_id(first)) == 16


def test_a_missing_film_has_no_id():
    with pytest.raises(AccessError, match=r"nowhere\.mp4 cannot be read"):
        film_id(Path("nowhere.mp4"))


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs a file that opens and gives an error of input")
def test_a_disk_that_does_not_give_a_film_is_named_and_not_the_film(tmp_path):
    film = tmp_path / "film.mp4"
    film.write_bytes(bytes(1000))
    require_readable(film)
    with pytest.raises(AccessError, match=r"cannot be read: Input/output error; check the disk or the network"):
        require_readable(Path("/proc/self/mem"))


def test_chunks_follow_one_another_and_cover_the_film():
    spans = chunk_spans(film(key_frames=every(2.0, 3600), duration=3600.0))
    assert spans[0].start == 0.0
    assert spans[-1].end == INFINITE
    assert all(before.end == after.start for before, after in pairwise(spans))


def test_a_chunk_of_a_long_film_lasts_forty_seconds_and_begins_half_a_frame_after_a_key_frame():
    spans = chunk_spans(film(key_frames=every(2.0, 3600), duration=3600.0))
    assert [span.start for span in spans[:3]] == [0.0, 40.02, 82.02]


def test_a_short_film_is_divided_among_the_cores():
    spans = chunk_spans(film(key_frames=every(1.0, 60), duration=60.0))
    assert [span.start for span in spans] == [0.0, 15.02, 31.02, 47.02]


def test_a_chunk_waits_for_the_next_key_frame():
    spans = chunk_spans(film(key_frames=(0.0, 40.0, 41.0, 90.0), duration=100.0))
    assert spans == [Span(0.0, 40.02), Span(40.02, 90.02), Span(90.02, INFINITE)]


def test_chunks_can_be_asked_to_begin_at_whole_multiples_after_the_key_frame():
    spans = chunk_spans(film(key_frames=every(3.3, 1100), duration=3600.0), step=2.0)
    keys = every(3.3, 1100)
    assert all(span.start % 2 == 0 for span in spans)
    assert all(any(0 < span.start - key < 2.02 for key in keys) for span in spans[1:])
    assert all(before.end == after.start for before, after in pairwise(spans))


def test_no_stub_is_left_at_the_end():
    assert len(chunk_spans(film(key_frames=(0.0, 59.0), duration=60.0))) == 1


@pytest.mark.parametrize("whole", [Span(0.0, INFINITE), Span(10.0, 20.0)])
def test_a_film_that_cannot_be_entered_or_has_no_known_end_is_one_chunk(whole):
    assert chunk_spans(film(key_frames=(), duration=3600.0), whole) == [whole]
    assert chunk_spans(film(key_frames=every(2.0, 3600), duration=None), whole) == [whole]


def test_a_part_of_a_film_is_divided_within_its_bounds():
    spans = chunk_spans(film(key_frames=every(2.0, 3600), duration=3600.0), Span(100.0, 500.0))
    assert spans[0].start == 100.0
    assert spans[-1].end == 500.0
    assert all(100 <= span.start < span.end <= 500 for span in spans)


def test_a_part_that_lies_beyond_the_film_stays_as_it_is():
    assert chunk_spans(film(key_frames=every(2.0, 60), duration=60.0), Span(100.0, 200.0)) == [Span(100.0, 200.0)]


def test_the_division_does_not_depend_on_key_frames_that_are_not_used():
    whole = film(key_frames=(0.0, 40.0, 90.0), duration=100.0)
    assert chunk_spans(whole) == chunk_spans(replace(whole, key_frames=(0.0, 13.0, 40.0, 90.0)))


@pytest.mark.parametrize(
    ("seconds", "written"),
    [(0.0, "0:00:00.000"), (75.5, "0:01:15.500"), (3599.9996, "1:00:00.000"), (-1.25, "-0:00:01.250")],
)
def test_a_clock_reads_hours_minutes_and_seconds(seconds, written):
    assert clock(seconds) == written


def test_a_name_fits_one_line_whatever_it_contains():
    assert printable(Path("Fräulein 'x'.mp4")) == "Fräulein 'x'.mp4"
    assert printable(Path("two\nlines\x1b.mp4")) == "two\\nlines\\x1b.mp4"
    assert printable(Path(os.fsdecode(b"caf\xe9.mp4"))) == "caf\\xe9.mp4"
