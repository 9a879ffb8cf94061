"""YuNet behind the protocol: what becomes of the network's rows, by a fake of them, and the weights that ship."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

import scenefer
from scenefer.core import geometry
from scenefer.core.errors import WeightsError
from scenefer.models import FollowingDetector, registry, weight_download, weight_files
from scenefer.models.detection import yunet
from scenefer.models.detection.yunet import YuNet
from scenefer.models.detection.yunet_network import OVERLAP, YunetNetwork

# x, y, width, height; the person's right eye, left eye, nose, right and left mouth corner; score
FACE = [100, 50, 40, 60, 110, 70, 130, 71, 120, 85, 112, 98, 128, 99, 0.8]
BETTER = [200, 50, 30, 40, 207, 63, 222, 64, 215, 72, 208, 82, 221, 83, 0.95]
SMALL = [5, 5, 10, 12, 7, 9, 12, 9, 10, 11, 8, 14, 11, 14, 0.9]


class Unseen:
    """A landmark network that sees no face in any box."""

    def find(self, picture: np.ndarray, boxes: np.ndarray, tilts: np.ndarray | None = None):
        return np.zeros((len(boxes), 5, 2), np.float32), np.zeros(len(boxes), np.float32)


class Shifted:
    """A landmark network that is sure of the second face alone."""

    def find(self, picture: np.ndarray, boxes: np.ndarray, tilts: np.ndarray | None = None):
        return np.full((len(boxes), 5, 2), 7, np.float32), np.array([0.1, 0.9], np.float32)[: len(boxes)]


def fake(*rows: list[float]):
    """A network that finds the same faces in every picture, given the best first."""
    return lambda picture: np.array(rows, np.float32).reshape(-1, 15)


def test_rows_become_boxes_landmarks_and_scores_the_best_first():
    (found,) = YuNet(fake(BETTER, FACE), Unseen(), smallest_face=24).detect([np.zeros((360, 640, 3), np.uint8)])
    assert found.boxes.tolist() == [[200, 50, 230, 90], [100, 50, 140, 110]]
    assert found.landmarks[1].tolist() == [[110, 70], [130, 71], [120, 85], [112, 98], [128, 99]]
    np.testing.assert_allclose(found.scores, [0.95, 0.8])


def test_the_eye_that_is_left_in_the_picture_comes_first():
    """The person's right eye, which YuNet names first, is on the picture's left."""
    (found,) = YuNet(fake(FACE), Unseen(), smallest_face=24).detect([np.zeros((360, 640, 3), np.uint8)])
    left_eye, right_eye, _, left_mouth, right_mouth = found.landmarks[0]
    assert left_eye[0] < right_eye[0]
    assert left_mouth[0] < right_mouth[0]


def test_landmarks_are_those_of_the_landmark_network_where_it_sees_the_face():
    picture = np.zeros((360, 640, 3), np.uint8)
    (found,) = YuNet(fake(BETTER, FACE), Shifted(), smallest_face=24).detect([picture])
    assert found.landmarks[0, 0].tolist() == [207, 63], "the surer face, which the landmark network does not see"
    assert (found.landmarks[1] == 7).all()


def test_faces_smaller_than_the_smallest_are_left_out():
    network = fake(SMALL, FACE)
    picture = np.zeros((360, 640, 3), np.uint8)
    assert len(YuNet(network, Unseen(), smallest_face=24).detect([picture])[0].boxes) == 1
    assert len(YuNet(network, Unseen(), smallest_face=12).detect([picture])[0].boxes) == 2


def test_no_face_gives_empty_arrays_of_the_right_shape():
    (found,) = YuNet(fake(), Unseen(), smallest_face=24).detect([np.zeros((90, 160, 3), np.uint8)])
    assert (found.boxes.shape, found.landmarks.shape, found.scores.shape) == ((0, 4), (0, 5, 2), (0,))


@pytest.fixture(scope="module")
def portrait() -> np.ndarray:
    picture = cv2.imread(str(Path(scenefer.__file__).parent / "assets" / "portrait.jpg"))
    assert picture is not None
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)


@pytest.mark.parametrize(("width", "height"), [(512, 512), (301, 299), (97, 640)])
def test_the_weights_that_ship_find_what_opencv_finds_in_a_picture_of_any_size(
    portrait: np.ndarray, width: int, height: int
):
    """Within a pixel, a picture on its side and one whose sides are no multiple of the network's step too."""
    small = cv2.resize(portrait, (width, width), interpolation=cv2.INTER_AREA)
    picture = cv2.copyMakeBorder(small, 0, max(0, height - width), 0, 0, cv2.BORDER_CONSTANT)[:height]
    (found,) = registry.load_detector("yunet", smallest_face=12).detect([picture])
    (row,) = opencv(picture, yunet.SCORE)
    np.testing.assert_allclose(found.boxes, [[row[0], row[1], row[0] + row[2], row[1] + row[3]]], atol=1.0)
    np.testing.assert_allclose(found.scores, row[14:], atol=1e-3)


def test_of_many_faces_the_network_keeps_those_that_opencv_keeps(portrait: np.ndarray):
    """Boxes, landmarks and scores, at a score from which faces have several boxes each and things that are none too."""
    row = [cv2.resize(portrait, (side, side), interpolation=cv2.INTER_AREA) for side in (180, 120, 64, 40)]
    picture = np.concatenate([cv2.copyMakeBorder(one, 0, 180 - len(one), 0, 9, cv2.BORDER_REPLICATE) for one in row], 1)
    found = YunetNetwork(weight_files.verify("yunet"), 0.3)(picture)
    theirs = opencv(picture, 0.3)
    assert len(theirs) >= 4
    np.testing.assert_allclose(found, theirs[np.argsort(-theirs[:, 14])], atol=1.0)
    np.testing.assert_allclose(found[:, 14], np.sort(theirs[:, 14])[::-1], atol=1e-3)


def opencv(picture: np.ndarray, least: float) -> np.ndarray:
    """What OpenCV finds with the same file: (N, 15)."""
    theirs = cv2.FaceDetectorYN.create(str(weight_files.verify("yunet")), "", picture.shape[1::-1], least, OVERLAP)
    return theirs.detect(picture[..., ::-1].copy())[1]


def test_a_picture_has_the_same_faces_alone_and_among_others_of_any_size(portrait: np.ndarray):
    detector = registry.load_detector("yunet", smallest_face=24)
    pictures = [portrait, np.zeros((8, 8, 3), np.uint8), np.ascontiguousarray(portrait[:300]), portrait]
    together = detector.detect(pictures)
    assert [len(found.boxes) for found in together] == [1, 0, 1, 1]
    for found, picture in zip(together, pictures, strict=True):
        for a, b in zip(found, detector.detect([picture])[0], strict=True):
            np.testing.assert_array_equal(a, b)


def test_the_nose_lies_between_the_eyes_as_seen_and_the_mouth_below(portrait: np.ndarray):
    (found,) = registry.load_detector("yunet", smallest_face=24).detect([portrait])
    left_eye, right_eye, nose, left_mouth, right_mouth = found.landmarks[0]
    assert left_eye[0] < nose[0] < right_eye[0]
    assert left_mouth[0] < right_mouth[0]
    assert max(left_eye[1], right_eye[1]) < nose[1] < min(left_mouth[1], right_mouth[1])


def test_loading_says_nothing(capfd: pytest.CaptureFixture[str]):
    registry.load_detector("yunet", smallest_face=24)
    assert capfd.readouterr() == ("", "")


def test_offline_the_weights_are_here_and_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SCENEFER_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("SCENEFER_OFFLINE", "1")
    assert weight_download.pull("yunet") == weight_files.verify("yunet")


@pytest.mark.parametrize("content", [b"no network", b""], ids=["other", "empty"])
def test_a_file_that_is_no_network_is_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str], content: bytes):
    path = tmp_path / "broken.onnx"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=r"broken\.onnx does not hold the weights of YuNet"):
        yunet.load(path, smallest_face=24)
    assert capfd.readouterr() == ("", "")


def test_another_network_is_refused(tmp_path: Path):
    """Of the same kind of file, with an output of another name."""
    path = tmp_path / "other.onnx"
    path.write_bytes(weight_files.verify("yunet").read_bytes().replace(b"kps_32", b"kps_33"))
    with pytest.raises(WeightsError, match=r"other\.onnx does not hold the weights of YuNet: it has no output kps_32"):
        yunet.load(path, smallest_face=24)


def placed(portrait: np.ndarray, left: int, top: int, factor: float = 1.0) -> np.ndarray:
    """The portrait in a grey picture."""
    picture = np.full((700, 900, 3), 128, np.uint8)
    face = cv2.resize(portrait, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)[: 700 - top, : 900 - left]
    picture[top : top + face.shape[0], left : left + face.shape[1]] = face
    return picture


@pytest.mark.parametrize(("left", "top", "factor"), [(60, 40, 1.0), (75, 50, 1.0), (95, 40, 1.0), (60, 40, 1.1)])
def test_a_face_that_moved_is_found_again_where_a_search_finds_it(
    portrait: np.ndarray, left: int, top: int, factor: float
):
    detector = registry.load_detector("yunet", smallest_face=24)
    assert isinstance(detector, FollowingDetector)
    (before,) = detector.detect([placed(portrait, 60, 40)])
    now = placed(portrait, left, top, factor)
    again, (searched,) = detector.look(now, before), detector.detect([now])
    assert geometry.iou(again.boxes, searched.boxes)[0, 0] > 0.85
    side = np.ptp(searched.boxes[0, ::2])
    assert np.abs(again.landmarks - searched.landmarks).max() < 0.06 * side
    assert again.scores.tolist() == before.scores.tolist()


def test_a_face_that_went_away_is_lost_and_the_others_keep_their_rows(portrait: np.ndarray):
    detector = registry.load_detector("yunet", smallest_face=24)
    assert isinstance(detector, FollowingDetector)
    small = cv2.resize(portrait, None, fx=0.7, fy=0.7, interpolation=cv2.INTER_AREA)
    both = np.concatenate([small, small], axis=1)
    (before,) = detector.detect([both])
    left = both.copy()
    left[:, small.shape[1] :] = 128
    found = detector.look(left, before)
    assert (found.scores > 0).tolist() == (before.boxes[:, 0] < small.shape[1]).tolist()


def test_no_faces_are_looked_for_in_no_time(portrait: np.ndarray):
    detector = registry.load_detector("yunet", smallest_face=24)
    assert isinstance(detector, FollowingDetector)
    (none,) = detector.detect([np.zeros((90, 160, 3), np.uint8)])
    assert [part.shape for part in detector.look(portrait, none)] == [(0, 4), (0, 5, 2), (0,)]
