"""One row of a study: a network that learns from some sets, and is tried on others.

Its folder holds ``plan.json`` (what is learned and how, and the epochs that the budget allows), the run, and at last
``result.json``, with a dictionary a test: a row that has one does not learn again, and is tried on what arrives later.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from scenefer.analysis.still_faces import read_faces
from scenefer.core import atomic
from scenefer.core.errors import OutputError, PlanError, SceneferError
from scenefer.core.schema import EMOTIONS
from scenefer.models import calibration
from scenefer.models.expression import blending, predictor
from scenefer.models.expression.grad_cam import explain
from scenefer.training import calibrate, evaluate, measures, model_setup, objective, recipes
from scenefer.training.labelled_faces import Faces
from scenefer.training.study_data import Cut, Shelf, held_out
from scenefer.training.study_file import Row, slug
from scenefer.training.trainer import BEST, STATE, Run

CHOOSES = 0.1  # share of what is learned that is kept back, by person where they are known, and chooses the epoch
SPARE = 1.15  # of the seconds that an epoch is measured to take: measuring and saving take some too
DRAWN = 4  # faces whose attention is drawn
PLAN, RESULT, ATTENTION = "plan.json", "result.json", "attention.png"

Progress = Callable[[str, int, int], None]


def run(row: Row, shelf: Shelf, folder: Path, seconds: float | None, device: str, progress: Progress) -> None:
    """Run what is left of a row: learn, then try the weights on each test that is here and was not tried yet.

    Args:
        folder: of the row; those of other rows lie beside it.
        seconds: that it may learn for; None leaves the epochs to the recipe. One epoch is learned however long it is.

    Raises:
        SceneferError: the sets to learn from cannot be read or are too few, or the folder cannot be written.
    """
    began = time.monotonic()
    if not (folder / RESULT).exists():
        learned = _learn(row, shelf, folder, seconds, device, progress)
        _save(folder, {"seconds": time.monotonic() - began, "learned": learned, "tests": {}})
    (folder / STATE).unlink(missing_ok=True)  # as large as three networks; the row has learned
    _try_on_tests(row, shelf, folder)


def result(folder: Path) -> dict[str, Any]:
    """Read what a row found: seconds, what was learned, and its tests; without tests where it has not learned yet."""
    place = folder / RESULT
    return json.loads(place.read_text(encoding="utf-8")) if place.exists() else {"tests": {}}


def untried(row: Row, shelf: Shelf, folder: Path) -> list[str]:
    """List the tests that are here and have no figures yet."""
    tests = result(folder)["tests"]
    return [name for name in row.test if "accuracy" not in tests.get(name, {}) and not shelf.missing([name])]


def refuse_another(row: Row, folder: Path) -> None:
    """Refuse a row that has begun to learn something else: its figures would stand beside another recipe.

    Raises:
        PlanError: it did; the message names what differs.
    """
    place = folder / PLAN
    if not place.exists():
        return
    begun, stated = json.loads(place.read_text(encoding="utf-8")).get("stated"), _stated(row)
    if begun is None:
        raise PlanError(f"{folder} does not say by what recipe it learns; choose another --out")
    changed = [
        f"{key} = {begun.get(key)!r}, now {stated.get(key)!r}"
        for key in {**stated, **begun}
        if begun.get(key) != stated.get(key)
    ]
    if changed:
        raise PlanError(
            f"{folder} learns or learned by {'; '.join(changed)}; delete it to learn anew, or choose another --out"
        )


def _stated(row: Row) -> dict[str, Any]:
    """Return all that the weights of a row depend on, as JSON gives it back."""
    begins = {"begins_with": row.begins_with} if row.begins_with else {}
    return json.loads(json.dumps({"learn": row.learn, "wrong": row.wrong, **begins, **asdict(row.recipe)}))


def _beginning(row: Row, folder: Path) -> dict[str, str]:
    """Say in words of a recipe what weights a row starts from, where these are another row's.

    Raises:
        PlanError: that row has not learned yet.
    """
    if not row.begins_with:
        return {}
    earlier = folder.parent / slug(row.begins_with)
    if not (earlier / RESULT).exists():
        raise PlanError(f"it begins with what the row {row.begins_with!r} learns, and that has not learned yet")
    return {"start": str((earlier / BEST).resolve()), "trunk": ""}


def _learn(
    row: Row, shelf: Shelf, folder: Path, seconds: float | None, device: str, progress: Progress
) -> dict[str, Any]:
    """Learn what is left to learn; return how it went, for the table."""
    settings = replace(row.recipe, **_beginning(row, folder))
    side = recipes.side(settings, 0)
    faces, size = shelf.join(row.learn, side)
    if settings.subset:
        faces = faces.take(np.random.default_rng(settings.seed).permutation(len(faces))[: settings.subset])
    true = faces.labels
    faces = replace(faces, labels=mislabelled(true, row.wrong, settings.seed))
    assert faces.group is not None  # joined sets have one
    chooses = np.isin(faces.group, held_out(faces.group, CHOOSES))
    _refuse_few(faces, int((~chooses).sum()), settings.batch)
    examples = objective.examples(faces.take(~chooses), settings)
    folder.mkdir(parents=True, exist_ok=True)
    epochs = _epochs(folder, row, examples, side, seconds, device)
    running = Run(folder, replace(settings, epochs=epochs), device, examples.pictures)
    while not running.is_over():
        for step, steps in running.learn([examples], side, save_every=60):
            progress(f"{row.name}: epoch {running.epoch + 1} of {epochs}", step + 1, steps)
        running.end_epoch(side, model_setup.score(running.average, faces.take(chooses), side, device))
    best = folder / BEST
    if not best.exists():  # no epoch was right on any face that chooses
        model_setup.export(running.average, best, settings, side, {})
    told = {"size": str(size), "trained_on": ", ".join(row.learn), "licence": "research; learned from " + faces.name}
    calibrate.describe(best, told)
    return {
        "n_learned": int((~chooses).sum()),
        "epochs": running.epoch,
        "planned": settings.epochs,
        "started_from": predictor.load_network(best)[1]["started_from"],
        "recovered": _recovered(best, faces.take(~chooses), true[~chooses]),
    }


def _refuse_few(faces: Faces, n: int, batch: int) -> None:
    """Refuse sets of which too few faces, ``n``, are left to learn from."""
    if not n:
        raise PlanError(
            f"{faces.name}: all {len(faces)} pictures are of one person or film, and an epoch is chosen on others than "
            "it is learned from; give a set of several"
        )
    if n < batch:
        raise PlanError(
            f"{faces.name}: {n} pictures to learn from are fewer than a batch of {batch}; give more, or set a smaller "
            "batch in the recipe"
        )


def _try_on_tests(row: Row, shelf: Shelf, folder: Path) -> None:
    """Try the weights on the tests that are left; one that cannot be read says why, and the others go on."""
    best, found, left = folder / BEST, result(folder), untried(row, shelf, folder)
    if not left:
        return
    model = predictor.load(best)
    for name in left:
        began = time.monotonic()
        try:
            if row.boxes and not shelf.faces(name).framed:
                _write_boxes(best, shelf.faces(name), folder / f"{name.replace(':', '_')}.csv")
            cut = shelf.cut(name, model.size)
            found["tests"][name] = _tested(model, best, cut, name, folder.parent / "privatetest.jsonl")
            if row.attention and not (folder / ATTENTION).exists():
                _draw(best, cut.faces, folder / ATTENTION)
        except OutputError:
            raise
        except SceneferError as error:
            found["tests"][name] = {"missing": str(error)}
        found["seconds"] += time.monotonic() - began
        _save(folder, found)


def _save(folder: Path, found: dict[str, Any]) -> None:
    atomic.write_whole(folder / RESULT, json.dumps(found, indent=1).encode())


def mislabelled(labels: np.ndarray, share: float, seed: int) -> np.ndarray:
    """Give a share of the rows another label, each as likely."""
    draws = np.random.default_rng([seed, 1])
    chosen = draws.permutation(len(labels))[: round(share * len(labels))]
    wrong = labels.copy()
    wrong[chosen] = (labels[chosen] + draws.integers(1, len(EMOTIONS), len(chosen))) % len(EMOTIONS)
    return wrong


def _epochs(folder: Path, row: Row, examples: objective.Examples, side: int, seconds: float | None, device: str) -> int:
    """Settle how many epochs a row learns for, once: the rate falls over just as many."""
    plan, settings = folder / PLAN, row.recipe
    if plan.exists():
        return int(json.loads(plan.read_text(encoding="utf-8"))["epochs"])
    epochs = settings.epochs
    if seconds is not None:
        trial = folder / "trial"
        trial.mkdir(exist_ok=True)
        stamps, steps = list[float](), len(examples.weights) // settings.batch
        for step, _ in Run(trial, settings, device, examples.pictures).learn([examples], side, save_every=1e9):
            stamps.append(time.monotonic())
            if step == 3:
                break
        shutil.rmtree(trial)
        a_step = (stamps[-1] - stamps[0]) / max(1, len(stamps) - 1)
        epochs = max(1, min(epochs, int(seconds / max(1e-6, a_step * steps * SPARE))))
    atomic.write_whole(plan, json.dumps({"epochs": epochs, "stated": _stated(row)}, indent=1).encode())
    return epochs


def _tested(model: predictor.ExpressionReader, weights: Path, faces: Cut, name: str, ledger: Path) -> dict[str, Any]:
    """Measure weights on faces; one that was not found counts as wrong. FER2013's PrivateTest is noted in a ledger."""
    pictures = np.asarray(faces.faces.pictures)
    began = time.process_time()
    read = blending.probabilities(model.read(pictures), model.calibration)
    took = time.process_time() - began
    probabilities = np.zeros((len(faces.labels), len(EMOTIONS)), np.float32)
    probabilities[faces.found] = read
    data, _, split = name.partition(":")
    where = (data, split, "label", "fer2013", False, (model.sha256,))
    figures = measures.measure(probabilities, faces.labels, faces.found, None, where)
    if split == "PrivateTest":
        evaluate.note(ledger, figures, [weights])
    right = np.log(np.maximum(read[np.arange(len(read)), faces.faces.labels], 1e-7))
    return {
        **{key: getattr(figures, key) for key in ("n", "n_missed", "accuracy", "low", "high", "top5", "macro_f1")},
        "recall": list(figures.recall),
        "loss": float(-right.mean()),
        "faces_a_second": len(read) / max(took, 1e-6),
    }


def _recovered(weights: Path, faces: Faces, true: np.ndarray) -> float | None:
    """Return the share of the wrong labels that the network, having learned them, reads as they were; None of none.

    Args:
        faces: that were learned, and no others: a label that was not shown as wrong misled nobody.
    """
    wrong = faces.labels != true
    if not wrong.any():
        return None
    model = predictor.load(weights)
    answers = blending.probabilities(model.read(np.asarray(faces.pictures)), model.calibration).argmax(axis=1)
    return float((answers[wrong] == true[wrong]).mean())


def _write_boxes(weights: Path, faces: Faces, path: Path) -> None:
    """Write a line a face: its picture's place in the set, box in pixels, strongest expression, its probability."""
    read = read_faces(list(faces.pictures), weights, device="cpu")
    columns = {"x0": "xmin", "y0": "ymin", "x1": "xmax", "y1": "ymax", "expression": "emo_label"}
    named = read[["image", *columns]].rename(columns=columns)
    named["emo_proba"] = read[list(EMOTIONS)].max(axis=1)
    atomic.write_whole(path, named.round(4).to_csv(index=False).encode())


def _draw(weights: Path, faces: Faces, path: Path) -> None:
    """Draw where the network looked in some faces, one below the other."""
    network, metadata = predictor.load_network(weights)
    chosen = np.random.default_rng(0).permutation(len(faces))[:DRAWN]
    drawn = [explain(network, np.asarray(faces.pictures)[row], calibration(metadata))[1] for row in chosen]
    beside = path.with_suffix(".tmp")
    Image.fromarray(np.vstack(drawn)).save(beside, "PNG")
    os.replace(beside, path)
