"""Tables typed by hand: name the columns that a test is about, the others are filled with something ordinary.

A column is a list, one value a row, or one value for all rows: ``faces_table(time=[0.0, 0.2], x0=10)``. Without any
list the table has no rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from scenefer.core.schema import EMOTIONS, TABLES
from scenefer.core.tables import conform

Default = Any  # of a column: one value for all rows, or a function from the columns known so far to a list


def frames_table(**columns: Any) -> pd.DataFrame:
    """Frames of one still, grey picture, all of them sampled."""
    return _fill(
        "frames",
        columns,
        time=lambda known: _count(known, 0.04),
        cut_score=lambda known: [None if time == 0 else 0.01 for time in known["time"]],
        luma=100.0,
        signature=bytes([100] * 144),
        sampled=True,
        palette=lambda known: [b"\xff" if sampled else None for sampled in known["sampled"]],
    )


def faces_table(**columns: Any) -> pd.DataFrame:
    """Sharp, frontal, certain faces of 100 px whose logits say nothing."""
    return _fill(
        "faces",
        columns,
        time=lambda known: _count(known, 0.2),
        face=_ids,
        x0=100.0,
        y0=100.0,
        x1=lambda known: [left + 100.0 for left in known["x0"]],
        y1=lambda known: [top + 100.0 for top in known["y0"]],
        landmarks=lambda known: [
            _frontal(*box) for box in zip(*(known[name] for name in ("x0", "y0", "x1", "y1")), strict=True)
        ],
        confidence=0.99,
        sharpness=500.0,
        yaw=0.0,
        pitch=0.0,
        roll=0.0,
        mouth_open=None,
        logits=lambda known: [np.zeros(7, np.float32) for _ in known["time"]],
        crop=None,
    )


def shots_table(**columns: Any) -> pd.DataFrame:
    """Shots divided by hard cuts; each ends where the next begins, the last after two seconds."""
    return _fill(
        "shots",
        columns,
        start=lambda known: _count(known, 2.0),
        end=lambda known: _next(known["start"], 2.0),
        shot=_ids,
        transition=lambda known: ["cut" if shot else "start" for shot in known["shot"]],
        transition_start=None,
        transition_end=None,
    )


def tracks_table(**columns: Any) -> pd.DataFrame:
    """Tracks of two seconds in the first shot, of nobody known."""
    return _fill(
        "tracks",
        columns,
        track=_ids,
        shot=0,
        start=0.0,
        end=lambda known: [start + 2.0 for start in known["start"]],
        n_faces=11,
        actor=None,
        actor_name=None,
        actor_confidence=None,
        speaking=None,
    )


def samples_table(**columns: Any) -> pd.DataFrame:
    """Samples of 0.2 s in the first scene, each with one usable face."""
    return _fill(
        "samples",
        columns,
        time=lambda known: _count(known, 0.2),
        shot=0,
        scene=0,
        weight=0.2,
        state="face",
        why=None,
        n_faces=1,
        n_usable=1,
    )


def expressions_table(**columns: Any) -> pd.DataFrame:
    """Usable faces of one track; the emotions that are not named share what the named ones leave of 1."""
    probabilities: dict[str, Default] = {
        emotion: lambda known: [
            (1 - sum(known[name][row] for name in named)) / (len(EMOTIONS) - len(named))
            for row in range(len(known["time"]))
        ]
        for emotion in EMOTIONS
    }
    named = [emotion for emotion in EMOTIONS if emotion in columns]
    return _fill(
        "expressions",
        columns,
        time=lambda known: _count(known, 0.2),
        face=_ids,
        track=0,
        shot=0,
        scene=0,
        **probabilities,
        weight=0.2,
        usable=True,
        why=None,
    )


def scenes_table(**columns: Any) -> pd.DataFrame:
    """Scenes of a sheet, a shot each; each ends where the next begins, the last after ten seconds."""
    return _fill(
        "scenes",
        columns,
        start=lambda known: _count(known, 10.0),
        end=lambda known: _next(known["start"], 10.0),
        scene=_ids,
        name=lambda known: [f"scene {scene}" for scene in known["scene"]],
        first_shot=lambda known: list(known["scene"]),
        last_shot=lambda known: list(known["first_shot"]),
        source="sheet",
    )


def scene_emotions_table(**columns: Any) -> pd.DataFrame:
    """Seven equal shares of the first scene, with intervals of ± 5 points; rows run through the emotions."""
    return _fill(
        "scene_emotions",
        columns,
        emotion=lambda known: [EMOTIONS[row % 7] for row in range(_length(known))],
        scene=0,
        view="screen_time",
        percent=100 / 7,
        low=lambda known: [None if p is None else max(p - 5.0, 0.0) for p in known["percent"]],
        high=lambda known: [None if p is None else min(p + 5.0, 100.0) for p in known["percent"]],
        evidence="enough",
        coverage=0.8,
        face_seconds=8.0,
        n_tracks=3,
        n_shots=3,
        n_actors=None,
    )


def _fill(table: str, columns: Mapping[str, Any], **defaults: Default) -> pd.DataFrame:
    """Complete ``columns``: defaults are taken in the order given, so that a later one may look at an earlier one."""
    unknown = set(columns) - {column.name for column in TABLES[table]}
    if unknown:
        raise ValueError(f"table {table} has no column {sorted(unknown)}")
    n_rows = max((len(value) for value in columns.values() if _is_column(value)), default=0)
    known = {name: list(value) if _is_column(value) else [value] * n_rows for name, value in columns.items()}
    for name, default in defaults.items():
        if name not in known:
            column: Any = default(known) if callable(default) else [default] * n_rows
            known[name] = column
    return conform(known, table)


def _is_column(value: Any) -> bool:
    return isinstance(value, (list, tuple, range, np.ndarray, pd.Series))


def _length(known: Mapping[str, list[Any]]) -> int:
    return max((len(value) for value in known.values()), default=0)


def _ids(known: Mapping[str, list[Any]]) -> list[int]:
    return list(range(_length(known)))


def _count(known: Mapping[str, list[Any]], step: float) -> list[float]:
    return [round(row * step, 6) for row in range(_length(known))]


def _next(starts: list[float], last: float) -> list[float]:
    return [*starts[1:], starts[-1] + last] if starts else []


def _frontal(x0: float, y0: float, x1: float, y1: float) -> np.ndarray:
    """Landmarks of a frontal face in a box, flattened: (10,) float32."""
    unit = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]], np.float32)
    return (np.array([x0, y0]) + unit * np.array([x1 - x0, y1 - y0])).astype(np.float32).ravel()
