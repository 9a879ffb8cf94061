"""Make one network of the runs that a recipe's seeds made.

Runs that start from the same weights and differ in what they drew end in one valley: the mean of their weights is as
fast as one of them, and about as right as all of them read together (Wortsman et al., "Model soups", ICML 2022).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from pathlib import Path

import numpy as np
import torch

from scenefer.models import reader
from scenefer.training import calibrate, networks, recipes
from scenefer.training.datasets import Faces
from scenefer.training.recipes import Recipe
from scenefer.training.run import BEST


def folder(out: Path, seed: int) -> Path:
    """Name the folder of a seed's run in that of a run of several."""
    return out / f"seed_{seed}"


def folders(out: Path) -> list[Path]:
    """List the folders of the seeds' runs; none where a run has one seed."""
    return sorted(out.glob("seed_*"))


def join(
    runs: Sequence[Path],
    best: Path,
    public: Faces,
    settings: Recipe,
    device: str = "cpu",
    tell: Callable[[str], None] = lambda _: None,
) -> None:
    """Write the mean of the weights of several runs or, where one of them does better on PublicTest, that one's.

    Where PublicTest selects nothing, the mean.

    Args:
        runs: folders of runs that are over.
        best: the file to write.
        tell: is told what each run reached, its spread, and what the mean did.
    """
    members = [reader.load_network(run / BEST)[0].to(device) for run in runs]
    candidates = [*members, mean(members)]
    side = recipes.side(settings, settings.epochs - 1)
    found = [networks.score(network, public, side, device) for network in candidates]
    reached = [figures["public_fer2013"] for figures in found]
    names = [*(run.name for run in runs), "the mean of their weights"]
    tell("PublicTest: " + ", ".join(f"{name} {share:.1%}" for name, share in zip(names, reached, strict=True)))
    tell(f"{len(runs)} seeds: mean {np.mean(reached[:-1]):.1%}, deviation {np.std(reached[:-1], ddof=1):.1%}")
    contenders = range(len(candidates)) if settings.selects else [len(runs)]
    chosen = max(reversed(contenders), key=lambda number: reached[number])  # the mean, where it is no worse
    networks.export(candidates[chosen], best, settings, side, found[chosen])
    calibrate.describe(best, {"source": f"scenefer train, {names[chosen]} ({len(runs)} seeds)"})


def mean(members: Sequence[reader.Network]) -> reader.Network:
    """Average networks of one layout, weights and statistics of normalisation alike.

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
