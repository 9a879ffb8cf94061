"""The square that the expression networks are shown is what FER2013 would show of a face."""

from __future__ import annotations

import numpy as np
import pytest

from scenefer.models import framing, known_weights


@pytest.mark.parametrize("detector", framing.PLACEMENTS)
def test_a_face_that_lies_in_a_picture_as_measured_is_framed_by_the_whole_picture(detector: str):
    (x, y), size = framing.PLACEMENTS[detector].centre, framing.PLACEMENTS[detector].size
    width, height = 0.8, (size - 0.615 * 0.8) / 0.4725
    box = np.array([[x - width / 2, y - height / 2, x + width / 2, y + height / 2]])
    np.testing.assert_allclose(framing.squares(box, detector), [[0.5, 0.5, 1]], atol=1e-6)
    moved = framing.squares(box * 80 + [300, 20, 300, 20], detector)
    np.testing.assert_allclose(moved, [[340, 60, 80]], atol=1e-4)


def test_every_detector_that_is_known_has_been_measured():
    assert framing.PLACEMENTS.keys() == known_weights.DETECTORS.keys()
