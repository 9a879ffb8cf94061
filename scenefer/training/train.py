"""Train an expression network from a recipe: one loop, from top to bottom.

A run is a folder with these files:

    recipe.toml
    commit              the program's commits with which the run was trained
    metrics.parquet     one row per epoch
    curves.html
    state.pt            everything needed to resume
    best.safetensors    the averaged weights that were best on PublicTest or, if a share of it is trained on, the last
                        ones; calibrated at the end
    confusion.html      confusion matrix of best.safetensors
    before/             the run of the recipe in ``after``, if any
    pair.safetensors    both networks of an ensemble, if the recipe makes one
    seed_0/, …          one run per seed, if there are several; their weights are averaged at the end
                        (``weight_averaging``)

An interrupted run that is started again resumes where it stopped, even in the middle of an epoch, and ends as if it had
never stopped, because the random numbers of a step depend only on the seed, the epoch and the step.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from scenefer.core import atomic
from scenefer.core.errors import PlanError, SceneferError, unwritable
from scenefer.training import (
    calibrate,
    datasets,
    ensemble_weights,
    evaluate,
    labelled_faces,
    leakage,
    model_setup,
    objective,
    pages,
    recipes,
    weight_averaging,
)
from scenefer.training.recipes import Recipe
from scenefer.training.trainer import BEST, STATE, Progress, Run

PAIR = "pair.safetensors"  # both networks of an ensemble, in the run's folder


def train(
    recipe: Path,
    out: Path,
    data: Path,
    votes: Path | None = None,
    *,
    also: Sequence[Path] = (),
    device: str = "cpu",
    save_every: float = 120.0,
    last_epoch: int | None = None,
    progress: Progress | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Path:
    """Start or resume the run in ``out``.

    Args:
        data: FER2013, in any format that ``datasets.read`` supports.
        votes: FER+, if ``data`` has no votes.
        also: files of the further data sets that the recipe names; their file names are these names.
        save_every: seconds between two saves within an epoch.
        last_epoch: stop before this epoch, even if the recipe has more; for tests, and for machines lent by the hour.
            The recipe in ``after`` is always trained completely.
        tell: called with a summary of the data set, and with the results of each epoch.

    Returns:
        Path of the run's ``best.safetensors``, or of ``pair.safetensors`` for a finished ensemble. The file does not
        exist before the first epoch has ended.

    Raises:
        PlanError: the recipe cannot be read, ``also`` are not the data sets that it names, or ``out`` holds a damaged
            run or the run of another recipe.
        WeightsError: the initial weights cannot be read.
        OutputError: ``out`` cannot be written.
        SceneferError: the data cannot be read, or are not framed as FER2013.
    """
    settings = recipes.read_recipe(recipe)
    further = _further(also, settings)
    _claim(out, recipe, settings)
    runs = _runs(out, recipe, settings)
    if settings.trunk:
        model_setup.find_trunk(settings.trunk)  # fail now, not after hours of training the recipe before
    if settings.after:
        if not any((folder / STATE).exists() for _, folder, _ in runs):
            earlier = recipes.find_recipe(settings.after)
            known = [further[name] for name in recipes.read_recipe(earlier).also if name in further]
            options: dict[str, Any] = {"device": device, "save_every": save_every, "progress": progress, "tell": tell}
            train(earlier, out / "before", data, votes, also=known, **options)
        settings = replace(settings, start=str(out / "before" / BEST))
    training, public = _faces(data, votes, settings, tell)
    example_sets = [objective.examples(training, settings), *_beside(further, settings, tell)]
    is_over = True
    for name, folder, seed in runs:
        run = Run(folder, replace(settings, seed=seed), device, example_sets[0].pictures)
        while not run.is_over() and (last_epoch is None or run.epoch < last_epoch):
            side = recipes.side(settings, run.epoch)
            for step, steps in run.learn(example_sets, side, save_every):
                if progress is not None:
                    progress(f"{name}: epoch {run.epoch + 1} of {settings.epochs}, {side} px", step + 1, steps)
            row = run.end_epoch(side, model_setup.score(run.average, public, side, device))
            tell(f"{name}: epoch {run.epoch} of {settings.epochs}: {_reached(row)}")
        is_over = is_over and run.is_over()
    return _finish(out, [folder for _, folder, _ in runs], settings, public, device, tell) if is_over else out / BEST


def _runs(out: Path, recipe: Path, settings: Recipe) -> list[tuple[str, Path, int]]:
    """Return the runs of a recipe, one per seed: name, folder and seed."""
    if settings.seeds == 1:
        return [(recipe.stem, out, settings.seed)]
    numbers = range(settings.seed, settings.seed + settings.seeds)
    return [(f"{recipe.stem}, seed {number}", weight_averaging.folder(out, number), number) for number in numbers]


def _reached(row: dict[str, Any]) -> str:
    voted = f", FER+ head {row['public_ferplus']:.1%} of clear majorities" if "public_ferplus" in row else ""
    return f"loss {row['loss']:.3f}, PublicTest {row['public_fer2013']:.1%}{voted}"


def _faces(
    data: Path, votes: Path | None, settings: Recipe, tell: Callable[[str], None]
) -> tuple[labelled_faces.Faces, labelled_faces.Faces]:
    """Read the training and validation faces, without photographs that are also in a split for testing."""
    faces = datasets.read(data, votes)
    tell(labelled_faces.summary(faces))
    if not faces.framed:
        raise SceneferError(f"{data} cannot be learned from: its pictures are not all 48×48, framed as in FER2013")
    faces = leakage.without_leaks(faces.take(faces.labels != labelled_faces.OTHER), settings.public)
    training, public = faces.of("Training"), faces.of("PublicTest")
    if settings.subset:
        training = training.take(np.random.default_rng(settings.seed).permutation(len(training))[: settings.subset])
    if len(training) < settings.batch:
        raise SceneferError(
            f"{data} has {len(training)} pictures to learn from, fewer than a batch of {settings.batch}"
        )
    return training, public


def _further(also: Sequence[Path], settings: Recipe) -> dict[str, Path]:
    """Return the files of a recipe's further data sets by name, in the recipe's order."""
    given = {path.stem: path for path in also}
    if unknown := sorted(set(given) - set(settings.also)):
        raise PlanError(f"the recipe does not learn from {', '.join(unknown)}; leave it out, or name it in 'also'")
    if missing := [name for name in settings.also if name not in given]:
        raise PlanError(f"the recipe learns from {', '.join(missing)} too; give {missing[0]}.parquet as --also")
    return {name: given[name] for name in settings.also}


def _beside(further: dict[str, Path], settings: Recipe, tell: Callable[[str], None]) -> list[objective.Examples]:
    """Read the training splits of the further data sets."""
    example_sets = []
    for path in further.values():
        faces = datasets.read(path)
        tell(labelled_faces.summary(faces))
        faces = labelled_faces.framed(faces.of("train"), recipes.side(settings, 0))
        example_sets.append(objective.examples_beside(faces.take(faces.labels != labelled_faces.OTHER), settings))
    return example_sets


def _finish(
    out: Path,
    folders: list[Path],
    settings: Recipe,
    public: labelled_faces.Faces,
    device: str,
    tell: Callable[[str], None],
) -> Path:
    """Join the runs of several seeds and the networks of a pair, calibrate, draw the confusion matrix: the weights."""
    best = out / BEST
    if len(folders) > 1:
        weight_averaging.join(folders, best, public, settings, device, tell)
    if settings.pair:
        ensemble_weights.join(Path(settings.start), best, out / PAIR)
        best = out / PAIR
    if public.votes is not None:
        calibrate.calibrate(best, public, device)
    figures = evaluate.score([best], public, "PublicTest", device=device)
    atomic.write_whole(best.with_name("confusion.html"), pages.evaluation(figures).encode())
    return best


def _claim(out: Path, recipe: Path, settings: Recipe) -> None:
    """Create the run's folder, or check that it belongs to this recipe; only the training length may have changed."""
    kept = out / "recipe.toml"
    length = {"epochs": 0, "stop_after": 0, "sides": ()}
    try:
        for _, folder, _ in _runs(out, recipe, settings):
            folder.mkdir(parents=True, exist_ok=True)
        if kept.exists() and replace(recipes.read_recipe(kept), **length) != replace(settings, **length):
            raise PlanError(f"{out} holds a run of another recipe; choose another folder, or give {kept}")
        atomic.write_whole(kept, recipe.read_bytes())
        _note_commit(out / "commit")
    except OSError as error:
        raise unwritable(out, error, "choose another folder as --out") from error


def _note_commit(note: Path) -> None:
    """Add this program's commit to the list of commits with which the run was trained, one per line."""
    asked = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
    try:
        answer = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:  # no git
        answer = ""
    before = note.read_text(encoding="utf-8").splitlines() if note.exists() else []
    lines = list(dict.fromkeys([*before, answer or "not in a repository"]))
    atomic.write_whole(note, "\n".join([*lines, ""]).encode())
