"""Landmarks follow the tilt of a head, so that its face is read level."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
import pytest
import torch

import scenefer
from scenefer.core import geometry
from scenefer.core.schema import EMOTIONS
from scenefer.models import FaceDetector, framing, known_weights, registry, weight_files
from scenefer.models.detection import landmarks
from scenefer.models.expression import predictor
from scenefer.models.expression.blending import probabilities

TILTS = (0, 20, 45, 90, -20, -90, 180)


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return registry.load_detector("yunet", smallest_face=24)


def portrait(tilt: float) -> np.ndarray:
    """The portrait, turned clockwise, edges carried on."""
    picture = cv2.imread(str(Path(scenefer.__file__).parent / "assets" / "portrait.jpg"), cv2.IMREAD_COLOR_RGB)
    assert picture is not None
    wide = cv2.copyMakeBorder(picture, 200, 200, 200, 200, cv2.BORDER_REPLICATE)
    height, width = wide.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), -tilt, 1)
    return cv2.warpAffine(wide, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)


@pytest.mark.parametrize("tilt", TILTS)
def test_a_head_at_any_tilt_is_cut_out_level_and_read_as_upright(detector: FaceDetector, tilt: float):
    picture = portrait(tilt)
    (found,) = detector.detect([picture])
    box, points = found.boxes[:1], found.landmarks[:1]
    apart = (geometry.roll(points)[0] - tilt + 180) % 360 - 180
    assert abs(apart) < 8
    turns = geometry.levelling(geometry.roll(points))
    framed, inside = geometry.in_crop(box, points, turns)
    left_eye, right_eye, _, left_mouth, _ = inside[0]
    assert left_eye[0] < right_eye[0]
    assert left_eye[1] < left_mouth[1]
    model = predictor.load(known_weights.EXPRESSION["rmn_face"].path)
    logits = model.logits(geometry.crop_faces(picture, box, turns), framing.squares(framed, detector.name))
    assert EMOTIONS[int(probabilities(logits, model.calibration)[0].argmax())] == "happy"


def test_where_there_is_no_face_the_network_sees_none():
    finder = landmarks.load(weight_files.verify("mtcnn"), "yunet")
    ramp = np.repeat(np.add.outer(np.arange(200), np.arange(200))[:, :, None] // 2, 3, axis=2).astype(np.uint8)
    _, scores = finder.find(ramp, np.array([[50, 50, 120, 140]], np.float32))
    assert scores[0] < landmarks.LEAST
    points, scores = finder.find(ramp, np.empty((0, 4), np.float32))
    assert (points.shape, scores.shape) == ((0, 5, 2), (0,))


@pytest.mark.parametrize(
    ("upright", "turned", "roll"), [(0.987, 0.9984, 0), (0.9, 0.993, 180), (0.98, 0.9999, 180), (0.6, 0.985, 0)]
)
def test_a_face_is_taken_to_hang_upside_down_only_where_that_is_much_likelier(
    upright: float, turned: float, roll: float
):
    face = torch.tensor([0.3, 0.7, 0.5, 0.35, 0.65, 0.35, 0.35, 0.55, 0.75, 0.75])

    def network(crops: torch.Tensor) -> torch.Tensor:
        """See the same face whichever way up, and be sure of it by where the light comes from: left, right, above."""
        rows = []
        for crop in crops[..., 0]:
            top, bottom = crop[:12].mean(), crop[-12:].mean()
            left, right = crop[:, :12].mean(), crop[:, -12:].mean()
            score = 0.1 if abs(left - right) > abs(top - bottom) else upright if top > bottom else turned
            rows.append(torch.cat([torch.tensor([score]), torch.zeros(4), face]))
        return torch.stack(rows)

    lit = np.repeat(np.linspace(255, 0, 200)[:, None, None], 200, axis=1).repeat(3, axis=2).astype(np.uint8)
    points, _ = landmarks.LandmarkNetwork(cast("Any", network), "yunet").find(
        lit, np.array([[60, 60, 140, 140]], np.float32)
    )
    assert abs((geometry.roll(points)[0] - roll + 180) % 360 - 180) < 10
