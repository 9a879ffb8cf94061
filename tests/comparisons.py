"""Runs and sheets made by hand, to be compared."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import pandas as pd

from scenefer.analysis.result import Analysis
from scenefer.analysis.scene_emotions import summarise
from scenefer.analysis.scene_views import EmotionSettings
from scenefer.core.film import Film
from scenefer.core.schema import EMOTIONS
from scenefer.core.tables import empty
from tests.builders import expressions_table, samples_table, scenes_table, tracks_table

FILM = Film(Path("film.mkv"), "0" * 16, 640, 360, None, Fraction(25))


Scene = Sequence[Sequence[dict[str, float]]]  # shots of one track each: a second of the track an entry


def analysis_of(*scenes: Scene, resamples: int = 200) -> Analysis:
    """Analyse scenes named a, b, c … of ten seconds or more: a track a shot, five usable faces a second."""
    rows: list[dict[str, Any]] = []
    starts, clock, shot = [], 0.0, 0
    for scene, shots in enumerate(scenes):
        starts.append(clock)
        for seconds in shots:
            for second in seconds:
                rows += [
                    {"time": clock + k / 5, "shot": shot, "track": shot, "scene": scene, **second} for k in range(5)
                ]
                clock += 1.0
            shot += 1
        clock = max(clock, starts[-1] + 10.0)
    columns = [*EMOTIONS] if rows else []
    faces = {name: [row.get(name, 0.0) for row in rows] for name in ("time", "shot", "track", "scene", *columns)}
    expressions = expressions_table(**faces)
    table = scenes_table(start=starts, name=[chr(ord("a") + scene) for scene in range(len(scenes))])
    seen = expressions.drop_duplicates("time").sort_values("time")
    samples = samples_table(time=seen["time"], scene=seen["scene"], weight=seen["weight"])
    tracks = tracks_table(track=sorted(set(expressions["track"])))
    emotions = summarise(expressions, samples, table, tracks, EmotionSettings(resamples=resamples))
    run: dict[str, Any] = {"settings": {"emotions": {"resamples": resamples}}}
    return Analysis(
        film=FILM, tracks=tracks, samples=samples, expressions=expressions, scenes=table, scene_emotions=emotions,
        sheet=None, run=run, **{name: empty(name) for name in ("frames", "faces", "pictures", "shots")},
    )  # fmt: skip


def sheet_of(analysis: Analysis, *intended: str | None, **columns: Any) -> pd.DataFrame:
    scenes = analysis.scenes
    sheet = {"scene": scenes["name"], "start": scenes["start"], "end": scenes["end"], "intended": intended}
    return pd.DataFrame({**sheet, "character": None, "note": None, **columns})


ANGRY = {"angry": 0.6, "sad": 0.3, "neutral": 0.1}
