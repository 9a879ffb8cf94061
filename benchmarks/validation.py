"""Simulate a reader that is right half of the time, to check the intervals of shares corrected by judgements.

python -m benchmarks.validation [--runs 1000]
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from scenefer.analysis.bootstrap import interval, resample
from scenefer.analysis.scene_emotions import shares
from scenefer.analysis.scene_views import SCREEN_TIME, EmotionSettings, gather, widening_of
from scenefer.comparison.coding_sample import draw_sample
from scenefer.comparison.corrected_shares import Faces, correct
from scenefer.core.schema import EMOTIONS
from tests.builders import expressions_table

RESULTS = Path(__file__).parent / "results" / "validation.json"
PROMISED = (0.93, 0.97)
PORTRAYED = np.array([0.10, 0.04, 0.08, 0.25, 0.13, 0.07, 0.33])  # true shares, on average over simulated films
RIGHT, SAD = 0.5, 0.6  # how often the reader is right, and the share of "sad" among its errors
N_SCENES, N_SHOTS, N_CODED = 10, 120, 200
KEPT = 0.8  # part of an expression that persists to the next face of its track


class Simulated(NamedTuple):
    """A simulated film with known true expressions."""

    expressions: pd.DataFrame  # table EXPRESSIONS
    seen: np.ndarray  # (N, 7) one-hot, in the rows' order


def film(rng: np.random.Generator, right: float = RIGHT) -> Simulated:
    """Simulate a film: shots of one or two tracks of 10 to 40 faces, whose expressions tend to those of the shot."""
    tracks = rng.integers(1, 3, N_SHOTS)
    shot_of_track = np.repeat(np.arange(N_SHOTS), tracks)
    n_faces = rng.integers(10, 41, len(shot_of_track))
    track = np.repeat(np.arange(len(n_faces)), n_faces)
    mood = rng.dirichlet(4 * PORTRAYED, N_SHOTS)[shot_of_track]
    label = np.array([rng.choice(7, p=mood[one]) for one in track])
    for row in range(1, len(track)):
        if track[row] == track[row - 1] and rng.random() < KEPT:
            label[row] = label[row - 1]
    wrong = np.where(rng.random(len(track)) < SAD, EMOTIONS.index("sad"), rng.integers(0, 7, len(track)))
    read = np.where(rng.random(len(track)) < right, label, wrong)
    sure = rng.uniform(0.3, 0.9, len(track))[:, None]
    probabilities = sure * np.eye(7)[read] + (1 - sure) * rng.dirichlet(np.ones(7), len(track))
    shot = shot_of_track[track]
    place = np.concatenate([np.arange(n) for n in n_faces])
    expressions = expressions_table(
        time=shot * 10.0 + 0.2 * place, track=track, shot=shot, scene=shot * N_SCENES // N_SHOTS,
        **dict(zip(EMOTIONS, probabilities.T, strict=True)),
    )  # fmt: skip
    return Simulated(expressions, np.eye(7)[label])


def faces_of(simulated: Simulated, n: int, seed: int) -> Faces:
    """Draw the sample of faces that people judge, with the true expressions as judgements."""
    table = simulated.expressions
    sample = draw_sample(table, n, seed)
    drawn = sample["place"].notna().to_numpy()[:, None]
    return Faces(
        table[list(EMOTIONS)].to_numpy(np.float64),
        np.where(drawn, simulated.seen, np.nan),
        table["weight"].to_numpy(),
        sample["stratum"].to_numpy(),
        sample["probability"].to_numpy(),
        table["shot"].to_numpy(),
    )


def raw(simulated: Simulated, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Give both ends of the intervals of the uncorrected shares, as the program computes them."""
    evidence = gather(simulated.expressions.assign(scene=0), EmotionSettings())
    counts = resample(evidence, 200, rng)
    once = [np.ones((1, of_level.shape[1]), np.int64) for of_level in counts]
    estimate = shares(evidence, once, SCREEN_TIME)[0]
    return interval(estimate, shares(evidence, counts, SCREEN_TIME), factor=widening_of(N_SHOTS, evidence))


def covered(runs: int) -> dict[str, Any]:
    """Count how often intervals contain the true shares of the seven: of such films in general, and of this film."""
    hits: dict[str, list[np.ndarray]] = {name: [] for name in ("raw", "coded", "validated", "validated_this_film")}
    widths: dict[str, list[np.ndarray]] = {"coded": [], "validated": []}
    for seed in range(runs):
        rng = np.random.default_rng(seed)
        simulated = film(rng)
        faces = faces_of(simulated, N_CODED, seed)
        ends = {"raw": raw(simulated, rng)}
        for name in ("coded", "validated"):
            found = correct(faces, read_counts=name == "validated")
            assert found is not None
            ends[name] = (found.low, found.high)
            widths[name].append(found.high - found.low)
        ends["validated_this_film"] = ends["validated"]
        for name, (low, high) in ends.items():
            truth = 100 * (simulated.seen.mean(axis=0) if name == "validated_this_film" else PORTRAYED)
            hits[name].append((low <= truth) & (truth <= high))
    return {
        "runs": runs,
        "coded_faces": N_CODED,
        "covered": {name: _by_emotion(np.mean(found, axis=0)) for name, found in hits.items()},
        "covered_all": {name: round(float(np.mean(found)), 4) for name, found in hits.items()},
        "width_points": {name: _by_emotion(np.mean(found, axis=0), 2) for name, found in widths.items()},
        "wider_than_coded": int((np.array(widths["validated"]) > np.array(widths["coded"]) + 1e-9).sum()),
    }


def holds(measured: dict[str, Any]) -> bool:
    """Tell whether all promises hold."""
    low, high = PROMISED
    found = measured["covered_all"]
    each = measured["covered"]["validated"].values()
    return low <= found["validated"] <= high and min(each) >= 0.9 and found["raw"] < 0.6


def _by_emotion(values: np.ndarray, digits: int = 4) -> dict[str, float]:
    return dict(zip(EMOTIONS, values.round(digits).tolist(), strict=True))


def main() -> int:
    """Measure, print, write the results; return 1 if a promise does not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    measured = covered(parser.parse_args().runs)
    print(json.dumps(measured, indent=1))
    RESULTS.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    return 0 if holds(measured) else 1


if __name__ == "__main__":
    sys.exit(main())
