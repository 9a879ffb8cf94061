"""The selftest passes for what ships, and fails for every shuffle of it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from scenefer.models import known_weights, selftest

WEIGHTS = known_weights.EXPRESSION["rmn_face"].path
HEADS = [f"head.{part}" for part in ("weight", "bias")]


def test_the_weights_that_ship_pass():
    checks = selftest.run()
    assert [check for check in checks if not check.passed] == []
    assert len(checks) == 7


@pytest.mark.parametrize("seed", range(10))
def test_a_shuffle_of_the_output_rows_fails(tmp_path: Path, seed: int):
    with safe_open(WEIGHTS, "pt") as stored:
        tensors = {key: stored.get_tensor(key) for key in stored.keys()}  # noqa: SIM118 - no mapping
        metadata = stored.metadata()
    order = torch.randperm(7, generator=torch.Generator().manual_seed(seed))
    assert order.tolist() != list(range(7))
    for name in HEADS:
        tensors[name][:7] = tensors[name][:7][order]
    save_file(tensors, tmp_path / "shuffled.safetensors", metadata)
    stored_outputs, *_ = selftest._stored(tmp_path / "shuffled.safetensors")
    assert not stored_outputs.passed


def test_weights_without_stored_outputs_fail(tmp_path: Path):
    with safe_open(WEIGHTS, "pt") as stored:
        tensors = {key: stored.get_tensor(key) for key in stored.keys()}  # noqa: SIM118 - no mapping
        metadata = {key: value for key, value in stored.metadata().items() if key != "selftest"}
    save_file(tensors, tmp_path / "silent.safetensors", metadata)
    assert not selftest._stored(tmp_path / "silent.safetensors")[0].passed
