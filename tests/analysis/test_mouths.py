"""How far mouths are open, and who speaks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from scenefer.analysis import mouths
from scenefer.core import geometry, jpeg
from scenefer.models import framing
from tests.builders import faces_table, tracks_table

TALKING = [0.05, 0.2, 0.08, 0.25, 0.05, 0.15, 0.02, 0.2, 0.06, 0.3]
SMILING = [0.03, 0.03, 0.04, 0.1, 0.2, 0.2, 0.2, 0.21, 0.2, 0.2]
TIMES = [0.2 * k for k in range(10)]


class Lips:
    """Points of which the five landmarks are as the detector drew them, and the inner lips stand as far apart as told.

    Args:
        openings: of each face that is asked for, in turn.
        aside: by which all points are moved, in fractions of the crop.
    """

    sha256 = "0" * 64

    def __init__(self, five: np.ndarray, openings: list[float], aside: float = 0.0) -> None:
        self.five, self.openings, self.aside = five, openings, aside
        self.n_asked = 0

    def points(self, crops: Sequence[np.ndarray], squares: np.ndarray) -> np.ndarray:
        self.n_asked += len(crops)
        points = np.zeros((len(crops), 68, 2), np.float32)
        for place, (begin, end) in enumerate(mouths._FIVE):
            points[:, begin:end] = self.five[place]
        points[:, 60], points[:, 64] = (0.4, 0.7), (0.6, 0.7)
        for upper, lower in mouths._GAPS:
            points[:, upper] = (0.5, 0.7)
            points[:, lower, 0] = 0.5
            points[:, lower, 1] = 0.7 + 0.2 * np.array(self.openings[: len(crops)])
        return points + self.aside


def seen(**columns: object) -> pd.DataFrame:
    """Faces with a grey crop."""
    return faces_table(crop=jpeg.encode(np.full((140, 140, 3), 128, np.uint8), 90), **columns)


def five_of(faces: pd.DataFrame) -> np.ndarray:
    return geometry.in_crop(*geometry.boxes_landmarks_turns(faces))[1][0]


def test_opening_is_the_gap_of_the_inner_lips_by_their_width():
    faces = seen(time=[0.0, 0.2])
    measured = mouths.measure(faces, Lips(five_of(faces), [0.0, 0.5]), "yunet")
    np.testing.assert_allclose(measured["mouth_open"], [0.0, 0.5], atol=1e-6)


def test_profiles_bowed_and_small_faces_and_those_without_a_crop_are_not_measured():
    faces = seen(
        time=TIMES[:5], yaw=[0.0, 60.0, 0.0, 0.0, 0.0], pitch=[np.nan, 0.0, 40.0, 0.0, 0.0],
        x1=[200.0, 200.0, 200.0, 130.0, 200.0],
    )  # fmt: skip
    faces.loc[4, "crop"] = None
    model = Lips(five_of(faces), [0.3])
    assert mouths.measure(faces, model, "yunet")["mouth_open"].notna().tolist() == [True, *[False] * 4]
    assert model.n_asked == 1


def test_points_far_from_the_detectors_landmarks_measure_nothing():
    faces = seen(time=[0.0])
    assert mouths.measure(faces, Lips(five_of(faces), [0.3], aside=0.1), "yunet")["mouth_open"].isna().all()


def test_a_mouth_that_keeps_moving_speaks_and_one_that_opens_once_does_not():
    track = np.repeat([0, 1], 10)
    told = mouths.speech(track, np.tile(TIMES, 2), np.array(TALKING + SMILING))
    assert told.tolist() == [1.0] * 10 + [0.0] * 10


def test_a_mouth_that_is_seldom_measured_and_opens_slowly_does_not_speak():
    """Between two openings that are far apart nobody knows how fast it moved."""
    opening = np.full(22, np.nan)
    opening[::4] = 0.03 + 0.06 * np.arange(6)
    told = mouths.speech(np.zeros(22, int), 0.2 * np.arange(22), opening)
    assert np.isnan(told).all()


def test_the_order_of_faces_does_not_matter_and_the_unknown_stays_unknown():
    order = np.random.default_rng(0).permutation(20)
    opening = np.array([*TALKING, 0.1, 0.3, 0.1, *([np.nan] * 7)])
    track, time = np.repeat([4, 2], 10), np.tile(TIMES, 2)
    told = mouths.speech(track[order], time[order], opening[order])
    np.testing.assert_array_equal(told, np.array([1.0] * 10 + [np.nan] * 10)[order])


def test_a_track_says_which_share_of_it_speaks_and_null_where_nothing_is_known():
    faces = faces_table(time=TIMES * 2, mouth_open=TALKING + [None] * 10).assign(track=np.repeat([0, 1], 10))
    tracks = mouths.with_speech(tracks_table(track=[0, 1]), faces)
    assert tracks["speaking"].iloc[0] == 1
    assert np.isnan(tracks["speaking"].iloc[1])


def test_squares_are_those_that_the_detector_means():
    faces = seen(time=[0.0])
    asked: list[np.ndarray] = []

    class Noting(Lips):
        def points(self, crops: Sequence[np.ndarray], squares: np.ndarray) -> np.ndarray:
            asked.append(squares)
            return super().points(crops, squares)

    mouths.measure(faces, Noting(five_of(faces), [0.1]), "mtcnn")
    boxes, _ = geometry.in_crop(*geometry.boxes_landmarks_turns(faces))
    np.testing.assert_array_equal(asked[0], framing.squares(boxes, "mtcnn"))
