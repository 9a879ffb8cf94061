from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import numpy as np
import pandas as pd
import pytest

from scenefer.analysis.expressions import (
    EMOTIONS,
    ExpressionSettings,
    probabilities,
    read_expressions,
    rule_for,
    smooth,
)
from scenefer.core.film import Film
from scenefer.core.tables import check
from scenefer.models import Calibration, framing
from tests.builders import expressions_table, faces_table, samples_table

SEVEN = Calibration(((0, 1.0),))


FILM = cast(Film, SimpleNamespace(kind="video"))
STILL = cast(Film, SimpleNamespace(kind="still"))
RULE = rule_for(FILM, ExpressionSettings(), "mtcnn")


def read(
    faces: pd.DataFrame,
    samples: pd.DataFrame | None = None,
    calibration: Calibration = SEVEN,
    rule: ExpressionSettings = RULE,
) -> pd.DataFrame:
    if samples is None:
        samples = samples_table(time=sorted(set(faces["time"])))
    return check(read_expressions(faces, samples, calibration, rule), "expressions")


def test_probabilities_are_the_softmax_of_the_head_divided_by_the_temperature():
    logits = np.array([[9.0, 9.0, 0.0, 0.0, 0.0, 2 * np.log(4.0), 0.0, 0.0, 0.0]])
    read = probabilities(logits, Calibration(((2, 1.0),), temperature=2.0))
    assert read.dtype == np.float32
    np.testing.assert_allclose(read, [[0.1, 0.1, 0.1, 0.4, 0.1, 0.1, 0.1]], rtol=1e-6)


def test_large_logits_do_not_overflow():
    np.testing.assert_allclose(probabilities(np.array([[1e4, 0, 0, 0, 0, 0, 0]]), SEVEN), [[1, 0, 0, 0, 0, 0, 0]])


def test_heads_are_blended_as_the_geometric_mean_of_what_they_say():
    first, second = np.array([0.4, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1]), np.array([0.1, 0.1, 0.1, 0.4, 0.1, 0.1, 0.1])
    logits = np.concatenate([np.log(first) + 3, np.log(second) - 1, [9.0]])[None]  # a constant a head says nothing
    read = probabilities(logits, Calibration(((0, 0.25), (7, 0.75))))
    expected = first**0.25 * second**0.75
    np.testing.assert_allclose(read, [expected / expected.sum()], rtol=1e-6)


def test_one_blend_says_whether_a_face_is_calm_and_other_heads_which_of_the_six_it_shows():
    first = np.array([0.2, 0.1, 0.3, 0.1, 0.1, 0.1, 0.1])
    second = np.array([0.1, 0.1, 0.05, 0.05, 0.05, 0.05, 0.6])
    logits = np.concatenate([np.log(first) + 3, np.log(second) - 1])[None]
    read = probabilities(logits, Calibration(((7, 1.0),), expressive=((0, 1.0),)))[0]
    assert read[6] == pytest.approx(0.6), "as calm as the blend says"
    np.testing.assert_allclose(read[:6], 0.4 * first[:6] / first[:6].sum(), rtol=1e-5)
    same = Calibration(((0, 0.25), (7, 0.75)), 0.8)
    both = Calibration(same.reading, 0.8, expressive=same.reading)
    np.testing.assert_allclose(probabilities(logits, both), probabilities(logits, same), rtol=1e-5)


@pytest.mark.parametrize(
    ("shape", "heads"), [((2, 7), ((7, 1.0),)), ((2, 13), ((0, 0.5), (7, 0.5))), ((7,), ((0, 1.0),))]
)
def test_a_head_that_is_not_there_is_an_error(shape: tuple[int, ...], heads: tuple[tuple[int, float], ...]):
    with pytest.raises(ValueError, match="logits must have shape"):
        probabilities(np.zeros(shape), Calibration(heads))


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
        ("yaw", 71, "in profile"),
        ("yaw", -71, "in profile"),
        ("yaw", -70, None),
        ("pitch", 36, "bowed"),
        ("pitch", -36, "bowed"),
        ("pitch", 34, None),
        ("pitch", None, None),  # of a run of before it was measured
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


def test_a_track_that_the_detector_was_never_sure_of_is_no_face_where_it_is_soon_gone():
    unsure = (RULE.least_confidence + RULE.sure) / 2
    short, long = 3, 4  # of 0.2 s each
    faces = faces_table(
        time=[0.2 * k for k in (*range(short), *range(long), *range(short))],
        confidence=[unsure] * (short + long) + [unsure] * (short - 1) + [RULE.sure],
    ).assign(track=[0] * short + [1] * long + [2] * short)
    expressions = read(faces).sort_values("face")
    assert expressions["why"].tolist() == ["not a face"] * short + [None] * (long + short)


def test_how_long_a_face_is_seen_does_not_depend_on_how_often_it_is_looked_for():
    unsure = (RULE.least_confidence + RULE.sure) / 2
    faces = faces_table(time=[0.0, 0.5], confidence=unsure).assign(track=0)
    assert read(faces, samples_table(time=[0.0, 0.5], weight=0.5))["why"].tolist() == [None, None]


def test_a_single_picture_is_judged_by_its_face_alone():
    for detector, known in framing.PLACEMENTS.items():
        rule = rule_for(STILL, ExpressionSettings(), detector)
        faces = faces_table(time=[0.0, 1.0], confidence=[known.least_still + 0.01, known.least_still - 0.01])
        read_ = read(faces.assign(track=[0, 1]), samples_table(time=[0.0, 1.0], weight=1.0), rule=rule)
        assert read_["why"].tolist() == [None, "low score"]


def test_what_a_plan_says_of_scores_holds_for_every_detector():
    stated = ExpressionSettings(least_confidence=0.5, sure=0.6)
    for film in (FILM, STILL):
        assert rule_for(film, stated, "yunet").least_confidence == 0.5
    assert rule_for(FILM, stated, "yunet").sure == 0.6
    assert rule_for(FILM, ExpressionSettings(), "yunet").least_confidence < RULE.least_confidence


def test_a_small_face_need_not_be_as_sharp_as_a_large_one():
    faces = faces_table(time=[0.0, 0.2], x1=[200.0, 124.0], y1=[200.0, 124.0], sharpness=20.0).assign(track=[0, 1])
    assert read(faces)["why"].tolist() == ["blurred", None]


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
