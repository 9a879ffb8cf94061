"""Faces are read beside their neighbours: of the same track, near in time, and only with faces that count."""

from __future__ import annotations

import numpy as np
import pytest

from scenefer.analysis.steadying import steadied

RNG = np.random.default_rng(0)


def slowly(logits: np.ndarray, time: np.ndarray, track: np.ndarray, counts: np.ndarray, seconds: float) -> np.ndarray:
    """As the definition has it, face by face."""
    found = logits.astype(np.float64)
    for one in np.flatnonzero(counts):
        apart = np.abs(time - time[one]) / seconds
        near = counts & (track == track[one]) & (apart <= 3)
        found[one] = np.average(logits[near], axis=0, weights=np.exp(-0.5 * apart[near] ** 2))
    return found


def test_neighbours_are_averaged_by_their_distance_in_time():
    n = 300
    time, track = np.round(RNG.uniform(0, 20, n), 2), RNG.integers(0, 4, n)
    logits, counts = RNG.normal(size=(n, 14)).astype(np.float32), RNG.uniform(size=n) < 0.8
    for seconds in (0.1, 0.5, 2.0):
        expected = slowly(logits, time, track, counts, seconds)
        assert steadied(logits, time, track, counts, seconds) == pytest.approx(expected, abs=1e-9)


def test_a_face_that_does_not_count_is_read_alone_and_with_no_other():
    logits = np.array([[0.0], [100.0], [0.0]])
    time, track = np.array([0.0, 0.2, 0.4]), np.zeros(3, int)
    assert steadied(logits, time, track, np.array([True, False, True]), 0.5).ravel().tolist() == [0, 100, 0]


def test_another_track_and_another_time_do_not_matter():
    logits = np.array([[0.0], [100.0], [50.0]])
    counts = np.ones(3, bool)
    assert steadied(logits, np.array([0.0, 0.0, 0.2]), np.arange(3), counts, 0.5).ravel().tolist() == [0, 100, 50]
    assert steadied(logits, np.array([0.0, 2.0, 4.0]), np.zeros(3, int), counts, 0.5).ravel().tolist() == [0, 100, 50]


def test_noise_of_one_picture_is_outvoted_and_an_expression_that_stays_is_not():
    time, track, counts = np.arange(25) / 5, np.zeros(25, int), np.ones(25, bool)
    logits = np.tile([2.0, 0.0], (25, 1))
    logits[12] = [0, 3]  # one picture of five seconds
    assert (steadied(logits, time, track, counts, 0.5).argmax(axis=1) == 0).all()
    logits[8:14] = [0, 2]  # 1.2 seconds
    assert steadied(logits, time, track, counts, 0.5).argmax(axis=1).tolist() == [0] * 8 + [1] * 6 + [0] * 11


@pytest.mark.parametrize("n", [0, 1, 5])
def test_nothing_changes_over_no_time_or_alone(n: int):
    logits = RNG.normal(size=(n, 7))
    for seconds in (0.0, 0.5):
        found = steadied(logits, np.zeros(n), np.arange(n), np.ones(n, bool), seconds)
        assert found.shape == (n, 7)
        assert np.array_equal(found, logits)
