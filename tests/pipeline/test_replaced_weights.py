"""Weights are known by their content: a file that is replaced under its name is another network, in one process too."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

import scenefer
from scenefer import video
from scenefer.core.errors import WeightsError
from scenefer.core.film import Span
from scenefer.core.schema import EMOTIONS
from scenefer.models import weight_files
from scenefer.models.expression.network import NETWORKS, ExpressionNetwork
from scenefer.models.selftest import PORTRAIT
from scenefer.pipeline import chunks
from scenefer.pipeline.plans import Plan, make_plan


class Always(ExpressionNetwork):
    """Sees in every face what its weights say."""

    size = 16
    side = 16

    def __init__(self, n_labels: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.logits = torch.nn.Parameter(torch.zeros(n_labels))

    def forward(self, grey: torch.Tensor) -> torch.Tensor:
        return self.logits.expand(len(grey), -1)


@pytest.fixture(autouse=True)
def always() -> Iterator[None]:
    NETWORKS.add("always", Always)
    yield
    del NETWORKS["always"]


def write(path: Path, emotion: str, more: str = "") -> None:
    """Write weights that see one emotion; beside the same ``more`` all are of one size."""
    logits = torch.tensor([5.0 * (name == emotion) for name in EMOTIONS])
    described = {"architecture": "always", "heads": '{"fer2013": [0, 7]}', "reading": '{"fer2013": 1}'}
    save_file({"logits": logits}, path, {**described, "temperature": "1.0", "source": more})


def plan_of(weights: Path) -> Plan:
    return make_plan(options={"models.expression": str(weights), "models.identity": ""})


def seen(weights: Path, data: Path) -> set[str]:
    """What two ways of reading, and the record of the run, say that the weights are and see."""
    analysis = scenefer.analyze(PORTRAIT, plan_of(weights), data=data)
    recorded = analysis.run["weights"]["expression"]["sha256"]
    assert recorded == weight_files.sha256_of(weights) == weight_files._hashed.__wrapped__(weights)
    shares = analysis.expressions[list(EMOTIONS)]
    return {*shares.idxmax(axis=1), *scenefer.read_faces(PORTRAIT, weights)["expression"]}


@pytest.mark.parametrize("more", ["", "x" * 64], ids=["of one size", "of another size"])
def test_a_film_is_read_by_what_the_file_holds_now(tmp_path: Path, more: str):
    weights = tmp_path / "mine.safetensors"
    write(weights, "fear")
    before = weights.stat()
    assert seen(weights, tmp_path / "data") == {"fear"}
    write(weights, "disgust", more)
    assert (weights.stat().st_size == before.st_size) == (not more)
    assert seen(weights, tmp_path / "data") == {"disgust"}


def test_a_replaced_file_is_told_by_its_content_though_size_and_date_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(weight_files, "_SETTLED", 0)  # as if the file had lain there for long
    weights, other = tmp_path / "mine.safetensors", tmp_path / "other.safetensors"
    write(weights, "fear")
    write(other, "disgust")
    os.utime(other, ns=(weights.stat().st_atime_ns, weights.stat().st_mtime_ns))
    assert seen(weights, tmp_path / "data") == {"fear"}
    other.replace(weights)
    assert seen(weights, tmp_path / "data") == {"disgust"}


def test_a_file_that_nobody_touched_is_hashed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    weights = tmp_path / "mine.safetensors"
    write(weights, "fear")
    monkeypatch.setattr(weight_files, "_SETTLED", 0)
    weight_files._hashed.cache_clear()
    assert weight_files.sha256_of(weights) == weight_files.sha256_of(weights)
    assert weight_files._hashed.cache_info().misses == 1


def test_a_chunk_is_not_read_by_weights_that_were_replaced_after_it_was_named(tmp_path: Path):
    weights = tmp_path / "mine.safetensors"
    write(weights, "fear")
    film = video.probe(PORTRAIT)
    (chunk,) = chunks.chunks_of(film, plan_of(weights), Span(0.0, float("inf")), tmp_path / "data")
    write(weights, "disgust")
    with pytest.raises(WeightsError, match="was replaced while a film was read by it; run again"):
        chunks.observe_chunk(chunk, lambda reached: None)
    assert not chunks.is_done(chunk)
    (named_anew,) = chunks.chunks_of(film, plan_of(weights), Span(0.0, float("inf")), tmp_path / "data")
    chunks.observe_chunk(named_anew, lambda reached: None)
    assert chunks.is_done(named_anew)
    assert not chunks.is_done(replace(named_anew, expression_id=chunk.expression_id))
