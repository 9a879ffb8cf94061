"""YuNet behind the protocol; its weights do not ship, so OpenCV's detector is a fake of its documented rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from scenefer.errors import WeightsError
from scenefer.models import yunet, zoo
from scenefer.models.yunet import YuNet

# x, y, width, height; the person's right eye, left eye, nose, right and left mouth corner; score
FACE = [100, 50, 40, 60, 110, 70, 130, 71, 120, 85, 112, 98, 128, 99, 0.8]
BETTER = [200, 50, 30, 40, 207, 63, 222, 64, 215, 72, 208, 82, 221, 83, 0.95]
SMALL = [5, 5, 10, 12, 7, 9, 12, 9, 10, 11, 8, 14, 11, 14, 0.9]


class FakeEngine:
    """Finds the same faces in every picture."""

    def __init__(self, rows: list[list[float]] | None) -> None:
        self.rows = rows
        self.sizes: list[tuple[int, int]] = []
        self.pictures: list[np.ndarray] = []

    def setInputSize(self, size: tuple[int, int], /) -> None:
        self.sizes.append(size)

    def detect(self, picture: np.ndarray, /) -> tuple[int, np.ndarray | None]:
        self.pictures.append(picture)
        return 1, None if self.rows is None else np.array(self.rows, np.float32)


def test_rows_become_boxes_landmarks_and_scores_the_best_first():
    (found,) = YuNet(FakeEngine([FACE, BETTER]), smallest_face=24).detect([np.zeros((360, 640, 3), np.uint8)])
    assert found.boxes.tolist() == [[200, 50, 230, 90], [100, 50, 140, 110]]
    assert found.landmarks[1].tolist() == [[110, 70], [130, 71], [120, 85], [112, 98], [128, 99]]
    np.testing.assert_allclose(found.scores, [0.95, 0.8])


def test_the_eye_that_is_left_in_the_picture_comes_first():
    """The person's right eye, which OpenCV names first, is on the picture's left."""
    (found,) = YuNet(FakeEngine([FACE]), smallest_face=24).detect([np.zeros((360, 640, 3), np.uint8)])
    left_eye, right_eye, _, left_mouth, right_mouth = found.landmarks[0]
    assert left_eye[0] < right_eye[0]
    assert left_mouth[0] < right_mouth[0]


def test_faces_smaller_than_the_smallest_are_left_out():
    engine = FakeEngine([FACE, SMALL])
    picture = np.zeros((360, 640, 3), np.uint8)
    assert len(YuNet(engine, smallest_face=24).detect([picture])[0].boxes) == 1
    assert len(YuNet(engine, smallest_face=12).detect([picture])[0].boxes) == 2


def test_no_face_gives_empty_arrays_of_the_right_shape():
    (found,) = YuNet(FakeEngine(None), smallest_face=24).detect([np.zeros((90, 160, 3), np.uint8)])
    assert (found.boxes.shape, found.landmarks.shape, found.scores.shape) == ((0, 4), (0, 5, 2), (0,))


def test_the_network_is_told_the_size_of_each_picture_and_sees_blue_first():
    engine = FakeEngine(None)
    red = np.zeros((90, 160, 3), np.uint8)
    red[..., 0] = 255
    YuNet(engine, smallest_face=24).detect([red, np.zeros((360, 640, 3), np.uint8)])
    assert engine.sizes == [(160, 90), (640, 360)]
    assert engine.pictures[0][0, 0].tolist() == [0, 0, 255]


def test_absent_weights_are_one_line_that_says_how_to_pull_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SCENEFER_WEIGHTS", str(tmp_path))
    with pytest.raises(WeightsError, match="run: scenefer weights pull yunet") as raised:
        zoo.load_detector("yunet", smallest_face=24)
    assert "\n" not in str(raised.value)


def test_a_file_that_opencv_cannot_read_is_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    path = tmp_path / "broken.onnx"
    path.write_bytes(b"no network")
    with pytest.raises(WeightsError, match=r"broken\.onnx does not hold the weights of YuNet"):
        yunet.load(path, smallest_face=24)
    capfd.readouterr()  # OpenCV reports on stderr by itself
