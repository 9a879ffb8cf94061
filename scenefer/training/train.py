"""Train an expression network from a recipe: one loop, from top to bottom.

A run is a folder: ``recipe.toml``, ``commit`` (each that it was trained by), ``metrics.parquet`` (a row an epoch),
``curves.html``, ``state.pt`` (all that resuming needs), ``best.safetensors`` (the average weights that did best on
PublicTest or, where a share of it is learned, the last ones; calibrated at the end), its ``confusion.html`` and, where
a recipe comes before, that one's run in ``before``; a pair's two networks lie in ``pair.safetensors``. Where a recipe
has several seeds, each has a folder of its own (``seed_0``, …), and the weights of all are made one in the end
(``seeds``). A run that is called again goes on where it stopped, in the middle of an epoch too, and ends as if it had
never stopped: what a step draws depends on the seed, the epoch and the step alone.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from scenefer import files
from scenefer.errors import PlanError, SceneferError, unwritable
from scenefer.training import calibrate, datasets, drawing, evaluate, leaks, networks, objective, pair, recipes, seeds
from scenefer.training.recipes import Recipe
from scenefer.training.run import BEST, STATE, Progress, Run

PAIR = "pair.safetensors"  # in the folder of a run whose recipe says so: both networks


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
        tell: is told what the data set holds, and what each epoch reached.

    Returns:
        The run's ``best.safetensors``, of a pair that is over its ``pair.safetensors``; not there yet if no epoch has
        ended.

    Raises:
        PlanError: the recipe cannot be read, or ``out`` holds a run that is another's or damaged.
        WeightsError: what the recipe starts from cannot be read.
        OutputError: ``out`` cannot be written.
        SceneferError: the data cannot be read, or are not framed as FER2013.
    """
    settings = recipes.read_recipe(recipe)
    _claim(out, recipe, settings)
    options: dict[str, Any] = {"device": device, "save_every": save_every, "progress": progress, "tell": tell}
    runs = _runs(out, recipe, settings)
    if settings.trunk:
        networks.find_trunk(settings.trunk)  # told now, not after the hours of the recipe before
    if settings.after:
        if not any((folder / STATE).exists() for _, folder, _ in runs):
            train(recipes.find_recipe(settings.after), out / "before", data, votes, **options)
        settings = replace(settings, start=str(out / "before" / BEST))
    training, public = _faces(data, votes, settings, tell)
    lesson = objective.lesson(training, settings)
    best, is_over = out / BEST, True
    for name, folder, seed in runs:
        run = Run(folder, replace(settings, seed=seed), device, lesson.pictures)
        while not run.is_over() and (last_epoch is None or run.epoch < last_epoch):
            side = recipes.side(settings, run.epoch)
            for step, steps in run.learn(lesson, side, save_every):
                if progress is not None:
                    progress(f"{name}: epoch {run.epoch + 1} of {settings.epochs}, {side} px", step + 1, steps)
            row = run.end_epoch(side, networks.score(run.average, public, side, device))
            tell(f"{name}: epoch {run.epoch} of {settings.epochs}: {_reached(row)}")
        is_over = is_over and run.is_over()
    if is_over:
        if len(runs) > 1:
            seeds.join([folder for _, folder, _ in runs], best, public, settings, device, tell)
        if settings.pair:
            pair.join(Path(settings.start), best, out / PAIR)
            best = out / PAIR
        _finish(best, public, device)
    return best


def _runs(out: Path, recipe: Path, settings: Recipe) -> list[tuple[str, Path, int]]:
    """Name the runs of a recipe, a seed each, their folders and their seeds."""
    if settings.seeds == 1:
        return [(recipe.stem, out, settings.seed)]
    numbers = range(settings.seed, settings.seed + settings.seeds)
    return [(f"{recipe.stem}, seed {number}", seeds.folder(out, number), number) for number in numbers]


def _reached(row: dict[str, Any]) -> str:
    voted = f", FER+ head {row['public_ferplus']:.1%} of clear majorities" if "public_ferplus" in row else ""
    return f"loss {row['loss']:.3f}, PublicTest {row['public_fer2013']:.1%}{voted}"


def _faces(
    data: Path, votes: Path | None, settings: Recipe, tell: Callable[[str], None]
) -> tuple[datasets.Faces, datasets.Faces]:
    """Read what is learned and what it is tried on; photographs that either shares with a test split are left out."""
    faces = datasets.read(data, votes)
    tell(datasets.summary(faces))
    if not faces.framed:
        raise SceneferError(f"{data} cannot be learned from: its pictures are not all 48×48, framed as in FER2013")
    faces = leaks.without_leaks(faces.take(faces.labels != datasets.OTHER), settings.public)
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


def _claim(out: Path, recipe: Path, settings: Recipe) -> None:
    """Make the run's folder, or check that it is this recipe's; how long it goes on may be changed on the way."""
    kept = out / "recipe.toml"
    length = {"epochs": 0, "stop_after": 0, "sides": ()}
    try:
        for _, folder, _ in _runs(out, recipe, settings):
            folder.mkdir(parents=True, exist_ok=True)
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
