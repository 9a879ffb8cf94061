"""The distribution of the last ten seconds."""

from __future__ import annotations

import numpy as np
import pytest

from scenefer.core.schema import EMOTIONS
from scenefer.live.running import Running, misplaced


def of(**shares: float) -> np.ndarray:
    return np.array([shares.get(emotion, 0.0) for emotion in EMOTIONS])


def test_faces_count_by_the_seconds_that_they_are_seen():
    running = Running()
    running.add(0.0, 0.3, of(happy=1)[None])
    running.add(0.3, 0.1, np.stack([of(happy=1), of(sad=1)]))
    assert running.shares() == pytest.approx(of(happy=0.8, sad=0.2))
    assert running.face_seconds() == pytest.approx(0.5)


def test_what_is_older_than_ten_seconds_is_forgotten_also_where_nobody_is_seen():
    running = Running()
    running.add(0.0, 0.1, of(happy=1)[None])
    running.add(9.9, 0.1, of(sad=1)[None])
    running.add(10.0, 0.1, np.zeros((0, 7)))
    assert running.shares() == pytest.approx(of(sad=1))
    running.add(20.0, 0.1, np.zeros((0, 7)))
    assert running.shares() is None


def test_what_is_misplaced_is_the_share_that_would_have_to_be_another():
    assert misplaced(of(happy=0.6, neutral=0.4), of(happy=0.1, neutral=0.9)) == pytest.approx(0.5)
    assert misplaced(of(happy=1), of(happy=1)) == 0
