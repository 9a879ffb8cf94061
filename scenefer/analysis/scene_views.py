"""The views of a scene: whose faces weigh how much, and how much evidence there is.

A view defines how faces are weighted: by seconds, every track equally, every person equally, or only one person. If the
settings ask for it, one more view weights by seconds after subtracting each person's calm face (``calm_face``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from scenefer.analysis import calm_face
from scenefer.analysis.bootstrap import Evidence, take_widening, widening
from scenefer.analysis.expressions import counted
from scenefer.core.schema import EMOTIONS
from scenefer.core.settings import Settings, bounded, one_of

if TYPE_CHECKING:
    import pandas as pd

SCREEN_TIME, EQUAL_TRACK, EQUAL_ACTOR = "screen_time", "equal_track", "equal_actor"
VIEWS = (SCREEN_TIME, EQUAL_TRACK)  # without person recognition; see ``views_of``
OWN_BASELINE = "own_baseline"  # an additional view, if the settings ask for it
UNKNOWN = -1  # actor of all tracks of unknown people

FEW_UNITS = 3  # shots or people; fewer do not represent what could have been filmed
_SHORT = 60.0  # face seconds; below this, with fewer shots than FEW_UNITS, single faces are resampled

KNOWN_VIEWS = (*VIEWS, EQUAL_ACTOR, OWN_BASELINE)


@dataclass(frozen=True)
class EmotionSettings(Settings):
    """What a scene needs for percentages, and how their intervals are computed."""

    least_face_seconds: float = 2.0  # below this there are no percentages
    least_coverage: float = 0.1  # share of the sampled time with a usable face; below this there are no percentages
    resamples: int = bounded(1000, 20, 1_000_000)  # of the bootstrap
    # Seconds of a track that are resampled together; not used for one or two short shots.
    block: float = bounded(1.0, 0.01, 3600)
    seed: int = 0  # of the bootstrap
    baseline: str = one_of("none", ("none", "person"))  # person: add a view with each person's calm face subtracted


class SceneView(NamedTuple):
    """The usable faces of one scene in one view, and their amount."""

    view: str
    evidence: Evidence
    coverage: float  # share of the scene's sampled time with such a face, 0 to 1
    n_tracks: int
    n_shots: int
    n_actors: int | None  # all unknown people count as one; None without person recognition

    @property
    def face_seconds(self) -> float:
        return float(self.evidence.weight.sum())

    @property
    def n_units(self) -> int:
        """Number of units resampled at the top level: people if every person counts equally, else shots."""
        return self.n_actors or 0 if self.view == EQUAL_ACTOR else self.n_shots

    @property
    def widening(self) -> float:
        """Factor for the width of intervals: from people or shots if there are at least three, else from the blocks."""
        units = self.n_units if self.n_units >= FEW_UNITS else self.n_shots
        return widening_of(units, self.evidence)

    def words(self, settings: EmotionSettings) -> str:
        """Return whether the evidence is enough for percentages: "insufficient", "one take" or "enough"."""
        least = settings.least_face_seconds - 1e-9
        if self.face_seconds < least or self.coverage < settings.least_coverage:
            return "insufficient"
        return "one take" if self.n_tracks == 1 else "enough"


def widening_of(n_units: int, evidence: Evidence) -> float:
    """Return the factor for the width of intervals, from the number of shots or people, or from blocks if too few."""
    return widening(n_units, n_units - 1) if n_units >= FEW_UNITS else take_widening(evidence)


def views_of(tracks: pd.DataFrame, settings: EmotionSettings = EmotionSettings()) -> tuple[str, ...]:
    """Return the views that every scene has; with person recognition, ``equal_actor`` replaces ``equal_track``.

    If the settings ask for it, and there are people, the third view subtracts calm faces.
    """
    if tracks["actor"].isna().all():
        return VIEWS
    return (SCREEN_TIME, EQUAL_ACTOR, *((OWN_BASELINE,) if settings.baseline == "person" else ()))


def character_view(name: str) -> str:
    """Return the view of a named person."""
    return f"character:{name}"


def views_by_scene(
    expressions: pd.DataFrame,
    samples: pd.DataFrame,
    scenes: pd.DataFrame,
    tracks: pd.DataFrame,
    settings: EmotionSettings = EmotionSettings(),
) -> Iterator[tuple[int, list[SceneView]]]:
    """Yield every scene with its views: those of ``views_of``, then one for each named person in the scene."""
    actor_of = dict(zip(tracks["track"].tolist(), tracks["actor"].fillna(UNKNOWN).astype(int).tolist(), strict=True))
    named = tracks.dropna(subset=["actor", "actor_name"]).drop_duplicates("actor").sort_values("actor")
    names = dict(zip(named["actor"].astype(int).tolist(), named["actor_name"], strict=True))
    usable = expressions.loc[counted(expressions) & expressions["scene"].notna()]
    rows = usable.groupby("scene").indices
    usable = usable.drop(columns=["scene", "why"])  # object columns make row selection slow
    usable = usable.assign(actor=usable["track"].map(actor_of).fillna(UNKNOWN).astype("int64"))
    sampled = _sampled(samples)
    _, alike, *calm = views_of(tracks, settings)
    calmed = calm_face.take_off(usable) if calm else None
    for scene in scenes["scene"].tolist():
        faces = usable.iloc[rows.get(scene, [])]
        total, covered = sampled.get(scene, (0.0, 0.0))
        coverage = covered / total if total else 0.0
        evidence = gather(faces, settings)
        one_by_one = gather(faces, settings, by_person=True) if alike == EQUAL_ACTOR else evidence
        n_tracks, n_shots = faces["track"].nunique(), faces["shot"].nunique()
        about = (coverage, n_tracks, n_shots, faces["actor"].nunique() if alike == EQUAL_ACTOR else None)
        scene_views = [SceneView(SCREEN_TIME, evidence, *about), SceneView(alike, one_by_one, *about)]
        if calmed is not None:
            scene_views.append(SceneView(OWN_BASELINE, gather(calmed.iloc[rows.get(scene, [])], settings), *about))
        for actor in (actor for actor in names if (faces["actor"] == actor).any()):
            own = faces.loc[faces["actor"] == actor]
            seen = float(own.groupby("time")["weight"].max().sum())
            about = (min(seen / total, 1.0) if total else 0.0, own["track"].nunique(), own["shot"].nunique(), 1)
            scene_views.append(SceneView(character_view(names[actor]), gather(own, settings), *about))
        yield scene, scene_views


def gather(
    expressions: pd.DataFrame, settings: EmotionSettings = EmotionSettings(), *, by_person: bool = False
) -> Evidence:
    """Sum the usable faces of one scene in blocks of one second per track, starting at its first face in the scene.

    With fewer than three shots and little time in total, every face is a block, because a few seconds give too few
    blocks to estimate their variation.

    Args:
        by_person: add people (column ``actor``) as a level above the shots.
    """
    names = ("actor", "shot", "track") if by_person else ("shot", "track")
    chosen = np.flatnonzero(counted(expressions))
    if not len(chosen):
        return Evidence((np.zeros(0, np.int64),) * len(names), np.zeros((0, len(EMOTIONS))), np.zeros(0))
    keys = [expressions[name].to_numpy()[chosen] for name in ("face", "time", *reversed(names))]
    order = chosen[np.lexsort(keys)]
    time, weight = (expressions[name].to_numpy()[order] for name in ("time", "weight"))
    begins: list[np.ndarray] = []  # for each level: whether a group begins at each face
    new = np.arange(len(order)) == 0
    for name in names:
        new = new | (np.diff(expressions[name].to_numpy()[order], prepend=-2) != 0)
        begins.append(new)
    if len(np.unique(expressions["shot"].to_numpy()[chosen])) < FEW_UNITS and weight.sum() < _SHORT:
        first = np.arange(len(order))
    else:
        begun = time[new][np.cumsum(new) - 1]
        block = np.floor((time - begun) / settings.block + 1e-6)
        first = np.flatnonzero(new | (np.diff(block, prepend=-1) != 0))
    mass = expressions[list(EMOTIONS)].to_numpy(np.float64)[order] * weight[:, None]
    levels = tuple((np.cumsum(level) - 1)[first] for level in begins)
    return Evidence(levels, np.add.reduceat(mass, first, axis=0), np.add.reduceat(weight, first))


def _sampled(samples: pd.DataFrame) -> dict[int, tuple[float, float]]:
    """Return for every scene its sampled seconds, and its sampled seconds with a usable face."""
    looked_at = ~samples["state"].isin(["not decoded", "excluded"])
    sampled = samples.loc[samples["scene"].notna() & looked_at & (samples["weight"] > 0)]
    scene, row = np.unique(sampled["scene"].to_numpy(np.int64), return_inverse=True)
    weight, seen = sampled["weight"].to_numpy(), (sampled["state"] == "face").to_numpy()
    seconds = zip(np.bincount(row, weight).tolist(), np.bincount(row, weight * seen).tolist(), strict=True)
    return dict(zip(scene.tolist(), seconds, strict=True))
