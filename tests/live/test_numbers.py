"""Who comes back gets the number from before."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from scenefer.analysis.people import ActorSettings
from scenefer.core import jpeg
from scenefer.live.numbers import Numbers
from tests.builders import faces_table

ANNA, BEN, CLARA = 40, 120, 200  # brightness of their faces


class BrightnessAsPerson:
    """People are one unit of distance apart from each other by 80 grey levels."""

    sha256 = "0" * 64

    def __init__(self) -> None:
        self.n = 0

    def vectors(self, crops: Sequence[np.ndarray], landmarks: np.ndarray) -> np.ndarray:
        self.n += len(crops)
        return np.array([[crop.mean() / 80, 0.0] for crop in crops], np.float32)


def seen(*people: tuple[int, int], yaw: float = 0.0) -> pd.DataFrame:
    """A picture with the given (track, brightness)."""
    crops = [jpeg.encode(np.full((64, 64, 3), brightness, np.uint8)) for _, brightness in people]
    columns = {"time": [0.0] * len(people), "x0": [100.0 * k for k in range(len(people))], "crop": crops, "yaw": yaw}
    return faces_table(**columns).assign(track=[track for track, _ in people])


def test_who_comes_back_has_the_number_from_before_and_a_newcomer_the_next():
    numbers = Numbers(BrightnessAsPerson())
    assert numbers.of(seen((0, ANNA), (1, BEN)), 0.0) == {0: 1, 1: 2}
    assert numbers.of(seen((0, ANNA), (1, BEN)), 0.1) == {0: 1, 1: 2}
    assert numbers.of(seen((2, BEN)), 5.0) == {2: 2}
    assert numbers.of(seen((2, BEN), (3, CLARA)), 5.1) == {2: 2, 3: 3}
    assert numbers.of(seen((4, ANNA)), 9.0) == {4: 1}


def test_two_faces_in_one_picture_are_never_one_person():
    numbers = Numbers(BrightnessAsPerson())
    numbers.of(seen((0, ANNA)), 0.0)
    for time in (0.1, 0.2, 0.3):
        assert numbers.of(seen((0, ANNA), (1, ANNA + 4)), time) == {0: 1, 1: 2}


def test_a_face_in_profile_waits_until_it_can_be_told():
    numbers = Numbers(BrightnessAsPerson())
    numbers.of(seen((0, ANNA)), 0.0)
    assert numbers.of(seen((1, ANNA), yaw=80.0), 5.0) == {1: 2}
    assert numbers.of(seen((1, ANNA)), 5.1) == {1: 1}
    assert numbers.of(seen((1, ANNA), (2, BEN)), 5.2) == {1: 1, 2: 2}, "the number that was lent is free"


def test_a_track_is_looked_at_as_often_as_in_a_film_and_no_more_than_one_face_a_picture():
    identity = BrightnessAsPerson()
    numbers = Numbers(identity)
    looked = []
    for k in range(40):
        before = identity.n
        numbers.of(seen((0, ANNA), (1, BEN)), k / 10)
        looked.append(identity.n - before)
    assert max(looked) == 1
    assert sum(looked) == 2 * ActorSettings().faces_a_track


def test_without_a_network_every_track_has_its_own():
    numbers = Numbers(None)
    assert [numbers.of(seen((track, ANNA)), track) for track in range(3)] == [{0: 1}, {1: 2}, {2: 3}]
    assert numbers.of(faces_table().assign(track=[]), 9.0) == {}
