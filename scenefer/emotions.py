"""From faces to the percentages of a scene, with intervals and a measure of how much was seen.

A view says how faces count: in seconds, every track alike, every person alike, or one person alone. The intervals come
from resampling shots, in them tracks, in them blocks of one second (``bootstrap``); where every person counts alike,
people are resampled first, and then their shots.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from scenefer.bootstrap import Evidence, interval, resample
from scenefer.expression import counted
from scenefer.schema import EMOTIONS

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from scenefer.film import Film

SCREEN_TIME, EQUAL_TRACK, EQUAL_ACTOR = "screen_time", "equal_track", "equal_actor"
VIEWS = (SCREEN_TIME, EQUAL_TRACK)  # where people are not told apart; see ``views_of``
UNKNOWN = -1  # the actor of all tracks that could not be told

_ALIKE = {EQUAL_TRACK: -1, EQUAL_ACTOR: 0}  # the level of evidence whose groups count alike


@dataclass(frozen=True)
class EmotionSettings:
    least_face_seconds: float = 2.0  # below this there are no percentages
    least_coverage: float = 0.1  # share of the sampled time with a usable face; below this there are no percentages
    resamples: int = 1000
    block: float = 1.0  # seconds of a track that are resampled together
    seed: int = 0


class Sight(NamedTuple):
    """The usable faces of one scene as one view sees them, and how much they are."""

    view: str
    evidence: Evidence
    coverage: float  # share of the scene's sampled time with one of them, 0 to 1
    n_tracks: int
    n_shots: int
    n_actors: int | None  # unknown ones together as one; None where people are not told apart

    @property
    def face_seconds(self) -> float:
        return float(self.evidence.weight.sum())

    @property
    def n_units(self) -> int:
        """Count what is resampled first: people where every person counts alike, else shots."""
        return self.n_actors or 0 if self.view == EQUAL_ACTOR else self.n_shots

    def words(self, settings: EmotionSettings) -> str:
        """Say whether this is evidence enough for percentages."""
        least = settings.least_face_seconds - 1e-9
        if self.face_seconds < least or self.coverage < settings.least_coverage:
            return "insufficient"
        return "one take" if self.n_tracks == 1 else "enough"


def summarise(
    expressions: pd.DataFrame,
    samples: pd.DataFrame,
    scenes: pd.DataFrame,
    tracks: pd.DataFrame,
    settings: EmotionSettings = EmotionSettings(),
) -> pd.DataFrame:
    """Estimate how a scene's face-seconds divide among the seven expressions.

    Percentages are means of unsmoothed calibrated probabilities, weighted in seconds: of all faces (``screen_time``),
    or of each person first and then of the people (``equal_actor``; of the tracks, ``equal_track``, where nobody is
    known), or of one named person (``character:NAME``). Where evidence is too thin they are null.

    Args:
        expressions: table EXPRESSIONS, rows in any order.
        samples: table SAMPLES, accounted for.
        scenes: table SCENES.
        tracks: table TRACKS.

    Returns:
        Table SCENE_EMOTIONS, seven rows a view a scene. With fewer than three shots (``n_shots``; of ``equal_actor``
        three people, ``n_actors``) an interval says how far the face varies within one take, and nothing beyond it.

    Raises:
        ValueError: a face belongs to a track that is not in ``tracks``.
    """
    import numpy as np

    from scenefer.schema import TABLES
    from scenefer.tables import conform

    if not np.isin(expressions["track"], tracks["track"]).all():
        raise ValueError("expressions name a track that the table tracks has not")
    columns: dict[str, list] = {column.name: [] for column in TABLES["scene_emotions"]}
    for scene, sights in sights_of(expressions, samples, scenes, tracks, settings):
        for sight, counts in drawn(scene, sights, settings):
            percent = low = high = np.full(len(EMOTIONS), np.nan)
            if counts is not None:
                percent, low, high = _estimate(sight, counts)
            row = {
                "scene": scene,
                "view": sight.view,
                "evidence": sight.words(settings),
                "coverage": sight.coverage,
                "face_seconds": sight.face_seconds,
                "n_tracks": sight.n_tracks,
                "n_shots": sight.n_shots,
                "n_actors": sight.n_actors,
            }
            for name, value in row.items():
                columns[name] += [value] * len(EMOTIONS)
            for name, values in {"emotion": EMOTIONS, "percent": percent, "low": low, "high": high}.items():
                columns[name] += list(values)
    return conform(columns, "scene_emotions")


def rule_for(film: Film, settings: EmotionSettings) -> EmotionSettings:
    """Return what counts as enough evidence: of stills, which last no time, the share of pictures with a face alone."""
    return settings if film.kind == "video" else replace(settings, least_face_seconds=0.0)


def views_of(tracks: pd.DataFrame) -> tuple[str, str]:
    """Return the views that every scene has: with people, every person counts alike instead of every track."""
    return (SCREEN_TIME, EQUAL_ACTOR) if tracks["actor"].notna().any() else VIEWS


def character_view(name: str) -> str:
    """Return the view of a named person."""
    return f"character:{name}"


def sights_of(
    expressions: pd.DataFrame,
    samples: pd.DataFrame,
    scenes: pd.DataFrame,
    tracks: pd.DataFrame,
    settings: EmotionSettings = EmotionSettings(),
) -> Iterator[tuple[int, list[Sight]]]:
    """Yield every scene with what its views see: those of ``views_of``, then a view a named person seen in it."""
    actor_of = dict(zip(tracks["track"].tolist(), tracks["actor"].fillna(UNKNOWN).astype(int).tolist(), strict=True))
    named = tracks.dropna(subset=["actor", "actor_name"]).drop_duplicates("actor").sort_values("actor")
    names = dict(zip(named["actor"].astype(int).tolist(), named["actor_name"], strict=True))
    usable = expressions.loc[counted(expressions) & expressions["scene"].notna()]
    rows = usable.groupby("scene").indices
    usable = usable.drop(columns=["scene", "why"])  # columns of objects make a choice of rows slow
    usable = usable.assign(actor=usable["track"].map(actor_of).fillna(UNKNOWN).astype("int64"))
    sampled = _sampled(samples)
    _, alike = views_of(tracks)
    for scene in scenes["scene"].tolist():
        faces = usable.iloc[rows.get(scene, [])]
        total, covered = sampled.get(scene, (0.0, 0.0))
        coverage = covered / total if total else 0.0
        evidence = gather(faces, settings)
        one_by_one = gather(faces, settings, by_person=True) if alike == EQUAL_ACTOR else evidence
        n_tracks, n_shots = faces["track"].nunique(), faces["shot"].nunique()
        about = (coverage, n_tracks, n_shots, faces["actor"].nunique() if alike == EQUAL_ACTOR else None)
        sights = [Sight(SCREEN_TIME, evidence, *about), Sight(alike, one_by_one, *about)]
        for actor in (actor for actor in names if (faces["actor"] == actor).any()):
            own = faces.loc[faces["actor"] == actor]
            seen = float(own.groupby("time")["weight"].max().sum())
            about = (min(seen / total, 1.0) if total else 0.0, own["track"].nunique(), own["shot"].nunique(), 1)
            sights.append(Sight(character_view(names[actor]), gather(own, settings), *about))
        yield scene, sights


def drawn(
    scene: int, sights: Sequence[Sight], settings: EmotionSettings, seed: int | None = None
) -> Iterator[tuple[Sight, list[np.ndarray] | None]]:
    """Resample what the views of a scene see; None where it is too little.

    Args:
        seed: where the resamples are not to be those of the settings.
    """
    import numpy as np

    last, counts = None, None
    for sight in sights:
        if sight.words(settings) == "insufficient":
            yield sight, None
            continue
        if sight.evidence is not last:  # two views of the same faces share the resamples
            about = [] if sight.view in VIEWS else [zlib.crc32(sight.view.encode())]
            rng = np.random.default_rng([settings.seed if seed is None else seed, scene, *about])
            last, counts = sight.evidence, resample(sight.evidence, settings.resamples, rng)
        yield sight, counts


def gather(
    expressions: pd.DataFrame, settings: EmotionSettings = EmotionSettings(), *, by_person: bool = False
) -> Evidence:
    """Add the usable faces of one scene up in blocks of a second of each track, counted from its first face there.

    Args:
        by_person: people, by the column ``actor``, are a level above the shots.
    """
    import numpy as np

    names = ("actor", "shot", "track") if by_person else ("shot", "track")
    chosen = np.flatnonzero(counted(expressions))
    if not len(chosen):
        return Evidence((np.zeros(0, np.int64),) * len(names), np.zeros((0, len(EMOTIONS))), np.zeros(0))
    keys = [expressions[name].to_numpy()[chosen] for name in ("face", "time", *reversed(names))]
    order = chosen[np.lexsort(keys)]
    time, weight = (expressions[name].to_numpy()[order] for name in ("time", "weight"))
    begins: list[np.ndarray] = []  # of each level: whether a group of it begins at a face
    new = np.arange(len(order)) == 0
    for name in names:
        new = new | (np.diff(expressions[name].to_numpy()[order], prepend=-2) != 0)
        begins.append(new)
    begun = time[new][np.cumsum(new) - 1]
    block = np.floor((time - begun) / settings.block + 1e-6)
    first = np.flatnonzero(new | (np.diff(block, prepend=-1) != 0))
    mass = expressions[list(EMOTIONS)].to_numpy(np.float64)[order] * weight[:, None]
    levels = tuple((np.cumsum(level) - 1)[first] for level in begins)
    return Evidence(levels, np.add.reduceat(mass, first, axis=0), np.add.reduceat(weight, first))


def shares(evidence: Evidence, counts: list[np.ndarray], view: str) -> np.ndarray:
    """Compute the percentages of every resample: (n, 7), rows sum to 100.

    In ``equal_track`` the draws of one track are pooled before tracks are averaged, in ``equal_actor`` those of one
    person before people are.

    Raises:
        ValueError: the view is unknown.
    """
    import numpy as np

    if view not in (*VIEWS, EQUAL_ACTOR) and not view.startswith(character_view("")):
        raise ValueError(f"unknown view {view!r}; known: {', '.join((*VIEWS, EQUAL_ACTOR, character_view('NAME')))}")
    blocks = counts[-1].astype(np.float64)
    if view in _ALIKE:
        level = _ALIKE[view]
        group = evidence.levels[level]
        first = np.unique(group, return_index=True)[1]  # blocks of a group stand together
        seconds = np.add.reduceat(blocks * evidence.weight, first, axis=1)  # (n, groups)
        draws = counts[:-1][level]
        each = np.divide(draws, seconds, out=np.zeros_like(seconds), where=seconds > 0)
        blocks = blocks * each[:, group]
    mass = blocks @ evidence.mass
    return 100 * mass / mass.sum(axis=1, keepdims=True)


def _estimate(sight: Sight, counts: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    import numpy as np

    once = [np.ones((1, of_level.shape[1]), np.int64) for of_level in counts]
    percent = shares(sight.evidence, once, sight.view)[0]
    low, high = interval(percent, shares(sight.evidence, counts, sight.view), sight.n_units)
    return percent, np.clip(low, 0, 100), np.clip(high, 0, 100)


def _sampled(samples: pd.DataFrame) -> dict[int, tuple[float, float]]:
    """Return of every scene its sampled seconds, and those of them with a usable face."""
    import numpy as np

    sampled = samples.loc[samples["scene"].notna() & (samples["state"] != "not decoded") & (samples["weight"] > 0)]
    scene, row = np.unique(sampled["scene"].to_numpy(np.int64), return_inverse=True)
    weight, seen = sampled["weight"].to_numpy(), (sampled["state"] == "face").to_numpy()
    seconds = zip(np.bincount(row, weight).tolist(), np.bincount(row, weight * seen).tolist(), strict=True)
    return dict(zip(scene.tolist(), seconds, strict=True))
