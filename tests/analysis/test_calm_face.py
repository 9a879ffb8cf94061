"""What a person nearly always shows is how they look; it is taken off where it is known, and no further."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from scenefer.analysis import calm_face
from scenefer.core.schema import EMOTIONS

SAD, HAPPY, NEUTRAL = (EMOTIONS.index(name) for name in ("sad", "happy", "neutral"))


def faces(sad: list[float], *, actor: int = 0, n_shots: int = 3, seconds: float = 1.0) -> pd.DataFrame:
    shares = np.zeros((len(sad), 7))
    shares[:, SAD], shares[:, NEUTRAL] = sad, 1 - np.array(sad)
    shot = np.arange(len(sad)) * n_shots // len(sad)
    columns = {"actor": actor, "shot": shot, "weight": seconds}
    return pd.DataFrame(shares, columns=list(EMOTIONS)).assign(**columns)


def sad_after(rows: pd.DataFrame) -> np.ndarray:
    taken = calm_face.take_off(rows)
    assert np.allclose(taken[list(EMOTIONS)].sum(axis=1), 1)
    return taken["sad"].to_numpy()


def test_a_face_that_always_looks_a_little_sad_is_calmer_and_its_sad_moment_stays():
    rows = faces([0.4] * 90 + [0.95] * 10)
    after = sad_after(rows)
    taken = 0.4 * 100 / 130  # the quartile, shrunk by 100 seconds beside 30
    assert after[:90] == pytest.approx(0.4 - taken)
    assert after[90:] == pytest.approx(0.95 - taken)
    assert rows["sad"].iloc[0] == 0.4, "what was given stays"


def test_less_is_taken_off_the_less_of_a_person_was_seen():
    long, short = (0.4 - sad_after(faces([0.4] * 60, seconds=each))[0] for each in (2.0, 0.05))
    assert long == pytest.approx(0.4 * 120 / 150)
    assert short == pytest.approx(0.4 * 3 / 33)


def test_what_is_shown_for_half_of_the_time_is_an_expression():
    rows = faces([0.0] * 50 + [0.8] * 50)
    assert np.array_equal(sad_after(rows), rows["sad"])


def test_a_person_of_two_shots_and_one_unknown_stay_as_they_were():
    for rows in (faces([0.5] * 60, n_shots=2), faces([0.5] * 60, actor=-1)):
        assert np.array_equal(sad_after(rows), rows["sad"])


def test_each_person_has_a_calm_face_of_their_own():
    both = pd.concat([faces([0.5] * 60, actor=0), faces([0.1] * 60, actor=1)], ignore_index=True)
    apart = np.concatenate([sad_after(faces([0.5] * 60)), sad_after(faces([0.1] * 60))])
    assert sad_after(both) == pytest.approx(apart)


def test_seconds_count_not_samples():
    weight = np.array([1.0] * 30 + [10.0] * 10)
    shares = np.zeros((40, 7))
    shares[:, HAPPY] = [0.2] * 30 + [0.6] * 10  # 30 seconds at 0.2, 100 at 0.6
    shares[:, NEUTRAL] = 1 - shares[:, HAPPY]
    assert calm_face.calm_face(shares, weight)[HAPPY] == pytest.approx(0.6 * 130 / 160)
    assert calm_face.calm_face(shares, weight)[NEUTRAL] == 0
