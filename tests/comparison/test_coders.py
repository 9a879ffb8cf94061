"""Agreement of people with each other is as in the textbooks, that of the reader with them counts by the sample."""

from __future__ import annotations

import numpy as np
import pytest

from scenefer.comparison import coders
from scenefer.comparison.coders import CANNOT_TELL, MISSING


def test_alpha_is_that_of_krippendorffs_example():
    """Four people, twelve units, with missing values: alpha is 0.743 (Computing Krippendorff's Alpha, 2011, C)."""
    rows = (
        "1 2 3 3 2 1 4 1 2 - - -",
        "1 2 3 3 2 2 4 1 2 5 - 3",
        "- 3 3 3 2 3 4 2 2 5 1 -",
        "1 2 3 3 2 4 4 1 2 5 1 -",
    )
    codes = np.array([[MISSING if mark == "-" else int(mark) for mark in row.split()] for row in rows])
    assert coders.krippendorff_alpha(coders.coincidences(codes).sum(axis=0)) == pytest.approx(0.743, abs=5e-4)


def test_alpha_is_not_defined_where_everything_is_one_kind_or_nobody_judged_twice():
    assert np.isnan(coders.krippendorff_alpha(coders.coincidences(np.array([[1, 1], [1, 1]])).sum(axis=0)))
    once = np.array([[1, CANNOT_TELL], [MISSING, 2]])
    assert np.isnan(coders.krippendorff_alpha(coders.coincidences(once).sum(axis=0)))


def test_kappa_of_two_people_is_of_the_faces_that_both_could_tell():
    codes = np.array([[0, 0, 1, 1, CANNOT_TELL], [0, 0, 1, 0, 3], [MISSING] * 5])
    found = coders.pairwise_kappas(codes)
    assert found[0, 1] == (pytest.approx(0.5), 4)
    assert found[0, 2][1] == 0
    assert np.isnan(found[0, 2][0])


def test_a_face_that_stands_for_more_counts_for_more():
    read = np.array([[0.7, 0.3, 0, 0, 0, 0, 0]] * 4)
    votes = np.eye(7)[[0, 1, 1, 1]]
    found = coders.reader_agreement(read, votes, np.array([3.0, 1, 1, 1]), np.arange(4))
    assert found.accuracy[0] == pytest.approx(0.5)
    assert found.confusion[0, 0] == pytest.approx(0.5)
    assert found.confusion[1, 0] == pytest.approx(0.5)
    assert found.ece == pytest.approx(0.2)
    assert [(one.low, one.high, one.confidence) for one in found.calibration] == [(0.6, 0.8, pytest.approx(0.7))]


def test_a_face_about_which_people_differ_counts_in_parts():
    read = np.eye(7)[[0, 1, 2]]
    votes = np.array([[1, 1, 0, 0, 0, 0, 0], [0, 2, 0, 0, 0, 0, 0], [0, 0, 2, 0, 0, 0, 0]], float)
    assert coders.reader_agreement(read, votes, np.ones(3), np.arange(3)).accuracy[0] == pytest.approx(2.5 / 3)


def test_the_interval_of_an_accuracy_is_no_less_than_none_right():
    read, votes = np.eye(7)[[0] * 12], np.eye(7)[[0] + [1] * 11]
    found = coders.reader_agreement(read, votes, np.ones(12), np.arange(12) // 4)
    assert found.accuracy[:2] == (pytest.approx(1 / 12), 0.0)
    assert all(one.right[1] >= 0.0 for one in found.calibration)


def test_intervals_are_over_tracks_not_over_faces():
    rng = np.random.default_rng(0)
    track = np.arange(400) // 40
    right = rng.random(10)[track] < 0.5
    read = np.eye(7)[np.where(right, 0, 1)]
    votes = np.eye(7)[np.zeros(400, int)]
    together, alone = (
        coders.reader_agreement(read, votes, np.ones(400), groups).accuracy for groups in (track, np.arange(400))
    )
    assert together[2] - together[1] > 3 * (alone[2] - alone[1])
