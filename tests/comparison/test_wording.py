from __future__ import annotations

import json

import pytest

from scenefer.comparison.scene_comparison import compare, headline
from scenefer.comparison.wording import figures, finding, summary
from scenefer.core.tables import rows_of
from tests.comparisons import ANGRY, analysis_of, sheet_of


def test_the_summary_says_scene_by_scene_what_was_found():
    dread = {"fear": 0.2, "surprise": 0.6, "angry": 0.2}
    home = {"happy": 0.5, "neutral": 0.5}
    analysis = analysis_of([[ANGRY] * 4], [[dread] * 4], [[home] * 2] * 3, [[ANGRY]], [[ANGRY] * 4])
    comparison = compare(analysis, sheet_of(analysis, "angry", "fear", "happy:0.6;neutral:0.4", "sad", None))
    assert summary(comparison).splitlines() == [
        "a: as intended; angry intended, detected at 60 % (60–60): angry leads, one take",
        "b: worth a look; fear intended, detected at 20 % (20–20): surprise leads with 60 %, fear comes second, "
        "one take",
        "c: as intended; happy 60 %, neutral 40 % intended; 10 % (10–10) of what is detected lies elsewhere",
        "d: sad intended; not judged: too few faces",
        "e: nothing intended",
        "",
        "3 intentions compared in 3 of 5 scenes: 2 as intended, 0 in doubt, 1 worth a look.",
        "Not judged: 1, too few faces.",
        "Not judged: 1, nothing intended.",
        "Note: 3 verdicts are given: among so many, some are wrong by chance alone.",
        "",
        "For researchers:",
        "Fewer than 6 compared scenes or 2 distinct intentions: no kappa, no skill, no p.",
    ]


@pytest.mark.parametrize(
    ("intended", "seconds", "reason"),
    [
        pytest.param("sad", [{"sad": 0.9, "fear": 0.1}] * 4, "sad leads", id="as intended"),
        pytest.param("sad", [{"sad": 0.7, "fear": 0.3}, {"sad": 0.4, "fear": 0.6}] * 2,
                     "sad leads, but fear may be as strong", id="leads in doubt"),
        pytest.param("fear", [{"sad": 0.7, "fear": 0.3}, {"sad": 0.4, "fear": 0.6}] * 2,
                     "sad leads, but fear may be as strong", id="behind in doubt"),
        pytest.param("fear", [{"sad": 0.25, "fear": 0.3, "angry": 0.45}] * 4,
                     "angry leads with 45 %, fear comes second", id="behind"),
        pytest.param("sad", [{"sad": 0.4, "neutral": 0.6}] * 4,
                     "neutral leads with 60 %, sad comes second", id="behind neutral"),
        pytest.param("sad", [{"sad": 0.5, "neutral": 0.5}] * 4, "no expression is strongest", id="a tie"),
    ],
)  # fmt: skip
def test_a_verdict_gives_its_reason(intended: str, seconds: list[dict[str, float]], reason: str):
    analysis = analysis_of([seconds])
    row = rows_of(headline(compare(analysis, sheet_of(analysis, intended)))[0])[0]
    assert finding(row).endswith(f": {reason}")
    stored = json.loads(json.dumps(figures(row)))
    assert finding(stored) == finding(row), "the page of a library says the same from what it keeps"


def test_the_summary_of_a_longer_film_has_the_figures_of_all_classes():
    analysis = analysis_of(*[[[{label: 0.9, "neutral": 0.1}] * 4] for label in ("angry", "happy", "sad") * 2])
    text = summary(compare(analysis, sheet_of(analysis, *("angry", "happy", "sad") * 2)))
    assert "Cohen's kappa 1.00, macro-F1 1.00; recall angry 2 of 2, happy 2 of 2, sad 2 of 2." in text
    assert [line.split(":")[0] for line in text.splitlines() if line.startswith("  ")] == [
        "  seven", "  seven without neutral", "  clustered", "  clustered without neutral",
    ]  # fmt: skip
