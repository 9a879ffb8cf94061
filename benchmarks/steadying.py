"""`python -m benchmarks.steadying`: what is it worth to read a face beside its neighbours in time?

The faces of the annotated clips are read once, and their logits averaged over several reaches. Writes
``results/steadying.json``.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import film_time, reading
from benchmarks.reading import ClipFaces
from scenefer.analysis.expressions import ExpressionSettings
from scenefer.models import Calibration, calibration, registry, weight_files
from scenefer.models.expression import predictor
from scenefer.models.expression.blending import probabilities

RESULTS = Path(__file__).parent / "results" / "steadying.json"
REACHES = (0.0, 0.2, 0.4, 0.5, 0.6, 0.8, 1.5, 30.0)  # s
NEXT = 0.3  # s; two samples that lie nearer follow one another


def flips(clip: ClipFaces, logits: np.ndarray, calibrated: Calibration) -> tuple[int, int]:
    """Count the usable faces whose strongest emotion differs from the sample before in their track, and all such."""
    if not len(logits):
        return 0, 0
    rows = clip.run.expressions.assign(strongest=probabilities(logits, calibrated).argmax(axis=1))
    rows = rows.loc[rows["usable"]].sort_values(["track", "time"])
    strongest, track, time = (rows[name].to_numpy() for name in ("strongest", "track", "time"))
    follows = (track[1:] == track[:-1]) & (np.diff(time) < NEXT)
    return int((strongest[1:] != strongest[:-1])[follows].sum()), int(follows.sum())


def measure(clips: Sequence[ClipFaces], logits: Sequence[np.ndarray], calibrated: Calibration) -> list[dict[str, Any]]:
    """Measure every reach; ``logits`` are those of each clip's faces, read alone."""
    rows = []
    for reach in REACHES:
        steady = [reading.steady(clip, alone, reach) for clip, alone in zip(clips, logits, strict=True)]
        told = reading.on_clips(clips, steady, calibrated)
        changed = [flips(clip, one, calibrated) for clip, one in zip(clips, steady, strict=True)]
        rows.append(
            {
                "reach": reach,
                "film_time": film_time.plain(film_time.film_time(told)),
                "loss": float(np.mean([*reading.losses(told).values()])),
                "flips": sum(one for one, _ in changed) / sum(n for _, n in changed),
            }
        )
    return rows


def table(measured: Mapping[str, Any]) -> str:
    """Write the effect of each reach for the documents."""
    lines = [
        "| reach | face time right | of the annotated emotion alone | macro-recall | segments | loss | label changes |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in measured["rows"]:
        seen = row["film_time"]
        reach = "each alone" if not row["reach"] else f"{row['reach']:g} s"
        reach = f"**{reach}**, as it ships" if row["reach"] == measured["ships"] else reach
        lines.append(
            f"| {reach} | {seen['right']['value']:.1%} ({seen['right']['low']:.0%} to {seen['right']['high']:.0%}) | "
            f"{seen['exact']['value']:.1%} | {seen['macro_recall']['value']:.1%} | {seen['segments_right']} of "
            f"{seen['n_segments']} | {row['loss']:.3f} | {row['flips']:.1%} |"
        )
    seen = measured["rows"][0]["film_time"]
    lines.append(
        f"| always neutral | {seen['constant']['value']:.1%} | {seen['constant_exact']['value']:.1%} | "
        f"{seen['constant_recall']:.1%} | | | |"
    )
    return "\n".join(lines)


def main() -> None:
    """Measure, write the results, print the table."""
    parser = argparse.ArgumentParser(prog="steadying", description=__doc__)
    parser.add_argument("--weights", default="rmn_face")
    parser.add_argument("--work", type=Path, required=True, help="folder for the clips' runs; a second call is quick")
    asked = parser.parse_args()
    path = registry.find_expression(asked.weights)
    clips = reading.annotated(asked.work)
    model = predictor.load(path)
    logits = [model.read(clip.faces) for clip in clips]
    measured = {
        "weights": weight_files.sha256_of(path),
        "ships": ExpressionSettings().steadied_over,
        "rows": measure(clips, logits, calibration(registry.describe(path))),
    }
    RESULTS.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    print(table(measured))


if __name__ == "__main__":
    main()
