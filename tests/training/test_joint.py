"""Data sets are learned together, each by a head of its own, at the size that its pictures have."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from scenefer.core.errors import PlanError, SceneferError, WeightsError
from scenefer.core.schema import EMOTIONS
from scenefer.models import registry
from scenefer.models.expression import predictor
from scenefer.training import datasets, labelled_faces, model_setup, objective
from scenefer.training.recipes import Recipe, read_recipe
from scenefer.training.train import train

JOINT = """
network = "rmn_face"
trunk = ""
also = ["rafdb"]
epochs = 2
batch = 21
sides = [[0, 64]]
warm_up = 0.0
"""
BOTH = Recipe(also=("rafdb",), smoothing=0.0)


class Killed(Exception):
    """Stands for a kill in the middle of an epoch."""


@pytest.fixture(scope="module")
def raf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """rafdb.parquet with 21 rows of "train" and 7 of "test", colour noise of 100×100."""
    draws = np.random.default_rng(3)
    rows = []
    for number in range(28):
        encoded = io.BytesIO()
        Image.fromarray(draws.integers(0, 256, (100, 100, 3), np.uint8)).save(encoded, "PNG")
        rows.append((encoded.getvalue(), EMOTIONS[number % 7], "train" if number < 21 else "test"))
    path = tmp_path_factory.mktemp("raf") / "rafdb.parquet"
    pd.DataFrame(rows, columns=["image", "label", "split"]).to_parquet(path)
    return path


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "joint.toml"
    path.write_text(JOINT)
    return path


def test_a_joint_run_that_is_killed_ends_as_if_it_had_not_been(tmp_path: Path, fer: Path, raf: Path, recipe: Path):
    data = fer / "fer2013.csv", fer / "fer2013new.csv"
    best = train(recipe, tmp_path / "whole", *data, also=[raf])

    def kill(what: str, step: int, steps: int) -> None:
        assert steps == 3, "42 faces of FER2013 and 21 of RAF-DB make three batches"
        if "epoch 2" in what and step == 2:
            raise Killed

    with pytest.raises(Killed):
        train(recipe, tmp_path / "parts", *data, also=[raf], save_every=0, progress=kill)
    train(recipe, tmp_path / "parts", *data, also=[raf])
    whole, parts = (torch.load(tmp_path / run / "state.pt", weights_only=True)["network"] for run in ("whole", "parts"))
    assert all(torch.equal(whole[key], parts[key]) for key in whole)

    # What it leaves reads faces as large as it learned them, and says on which terms.
    model, described = predictor.load(best), registry.describe(best)
    assert json.loads(described["reading"]) == pytest.approx({"fer2013": 1 / 3, "ferplus": 1 / 3, "rafdb": 1 / 3})
    assert json.loads(described["heads"]) == {"fer2013": [0, 7], "ferplus": [7, 15], "rafdb": [15, 22]}
    assert model.size == 64
    assert model.read(np.zeros((2, 64, 64), np.uint8)).shape == (2, 22)
    assert described["licence"] == "research, non-commercial; learned from FER2013, FER+ and RAF-DB"
    assert described["trained_on"].endswith("; FER+ votes; RAF-DB")


def test_a_head_learns_nothing_of_the_rows_of_other_sets(fer: Path, raf: Path):
    first = objective.examples(datasets.read(fer / "fer2013.csv", fer / "fer2013new.csv"), BOTH).take(torch.arange(4))
    second = objective.examples_beside(labelled_faces.framed(datasets.read(raf).of("train"), 64), BOTH)
    for batch, learned in ((first, slice(15)), (second, slice(15, 22))):
        logits = torch.zeros(len(batch.weights), 22, requires_grad=True)
        objective.loss(logits, batch, BOTH).backward()
        assert logits.grad is not None
        assert (logits.grad[:, learned] != 0).all()
        assert logits.grad.count_nonzero() == logits.grad[:, learned].numel()


def test_a_further_set_weighs_its_classes_by_the_inverse_root_of_their_counts(raf: Path):
    faces = labelled_faces.framed(datasets.read(raf), 64)
    rows = np.concatenate([np.flatnonzero(faces.labels == 0), np.flatnonzero(faces.labels == 1)[:1]])  # four and one
    weights = objective.examples_beside(faces.take(rows), BOTH).others.sum(1)
    assert weights.mean() == pytest.approx(1)
    assert weights[-1] / weights[0] == pytest.approx(2)


def test_teachers_tell_the_old_heads_what_a_further_set_shows(raf: Path):
    batch = objective.examples_beside(labelled_faces.framed(datasets.read(raf).of("test"), 64), BOTH)
    reading = torch.randn(7, 15, generator=torch.Generator().manual_seed(1))
    taught = objective.taught(batch, [reading], Recipe(also=("rafdb",), follow=0.5))
    torch.testing.assert_close(taught.labels, reading[:, :7].softmax(1) / 2)
    torch.testing.assert_close(taught.shares, reading[:, 7:].softmax(1) / 2)
    assert torch.equal(taught.others, batch.others)


def test_a_teacher_with_a_head_more_teaches_those_that_both_have(raf: Path):
    batch = objective.examples_beside(labelled_faces.framed(datasets.read(raf).of("test"), 64), BOTH)
    reading = torch.randn(7, 22, generator=torch.Generator().manual_seed(1))
    taught = objective.taught(batch, [reading], Recipe(also=("rafdb",), follow=1.0))
    torch.testing.assert_close(taught.shares, reading[:, 7:15].softmax(1))


def test_a_new_head_begins_as_the_one_of_labels_and_the_others_as_they_were():
    shipped = predictor.load_network(registry.find_expression("rmn_face"))[0].eval()
    settings = Recipe(start="rmn_face", trunk="", also=("rafdb",), public=0.9)
    network = model_setup.make(settings, torch.zeros(1, 48, 48, dtype=torch.uint8)).eval()
    faces = torch.rand(2, 1, 112, 112) * 255
    with torch.no_grad():
        found, known = network(faces), shipped(faces)
    torch.testing.assert_close(found[:, :15], known)
    torch.testing.assert_close(found[:, 15:], known[:, :7])


def test_a_start_of_another_layout_is_refused_by_name():
    settings = Recipe(start="rmn_face", network="rmn_compact", trunk="", public=0.9)
    with pytest.raises(WeightsError, match="rmn_face is no rmn_compact with 15 labels to start from"):
        model_setup.make(settings, torch.zeros(1, 48, 48, dtype=torch.uint8))


def test_an_aligned_set_is_framed_as_fer2013_with_edges_replicated():
    across = np.broadcast_to(np.arange(100, dtype=np.uint8)[None, :, None] * 2, (100, 100, 3))
    faces = labelled_faces.Faces("rafdb", [across], np.zeros(1, np.int64), np.array([""]))
    framed = labelled_faces.framed(faces, 111).pictures[0]
    assert framed.shape == (111, 111)
    # The square begins 6.8 px left of the picture, whose own columns follow pixel by pixel; nothing is black.
    np.testing.assert_allclose(framed[50, 10:100], 2 * (np.arange(10, 100) - 6.8), atol=1)
    assert framed[:, :6].max() == 0
    assert framed[:, 107:].min() == 198


def test_how_an_unknown_set_frames_a_face_is_not_guessed():
    faces = labelled_faces.Faces("mine", [np.zeros((9, 9, 3), np.uint8)], np.zeros(1, np.int64), np.array([""]))
    with pytest.raises(SceneferError, match="how mine frames a face is unknown; known: rafdb"):
        labelled_faces.framed(faces, 64)


def test_a_table_whose_rows_are_all_of_one_split_is_not_split(tmp_path: Path, raf: Path):
    assert sorted(set(datasets.read(raf).split)) == ["test", "train"]
    pd.read_parquet(raf).query("split == 'train'").to_parquet(tmp_path / "stills.parquet")
    assert set(datasets.read(tmp_path / "stills.parquet").split) == {""}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param(("rafdb", "ck48"), "how 'ck48' frames a face is unknown; also knows rafdb", id="unknown"),
        pytest.param(('["rafdb"]', '["rafdb", "rafdb"]'), "rmn_face, each once", id="twice"),
        pytest.param(("rmn_face", "rmn_lite"), "rmn_face, each once", id="another network"),
        pytest.param(("[[0, 64]]", "[[0, 64], [1, 96]]"), r"cut at one side: sides = \[\[0, 96\]\]", id="sides"),
        pytest.param(('["rafdb"]', '"rafdb"'), "also must be a list of names", id="no list"),
    ],
)
def test_further_sets_that_no_run_could_learn_are_refused(recipe: Path, change: tuple[str, str], said: str):
    recipe.write_text(JOINT.replace(*change))
    with pytest.raises(PlanError, match=said):
        read_recipe(recipe)


def test_files_of_further_sets_must_be_those_that_the_recipe_names(tmp_path: Path, fer: Path, raf: Path, recipe: Path):
    data = fer / "fer2013.csv", fer / "fer2013new.csv"
    with pytest.raises(PlanError, match=r"learns from rafdb too; give rafdb\.parquet as --also"):
        train(recipe, tmp_path / "run", *data)
    recipe.write_text(JOINT.replace('also = ["rafdb"]', ""))
    with pytest.raises(PlanError, match="does not learn from rafdb; leave it out"):
        train(recipe, tmp_path / "run", *data, also=[raf])
    assert not (tmp_path / "run").exists()
