from __future__ import annotations

from scenefer.comparison import compare
from scenefer.findings import summary
from tests.test_comparison import ANGRY, analysis_of, sheet_of


def test_the_summary_says_scene_by_scene_what_was_found():
    dread = {"fear": 0.2, "surprise": 0.6, "angry": 0.2}
    home = {"happy": 0.5, "neutral": 0.5}
    analysis = analysis_of([[ANGRY] * 4], [[dread] * 4], [[home] * 2] * 3, [[ANGRY]], [[ANGRY] * 4])
    comparison = compare(analysis, sheet_of(analysis, "angry", "fear", "happy:0.6;neutral:0.4", "sad", None))
    assert summary(comparison).splitlines() == [
        "a: angry intended, detected at 60 % (60–60), first: match, within one take",
        "b: fear intended, detected at 20 % (20–20), second where surprise leads with 60 %: mismatch, within one take",
        "c: happy 60 %, neutral 40 % intended, 10 points of mass misplaced (10–10): match",
        "d: sad intended; not judged: too little face evidence",
        "e: nothing intended",
        "",
        "3 intentions compared in 3 of 5 scenes: 2 match, 0 partial, 1 mismatch.",
        "Not judged: 1, too little face evidence.",
        "Not judged: 1, nothing intended.",
        "Fewer than 6 compared scenes or 2 distinct intentions: no kappa, no skill, no p.",
        "Note: 3 verdicts are given; they are not corrected for their number.",
    ]


def test_the_summary_of_a_longer_film_has_the_figures_of_all_classes():
    analysis = analysis_of(*[[[{label: 0.9, "neutral": 0.1}] * 4] for label in ("angry", "happy", "sad") * 2])
    text = summary(compare(analysis, sheet_of(analysis, *("angry", "happy", "sad") * 2)))
    assert "Cohen's kappa 1.00, macro-F1 1.00; recall angry 2 of 2, happy 2 of 2, sad 2 of 2." in text
    assert [line.split(":")[0] for line in text.splitlines() if line.startswith("  ")] == [
        "  seven", "  seven without neutral", "  clustered", "  clustered without neutral",
    ]  # fmt: skip
