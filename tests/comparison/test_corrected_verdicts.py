"""Verdicts by shares that judged faces have corrected."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from scenefer.analysis.result import Analysis
from scenefer.comparison import validation
from scenefer.comparison.agreement import leading
from scenefer.comparison.coding_sample import draw_sample, shown
from scenefer.comparison.corrected_verdicts import judge_corrected
from scenefer.comparison.scene_comparison import about_estimate, compare, headline
from scenefer.comparison.verdicts import ComparisonSettings
from scenefer.core.errors import PlanError
from scenefer.core.schema import EMOTIONS
from scenefer.pipeline.run_comparison import compared_with_intentions, with_estimate
from scenefer.report import render
from tests.reports import Page, analysed, intending

VALIDATED = ComparisonSettings(estimate="validated")


@pytest.fixture(scope="module")
def run() -> Analysis:
    """A film whose first scene is read as angry, and as sad by the people who judged 40 of its faces."""
    whole = analysed(sheet=intending(rage="sad", joy="happy", empty=None))
    sample = draw_sample(whole.expressions, 80)
    scene = whole.expressions.set_index("face")["scene"]
    said = {face: EMOTIONS.index("sad" if scene[face] == 0 else "happy") for face in shown(sample)}
    found = validation.evaluate(whole, sample, {"a": said, "b": said})
    record = {**whole.run, "validation": found.record}
    return replace(whole, validation_sample=sample, validated=found.table, run=record)


def test_corrected_shares_take_the_verdict_over(run: Analysis):
    raw, corrected = compare(run, run.sheet), compare(run, run.sheet, VALIDATED)
    assert headline(raw)[0]["verdict"].tolist()[0] == "mismatch"
    rows, figures = headline(corrected)
    first = rows.iloc[0]
    assert (first["verdict"], first["detected"], first["estimate"]) == (
        "partial",
        "sad",
        "validated",
    )  # surely is not said of four shots
    table = run.validated.query("scene == 0 and estimate == 'validated' and emotion == 'sad'").iloc[0]
    assert (
        first[["mass", "mass_low", "mass_high"]].tolist() == table[["percent", "percent_low", "percent_high"]].tolist()
    )
    assert figures.recall["sad"] == 1.0
    assert len(rows) == len(headline(raw)[0]) == len(leading(corrected.table, "screen_time"))
    assert about_estimate(raw) is None
    assert str(about_estimate(corrected)).startswith("verdicts on 2 of 2 judged scenes use shares")


def test_what_was_read_stays_in_the_table(run: Analysis):
    raw, corrected = compare(run, run.sheet).table, compare(run, run.sheet, VALIDATED).table
    kept = corrected.loc[corrected["estimate"] == "raw"].reset_index(drop=True)
    assert kept.equals(raw)
    assert len(corrected) == len(raw) + 2


@pytest.mark.parametrize(
    ("percent", "half", "meant", "verdict"),
    [
        ({"sad": 70, "neutral": 30}, 10, {"sad": 1.0}, "match"),
        ({"sad": 70, "neutral": 30}, 25, {"sad": 1.0}, "partial"),  # 45 to 95 and 5 to 55: either may lead
        ({"sad": 30, "angry": 70}, 10, {"sad": 1.0}, "mismatch"),
        ({"sad": 30, "neutral": 70}, 10, {"sad": 1.0}, "partial"),  # second behind neutral
        ({"happy": 60, "neutral": 40}, 5, {"happy": 0.6, "neutral": 0.4}, "match"),
        ({"fear": 100}, 5, {"happy": 0.6, "neutral": 0.4}, "mismatch"),
    ],
)
def test_the_rule_is_the_same_with_the_ends_of_both_shares(
    percent: dict[str, float], half: float, meant: dict[str, float], verdict: str
):
    shares = np.array([percent.get(emotion, 0.0) for emotion in EMOTIONS], float)
    ends = {"percent": shares, "low": np.clip(shares - half, 0, 100), "high": np.clip(shares + half, 0, 100)}
    wanted = np.array([meant.get(emotion, 0.0) for emotion in EMOTIONS])
    raw: dict[str, Any] = {"label": max(meant, key=lambda emotion: meant[emotion]), "verdict": "partial"}
    row = judge_corrected(raw, {**ends, "within": "shots"}, wanted, ComparisonSettings())
    assert row["verdict"] == verdict
    assert row["tv_low"] <= row["tv"] <= row["tv_high"]


def test_a_run_that_nobody_judged_is_compared_by_what_was_read_and_says_so(run: Analysis):
    found = compare(replace(run, validated=None), run.sheet, VALIDATED)
    assert set(found.table["estimate"]) == {"raw"}
    assert "nobody has judged faces" in str(about_estimate(found))
    with pytest.raises(PlanError, match="nobody has judged faces of this run: scenefer validate"):
        with_estimate(replace(run, validated=None), "validated")
    with pytest.raises(PlanError, match="estimate"):
        with_estimate(run, "best")


def test_another_view_has_no_corrected_shares(run: Analysis):
    found = compare(run, run.sheet, replace(VALIDATED, view="equal_track"))
    assert "the view equal_track was asked for" in str(about_estimate(found))


def test_the_first_screen_says_what_people_judged_and_which_shares_count(run: Analysis):
    chosen = with_estimate(run, "validated")
    page = Page(render(chosen, compared_with_intentions(chosen))).text
    said = "Judged by 2 people on 80 faces: the reader is right in "
    assert page.index("2 in doubt") < page.index("Verdicts on 2 of 2 judged scenes") < page.index(said)
    assert page.index(said) < page.index("Where to look")
    assert page.count("(corrected by judged faces)") >= 2
    assert "Judged by" not in Page(render(analysed())).text
