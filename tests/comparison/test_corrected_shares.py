"""Corrected shares cover what people see, whoever reads the faces, and are never wider than judged faces alone give."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import validation
from scenefer.comparison.coding_sample import allocate, check_sample, draw_sample, sample_id, shown
from scenefer.comparison.corrected_shares import Faces, correct
from scenefer.core.errors import PlanError, SceneferError
from tests.builders import expressions_table


@pytest.fixture(scope="module")
def measured() -> dict:
    return validation.covered(60)


def test_the_corrected_intervals_cover_and_the_raw_ones_do_not(measured: dict):
    """A thousand runs are in benchmarks/results/validation.json; sixty tell 95 % from 87 and 100 %."""
    assert 0.90 <= measured["covered_all"]["validated"] <= 0.99
    assert measured["covered_all"]["raw"] < 0.4


def test_no_corrected_interval_is_wider_than_from_judged_faces_alone(measured: dict):
    assert measured["wider_than_coded"] == 0


def faces(read: np.ndarray, judged: np.ndarray, n_clusters: int = 10) -> Faces:
    n = len(read)
    return Faces(read, judged, np.full(n, 0.2), np.zeros(n, int), np.full(n, 0.5), np.arange(n) * n_clusters // n)


def test_a_perfect_reader_counts_in_full_and_one_that_guesses_does_not():
    rng = np.random.default_rng(0)
    seen = np.eye(7)[rng.integers(0, 7, 2000)]
    judged = np.where(np.arange(2000)[:, None] % 10 == 0, seen, np.nan)
    perfect, blind = (correct(faces(read, judged, 100)) for read in (seen, rng.dirichlet(np.ones(7), 2000)))
    assert perfect is not None
    assert blind is not None
    assert perfect.tuning.min() > 0.9
    assert perfect.percent == pytest.approx(100 * seen.mean(axis=0), abs=0.5)
    assert ((perfect.high - perfect.low) < (blind.high - blind.low)).all()


def test_a_class_that_nobody_saw_may_still_be_there():
    judged = np.tile(np.eye(7)[3], (40, 1))
    found = correct(faces(np.full((40, 7), 1 / 7), judged))
    assert found is not None
    assert found.percent[0] == 0
    assert found.high[0] == pytest.approx(100 * (1 - 0.025**0.1))
    assert found.low[3] == pytest.approx(100 * 0.025**0.1)
    assert found.high[3] == 100


@pytest.mark.parametrize(("n_coded", "n_clusters"), [(9, 9), (40, 2)])
def test_few_faces_or_shots_have_no_corrected_shares(n_coded: int, n_clusters: int):
    judged = np.full((40, 7), np.nan)
    judged[:n_coded] = np.eye(7)[0]
    assert correct(faces(np.full((40, 7), 1 / 7), judged, n_clusters)) is None


def test_a_face_is_drawn_as_often_as_its_probability_says():
    rng = np.random.default_rng(1)
    table = expressions_table(
        time=np.arange(300) * 0.2, scene=np.repeat([0, 1, 2], [200, 90, 10]), track=np.arange(300) // 20,
        happy=rng.uniform(0, 1, 300),
    )  # fmt: skip
    samples = [draw_sample(table, 40, seed) for seed in range(2000)]
    often = np.mean([sample["place"].notna() for sample in samples], axis=0)
    assert often == pytest.approx(samples[0]["probability"].to_numpy(), abs=0.05)
    assert {len(shown(sample)) for sample in samples} == {40}
    assert samples[0]["probability"].sum() == pytest.approx(40)


def test_a_sample_is_the_same_by_its_seed_and_its_order_is_random():
    table = expressions_table(time=np.arange(100) * 0.2)
    sample = draw_sample(table, 30, 5)
    assert sample.equals(draw_sample(table, 30, 5))
    assert shown(sample) != sorted(shown(sample))
    assert sample_id(sample, "film") != sample_id(draw_sample(table, 30, 6), "film")
    assert len(shown(draw_sample(table, 500))) == 100


def test_every_stratum_has_two_faces_at_least_if_it_holds_them():
    assert allocate(np.array([100, 10, 2, 1]), 11).tolist() == [6, 2, 2, 1]
    assert allocate(np.array([3, 3]), 6).tolist() == [3, 3]


def test_faces_that_are_not_usable_are_not_drawn():
    table = expressions_table(time=np.arange(100) * 0.2, usable=[row % 2 == 0 for row in range(100)])
    drawn = shown(draw_sample(table, 20))
    assert len(drawn) == 20
    assert all(face % 2 == 0 for face in drawn)


def test_a_sample_goes_on_without_the_faces_of_moments_that_were_excluded_since():
    table = expressions_table(time=np.arange(100) * 0.2)
    sample, out = draw_sample(table, 20), table["face"] < 10
    why = np.where(out, "excluded", None)
    kept = check_sample(sample, table.assign(usable=~out, why=why))
    assert kept.equals(sample.iloc[10:].reset_index(drop=True))
    with pytest.raises(SceneferError, match="--new"):
        check_sample(kept, table)  # they are not excluded any more


def test_a_sample_of_other_faces_and_one_of_none_are_refused():
    table = expressions_table(time=np.arange(100) * 0.2)
    with pytest.raises(SceneferError, match="--new"):
        check_sample(draw_sample(table, 20), table.assign(usable=table["face"] != 4))
    with pytest.raises(PlanError, match="0 usable"):
        draw_sample(table.assign(usable=False), 20)
