from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from benchmarks import halves, intervals
from tests.builders import expressions_table


def stretch(seconds: float, shares: np.ndarray, clip: str = "a.mp4") -> halves.Stretch:
    faces = expressions_table(time=0.2 * np.arange(round(5 * seconds)), happy=shares, neutral=1 - shares)
    return halves.Stretch(clip, "happy", faces)


def test_a_stretch_is_divided_where_half_of_its_seconds_have_passed():
    faces = pd.concat([stretch(3, np.full(15, 0.5)).faces, stretch(1, np.full(5, 0.5)).faces]).sort_values("time")
    first, second = halves.in_halves(faces)
    assert (len(first), len(second)) == (10, 10)
    assert first["time"].max() < second["time"].min()


def test_halves_that_flicker_alike_hold_each_other_and_halves_that_differ_do_not():
    rng = np.random.default_rng(0)
    alike = [stretch(6, rng.uniform(0.4, 0.6, 30), f"{k}.mp4") for k in range(20)]
    apart = [stretch(6, np.repeat([0.9, 0.1], 15) + rng.normal(0, 0.01, 30), f"{k}.mp4") for k in range(20)]
    held = [halves.measure(found)["all"]["held"] for found in (alike, apart)]
    assert held[0] > 0.9
    assert held[1] == pytest.approx(5 / 7, abs=1e-3)  # the five emotions that never show
    assert halves.measure([*alike, stretch(1.8, np.full(9, 0.5))])["all"]["stretches"] == 20


@pytest.mark.slow
@pytest.mark.parametrize(("seconds", "correlation"), [(3, 0.4), (3, 0.8), (5, 0.6), (10, 0.8), (20, 0.9)])
def test_the_interval_of_a_single_take_covers_what_the_take_could_have_shown(seconds: int, correlation: float):
    assert intervals.covered_take(seconds, correlation)["held"] >= 0.9


def test_the_benchmark_found_three_in_four_halves_held_on_film():

    found = json.loads(intervals.RESULTS.read_text("utf-8"))["halves_on_film"]
    assert found["all"]["held"] >= intervals.HELD
    assert found["all"]["stretches"] >= 30
