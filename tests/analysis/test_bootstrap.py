from __future__ import annotations

import numpy as np
import pytest

from scenefer.analysis.bootstrap import Evidence, autocorrelation, interval, resample, student, take_widening, widening


def test_resampling_draws_as_many_members_as_a_group_has_each_time_it_is_drawn():
    evidence = Evidence(
        levels=(np.array([0, 0, 0, 0, 1, 1]), np.array([0, 0, 0, 1, 2, 2])),
        mass=np.full((6, 7), 1 / 7),
        weight=np.ones(6),
    )
    shots, tracks, blocks = resample(evidence, 4000, np.random.default_rng(0))
    assert (shots.sum(axis=1) == 2).all()
    assert (tracks[:, :2].sum(axis=1) == 2 * shots[:, 0]).all()
    assert (tracks[:, 2] == shots[:, 1]).all()
    assert (blocks[:, :3].sum(axis=1) == 3 * tracks[:, 0]).all()
    assert (blocks[:, 3] == tracks[:, 1]).all()
    np.testing.assert_allclose(shots.mean(axis=0), 1, atol=0.05)
    np.testing.assert_allclose(blocks.mean(axis=0), 1, atol=0.1)
    assert blocks[:, 0].var() > tracks[:, 0].var() > shots[:, 0].var()


def test_students_quantile_is_within_1_percent_of_the_tables():
    for df, quantile in {2: 4.3027, 3: 3.1824, 4: 2.7764, 9: 2.2622, 30: 2.0423, 10_000: 1.9602}.items():
        assert student(df) == pytest.approx(quantile, rel=0.01 if df == 2 else 0.002)


def test_an_interval_is_the_percentiles_times_a_factor():
    resampled = np.linspace(-100, 100, 2001)[:, None]
    for factor in (1.0, 2.5):
        low, high = interval(np.array([10.0]), resampled, factor=factor)
        assert low == pytest.approx(10 - factor * 105)
        assert high == pytest.approx(10 + factor * 85)
    assert interval(np.array([10.0]), resampled, factor=np.inf) == (-np.inf, np.inf)


def test_few_units_widen_an_interval():
    for k, quantile in {3: 4.3027, 20: 2.0930}.items():
        assert widening(k, k - 1) == pytest.approx(quantile / 1.96 * (k / (k - 1)) ** 0.5, rel=0.01)


def series(correlation: float, n: int, rng: np.random.Generator, n_tracks: int = 1) -> Evidence:
    """Samples of tracks of one shot whose share of the first emotion is an autoregressive series."""
    values = rng.normal(size=(n_tracks, n))
    for step in range(1, n):
        values[:, step] = correlation * values[:, step - 1] + (1 - correlation**2) ** 0.5 * values[:, step]
    mass = np.zeros((n_tracks * n, 7))
    mass[:, 0] = 0.5 + 0.1 * values.ravel()
    mass[:, 6] = 1 - mass[:, 0]
    track = np.repeat(np.arange(n_tracks), n)
    return Evidence((np.zeros_like(track), track), 0.2 * mass, np.full(len(track), 0.2))


@pytest.mark.parametrize("correlation", [0.0, 0.4, 0.8])
@pytest.mark.parametrize("n_tracks", [1, 3])
def test_the_autocorrelation_is_found_from_short_tracks_without_much_bias(correlation: float, n_tracks: int):
    rng = np.random.default_rng(1)
    found = [autocorrelation(series(correlation, 25, rng, n_tracks)) for _ in range(400)]
    estimates, errors = np.transpose(found)
    assert estimates.mean() == pytest.approx(correlation, abs=0.08)
    if correlation:  # at 0, half of the estimates are cut off
        assert errors.mean() == pytest.approx(estimates.std(), rel=0.5)


def test_tracks_of_three_samples_have_no_autocorrelation_to_be_measured():
    assert autocorrelation(series(0.5, 3, np.random.default_rng(0), n_tracks=4)) == (1.0, 0.0)


def test_correlated_samples_widen_more_than_independent_ones_and_a_single_one_without_end():
    rng = np.random.default_rng(2)
    independent, correlated = (
        np.mean([take_widening(series(correlation, 50, rng)) for _ in range(100)]) for correlation in (0.0, 0.8)
    )
    assert 1.43 < independent < 1.43 * 1.5  # what steadying takes from the deviation is given back
    assert independent * 2 < correlated
    assert take_widening(series(0.0, 1, rng)) == np.inf
