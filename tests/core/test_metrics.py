from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from scenefer.core import metrics

masses = arrays(np.float64, 7, elements=st.floats(0, 1)).filter(lambda p: p.sum() > 0.01)
fast = settings(deadline=None, max_examples=60)


@fast
@given(masses, masses, st.permutations(range(7)))
def test_js_and_tv_are_symmetric_bounded_and_indifferent_to_the_order_of_classes(p, q, order):
    for distance in (metrics.js_distance, metrics.total_variation):
        assert 0 <= distance(p, q) <= 1
        assert distance(p, q) == pytest.approx(distance(q, p), abs=1e-12)
        assert distance(p, q) == pytest.approx(distance(p[order], q[order]), abs=1e-7)
        assert distance(p, 3 * p) == pytest.approx(0, abs=1e-7)


@fast
@given(masses, masses, masses)
def test_js_is_a_metric(p, q, r):
    assert metrics.js_distance(p, r) <= metrics.js_distance(p, q) + metrics.js_distance(q, r) + 1e-9


@fast
@given(masses, masses, st.lists(st.booleans(), min_size=7, max_size=7))
def test_js_and_tv_are_1_for_any_disjoint_distributions(p, q, mine):
    p, q = np.where(mine, p, 0), np.where(mine, 0, q)
    assume(p.sum() > 0.01 and q.sum() > 0.01)
    assert metrics.js_distance(p, q) == pytest.approx(1, abs=1e-9)
    assert metrics.total_variation(p, q) == pytest.approx(1, abs=1e-9)


def test_js_and_tv_are_1_for_disjoint_distributions():
    p, q = np.array([0.5, 0.5, 0, 0]), np.array([0, 0, 0.1, 0.9])
    assert metrics.js_distance(p, q) == 1
    assert metrics.total_variation(p, q) == 1


def test_distances_against_values_by_hand():
    p, q = np.array([1.0, 0.0]), np.array([0.5, 0.5])
    divergence = 0.5 * math.log2(4 / 3) + 0.25 * math.log2(2 / 3) + 0.25
    assert metrics.js_distance(p, q) == pytest.approx(math.sqrt(divergence))
    assert metrics.total_variation(p, q) == 0.5
    assert metrics.brier(p, q) == 0.5
    assert metrics.log_score(p, q) == pytest.approx(1, abs=1e-5)


def test_distances_work_on_many_distributions_at_once():
    many = np.array([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]])
    np.testing.assert_allclose(metrics.total_variation(many[0], many), [0, 0.5, 1])
    assert metrics.js_distance(many[:, None], many[None, :]).shape == (3, 3)


def test_an_impossible_forecast_costs_much_but_not_infinitely_much():
    assert metrics.log_score(np.array([1.0, 0.0]), np.array([0.0, 1.0]), epsilon=2**-10) == pytest.approx(11)


def test_the_rank_counts_from_1_and_ties_share_the_better_place():
    shares = np.array([[0.2, 0.5, 0.3], [0.4, 0.4, 0.2], [0.1, 0.2, 0.7]])
    assert metrics.rank_of(shares, 0).tolist() == [3, 1, 3]


def test_a_confusion_counts_truth_in_rows():
    counts = metrics.confusion(np.array([0, 0, 1, 2]), np.array([0, 1, 1, 0]), 3)
    assert counts.tolist() == [[1, 1, 0], [0, 1, 0], [1, 0, 0]]
    np.testing.assert_array_equal(metrics.recalls(counts), [0.5, 1, 0])
    assert metrics.macro_f1(counts) == pytest.approx((0.5 + 2 / 3 + 0) / 3)


def test_labels_that_do_not_fit_are_an_error():
    with pytest.raises(ValueError, match=r"one shape, got \(2,\) and \(1,\)"):
        metrics.confusion(np.array([0, 1]), np.array([0]), 2)
    with pytest.raises(ValueError, match=r"labels must lie in 0\.\.1, got 0\.\.2"):
        metrics.confusion(np.array([0]), np.array([2]), 2)


def test_classes_that_never_occur_are_left_out_of_macro_f1_and_have_no_recall():
    counts = metrics.confusion(np.array([0, 0]), np.array([0, 0]), 3)
    assert metrics.macro_f1(counts) == 1
    assert np.isnan(metrics.recalls(counts)).tolist() == [False, True, True]
    assert math.isnan(metrics.macro_f1(np.zeros((3, 3), int)))


def test_kappa_is_1_for_agreement_0_for_chance_and_undefined_for_one_class():
    assert metrics.cohen_kappa(np.diag([3, 4])) == 1
    assert metrics.cohen_kappa(np.array([[4, 4], [4, 4]])) == 0
    # Cohen's example of two raters who agree on 20 and 15 of 50: (0.7 - 0.5) / (1 - 0.5).
    assert metrics.cohen_kappa(np.array([[20, 5], [10, 15]])) == pytest.approx(0.4)
    assert math.isnan(metrics.cohen_kappa(np.array([[5, 0], [0, 0]])))
    assert math.isnan(metrics.cohen_kappa(np.zeros((2, 2), int)))


def test_pairs_are_compared_with_all_the_pairings_that_there_could_be():
    distances = np.array([[0.0, 1.0], [1.0, 0.0]])  # in a random pairing both pairs are as they were, or both are not
    found = metrics.permutation_skill(distances, 4000, np.random.default_rng(0))
    assert found == pytest.approx((0.5, 1.0, 0.5), abs=0.05)
    assert metrics.permutation_skill(np.zeros((3, 3)), 10, np.random.default_rng(0)) == (0.0, 0.0, 1.0)
    with pytest.raises(ValueError, match="pairings of nothing"):
        metrics.permutation_skill(np.zeros((0, 0)), 10, np.random.default_rng(0))


def test_ece_is_the_mean_gap_between_confidence_and_hits():
    probabilities = np.array([[0.9, 0.1]] * 10)
    labels = np.array([0] * 7 + [1] * 3)
    assert metrics.ece(probabilities, labels) == pytest.approx(0.2)
    votes = np.array([[0.9, 0.1]] * 10)
    assert metrics.ece(probabilities, votes) == pytest.approx(0)
    assert metrics.ece(np.array([[1.0, 0.0]]), np.array([0])) == 0
    with pytest.raises(ValueError, match="calibration of no probabilities"):
        metrics.ece(np.zeros((0, 2)), np.zeros(0))


def test_ece_does_not_let_overconfidence_in_one_bin_pay_for_doubt_in_another():
    probabilities = np.array([[0.95, 0.05]] * 2 + [[0.55, 0.45]] * 2)
    assert metrics.ece(probabilities, np.array([0, 1, 0, 0])) == pytest.approx(0.45)
