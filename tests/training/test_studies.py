"""A study runs the rows whose data are here, goes on where it stopped, and says of the others what is absent."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from scenefer.core.errors import OutputError, PlanError, SceneferError
from scenefer.models import weight_files
from scenefer.models.selftest import PORTRAIT
from scenefer.training import light_distance, studies, study_data, study_rows
from scenefer.training.labelled_faces import Faces
from scenefer.training.studies import read
from scenefer.video import frames
from tests.program import complaints, make_film
from tests.program import scenefer as program

SHIPPED = sorted(studies.FOLDER.glob("*.toml"))
TINY = """
title = "Tiny"
about = "For a test."

[recipe]
votes = 0.0
epochs = 2
batch = 14
sides = [[0, 48]]
average = 0.5

[[row]]
networks = ["cnn_small", "ghostface"]
learn = ["fer2013:Training"]
test = ["fer2013:PrivateTest", "kfe"]
published = { "fer2013:PrivateTest" = 0.5 }

[[row]]
name = "Korean"
recipe = { network = "cnn_small" }
learn = ["kfe"]
test = ["fer2013:PublicTest"]
"""
ROW = '[[row]]\nlearn = ["fer2013:Training"]\ntest = ["kfe"]\n'


@pytest.fixture
def study(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.toml"
    path.write_text(TINY)
    return path


def _encoded(picture: np.ndarray) -> bytes:
    content = io.BytesIO()
    Image.fromarray(picture).save(content, "PNG")
    return content.getvalue()


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_studies_that_ship_can_be_read_and_say_what_they_stand_for(path: Path):
    found = read(path)
    assert found.title
    assert found.paper
    assert found.about
    assert found.rows or found.kind == "light_distance"
    names = {name.partition(":")[0] for row in found.rows for name in (*row.learn, *row.test)}
    assert names <= study_data.WHERE.keys(), "a set that is absent is somewhere to be had"
    assert all(set(row.published) <= set(row.test) for row in found.rows)


def test_the_published_tables_are_whole():
    assert {path.stem for path in SHIPPED} == {
        *("smoke", "film_rmn", "transfer_ckplus", "cross_culture", "robust_ghostface", "light_distance", "small_cnn"),
    }
    assert len(read(studies.FOLDER / "cross_culture.toml").rows) == 25
    film = {row.recipe.network: row.published for row in read(studies.FOLDER / "film_rmn.toml").rows}
    assert [film[name]["fer2013:PrivateTest"] for name in ("resnet34", "cbam_resnet34", "rmn")] == [
        0.7059,
        0.7167,
        0.7216,
    ]
    ghost = {row.name: row for row in read(studies.FOLDER / "robust_ghostface.toml").rows}
    assert ghost["RandAugment and MixUp"].recipe.augment.operations == 3
    assert ghost["RandAugment and MixUp"].recipe.augment.flip == 0.5, "what it does not name stays"
    assert ghost["30 % of the labels wrong"].wrong == 0.3


def test_the_smoke_study_runs_as_a_command_and_is_not_run_again(tmp_path: Path, fer: Path):
    smoke = tmp_path / "smoke.toml"  # the one that ships, in batches for 42 pictures
    smoke.write_text((studies.FOLDER / "smoke.toml").read_text().replace("batch = 30", "batch = 14"))
    arguments = ("study", smoke, "--data", fer, "--out", tmp_path / "out")
    done = program(*arguments, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    table = pd.read_parquet(tmp_path / "out" / "table.parquet")
    here = table[table["test"] == "fer2013:PublicTest"]
    assert here["row"].tolist() == ["cnn_small", "ghostface"]
    assert here["n"].tolist() == [14, 14]
    assert (here["low"] <= here["accuracy"]).all()
    assert (here["accuracy"] <= here["high"]).all()
    absent = table[table["test"] == "kfe"]
    assert absent["accuracy"].isna().all()
    assert absent["missing"].str.contains("aihub.or.kr").all()
    page = (tmp_path / "out" / "index.html").read_text()
    assert page.count("aihub.or.kr") == 2
    assert "from scratch" in page
    weights = tmp_path / "out" / "cnn_small" / "best.safetensors"
    before = weights.stat().st_mtime_ns, (tmp_path / "out" / "cnn_small" / "result.json").stat().st_mtime_ns
    assert not complaints(program(*arguments, cwd=tmp_path)), "nothing is left to be done"
    after = weights.stat().st_mtime_ns, (tmp_path / "out" / "cnn_small" / "result.json").stat().st_mtime_ns
    assert before == after


class Killed(Exception):
    """Stands for a kill in the middle of a row."""


def test_a_study_that_is_killed_goes_on_in_the_row_and_notes_each_look_at_privatetest(
    tmp_path: Path, fer: Path, study: Path
):
    def kill(what: str, step: int, steps: int) -> None:
        if what.startswith("ghostface: epoch 2"):
            raise Killed

    out = tmp_path / "out"
    with pytest.raises(Killed):
        studies.run(str(study), [fer], out, progress=kill)
    assert (out / "cnn_small" / "result.json").exists()
    assert not (out / "ghostface" / "result.json").exists()
    seen: list[str] = []
    table = studies.run(str(study), [fer], out, progress=lambda what, *_: seen.append(what))
    assert {what.split(":")[0] for what in seen} == {"ghostface"}, "the row that is done is not learned again"
    found = table.set_index(["row", "test"])
    assert found.loc[("ghostface", "fer2013:PrivateTest"), ["epochs", "planned", "n"]].tolist() == [2, 2, 14]
    assert found.loc[("Korean", "fer2013:PublicTest"), "missing"].startswith("kfe is not here")
    ledger = [json.loads(line) for line in (out / "privatetest.jsonl").read_text().splitlines()]
    assert len(ledger) == 2
    other = tmp_path / "other.toml"
    other.write_text(TINY)
    with pytest.raises(PlanError, match="holds the study tiny"):
        studies.run(str(other), [fer], out)


def test_a_budget_cuts_epochs_and_leaves_rows_for_another_call(tmp_path: Path, fer: Path, study: Path):
    study.write_text(TINY.replace("epochs = 2", "epochs = 900"))
    table = studies.run(str(study), [fer], tmp_path / "out", budget=2 / 3600)
    done = table[table["accuracy"].notna()]
    assert 1 <= done["epochs"].iloc[0] < 900
    assert (done["planned"] == 900).all()
    none = studies.run(str(study), [fer], tmp_path / "none", budget=0.0)
    assert none["missing"].tolist()[0] == "the budget is spent; call again"


def test_a_row_begins_with_what_another_has_learned(tmp_path: Path, fer: Path):
    begins = _row("second", "fer2013:Training", "fer2013:PublicTest", more='begins_with = "first"')
    path = _short(tmp_path / "transfer.toml", _row("first", "fer2013:Training", "fer2013:PublicTest"), begins)
    table = studies.run(str(path), [fer], tmp_path / "out").set_index("row")
    first = weight_files.sha256_of(tmp_path / "out" / "first" / "best.safetensors")
    assert table["started_from"].tolist() == ["from scratch", f"weights {first[:12]}"]
    assert table["accuracy"].notna().all()
    path.write_text(path.read_text().replace('begins_with = "first"', ""))
    with pytest.raises(PlanError, match="second learns or learned by begins_with = 'first', now None"):
        studies.run(str(path), [fer], tmp_path / "out")


def test_a_row_waits_for_the_one_that_it_begins_with(tmp_path: Path, fer: Path):
    begins = _row("second", "fer2013:Training", "fer2013:PublicTest", more='begins_with = "first"')
    path = _short(tmp_path / "transfer.toml", _row("first", "kfe", "kfe"), begins)
    table = studies.run(str(path), [fer], tmp_path / "out").set_index("row")
    assert table.loc["second", "missing"] == "it begins with what the row 'first' learns, and that has not learned yet"


def test_labels_are_made_wrong_in_the_share_that_is_asked_for():
    labels = np.arange(1000) % 7
    wrong = study_rows.mislabelled(labels, 0.3, seed=0)
    assert (wrong != labels).mean() == 0.3
    assert np.array_equal(wrong, study_rows.mislabelled(labels, 0.3, seed=0))
    assert set(wrong) == set(range(7))
    assert np.array_equal(study_rows.mislabelled(labels, 0.0, seed=0), labels)


def test_a_split_by_subject_parts_people_and_one_by_chance_does_not(tmp_path: Path):
    draws = np.random.default_rng(1)
    rows = [
        (_encoded(draws.integers(0, 256, (48, 48), np.uint8)), number % 7, f"S{number // 10}") for number in range(200)
    ]
    pd.DataFrame(rows, columns=["image", "label", "subject"]).to_parquet(tmp_path / "ck48.parquet")
    shelf = study_data.Shelf([tmp_path])
    for way, shared in (("subject", 0), ("random", 15)):
        train, test = (shelf.faces(f"ck48:{way}-{part}") for part in ("train", "test"))
        assert len(train) + len(test) == 200
        assert 30 <= len(test) <= 50
        assert train.group is not None
        assert test.group is not None
        assert len(set(train.group) & set(test.group)) >= shared
        if not shared:
            assert not set(train.group) & set(test.group)


def test_faces_that_are_not_found_count_as_wrong(tmp_path: Path):
    portrait = np.asarray(Image.open(PORTRAIT).convert("RGB").resize((128, 128)))
    rows = [(_encoded(portrait), "happy"), (_encoded(np.zeros((128, 128, 3), np.uint8)), "happy")]
    pd.DataFrame(rows, columns=["image", "label"]).to_parquet(tmp_path / "jaffe.parquet")
    found = study_data.Shelf([tmp_path]).cut("jaffe", 64)
    assert found.found.tolist() == [True, False]
    assert np.asarray(found.faces.pictures).shape == (1, 64, 64)
    assert len(found.labels) == 2


def test_faces_in_whole_pictures_are_written_as_boxes_with_label_and_probability(
    tmp_path: Path, fer: Path, study: Path
):
    portrait = np.asarray(Image.open(PORTRAIT).convert("RGB").resize((256, 256)))
    pd.DataFrame({"image": [_encoded(portrait)], "label": ["happy"]}).to_parquet(tmp_path / "jaffe.parquet")
    row = 'learn = ["fer2013:Training"]\ntest = ["fer2013:PublicTest", "jaffe"]\nboxes = true'
    study.write_text(
        TINY[: TINY.index("[[row]]")].replace("epochs = 2", "epochs = 1") + f'[[row]]\nnetworks = ["cnn_small"]\n{row}'
    )
    studies.run(str(study), [fer, tmp_path], tmp_path / "out")
    (box,) = pd.read_csv(tmp_path / "out" / "cnn_small" / "jaffe.csv").to_dict("records")
    assert [*box] == ["image", "xmin", "ymin", "xmax", "ymax", "emo_label", "emo_proba"]
    assert 0 <= box["xmin"] < box["xmax"] <= 256
    assert 1 / 7 < box["emo_proba"] <= 1
    assert not (tmp_path / "out" / "cnn_small" / "fer2013_PublicTest.csv").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rows = 3", "unknown key 'rows'; did you mean 'row'"),
        ('[[row]]\nlearn = ["fer2013"]', "row 1: says no 'test'"),
        ('[[row]]\nlern = ["fer2013"]', "unknown key 'lern'; did you mean 'learn'"),
        ('[[row]]\nnetworks = ["resnet"]\nlearn = []\ntest = []', "unknown network 'resnet'"),
        ('title = "Empty"', r"says no \[\[row\]\]"),
        ("title = 5", "title must be of type str, not 5"),
        ('kind = "distance"', "unknown kind 'distance'"),
        ("recipe = 5", "recipe must be a section"),
        ("row = [1]", r"row must be sections, each begun by \[\[row\]\]"),
        ("row = 1", "row must be sections"),
        (f"{ROW}recipe = 5", "row 1: recipe must be a section"),
        (f"[recipe]\naugment = 5\n{ROW}", "row 1: augment must be a section"),
        (f"{ROW}published = 0.7", "row 1: published must be shares from 0 to 1 by test"),
        (f"{ROW}published = {{ kfe = 70 }}", "row 1: published must be shares from 0 to 1"),
        (f'{ROW}published = {{ kfe = "0.7" }}', "row 1: published must be shares from 0 to 1"),
        (f"{ROW}published = {{ kef = 0.7 }}", "row 1: published: it is not tried on 'kef'; did you mean 'kfe'"),
        (f"{ROW}published_top5 = {{ kef = 0.7 }}", "row 1: published_top5: it is not tried on 'kef'"),
        (f'{ROW}wrong = "x"', "row 1: wrong must be of type float, not 'x'"),
        (f"{ROW}wrong = 1.5", "row 1: wrong must be between 0 and 1, not 1.5"),
        (f"{ROW}wrong = -0.1", "row 1: wrong must be between 0 and 1"),
        (f'{ROW}name = "a"\n{ROW}begins_with = "b"\nname = "c"', "'c' begins with 'b', which is no earlier row of its"),
        (f'{ROW}name = "a"\nbegins_with = "a"', "'a' begins with 'a', which is no earlier row of its network"),
        (f"{ROW}boxes = 1", "row 1: boxes must be of type bool, not 1"),
        (f"{ROW}name = 3", "row 1: name must be of type str"),
        ('[[row]]\nlearn = "fer2013:Training"\ntest = ["kfe"]', "row 1: learn must be a list of names"),
        ('[[row]]\nlearn = ["fer2013"]\ntest = [3]', "row 1: test must be a list of names"),
        (f'{ROW}networks = "rmn"', "row 1: networks must be a list of names"),
        (f'{ROW}name = "a b"\n{ROW}name = "A-b"', "'A-b' would have the folder 'a_b', as 'a b' does"),
        (f'{ROW}name = "Study"', "'Study' would have the folder 'study'"),
        (f'{ROW}name = "!?"', "'!\\?' would have the folder '', which has no letter"),
    ],
)
def test_a_study_that_makes_no_sense_is_refused(tmp_path: Path, text: str, said: str):
    path = tmp_path / "odd.toml"
    path.write_text(text)
    with pytest.raises(PlanError, match=said) as refused:
        read(path)
    assert str(path) in str(refused.value)


def _short(path: Path, *rows: str) -> Path:
    """Write a study of rows that learn for one epoch."""
    path.write_text(TINY[: TINY.index("[[row]]")].replace("epochs = 2", "epochs = 1") + "\n".join(rows))
    return path


def _row(name: str, learn: str, *tests: str, more: str = "") -> str:
    return (
        f'[[row]]\nname = "{name}"\nrecipe = {{ network = "cnn_small" }}\nlearn = ["{learn}"]\n'
        f"test = {json.dumps(tests)}\n{more}\n"
    )


def _set(path: Path, n: int, *, word: str = "", side: int = 48, people: int | None = None) -> None:
    """Write a set of noise, in which nobody is seen unless it is framed."""
    draws = np.random.default_rng(1)
    shape = (side, side) if side == 48 else (side, side, 3)
    table = pd.DataFrame({"image": [_encoded(draws.integers(0, 256, shape, np.uint8)) for _ in range(n)]})
    table["label"] = [word] * n if word else [number % 7 for number in range(n)]
    if people:
        table["subject"] = [f"S{number % people}" for number in range(n)]
    table.to_parquet(path)


def test_a_test_set_that_arrives_later_is_tried_without_learning_again(tmp_path: Path, fer: Path):
    path = _short(tmp_path / "late.toml", _row("one", "fer2013:Training", "fer2013:PrivateTest", "kfe"))
    out = tmp_path / "out"
    before = studies.run(str(path), [fer, tmp_path], out)
    assert before["missing"].tolist()[1].startswith("kfe is not here")
    weights = out / "one" / "best.safetensors"
    stamp = weights.stat().st_mtime_ns
    _set(tmp_path / "kfe.parquet", 21)
    seen: list[str] = []
    after = studies.run(str(path), [tmp_path], out, budget=0.0, progress=lambda what, *_: seen.append(what))
    assert after["n"].tolist() == [14, 21], "what was learned need not be here any more"
    assert after["missing"].tolist() == ["", ""]
    assert after["epochs"].tolist() == [1, 1]
    assert not seen
    assert weights.stat().st_mtime_ns == stamp
    assert len((out / "privatetest.jsonl").read_text().splitlines()) == 1, "PrivateTest was looked at once"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("epochs = 1", "epochs = 3", "epochs = 1, now 3"),
        ('learn = ["fer2013:Training"]', 'learn = ["fer2013:PublicTest"]', "learn = "),
        ("wrong = 0.0", "wrong = 0.3", "wrong = 0.0, now 0.3"),
    ],
)
def test_figures_never_stand_beside_a_recipe_that_they_are_not_of(
    tmp_path: Path, fer: Path, old: str, new: str, said: str
):
    def kill(*_: object) -> None:
        raise Killed

    path = _short(tmp_path / "one.toml", _row("one", "fer2013:Training", "fer2013:PublicTest", more="wrong = 0.0"))
    for folder, progress in (("done", lambda *_: None), ("begun", kill)):
        with suppress(Killed):
            studies.run(str(path), [fer], tmp_path / folder, progress=progress)
    stated = path.read_text()
    assert old in stated
    path.write_text(stated.replace(old, new))
    for folder in ("done", "begun"):
        with pytest.raises(PlanError, match=f"one learns or learned by .*{said}.*choose another --out"):
            studies.run(str(path), [fer], tmp_path / folder)
    path.write_text(stated + 'published = { "fer2013:PublicTest" = 0.5 }\n')
    assert studies.run(str(path), [fer], tmp_path / "done")["published"].tolist() == [0.5], "no weight depends on it"


def test_too_little_to_learn_from_is_one_clear_line(tmp_path: Path, fer: Path):
    _set(tmp_path / "ck48.parquet", 30, people=1)
    _set(tmp_path / "rafdb.parquet", 8, word="contempt")
    _set(tmp_path / "jaffe.parquet", 8, side=96)
    names = ("fer2013:Training", "ck48", "rafdb", "jaffe")
    path = _short(tmp_path / "few.toml", *(_row(name, name, "fer2013:PublicTest") for name in names))
    path.write_text(path.read_text().replace("batch = 14", "batch = 60"))
    for budget in (None, 1.0):
        table = studies.run(str(path), [fer, tmp_path], tmp_path / str(budget), budget)
        few, person, none, faceless = table["missing"]
        assert "pictures to learn from are fewer than a batch of 60" in few
        assert "all 30 pictures are of one person" in person
        assert "rafdb: no picture is left that shows one of angry" in none
        assert "jaffe: no face is found in any of its 8 pictures" in faceless


def test_a_set_that_fails_ends_its_row_or_its_test_and_not_the_study(tmp_path: Path, fer: Path):
    (tmp_path / "rafdb.parquet").write_bytes(b"no table")
    _set(tmp_path / "jaffe.parquet", 8, side=96)
    tests = ("fer2013:nowhere", "jaffe", "fer2013:PublicTest", "rafdb")
    path = _short(
        tmp_path / "odd.toml",
        _row("damaged", "rafdb", "fer2013:PublicTest"),
        _row("no split", "fer2013:nowhere", "fer2013:PublicTest"),
        _row("no people", "fer2013:subject-train", "fer2013:PublicTest"),
        _row("whole", "fer2013:Training", *tests),
    )
    out = tmp_path / "out"
    table = studies.run(str(path), [fer, tmp_path], out).set_index(["row", "test"])
    said = table["missing"].to_dict()
    assert "rafdb.parquet cannot be read" in said["damaged", "fer2013:PublicTest"]
    assert "has no split 'nowhere'" in said["no split", "fer2013:PublicTest"]
    assert "does not say who is who" in said["no people", "fer2013:PublicTest"]
    assert "has no split 'nowhere'" in said["whole", "fer2013:nowhere"]
    assert said["whole", "jaffe"] == "jaffe: no face is found in any of its 8 pictures"
    assert "rafdb.parquet cannot be read" in said["whole", "rafdb"]
    assert table.loc[("whole", "fer2013:PublicTest"), "n"] == 14
    _set(tmp_path / "rafdb.parquet", 21)
    again = studies.run(str(path), [fer, tmp_path], out, budget=0.0).set_index(["row", "test"])
    assert again.loc[("whole", "rafdb"), "n"] == 21, "a set that was mended is tried again"


def test_a_folder_that_cannot_be_written_ends_the_study(tmp_path: Path, fer: Path):
    path = _short(tmp_path / "one.toml", _row("one", "fer2013:Training", "fer2013:PrivateTest"))
    (tmp_path / "out" / "privatetest.jsonl").mkdir(parents=True)
    with pytest.raises(OutputError, match=r"privatetest\.jsonl cannot be written"):
        studies.run(str(path), [fer], tmp_path / "out")


def test_a_set_that_may_not_be_read_is_not_said_to_be_unwritable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def forbidden(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "kfe").mkdir()
    monkeypatch.setattr(study_data.datasets, "read", forbidden)
    path = _short(tmp_path / "one.toml", _row("one", "kfe", "kfe"))
    (said,) = studies.run(str(path), [tmp_path], tmp_path / "out")["missing"]
    assert said == f"{tmp_path / 'kfe'} cannot be read: Permission denied"


def test_labels_count_as_recovered_only_among_those_that_were_learned(
    tmp_path: Path, fer: Path, monkeypatch: pytest.MonkeyPatch
):
    asked: list[int] = []
    recovered = study_rows._recovered

    def counted(weights: Path, faces: Faces, true: np.ndarray) -> float | None:
        asked.append(len(faces))
        assert len(true) == len(faces)
        return recovered(weights, faces, true)

    monkeypatch.setattr(study_rows, "_recovered", counted)
    row = _row("one", "fer2013:Training", "fer2013:PublicTest", more="wrong = 0.5")
    table = studies.run(str(_short(tmp_path / "one.toml", row)), [fer], tmp_path / "out")
    assert asked == table["n_learned"].tolist()
    assert 0 <= table["recovered"].tolist()[0] <= 1
    page = (tmp_path / "out" / "index.html").read_text()
    assert "narrower than they should be" in page
    assert "faces/s of processor time" in page


def test_data_that_is_no_folder_is_refused(tmp_path: Path):
    make_film(tmp_path / "clip.mkv", 1)
    done = program("study", "light_distance", "--data", "clip.mkv", "--out", "out", cwd=tmp_path)
    assert done.returncode == 2
    assert complaints(done)[-1].endswith("clip.mkv is no folder; give the folder that holds the sets")


def test_a_clip_is_read_no_farther_than_its_last_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    make_film(tmp_path / "clip_happy.mkv", 8)
    read: list[float] = []

    def noted(*arguments: Any, **options: Any) -> Iterator[Any]:
        for frame in frames(*arguments, **options):
            read.append(frame.time)
            yield frame

    monkeypatch.setattr(light_distance, "frames", noted)
    assert len(light_distance._spread(tmp_path / "clip_happy.mkv")) == 4
    assert 7 <= max(read) < 7.2


def test_a_set_that_is_absent_says_where_it_is(tmp_path: Path):
    with pytest.raises(SceneferError, match=r"rafdb is not here: RAF-DB .*whdeld\.cn"):
        study_data.Shelf([tmp_path]).faces("rafdb:train")


def test_a_face_farther_away_is_smaller_and_one_in_the_dark_darker():
    picture = np.asarray(Image.open(PORTRAIT).convert("RGB"))
    known = light_distance.Known(picture, (picture.shape[1] / 2, picture.shape[0] / 2), 200.0, 3)
    near, width = light_distance.seen_at(known, 0.5, 150, np.random.default_rng(0))
    _, half = light_distance.seen_at(known, 1.0, 150, np.random.default_rng(0))
    dark, _ = light_distance.seen_at(known, 0.5, 10, np.random.default_rng(0))
    assert near.shape == (480, 640, 3)
    assert width == pytest.approx(0.16 * 640 / (2 * np.tan(np.pi / 6) * 0.5))
    assert half == pytest.approx(width / 2)
    assert dark.mean() < 0.45 * near.mean()
    grain = _grey(known)
    bright, dim = (light_distance.seen_at(grain, 0.5, lux, np.random.default_rng(0))[0] for lux in (150, 10))
    assert dim.std() / dim.mean() > 2 * bright.std() / bright.mean(), "less light has more grain"


def _grey(known: light_distance.Known) -> light_distance.Known:
    return known._replace(picture=np.full_like(known.picture, 128))


def test_detectors_are_measured_at_each_distance_in_each_light(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(light_distance, "DETECTORS", ("yunet",))
    monkeypatch.setattr(light_distance, "DISTANCES", (0.5, 40.0))
    monkeypatch.setattr(light_distance, "LIGHTS", {"150 lux": 150.0})
    (tmp_path / "notes_happy.txt").write_text("no film")
    table = studies.run("light_distance", [tmp_path], tmp_path / "out")
    assert table["found"].tolist() == [1.0, 0.0], "a face of 2 px is not found"
    assert table["right"].tolist()[1] == 0.0
    assert table["n"].tolist() == [1, 1]
    page = (tmp_path / "out" / "index.html").read_text()
    assert "Found and read rightly" in page
    assert "narrower than they should be" in page
