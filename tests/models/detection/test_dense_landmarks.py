"""Sixty-eight points: the numbers of the package that the weights come from, and where they lie on a face."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

import scenefer
from scenefer.core import geometry
from scenefer.core.errors import WeightsError
from scenefer.models import framing, known_weights, registry
from scenefer.models.detection import dense_landmarks

WEIGHTS = known_weights.LANDMARKS["dense_landmarks"].path

# What @vladmandic/face-api 1.7.15 gives for the picture of ``pattern`` (Node, TensorFlow.js on its "cpu").
THEIRS = {
    0: (0.418839, 0.565491),
    8: (0.634901, 0.479144),
    19: (0.321908, 0.545522),
    30: (0.489558, 0.500617),
    36: (0.480398, 0.619990),
    45: (0.527866, 0.550640),
    48: (0.482659, 0.453924),
    57: (0.552230, 0.301572),
    62: (0.575744, 0.423198),
    66: (0.526288, 0.291423),
}


def pattern() -> np.ndarray:
    """A picture that every program can make: (112, 112, 3) uint8."""
    y, x, channel = np.mgrid[:112, :112, :3]
    return ((x * 3 + y * 5 + channel * 70 + (x * y) // 7) % 256).astype(np.uint8)


def test_points_are_those_of_the_package_that_the_weights_come_from():
    reader = dense_landmarks.load(WEIGHTS)
    faces = torch.from_numpy(pattern()[None]).permute(0, 3, 1, 2).float()
    with torch.inference_mode():
        (points,) = reader._network(faces).numpy()
    np.testing.assert_allclose(points[list(THEIRS)], list(THEIRS.values()), atol=1e-5)


@pytest.fixture(scope="module")
def portrait() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The portrait's crop, its square, and its five landmarks, fractions of the crop."""
    picture = cv2.imread(str(Path(scenefer.__file__).parent / "assets" / "portrait.jpg"), cv2.IMREAD_COLOR_RGB)
    assert picture is not None
    (found,) = registry.load_detector("yunet", smallest_face=24).detect([picture])
    framed, points = geometry.in_crop(found.boxes[:1], found.landmarks[:1])
    return geometry.crop_faces(picture, found.boxes[:1])[0], framing.squares(framed, "yunet"), points[0]


def test_eyes_nose_and_mouth_lie_where_the_detector_sees_them(portrait: tuple[np.ndarray, np.ndarray, np.ndarray]):
    crop, square, (left, right, nose, mouth_left, mouth_right) = portrait
    (points,) = registry.load_landmarks().points([crop], square)
    near = 0.1 * np.linalg.norm(right - left)
    for mine, seen in (
        (points[36:42].mean(axis=0), left), (points[42:48].mean(axis=0), right), (points[30], nose),
        (points[48], mouth_left), (points[54], mouth_right),
    ):  # fmt: skip
        assert np.linalg.norm(mine - seen) < 2 * near
    assert points[8, 1] > points[57, 1] > points[33, 1] > points[27, 1] > points[19, 1]
    assert points[0, 0] < points[36, 0] < points[45, 0] < points[16, 0]


def test_a_smaller_crop_has_the_same_points_and_a_batch_those_of_each_alone(
    portrait: tuple[np.ndarray, np.ndarray, np.ndarray],
):
    crop, square, _ = portrait
    reader = registry.load_landmarks()
    smaller = cv2.resize(crop, (100, 100), interpolation=cv2.INTER_AREA)
    both = reader.points([crop, smaller] * 20, np.repeat(square, 40, axis=0))
    np.testing.assert_allclose(both[1], both[0], atol=0.01)
    np.testing.assert_allclose(both[38], reader.points([crop], square)[0], atol=1e-4)
    assert reader.points([], np.empty((0, 3))).shape == (0, 68, 2)


def test_another_file_is_refused_by_name(tmp_path: Path):
    other = tmp_path / "other.safetensors"
    save_file({"a": np.zeros(3, np.float32)}, other, {"ranges": '{"a": [1, 0]}'})
    with pytest.raises(WeightsError, match=r"other\.safetensors does not hold the weights of dense_landmarks"):
        dense_landmarks.load(other)
    with pytest.raises(WeightsError, match="dense_landmarks"):
        dense_landmarks.load(tmp_path / "absent.safetensors")
