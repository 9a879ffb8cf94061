from __future__ import annotations

import numpy as np
import pytest

from scenefer.bootstrap import Evidence, interval, resample, student


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


def test_an_interval_is_the_percentiles_widened_for_few_units():
    resampled = np.linspace(-100, 100, 2001)[:, None]
    for k, factor in {2: 1.0, 3: 4.3027 / 1.96 * (3 / 2) ** 0.5, 20: 2.0930 / 1.96 * (20 / 19) ** 0.5}.items():
        low, high = interval(np.array([10.0]), resampled, k)
        assert low == pytest.approx(10 - factor * 105, rel=0.01)
        assert high == pytest.approx(10 + factor * 85, rel=0.01)
