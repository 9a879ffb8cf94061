"""An analysed film whose people are told apart, and files of corrections of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from scenefer.analysis import sampling
from scenefer.analysis.edited import analysis_id
from scenefer.analysis.edits import Edits, Exclusion
from scenefer.analysis.result import Analysis
from scenefer.analysis.scene_emotions import summarise
from scenefer.analysis.scene_views import EmotionSettings
from scenefer.analysis.stages import coverage
from scenefer.core.tables import conform
from scenefer.interchange.edits_file import read_edits
from scenefer.pipeline.edited_runs import with_edits
from tests.reports import STEP, analysed

RESAMPLES = 50
RENAME = {"edit": "rename", "person": 2, "name": "Anna"}
MERGE = {"edit": "merge", "person": 4, "into": 2}
SPLIT = {"edit": "split", "track": 0, "person": 5}
BOUNDARY = {"edit": "boundary", "scene": "joy", "edge": "start", "time": 12.5}
EXCLUDE = {"edit": "exclude", "start": 2.0, "end": 4.0}
EVERY = (RENAME, MERGE, SPLIT, BOUNDARY, EXCLUDE)


def told_apart(**changes: Any) -> Analysis:
    """A film of three scenes of 10 s: people 1 and 2 in the first, 3 and 4 in the second, two tracks each; nobody last.

    Tracks 0 to 7 are of people 1, 2, 1, 2, 3, 4, 3, 4.
    """
    whole = analysed(**changes)
    tracks = conform(whole.tracks.assign(actor=[0, 1, 0, 1, 2, 3, 2, 3], actor_confidence=[0.5] * 8), "tracks")
    settings = {**whole.run.get("settings", {}), "emotions": {"resamples": RESAMPLES}}
    placed = sampling.place_samples(whole.frames, whole.shots, whole.scenes, 1 / STEP, 30.0)
    row = sampling.rows_of(placed, whole.expressions["time"].to_numpy())
    expressions = whole.expressions.assign(weight=placed["weight"].to_numpy()[row])  # a sample ends with its shot
    samples = sampling.account(placed, expressions)
    shares = summarise(expressions, samples, whole.scenes, tracks, EmotionSettings(resamples=RESAMPLES))
    run = {**whole.run, "settings": settings, "coverage": coverage(samples)}
    return replace(whole, tracks=tracks, samples=samples, expressions=expressions, scene_emotions=shares, run=run)


def content(whole: Analysis, *entries: Any, **changes: Any) -> str:
    """The text of a file of corrections."""
    head = {"format": "scenefer edits", "version": 1, "film": whole.film.id, "analysis": analysis_id(whole)}
    return json.dumps({**head, "edits": list(entries), **changes})


def write_edits(path: Path, whole: Analysis, *entries: Any, **changes: Any) -> Path:
    path.write_text(content(whole, *entries, **changes), encoding="utf-8")
    return path


def excluding(whole: Analysis, *moments: tuple[float, float]) -> Analysis:
    """The film with these moments excluded by hand."""
    edits = tuple(Exclusion(start, end) for start, end in moments)
    settings = {"emotions": {**whole.run["settings"]["emotions"], "resamples": RESAMPLES}}
    whole = replace(whole, run={**whole.run, "settings": settings})
    return with_edits(whole, Edits(whole.film.id, analysis_id(whole), edits, "film-edits.json", b"{}"))


def edits_of(folder: Path, whole: Analysis, *entries: Any) -> Edits:
    return read_edits(write_edits(folder / "film-edits.json", whole, *entries))
