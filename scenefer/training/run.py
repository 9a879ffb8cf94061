"""One run: what it learns from step to step, and what it needs to go on after a kill.

Its folder holds ``state.pt``, ``metrics.parquet``, ``curves.html`` and ``best.safetensors`` (see ``train``).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor, nn

from scenefer import files
from scenefer.errors import OutputError, PlanError
from scenefer.models.rmn import UNREADABLE
from scenefer.training import drawing, networks, objective, recipes
from scenefer.training.augment import augment
from scenefer.training.objective import Lesson
from scenefer.training.recipes import Recipe

BEST, STATE = "best.safetensors", "state.pt"  # in the folder of a run: its weights, and all that resuming needs
Progress = Callable[[str, int, int], None]  # what is being done, steps done, steps in all


class Run:
    """Networks, optimiser and where they stand, as they lie in a run's folder."""

    def __init__(self, out: Path, settings: Recipe, device: str, faces: Tensor) -> None:
        torch.manual_seed(settings.seed)
        self.out, self.settings, self.device = out, settings, device
        laid_out = networks.make(settings, faces).to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue] - stub
        self.network = laid_out.to(device)
        self.average = deepcopy(self.network).requires_grad_(False).eval()
        self.optimiser = networks.optimiser(self.network, settings)
        self.teachers = networks.teachers(settings, device)
        self.state: dict[str, Any] = {"epoch": 0, "step": 0, "loss": 0.0, "rows": [], "best": 0.0, "drops": 0}
        if (out / STATE).exists():
            self._go_on()

    @property
    def epoch(self) -> int:
        """Count the epochs that are over."""
        return self.state["epoch"]

    @property
    def best(self) -> Path:
        """Name the file of the average weights that are kept."""
        return self.out / BEST

    def is_over(self) -> bool:
        """Tell whether all epochs are done, or the recipe's patience is at its end."""
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

    def learn(self, lesson: Lesson, side: int, save_every: float) -> Iterator[tuple[int, int]]:
        """Go through what is left of an epoch; yield each step that is done, and how many there are."""
        saved = time.monotonic()
        settings, epoch, size = self.settings, self.epoch, self.settings.batch
        steps = len(lesson.weights) // size
        order = torch.from_numpy(np.random.default_rng([settings.seed, epoch]).permutation(len(lesson.weights)))
        networks.begin(self.network, settings)
        for step in range(self.state["step"], steps):
            generator = Generator().manual_seed(_seed(settings.seed, epoch, step))
            torch.manual_seed(_seed(settings.seed, epoch, step) + 1)  # dropout
            rows = order[step * size : (step + 1) * size].repeat_interleave(settings.views)
            batch = lesson.take(rows)
            seen = augment(batch.pictures.float()[:, None], side, settings.augment, generator)  # (B, 1, side, side)
            batch = batch._replace(pictures=seen)
            if settings.views > 1:
                batch = batch.mirrored(settings.views)
            if settings.mixup:
                batch = objective.mixed(batch, settings.mixup, generator)
            self._step(batch, epoch + step / steps)
            _follow(self.average, self.network, min(settings.average, _share(epoch * steps + step)))
            self.state["step"] = step + 1
            if time.monotonic() - saved >= save_every:
                self.save()
                saved = time.monotonic()
            yield step, steps

    def _step(self, batch: Lesson, epoch: float) -> None:
        for group in self.optimiser.param_groups:
            group["lr"] = recipes.rate(self.settings, epoch, self.state["drops"])
        batch = Lesson(*(part.to(self.device) for part in batch))
        with networks.autocast(self.device):
            with torch.no_grad():
                readings = [networks.reading(teacher, batch.pictures) for teacher in self.teachers]
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
        """Note what was found on PublicTest, save, keep the weights; return the note.

        Kept are those of the best epoch, of the last one where PublicTest selects nothing.
        """
        state = self.state
        row = {"epoch": self.epoch + 1, "side": side, "rate": self.optimiser.param_groups[0]["lr"]}
        row |= {"loss": state["loss"] / state["step"], **found}
        state["rows"].append(row)
        if not self.settings.selects or found["public_fer2013"] > state["best"]:
            state["best"] = found["public_fer2013"]
            networks.export(self.average, self.best, self.settings, side, found)
        state.update(epoch=self.epoch + 1, step=0, loss=0.0)
        idle = self._idle()
        if self.settings.schedule == "plateau" and idle and idle % (self.settings.patience + 1) == 0:
            state["drops"] += 1
        self.save()
        return row

    def _idle(self) -> int:
        """Count the epochs since the best."""
        scores = [row["public_fer2013"] for row in self.state["rows"]]
        return len(scores) - 1 - scores.index(max(scores)) if scores else 0

    def save(self) -> None:
        """Write all that resuming needs beside its place, then rename: a kill leaves the old state or the new."""
        parts = {"network": self.network, "average": self.average, "optimiser": self.optimiser}
        stored = {**{name: part.state_dict() for name, part in parts.items()}, "state": self.state}
        try:
            torch.save(stored, self.out / f"{STATE}.tmp")
            os.replace(self.out / f"{STATE}.tmp", self.out / STATE)
            if self.state["rows"]:
                import pandas as pd

                pd.DataFrame(self.state["rows"]).to_parquet(self.out / "metrics.parquet.tmp")
                os.replace(self.out / "metrics.parquet.tmp", self.out / "metrics.parquet")
                page = drawing.curves(self.state["rows"], self.out.name)
                files.write_whole(self.out / "curves.html", page.encode())
        except (OSError, RuntimeError) as error:  # torch's writer says RuntimeError where the disk is full
            raise OutputError(f"{self.out} cannot be written: {error}; free space, then call again") from error


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
