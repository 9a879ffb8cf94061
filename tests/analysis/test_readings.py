"""Which faces are read, and which share the reading of the same face a moment before."""

from __future__ import annotations

import numpy as np

from scenefer.analysis.readings import Readings
from tests.toy_models import BrightnessAsLogit

BOX = np.array([[0.2, 0.2, 0.8, 0.8]], np.float32)
NEW, SAME = np.array([-1]), np.array([0])


def face(light: int = 0) -> np.ndarray:
    """A crop with structure, lighter by ``light``."""
    columns = np.linspace(40, 160, 100).astype(np.uint8) + np.uint8(light)
    return np.repeat(np.tile(columns, (100, 1))[:, :, None], 3, axis=2)


def test_a_face_that_is_followed_and_did_not_change_is_not_read_again():
    readings = Readings(BrightnessAsLogit(), "mtcnn")
    numbers = [readings.add([face()], BOX, before) for before in (NEW, SAME, SAME)]
    assert numbers == [[0], [0], [0]]
    assert len(readings.logits()) == 1


def test_a_face_that_changed_is_read_again_and_so_is_one_that_was_not_followed():
    readings = Readings(BrightnessAsLogit(), "mtcnn")
    assert readings.add([face()], BOX, NEW) == [0]
    assert readings.add([face(60)], BOX, SAME) == [1]
    assert readings.add([face(60)], BOX, NEW) == [2]
    light = readings.logits()[:, 0]
    assert light[1] > light[0] + 5
    assert light[1] == light[2]


def test_small_changes_add_up():
    """A face is compared with the one that was read, not with the one before."""
    readings = Readings(BrightnessAsLogit(), "mtcnn")
    numbers = [readings.add([face(light)], BOX, SAME if light else NEW)[0] for light in range(0, 40, 2)]
    assert numbers[1] == 0
    assert numbers[-1] > 1


def test_each_of_several_faces_keeps_its_own_reading_when_their_order_changes():
    readings = Readings(BrightnessAsLogit(), "mtcnn")
    both = np.repeat(BOX, 2, axis=0)
    assert readings.add([face(), face(60)], both, np.array([-1, -1])) == [0, 1]
    assert readings.add([face(60), face()], both, np.array([1, 0])) == [1, 0]
    assert readings.add([], BOX[:0], NEW[:0]) == []
    assert len(readings.logits()) == 2


def test_many_faces_are_read_a_batch_at_a_time_and_numbered_through():
    readings = Readings(BrightnessAsLogit(), "mtcnn")
    numbers = [readings.add([face(light)], BOX, NEW)[0] for light in range(70)]
    assert numbers == list(range(70))
    light = readings.logits()[:, 0]
    assert len(light) == 70
    assert (np.diff(light) > 0).all()
