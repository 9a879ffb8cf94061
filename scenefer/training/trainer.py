"""One training run: its steps, and the state needed to resume after it was killed.

Its folder has ``state.pt``, ``metrics.parquet``, ``curves.html`` and ``best.safetensors`` (see ``train``).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Generator, Tensor, nn

from scenefer.core import atomic
from scenefer.core.errors import OutputError, PlanError
from scenefer.models.expression.rmn import UNREADABLE
from scenefer.training import model_setup, objective, pages, recipes
from scenefer.training.augment import augment
from scenefer.training.objective import Examples
from scenefer.training.recipes import Recipe

BEST, STATE = "best.safetensors", "state.pt"  # in a run's folder: its weights, and everything needed to resume
Progress = Callable[[str, int, int], None]  # description, steps done, steps in total


class Run:
    """Networks, optimiser and progress of a run, as saved in its folder."""

    def __init__(self, out: Path, settings: Recipe, device: str, faces: Tensor) -> None:
        torch.manual_seed(settings.seed)
        self.out, self.settings, self.device = out, settings, device
        laid_out = model_setup.make(settings, faces).to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue] - stub
        self.network = laid_out.to(device)
        self.average = deepcopy(self.network).requires_grad_(False).eval()
        self.optimiser = model_setup.optimiser(self.network, settings)
        self.teachers = model_setup.teachers(settings, device)
        self.state: dict[str, Any] = {"epoch": 0, "step": 0, "loss": 0.0, "rows": [], "best": 0.0, "drops": 0}
        if (out / STATE).exists():
            self._go_on()

    @property
    def epoch(self) -> int:
        """The number of finished epochs."""
        return self.state["epoch"]

    @property
    def best(self) -> Path:
        """The file of the best averaged weights."""
        return self.out / BEST

    def is_over(self) -> bool:
        """Return whether all epochs are done, or early stopping (``stop_after``) applies."""
        patience = self.settings.stop_after
        return self.epoch >= self.settings.epochs or bool(patience and self._idle() >= patience)

    def _go_on(self) -> None:
        place = self.out / STATE
        try:
            stored = torch.load(place, map_location=self.device, weights_only=True)
            self.network.load_state_dict(stored["network"])
            self.average.load_state_dict(stored["average"])
            self.optimiser.load_state_dict(stored["optimiser"])
            self.state = stored["state"]
        except (*UNREADABLE, KeyError, ValueError) as error:
            raise PlanError(
                f"{place} cannot be gone on with; delete it to begin anew, or choose another --out"
            ) from error

    def learn(self, example_sets: Sequence[Examples], side: int, save_every: float) -> Iterator[tuple[int, int]]:
        """Train for the rest of an epoch; yield each finished step and the number of steps.

        Batches are drawn from all example_sets together.
        """
        saved = time.monotonic()
        settings, epoch, size = self.settings, self.epoch, self.settings.batch
        n_rows = sum(len(examples.weights) for examples in example_sets)
        steps = n_rows // size
        order = torch.from_numpy(np.random.default_rng([settings.seed, epoch]).permutation(n_rows))
        model_setup.begin(self.network, settings)
        for step in range(self.state["step"], steps):
            generator = Generator().manual_seed(_seed(settings.seed, epoch, step))
            torch.manual_seed(_seed(settings.seed, epoch, step) + 1)  # dropout
            rows = order[step * size : (step + 1) * size].repeat_interleave(settings.views)
            batch = _drawn(example_sets, rows, side, settings, generator)
            if settings.views > 1:
                batch = batch.mirrored(settings.views)
            if settings.mixup:
                batch = objective.mixed(batch, settings.mixup, generator, settings.mixed)
            self._step(batch, epoch + step / steps)
            _follow(self.average, self.network, min(settings.average, _share(epoch * steps + step)))
            self.state["step"] = step + 1
            if time.monotonic() - saved >= save_every:
                self.save()
                saved = time.monotonic()
            yield step, steps

    def _step(self, batch: Examples, epoch: float) -> None:
        for group in self.optimiser.param_groups:
            group["lr"] = recipes.rate(self.settings, epoch, self.state["drops"])
        batch = Examples(*(part.to(self.device) for part in batch))
        with model_setup.autocast(self.device):
            with torch.no_grad():
                readings = [model_setup.reading(teacher, batch.pictures) for teacher in self.teachers]
            logits = self.network(batch.pictures)
        if readings:
            batch = objective.taught(batch, readings, self.settings)
        loss = objective.loss(logits.float(), batch, self.settings)
        self.optimiser.zero_grad()
        loss.backward()
        if self.settings.clip:
            nn.utils.clip_grad_norm_(self.network.parameters(), self.settings.clip)
        self.optimiser.step()
        self.state["loss"] += loss.item()

    def end_epoch(self, side: int, found: dict[str, float]) -> dict[str, Any]:
        """Record the scores on PublicTest, export the weights if they are the best, and save; return the record.

        If PublicTest is not used for selection, the weights of every epoch are exported, so the last ones remain.
        """
        state = self.state
        row = {"epoch": self.epoch + 1, "side": side, "rate": self.optimiser.param_groups[0]["lr"]}
        row |= {"loss": state["loss"] / state["step"], **found}
        state["rows"].append(row)
        if not self.settings.selects or found["public_fer2013"] > state["best"]:
            state["best"] = found["public_fer2013"]
            model_setup.export(self.average, self.best, self.settings, side, found)
        state.update(epoch=self.epoch + 1, step=0, loss=0.0)
        idle = self._idle()
        if self.settings.schedule == "plateau" and idle and idle % (self.settings.patience + 1) == 0:
            state["drops"] += 1
        self.save()
        return row

    def _idle(self) -> int:
        """Return the number of epochs since the best one."""
        scores = [row["public_fer2013"] for row in self.state["rows"]]
        return len(scores) - 1 - scores.index(max(scores)) if scores else 0

    def save(self) -> None:
        """Save everything needed to resume, atomically: a kill leaves either the old or the new state."""
        parts = {"network": self.network, "average": self.average, "optimiser": self.optimiser}
        stored = {**{name: part.state_dict() for name, part in parts.items()}, "state": self.state}
        try:
            torch.save(stored, self.out / f"{STATE}.tmp")
            os.replace(self.out / f"{STATE}.tmp", self.out / STATE)
            if self.state["rows"]:
                pd.DataFrame(self.state["rows"]).to_parquet(self.out / "metrics.parquet.tmp")
                os.replace(self.out / "metrics.parquet.tmp", self.out / "metrics.parquet")
                page = pages.curves(self.state["rows"], self.out.name)
                atomic.write_whole(self.out / "curves.html", page.encode())
        except (OSError, RuntimeError) as error:  # torch raises RuntimeError if the disk is full
            raise OutputError(f"{self.out} cannot be written: {error}; free space, then call again") from error


def _drawn(
    example_sets: Sequence[Examples], rows: Tensor, side: int, settings: Recipe, generator: Generator
) -> Examples:
    """Make a batch of rows, which are numbered across all example_sets; augment pictures at their own size."""
    parts, first = [], 0
    for examples in example_sets:
        last = first + len(examples.weights)
        here = rows[(first <= rows) & (rows < last)] - first
        if len(here):
            part = examples.take(here)
            seen = augment(part.pictures.float()[:, None], side, settings.augment, generator)  # (b, 1, side, side)
            parts.append(part._replace(pictures=seen))
        first = last
    return Examples(*map(torch.cat, zip(*parts, strict=True)))


def _seed(seed: int, epoch: int, step: int) -> int:
    return int(np.random.SeedSequence([seed, epoch, step]).generate_state(1)[0])


def _share(done: int) -> float:
    """Return a limit for the moving average's decay after ``done`` steps, so that it forgets the beginning sooner."""
    return (1 + done) / (10 + done)


@torch.no_grad()
def _follow(average: nn.Module, network: nn.Module, share: float) -> None:
    """Update the moving average of weights and normalisation statistics; counters are copied."""
    for kept, now in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
        if kept.is_floating_point():
            kept.lerp_(now, 1 - share)
        else:
            kept.copy_(now)
