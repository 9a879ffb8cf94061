"""The faces shown on a scene's card: the strongest for what was intended, and the strongest for something else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from scenefer.core.geometry import in_crop
from scenefer.core.tables import rows_of
from scenefer.report import formatting, people
from scenefer.report.emotion_curves import COLOURS
from scenefer.report.images import inside_of, packed

if TYPE_CHECKING:
    import pandas as pd

    from scenefer.core.language import Language

_FACES = 4  # per scene
_APART = 1.0  # minimum seconds between two shown faces of the same track


def strongest(
    readings: pd.DataFrame,
    meant: Sequence[str],
    at: Callable[[float], str],
    language: Language,
    size: tuple[int, int],
) -> list[dict[str, Any]]:
    """Choose the faces that speak most for what was intended, then those that speak most for something else.

    If no face is read as intended, choose those that come closest, with the probability of what was intended. If
    nothing was intended, choose the faces with the highest probability.

    Args:
        readings: usable faces of the scene: emotion, its probability, the probabilities of all seven, crop.
        meant: emotions that were intended.
        at: formats a moment.
        size: width and height of the film in pixels.
    """
    if not len(readings):
        return []
    show = partial(_face, at=at, language=language, size=size)
    sure = readings["probability"].to_numpy()
    if not meant:
        return [show(face) for face in rows_of(readings.iloc[_ranked(readings, sure, _FACES)])]
    parts = readings[list(meant)].to_numpy()
    shown = parts.sum(axis=1)
    is_for = np.isin(readings["emotion"].to_numpy(object), list(meant))
    sides = [("against", ~is_for, sure)]
    sides.insert(0, ("for", is_for, shown) if is_for.any() else ("near", ~is_for, shown))
    found = []
    for side, belongs, strength in sides:
        rows = np.flatnonzero(belongs)
        best = rows[_ranked(readings.iloc[rows], strength[rows], _FACES // 2)]
        for row, face in zip(best, rows_of(readings.iloc[best]), strict=True):
            emotion = list(meant)[int(parts[row].argmax())] if side == "near" else None
            found.append({**show(face, emotion), "side": side})
    return found


def _ranked(readings: pd.DataFrame, strength: np.ndarray, n: int) -> list[int]:
    """Choose ``n`` rows, strongest first: one per track, then others of the same tracks that are not close in time."""
    track, time = readings["track"].to_numpy(), readings["time"].to_numpy()
    ranked = np.argsort(-strength, kind="stable")
    first = ranked[np.sort(np.unique(track[ranked], return_index=True)[1])]
    chosen = first[:n].tolist()
    for row in ranked.tolist():
        if len(chosen) == n:
            break
        if all(track[row] != track[other] or abs(time[row] - time[other]) >= _APART for other in chosen):
            chosen.append(row)
    return sorted(chosen, key=lambda row: -strength[row])


def _face(
    face: dict[str, Any],
    emotion: str | None = None,
    *,
    at: Callable[[float], str],
    language: Language,
    size: tuple[int, int],
) -> dict[str, Any]:
    """Lay out a face with the probability of ``emotion``, by default the emotion it is read as."""
    corners = [face[edge] for edge in ("x0", "y0", "x1", "y1")]
    box, _ = in_crop(np.array([corners]), np.zeros((1, 5, 2)))
    left, top, right, bottom = (100 * box[0].astype(float)).round(1).tolist()
    shown = emotion or face["emotion"]
    return {
        "picture": packed(face["crop"], 112, inside=inside_of(corners, *size)),
        "box": {"left": left, "top": top, "width": round(right - left, 1), "height": round(bottom - top, 1)},
        "face": face["face"],
        "read": face["emotion"],
        "emotion": shown,
        "word": language.emotion(shown),
        "colour": COLOURS[shown],
        "percent": formatting.percent(100 * face[shown], language),
        "leader": language.emotion(face["emotion"]) if shown != face["emotion"] else "",
        "time": face["time"],
        "when": at(face["time"]),
        "track": face["track"],
        "person": people.label(face["actor"], face["actor_name"], language),
        "side": "",
    }
