"""Data sets are read as people have them, and nothing leaks from the tests into the training."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from scenefer.core.errors import SceneferError
from scenefer.training import datasets, ferplus, labelled_faces, leakage
from scenefer.training.labelled_faces import OTHER, Faces
from tests.training.conftest import pictures


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
    assert np.array_equal(ferplus.majority(faces.votes), faces.labels)


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
    assert "1 broken" in labelled_faces.summary(faces)


def test_colour_pictures_are_not_framed(tmp_path: Path):
    (tmp_path / "sad").mkdir()
    Image.fromarray(np.zeros((60, 50, 3), np.uint8)).save(tmp_path / "sad" / "still.jpg")
    faces = datasets.read(tmp_path)
    assert not faces.framed
    assert faces.pictures[0].shape == (60, 50, 3)


def test_pictures_are_read_as_they_are_shown(tmp_path: Path):
    (tmp_path / "sad").mkdir()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.zeros((60, 100, 3), np.uint8)).save(tmp_path / "sad" / "lying.jpg", exif=exif)
    Image.fromarray(np.linspace(3000, 65535, 400).reshape(20, 20).astype(np.uint16)).save(tmp_path / "sad" / "deep.png")
    deep, lying = datasets.read(tmp_path).pictures
    assert lying.shape == (100, 60, 3)
    assert (deep.min(), deep.max()) == (11, 255)


def test_rows_without_a_label_are_refused(tmp_path: Path):
    pictures = [_png(np.zeros((20, 20), np.uint8))] * 3
    pd.DataFrame({"image": pictures, "label": pd.array([0, None, 3], "Int64")}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(SceneferError, match="1 rows have no label"):
        datasets.read(tmp_path / "a.parquet")


def test_a_table_of_pictures_is_read_with_its_own_words(tmp_path: Path):
    table = pd.DataFrame(
        {
            "image": [_png(np.full((20, 20), 9, np.uint8))] * 3,
            "label": ["anger", "contempt", "sadness"],
            "film": list("abb"),
        }
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
    with pytest.raises(SceneferError, match="has no labelled pictures; expected pictures in folders named angry"):
        datasets.read(tmp_path)
    with pytest.raises(SceneferError, match=r"is not there; FER\+ is at https"):
        datasets.read(_fer2013(tmp_path, "0," + BLACK), tmp_path / "fer2013new.csv")


BLACK = " ".join(["0"] * 48 * 48)


def _fer2013(folder: Path, *rows: str) -> Path:
    path = folder / "faces.csv"
    path.write_text("emotion,pixels,Usage\n" + "".join(f"{row},Training\n" for row in rows))
    return path


def _png(picture: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        pytest.param("a.csv", b"\x00\xff\xfe\x00" * 40, "cannot be read: .*expected fer2013", id="binary CSV"),
        pytest.param("a.csv", b"", "cannot be read: .*expected fer2013", id="empty CSV"),
        pytest.param("a.parquet", b"PAR1 and no more", "cannot be read: .*expected image and label", id="damaged"),
        pytest.param(
            "a.csv", f"emotion,pixels,Usage\nx,{BLACK},Training\n".encode(), "unknown labels x; known", id="a word"
        ),
        pytest.param(
            "a.csv", f"emotion,pixels,Usage\n7,{BLACK},Training\n".encode(), "must be 0 to 6, .*found 7", id="an eighth"
        ),
        pytest.param("a.csv", b"emotion,pixels,Usage\n0,1 2 3,Training\n", "does not have 48×48", id="too few pixels"),
        pytest.param("happy/a.png", b"no picture", "none of its 1 pictures can be read", id="all broken"),
    ],
)
def test_what_cannot_be_read_is_refused_in_a_line(tmp_path: Path, name: str, content: bytes, said: str):
    path = tmp_path / "set" / name
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    with pytest.raises(SceneferError, match=said) as refusal:
        datasets.read(path if path.suffix != ".png" else tmp_path / "set")
    assert "\n" not in str(refusal.value)


def test_votes_are_joined_to_a_folder_by_name_and_refused_where_no_name_is_known(fer: Path, tmp_path: Path):
    (tmp_path / "train" / "happy").mkdir(parents=True)
    for number in (10, 3):
        (tmp_path / "train" / "happy" / f"fer{number:07d}.png").write_bytes(_png(pictures(70)[number]))
    faces = datasets.read(tmp_path, fer / "fer2013new.csv")
    assert faces.votes is not None
    assert faces.votes[:, 3].tolist() == [8, 8]
    for file in (tmp_path / "train" / "happy").iterdir():
        file.rename(file.with_name("Training_" + file.name[-5:]))
    with pytest.raises(SceneferError, match=r"has votes for none of the pictures, such as Training_0\.png"):
        datasets.read(tmp_path, fer / "fer2013new.csv")


def test_a_folder_that_holds_both_test_splits_is_told_apart_by_name(tmp_path: Path):
    (tmp_path / "test" / "sad").mkdir(parents=True)
    for number, name in enumerate(("PrivateTest_88305.jpg", "PublicTest_104142.jpg")):
        (tmp_path / "test" / "sad" / name).write_bytes(_png(pictures(2)[number]))
    assert datasets.read(tmp_path).split.tolist() == ["PrivateTest", "PublicTest"]


def test_jaffe_is_read_as_its_makers_give_it(tmp_path: Path):
    for name in ("KA.AN1.39.tiff", "KA.NE3.28.tiff", "YM.SU2.60.tiff", "README.tiff"):
        Image.fromarray(np.zeros((256, 256), np.uint8)).save(tmp_path / name)
    faces = datasets.read(tmp_path)
    assert faces.group is not None
    assert list(zip(faces.labels.tolist(), faces.group.tolist(), strict=True)) == [(0, "KA"), (6, "KA"), (5, "YM")]
    assert faces.pictures[0].shape == (256, 256, 3), "grey pictures of other sides than 48 are looked into"


def test_ck_is_read_as_its_makers_give_it(tmp_path: Path):
    for person, emotion in (("S005", "   3.0000000e+00\n"), ("S010", None), ("S011", "   2.0000000e+00\n")):
        frames = tmp_path / "cohn-kanade-images" / person / "001"
        frames.mkdir(parents=True)
        for number in (1, 2, 11):
            Image.fromarray(np.full((49, 64), number, np.uint8)).save(frames / f"{person}_001_{number:08d}.png")
        notes = tmp_path / "Emotion" / person / "001"
        notes.mkdir(parents=True)
        if emotion is not None:
            (notes / f"{person}_001_00000011_emotion.txt").write_text(emotion)
    faces = datasets.read(tmp_path)
    assert faces.group is not None
    assert faces.group.tolist() == ["S005"] * 2 + ["S011"] * 2
    assert faces.labels.tolist() == [6, 1, 6, OTHER]
    assert [int(picture[0, 0, 0]) for picture in faces.pictures] == [1, 11, 1, 11], "the first frame and the peak"


def test_colour_pictures_of_48_pixels_are_taken_as_framed_and_their_leaks_found(tmp_path: Path):
    for split in ("train", "test"):
        (tmp_path / split / "fear").mkdir(parents=True)
        face = np.repeat(pictures(1)[0][:, :, None], 3, axis=2)
        (tmp_path / split / "fear" / "a.png").write_bytes(_png(face))
    faces = datasets.read(tmp_path)
    assert faces.framed
    assert np.array_equal(faces.pictures[0], pictures(1)[0])
    assert leakage.without_leaks(faces).split.tolist() == ["PrivateTest"]


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
    assert ferplus.majority(np.array([votes], np.float32)).tolist() == [found]


def test_single_votes_are_slips_and_no_face_teaches_nothing():
    votes = np.array([[6, 1, 0, 0, 2, 0, 0, 0, 1, 0], [5, 0, 0, 0, 0, 0, 0, 0, 0, 5]], np.float32)
    shares = ferplus.targets(votes)
    assert shares[0].tolist() == [0.75, 0, 0, 0, 0.25, 0, 0, 0]
    assert shares[1].tolist() == [0] * 8


def test_a_share_of_publictest_teaches_and_no_photograph_of_its_rest_does():
    known = pictures(60)
    shown = np.concatenate([known[:40], known[20:50, :, ::-1]])  # PublicTest's first half are mirrored copies
    split = np.repeat(["Training", "PublicTest"], [40, 30])
    faces = Faces("tiny", shown, np.arange(70), split)
    rows = {}
    for share in (0.3, 0.6):
        kept = leakage.without_leaks(faces, share)
        drawn, left = (
            set(kept.labels[(kept.split == name) & (kept.labels >= 40)]) for name in ("Training", "PublicTest")
        )
        rows[share] = drawn
        assert drawn | left == set(range(40, 70))
        assert 0.5 * share < len(drawn) / 30 < 1.5 * share
        assert leakage.nearest(kept.of("Training"), kept.of("PublicTest"))[0].min() > leakage.NEAR
        assert set(range(20)) <= set(kept.labels.tolist()), "what shows nothing of PublicTest stays"
        assert {label - 20 for label in drawn if label < 60} <= set(kept.labels.tolist()), (
            "what is learned may be twice"
        )
    assert rows[0.3] < rows[0.6]
    order = np.random.default_rng(1).permutation(70)
    again = leakage.without_leaks(faces.take(order), 0.3)
    assert set(again.labels[(again.split == "Training") & (again.labels >= 40)]) == rows[0.3], "in any order"


LEAKING = np.array([5, 6]), np.array([0, 1, 7])  # of the pictures below


def test_a_test_photograph_is_left_out_of_training_also_mirrored_or_recompressed():
    known = pictures(6)
    face = known[4]
    noisy = np.clip(face + np.random.default_rng(0).normal(0, 8, face.shape), 0, 255).astype(np.uint8)
    shown = np.stack([known[0], face[:, ::-1], noisy, known[1], known[2], known[0], face, known[3]])
    split = np.array(["Training"] * 3 + ["PublicTest"] * 2 + ["PrivateTest"] * 2 + ["Training"])
    kept = leakage.without_leaks(Faces("tiny", shown, np.zeros(8, np.int64), split))
    assert kept.split.tolist() == ["PublicTest", "PublicTest", "PrivateTest", "PrivateTest", "Training"]
    assert np.array_equal(kept.pictures[-1], known[3])
    tests, training = (Faces("tiny", shown[rows], np.zeros(len(rows), np.int64), split[rows]) for rows in LEAKING)
    bits, rows = leakage.nearest(tests, training)
    assert bits[1] == 0
    assert rows.tolist() == [0, 1], "the one that is equal, and the one that is mirrored"
