"""The detected shares of every scene and their resamples, from which comparisons are computed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from scenefer.analysis.bootstrap import interval
from scenefer.analysis.scene_emotions import drawn, rule_for, shares
from scenefer.analysis.scene_views import EQUAL_ACTOR, FEW_UNITS, EmotionSettings, views_by_scene
from scenefer.core import metrics

if TYPE_CHECKING:
    from scenefer.analysis.result import Analysis


class Reading(NamedTuple):
    """The detected shares of one scene in one view."""

    shares: np.ndarray  # (1 + n, 7) rows sum to 1: first from all usable faces, then from each resample
    n_units: int  # number of units resampled at the top level; with fewer than three, intervals are within one take
    widening: float  # factor for the width of the intervals
    unit: str = "shots"  # "shots" or "people"


class Quantity(NamedTuple):
    """A number computed from the shares of a reading."""

    values: np.ndarray  # (1 + n,) the estimate, then the value of each resample
    limits: tuple[float, float]  # minimum and maximum possible value


class Evidence(NamedTuple):
    """The amount of evidence for a scene, as in the table SCENE_EMOTIONS."""

    evidence: str
    coverage: float
    n_tracks: int
    n_shots: int


NOTHING = Evidence("insufficient", 0.0, 0, 0)


def read(analysis: Analysis, seed: int | None = None) -> Iterator[tuple[int, str, Evidence, Reading | None]]:
    """Yield scene, view, evidence and shares; the shares are None if there is too little evidence.

    A scene has the views of ``scene_views.views_of``, then one for every named person in it.

    Args:
        seed: seed of the resamples; default: the same resamples as for the table SCENE_EMOTIONS.
    """
    bootstrap = bootstrap_of(analysis)
    for scene, scene_views in views_by_scene(
        analysis.expressions, analysis.samples, analysis.scenes, analysis.tracks, bootstrap
    ):
        for scene_view, counts in drawn(scene, scene_views, bootstrap, seed):
            seen = Evidence(scene_view.words(bootstrap), scene_view.coverage, scene_view.n_tracks, scene_view.n_shots)
            if counts is None:
                yield scene, scene_view.view, seen, None
                continue
            whole = [np.concatenate([np.ones_like(level[:1]), level]) for level in counts]
            unit = "people" if scene_view.view == EQUAL_ACTOR else "shots"
            read_there = shares(scene_view.evidence, whole, scene_view.view) / 100
            yield scene, scene_view.view, seen, Reading(read_there, scene_view.n_units, scene_view.widening, unit)


def bootstrap_of(analysis: Analysis) -> EmotionSettings:
    """Return the settings with which the run's percentages were made."""
    return rule_for(analysis.film, EmotionSettings(**analysis.run.get("settings", {}).get("emotions", {})))


def apart(p: np.ndarray, q: np.ndarray) -> dict[str, Quantity]:
    """Compute the Jensen-Shannon and total variation distances of p and q, (1 + n, K) or (1, K): estimate, resamples.

    Sampling noise increases the distance between distributions, so the mean excess of the resamples over the estimate
    is subtracted from them.
    """
    found: dict[str, Quantity] = {}
    for name, distance in (("js", metrics.js_distance), ("tv", metrics.total_variation)):
        values = distance(p, q)
        values[1:] -= values[1:].mean() - values[0]
        found[name] = Quantity(values, (0.0, 1.0))
    return found


def intervals(quantities: Mapping[str, Quantity], widening: float) -> dict[str, tuple[float, float, float]]:
    """Return every quantity with the lower and the upper end of its 95 % interval."""
    values = np.stack([quantity.values for quantity in quantities.values()]).T  # (1 + n, Q)
    least, most = np.array([quantity.limits for quantity in quantities.values()]).T
    low, high = (np.clip(end, least, most) for end in interval(values[0], values[1:], factor=widening))
    return dict(zip(quantities, zip(values[0].tolist(), low.tolist(), high.tolist(), strict=True), strict=True))


def named(name: str, ends: tuple[float, float, float]) -> dict[str, float]:
    """Name a number and the ends of its interval, as the columns of tables are named."""
    return dict(zip((name, f"{name}_low", f"{name}_high"), ends, strict=True))


def within(n_units: int, unit: str = "shots") -> str:
    """Return what an interval refers to: the unit, or "one take" if there are too few units."""
    return unit if n_units >= FEW_UNITS else "one take"
