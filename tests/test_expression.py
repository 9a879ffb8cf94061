from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from scenefer.expression import EMOTIONS, ExpressionSettings, probabilities, read_expressions, smooth
from scenefer.models import Calibration
from scenefer.tables import check
from tests.builders import expressions_table, faces_table, samples_table

SEVEN = Calibration(head=(0, 7))


def read(faces: pd.DataFrame, samples: pd.DataFrame | None = None, calibration: Calibration = SEVEN) -> pd.DataFrame:
    if samples is None:
        samples = samples_table(time=sorted(set(faces["time"])))
    return check(read_expressions(faces, samples, calibration), "expressions")


def test_probabilities_are_the_softmax_of_the_head_divided_by_the_temperature():
    logits = np.array([[9.0, 9.0, 0.0, 0.0, 0.0, 2 * np.log(4.0), 0.0, 0.0, 0.0]])
    read = probabilities(logits, Calibration(head=(2, 9), temperature=2.0))
    assert read.dtype == np.float32
    np.testing.assert_allclose(read, [[0.1, 0.1, 0.1, 0.4, 0.1, 0.1, 0.1]], rtol=1e-6)


def test_large_logits_do_not_overflow():
    np.testing.assert_allclose(probabilities(np.array([[1e4, 0, 0, 0, 0, 0, 0]]), SEVEN), [[1, 0, 0, 0, 0, 0, 0]])


@pytest.mark.parametrize(("shape", "head"), [((2, 7), (7, 15)), ((2, 15), (7, 15)), ((7,), (0, 7))])
def test_a_head_that_is_not_there_or_has_not_seven_labels_is_an_error(shape: tuple[int, ...], head: tuple[int, int]):
    with pytest.raises(ValueError, match="logits must have shape"):
        probabilities(np.zeros(shape), Calibration(head=head))


def test_a_face_gets_its_probabilities_and_the_weight_shot_and_scene_of_its_sample():
    logits = [np.log([1, 1, 1, 4, 1, 1, 1]), np.log([4, 1, 1, 1, 1, 1, 1])]
    faces = faces_table(time=[0.2, 0.0], logits=logits).assign(track=[1, 0])
    samples = samples_table(time=[0.0, 0.2], shot=[0, 1], scene=[None, 2], weight=[0.1, 0.2])
    expected = expressions_table(
        face=[1, 0], track=[0, 1], time=[0.0, 0.2], shot=[0, 1], scene=[None, 2], weight=[0.1, 0.2], angry=[0.4, 0.1],
        disgust=0.1, fear=0.1, happy=[0.1, 0.4], sad=0.1, surprise=0.1, neutral=0.1,
    )  # fmt: skip
    pd.testing.assert_frame_equal(read(faces, samples), expected)


@pytest.mark.parametrize(
    ("column", "value", "why"),
    [
        ("confidence", 0.5, "low score"),
        ("x1", 110, "small"),
        ("y1", 110, "small"),
        ("yaw", 46, "turned away"),
        ("yaw", -46, "turned away"),
        ("yaw", -45, None),
        ("sharpness", 1, "blurred"),
        ("sharpness", 500, None),
    ],
)
def test_a_face_that_cannot_be_read_does_not_count_and_says_why(column: str, value: float, why: str | None):
    expressions = read(faces_table(time=[0.0], **{column: value}).assign(track=0))
    assert expressions["why"].tolist() == [why]
    assert expressions["usable"].tolist() == [why is None]


def test_a_face_inside_a_transition_does_not_count():
    samples = samples_table(time=[0.0], state="rejected", why="transition")
    assert read(faces_table(time=[0.0]).assign(track=0), samples)["why"].tolist() == ["transition"]


def test_a_short_track_that_the_detector_was_never_sure_of_is_no_face():
    settings = ExpressionSettings()
    unsure = (settings.least_confidence + settings.sure) / 2
    short, long = settings.least_faces - 1, settings.least_faces
    faces = faces_table(
        time=[0.2 * k for k in (*range(short), *range(long), *range(short))],
        confidence=[unsure] * (short + long) + [unsure] * (short - 1) + [settings.sure],
    ).assign(track=[0] * short + [1] * long + [2] * short)
    expressions = read(faces).sort_values("face")
    assert expressions["why"].tolist() == ["not a face"] * short + [None] * (long + short)


def test_no_faces_have_no_expressions():
    pd.testing.assert_frame_equal(read(faces_table().assign(track=[]), samples_table()), expressions_table())


def test_smoothing_averages_inside_a_track_and_stops_at_its_ends():
    times = [0.0, 0.2, 0.4, 0.6, 0.8]
    expressions = expressions_table(time=times, track=[0, 0, 0, 1, 1], happy=[0.0, 0.6, 0.9, 0.1, 0.3])
    np.testing.assert_allclose(smooth(expressions, 0.4)["happy"], [0.3, 0.5, 0.75, 0.2, 0.2], rtol=1e-6)


def test_smoothing_leaves_out_what_does_not_count_and_keeps_the_sum():
    expressions = expressions_table(time=[0.0, 0.2, 0.4], happy=[0.2, 1.0, 0.6], usable=[True, False, True])
    smoothed = smooth(expressions, 1.0)
    assert smoothed["time"].tolist() == [0.0, 0.4]
    np.testing.assert_allclose(smoothed["happy"], [0.4, 0.4], rtol=1e-6)
    np.testing.assert_allclose(smoothed[list(EMOTIONS)].sum(axis=1), 1, rtol=1e-6)
    assert len(smooth(expressions_table(), 1.0)) == 0
