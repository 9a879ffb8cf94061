"""Check intervals on film: does the interval of half a stretch of one emotion contain the other half's share?

The halves are two samples of the same thing. A 95 % interval contains the share of a second sample of the same size in
83 % of cases, not 95 %, because both vary (Cumming and Maillardet, Psychological Methods 11, 2006).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from benchmarks.scoring import Truth, frames_at
from scenefer.analysis.bootstrap import autocorrelation, interval, resample
from scenefer.analysis.expressions import counted
from scenefer.analysis.result import Analysis
from scenefer.analysis.scene_emotions import shares
from scenefer.analysis.scene_views import SCREEN_TIME, SceneView, gather
from scenefer.core.schema import EMOTIONS

LEAST = 1.0  # minimum face seconds per half: five samples
PERCENTAGES = 2.0  # minimum face seconds for a scene to have percentages
DUE = 0.834  # P(|Z| < 1.96 / √2)


class Stretch(NamedTuple):
    """The usable faces of one annotated emotion in one shot; adjacent annotations of the same emotion are merged."""

    clip: str
    emotion: str
    faces: pd.DataFrame  # table EXPRESSIONS, ordered by time


def stretches(truth: Truth, run: Analysis) -> Iterator[Stretch]:
    """Yield the stretches of a clip that have a usable face."""
    frame = frames_at(run, run.expressions["time"])
    spans: list[tuple[int, int, str]] = []
    for segment in truth.segments:
        if spans and spans[-1][2] == segment.emotion and spans[-1][1] >= segment.start:
            spans[-1] = (spans[-1][0], segment.end, segment.emotion)
        else:
            spans.append((segment.start, segment.end, segment.emotion))
    for start, end, emotion in spans:
        if emotion in EMOTIONS:
            inside = run.expressions[(frame >= start) & (frame < end) & counted(run.expressions)]
            for _, faces in inside.groupby("shot"):
                yield Stretch(truth.clip, emotion, faces.sort_values(["time", "face"]))


def in_halves(faces: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split faces, ordered by time, at half of their seconds; faces of one moment stay together."""
    passed = faces["weight"].cumsum().to_numpy()
    middle = faces["time"].iloc[int(np.searchsorted(passed, passed[-1] / 2 - 1e-9))]
    first = (faces["time"] <= middle).to_numpy()
    return faces[first], faces[~first]


def share_and_interval(faces: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
    """Return the percentages of faces of one scene and both ends of their intervals, (3, 7)."""
    evidence = gather(faces)
    scene_view = SceneView(SCREEN_TIME, evidence, 1.0, faces["track"].nunique(), faces["shot"].nunique(), None)
    counts = resample(evidence, 1000, rng)
    percent = shares(evidence, [np.ones_like(level[:1]) for level in counts], SCREEN_TIME)[0]
    ends = interval(percent, shares(evidence, counts, SCREEN_TIME), factor=scene_view.widening)
    return np.clip(np.stack([percent, *ends]), 0, 100)


def measure(found: Iterable[Stretch]) -> dict[str, Any]:
    """Return how often the interval of one half contains the other half's share, and the interval's width.

    Stretches whose halves have less than ``LEAST`` face seconds are left out.
    """
    rng = np.random.default_rng(0)
    pairs = [(stretch, in_halves(stretch.faces)) for stretch in found]
    pairs = [(stretch, halves) for stretch, halves in pairs if _seconds(halves) >= LEAST - 1e-6]
    rows: list[dict[str, Any]] = []
    for stretch, halves in pairs:
        read = [share_and_interval(half, rng) for half in halves]
        for (percent, low, high), (other, _, _) in (read, read[::-1]):
            held = (low - 1e-9 <= other) & (other <= high + 1e-9)
            first = int(percent.argmax())
            rows.append(
                {
                    "clip": stretch.clip,
                    "long": _seconds(halves) >= PERCENTAGES - 1e-6,
                    "held": held.mean(),
                    "leader_held": held[first],
                    "width": (high - low).mean(),
                    "leader_width": (high - low)[first],
                }
            )
    table = pd.DataFrame(rows)
    correlations = [autocorrelation(gather(stretch.faces))[0] for stretch, _ in pairs]
    return {
        "due": DUE,
        "all": _summed(table),
        "halves_of_two_seconds": _summed(table[table["long"]]),
        "neighbours_correlate": np.quantile(correlations, [0.1, 0.25, 0.5, 0.75, 0.9]).round(2).tolist(),
    }


def _seconds(halves: Sequence[pd.DataFrame]) -> float:
    return min(float(half["weight"].sum()) for half in halves)


def _summed(table: pd.DataFrame) -> dict[str, Any]:
    figures = ["held", "leader_held", "width", "leader_width"]
    return {
        "stretches": len(table) // 2,
        "clips": int(table["clip"].nunique()),
        **{name: round(float(table[name].mean()), 3) for name in figures},
        "held_clips_alike": round(float(table.groupby("clip")["held"].mean().mean()), 3),
    }
