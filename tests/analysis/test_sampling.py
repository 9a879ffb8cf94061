from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenefer.analysis.sampling import account, place_samples
from scenefer.core.tables import check
from tests.builders import expressions_table, frames_table, samples_table, scenes_table, shots_table


def sampled_frames(times: list[float], rate: float) -> pd.DataFrame:
    """Frames of which the first at or after each multiple of 1 / rate is sampled, once."""
    steps = np.floor(np.array(times) * rate + 1e-6)
    return frames_table(time=times, sampled=(np.diff(steps, prepend=-1) > 0).tolist())


def place(times: list[float], end: float, rate: float = 5.0, **spans: pd.DataFrame) -> pd.DataFrame:
    whole = {"shots": shots_table(start=[0.0], end=[end]), "scenes": scenes_table(start=[0.0], end=[end])}
    return check(place_samples(sampled_frames(times, rate), **{**whole, **spans}, sample_rate=rate, end=end), "samples")


def test_a_sample_stands_for_the_time_until_the_next_one():
    samples = place([round(0.04 * k, 2) for k in range(25)], end=1.0)
    expected = samples_table(time=[0.0, 0.2, 0.4, 0.6, 0.8], state="no face", n_faces=0, n_usable=0)
    pd.testing.assert_frame_equal(samples, expected)


def test_a_weight_ends_with_the_shot_and_with_the_scene():
    times = [round(0.04 * k, 2) for k in range(25)]
    shots = shots_table(start=[0.0, 0.52], end=[0.52, 1.0])
    scenes = scenes_table(start=[0.0, 0.64], end=[0.64, 0.88])
    samples = place(times, end=1.0, shots=shots, scenes=scenes)
    assert samples["time"].tolist() == [0.0, 0.2, 0.4, 0.6, 0.8]
    assert samples["weight"].tolist() == pytest.approx([0.2, 0.2, 0.12, 0.04, 0.08])
    assert samples["shot"].tolist() == [0, 0, 0, 1, 1]
    assert samples["scene"].tolist() == [0, 0, 0, 0, 1]


def test_between_the_scenes_of_a_list_there_is_no_scene():
    times = [round(0.04 * k, 2) for k in range(25)]
    samples = place(times, end=1.0, scenes=scenes_table(start=[0.2, 0.7], end=[0.5, 0.75]))
    assert samples["scene"].isna().tolist() == [True, False, False, True, True]
    assert samples["weight"].tolist() == pytest.approx([0.2, 0.2, 0.1, 0.1, 0.2])


def test_grid_points_in_a_gap_are_rows_that_say_so():
    times = [0.0, 0.04, 0.08, 0.12, 0.16, 0.2, *[round(1.04 + 0.04 * k, 2) for k in range(10)]]
    samples = place(times, end=1.44)
    assert samples["time"].tolist() == pytest.approx([0.0, 0.2, 0.6, 0.8, 1.0, 1.04, 1.2, 1.4])
    decoded = ["no face"] * 2
    assert samples["state"].tolist() == [*decoded, *["not decoded"] * 3, *decoded, "no face"]
    assert samples["weight"].tolist() == pytest.approx([0.2, 0.4, 0.2, 0.2, 0.04, 0.16, 0.2, 0.04])


def test_what_the_end_of_a_film_lacks_is_not_decoded():
    samples = place([0.0, 0.04, 0.08], end=1.0)
    assert samples["time"].tolist() == pytest.approx([0.0, 0.4, 0.6, 0.8])
    assert samples["state"].tolist() == ["no face", *["not decoded"] * 3]


def test_samples_inside_a_gradual_transition_are_rejected():
    shots = shots_table(start=[0.0, 0.5], end=[0.5, 1.0], transition_start=[None, 0.3], transition_end=[None, 0.7])
    samples = place([round(0.04 * k, 2) for k in range(25)], end=1.0, shots=shots)
    assert samples["why"].tolist() == [None, None, "transition", "transition", None]
    assert samples["state"].tolist() == ["no face", "no face", "rejected", "rejected", "no face"]


def test_a_film_of_one_frame_has_weight():
    samples = place([0.0], end=0.04)
    assert samples[["time", "weight", "state"]].to_numpy().tolist() == [[0.0, 0.04, "no face"]]


def test_a_picture_of_a_folder_stands_for_its_second():
    shots = shots_table(start=[0.0, 1.0, 2.0], end=[1.0, 2.0, 3.0])
    samples = place([0.0, 1.0, 2.0], end=3.0, shots=shots)
    assert samples["weight"].tolist() == [1.0, 1.0, 1.0]
    assert samples["state"].tolist() == ["no face"] * 3


def test_no_frames_of_no_shots_make_no_samples():
    samples = place_samples(frames_table(), shots_table(), scenes_table(), 5.0, 0.0)
    pd.testing.assert_frame_equal(samples, samples_table())


@settings(deadline=None, max_examples=40)
@given(st.sets(st.integers(0, 200), min_size=1), st.sampled_from([2.0, 5.0, 10.0]))
def test_the_weights_fill_the_film_but_for_less_than_a_step_a_gap(kept: set[int], rate: float):
    times = [0.0, *sorted(round(k / 24, 6) for k in kept if k), 201 / 24]
    end = 202 / 24
    samples = place(times, end=end, rate=rate)
    assert samples["time"].is_monotonic_increasing
    assert (samples["weight"] >= 0).all()
    until = (samples["time"] + samples["weight"]).to_numpy()
    assert (until[:-1] <= samples["time"].to_numpy()[1:] + 1e-9).all()
    holes = np.append(samples["time"].to_numpy()[1:], end) - until
    step = max(1 / rate, float(np.median(np.diff(times, append=end))))
    assert holes.max() < step + 1e-9


def test_every_sample_says_what_its_faces_came_to():
    samples = samples_table(time=[0.0, 0.2, 0.4, 0.6], state="no face", n_faces=0, n_usable=0)
    samples = pd.concat([samples, samples_table(time=[0.8], state="not decoded", n_faces=0, n_usable=0)])
    expressions = expressions_table(
        time=[0.0, 0.0, 0.2, 0.4, 0.4, 0.4],
        usable=[True, False, True, False, False, False],
        why=[None, "small", None, "small", "blurred", "blurred"],
    )
    told = account(samples.reset_index(drop=True), expressions)
    assert told["state"].tolist() == ["face", "face", "rejected", "no face", "not decoded"]
    assert told["why"].tolist() == [None, None, "blurred", None, None]
    assert told["n_faces"].tolist() == [2, 1, 3, 0, 0]
    assert told["n_usable"].tolist() == [1, 1, 0, 0, 0]
    check(told, "samples")


def test_a_transition_stays_a_transition_with_and_without_faces():
    samples = samples_table(time=[0.0, 0.2], state="rejected", why="transition", n_faces=0, n_usable=0)
    told = account(samples, expressions_table(time=[0.2], usable=False, why="transition"))
    assert told["state"].tolist() == ["rejected", "rejected"]
    assert told["why"].tolist() == ["transition", "transition"]
    assert told["n_faces"].tolist() == [0, 1]


def test_a_face_where_nothing_was_sampled_is_an_error():
    for times in ([0.0, 0.4], [], [1.0]):
        with pytest.raises(ValueError, match=r"no frame was sampled at 0\.2 s"):
            account(samples_table(time=times), expressions_table(time=[0.2]))
