"""MTCNN against the program that its weights come from, on real faces."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
import torch

import scenefer
from scenefer.core.errors import WeightsError
from scenefer.core.geometry import iou
from scenefer.models import Detections, FaceDetector, registry
from scenefer.models.detection import mtcnn

LARGEST = 230_400  # pixels of a detection picture
CLIPS = (".mp4", ".mov", ".mkv", ".webm")
CERTAIN = 0.9  # score of the faces that both searches must find


@pytest.fixture(scope="module")
def portrait() -> np.ndarray:
    picture = cv2.imread(str(Path(scenefer.__file__).parent / "assets" / "portrait.jpg"))
    assert picture is not None
    return reduced(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))


@pytest.fixture(scope="module")
def stills(films: Path) -> dict[str, list[np.ndarray]]:
    """Key frames at 35 and 70 % of every clip, at detection size."""
    return {clip.name: list(key_frames(clip, (0.35, 0.7))) for clip in clips_of(films)}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def clips_of(films: Path) -> list[Path]:
    return sorted(path for path in films.iterdir() if path.suffix in CLIPS)


def reduced(picture: np.ndarray) -> np.ndarray:
    height, width = picture.shape[:2]
    scale = min(1.0, (LARGEST / (height * width)) ** 0.5)
    return cv2.resize(picture, (int(width * scale), int(height * scale)), interpolation=cv2.INTER_AREA)


def key_frames(clip: Path, shares: tuple[float, ...]) -> Iterator[np.ndarray]:
    with av.open(str(clip)) as file:
        assert file.duration is not None
        for share in shares:
            file.seek(int(file.duration * share))
            yield reduced(next(file.decode(video=0)).to_ndarray(format="rgb24"))


def sampled(clip: Path, rate: float) -> Iterator[np.ndarray]:
    """Decode a clip and give ``rate`` pictures a second, at detection size."""
    n_given = 0
    with av.open(str(clip)) as file:
        for frame in file.decode(video=0):
            if frame.time is not None and frame.time * rate >= n_given:
                n_given = int(frame.time * rate) + 1
                yield reduced(frame.to_ndarray(format="rgb24"))


def search(smallest_face: int, pyramid: str) -> FaceDetector:
    return registry.load_detector(
        "mtcnn", smallest_face=smallest_face, pyramid="exact" if pyramid == "exact" else "fast"
    )


def stock_mtcnn(smallest_face: int) -> Any:
    """Build facenet-pytorch's detector.

    torchvision as the index has it does not load its operators beside a CPU torch: their schemas are enough for the
    import, and the one that MTCNN calls is replaced by its definition.
    """
    if not hasattr(torch.ops.torchvision, "nms"):
        for name in ("nms", "qnms"):
            torch.library.define(f"torchvision::{name}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import facenet_pytorch
        from facenet_pytorch.models.utils import detect_face

        detect_face.batched_nms = suppressed_one_by_one  # pyright: ignore[reportPrivateImportUsage]
        return facenet_pytorch.MTCNN(min_face_size=smallest_face, keep_all=True)


def suppressed_one_by_one(
    boxes: torch.Tensor, scores: torch.Tensor, groups: torch.Tensor, threshold: float
) -> torch.Tensor:
    kept: list[int] = []
    overlaps = iou(boxes.numpy(), boxes.numpy()).astype(np.float32)
    hidden = np.zeros(len(boxes), bool)
    for k in np.argsort(-scores.numpy(), kind="stable").tolist():
        if not hidden[k]:
            kept.append(k)
            hidden |= (overlaps[k] > np.float32(threshold)) & (groups == groups[k]).numpy()
    return torch.tensor(kept, dtype=torch.int64)


def assert_faces_of_stock(found: Detections, picture: np.ndarray, stock: Any) -> int:
    """Hold the faces to those of facenet-pytorch: as many, boxes to 0.5 px, landmarks to 1 px, scores to 1e-3."""
    boxes, scores, landmarks = stock.detect(picture, landmarks=True)
    if boxes is None:
        assert len(found.boxes) == 0
        return 0
    assert len(found.boxes) == len(boxes)
    boxes, landmarks = boxes.astype(np.float32), landmarks.astype(np.float32)
    same = iou(found.boxes, boxes).argmax(axis=1)  # the order of theirs is by area
    assert len(set(same)) == len(same)
    np.testing.assert_allclose(found.boxes, boxes[same], rtol=0, atol=0.5)
    np.testing.assert_allclose(found.landmarks, landmarks[same], rtol=0, atol=1.0)
    np.testing.assert_allclose(found.scores, scores[same].astype(np.float32), rtol=0, atol=1e-3)
    return len(boxes)


def missed(found: Detections, wanted: Detections) -> tuple[int, int]:
    """Count the certain faces of ``wanted``: those that ``found`` lacks (IoU under 0.7), and all."""
    certain = wanted.boxes[wanted.scores >= CERTAIN]
    best = iou(certain, found.boxes).max(axis=1, initial=0)
    return int((best < 0.7).sum()), len(certain)


def test_the_exact_search_finds_the_faces_of_facenet_pytorch(stills: dict[str, list[np.ndarray]]):
    ours, stock = search(24, "exact"), stock_mtcnn(24)
    with_faces = 0
    for pictures in stills.values():
        found = ours.detect(pictures)
        counts = [assert_faces_of_stock(*pair, stock) for pair in zip(found, pictures, strict=True)]
        with_faces += any(counts)
    assert with_faces >= 12, "too few clips with faces for the comparison to mean something"


@pytest.mark.parametrize("smallest_face", [16, 40])
def test_the_exact_search_finds_the_portrait_as_facenet_pytorch_does(portrait: np.ndarray, smallest_face: int):
    (found,) = search(smallest_face, "exact").detect([portrait])
    assert assert_faces_of_stock(found, portrait, stock_mtcnn(smallest_face)) >= 1


def test_the_fast_search_misses_no_certain_face_of_the_exact_one(stills: dict[str, list[np.ndarray]]):
    pictures = [picture for of_clip in stills.values() for picture in of_clip]
    assert_agreement(search(24, "fast").detect(pictures), search(24, "exact").detect(pictures))


@pytest.mark.slow
@pytest.mark.parametrize("smallest_face", [16, 24, 40])
def test_on_all_clips_the_two_searches_share_98_percent_of_their_certain_faces(films: Path, smallest_face: int):
    fast, exact = search(smallest_face, "fast"), search(smallest_face, "exact")
    found: list[Detections] = []
    wanted: list[Detections] = []
    for clip in clips_of(films):
        pictures = list(sampled(clip, 5))
        found += fast.detect(pictures)
        wanted += exact.detect(pictures)
    assert_agreement(found, wanted)


def assert_agreement(found: list[Detections], wanted: list[Detections]) -> None:
    for a, b in ((found, wanted), (wanted, found)):
        n_missed, n_faces = np.sum([missed(*pair) for pair in zip(a, b, strict=True)], axis=0)
        assert n_faces > 20
        assert n_missed <= 0.02 * n_faces


@pytest.mark.parametrize("pyramid", ["fast", "exact"])
def test_a_picture_has_the_same_faces_alone_and_among_others_of_any_size(portrait: np.ndarray, pyramid: str):
    detector = search(24, pyramid)
    pictures = [portrait, np.zeros((90, 160, 3), np.uint8), np.ascontiguousarray(portrait[:, ::-1]), portrait] * 5
    together = detector.detect(pictures)
    assert [len(found.boxes) > 0 for found in together] == [True, False, True, True] * 5
    for found, picture in [*zip(together, pictures, strict=True)][-4:]:  # of the second batch
        (alone,) = detector.detect([picture])
        for a, b in zip(found, alone, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-2)


@pytest.mark.parametrize("pyramid", ["fast", "exact"])
def test_landmarks_are_in_the_order_of_the_protocol_and_the_best_face_comes_first(portrait: np.ndarray, pyramid: str):
    side = portrait.shape[1]
    small = cv2.resize(portrait, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA)
    (found,) = search(24, pyramid).detect(
        [np.concatenate([np.pad(small, ((0, side - len(small)), (0, 0), (0, 0))), portrait], 1)]
    )
    left_eye, right_eye, nose, left_mouth, right_mouth = found.landmarks[0]
    assert left_eye[0] < nose[0] < right_eye[0]
    assert left_mouth[0] < right_mouth[0]
    assert max(left_eye[1], right_eye[1]) < nose[1] < min(left_mouth[1], right_mouth[1])
    assert len(found.scores) >= 2
    assert (np.diff(found.scores) <= 0).all()


def test_pictures_without_a_face_give_empty_arrays_of_the_right_shape():
    for picture in (np.zeros((360, 640, 3), np.uint8), np.zeros((8, 8, 3), np.uint8)):
        (found,) = search(24, "fast").detect([picture])
        assert (found.boxes.shape, found.landmarks.shape, found.scores.shape) == ((0, 4), (0, 5, 2), (0,))
    assert search(24, "fast").detect([]) == []


def test_faces_smaller_than_the_smallest_are_not_looked_for(portrait: np.ndarray):
    (found,) = search(24, "exact").detect([portrait])
    height = int(found.boxes[0, 3] - found.boxes[0, 1])
    (none,) = search(2 * height, "exact").detect([portrait])
    assert len(none.boxes) == 0


def test_a_crowd_is_found_whole(portrait: np.ndarray):
    """Hundreds of faces: thousands of proposals, which go through the networks and the suppression by blocks."""
    (found,) = search(40, "exact").detect([portrait])
    x0, y0, x1, y1 = found.boxes[0].round().astype(int)
    face = cv2.resize(portrait[y0 - 20 : y1 + 20, x0 - 20 : x1 + 20], (36, 36), interpolation=cv2.INTER_AREA)
    (crowd,) = search(20, "fast").detect([np.tile(face, (10, 16, 1))])
    assert len(crowd.boxes) == 160


def test_a_file_of_another_layout_is_refused(tmp_path: Path):
    from safetensors.numpy import save_file

    path = tmp_path / "other.safetensors"
    save_file({"pnet.conv1.weight": np.zeros((10, 3, 3, 3), np.float32)}, path)
    with pytest.raises(WeightsError, match=r"other\.safetensors does not hold the weights of MTCNN"):
        mtcnn.load(path, smallest_face=24)
