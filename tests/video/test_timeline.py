"""Timestamps become film time, whatever the container's clock does."""

from __future__ import annotations

from fractions import Fraction

import pytest

from scenefer.video.frame import ReaderNotes
from scenefer.video.timeline import Timeline, grid_index, multiple_before

TICK = Fraction(1, 1000)


def times(pts: list[int | None], container: str = "matroska,webm", origin: int = 0) -> tuple[list[float], ReaderNotes]:
    notes = ReaderNotes()
    timeline = Timeline(TICK, origin, Fraction(25), container, notes)
    return [timeline.advance(stamp) for stamp in pts], notes


def test_film_time_begins_at_the_first_displayed_frame():
    assert times([10_000, 10_040, 10_100], origin=10_000) == ([0.0, 0.04, 0.1], ReaderNotes())


def test_a_missing_timestamp_is_interpolated_and_counted():
    assert times([0, None, None, 120]) == ([0.0, 0.04, 0.08, 0.12], ReaderNotes(n_interpolated=2))


def test_without_any_timestamp_the_clock_runs_at_the_frame_rate():
    assert times([None, None, None])[0] == [0.0, 0.04, 0.08]


def test_times_rise_where_timestamps_repeat_or_are_disordered_and_the_clock_is_not_moved():
    assert times([0, 40, 40, 80, 60, 120]) == ([0.0, 0.04, 0.041, 0.08, 0.081, 0.12], ReaderNotes(n_interpolated=2))


def test_a_jump_backwards_continues_the_clock_and_is_counted():
    found, notes = times([5000, 5040, 0, 40], origin=5000)
    assert found == [0.0, 0.04, 0.08, 0.12]
    assert notes == ReaderNotes(n_backward=1, first_backward=0.08)


def test_a_clock_of_33_bits_may_wrap():
    notes = ReaderNotes()
    timeline = Timeline(Fraction(1, 90_000), (1 << 33) - 3600, Fraction(25), "mpegts", notes)
    assert [timeline.advance(pts) for pts in ((1 << 33) - 3600, 0, 3600)] == [0.0, 0.04, 0.08]
    assert notes.n_backward == 1


def test_a_long_gap_is_a_jump_in_a_broadcast_stream_and_a_long_frame_elsewhere():
    assert times([0, 40, 60_040], "mpegts") == ([0.0, 0.04, 0.08], ReaderNotes(n_backward=1, first_backward=0.08))
    assert times([0, 40, 60_040]) == ([0.0, 0.04, 60.04], ReaderNotes())


@pytest.mark.parametrize(
    ("time", "index"), [(0.0, 0), (0.199, 0), (0.2, 1), (0.19999995, 1), (0.6000000000000001, 3), (3600.0, 18_000)]
)
def test_the_grid_stands_on_absolute_film_time(time, index):
    assert grid_index(time, 5) == index


@pytest.mark.parametrize("step", [0.01, 0.1, 0.2, 0.3, 1.0])
def test_the_multiple_before_a_time_is_never_after_it(step: float):
    for number in range(1, 2000):
        for time in (number * step, round(number * step, 6)):
            assert time - step < multiple_before(time, step) <= time
    assert multiple_before(0.6, 0.2) == 0.6, "3 * 0.2 is more"
