"""The compact networks: layout, framing, precision, and that the weights which ship say what they are."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from scenefer.core.errors import WeightsError
from scenefer.models import calibration, known_weights, selftest
from scenefer.models.expression import predictor, rmn_compact, rmn_face
from scenefer.models.expression.convolution import Conv3x3

WEIGHTS = known_weights.EXPRESSION["rmn_face"].path
TRUNK = WEIGHTS.with_name("face_identity.safetensors")


@pytest.fixture(scope="module")
def model() -> predictor.ExpressionReader:
    return predictor.load(WEIGHTS, precision=torch.float32)


def test_the_file_that_ships_is_small_and_says_what_it_is():
    network, metadata = predictor.load_network(WEIGHTS)
    assert WEIGHTS.stat().st_size <= 14_000_000
    assert metadata["emotions"] == "angry,disgust,fear,happy,sad,surprise,neutral"
    assert json.loads(metadata["heads"]) == {"fer2013": [0, 7], "ferplus": [7, 15]}
    assert calibration(metadata).temperature != 1.0
    assert network.size == 48


def test_fusing_the_normalisations_changes_nothing():
    network, metadata = predictor.load_network(WEIGHTS)
    faces = selftest.generated()
    with torch.inference_mode():
        plain = network.eval()(torch.from_numpy(faces).float()[:, None]).numpy()
    fused = predictor.ExpressionReader(network, "", calibration(metadata), precision=torch.float32)
    np.testing.assert_allclose(fused.read(faces), plain, atol=2e-3)


def test_a_batch_gives_what_single_faces_give(model: predictor.ExpressionReader):
    faces = np.concatenate([selftest.generated()] * 17)  # 68: more than one batch
    singles = np.concatenate([model.read(faces[k : k + 1]) for k in range(4)])
    np.testing.assert_allclose(model.read(faces), np.tile(singles, (17, 1)), atol=1e-3)


def test_no_faces_give_no_rows(model: predictor.ExpressionReader):
    empty = model.logits([], np.empty((0, 3), np.float32))
    assert empty.shape == (0, 15)


def test_crops_and_squares_must_be_as_many(model: predictor.ExpressionReader):
    with pytest.raises(ValueError, match="1 crops and 2 squares"):
        model.logits([np.zeros((9, 9, 3), np.uint8)], np.zeros((2, 3)))


def test_mirrored_reading_does_not_depend_on_which_side_is_which():
    mirrored = predictor.load(WEIGHTS, mirrored=True, precision=torch.float32)
    faces = selftest.generated()
    np.testing.assert_allclose(mirrored.read(faces), mirrored.read(faces[:, :, ::-1].copy()), atol=1e-4)


def test_the_square_is_cut_where_it_lies_in_the_crop():
    """Of a crop of 100 a square of 53 round its middle, which is one pixel larger than what is bright."""
    crop = np.zeros((100, 100, 3), np.uint8)
    crop[24:76, 24:76] = 200
    cut = predictor.cut([crop], np.array([[0.5, 0.5, 0.53]]))
    assert cut.shape == (1, 48, 48)
    assert cut[0, 24, 24] == 200
    assert cut[0, 1:47, 1:47].min() >= 150
    assert cut[0, 0, 0] < 150


def test_the_size_of_the_crop_does_not_matter():
    y, x = np.mgrid[0:240, 0:240]
    large = np.repeat((127 + 100 * np.sin(x / 25) * np.cos(y / 31)).astype(np.uint8)[:, :, None], 3, axis=2)
    small = large.reshape(120, 2, 120, 2, 3).mean(axis=(1, 3)).astype(np.uint8)
    where = np.array([[0.5, 0.5, 0.7]])
    apart = np.abs(predictor.cut([large], where).astype(int) - predictor.cut([small], where).astype(int))
    assert apart.max() <= 3


def test_light_does_not_matter(model: predictor.ExpressionReader):
    faces = selftest.generated()
    darker = (faces * 0.5).astype(np.uint8)
    shares = [
        np.exp(z) / np.exp(z).sum(axis=1, keepdims=True) for z in (model.read(faces)[:, :7], model.read(darker)[:, :7])
    ]
    assert np.abs(shares[0] - shares[1]).max() < 0.1


def test_a_file_of_another_layout_is_refused(tmp_path: Path):
    described = {"heads": '{"fer2013": [0, 7]}', "head": "fer2013", "temperature": "1.0"}
    metadata = {"architecture": "rmn_compact", **described}
    save_file({"head.weight": torch.zeros(7, 384)}, tmp_path / "odd.safetensors", metadata)
    with pytest.raises(WeightsError, match=r"does not have the layout rmn_compact: \d+ tensors missing"):
        predictor.load(tmp_path / "odd.safetensors")
    with pytest.raises(WeightsError, match="absent or no safetensors file"):
        predictor.load(tmp_path / "absent.safetensors")


def test_a_trunk_with_a_tensor_of_another_shape_is_refused(tmp_path: Path):
    stored = load_file(TRUNK)
    save_file(stored | {"blocks.3.unit2.scale": torch.ones(5)}, tmp_path / "odd.safetensors")
    with pytest.raises(WeightsError, match=r"blocks\.3\.unit2\.scale is absent or of another shape"):
        rmn_face.start_from(rmn_face.RmnFace(), tmp_path / "odd.safetensors", torch.zeros(2, 1, 64, 64))


def test_the_trunk_gives_what_the_face_recognition_network_gives():
    """Stem and first group, computed from the stored units in colour, against those that normalise, in grey."""
    stored = {key: tensor.float() for key, tensor in load_file(TRUNK).items()}
    network = rmn_face.RmnFace()
    faces = 118 + 58 * torch.randn(8, 1, 64, 64, generator=torch.Generator().manual_seed(1))
    rmn_face.start_from(network, TRUNK, faces)
    assert torch.equal(network.masks[1](torch.randn(2, 64, 13, 13)), torch.full((2, 64, 13, 13), 0.5))
    network.stem.train()
    learning = network.stem(rmn_face.normalise(faces))
    network.eval()
    torch.testing.assert_close(network.stem(rmn_face.normalise(faces)), learning, atol=1e-3, rtol=1e-3)
    assert network.stem.bn.num_batches_tracked == 1

    def unit(name: str, x: torch.Tensor, stride: int, padding: int) -> torch.Tensor:
        y = nn.functional.conv2d(x, stored[f"{name}.conv.weight"], stored[f"{name}.conv.bias"], stride, padding)
        return y * stored[f"{name}.scale"][:, None, None] + stored[f"{name}.shift"][:, None, None]

    grey = 118 + 58 * torch.randn(1, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    colour = (grey.expand(1, 3, 64, 64) - torch.tensor([122.782, 117.001, 104.298])[:, None, None]) / 256
    x = nn.functional.max_pool2d(torch.relu(unit("stem", colour, 2, 0)), 3, 2)
    for block in range(3):
        y = unit(f"blocks.{block}.unit2", torch.relu(unit(f"blocks.{block}.unit1", x, 1, 1)), 1, 1)
        x = torch.relu(x + y)
    with torch.inference_mode():
        ours = nn.functional.max_pool2d(torch.relu(network.stem((grey - 118) / 58)), 3, 2)
        ours = network.groups[0](ours)
    torch.testing.assert_close(ours, x, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize(("channels", "edge", "stride", "padding"), [(256, 2, 1, 1), (128, 5, 2, 0)])
def test_the_faster_gradient_is_the_gradient(channels: int, edge: int, stride: int, padding: int):
    torch.manual_seed(0)
    ours = Conv3x3(channels, 256, stride, padding)
    theirs = nn.Conv2d(channels, 256, 3, stride, padding)
    theirs.load_state_dict(ours.state_dict())
    slopes = []
    for layer in (ours, theirs):
        x = torch.randn(4, channels, edge, edge, generator=torch.Generator().manual_seed(1), requires_grad=True)
        layer(x).square().sum().backward()
        slopes.append((x.grad, layer.weight.grad, layer.bias.grad))
    for mine, reference in zip(*slopes, strict=True):
        torch.testing.assert_close(mine, reference, atol=1e-3, rtol=1e-3)


def test_bfloat16_is_close_to_float32():
    faces = selftest.generated()
    shares = []
    for precision in (torch.float32, torch.bfloat16):
        logits = predictor.load(WEIGHTS, precision=precision).read(faces)[:, :7]
        shares.append(np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True))
    assert np.abs(shares[0] - shares[1]).max() <= 0.05


def test_the_small_network_has_the_parameters_of_its_layout():
    assert sum(p.numel() for p in rmn_compact.RmnCompact().parameters()) == 6_480_943
    assert sum(p.numel() for p in rmn_face.RmnFace().parameters()) == 5_088_335


@pytest.mark.parametrize(("edge", "seen"), [(48, 26), (96, 22), (112, 26)])
def test_the_trunk_sees_a_face_at_its_size_and_enlarges_only_what_is_framed_as_training_pictures(edge: int, seen: int):
    network = rmn_face.RmnFace(side=112).eval()
    sizes: list[int] = []
    network.groups[0].register_forward_hook(lambda _module, _inputs, output: sizes.append(output.shape[-1]))
    with torch.inference_mode():
        network(torch.rand(1, 1, edge, edge) * 255)
    assert sizes == [seen]
