"""Data sets are read as people have them, and nothing leaks from the tests into the training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from scenefer.errors import SceneferError
from scenefer.training import datasets
from scenefer.training.datasets import OTHER, Faces

from .conftest import pictures


def test_fer2013_is_read_with_its_splits_and_labels(fer: Path):
    faces = datasets.read(fer / "fer2013.csv")
    assert len(faces) == 70
    assert faces.framed
    assert faces.labels[:8].tolist() == [0, 1, 2, 3, 4, 5, 6, 0]
    assert [len(faces.of(split)) for split in ("Training", "PublicTest", "PrivateTest")] == [42, 14, 14]
    assert np.array_equal(faces.pictures, pictures(70))


def test_votes_are_joined_by_name_not_by_row(fer: Path):
    faces = datasets.read(fer / "fer2013.csv", fer / "fer2013new.csv")
    assert faces.votes is not None
    assert faces.votes[3].tolist() == [0, 0, 0, 8, 0, 0, 0, 2, 0, 0]
    assert np.array_equal(datasets.majority(faces.votes), faces.labels)


def test_a_folder_of_class_folders_is_read_broken_files_reported(tmp_path: Path):
    for split, word in (("train", "angry"), ("test", "Happiness")):
        (tmp_path / split / word).mkdir(parents=True)
        Image.fromarray(np.zeros((48, 48), np.uint8)).save(tmp_path / split / word / "a.png")
    (tmp_path / "train" / "angry" / "b.png").write_bytes(b"no picture")
    (tmp_path / "train" / "notes").mkdir()
    (tmp_path / "train" / "notes" / "c.txt").write_text("left alone")
    faces = datasets.read(tmp_path)
    assert sorted(zip(faces.split.tolist(), faces.labels.tolist(), strict=True)) == [
        ("PrivateTest", 3),
        ("Training", 0),
    ]
    assert [Path(name).name for name in faces.broken] == ["b.png"]
    assert "1 broken" in datasets.summary(faces)


def test_colour_pictures_are_not_framed(tmp_path: Path):
    (tmp_path / "sad").mkdir()
    Image.fromarray(np.zeros((60, 50, 3), np.uint8)).save(tmp_path / "sad" / "still.jpg")
    faces = datasets.read(tmp_path)
    assert not faces.framed
    assert faces.pictures[0].shape == (60, 50, 3)


def test_a_table_of_pictures_is_read_with_its_own_words(tmp_path: Path):
    import io

    buffer = io.BytesIO()
    Image.fromarray(np.full((20, 20), 9, np.uint8)).save(buffer, "PNG")
    table = pd.DataFrame(
        {"image": [buffer.getvalue()] * 3, "label": ["anger", "contempt", "sadness"], "film": list("abb")}
    )
    table.to_parquet(tmp_path / "stills.parquet")
    faces = datasets.read(tmp_path / "stills.parquet")
    assert faces.labels.tolist() == [0, OTHER, 4]
    assert faces.group is not None
    assert faces.group.tolist() == ["a", "b", "b"]


def test_a_missing_or_wrong_file_says_where_to_get_the_right_one(tmp_path: Path):
    with pytest.raises(SceneferError, match=r"is not there; FER2013 .*kaggle"):
        datasets.read(tmp_path / "fer2013.csv")
    (tmp_path / "wrong.csv").write_text("a,b\n1,2\n")
    with pytest.raises(SceneferError, match=r"has the columns a, b; .*expected fer2013\.csv"):
        datasets.read(tmp_path / "wrong.csv")
    with pytest.raises(SceneferError, match="has no pictures in folders named"):
        datasets.read(tmp_path)


@pytest.mark.parametrize(
    ("votes", "found"),
    [
        pytest.param([5, 0, 0, 0, 0, 0, 4, 0, 1, 0], 0, id="most votes"),
        pytest.param([5, 0, 0, 0, 0, 0, 5, 0, 0, 0], OTHER, id="tied"),
        pytest.param([4, 0, 0, 0, 0, 0, 1, 5, 0, 0], OTHER, id="contempt"),
        pytest.param([2, 0, 0, 0, 0, 0, 1, 0, 6, 1], OTHER, id="unknown"),
        pytest.param([2, 0, 0, 0, 0, 0, 1, 0, 1, 6], OTHER, id="no face"),
        pytest.param([5, 0, 0, 0, 0, 0, 0, 0, 5, 0], OTHER, id="tied with unknown"),
        pytest.param([0] * 10, OTHER, id="nobody"),
    ],
)
def test_the_majority_is_clear_or_there_is_none(votes: list[int], found: int):
    assert datasets.majority(np.array([votes], np.float32)).tolist() == [found]


def test_single_votes_are_slips_and_no_face_teaches_nothing():
    votes = np.array([[6, 1, 0, 0, 2, 0, 0, 0, 1, 0], [5, 0, 0, 0, 0, 0, 0, 0, 0, 5]], np.float32)
    shares = datasets.targets(votes)
    assert shares[0].tolist() == [0.75, 0, 0, 0, 0.25, 0, 0, 0]
    assert shares[1].tolist() == [0] * 8


def test_a_test_photograph_is_left_out_of_training_also_mirrored_or_recompressed():
    known = pictures(6)
    face = known[4]
    noisy = np.clip(face + np.random.default_rng(0).normal(0, 8, face.shape), 0, 255).astype(np.uint8)
    shown = np.stack([known[0], face[:, ::-1], noisy, known[1], known[2], known[0], face, known[3]])
    split = np.array(["Training"] * 3 + ["PublicTest"] * 2 + ["PrivateTest"] * 2 + ["Training"])
    kept = datasets.without_leaks(Faces("tiny", shown, np.zeros(8, np.int64), split))
    assert kept.split.tolist() == ["PublicTest", "PublicTest", "PrivateTest", "PrivateTest", "Training"]
    assert np.array_equal(kept.pictures[-1], known[3])
