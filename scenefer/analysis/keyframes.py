"""Keyframes: the pictures that stand for a scene."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from scenefer.core import jpeg

if TYPE_CHECKING:
    import pandas as pd

_DARK = 18  # mean brightness, 0..255; darker pictures are avoided if the shot has a brighter one


def keyframes(
    pictures: pd.DataFrame, shots: pd.DataFrame, face_seconds: Mapping[Any, float], start: float, end: float, n: int
) -> pd.DataFrame:
    """Choose up to ``n`` pictures to represent a scene: one per shot, near its middle; shots with faces first.

    Args:
        pictures: table PICTURES.
        shots: table SHOTS.
        face_seconds: seconds of usable faces in the scene, by shot.
        start, end: of the scene, in seconds.

    Returns:
        Rows of ``pictures``, the best first; empty if the scene has none.
    """
    times = pictures["time"].to_numpy()
    begins = np.maximum(shots["transition_end"].fillna(shots["start"]).to_numpy(np.float64), start)
    ends = np.minimum(shots["end"].to_numpy(), end)
    faces = np.array([face_seconds.get(shot, 0.0) for shot in shots["shot"]])
    chosen: list[int] = []
    ranked = np.lexsort([begins - ends, -faces])
    for shot in ranked[(ends > begins)[ranked]]:
        inside = np.flatnonzero((times >= begins[shot]) & (times < ends[shot]))
        if len(inside) and len(chosen) < n:
            near = inside[np.argsort(np.abs(times[inside] - (begins[shot] + ends[shot]) / 2))][:3]
            bright = (row for row in near if jpeg.brightness(pictures["jpeg"].iloc[row]) >= _DARK)
            chosen.append(int(next(bright, near[0])))
    if not chosen:  # a scene shorter than the interval between pictures, or inside a transition
        chosen = np.flatnonzero((times >= start) & (times < end))[:1].tolist()
    return pictures.iloc[chosen]
