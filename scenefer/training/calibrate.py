"""Make a network's probabilities mean what they say: one temperature, fitted to what people voted.

The labels of FER2013 are one person's word; the FER+ votes say how far ten people agree. The temperature makes the
head's probabilities the likeliest for those votes (Guo et al., ICML 2017). A bias a class can be fitted too; it is for
comparison, the weights store none.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from scenefer.models import calibration, reader, selftest
from scenefer.schema import EMOTIONS
from scenefer.training import ferplus
from scenefer.training.datasets import Faces


def fit(logits: np.ndarray, votes: np.ndarray, *, bias: bool = False) -> tuple[float, np.ndarray]:
    """Fit a temperature, and a bias a class where asked for, by the cross-entropy with people's votes.

    Args:
        logits: (N, 7) of one head.
        votes: (N, 7) votes for the seven; rows without any are ignored.

    Returns:
        The temperature, and the biases (7,) that are added to logits / temperature; zeros where none were asked for.
    """
    voted = votes.sum(axis=1) > 0
    shares = torch.from_numpy(votes[voted] / votes[voted].sum(axis=1, keepdims=True)).double()
    given = torch.from_numpy(logits[voted]).double()
    log_temperature = torch.zeros((), dtype=torch.float64, requires_grad=True)
    shifts = torch.zeros(len(EMOTIONS), dtype=torch.float64, requires_grad=bias)
    optimiser = torch.optim.LBFGS(
        [log_temperature, *([shifts] if bias else [])], max_iter=100, line_search_fn="strong_wolfe"
    )

    def cross_entropy() -> float:
        optimiser.zero_grad()
        loss = -(shares * torch.log_softmax(given / log_temperature.exp() + shifts, dim=1)).sum(dim=1).mean()
        loss.backward()
        return float(loss.detach())

    optimiser.step(cross_entropy)
    return float(log_temperature.detach().exp()), (shifts - shifts.mean()).detach().numpy()


def calibrate(weights: Path, public: Faces, device: str = "cpu") -> float:
    """Fit the temperature of the head that feeds the pipeline, and store it, the prior and the selftest.

    Args:
        public: PublicTest without photographs of PrivateTest and what the weights have learned of it, with votes;
            pictures without a clear majority of them are left out.

    Returns:
        The temperature.

    Raises:
        WeightsError: the weights cannot be read.
    """
    network, metadata = reader.load_network(weights)
    first, last = json.loads(metadata["heads"])[metadata["head"]][0], len(EMOTIONS)
    if public.votes is None:
        raise ValueError("calibration needs the FER+ votes")
    known = ferplus.majority(public.votes) >= 0
    voted = public.votes[known, :last]
    model = reader.ExpressionReader(network, "", calibration(metadata), device=device, precision=torch.float32)
    logits = model.read(np.asarray(public.pictures)[known])[:, first : first + last]
    temperature = round(fit(logits, voted)[0], 4)  # as it is stored, so that the prior is of the posteriors it gives
    # The class shares as this head sees them: posteriors and prior must be of one kind, or EMQ would find another
    # prevalence on the very set that both come from (a temperature does not move the shares to those of the votes).
    # EMQ magnifies what is rounded off a prior a hundredfold and more: eight digits.
    prior = torch.softmax(torch.from_numpy(logits).double() / temperature, dim=1).mean(dim=0).numpy()
    fresh, _ = reader.load_network(weights)
    describe(
        weights,
        {
            "temperature": f"{temperature:.4f}",
            "prior": json.dumps([round(float(share), 8) for share in prior]),
            "selftest": selftest.expected(fresh),
        },
    )
    return temperature


def describe(weights: Path, changes: dict[str, str]) -> None:
    """Change what a weight file says of itself; its tensors stay. Written beside its place, then renamed."""
    with safe_open(weights, "pt") as stored:
        metadata = (stored.metadata() or {}) | changes
        tensors = {key: stored.get_tensor(key) for key in stored.keys()}  # noqa: SIM118 - no mapping
    _save(weights, tensors, metadata)


def write(weights: Path, tensors: dict[str, torch.Tensor], metadata: dict[str, str]) -> None:
    """Write weights that nobody has calibrated, beside their place, then renamed, and store their selftest."""
    uncalibrated = {"temperature": "1.0", "prior": json.dumps([1 / 7] * 7)}
    _save(weights, tensors, metadata | uncalibrated)
    describe(weights, {"selftest": selftest.expected(reader.load_network(weights)[0])})


def _save(weights: Path, tensors: dict[str, torch.Tensor], metadata: dict[str, str]) -> None:
    beside = weights.with_name(weights.name + ".tmp")
    save_file(tensors, beside, metadata)
    os.replace(beside, weights)
