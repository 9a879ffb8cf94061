"""Train an expression network from a recipe: one loop, from top to bottom.

A run is a folder: ``recipe.toml``, ``commit``, ``metrics.parquet`` (a row an epoch), ``curves.html``, ``state.pt`` (all
that resuming needs), ``best.safetensors`` (the average weights that did best on PublicTest; calibrated at the end) and
its ``confusion.html``. A run that is called again goes on where it stopped, in the middle of an epoch too, and ends as
if it had never stopped: what a step draws depends on the seed, the epoch and the step alone.
"""

from __future__ import annotations

import math
import os
import tomllib
from collections.abc import Callable
from contextlib import nullcontext
from copy import deepcopy
from dataclasses import dataclass, field, fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from scenefer.errors import PlanError
from scenefer.models import reader, rmn, rmn_face, selftest
from scenefer.plan import SHIPPED
from scenefer.tables import EMOTIONS
from scenefer.training import calibrate, datasets, drawing, evaluate
from scenefer.training.augment import AugmentSettings, augment

_SHIPPED = SHIPPED / "recipes"
STATISTICS = 512  # pictures whose statistics unfold the trunk's normalisations

Progress = Callable[[str, int, int], None]  # what is being done, steps done, steps in all


@dataclass(frozen=True)
class Recipe:
    """What a run does; a TOML file states what differs."""

    network: str = "rmn_face"  # one of reader.NETWORKS
    trunk: str = "face_identity"  # weights that the trunk starts from: a shipped name or a path; "" = from scratch
    start: str = ""  # weights of the same network to start from
    votes: float = 1.0  # weight of the FER+ head's loss beside the FER2013 head's; 0 = FER2013 alone
    votes_in_labels: float = 0.0  # share of the FER+ votes in the FER2013 head's targets
    smoothing: float = 0.1
    mixup: float = 0.0  # alpha of the Beta distribution; 0 = off
    class_weights: bool = False  # by the inverse root of the class counts
    seed: int = 0
    epochs: int = 20
    batch: int = 96
    sides: tuple[tuple[int, int], ...] = ((0, 112),)  # (from this epoch, side of the input in px)
    optimiser: str = "adamw"  # adamw, sgd or radam
    rate: float = 5e-4
    new_rate: float = 2.0  # factor for masks and heads, where a trunk was given
    layer_decay: float = 1.0  # factor of the rate for each group of the trunk further from the head
    schedule: str = "cosine"  # cosine, hold or plateau
    warm_up: float = 0.5  # epochs
    cooldown: int = 4  # hold: epochs in which the rate falls to 0 at the end
    patience: int = 0  # plateau: epochs without gain before the rate is divided by 10
    stop_after: int = 0  # epochs without gain before the run ends; 0 = never
    weight_decay: float = 0.01  # on matrices
    clip: float = 2.0  # largest norm of the gradient; 0 = off
    average: float = 0.998  # of the weights, per step
    dropout: float = 0.3
    keep: float = 1.0  # probability that the last block's convolutions count; linear from 1 at the first
    subset: int = 0  # train on so many pictures; 0 = all
    augment: AugmentSettings = field(default_factory=AugmentSettings)


def find_recipe(name: str) -> Path:
    """Find a recipe by path or, if it ships with scenefer, by its bare name.

    Raises:
        PlanError: there is none.
    """
    if Path(name).is_file():
        return Path(name)
    shipped = {path.stem: path for path in sorted(_SHIPPED.glob("*.toml"))}
    if name in shipped:
        return shipped[name]
    raise PlanError(f"there is no recipe {name!r}; give a TOML file or one of: {', '.join(shipped)}")


def read_recipe(path: Path) -> Recipe:
    """Read a recipe.

    Raises:
        PlanError: the file is absent, is no TOML, or has a key that does not exist.
    """
    try:
        stated = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise PlanError(f"{path} cannot be read as a recipe: {error}") from error
    changes = stated.pop("augment", {})
    _refuse_unknown(path, changes, AugmentSettings)
    _refuse_unknown(path, stated, Recipe)
    if "scale" in changes:
        changes["scale"] = tuple(changes["scale"])
    if "sides" in stated:
        stated["sides"] = tuple((int(epoch), int(side)) for epoch, side in stated["sides"])
    recipe = Recipe(**stated, augment=AugmentSettings(**changes))
    if recipe.network not in reader.NETWORKS:
        raise PlanError(f"{path}: unknown network {recipe.network!r}; known: {', '.join(reader.NETWORKS)}")
    return recipe


def _refuse_unknown(path: Path, stated: dict[str, Any], settings: type) -> None:
    known = [entry.name for entry in fields(settings)]
    for key in stated:
        if key not in known:
            near = get_close_matches(key, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
            raise PlanError(f"{path}: unknown key {key!r}; {hint}")


def train(
    recipe: Path,
    out: Path,
    data: Path,
    votes: Path | None = None,
    *,
    device: str = "cpu",
    save_every: int = 100,
    last_epoch: int | None = None,
    progress: Progress | None = None,
) -> Path:
    """Train, or go on with, the run in ``out``.

    Args:
        data: FER2013, in any form that ``datasets.read`` knows.
        votes: FER+, where ``data`` is ``fer2013.csv``.
        save_every: steps between two saves inside an epoch.
        last_epoch: stop before this epoch although the recipe goes on; for tests, and for machines lent by the hour.

    Returns:
        The run's ``best.safetensors``.

    Raises:
        PlanError: the recipe cannot be read, or ``out`` holds a run of another recipe.
        SceneferError: the data cannot be read.
    """
    settings = read_recipe(recipe)
    _claim(out, recipe, settings)
    faces = datasets.without_leaks(datasets.read(data, votes))
    training, public = faces.of("Training"), faces.of("PublicTest")
    if settings.subset:
        training = training.take(np.random.default_rng(settings.seed).permutation(len(training))[: settings.subset])
    labels, shares, weights = _targets(training, settings)

    torch.manual_seed(settings.seed)
    pictures = torch.from_numpy(np.asarray(training.pictures))
    network = _network(settings, pictures[:STATISTICS]).to(device, memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue] - stub
    average = deepcopy(network).requires_grad_(False).eval()
    optimiser = _optimiser(network, settings)
    steps = len(training) // settings.batch
    state: dict[str, Any] = {"epoch": 0, "step": 0, "loss": 0.0, "rows": [], "best": 0.0, "drops": 0}
    if (out / "state.pt").exists():
        stored = torch.load(out / "state.pt", map_location=device, weights_only=True)
        network.load_state_dict(stored["network"])
        average.load_state_dict(stored["average"])
        optimiser.load_state_dict(stored["optimiser"])
        state = stored["state"]

    while state["epoch"] < (settings.epochs if last_epoch is None else last_epoch):
        epoch = state["epoch"]
        side = [side for first, side in settings.sides if first <= epoch][-1]
        order = np.random.default_rng([settings.seed, epoch]).permutation(len(training))
        network.train()
        while state["step"] < steps:
            step = state["step"]
            generator = Generator().manual_seed(_seed(settings.seed, epoch, step))
            torch.manual_seed(_seed(settings.seed, epoch, step) + 1)  # dropout, stochastic depth
            rows = torch.from_numpy(order[step * settings.batch : (step + 1) * settings.batch])
            x = augment(pictures[rows].float()[:, None], side, settings.augment, generator)  # (B, 1, side, side)
            label, share, weight = labels[rows], shares[rows], weights[rows]  # (B, 7), (B, 8), (B,)
            if settings.mixup:
                x, label, share, weight = _mixed(x, label, share, weight, settings.mixup, generator)
            for group in optimiser.param_groups:
                group["lr"] = group["factor"] * _rate(settings, epoch + step / steps, state["drops"])
            with _autocast(device):
                logits = network(x.to(device))
            loss = _loss(logits.float(), label.to(device), share.to(device), weight.to(device), settings)
            optimiser.zero_grad()
            loss.backward()
            if settings.clip:
                nn.utils.clip_grad_norm_(network.parameters(), settings.clip)
            optimiser.step()
            done = epoch * steps + step
            _follow(average, network, min(settings.average, (1 + done) / (10 + done)))
            state["loss"] += loss.item()
            state["step"] += 1
            if state["step"] % save_every == 0:
                _save(out, network, average, optimiser, state)
            if progress is not None:
                progress(f"epoch {epoch + 1} of {settings.epochs}, {side} px", state["step"], steps)
        found = score(average, public, side, device)
        rate = optimiser.param_groups[0]["lr"] / optimiser.param_groups[0]["factor"]
        state["rows"].append({"epoch": epoch + 1, "side": side, "rate": rate, "loss": state["loss"] / steps, **found})
        better = found["public_fer2013"] > state["best"]
        if better:
            state["best"] = found["public_fer2013"]
            export(average, out / "best.safetensors", settings, side, found)
        state.update(epoch=epoch + 1, step=0, loss=0.0)
        idle = _epochs_without_gain(state["rows"])
        if settings.schedule == "plateau" and idle and idle % (settings.patience + 1) == 0:
            state["drops"] += 1
        _save(out, network, average, optimiser, state)
        if settings.stop_after and idle >= settings.stop_after:
            break
    best = out / "best.safetensors"
    if best.exists():
        if public.votes is not None:
            calibrate.calibrate(best, data, votes)
        figures = evaluate.evaluate([best], data, "PublicTest", votes=votes)
        (out / "confusion.html").write_text(drawing.evaluation(figures), encoding="utf-8")
    return best


def score(network: nn.Module, faces: datasets.Faces, side: int, device: str = "cpu") -> dict[str, float]:
    """Measure accuracy on framed faces: the FER2013 head by label, the FER+ head by the clear majority of votes."""
    logits = forward(network, np.asarray(faces.pictures), side, device)
    seven = len(EMOTIONS)
    found = {"public_fer2013": float((logits[:, :seven].argmax(1) == faces.labels).mean())}
    if faces.votes is not None and logits.shape[1] > seven:
        voted = datasets.majority(faces.votes)
        known = voted >= 0
        found["public_ferplus"] = float((logits[known, seven : 2 * seven].argmax(1) == voted[known]).mean())
        found["public_ferplus_by_fer2013"] = float((logits[known, :seven].argmax(1) == voted[known]).mean())
    return found


@torch.inference_mode()
def forward(network: nn.Module, pictures: np.ndarray, side: int, device: str = "cpu") -> np.ndarray:
    """Read framed faces (N, 48, 48) uint8 at a side in pixels: logits (N, L) float32."""
    network.eval()
    outputs = []
    for start in range(0, len(pictures), 64):
        grey = torch.from_numpy(pictures[start : start + 64]).float()[:, None].to(device)
        with _autocast(device):
            enlarged = functional.interpolate(grey, size=(side, side), mode="bilinear", align_corners=False)
            outputs.append(network(enlarged).float().cpu().numpy())
    return np.concatenate(outputs)


def export(network: nn.Module, path: Path, settings: Recipe, side: int, figures: dict[str, float]) -> None:
    """Write weights in half precision that describe themselves; temperature and prior are those of no calibration."""
    import json

    from safetensors.torch import save_file

    kept = {
        key: value.float() if key.endswith("running_var") else value.half()
        for key, value in network.state_dict().items()
        if not key.endswith("num_batches_tracked")
    }
    metadata = {
        "architecture": settings.network,
        "emotions": ",".join(EMOTIONS),
        "heads": json.dumps({"fer2013": [0, 7], "ferplus": [7, 15]} if settings.votes else {"fer2013": [0, 7]}),
        "head": "fer2013",
        "side": str(side),
        "temperature": "1.0",
        "prior": json.dumps([1 / 7] * 7),
        "licence": "Apache-2.0; learned from FER2013 and FER+, which are for research",
        "source": "scenefer train",
        "trained_on": "FER2013 Training without the photographs of PublicTest and PrivateTest; FER+ votes",
        "figures": json.dumps(figures),
    }
    beside = path.with_name(path.name + ".tmp")
    save_file({key: value.contiguous() for key, value in kept.items()}, beside, metadata)
    os.replace(beside, path)
    calibrate.describe(path, {"selftest": selftest.expected(reader.load_network(path)[0])})


def _claim(out: Path, recipe: Path, settings: Recipe) -> None:
    """Make the run's folder, or check that it is this recipe's; how long it goes on may be changed on the way."""
    import subprocess

    out.mkdir(parents=True, exist_ok=True)
    kept = out / "recipe.toml"
    length = {"epochs": 0, "stop_after": 0, "sides": ()}
    if kept.exists() and replace(read_recipe(kept), **length) != replace(settings, **length):
        raise PlanError(f"{out} holds a run of another recipe; choose another folder, or give {kept}")
    kept.write_text(recipe.read_text(encoding="utf-8"), encoding="utf-8")
    asked = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
    answer = subprocess.run(asked, capture_output=True, text=True, check=False)
    (out / "commit").write_text(answer.stdout or "not in a repository\n", encoding="utf-8")


def _network(settings: Recipe, faces: Tensor) -> reader.Network:
    n_labels = 15 if settings.votes else 7
    network = reader.NETWORKS[settings.network](n_labels=n_labels, dropout=settings.dropout)
    if isinstance(network, rmn_face.RmnFace):
        network.set_depth(settings.keep)
        if settings.trunk:
            side = settings.sides[0][1]
            enlarged = functional.interpolate(
                faces.float()[:, None], size=(side, side), mode="bilinear", align_corners=False
            )
            rmn_face.start_from(network, _weights(settings.trunk), enlarged)
    if isinstance(network, rmn.Rmn) and settings.trunk:
        rmn.start_from(network, _weights(settings.trunk))
    if settings.start:
        network.load_state_dict(reader.load_network(Path(settings.start))[0].state_dict())
    return network


def _weights(name: str) -> Path:
    shipped = Path(reader.__file__).parents[1] / "weights" / f"{name}.safetensors"
    path = shipped if shipped.exists() else Path(name)
    if not path.is_file():
        raise PlanError(f"trunk = {name!r} is neither shipped nor a file; leave it empty to train from scratch")
    return path


def _targets(faces: datasets.Faces, settings: Recipe) -> tuple[Tensor, Tensor, Tensor]:
    """Make the FER2013 head's targets (N, 7), the FER+ head's shares (N, 8), and the weight of each row (N,)."""
    labels = functional.one_hot(torch.from_numpy(faces.labels), len(EMOTIONS)).float()
    votes = np.zeros((len(faces), 10), np.float32) if faces.votes is None else faces.votes
    shares = torch.from_numpy(datasets.targets(votes))
    if settings.votes_in_labels:
        seven = shares[:, : len(EMOTIONS)]
        total = seven.sum(dim=1, keepdim=True)
        voted = settings.votes_in_labels * (total > 0)
        labels = (1 - voted) * labels + voted * seven / total.clamp(min=1e-6)
    labels = (1 - settings.smoothing) * labels + settings.smoothing / len(EMOTIONS)
    weights = torch.ones(len(faces))
    if settings.class_weights:
        counts = np.bincount(faces.labels, minlength=len(EMOTIONS)).clip(1)
        weights = torch.from_numpy((1 / np.sqrt(counts))[faces.labels]).float()
        weights = weights / weights.mean()
    return labels, shares, weights


def _loss(logits: Tensor, label: Tensor, share: Tensor, weight: Tensor, settings: Recipe) -> Tensor:
    seven = len(EMOTIONS)
    loss = -(weight * (label * functional.log_softmax(logits[:, :seven], 1)).sum(1)).mean()
    if settings.votes:
        # Rows without usable votes have shares of 0 and teach the second head nothing.
        loss = loss - settings.votes * (share * functional.log_softmax(logits[:, seven:], 1)).sum(1).mean()
    return loss


def _mixed(
    x: Tensor, label: Tensor, share: Tensor, weight: Tensor, alpha: float, generator: Generator
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Blend each picture and its targets with another's (Zhang et al., ICLR 2018)."""
    draws = np.random.default_rng(int(torch.randint(2**31, (1,), generator=generator)))
    blend = torch.from_numpy(draws.beta(alpha, alpha, len(x))).float()
    other = torch.randperm(len(x), generator=generator)

    def between(values: Tensor) -> Tensor:
        a = blend.reshape(-1, *[1] * (values.dim() - 1))
        return a * values + (1 - a) * values[other]

    return between(x), between(label), between(share), between(weight)


def _optimiser(network: nn.Module, settings: Recipe) -> torch.optim.Optimizer:
    """Make one group a factor of the rate and a weight decay: none on biases and normalisations."""
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        decay = settings.weight_decay if parameter.dim() > 1 else 0.0
        groups.setdefault((_factor(name, settings), decay), []).append(parameter)
    parameters = [
        {"params": members, "factor": factor, "weight_decay": decay, "lr": factor * settings.rate}
        for (factor, decay), members in groups.items()
    ]
    if settings.optimiser == "adamw":
        return torch.optim.AdamW(parameters, fused=True)
    if settings.optimiser == "radam":
        return torch.optim.RAdam(parameters)
    if settings.optimiser == "sgd":
        return torch.optim.SGD(parameters, lr=settings.rate, momentum=0.9, nesterov=True)
    raise PlanError(f"unknown optimiser {settings.optimiser!r}; known: adamw, radam, sgd")


def _factor(name: str, settings: Recipe) -> float:
    if not settings.trunk or settings.network != "rmn_face":
        return 1.0
    if name.startswith(("masks", "head")):
        return settings.new_rate
    group = 0 if name.startswith("stem") else int(name.split(".")[1])
    return settings.layer_decay ** (3 - group)


def _rate(settings: Recipe, epoch: float, drops: int) -> float:
    """Return the learning rate at an epoch, fractions counting, after so many drops of a plateau."""
    warm = min(1.0, (epoch + 0.01) / settings.warm_up) if settings.warm_up else 1.0
    if settings.schedule == "plateau":
        return settings.rate * warm * 0.1**drops
    if settings.schedule == "hold":
        return settings.rate * warm * min(1.0, max(settings.epochs - epoch, 0) / max(settings.cooldown, 1e-9))
    if settings.schedule == "cosine":
        return settings.rate * warm * (1 + math.cos(math.pi * min(epoch / settings.epochs, 1))) / 2
    raise PlanError(f"unknown schedule {settings.schedule!r}; known: cosine, hold, plateau")


def _epochs_without_gain(rows: list[dict[str, float]]) -> int:
    scores = [row["public_fer2013"] for row in rows]
    return len(scores) - 1 - scores.index(max(scores))


def _seed(seed: int, epoch: int, step: int) -> int:
    return int(np.random.SeedSequence([seed, epoch, step]).generate_state(1)[0])


def _autocast(device: str) -> Any:
    if device == "cpu" and reader.fastest_precision(torch.device("cpu")) is torch.float32:
        return nullcontext()
    return torch.autocast(device, torch.bfloat16)


@torch.no_grad()
def _follow(average: nn.Module, network: nn.Module, share: float) -> None:
    """Move the average weights towards the network's; counters and running statistics are copied."""
    for kept, now in zip(average.parameters(), network.parameters(), strict=True):
        kept.lerp_(now, 1 - share)
    for kept, now in zip(average.buffers(), network.buffers(), strict=True):
        if kept.is_floating_point():
            kept.lerp_(now, 1 - share)
        else:
            kept.copy_(now)


def _save(
    out: Path, network: nn.Module, average: nn.Module, optimiser: torch.optim.Optimizer, state: dict[str, Any]
) -> None:
    """Write all that resuming needs beside its place, then rename: a kill leaves the old state or the new."""
    stored = {
        "network": network.state_dict(),
        "average": average.state_dict(),
        "optimiser": optimiser.state_dict(),
        "state": state,
    }
    torch.save(stored, out / "state.pt.tmp")
    os.replace(out / "state.pt.tmp", out / "state.pt")
    if state["rows"]:
        import pandas as pd

        pd.DataFrame(state["rows"]).to_parquet(out / "metrics.parquet.tmp")
        os.replace(out / "metrics.parquet.tmp", out / "metrics.parquet")
        (out / "curves.html").write_text(drawing.curves(state["rows"], out.name), encoding="utf-8")
