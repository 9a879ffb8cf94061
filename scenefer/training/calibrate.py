"""Calibration of a network's probabilities: one temperature, fitted to people's votes.

The labels of FER2013 come from one person; the FER+ votes show how far ten people agree. The temperature maximises the
likelihood of these votes (Guo et al., ICML 2017).
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from scenefer.core.schema import EMOTIONS
from scenefer.models import calibration, selftest
from scenefer.models.expression import predictor
from scenefer.models.expression.blending import blend
from scenefer.training import ferplus
from scenefer.training.labelled_faces import Faces


def fit(logits: np.ndarray, votes: np.ndarray) -> float:
    """Fit the temperature that minimises the cross-entropy with people's votes.

    Args:
        logits: (N, 7) of one head, or of several blended heads.
        votes: (N, 7) votes for the seven emotions; rows without votes are ignored.
    """
    voted = votes.sum(axis=1) > 0
    shares = torch.from_numpy(votes[voted] / votes[voted].sum(axis=1, keepdims=True)).double()
    given = torch.from_numpy(logits[voted]).double()
    log_temperature = torch.zeros((), dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([log_temperature], max_iter=100, line_search_fn="strong_wolfe")

    def cross_entropy() -> float:
        optimiser.zero_grad()
        loss = -(shares * torch.log_softmax(given / log_temperature.exp(), dim=1)).sum(dim=1).mean()
        loss.backward()
        return float(loss.detach())

    optimiser.step(cross_entropy)
    return float(log_temperature.detach().exp())


def calibrate(weights: Path, public: Faces, device: str = "cpu", *, temperature: float | None = None) -> float:
    """Fit the temperature of the heads used, and store it with the self-test in the weight file.

    Args:
        public: PublicTest with votes, without photographs of PrivateTest and without pictures that the weights were
            trained on; pictures without a clear majority of votes are ignored.
        temperature: a given temperature to store; None = fit it to the votes.

    Returns:
        The temperature.

    Raises:
        WeightsError: the weights cannot be read.
    """
    network, metadata = predictor.load_network(weights)
    if public.votes is None:
        raise ValueError("calibration needs the FER+ votes")
    known = ferplus.majority(public.votes) >= 0
    voted = public.votes[known, : len(EMOTIONS)]
    model = predictor.ExpressionReader(network, "", calibration(metadata), device=device, precision=torch.float32)
    logits = blend(model.read(np.asarray(public.pictures)[known]), model.calibration)
    temperature = round(temperature or fit(logits, voted), 4)  # rounded as in the file
    fresh, _ = predictor.load_network(weights)
    describe(weights, {"temperature": f"{temperature:.4f}", "selftest": selftest.expected(fresh)})
    return temperature


def describe(weights: Path, changes: dict[str, str]) -> None:
    """Change the metadata of a weight file and keep its tensors; write to a temporary file, then rename."""
    with safe_open(weights, "pt") as stored:
        metadata = (stored.metadata() or {}) | changes
        tensors = {key: stored.get_tensor(key) for key in stored.keys()}  # noqa: SIM118 - no mapping
    _save(weights, tensors, metadata)


def write(weights: Path, tensors: dict[str, torch.Tensor], metadata: dict[str, str]) -> None:
    """Write uncalibrated weights and their self-test; write to a temporary file, then rename."""
    _save(weights, tensors, metadata | {"temperature": "1.0"})
    describe(weights, {"selftest": selftest.expected(predictor.load_network(weights)[0])})


def _save(weights: Path, tensors: dict[str, torch.Tensor], metadata: dict[str, str]) -> None:
    beside = weights.with_name(weights.name + ".tmp")
    save_file(tensors, beside, metadata)
    os.replace(beside, weights)
