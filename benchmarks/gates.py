"""`python -m benchmarks.gates --work DIR`: how much face time each rule that rejects faces removes.

On the annotated clips, each rule is loosened and tightened while the others stay unchanged. Reported are the seconds
read right and wrong, compared with the shipped rules, and the shares of ``film_time``. Writes ``results/gates.json``.
"""

from __future__ import annotations

# The runs read here are made by ``analyze``, so their records have all that is recorded of a film.
# pyright: reportTypedDictNotRequiredAccess=false
import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import film_time, portrayed, scoring, truth
from scenefer.analysis import observation, stages
from scenefer.analysis.expressions import ExpressionSettings
from scenefer.analysis.result import Analysis
from scenefer.models import registry
from scenefer.models.expression import predictor
from scenefer.pipeline import plans

RESULTS = Path(__file__).parent / "results" / "gates.json"
NONE = 1e-6  # as a minimum score: accepts every face
VARIATIONS: dict[str, dict[str, float]] = {
    "as it ships": {},
    "any score counts": {"least_confidence": NONE, "sure": NONE},
    "score ≥ 0.7": {"least_confidence": 0.7},
    "score ≥ 0.9": {"least_confidence": 0.9},
    "no track is doubted": {"sure": NONE},
    "a doubted track must last 1.5 s": {"least_seconds": 1.5},
    "any profile counts": {"widest_yaw": 90.0},
    "profiles up to 60°": {"widest_yaw": 60.0},
    "profiles up to 45°": {"widest_yaw": 45.0},
    "any nod counts": {"widest_pitch": 90.0},
    "nods up to 25°": {"widest_pitch": 25.0},
    "any blur counts": {"least_sharpness": 0.0},
    "sharpness ≥ 100": {"least_sharpness": 100.0},
}


class Gated(NamedTuple):
    """Face time that counts under one variation of the rules."""

    right: float  # s
    wrong: float  # s
    missed: float  # s in which a face is visible but none counts
    invented: float  # s in which no face is visible but one counts
    seen: film_time.FilmTime


def measure(runs: Sequence[Analysis], truths: Sequence[scoring.Truth], rules: ExpressionSettings) -> Gated:
    """Apply other rules to the faces of the clips' runs."""
    model = predictor.load(registry.find_expression("rmn_face"))
    told: list[portrayed.Portrayed] = []
    missed = invented = 0.0
    for one, run in zip(truths, runs, strict=True):
        plan = replace(plans.from_record(run.run["settings"]), expression=rules)
        found = observation.Observation(run.frames, run.faces, run.pictures)
        judged = stages.compute_analysis(run.film, found, model.calibration, plan, earlier=run)
        frames = scoring.frames_at(run, judged.expressions["time"])
        told += portrayed.segment_readings(one, judged.expressions, frames)
        sampled = scoring.frames_at(run, judged.samples["time"])
        counts = (judged.samples["state"] == "face").to_numpy()
        seen = scoring.score_presence(
            one, zip(sampled.tolist(), judged.samples["weight"], counts.tolist(), strict=True)
        )
        missed += seen.face - seen.face_right
        invented += seen.no_face - seen.no_face_right
    right = sum(segment.right_seconds for segment in told)
    wrong = sum(segment.face_seconds for segment in told) - right
    return Gated(right, wrong, missed, invented, film_time.film_time(told))


def table(measured: dict[str, Gated]) -> str:
    """Write what each variation gains or loses compared with the shipped rules."""
    ships = measured["as it ships"]
    lines = [
        "| rule | right | wrong | no face counts | invented | face time right | macro-recall |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, one in measured.items():
        amounts = (
            [f"{one.right:.1f} s", f"{one.wrong:.1f} s"]
            if one is ships
            else [f"{one.right - ships.right:+.1f} s", f"{one.wrong - ships.wrong:+.1f} s"]
        )
        lines.append(
            f"| {name} | {' | '.join(amounts)} | {one.missed:.1f} s | {one.invented:.1f} s | "
            f"{one.seen.right.value:.1%} | {one.seen.macro_recall.value:.1%} |"
        )
    return "\n".join(lines)


def plain(measured: dict[str, Gated]) -> dict[str, Any]:
    """Return the figures as plain values for JSON."""
    return {name: {**one._asdict(), "seen": film_time.plain(one.seen)} for name, one in measured.items()}


def from_plain(kept: dict[str, Any]) -> dict[str, Gated]:
    """Restore the figures from the result of ``plain``."""
    return {name: Gated(**{**one, "seen": film_time.from_plain(one["seen"])}) for name, one in kept.items()}


def main() -> None:
    """Measure, write the results, print them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True, help="folder for the clips' runs, so that a call is quick")
    parser.add_argument("--detector", default="yunet")
    asked = parser.parse_args()
    truths = scoring.read_truths(truth.FILMS)
    clips = [truth.FILMS / one.clip for one in truths]
    runs = truth.run_product(clips, asked.work, "standard", "--detector", asked.detector)
    measured = {
        name: measure(runs, truths, replace(ExpressionSettings(), **changed)) for name, changed in VARIATIONS.items()
    }
    RESULTS.write_text(json.dumps(plain(measured), indent=1) + "\n", encoding="utf-8")
    print(table(measured))


if __name__ == "__main__":
    main()
