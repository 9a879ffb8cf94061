"""How far mouths are open, by sixty-eight points of each face, and by that, who speaks.

The points are found in the stored crops: the film is not decoded again. Speech is told by a mouth that keeps moving for
seconds: one that opens once (a smile, a yawn) or is held open (a scream) is none; laughing and chewing look like it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from scenefer.core import geometry, jpeg, tables
from scenefer.core.settings import Settings, bounded
from scenefer.models import framing

if TYPE_CHECKING:
    from scenefer.models import LandmarkModel

_BATCH = 256  # crops that are decoded at once
_GAPS = ((61, 67), (62, 66), (63, 65))  # inner lip, upper and lower point
_STEP = 0.15  # seconds between two openings that are compared, at least
_CORNERS = (60, 64)  # of the inner lip
_FIVE = ((36, 42), (42, 48), (30, 31), (48, 49), (54, 55))  # points whose means are the five landmarks


@dataclass(frozen=True)
class MouthSettings(Settings):
    """When a mouth can be measured, and from when on it speaks; chosen on the annotated clips."""

    widest_yaw: float = bounded(45.0, 0, 90)  # degrees; of heads that turn further the far half is guessed
    widest_pitch: float = bounded(35.0, 0, 90)  # degrees, bowed or thrown back
    smallest_side: float = bounded(40.0, 12, 1000)  # px of the film; the shorter side of the box
    farthest: float = bounded(0.2, 0, 10)  # mean distance to the five landmarks, in ways from the eyes to the mouth
    window: float = bounded(3.0, 0.2, 60)  # seconds of a track over which a mouth's movement is measured
    least_samples: int = bounded(5, 2, 1000)  # of a track in such a window, or nothing is said
    movement: float = bounded(0.025, 0, 10)  # of the opening within 0.15 s or a sample, from which a mouth speaks


def measure(
    faces: pd.DataFrame,
    model: LandmarkModel,
    detector: str,
    settings: MouthSettings = MouthSettings(),
    tell: Callable[[], None] | None = None,
) -> pd.DataFrame:
    """Fill the column ``mouth_open`` of a table FACES.

    Args:
        detector: who drew the boxes.
        tell: called after each batch.

    Returns:
        ``faces``, the column null where a face has no crop, is too small or turned too far, or where the points lie
        elsewhere than the detector's landmarks.
    """
    x0, y0, x1, y1 = faces[["x0", "y0", "x1", "y1"]].to_numpy().T
    seen = (
        faces["crop"].notna().to_numpy()
        & (np.abs(faces["yaw"].to_numpy()) <= settings.widest_yaw)
        & ~(np.abs(faces["pitch"].to_numpy(np.float64)) > settings.widest_pitch)
        & (np.minimum(x1 - x0, y1 - y0) >= settings.smallest_side)
    )
    opening = np.full(len(faces), np.nan, np.float32)
    rows = np.flatnonzero(seen)
    for begin in range(0, len(rows), _BATCH):
        some = rows[begin : begin + _BATCH]
        part = faces.iloc[some]
        boxes, landmarks = geometry.in_crop(*geometry.boxes_landmarks_turns(part))
        points = model.points([jpeg.decode(crop) for crop in part["crop"]], framing.squares(boxes, detector))
        agrees = _apart(points, landmarks) <= settings.farthest
        opening[some] = np.where(agrees, mouth_opening(points), np.nan)
        if tell is not None:
            tell()
    return faces.assign(mouth_open=opening)


def mouth_opening(points: np.ndarray) -> np.ndarray:
    """Measure the mean gap between the inner lips as a share of their width.

    Args:
        points: (N, 68, 2), any unit.

    Returns:
        (N,) float32; below 0.1 shut, 1 as high as wide.
    """

    def length(a: int, b: int) -> np.ndarray:
        return np.linalg.norm(points[:, a].astype(np.float64) - points[:, b], axis=1)

    gaps = np.mean([length(upper, lower) for upper, lower in _GAPS], axis=0)
    return (gaps / np.maximum(length(*_CORNERS), 1e-9)).astype(np.float32)


def speech(
    track: np.ndarray, time: np.ndarray, opening: np.ndarray, settings: MouthSettings = MouthSettings()
) -> np.ndarray:
    """Tell of each face whether its mouth moves as in speech: by the median step of the opening in a window around it.

    Args:
        track, time, opening: (N,) of faces in any order; an opening may be NaN.

    Returns:
        (N,) float64: 1 or 0; NaN where too little is known of its track around it.
    """
    speaks = np.full(len(track), np.nan)
    farthest = max(2 * _STEP, 1.5 * _sample_step(track, time))  # over a gap a mouth may have opened slowly
    known = np.flatnonzero(~np.isnan(opening))
    order = known[np.lexsort((time[known], track[known]))]
    for rows in np.split(order, np.flatnonzero(np.diff(track[order])) + 1):
        moments = time[rows]
        # At ten samples a second a mouth moves half as far from one to the next as at five.
        later = np.minimum(np.searchsorted(moments, moments[:-1] + _STEP), len(moments) - 1)
        steps = np.abs(opening[rows][later] - opening[rows][:-1])
        steps[moments[later] - moments[:-1] > farthest] = np.nan
        first = np.searchsorted(moments, moments - settings.window / 2 - 1e-9)
        stop = np.searchsorted(moments, moments + settings.window / 2 + 1e-9)
        for place, (begin, end) in enumerate(zip(first, stop, strict=True)):
            measured = steps[begin : end - 1]
            measured = measured[~np.isnan(measured)]
            if len(measured) >= settings.least_samples - 1:
                speaks[rows[place]] = np.median(measured) >= settings.movement
    return speaks


def _sample_step(track: np.ndarray, time: np.ndarray) -> float:
    """Return the usual time between two samples of a track, in seconds; 0 if no track has two."""
    order = np.lexsort((time, track))
    steps = np.diff(time[order])[np.diff(track[order]) == 0]
    return float(np.median(steps)) if len(steps) else 0.0


def with_speech(
    tracks: pd.DataFrame, linked_faces: pd.DataFrame, settings: MouthSettings = MouthSettings()
) -> pd.DataFrame:
    """Fill the column ``speaking`` of a table TRACKS; null where no mouth of a track was measured for long enough.

    Args:
        linked_faces: table FACES with the column ``track``.
    """
    track = linked_faces["track"].to_numpy()
    told = speech(track, linked_faces["time"].to_numpy(), _opening(linked_faces), settings)
    share = pd.Series(told, index=track).groupby(level=0).mean()
    return tables.conform(tracks.assign(speaking=tracks["track"].map(share)), "tracks")


def _opening(faces: pd.DataFrame) -> np.ndarray:
    return faces["mouth_open"].to_numpy(np.float64)


def _apart(points: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """Measure how far the points lie from the five landmarks (N, 5, 2), in ways from the eyes to the mouth: (N,)."""
    five = np.stack([points[:, begin:end].mean(axis=1) for begin, end in _FIVE], axis=1)
    way = np.linalg.norm(landmarks[:, 3:].mean(axis=1) - landmarks[:, :2].mean(axis=1), axis=1)
    return np.linalg.norm(five - landmarks, axis=2).mean(axis=1) / np.maximum(way, 1e-9)
