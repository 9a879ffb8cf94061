"""The cascade finds a frontal face, no face where there is none, and says what it needs."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from PIL import Image

from scenefer.core.errors import WeightsError
from scenefer.models import registry, weight_files, weight_record
from scenefer.models.detection import haar
from scenefer.models.selftest import PORTRAIT

pytest.importorskip("skimage")


def test_the_portrait_is_found_where_yunet_finds_it():
    picture = np.asarray(Image.open(PORTRAIT).convert("RGB").resize((240, 240)))
    flat = np.full((200, 300, 3), 90, np.uint8)
    tiny = np.zeros((20, 20, 3), np.uint8)
    found, nothing, least = registry.load_detector("haar", smallest_face=40).detect([picture, flat, tiny])
    (known,) = registry.load_detector("yunet", smallest_face=40).detect([picture])
    assert len(nothing.scores) == len(least.scores) == 0
    assert nothing.landmarks.shape == (0, 5, 2)
    middle, wanted = (boxes[0].reshape(2, 2).mean(axis=0) for boxes in (found.boxes, known.boxes))
    width = known.boxes[0, 2] - known.boxes[0, 0]
    assert np.abs(middle - wanted).max() < 0.15 * width
    assert np.abs(found.landmarks[0] - known.landmarks[0]).max() < 0.15 * width
    assert found.scores[0] == 1


def test_boxes_come_largest_first():
    class Two:
        def detect_multi_scale(self, *_: object) -> list[dict[str, int]]:
            return [{"r": 5, "c": 10, "width": 30, "height": 30}, {"r": 50, "c": 60, "width": 80, "height": 80}]

    class Nowhere:
        def find(self, picture: np.ndarray, boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            return np.zeros((len(boxes), 5, 2)), np.zeros(len(boxes))

    found = haar.Haar(Two(), Nowhere(), smallest_face=24).detect([np.zeros((200, 200, 3), np.uint8)])[0]
    assert found.boxes.tolist() == [[60, 50, 140, 130], [10, 5, 40, 35]]


def test_without_scikit_image_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(weight_record, "find_spec", lambda name: None)
    with pytest.raises(WeightsError, match=r"'haar' are not at .*; pip install 'scenefer\[studies\]'"):
        weight_files.verify("haar")
    monkeypatch.setitem(sys.modules, "skimage.feature", None)
    with pytest.raises(WeightsError, match="needs scikit-image"):
        haar.load(PORTRAIT, smallest_face=24)
