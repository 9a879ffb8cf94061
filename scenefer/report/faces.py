"""The faces of a scene that a card shows: those that speak most for what was intended, and most for something else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from scenefer.curves import COLOURS
from scenefer.geometry import in_crop
from scenefer.report import words
from scenefer.report.pictures import packed
from scenefer.tables import rows_of

if TYPE_CHECKING:
    import pandas as pd

    from scenefer.language import Language

_FACES = 4  # a scene
_APART = 1.0  # seconds between two faces of one track that are both shown


def strongest(
    readings: pd.DataFrame, meant: Sequence[str], at: Callable[[float], str], language: Language
) -> list[dict[str, Any]]:
    """Choose the faces that speak most for what was intended, then those that speak most for something else.

    Where no face reads as intended most, those that come closest are shown, with the probability of what was intended.
    Where nothing was intended, the faces read most surely are.

    Args:
        readings: usable faces of the scene: their emotion, its probability, those of all seven, the crop.
        meant: emotions that were intended.
        at: how a moment is written.
    """
    if not len(readings):
        return []
    show = partial(_face, at=at, language=language)
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
    """Choose ``n`` rows, the strongest first: one of every track, then others of the same tracks, not neighbours."""
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
    face: dict[str, Any], emotion: str | None = None, *, at: Callable[[float], str], language: Language
) -> dict[str, Any]:
    """Lay out a face with the probability of an emotion; without one, of the emotion it is read as."""
    box, _ = in_crop(np.array([[face[edge] for edge in ("x0", "y0", "x1", "y1")]]), np.zeros((1, 5, 2)))
    left, top, right, bottom = (100 * box[0].astype(float)).round(1).tolist()
    shown = emotion or face["emotion"]
    return {
        "picture": packed(face["crop"], 112),
        "box": {"left": left, "top": top, "width": round(right - left, 1), "height": round(bottom - top, 1)},
        "emotion": shown,
        "word": language.emotion(shown),
        "colour": COLOURS[shown],
        "percent": words.percent(100 * face[shown], language),
        "leader": language.emotion(face["emotion"]) if shown != face["emotion"] else "",
        "when": at(face["time"]),
        "track": face["track"],
        "side": "",
    }
