"""What people judged of a run stays when its film is analysed or reported again, as far as it still holds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from scenefer.analysis import result
from scenefer.analysis.result import Analysis
from scenefer.comparison import validation
from scenefer.comparison.coding_sample import draw_sample, shown
from scenefer.core.run_folder import CODING_PAGE
from scenefer.pipeline import film_analysis
from scenefer.pipeline.kept_judgements import NO_SAMPLE, NOT_COUNTED, NOT_JUDGED, with_judgements, without_warnings
from tests.edits import told_apart


@pytest.fixture
def judged(tmp_path: Path) -> tuple[Analysis, Path]:
    """A film, and its run, of which one person judged a sample, and one face in the report."""
    whole = told_apart()
    sample = draw_sample(whole.expressions, 40)
    found = validation.evaluate(whole, sample, {"Ana": dict.fromkeys(shown(sample), 0)})
    run = {**whole.run, "validation": found.record, "judged": [{"face": 0, "judgement": "right"}]}
    folder = tmp_path / "film"
    result.save(replace(whole, validation_sample=sample, validated=found.table, run=run), folder, {CODING_PAGE: "page"})
    return whole, folder


def test_the_same_faces_keep_all_that_was_judged(judged: tuple[Analysis, Path]):
    whole, folder = judged
    kept, before = with_judgements(whole, folder), result.load(folder)
    assert before.validation_sample is not None
    assert before.validated is not None
    assert before.validation_sample.equals(kept.validation_sample)
    assert before.validated.equals(kept.validated)
    assert kept.run["validation"] == before.run["validation"]
    assert kept.run["judged"] == before.run["judged"]
    assert kept.run["warnings"] == whole.run["warnings"]


def test_other_scenes_keep_the_sample_and_say_that_it_must_be_counted_again(judged: tuple[Analysis, Path]):
    whole, folder = judged
    other = replace(whole, scenes=whole.scenes.assign(name=["x", "y", "z"]))
    kept = with_judgements(other, folder)
    assert kept.validation_sample is not None
    assert kept.validated is None
    assert "validation" not in kept.run
    assert kept.run["judged"]
    assert kept.run["warnings"] == [*whole.run["warnings"], NOT_COUNTED]


def test_faces_that_are_read_otherwise_keep_the_sample_alone(judged: tuple[Analysis, Path]):
    whole, folder = judged
    otherwise = whole.expressions.assign(happy=whole.expressions["angry"], angry=whole.expressions["happy"])
    kept = with_judgements(replace(whole, expressions=otherwise), folder)
    assert kept.validation_sample is not None
    assert "judged" not in kept.run
    assert kept.run["warnings"] == [*whole.run["warnings"], NOT_JUDGED, NOT_COUNTED]


def test_other_faces_keep_nothing_and_their_page_goes(judged: tuple[Analysis, Path]):
    whole, folder = judged
    fewer = whole.expressions.assign(usable=np.arange(len(whole.expressions)) % 2 == 0)
    kept = with_judgements(replace(whole, expressions=fewer), folder)
    assert kept.validation_sample is None
    assert kept.run["warnings"] == [*whole.run["warnings"], NOT_JUDGED, NO_SAMPLE]
    film_analysis.write(kept, folder)
    assert not (folder / CODING_PAGE).exists()


def test_a_run_that_cannot_be_read_loses_its_sample_with_a_word(judged: tuple[Analysis, Path]):
    whole, folder = judged
    (folder / "tables" / "tracks.parquet").write_bytes(b"damaged")
    kept = with_judgements(whole, folder)
    assert kept.run["warnings"] == [*whole.run["warnings"], NO_SAMPLE, NOT_JUDGED]


def test_a_warning_goes_once_what_it_asks_for_was_done(judged: tuple[Analysis, Path]):
    whole, folder = judged
    other = with_judgements(replace(whole, scenes=whole.scenes.assign(name=["x", "y", "z"])), folder)
    assert without_warnings(other.run, NO_SAMPLE, NOT_COUNTED)["warnings"] == whole.run["warnings"]


def test_a_film_that_was_not_judged_or_has_no_run_is_left_alone(tmp_path: Path):
    whole = told_apart()
    assert with_judgements(whole, tmp_path / "none") is whole
    result.save(whole, tmp_path / "run", {})
    assert with_judgements(whole, tmp_path / "run") is whole
