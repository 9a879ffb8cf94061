"""The networks that tell people apart: precision, layout, and facenet's own code beside ours."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

import scenefer
from scenefer.core import geometry
from scenefer.core.errors import WeightsError
from scenefer.models import known_weights, registry
from scenefer.models.identity import dlib_resnet, facenet

WEIGHTS = known_weights.IDENTITY["face_identity"].path


@pytest.fixture(scope="module")
def faces() -> tuple[list[np.ndarray], np.ndarray]:
    """The portrait as it is, darker, smaller, and mirrored: crops and landmarks."""
    portrait = cv2.imread(str(Path(scenefer.__file__).parent / "assets" / "portrait.jpg"))
    assert portrait is not None
    picture = cv2.cvtColor(portrait, cv2.COLOR_BGR2RGB)
    half = cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    pictures = [picture, (picture * 0.5).astype(np.uint8), half, np.ascontiguousarray(picture[:, ::-1])]
    detector = registry.load_detector("mtcnn", smallest_face=24)
    crops, points = [], []
    for found, seen in zip(detector.detect(pictures), pictures, strict=True):
        crops += geometry.crop_faces(seen, found.boxes[:1])
        points.append(geometry.in_crop(found.boxes[:1], found.landmarks[:1])[1])
    return crops, np.concatenate(points)


def test_a_face_stays_near_its_darker_smaller_mirrored_copies(faces: tuple[list[np.ndarray], np.ndarray]):
    reader = dlib_resnet.load(WEIGHTS)
    vectors = reader.vectors(*faces)
    assert vectors.shape == (4, 128)
    assert np.linalg.norm(vectors - vectors[0], axis=1).max() < 0.35
    noise = np.random.default_rng(0).integers(0, 255, (150, 150, 3), np.uint8)
    assert np.linalg.norm(reader.vectors([noise], faces[1][:1]) - vectors[0]) > 0.6


def test_bfloat16_moves_a_vector_by_less_than_a_thirtieth_of_what_divides_people(
    faces: tuple[list[np.ndarray], np.ndarray],
):
    exact = dlib_resnet.load(WEIGHTS, precision=torch.float32).vectors(*faces)
    quick = dlib_resnet.load(WEIGHTS, precision=torch.bfloat16).vectors(*faces)
    assert 0 < np.linalg.norm(exact - quick, axis=1).max() < 0.02


def test_a_face_has_the_vector_that_it_has_alone(faces: tuple[list[np.ndarray], np.ndarray]):
    reader = dlib_resnet.load(WEIGHTS, precision=torch.float32)
    crops, points = faces
    alone = np.concatenate([reader.vectors(crops[k : k + 1], points[k : k + 1]) for k in range(4)])
    np.testing.assert_allclose(reader.vectors(crops * 5, np.tile(points, (5, 1, 1)))[:4], alone, atol=1e-4)


def test_threads_change_no_vector(faces: tuple[list[np.ndarray], np.ndarray]):
    crops, points = faces[0] * 5, np.tile(faces[1], (5, 1, 1))
    one, three = (dlib_resnet.load(WEIGHTS, threads=threads).vectors(crops, points) for threads in (1, 3))
    np.testing.assert_array_equal(one, three)


def test_no_face_has_no_vector():
    assert len(dlib_resnet.load(WEIGHTS).vectors([], np.empty((0, 5, 2)))) == 0


@pytest.fixture
def published(tmp_path: Path) -> tuple[torch.nn.Module, Path]:
    """facenet-pytorch's own network with weights of chance, and its file, which has the classifier too."""
    if not hasattr(torch.ops.torchvision, "nms"):
        for name in ("nms", "qnms"):
            torch.library.define(f"torchvision::{name}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    facenet_pytorch = pytest.importorskip("facenet_pytorch")
    torch.manual_seed(0)
    network = facenet_pytorch.InceptionResnetV1(classify=True, num_classes=3).eval()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)  # pyright: ignore[reportOptionalMemberAccess]
            module.running_var.uniform_(0.5, 1.5)  # pyright: ignore[reportOptionalMemberAccess]
    path = tmp_path / "chance.pt"
    torch.save(network.state_dict(), path)
    network.classify = False
    return network, path


def test_facenet_gives_the_vectors_of_its_authors_code(published: tuple[torch.nn.Module, Path]):
    network, path = published
    crop = np.random.default_rng(0).integers(0, 255, (224, 224, 3), np.uint8)
    square = torch.from_numpy(facenet.framed(crop, np.zeros((5, 2)))).permute(2, 0, 1).float()[None]
    with torch.inference_mode():
        both = network((torch.cat([square, square.flip(3)]) - 127.5) / 128).numpy()
    found = facenet.load(path, precision=torch.float32).vectors([crop], np.zeros((1, 5, 2)))
    np.testing.assert_allclose(found[0], both.mean(axis=0) * facenet.SCALE, atol=1e-4)


def test_facenet_refuses_what_is_not_its_layout(tmp_path: Path):
    path = tmp_path / "other.pt"
    torch.save({"last_linear.weight": torch.zeros(512, 1792)}, path)
    with pytest.raises(WeightsError, match="does not have the layout of facenet"):
        facenet.load(path)
    path.write_bytes(b"no weights")
    with pytest.raises(WeightsError, match="does not hold the weights of facenet"):
        facenet.load(path)


def test_facenet_that_is_not_here_says_how_to_pull_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SCENEFER_WEIGHTS", str(tmp_path))
    with pytest.raises(WeightsError, match="run: scenefer weights pull facenet"):
        registry.load_identity("facenet")


def test_loading_leaves_the_number_of_threads_as_it_was():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        registry.load_identity("face_identity")
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
