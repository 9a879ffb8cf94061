"""The full network has the published layout, and reads the authors' checkpoint without running its code."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np
import pytest
import torch

from scenefer.core.errors import WeightsError
from scenefer.models import calibration, selftest
from scenefer.models.expression import predictor, rmn

# Of the lines "key shape" of the published file, sorted; its 120 aliases dropped.
PUBLISHED_LAYOUT = "373bcc3e466c24d2789f71239fa068b7b8d6f82e57d5088d1d233ead74729ed2"
PUBLISHED_COUNTS = {"conv1": 1, "bn1": 5, "layer1": 36, "layer2": 54, "layer3": 78, "layer4": 42, "fc": 2}
PUBLISHED_COUNTS |= {"mask1": 213, "mask2": 158, "mask3": 103, "mask4": 48}  # aliases counted


@pytest.fixture(scope="module")
def layout() -> dict[str, torch.Tensor]:
    with torch.device("meta"):
        return rmn.Rmn().state_dict()


@pytest.fixture
def checkpoint(layout: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The authors' state dict with its aliases; a tensor is one number, spread, so that the file stays small."""
    stored = {key: torch.zeros((), dtype=tensor.dtype).expand(tensor.shape) for key, tensor in layout.items()}
    for key in layout:
        mask, *rest = key.split(".")
        if mask.startswith("mask") and rest[1] == "downsample":
            stored[f"{mask}.downsample{rest[0].removeprefix('conv')}.{'.'.join(rest[2:])}"] = stored[key]
    return stored


def test_every_key_and_shape_is_the_published_one(layout: dict[str, torch.Tensor]):
    lines = [f"{key} {'x'.join(map(str, tensor.shape)) or 'scalar'}" for key, tensor in layout.items()]
    assert len(lines) == 620
    assert hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest() == PUBLISHED_LAYOUT


def test_every_part_has_as_many_tensors_as_published(checkpoint: dict[str, torch.Tensor]):
    parts = [key.split(".")[0] for key in checkpoint]
    assert {part: parts.count(part) for part in set(parts)} == PUBLISHED_COUNTS
    assert tuple(checkpoint["fc.1.weight"].shape) == (7, 512)
    assert tuple(checkpoint["mask1.up_pool5.0.weight"].shape) == (1024, 512, 2, 2)


def test_it_has_137_796_423_parameters_and_a_seed_gives_its_logits():
    torch.manual_seed(0)
    network = rmn.Rmn()
    assert sum(parameter.numel() for parameter in network.parameters()) == 137_796_423
    model = predictor.ExpressionReader(network, "", calibration(predictor.PUBLISHED), precision=torch.float32)
    logits = model.read(selftest.generated(1))
    np.testing.assert_allclose(logits[0], [-0.0204, -0.0378, 0.0175, 0.0251, -0.0211, 0.0191, -0.0073], atol=5e-4)


def test_the_authors_checkpoint_loads_without_its_aliases(tmp_path: Path, checkpoint: dict[str, torch.Tensor]):
    assert len(checkpoint) == 740
    torch.save({"net": checkpoint, "best_acc": 74.14}, tmp_path / "published.pth")
    assert len(rmn.read_checkpoint(tmp_path / "published.pth")) == 620


def test_an_alias_that_differs_from_its_twin_is_refused(tmp_path: Path, checkpoint: dict[str, torch.Tensor]):
    key = "mask2.downsample3.0.weight"
    checkpoint[key] = torch.ones(()).expand(checkpoint[key].shape)
    torch.save({"net": checkpoint}, tmp_path / "damaged.pth")
    with pytest.raises(WeightsError, match=r"mask2\.downsample3\.0\.weight differs from its twin"):
        rmn.read_checkpoint(tmp_path / "damaged.pth")


def test_a_missing_tensor_is_named(tmp_path: Path, checkpoint: dict[str, torch.Tensor]):
    del checkpoint["layer3.5.bn2.weight"]
    torch.save({"net": checkpoint}, tmp_path / "short.pth")
    with pytest.raises(WeightsError, match=r"1 tensors differ, first 'layer3\.5\.bn2\.weight'"):
        rmn.read_checkpoint(tmp_path / "short.pth")


class _Malicious:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_a_checkpoint_cannot_run_code(tmp_path: Path):
    torch.save({"net": _Malicious(tmp_path / "was_here")}, tmp_path / "evil.pth")
    with pytest.raises(WeightsError, match="cannot be read as a checkpoint"):
        rmn.read_checkpoint(tmp_path / "evil.pth")
    assert not (tmp_path / "was_here").exists()


def test_imagenet_weights_start_the_trunk_and_nothing_else_does(tmp_path: Path):
    network = rmn.Rmn()
    trunk = {
        key: torch.full_like(value, 0.5)
        for key, value in network.state_dict().items()
        if not key.startswith(("mask", "fc."))
    }
    mask = network.state_dict()["mask1.conv1.conv1.weight"].clone()
    resnet = {**trunk, "fc.weight": torch.zeros(1000, 512), "fc.bias": torch.zeros(1000)}
    torch.save(resnet, tmp_path / "resnet34.pth")
    rmn.start_from(network, tmp_path / "resnet34.pth")
    assert network.state_dict()["layer3.5.conv2.weight"].unique().tolist() == [0.5]
    assert torch.equal(network.state_dict()["mask1.conv1.conv1.weight"], mask)
    assert network.state_dict()["fc.1.weight"].shape == (7, 512)
    wider = {**resnet, "layer1.0.conv1.weight": torch.zeros(64, 64, 1, 1)}  # as ResNet-50's
    short = {key: value for key, value in resnet.items() if key != "conv1.weight"}
    for other in (wider, short, [1, 2], {"layer9.weight": torch.zeros(1)}):
        torch.save(other, tmp_path / "other.pth")
        with pytest.raises(WeightsError, match="is no ResNet-34"):
            rmn.start_from(network, tmp_path / "other.pth")
