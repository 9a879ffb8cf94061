"""The detected shares of every scene with their resamples: what comparisons are computed from."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from scenefer import metrics
from scenefer.emotions import VIEWS, EmotionSettings, gather, interval, resample, shares
from scenefer.errors import SceneferError
from scenefer.tables import EMOTIONS

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from scenefer.analysis import Analysis


class Reading(NamedTuple):
    """The detected shares of one scene in one view."""

    shares: np.ndarray  # (1 + n, 7) sum 1: from all usable faces, then from each resample of them
    n_units: int  # shots that were resampled; under three the intervals are those within one take


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


def read(
    analysis: Analysis, expressions: pd.DataFrame, seed: int | None = None
) -> Iterator[tuple[int, str, Reading | None]]:
    """Yield scene, view and what was read there; None where there is too little evidence.

    The views of one person are to be yielded here too, from the faces of that person's tracks, once there are people.

    Args:
        expressions: table EXPRESSIONS of the run, perhaps with corrected probabilities.
        seed: of the resamples, where they are not to be those of the table SCENE_EMOTIONS.
    """
    import numpy as np

    bootstrap = bootstrap_of(analysis)
    usable = expressions.loc[expressions["usable"] & expressions["scene"].notna()]
    rows = usable.groupby("scene").indices
    usable = usable.drop(columns=["scene", "why"])  # columns of objects make a choice of rows slow
    for scene, seen in evidence_of(analysis).items():
        faces = gather(usable.iloc[rows.get(scene, [])], bootstrap)
        enough = seen.evidence != "insufficient" and len(faces.weight) > 0
        if not enough:
            yield from ((scene, view, None) for view in VIEWS)
            continue
        rng = np.random.default_rng([bootstrap.seed if seed is None else seed, scene])
        drawn = resample(faces, bootstrap.resamples, rng)
        counts = [np.concatenate([np.ones_like(level[:1]), level]) for level in drawn]
        for view in VIEWS:
            yield scene, view, Reading(shares(faces, counts, view) / 100, seen.n_shots)


def evidence_of(analysis: Analysis) -> dict[int, Evidence]:
    """Return how much was seen of every scene, in order."""
    columns = ["scene", *Evidence._fields]
    known = analysis.scene_emotions.drop_duplicates("scene")[columns]
    seen = {int(row[0]): Evidence(*row[1:]) for row in known.itertuples(index=False, name=None)}
    return {int(scene): seen[int(scene)] for scene in analysis.scenes["scene"]}


def bootstrap_of(analysis: Analysis) -> EmotionSettings:
    """Return the settings with which the run's percentages were made."""
    return EmotionSettings(**analysis.run.get("settings", {}).get("emotions", {}))


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
    counts = table["usable"].to_numpy(bool) & (weights > 0)
    if not counts.any():
        return table
    film = metrics.emq(posteriors[counts], weights[counts], prior)
    ratio = np.tile(film / prior, (len(table), 1))
    scene_of = table["scene"].to_numpy(np.float64, na_value=np.nan)
    for scene, seen in evidence_of(analysis).items():
        inside = scene_of == scene
        if seen.n_tracks >= least_tracks:
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


def within(n_units: int) -> str:
    """Say what an interval speaks of."""
    return "shots" if n_units >= 3 else "one take"
