"""The detected shares of every scene with their resamples: what comparisons are computed from."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from scenefer import metrics
from scenefer.bootstrap import interval
from scenefer.emotions import EQUAL_ACTOR, EmotionSettings, drawn, rule_for, shares, sights_of
from scenefer.errors import SceneferError
from scenefer.expression import counted
from scenefer.schema import EMOTIONS

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from scenefer.analysis import Analysis


class Reading(NamedTuple):
    """The detected shares of one scene in one view."""

    shares: np.ndarray  # (1 + n, 7) sum 1: from all usable faces, then from each resample of them
    n_units: int  # that were resampled first; under three the intervals are those within one take
    unit: str = "shots"  # or people


class Quantity(NamedTuple):
    """A number computed from the shares of a reading."""

    values: np.ndarray  # (1 + n,) the number, then that of each resample
    limits: tuple[float, float]  # the least and the most that it can be


class Evidence(NamedTuple):
    """How much was seen of a scene, as the table SCENE_EMOTIONS says."""

    evidence: str
    coverage: float
    n_tracks: int
    n_shots: int


NOTHING = Evidence("insufficient", 0.0, 0, 0)


def read(
    analysis: Analysis, expressions: pd.DataFrame, seed: int | None = None
) -> Iterator[tuple[int, str, Evidence, Reading | None]]:
    """Yield scene, view, how much was seen and what was read there; None where there is too little evidence.

    A scene has the two views of ``emotions.views_of``, then one for every named person who is seen in it.

    Args:
        expressions: table EXPRESSIONS of the run, perhaps with corrected probabilities.
        seed: of the resamples, where they are not to be those of the table SCENE_EMOTIONS.
    """
    import numpy as np

    bootstrap = bootstrap_of(analysis)
    for scene, sights in sights_of(expressions, analysis.samples, analysis.scenes, analysis.tracks, bootstrap):
        for sight, counts in drawn(scene, sights, bootstrap, seed):
            seen = Evidence(sight.words(bootstrap), sight.coverage, sight.n_tracks, sight.n_shots)
            if counts is None:
                yield scene, sight.view, seen, None
                continue
            whole = [np.concatenate([np.ones_like(level[:1]), level]) for level in counts]
            unit = "people" if sight.view == EQUAL_ACTOR else "shots"
            read_there = shares(sight.evidence, whole, sight.view) / 100
            yield scene, sight.view, seen, Reading(read_there, sight.n_units, unit)


def bootstrap_of(analysis: Analysis) -> EmotionSettings:
    """Return the settings with which the run's percentages were made."""
    return rule_for(analysis.film, EmotionSettings(**analysis.run.get("settings", {}).get("emotions", {})))


def corrected(analysis: Analysis, least_tracks: int) -> pd.DataFrame:
    """Take the lean towards the training's shares off the probabilities (EMQ, see ``metrics.emq``).

    The ratio of a scene's shares to the training's is estimated from the scene where it has ``least_tracks``, else from
    the film; each face's probabilities are multiplied by it and sum to 1 again.

    Returns:
        Table EXPRESSIONS.

    Raises:
        SceneferError: the run does not say the class shares that its weights were calibrated on.
    """
    import numpy as np

    stated = analysis.run.get("weights", {}).get("expression", {}).get("prior")
    if stated is None:
        raise SceneferError("the run does not say what shares its weights were calibrated on; analyse the film again")
    prior = np.array(json.loads(stated), np.float64)
    table = analysis.expressions
    posteriors, weights = table[list(EMOTIONS)].to_numpy(np.float64), table["weight"].to_numpy()
    counts = counted(table)
    if not counts.any():
        return table
    film = metrics.emq(posteriors[counts], weights[counts], prior)
    ratio = np.tile(film / prior, (len(table), 1))
    scene_of = table["scene"].to_numpy(np.float64, na_value=np.nan)
    tracks = table.loc[counts].groupby("scene")["track"].nunique().to_dict()
    for scene, n_tracks in tracks.items():
        inside = scene_of == scene
        if n_tracks >= least_tracks:
            ratio[inside] = metrics.emq(posteriors[inside & counts], weights[inside & counts], prior) / prior
    adapted = posteriors * ratio
    adapted /= adapted.sum(axis=1, keepdims=True)
    return table.assign(**{emotion: adapted[:, k].astype(np.float32) for k, emotion in enumerate(EMOTIONS)})


def apart(p: np.ndarray, q: np.ndarray) -> dict[str, Quantity]:
    """Compute JS and TV of two distributions, (1 + n, K) or (1, K): the estimate, then its resamples.

    Sampling noise moves a distribution away from any other, so the resamples' mean excess is subtracted from them.
    """
    found: dict[str, Quantity] = {}
    for name, distance in (("js", metrics.js_distance), ("tv", metrics.total_variation)):
        values = distance(p, q)
        values[1:] -= values[1:].mean() - values[0]
        found[name] = Quantity(values, (0.0, 1.0))
    return found


def intervals(quantities: Mapping[str, Quantity], n_units: int) -> dict[str, tuple[float, float, float]]:
    """Give every quantity with the lower and the upper end of its 95 % interval."""
    import numpy as np

    values = np.stack([quantity.values for quantity in quantities.values()]).T  # (1 + n, Q)
    least, most = np.array([quantity.limits for quantity in quantities.values()]).T
    low, high = (np.clip(end, least, most) for end in interval(values[0], values[1:], n_units))
    return dict(zip(quantities, zip(values[0].tolist(), low.tolist(), high.tolist(), strict=True), strict=True))


def within(n_units: int, unit: str = "shots") -> str:
    """Say what an interval speaks of."""
    return unit if n_units >= 3 else "one take"
