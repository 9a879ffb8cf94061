"""Rate and delay are what a clock says, whoever asks when."""

from __future__ import annotations

import pytest

from scenefer.live.meter import Meter, Pace
from tests.live.scenes import Clock


def test_a_delay_is_from_when_a_picture_came_to_when_it_was_read():
    clock = Clock()
    meter = Meter(clock)
    for k in range(20):
        clock.seconds = 100 + 0.1 * k
        captured = clock.seconds
        clock.seconds += 0.5 if k == 19 else 0.08
        meter.add(captured, n_faces=2)
    pace = meter.pace()
    assert pace.delay == pytest.approx(0.08)
    assert pace.late == pytest.approx(0.5)
    assert (meter.n_pictures, meter.n_faces) == (20, 40)


def test_the_rate_is_of_the_last_five_seconds_and_falls_where_nothing_comes():
    clock = Clock()
    meter = Meter(clock)
    for _ in range(100):
        clock.seconds += 0.1
        meter.add(clock.seconds - 0.05, n_faces=1)
    assert meter.pace().pictures == pytest.approx(10, abs=0.3)
    assert meter.pace().faces == pytest.approx(10, abs=0.3)
    clock.seconds += 2.5
    assert meter.pace().pictures == pytest.approx(5, abs=0.3)
    clock.seconds += 10
    assert meter.pace() == Pace()
    assert meter.whole().pictures == pytest.approx(10)
    assert meter.whole().delay == pytest.approx(0.05)


def test_nothing_read_is_no_rate_and_no_delay():
    assert Meter(Clock()).pace() == Meter(Clock()).whole() == Pace(0, 0, None, None)
