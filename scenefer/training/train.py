"""Train an expression network from a recipe: one loop, from top to bottom.

A run is a folder: ``recipe.toml``, ``commit``, ``metrics.parquet`` (a row an epoch), ``curves.html``, ``state.pt`` (all
that resuming needs), ``best.safetensors`` (the average weights that did best on PublicTest; calibrated at the end),
its ``confusion.html`` and, where a recipe comes before, that one's run in ``before``. A run that is called again goes
on where it stopped, in the middle of an epoch too, and ends as if it had never stopped: what a step draws depends on
the seed, the epoch and the step alone.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor, nn

from scenefer.errors import PlanError
from scenefer.training import calibrate, datasets, drawing, evaluate, networks, objective, recipes
from scenefer.training.augment import augment
from scenefer.training.objective import Lesson
from scenefer.training.recipes import Recipe

Progress = Callable[[str, int, int], None]  # what is being done, steps done, steps in all


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
            A recipe that comes before is trained whole.

    Returns:
        The run's ``best.safetensors``.

    Raises:
        PlanError: the recipe cannot be read, or ``out`` holds a run of another recipe.
        SceneferError: the data cannot be read.
    """
    settings = recipes.read_recipe(recipe)
    _claim(out, recipe, settings)
    if settings.after and not (out / "state.pt").exists():
        first = recipes.find_recipe(settings.after)
        best = train(first, out / "before", data, votes, device=device, save_every=save_every, progress=progress)
        settings = replace(settings, start=str(best))
    faces = datasets.without_leaks(datasets.read(data, votes))
    training, public = faces.of("Training"), faces.of("PublicTest")
    if settings.subset:
        training = training.take(np.random.default_rng(settings.seed).permutation(len(training))[: settings.subset])
    lesson = objective.lesson(training, settings)
    run = _Run(out, settings, device, lesson.pictures)
    while run.epoch < (settings.epochs if last_epoch is None else last_epoch) and not run.is_over():
        side = recipes.side(settings, run.epoch)
        for step, steps in run.learn(lesson, side):
            if (step + 1) % save_every == 0:
                run.save()
            if progress is not None:
                progress(f"{recipe.stem}: epoch {run.epoch + 1} of {settings.epochs}, {side} px", step + 1, steps)
        run.end_epoch(side, networks.score(run.average, public, side, device))
    best = out / "best.safetensors"
    if best.exists():
        if public.votes is not None:
            calibrate.calibrate(best, data, votes)
        figures = evaluate.evaluate([best], data, "PublicTest", votes=votes)
        (out / "confusion.html").write_text(drawing.evaluation(figures), encoding="utf-8")
    return best


class _Run:
    """Networks, optimiser and where they stand, as they lie in a run's folder."""

    def __init__(self, out: Path, settings: Recipe, device: str, faces: Tensor) -> None:
        torch.manual_seed(settings.seed)
        self.out, self.settings, self.device = out, settings, device
        laid_out = networks.make(settings, faces).to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue] - stub
        self.network = laid_out.to(device)
        self.average = deepcopy(self.network).requires_grad_(False).eval()
        self.optimiser = networks.optimiser(self.network, settings)
        self.state: dict[str, Any] = {"epoch": 0, "step": 0, "loss": 0.0, "rows": [], "best": 0.0, "drops": 0}
        if (out / "state.pt").exists():
            stored = torch.load(out / "state.pt", map_location=device, weights_only=True)
            self.network.load_state_dict(stored["network"])
            self.average.load_state_dict(stored["average"])
            self.optimiser.load_state_dict(stored["optimiser"])
            self.state = stored["state"]

    @property
    def epoch(self) -> int:
        """Count the epochs that are over."""
        return self.state["epoch"]

    def is_over(self) -> bool:
        """Tell whether the recipe's patience is."""
        return bool(self.settings.stop_after and self._idle() >= self.settings.stop_after)

    def learn(self, lesson: Lesson, side: int) -> Iterator[tuple[int, int]]:
        """Go through what is left of an epoch; yield each step that is done, and how many there are."""
        settings, epoch, size = self.settings, self.epoch, self.settings.batch
        steps = len(lesson.weights) // size
        order = torch.from_numpy(np.random.default_rng([settings.seed, epoch]).permutation(len(lesson.weights)))
        self.network.train()
        for step in range(self.state["step"], steps):
            generator = Generator().manual_seed(_seed(settings.seed, epoch, step))
            torch.manual_seed(_seed(settings.seed, epoch, step) + 1)  # dropout
            batch = lesson.take(order[step * size : (step + 1) * size])
            seen = augment(batch.pictures.float()[:, None], side, settings.augment, generator)  # (B, 1, side, side)
            batch = batch._replace(pictures=seen)
            if settings.mixup:
                batch = objective.mixed(batch, settings.mixup, generator)
            self._step(batch, epoch + step / steps)
            _follow(self.average, self.network, min(settings.average, _share(epoch * steps + step)))
            self.state["step"] = step + 1
            yield step, steps

    def _step(self, batch: Lesson, epoch: float) -> None:
        for group in self.optimiser.param_groups:
            group["lr"] = recipes.rate(self.settings, epoch, self.state["drops"])
        batch = Lesson(*(part.to(self.device) for part in batch))
        with networks.autocast(self.device):
            logits = self.network(batch.pictures)
        loss = objective.loss(logits.float(), batch, self.settings)
        self.optimiser.zero_grad()
        loss.backward()
        if self.settings.clip:
            nn.utils.clip_grad_norm_(self.network.parameters(), self.settings.clip)
        self.optimiser.step()
        self.state["loss"] += loss.item()

    def end_epoch(self, side: int, found: dict[str, float]) -> None:
        """Note what was found on PublicTest, keep the weights if they are the best so far, and save."""
        state = self.state
        row = {"epoch": self.epoch + 1, "side": side, "rate": self.optimiser.param_groups[0]["lr"]}
        state["rows"].append({**row, "loss": state["loss"] / state["step"], **found})
        if found["public_fer2013"] > state["best"]:
            state["best"] = found["public_fer2013"]
            networks.export(self.average, self.out / "best.safetensors", self.settings, side, found)
        state.update(epoch=self.epoch + 1, step=0, loss=0.0)
        idle = self._idle()
        if self.settings.schedule == "plateau" and idle and idle % (self.settings.patience + 1) == 0:
            state["drops"] += 1
        self.save()

    def _idle(self) -> int:
        """Count the epochs since the best."""
        scores = [row["public_fer2013"] for row in self.state["rows"]]
        return len(scores) - 1 - scores.index(max(scores)) if scores else 0

    def save(self) -> None:
        """Write all that resuming needs beside its place, then rename: a kill leaves the old state or the new."""
        parts = {"network": self.network, "average": self.average, "optimiser": self.optimiser}
        stored = {**{name: part.state_dict() for name, part in parts.items()}, "state": self.state}
        torch.save(stored, self.out / "state.pt.tmp")
        os.replace(self.out / "state.pt.tmp", self.out / "state.pt")
        if self.state["rows"]:
            import pandas as pd

            pd.DataFrame(self.state["rows"]).to_parquet(self.out / "metrics.parquet.tmp")
            os.replace(self.out / "metrics.parquet.tmp", self.out / "metrics.parquet")
            page = drawing.curves(self.state["rows"], self.out.name)
            (self.out / "curves.html").write_text(page, encoding="utf-8")


def _claim(out: Path, recipe: Path, settings: Recipe) -> None:
    """Make the run's folder, or check that it is this recipe's; how long it goes on may be changed on the way."""
    import subprocess

    out.mkdir(parents=True, exist_ok=True)
    kept = out / "recipe.toml"
    length = {"epochs": 0, "stop_after": 0, "sides": ()}
    if kept.exists() and replace(recipes.read_recipe(kept), **length) != replace(settings, **length):
        raise PlanError(f"{out} holds a run of another recipe; choose another folder, or give {kept}")
    kept.write_text(recipe.read_text(encoding="utf-8"), encoding="utf-8")
    asked = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
    answer = subprocess.run(asked, capture_output=True, text=True, check=False)
    (out / "commit").write_text(answer.stdout or "not in a repository\n", encoding="utf-8")


def _seed(seed: int, epoch: int, step: int) -> int:
    return int(np.random.SeedSequence([seed, epoch, step]).generate_state(1)[0])


def _share(done: int) -> float:
    """Let the average forget the beginning sooner than its recipe says; ``done`` steps."""
    return (1 + done) / (10 + done)


@torch.no_grad()
def _follow(average: nn.Module, network: nn.Module, share: float) -> None:
    """Move the average weights, and the statistics that go with them, towards the network's; counters are copied."""
    for kept, now in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
        if kept.is_floating_point():
            kept.lerp_(now, 1 - share)
        else:
            kept.copy_(now)
