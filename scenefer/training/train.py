"""Train an expression network from a recipe: one loop, from top to bottom.

A run is a folder: ``recipe.toml``, ``commit`` (each that it was trained by), ``metrics.parquet`` (a row an epoch),
``curves.html``, ``state.pt`` (all that resuming needs), ``best.safetensors`` (the average weights that did best on
PublicTest; calibrated at the end), its ``confusion.html`` and, where a recipe comes before, that one's run in
``before``. A run that is called again goes on where it stopped, in the middle of an epoch too, and ends as if it had
never stopped: what a step draws depends on the seed, the epoch and the step alone.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor, nn

from scenefer import files
from scenefer.errors import OutputError, PlanError, SceneferError, unwritable
from scenefer.models.rmn import UNREADABLE
from scenefer.training import calibrate, datasets, drawing, evaluate, leaks, networks, objective, recipes
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
    save_every: float = 120.0,
    last_epoch: int | None = None,
    progress: Progress | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Path:
    """Train, or go on with, the run in ``out``.

    Args:
        data: FER2013, in any form that ``datasets.read`` knows.
        votes: FER+, where ``data`` has none of its own.
        save_every: seconds between two saves inside an epoch.
        last_epoch: stop before this epoch although the recipe goes on; for tests, and for machines lent by the hour.
            A recipe that comes before is trained whole.
        tell: is told what the data set holds.

    Returns:
        The run's ``best.safetensors``; not there yet if no epoch has ended.

    Raises:
        PlanError: the recipe cannot be read, or ``out`` holds a run that is another's or damaged.
        WeightsError: what the recipe starts from cannot be read.
        OutputError: ``out`` cannot be written.
        SceneferError: the data cannot be read, or are not framed as FER2013.
    """
    settings = recipes.read_recipe(recipe)
    _claim(out, recipe, settings)
    options: dict[str, Any] = {"device": device, "save_every": save_every, "progress": progress, "tell": tell}
    if settings.after:
        if not (out / "state.pt").exists():
            train(recipes.find_recipe(settings.after), out / "before", data, votes, **options)
        settings = replace(settings, start=str(out / "before" / "best.safetensors"))
    training, public = _faces(data, votes, settings, tell)
    lesson = objective.lesson(training, settings)
    run = _Run(out, settings, device, lesson.pictures)
    while not run.is_over() and (last_epoch is None or run.epoch < last_epoch):
        side = recipes.side(settings, run.epoch)
        for step, steps in run.learn(lesson, side, save_every):
            if progress is not None:
                progress(f"{recipe.stem}: epoch {run.epoch + 1} of {settings.epochs}, {side} px", step + 1, steps)
        run.end_epoch(side, networks.score(run.average, public, side, device))
    if run.is_over():
        _finish(run.best, public, device)
    return run.best


def _faces(
    data: Path, votes: Path | None, settings: Recipe, tell: Callable[[str], None]
) -> tuple[datasets.Faces, datasets.Faces]:
    """Read what is learned and what it is tried on; photographs that either shares with a test split are left out."""
    faces = datasets.read(data, votes)
    tell(datasets.summary(faces))
    if not faces.framed:
        raise SceneferError(f"{data} cannot be learned from: its pictures are not all 48×48, framed as in FER2013")
    faces = leaks.without_leaks(faces.take(faces.labels != datasets.OTHER))
    training, public = faces.of("Training"), faces.of("PublicTest")
    if settings.subset:
        training = training.take(np.random.default_rng(settings.seed).permutation(len(training))[: settings.subset])
    if len(training) < settings.batch:
        raise SceneferError(
            f"{data} has {len(training)} pictures to learn from, fewer than a batch of {settings.batch}"
        )
    return training, public


def _finish(best: Path, public: datasets.Faces, device: str) -> None:
    """Calibrate the best weights of a run, and draw what they confuse."""
    if public.votes is not None:
        calibrate.calibrate(best, public, device)
    figures = evaluate.score([best], public, "PublicTest", device=device)
    files.write_whole(best.with_name("confusion.html"), drawing.evaluation(figures).encode())


class _Run:
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
        if (out / "state.pt").exists():
            self._go_on()

    @property
    def epoch(self) -> int:
        """Count the epochs that are over."""
        return self.state["epoch"]

    @property
    def best(self) -> Path:
        """Name the file of the average weights that did best."""
        return self.out / "best.safetensors"

    def is_over(self) -> bool:
        """Tell whether all epochs are done, or the recipe's patience is at its end."""
        patience = self.settings.stop_after
        return self.epoch >= self.settings.epochs or bool(patience and self._idle() >= patience)

    def _go_on(self) -> None:
        place = self.out / "state.pt"
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
                readings = [teacher(batch.pictures) for teacher in self.teachers]
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

    def end_epoch(self, side: int, found: dict[str, float]) -> None:
        """Note what was found on PublicTest, keep the weights if they are the best so far, and save."""
        state = self.state
        row = {"epoch": self.epoch + 1, "side": side, "rate": self.optimiser.param_groups[0]["lr"]}
        state["rows"].append({**row, "loss": state["loss"] / state["step"], **found})
        if found["public_fer2013"] > state["best"]:
            state["best"] = found["public_fer2013"]
            networks.export(self.average, self.best, self.settings, side, found)
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
        try:
            torch.save(stored, self.out / "state.pt.tmp")
            os.replace(self.out / "state.pt.tmp", self.out / "state.pt")
            if self.state["rows"]:
                import pandas as pd

                pd.DataFrame(self.state["rows"]).to_parquet(self.out / "metrics.parquet.tmp")
                os.replace(self.out / "metrics.parquet.tmp", self.out / "metrics.parquet")
                page = drawing.curves(self.state["rows"], self.out.name)
                files.write_whole(self.out / "curves.html", page.encode())
        except (OSError, RuntimeError) as error:  # torch's writer says RuntimeError where the disk is full
            raise OutputError(f"{self.out} cannot be written: {error}; free space, then call again") from error


def _claim(out: Path, recipe: Path, settings: Recipe) -> None:
    """Make the run's folder, or check that it is this recipe's; how long it goes on may be changed on the way."""
    kept = out / "recipe.toml"
    length = {"epochs": 0, "stop_after": 0, "sides": ()}
    try:
        out.mkdir(parents=True, exist_ok=True)
        if kept.exists() and replace(recipes.read_recipe(kept), **length) != replace(settings, **length):
            raise PlanError(f"{out} holds a run of another recipe; choose another folder, or give {kept}")
        files.write_whole(kept, recipe.read_bytes())
        _note_commit(out / "commit")
    except OSError as error:
        raise unwritable(out, error, "choose another folder as --out") from error


def _note_commit(note: Path) -> None:
    """Add the commit of this program to those that the run was trained by, a line each."""
    asked = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
    try:
        answer = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:  # no git
        answer = ""
    before = note.read_text(encoding="utf-8").splitlines() if note.exists() else []
    lines = list(dict.fromkeys([*before, answer or "not in a repository"]))
    files.write_whole(note, "\n".join([*lines, ""]).encode())


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
