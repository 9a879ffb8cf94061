"""Which samples are searched as a whole, and what of a face that is followed, by a detector that counts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from scenefer.analysis.face_search import FaceSearch, Sample
from scenefer.models import Detections
from tests.toy_models import OneFaceWhereItIsBright

STILL = np.zeros((36, 64, 3), np.uint8)


def faces(*lefts: float) -> Detections:
    """Faces of 10 px beside one another, the first one surest."""
    boxes = np.array([[left, 0, left + 10, 10] for left in lefts], np.float32).reshape(-1, 4)
    points = boxes[:, None, :2] + np.array([[3, 3], [7, 3], [5, 5], [3, 8], [7, 8]], np.float32)
    return Detections(boxes, points, np.linspace(0.9, 0.8, len(lefts)).astype(np.float32))


class Follows:
    """Finds the same faces in every picture; looks for them one px further right, and loses them when told."""

    name = "follows"

    def __init__(self, found: Detections) -> None:
        self.found = found
        self.loses = False
        self.searched = 0

    def detect(self, pictures: Sequence[np.ndarray]) -> list[Detections]:
        self.searched += len(pictures)
        return [self.found for _ in pictures]

    def look(self, picture: np.ndarray, before: Detections) -> Detections:
        scores = before.scores * (0 if self.loses else 1)
        right = np.array([1, 0, 1, 0], np.float32)
        return Detections(before.boxes + right, before.landmarks, scores.astype(np.float32))


def samples(*times: float, change: float = 0.0) -> list[Sample]:
    return [Sample(time, STILL, change) for time in times]


def test_between_two_searches_known_faces_are_followed():
    detector = Follows(faces(5, 30))
    found = FaceSearch(detector, every=1.0).find(samples(0.0, 0.2, 0.4, 0.6, 0.8))
    assert detector.searched == 1
    assert [one.faces.boxes[0, 0] for one in found] == [5, 6, 7, 8, 9]
    assert [one.before.tolist() for one in found] == [[-1, -1], *[[0, 1]] * 4]


def test_the_first_sample_at_each_multiple_is_searched_whatever_came_before():
    detector = Follows(faces(5))
    search = FaceSearch(detector, every=1.0)
    whole = search.find(samples(*np.arange(0.6, 2.6, 0.2)))
    assert detector.searched == 3, "at 0.6, where it begins, and at 1.0 and 2.0"
    later = FaceSearch(Follows(faces(5)), every=1.0).find(samples(*np.arange(1.0, 2.6, 0.2)))
    for one, other in zip(whole[2:], later, strict=True):
        np.testing.assert_array_equal(one.faces.boxes, other.faces.boxes)


@pytest.mark.parametrize(
    ("next_sample", "why"),
    [
        (Sample(0.2, STILL, 0.5), "a cut lies between"),
        (Sample(0.9, STILL, 0.0), "in a second a face goes anywhere"),
    ],
)
def test_a_picture_that_changed_is_searched(next_sample: Sample, why: str):
    detector = Follows(faces(5))
    FaceSearch(detector, every=1.0).find([*samples(0.0), next_sample])
    assert detector.searched == 2, why


def test_a_picture_in_which_a_face_is_lost_is_searched():
    detector = Follows(faces(5))
    search = FaceSearch(detector, every=1.0)
    search.find(samples(0.0))
    detector.loses = True
    (found,) = search.find(samples(0.2))
    assert detector.searched == 2
    assert found.before.tolist() == [-1]


def test_two_faces_that_have_become_one_are_searched_for():
    detector = Follows(faces(5, 8))
    FaceSearch(detector, every=1.0).find(samples(0.0, 0.2))
    assert detector.searched == 2


def test_a_crowd_is_searched_at_every_sample():
    detector = Follows(faces(*range(0, 1200, 100)))
    FaceSearch(detector, every=1.0).find(samples(0.0, 0.2, 0.4))
    assert detector.searched == 3


def test_a_picture_without_faces_is_searched_again_soon():
    detector = Follows(faces())
    found = FaceSearch(detector, every=2.0).find(samples(0.0, 0.2, 0.4, 0.6, 0.8))
    assert detector.searched == 3
    assert not any(len(one.faces.scores) for one in found)


def test_a_detector_that_cannot_follow_searches_every_sample():
    bright = np.full((90, 160, 3), 200, np.uint8)
    found = FaceSearch(OneFaceWhereItIsBright(), every=1.0).find([Sample(t, bright, 0.0) for t in (0.0, 0.2)])
    assert [one.before.tolist() for one in found] == [[-1], [-1]]
