"""The pictures of a report: chosen, reduced, and packed into the page as data URIs."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

if TYPE_CHECKING:
    import pandas as pd

_DARK = 18  # mean brightness below which another picture of the shot is preferred, 0..255


def packed(jpeg: bytes | None, longest: int, quality: int = 76) -> str | None:
    """Reduce a JPEG to ``longest`` pixels and pack it as a data URI; None where there is none, or none to be read."""
    picture = _decoded(jpeg)
    if picture is None:
        return None
    scale = longest / max(picture.shape[:2])
    if scale < 1:
        size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    settings = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_OPTIMIZE, 1]
    written, small = cv2.imencode(".jpg", picture, settings)
    return f"data:image/jpeg;base64,{b64encode(small.tobytes()).decode()}" if written else None


def unpacked(packed: str) -> bytes:
    """Return the JPEG of a data URI that ``packed`` made."""
    return b64decode(packed.partition(",")[2])


def keyframes(
    pictures: pd.DataFrame, shots: pd.DataFrame, face_seconds: Mapping[Any, float], start: float, end: float, n: int
) -> pd.DataFrame:
    """Choose up to ``n`` pictures that stand for a scene, one a shot, near its middle; shots with faces first.

    Args:
        pictures: table PICTURES.
        shots: table SHOTS.
        face_seconds: seconds of usable faces in the scene, by shot.
        start: seconds, of the scene; ``end`` likewise.

    Returns:
        Rows of ``pictures``, the best first; empty where none lies in the scene.
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
            bright = (row for row in near if _brightness(pictures["jpeg"].iloc[row]) >= _DARK)
            chosen.append(int(next(bright, near[0])))
    if not chosen:  # a scene shorter than the distance of pictures, or inside a transition
        chosen = np.flatnonzero((times >= start) & (times < end))[:1].tolist()
    return pictures.iloc[chosen]


def _decoded(jpeg: bytes | None, how: int = cv2.IMREAD_COLOR) -> np.ndarray | None:
    return cv2.imdecode(np.frombuffer(jpeg, np.uint8), how) if jpeg else None


def _brightness(jpeg: bytes) -> float:
    picture = _decoded(jpeg, cv2.IMREAD_REDUCED_GRAYSCALE_8)
    return 0.0 if picture is None else float(picture.mean())
