"""`python -m benchmarks.speech --work DIR`: what speaking does to the reading of faces.

The annotated clips are analysed with ``--dense``. On those of people who talk, the probabilities that faces are given
are compared between open and shut mouths of the same clip, each face read alone and beside its neighbours in time.
Writes ``results/speech.json``.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks import scoring, truth
from scenefer.analysis import expressions
from scenefer.analysis.result import Analysis
from scenefer.core.schema import EMOTIONS
from scenefer.models import Calibration, calibration, registry
from scenefer.pipeline import plans

RESULTS = Path(__file__).parent / "results" / "speech.json"
TALKING = ("talk_", "sign_")  # how the names of clips begin in which people talk
OPEN = 0.1  # gap between the inner lips as a share of their width, from which a mouth is open
SHOWN = ("neutral", "surprise", "happy", "sad")


def read_alone(run: Analysis, calibrated: Calibration) -> pd.DataFrame:
    """Return the run's table EXPRESSIONS with every face read alone."""
    plan = plans.from_record(run.run.get("settings", {}))
    rule = expressions.rule_for(run.film, plan.expression, plan.observation.detector)
    linked = run.faces.merge(run.expressions[["face", "track"]], on="face")
    return expressions.read_expressions(linked, run.samples, calibrated, replace(rule, steadied_over=0.0))


def mouths_apart(read: pd.DataFrame, opening: pd.Series) -> dict[str, Any]:
    """Average the probabilities of usable faces with open and with shut mouths, in percent.

    Args:
        read: table EXPRESSIONS.
        opening: ``mouth_open`` by face.
    """
    usable = read.loc[read["usable"]]
    wide = usable["face"].map(opening)
    apart = {}
    for name, chosen in (("open", wide >= OPEN), ("shut", wide < OPEN)):
        means = usable.loc[chosen, list(EMOTIONS)].mean()
        apart[name] = {"n": int(chosen.sum()), **{one: round(100 * float(means[one]), 1) for one in EMOTIONS}}
    return apart


def measure(work: Path) -> dict[str, Any]:
    """Analyse the clips of people who talk, and compare their faces both ways."""
    truths = scoring.read_truths(truth.FILMS)
    clips = [one.clip for one in truths if one.clip.startswith(TALKING)]
    runs = truth.run_product([truth.FILMS / clip for clip in clips], work, "standard", "--dense")
    calibrated = calibration(registry.describe(registry.find_expression(plans.Plan().models.expression)))
    measured = {}
    for clip, run in zip(clips, runs, strict=True):
        opening = run.faces.set_index("face")["mouth_open"]
        measured[clip] = {
            "speaking": round(float(np.nanmean(run.tracks["speaking"])), 2),
            "alone": mouths_apart(read_alone(run, calibrated), opening),
            "beside its neighbours": mouths_apart(run.expressions, opening),
        }
    return measured


def table(measured: dict[str, Any]) -> str:
    """Write a row a clip and mouth: what its faces show, read alone and beside their neighbours."""
    lines = [f"| clip | speaks | mouth | faces | {' | '.join(f'{one}, alone → beside' for one in SHOWN)} |"]
    lines.append(f"|---|---|---|---|{'---|' * len(SHOWN)}")
    for clip, found in measured.items():
        for mouth in ("open", "shut"):
            alone, beside = found["alone"][mouth], found["beside its neighbours"][mouth]
            if alone["n"]:
                cells = " | ".join(f"{alone[one]:.0f}% → {beside[one]:.0f}%" for one in SHOWN)
                lines.append(f"| `{Path(clip).stem}` | {found['speaking']:.0%} | {mouth} | {alone['n']} | {cells} |")
    return "\n".join(lines)


def main() -> None:
    """Measure, write the results, print them."""
    parser = argparse.ArgumentParser(prog="speech", description=__doc__)
    parser.add_argument("--work", type=Path, required=True, help="folder for the clips' runs")
    measured = measure(parser.parse_args().work)
    RESULTS.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    print(table(measured))


if __name__ == "__main__":
    main()
