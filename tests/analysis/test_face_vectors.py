"""Every face becomes a vector once, whoever asks for it, and in whatever order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from scenefer.analysis.face_vectors import FaceVectors
from scenefer.analysis.track_splitting import changes
from tests.builders import faces_table
from tests.toy_models import BLUE, RED, ColourAsVector, picture


class Counting(ColourAsVector):
    def __init__(self) -> None:
        self.seen: list[int] = []  # how many faces it was given at a time

    def vectors(self, crops: Sequence[np.ndarray], landmarks: np.ndarray) -> np.ndarray:
        assert len(crops) == len(landmarks)
        self.seen.append(len(crops))
        return super().vectors(crops, landmarks)


def test_a_face_is_given_to_the_network_once():
    faces = faces_table(time=np.arange(200) / 5, crop=[picture(k, RED if k % 2 else BLUE) for k in range(200)])
    model = Counting()
    beats: list[int] = []
    vectors = FaceVectors(model, lambda: beats.append(1))
    first = vectors.of(faces.iloc[50:150])
    assert max(model.seen) < 100  # a crowd is not decoded at once
    assert np.array_equal(vectors.of(faces)[50:150], first)
    assert np.array_equal(vectors.of(faces.iloc[::-1]), vectors.of(faces)[::-1])
    assert sum(model.seen) == 200
    assert len(beats) == len(model.seen)  # a crowd is not taken for a hung worker


def test_a_head_that_turns_takes_one_face_of_each_side():
    turned = [picture(0, RED)] * 6 + [picture(1, RED)] * 6
    model = Counting()
    linked = faces_table(time=np.arange(12) / 5, crop=turned).assign(track=0)
    assert not changes(linked, FaceVectors(model)).any()
    assert sum(model.seen) == 2


def test_another_person_is_judged_by_more_faces():
    changed = [picture(0, RED)] * 6 + [picture(1, BLUE)] * 6
    model = Counting()
    linked = faces_table(time=np.arange(12) / 5, crop=changed).assign(track=0)
    assert changes(linked, FaceVectors(model)).tolist() == [0] * 6 + [1] * 6
    assert sum(model.seen) == 8
