"""The figures are what they say: typed answers, typed truth, known results."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from scenefer.core.errors import OutputError, SceneferError
from scenefer.models import Detections, known_weights, reading_words, registry, selftest, weight_files
from scenefer.models.expression import predictor, rmn, rmn_compact
from scenefer.models.expression.blending import probabilities
from scenefer.training import calibrate, datasets, evaluate, labelled_faces, pages
from scenefer.training.measures import measure, wilson
from tests.training.conftest import write

WEIGHTS = known_weights.EXPRESSION["rmn_face"].path
WHERE = ("typed", "", "label", "fer2013", False, ("0" * 64,))


def _answers(*emotions: int, confidence: float = 0.7) -> np.ndarray:
    rows = np.full((len(emotions), 7), (1 - confidence) / 6, np.float32)
    rows[np.arange(len(emotions)), list(emotions)] = confidence
    return rows


def test_wilson_gives_the_textbook_interval():
    """81 of 263: 0.2553 to 0.3662 (Newcombe 1998, method 3)."""
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(0, 20)[0] == pytest.approx(0, abs=1e-12)


def test_figures_of_four_typed_answers():
    found = measure(_answers(0, 0, 3, 6), np.array([0, 4, 3, 6]), np.ones(4, bool), None, WHERE)
    assert (found.n, found.n_missed, found.accuracy) == (4, 0, 0.75)
    assert found.precision == (0.5, None, None, 1.0, None, None, 1.0)
    assert found.recall == (1.0, None, None, 1.0, 0.0, None, 1.0)
    assert found.macro_f1 == pytest.approx((2 / 3 + 1 + 0 + 1) / 4)
    assert found.confusion[4] == (1, 0, 0, 0, 0, 0, 0)
    assert found.ece == pytest.approx(0.05)
    assert found.reliability == ((pytest.approx(0.7), 0.75, 4),)
    assert found.brier == pytest.approx((3 * (0.3**2 + 6 * 0.05**2) + (0.7**2 + 0.95**2 + 5 * 0.05**2)) / 4)


def test_a_face_that_is_not_found_counts_as_wrong():
    found = np.array([True, False])
    measured = measure(_answers(3, 3), np.array([3, 3]), found, None, WHERE)
    assert (measured.accuracy, measured.top5, measured.n_missed) == (0.5, 0.5, 1)
    assert measured.recall[3] == 0.5


def test_a_score_of_privatetest_is_noted_one_of_publictest_is_not(
    fer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    ledger = tmp_path / "privatetest.jsonl"
    data = fer / "fer2013.csv"
    evaluate.evaluate([WEIGHTS], data, "PrivateTest", ledger=ledger)
    assert not ledger.exists(), "a split of this name that is not FER2013's"
    monkeypatch.setattr(evaluate, "N_PRIVATE", 14)
    evaluate.evaluate([WEIGHTS], data, "PublicTest", ledger=ledger)
    assert not ledger.exists()
    figures = evaluate.evaluate([WEIGHTS, WEIGHTS], data, "PrivateTest", ledger=ledger)
    line = json.loads(ledger.read_text())
    assert (line["n"], line["sha256"], line["head"]) == (
        14,
        [weight_files.sha256_of(WEIGHTS)] * 2,
        reading_words(registry.describe(WEIGHTS)),
    )
    assert line["weights"] == [WEIGHTS.name] * 2, "the ledger is published: no folder of this machine"
    assert line["accuracy"] == pytest.approx(figures.accuracy, abs=1e-5)
    alone = evaluate.evaluate([WEIGHTS], data, "PrivateTest", ledger=None)
    assert (alone.confusion, alone.ece) == (figures.confusion, pytest.approx(figures.ece))
    with pytest.raises(OutputError, match="is noted before it is told"):
        evaluate.evaluate([WEIGHTS], data, "PrivateTest", ledger=tmp_path / "nowhere" / "privatetest.jsonl")


def test_what_weights_have_learned_of_publictest_is_not_scored_as_such(fer: Path, tmp_path: Path):
    learned, innocent = tmp_path / "learned.safetensors", tmp_path / "innocent.safetensors"
    for path, share in ((learned, "0.5"), (innocent, "0")):
        shutil.copyfile(WEIGHTS, path)
        calibrate.describe(path, {"public": share})
    data = fer / "fer2013.csv"
    n = {split: evaluate.evaluate([learned], data, split).n for split in ("Training", "PublicTest")}
    assert n["Training"] > 42
    assert n["PublicTest"] == 56 - n["Training"]
    assert evaluate.evaluate([innocent], data, "PublicTest").n == 14
    assert evaluate.evaluate([innocent, learned], data, "PublicTest").n == n["PublicTest"], "in a team neither"


def test_the_ferplus_majority_leaves_out_what_nobody_can_say(fer: Path, tmp_path: Path):
    lines = (fer / "fer2013new.csv").read_text().splitlines()
    lines[1] = lines[1].rsplit(",", 10)[0] + ",5,5,0,0,0,0,0,0,0,0"  # a tie
    (tmp_path / "votes.csv").write_text("\n".join(lines) + "\n")
    found = evaluate.evaluate(
        [WEIGHTS],
        fer / "fer2013.csv",
        "PrivateTest",
        votes=tmp_path / "votes.csv",
        head="ferplus",
        truth="majority",
        ledger=None,
    )
    assert (found.n, found.head, found.truth) == (13, "ferplus", "majority")


def test_a_set_with_splits_asks_for_one_a_framed_set_without_is_read_whole(fer: Path, tmp_path: Path):
    with pytest.raises(SceneferError, match="no split '': it has 'PrivateTest', 'PublicTest', 'Training'"):
        evaluate.evaluate([WEIGHTS], fer / "fer2013.csv")
    (tmp_path / "happy").mkdir()
    Image.fromarray(np.zeros((48, 48), np.uint8)).save(tmp_path / "happy" / "framed.png")
    assert evaluate.evaluate([WEIGHTS], tmp_path).n == 1


class _Detector:
    """Sees a face in bright pictures alone."""

    name = "mtcnn"

    def detect(self, pictures: list[np.ndarray]) -> list[Detections]:
        seen = []
        for picture in pictures:
            n = int(picture.mean() > 50)
            boxes = np.tile(np.array([[20, 20, 60, 70]], np.float32), (n, 1))
            seen.append(Detections(boxes, np.full((n, 5, 2), 40, np.float32), np.ones(n, np.float32)))
        return seen


def test_a_set_that_is_not_framed_is_measured_with_the_detector_in_the_loop(tmp_path: Path):
    (tmp_path / "happy").mkdir()
    for name, level in (("bright", 200), ("dark", 10)):
        Image.fromarray(np.full((60, 60, 3), level, np.uint8)).save(tmp_path / "happy" / f"{name}.png")
    figures = evaluate.evaluate([WEIGHTS], tmp_path, detector=_Detector())
    assert (figures.n, figures.n_missed, figures.missed) == (2, 1, (0, 0, 0, 1, 0, 0, 0))
    assert "<th>no face</th>" in pages.evaluation(figures)
    assert "<td>2</td>" in pages.evaluation(figures), "a face that was missed is in the row of its class"
    (tmp_path / "happy" / "bright.png").unlink()
    with pytest.raises(SceneferError, match="no face is found in any of its 1 pictures"):
        evaluate.evaluate([WEIGHTS], tmp_path, detector=_Detector())


class _Framed:
    """Finds the picture itself in its black frame, in pictures at least so large."""

    name = "mtcnn"

    def __init__(self, least: int) -> None:
        self.least, self.sides = least, []

    def detect(self, pictures: list[np.ndarray]) -> list[Detections]:
        (picture,) = pictures
        rows, columns = np.nonzero(picture.max(axis=2))
        box = np.array([[columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]], np.float32)
        self.sides.append(int(box[0, 2] - box[0, 0]))
        n = int(self.sides[-1] <= self.least)
        return [Detections(box[:n], np.full((n, 5, 2), 40, np.float32), np.ones(n, np.float32))]


def test_a_small_picture_is_looked_at_again_smaller_and_cut_without_the_frame_that_the_detector_saw():
    faces = labelled_faces.Faces("set", [np.full((100, 100, 3), 200, np.uint8)], np.array([3]), np.array([""]))
    detector = _Framed(least=150)
    located = evaluate.locate(faces, detector)
    assert detector.sides == [200, 150]
    assert located.found.tolist() == [True]
    assert located.crops[0].min() == 200, "edges are replicated, no black frame"


def test_each_network_gets_the_square_that_it_was_trained_on(tmp_path: Path):
    picture = np.random.default_rng(0).integers(0, 256, (400, 400, 3), dtype=np.uint8)
    (tmp_path / "happy").mkdir()
    Image.fromarray(np.maximum(picture, 220)).save(tmp_path / "happy" / "still.png")
    located = evaluate.locate(datasets.read(tmp_path), _Detector())
    for network in (rmn.Rmn, rmn_compact.RmnCompact):
        with torch.device("meta"):
            cut = located.cut(network())
        assert cut.shape == (1, network.size, network.size)
        assert np.array_equal(cut, predictor.cut(located.crops, located.squares, network.size))


def test_averaging_views_of_a_picture_reads_nine_more(fer: Path):
    plain, averaged = (
        evaluate.evaluate([WEIGHTS], fer / "fer2013.csv", "PublicTest", tta=tta) for tta in (False, True)
    )
    assert averaged.tta
    assert averaged.brier != plain.brier


def test_a_view_is_cut_where_it_says_and_enlarged_in_one_step():
    ramp = np.tile(np.arange(48, dtype=np.uint8) * 5, (1, 48, 1))  # 5 grey levels a pixel, to the right
    seen = evaluate._view(ramp, 0.025, 0, 0.95, 112)[0, 50].astype(float)
    at = 0.5 + 0.025 + 0.95 * ((np.arange(112) + 0.5) / 112 - 0.5)  # where its pixels' centres lie, parts of the side
    inside = at < 1 - 0.5 / 48  # beyond the last pixel's centre the edge is replicated
    np.testing.assert_allclose(seen[inside], (at[inside] * 48 - 0.5) * 5, atol=0.6)


def test_the_temperature_undoes_what_sharpened_the_logits():
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 1.5, (4000, 7))
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    votes = np.stack([rng.multinomial(10, row) for row in shares]).astype(np.float32)
    assert calibrate.fit(logits * 2.5, votes) == pytest.approx(2.5, abs=0.05)


def test_calibration_is_measured_against_votes_where_there_are_some():
    votes = np.array([[7, 0, 0, 0, 3, 0, 0]] * 2, np.float32)  # seven of ten people agree with a confidence of 0.7
    found = measure(_answers(0, 0), np.array([0, 0]), np.ones(2, bool), votes, WHERE)
    assert (found.ece_votes, found.ece) == (pytest.approx(0, abs=1e-6), pytest.approx(0.3))
    assert measure(_answers(0), np.array([0]), np.ones(1, bool), None, WHERE).ece_votes is None


def test_calibration_finds_and_stores_the_temperature_that_the_votes_have(tmp_path: Path):
    weights, pictures = tmp_path / "weights.safetensors", selftest.generated(14)
    shutil.copy(WEIGHTS, weights)
    before = _posteriors(weights, pictures)
    assert len(set(before.argmax(axis=1))) > 1  # pictures that the network tells apart
    votes = np.zeros((14, 10), np.int64)
    votes[:, :7] = np.rint(10_000 * before)  # people who see what the network sees: a temperature as it was
    write(tmp_path, pictures, ["PublicTest"] * 14, votes)
    public = datasets.read(tmp_path / "fer2013.csv", tmp_path / "fer2013new.csv")
    temperature = calibrate.calibrate(weights, public)
    stored = predictor.load(weights).calibration
    assert stored.temperature == pytest.approx(temperature, abs=1e-3)
    assert calibrate.calibrate(weights, public, temperature=0.7) == 0.7
    assert predictor.load(weights).calibration.temperature == 0.7


def _posteriors(weights: Path, pictures: np.ndarray) -> np.ndarray:
    model = predictor.load(weights, precision=torch.float32)
    return probabilities(model.read(pictures), model.calibration)


def test_the_pages_say_the_figures(tmp_path: Path):
    figures = measure(_answers(0, 0, 3, 6), np.array([0, 4, 3, 6]), np.ones(4, bool), None, WHERE)
    page = pages.evaluation(figures)
    assert "accuracy 75.0%" in page
    assert "http" not in page
    page, picture = pages.write(figures, tmp_path / "drawn")
    assert page.read_text(encoding="utf-8") == pages.evaluation(figures)
    picture = np.asarray(Image.open(picture))
    angry_as_angry, sad_as_sad = picture[64 + 5, 96 + 5], picture[64 * 5 + 5, 96 + 64 * 4 + 5]
    assert angry_as_angry.tolist() == [31, 90, 160]
    assert sad_as_sad.tolist() == [255, 255, 255]
