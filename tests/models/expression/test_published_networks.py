"""The networks of published systems have the sizes that their papers state, read faces, and start as they are told."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from scenefer.core.errors import PlanError, WeightsError
from scenefer.models import network_sizes
from scenefer.models.expression import predictor, timm_networks
from scenefer.models.expression.network import NETWORKS, learning_class
from scenefer.training.recipes import read_recipe
from tests.program import complaints
from tests.program import scenefer as program

PUBLISHED = (
    *("cnn_small", "ghostface", "efficientface", "resnet34", "cbam_resnet34", "vgg19", "resnet50", "mobilenet_v2"),
    *("xception", "vgg16", "densenet121", "resnet50_v2"),
)


def test_cnn_small_has_the_parameters_of_its_paper_to_the_last():
    size = network_sizes.measure("cnn_small")
    assert size.parameters is not None
    assert (size.parameters + (size.statistics or 0), size.statistics, size.side) == (442_023, 128, 48)


@pytest.mark.parametrize(
    ("name", "parameters", "multiply_adds"), [("ghostface", 1.28e6, 134.66e6), ("efficientface", 1.28e6, 154.18e6)]
)
def test_light_networks_meet_both_counts_of_their_papers(name: str, parameters: float, multiply_adds: float):
    size = network_sizes.measure(name)
    assert size.side == 224
    assert size.parameters == pytest.approx(parameters, rel=0.01)
    assert size.multiply_adds == pytest.approx(multiply_adds, rel=0.01)


def test_the_full_rmn_and_a_convolution_by_hand_are_counted_right():
    assert network_sizes.measure("rmn").parameters == 137_796_423

    class One(timm_networks.ScaledNetwork):
        def __init__(self) -> None:
            super().__init__()
            self.convolution = torch.nn.Conv2d(1, 7, 3, padding=1)

        def forward(self, grey: torch.Tensor) -> torch.Tensor:
            return self.convolution(grey).mean(dim=(2, 3))

    assert network_sizes.multiply_adds(One()) == 224 * 224 * 9 * 7


def test_all_that_are_registered_are_counted_smallest_first():
    sizes = network_sizes.measure_all(side=64)
    assert {size.name for size in sizes} >= {*PUBLISHED, "rmn", "rmn_face"}
    counts = [size.parameters or 0 for size in sizes]
    assert counts == sorted(counts)
    assert min(counts) > 0
    assert {size.name: size.side for size in sizes}["resnet34"] == 64
    assert all(size.paper and size.multiply_adds for size in sizes)


@pytest.mark.parametrize("name", PUBLISHED)
def test_each_reads_faces_of_48_px_and_learns(name: str):
    torch.manual_seed(0)
    network = learning_class(name)(n_labels=7, dropout=0.2)
    network.configure({"side": "64"})
    faces = torch.rand(2, 1, 48, 48) * 255
    logits = network.train()(faces)
    assert logits.shape == (2, 7)
    torch.nn.functional.cross_entropy(logits, torch.tensor([3, 4])).backward()
    idle = [key for key, value in network.named_parameters() if value.grad is None]
    assert not idle, "every parameter learns"
    exact = network.eval()(faces).detach()
    halved = predictor.for_inference(network, torch.bfloat16)(faces)
    assert halved.dtype == torch.float32
    torch.testing.assert_close(halved, exact, atol=0.1, rtol=0.1)


def test_a_trunk_of_imagenet_is_taken_over_without_its_classifier(tmp_path: Path):
    torch.manual_seed(0)
    published = timm_networks.timm().create_model("resnet34", num_classes=10)
    path = tmp_path / "imagenet.safetensors"
    save_file(published.state_dict(), path)
    torch.save(published.state_dict(), tmp_path / "imagenet.pth")
    faces = torch.rand(2, 1, 64, 64) * 255
    maps = published.eval().forward_features(
        ((faces / 255).expand(-1, 3, -1, -1) - torch.tensor([0.485, 0.456, 0.406])[:, None, None])
        / torch.tensor([0.229, 0.224, 0.225])[:, None, None]
    )
    for file in (path, tmp_path / "imagenet.pth"):
        network = timm_networks.ResNet34()
        network.start_from(file, lambda: faces)
        torch.testing.assert_close(network.eval().stages[0](faces), maps)
    timm_networks.CbamResNet34().start_from(path, lambda: faces)  # its attention alone is new


def test_a_trunk_of_another_network_is_refused_by_name(tmp_path: Path):
    save_file({"conv1.weight": torch.zeros(64, 3, 7, 7)}, tmp_path / "part.safetensors")
    with pytest.raises(WeightsError, match="no resnet34 in timm's layout"):
        timm_networks.ResNet34().start_from(tmp_path / "part.safetensors", lambda: torch.zeros(0))
    (tmp_path / "none.pth").write_bytes(b"no weights")
    with pytest.raises(WeightsError, match="absent, damaged, or holds more than tensors"):
        timm_networks.ResNet34().start_from(tmp_path / "none.pth", lambda: torch.zeros(0))


def test_without_timm_its_networks_say_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(WeightsError, match=r"pip install 'scenefer\[studies\]'"):
        timm_networks.ResNet34()
    size = network_sizes.measure("resnet34")
    assert size.parameters is None
    assert "scenefer[studies]" in size.missing
    assert network_sizes.measure("cnn_small").missing == ""


def test_a_recipe_of_another_network_starts_from_scratch_unless_it_names_a_trunk(tmp_path: Path):
    recipe = tmp_path / "small.toml"
    recipe.write_text('network = "cnn_small"\nsides = [[0, 48]]\n')
    assert read_recipe(recipe).trunk == ""
    recipe.write_text('network = "cnn_small"\nsides = [[0, 48]]\ntrunk = "imagenet.pth"\n')
    with pytest.raises(PlanError, match=r"cnn_small has no trunk that 'imagenet\.pth' could be"):
        read_recipe(recipe)
    recipe.write_text('network = "resnet34"\nsides = [[0, 47]]\n')
    with pytest.raises(PlanError, match="resnet34 reads faces of 48 to 224 px"):
        read_recipe(recipe)


def test_published_networks_are_registered():
    assert set(PUBLISHED) <= set(NETWORKS.names())


def test_the_program_lists_the_networks_as_they_are_counted(tmp_path: Path):
    told = program("models", "--json", cwd=tmp_path)
    assert not complaints(told)
    rows = {row["name"]: row for row in json.loads(told.stdout)}
    assert rows["cnn_small"]["parameters"] == 441_895
    lines = program("models", "--side", "64", cwd=tmp_path).stdout.splitlines()
    assert len(lines) == len(rows) + 1
    (line,) = (line for line in lines if line.startswith("ghostface"))
    assert f"{rows['ghostface']['parameters']:,}" in line
    assert "64×64" in line
