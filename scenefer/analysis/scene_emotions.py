"""From faces to the percentages of a scene, with confidence intervals and the amount of evidence.

The intervals come from resampling shots, within them tracks, within them blocks of one second (``bootstrap``). If every
person counts equally, people are resampled first, then their shots. For fewer than three short shots, single faces are
resampled instead of blocks. ``scene_views`` says whose faces weigh how much.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from scenefer.analysis.bootstrap import Evidence, interval, resample
from scenefer.analysis.scene_views import (
    EQUAL_ACTOR,
    EQUAL_TRACK,
    KNOWN_VIEWS,
    OWN_BASELINE,
    VIEWS,
    EmotionSettings,
    SceneView,
    character_view,
    views_by_scene,
)
from scenefer.core.schema import EMOTIONS, TABLES
from scenefer.core.tables import conform

if TYPE_CHECKING:
    import pandas as pd

    from scenefer.core.film import Film

_ALIKE = {EQUAL_TRACK: -1, EQUAL_ACTOR: 0}  # the level of Evidence whose groups are weighted equally


def summarise(
    expressions: pd.DataFrame,
    samples: pd.DataFrame,
    scenes: pd.DataFrame,
    tracks: pd.DataFrame,
    settings: EmotionSettings = EmotionSettings(),
) -> pd.DataFrame:
    """Estimate how a scene's face-seconds divide among the seven expressions.

    Percentages are means of calibrated probabilities, weighted by seconds: over all faces
    (``screen_time``); or per person and then over people (``equal_actor``), or over tracks without person recognition
    (``equal_track``); or over one named person (``character:NAME``). ``own_baseline`` is ``screen_time`` after
    subtracting each person's calm face. Percentages are null if there is too little evidence.

    Args:
        expressions: table EXPRESSIONS, rows in any order.
        samples: table SAMPLES, as returned by ``account``.
        scenes: table SCENES.
        tracks: table TRACKS.

    Returns:
        Table SCENE_EMOTIONS, seven rows per view and scene. With fewer than three shots (``n_shots``; for
        ``equal_actor`` fewer than three people, ``n_actors``), an interval only covers variation within the same take.

    Raises:
        ValueError: a face belongs to a track that is not in ``tracks``.
    """

    if not np.isin(expressions["track"], tracks["track"]).all():
        raise ValueError("expressions name a track that the table tracks has not")
    columns: dict[str, list] = {column.name: [] for column in TABLES["scene_emotions"]}
    for scene, scene_views in views_by_scene(expressions, samples, scenes, tracks, settings):
        for scene_view, counts in drawn(scene, scene_views, settings):
            percent = low = high = np.full(len(EMOTIONS), np.nan)
            if counts is not None:
                percent, low, high = _estimate(scene_view, counts)
            row = {
                "scene": scene,
                "view": scene_view.view,
                "evidence": scene_view.words(settings),
                "coverage": scene_view.coverage,
                "face_seconds": scene_view.face_seconds,
                "n_tracks": scene_view.n_tracks,
                "n_shots": scene_view.n_shots,
                "n_actors": scene_view.n_actors,
            }
            for name, value in row.items():
                columns[name] += [value] * len(EMOTIONS)
            for name, values in {"emotion": EMOTIONS, "percent": percent, "low": low, "high": high}.items():
                columns[name] += list(values)
    return conform(columns, "scene_emotions")


def rule_for(film: Film, settings: EmotionSettings) -> EmotionSettings:
    """Adapt the limits for evidence: stills have no duration, so only the share of pictures with a face matters."""
    return settings if film.kind == "video" else replace(settings, least_face_seconds=0.0)


def drawn(
    scene: int, scene_views: Sequence[SceneView], settings: EmotionSettings, seed: int | None = None
) -> Iterator[tuple[SceneView, list[np.ndarray] | None]]:
    """Resample the evidence of each view of a scene; None if the evidence is insufficient.

    Args:
        seed: replaces the seed of the settings.
    """
    last, counts = None, None
    for scene_view in scene_views:
        if scene_view.words(settings) == "insufficient":
            yield scene_view, None
            continue
        if scene_view.evidence is not last:  # views with the same evidence share resamples
            about = [] if scene_view.view in (*VIEWS, OWN_BASELINE) else [zlib.crc32(scene_view.view.encode())]
            rng = np.random.default_rng([settings.seed if seed is None else seed, scene, *about])
            last, counts = scene_view.evidence, resample(scene_view.evidence, settings.resamples, rng)
        yield scene_view, counts


def shares(evidence: Evidence, counts: list[np.ndarray], view: str) -> np.ndarray:
    """Compute the percentages of every resample: (n, 7), rows sum to 100.

    In ``equal_track``, the draws of a track are pooled before averaging over tracks; in ``equal_actor``, those of a
    person before averaging over people.

    Raises:
        ValueError: the view is unknown.
    """
    if view not in KNOWN_VIEWS and not view.startswith(character_view("")):
        raise ValueError(f"unknown view {view!r}; known: {', '.join((*KNOWN_VIEWS, character_view('NAME')))}")
    blocks = counts[-1].astype(np.float64)
    if view in _ALIKE:
        level = _ALIKE[view]
        group = evidence.levels[level]
        first = np.unique(group, return_index=True)[1]  # blocks of a group are contiguous
        seconds = np.add.reduceat(blocks * evidence.weight, first, axis=1)  # (n, groups)
        draws = counts[:-1][level]
        each = np.divide(draws, seconds, out=np.zeros_like(seconds), where=seconds > 0)
        blocks = blocks * each[:, group]
    mass = blocks @ evidence.mass
    return 100 * mass / mass.sum(axis=1, keepdims=True)


def _estimate(scene_view: SceneView, counts: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    once = [np.ones((1, of_level.shape[1]), np.int64) for of_level in counts]
    percent = shares(scene_view.evidence, once, scene_view.view)[0]
    low, high = interval(percent, shares(scene_view.evidence, counts, scene_view.view), factor=scene_view.widening)
    return percent, np.clip(low, 0, 100), np.clip(high, 0, 100)
