"""The attack finds what was learned by heart, nothing where nothing can be found, and its counts add up."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from scenefer.core.errors import SceneferError
from scenefer.models.expression import predictor
from scenefer.models.expression.predictor import ExpressionReader
from scenefer.models.selftest import PORTRAIT
from scenefer.training import privacy, study_data
from scenefer.training.labelled_faces import Faces
from tests.program import scenefer as program

WHERE = ("w", "0", "members", "others")


def test_faces_of_one_kind_cannot_be_told_apart():
    draws = np.random.default_rng(0)
    members, others, reference = (draws.exponential(1.0, 2000) for _ in range(3))
    found = privacy.measure(members, others, reference, WHERE)
    assert found.auc == pytest.approx(0.5, abs=0.03)
    assert found.low < 0.5 < found.high
    assert [alarm.found for alarm in found.alarms] == pytest.approx([0.01, 0.1], abs=0.02)
    assert "no better than a coin" in privacy.describe(found)


def test_what_was_learned_by_heart_is_found():
    draws = np.random.default_rng(0)
    found = privacy.measure(draws.uniform(0, 0.1, 300), draws.uniform(0.2, 3, 300), draws.uniform(0.2, 3, 300), WHERE)
    assert found.auc == 1
    strict = found.alarms[0]
    assert (strict.found, strict.tp, strict.fn) == (1.0, 300, 0)
    assert strict.fp + strict.tn == 300
    assert strict.low <= strict.found <= strict.high
    assert found.roc[0] == (0.0, 0.0)
    assert found.roc[-1] == (1.0, 1.0)


def test_the_curve_reaches_both_ends_and_shows_the_rates_that_matter():
    draws = np.random.default_rng(0)
    members, others, reference = (draws.exponential(scale, 2000) for scale in (3.0, 1.0, 1.0))
    found = privacy.measure(members, others, reference, WHERE)
    assert (found.roc[0], found.roc[-1]) == ((0.0, 0.0), (1.0, 1.0)), "also where a member has the highest loss"
    assert list(found.roc) == sorted(found.roc)
    assert sum(0 < alarms < 0.01 for alarms, _ in found.roc) >= 5


def test_a_rate_that_the_reference_cannot_set_is_left_out_and_named():
    draws = np.random.default_rng(0)
    for n, rates in ((20, []), (49, []), (50, [0.1]), (499, [0.1]), (500, [0.01, 0.1])):
        found = privacy.measure(draws.exponential(1.0, 80), draws.exponential(1.0, n), draws.exponential(1.0, n), WHERE)
        assert [alarm.rate for alarm in found.alarms] == rates
        words = privacy.describe(found)
        assert (f"false alarms of 1%: {n} faces cannot set this threshold; give at least 1000" in words) == (n < 500)
        assert ("learned found" in words) == bool(rates)


@pytest.mark.parametrize(
    ("name", "place", "split"),
    [
        ("fer2013.csv", "fer2013.csv", ""),
        ("data/fer2013.csv:Training", "data/fer2013.csv", "Training"),
        (r"C:\data\fer2013.csv", r"C:\data\fer2013.csv", ""),
        (r"C:\data\fer2013.csv:Training", r"C:\data\fer2013.csv", "Training"),
    ],
)
def test_a_split_is_parted_from_its_file_and_no_drive_is_taken_for_a_file(name: str, place: str, split: str):
    assert privacy.parted(name) == (place, split)


def _write(path: Path, pictures: list[np.ndarray]) -> str:
    encoded = []
    for picture in pictures:
        content = io.BytesIO()
        Image.fromarray(picture).save(content, "PNG")
        encoded.append(content.getvalue())
    pd.DataFrame({"image": encoded, "label": ["happy"] * len(encoded)}).to_parquet(path)
    return str(path)


def test_members_without_a_face_are_one_clear_line(tmp_path: Path, fer: Path):
    black = _write(tmp_path / "black.parquet", [np.zeros((96, 96, 3), np.uint8)])
    with pytest.raises(SceneferError, match="black: no face is found in any of its 1 pictures"):
        privacy.attack("rmn_face", [black], [f"{fer / 'fer2013.csv'}:PrivateTest"])


def test_whole_pictures_are_cut_at_the_size_that_the_weights_read(
    tmp_path: Path, fer: Path, monkeypatch: pytest.MonkeyPatch
):
    sizes: list[int] = []

    def noted(faces: Faces, size: int) -> study_data.Cut:
        sizes.append(size)
        return cut(faces, size)

    cut = study_data.cut
    monkeypatch.setattr(privacy.study_data, "cut", noted)
    load = predictor.load

    def larger(path: Path, device: str) -> ExpressionReader:
        model = load(path, device=device)
        model.size = 64
        return model

    monkeypatch.setattr(predictor, "load", larger)
    portrait = np.asarray(Image.open(PORTRAIT).convert("RGB").resize((128, 128)))
    whole = _write(tmp_path / "whole.parquet", [portrait])
    for others in (whole, f"{fer / 'fer2013.csv'}:PrivateTest"):
        with pytest.raises(SceneferError, match="are too few"):
            privacy.attack("rmn_face", [whole], [others])
    assert sizes == [64, 64, 48, 48], "all of one attack are cut alike"


def test_the_area_is_the_share_of_pairs_in_the_right_order_ties_half():
    assert privacy.auc(np.array([1.0, 2.0]), np.array([2.0, 3.0])) == pytest.approx((1 + 1 + 0.5 + 1) / 4)


def test_the_program_attacks_weights_and_leaves_out_what_repeats_a_learned_photograph(tmp_path: Path, fer: Path):
    data = fer / "fer2013.csv"
    few = program(
        "privacy", "rmn_face", "--members", f"{data}:Training", "--others", f"{data}:PrivateTest", cwd=tmp_path
    )
    assert few.returncode == 2
    assert few.stderr.splitlines()[-1].endswith("52 learned faces and 14 others are too few; give at least 40 of each")
    same = program("privacy", "rmn_face", "--members", data, "--others", data, cwd=tmp_path)
    assert "70 learned faces and 0 others" in same.stderr, "each of them repeats itself"


@pytest.mark.parametrize("as_json", [True, False])
def test_the_program_prints_the_attack_and_draws_its_curve(tmp_path: Path, as_json: bool):
    draws = np.random.default_rng(5)
    for name in ("mine", "theirs"):
        lines = [f"{n % 7},{' '.join(map(str, draws.integers(0, 256, 48 * 48)))},Training" for n in range(84)]
        (tmp_path / f"{name}.csv").write_text("\n".join(["emotion,pixels,Usage", *lines]) + "\n")
    arguments = ("privacy", "rmn_face", "--members", "mine.csv", "--others", "theirs.csv", "--to", "attack.html")
    done = program(*arguments, *(["--json"] if as_json else []), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "a coin" in (tmp_path / "attack.html").read_text()
    if as_json:
        told = json.loads(done.stdout)
        assert (told["n_members"], told["n_others"], told["n_reference"]) == (84, 42, 42)
        assert 0 <= told["low"] <= told["auc"] <= told["high"] <= 1
    else:
        assert "AUC" in done.stdout


def test_a_split_that_is_not_there_is_named(tmp_path: Path, fer: Path):
    with pytest.raises(SceneferError, match="has no split 'train'"):
        privacy.attack("rmn_face", [f"{fer / 'fer2013.csv'}:train"], [str(fer / "fer2013.csv")])
