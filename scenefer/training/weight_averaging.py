"""Averages the weights of the runs with different seeds of a recipe into one network.

Runs that start from the same weights and differ only in their random numbers end in the same valley of the loss. The
mean of their weights is as fast as one network, and about as accurate as their ensemble (Wortsman et al., "Model
soups", ICML 2022).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from pathlib import Path

import numpy as np
import torch

from scenefer.models.expression import predictor
from scenefer.models.expression.network import ExpressionNetwork
from scenefer.training import calibrate, model_setup, recipes
from scenefer.training.labelled_faces import Faces
from scenefer.training.recipes import Recipe
from scenefer.training.trainer import BEST


def folder(out: Path, seed: int) -> Path:
    """Return the folder of the run with one seed, within the folder of a run with several seeds."""
    return out / f"seed_{seed}"


def folders(out: Path) -> list[Path]:
    """Return the folders of the runs with single seeds; empty if a run has only one seed."""
    return sorted(out.glob("seed_*"))


def join(
    runs: Sequence[Path],
    best: Path,
    public: Faces,
    settings: Recipe,
    device: str = "cpu",
    tell: Callable[[str], None] = lambda _: None,
) -> None:
    """Write the mean of the weights of several runs, or the weights of one run if they are better on PublicTest.

    If PublicTest is not used for selection, always write the mean.

    Args:
        runs: folders of finished runs.
        best: the file to write.
        tell: called with the accuracy of each run and of the mean, and with the spread of the runs.
    """
    members = [predictor.load_network(run / BEST)[0].to(device) for run in runs]
    candidates = [*members, mean(members)]
    side = recipes.side(settings, settings.epochs - 1)
    found = [model_setup.score(network, public, side, device) for network in candidates]
    reached = [figures["public_fer2013"] for figures in found]
    names = [*(run.name for run in runs), "the mean of their weights"]
    tell("PublicTest: " + ", ".join(f"{name} {share:.1%}" for name, share in zip(names, reached, strict=True)))
    tell(f"{len(runs)} seeds: mean {np.mean(reached[:-1]):.1%}, deviation {np.std(reached[:-1], ddof=1):.1%}")
    contenders = range(len(candidates)) if settings.selects else [len(runs)]
    chosen = max(reversed(contenders), key=lambda number: reached[number])  # prefer the mean in a tie
    model_setup.export(candidates[chosen], best, settings, side, found[chosen])
    calibrate.describe(best, {"source": f"scenefer train, {names[chosen]} ({len(runs)} seeds)"})


def mean(members: Sequence[ExpressionNetwork]) -> ExpressionNetwork:
    """Average the weights and normalisation statistics of networks with the same layout.

    Raises:
        KeyError: the layouts differ.
    """
    states = [network.state_dict() for network in members]
    joined = deepcopy(members[0])
    joined.load_state_dict(
        {
            key: torch.stack([state[key] for state in states]).float().mean(0).to(first.dtype)
            for key, first in states[0].items()
        }
    )
    return joined
