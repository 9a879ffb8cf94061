"""Faces that follow one another become tracks: one face seen over time, inside one shot.

Association on the sampling grid, as in ByteTrack (Zhang et al., ECCV 2022): certain faces choose among the tracks
first, uncertain ones continue what is left. Unlike there, every face ends up in a track, if need be alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from scenefer.geometry import iou

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


@dataclass(frozen=True)
class TrackSettings:
    longest_gap: float = 1.0  # seconds without a face that a track survives; at least one step of the grid
    certain: float = 0.9  # detector score from which a face chooses among the tracks first
    farthest: float = 1.5  # cost of a pair of usual motion: 1 - IoU plus the landmarks' distance in face sides
    leap: float = 4.0  # face sides a second that a face with no nearer track may jump (a pan, a run)
    growth: float = 1.6  # ratio of sides beyond which two boxes are not one face


def link_faces(
    faces: pd.DataFrame, shots: pd.DataFrame, sample_rate: float, settings: TrackSettings = TrackSettings()
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Join the faces of each shot into tracks by overlap, landmarks and motion.

    A track is expected where it was last seen and where its last motion, continued, would have brought it; the nearer
    of the two counts. Two faces at one time are never one track, and no track crosses a cut.

    Args:
        faces: table FACES, rows in any order.
        shots: table SHOTS.
        sample_rate: samples a second of the grid that the faces were found on.

    Returns:
        ``faces`` with a column ``track`` (int64), rows in the order given; and table TRACKS. Ids count in order of
        first appearance, then from left to right.

    Raises:
        ValueError: there are faces but no shots.
    """
    import numpy as np

    if len(faces) and not len(shots):
        raise ValueError(f"{len(faces)} faces lie in no shot: the table shots is empty")
    order = np.lexsort((faces["face"], faces["y0"], faces["x0"], faces["time"]))
    time = faces["time"].to_numpy()[order]
    shot_of = np.clip(np.searchsorted(shots["start"].to_numpy(), time, side="right") - 1, 0, None)
    track = np.empty(len(faces), np.int64)
    track[order] = _link(
        time, shot_of, _points(faces)[order], faces["confidence"].to_numpy()[order], sample_rate, settings
    )
    linked = faces.assign(track=track)
    return linked, _tracks(track[order], time, shots["shot"].to_numpy()[shot_of])


def _link(
    time: np.ndarray,
    shot_of: np.ndarray,
    points: np.ndarray,
    confidence: np.ndarray,
    sample_rate: float,
    settings: TrackSettings,
) -> np.ndarray:
    """Return the track of every face; faces come sorted by time, then from left to right."""
    import numpy as np

    n_faces = len(time)
    side = np.sqrt(np.maximum(points[:, 1] - points[:, 0], 1e-3).prod(axis=1))
    track = np.full(n_faces, -1, np.int64)
    last = np.empty(n_faces, np.int64)  # of every track: its last face
    velocity = np.zeros_like(points)  # of every track: px a second of each of its points
    longest_gap = max(settings.longest_gap, 1 / sample_rate) + 0.5 / sample_rate  # samples lie beside the grid points
    firsts = np.flatnonzero(np.diff(time, prepend=-np.inf) > 0)
    live = np.empty(0, np.int64)
    n_tracks = 0
    for first, stop in pairwise([*firsts, n_faces]):
        now = np.arange(first, stop)
        before = last[live]
        alive = (shot_of[before] == shot_of[first]) & (time[first] - time[before] <= longest_gap)
        live, before = live[alive], before[alive]
        if len(live):
            elapsed = time[first] - time[before]
            # A track is expected where it was seen, and where its motion would have brought it: (2, T, 7, 2).
            expected = np.stack([points[before], points[before] + velocity[live] * elapsed[:, None, None]])
            overlap, distance = _nearness(expected, points[now], np.maximum.outer(side[before], side[now]))
            ratio = np.divide.outer(side[before], side[now])
            distance[np.maximum(ratio, 1 / ratio) > settings.growth] = np.inf
            for row, column in _pair(overlap, distance, elapsed, confidence[now] >= settings.certain, settings):
                track[now[column]], last[live[row]] = live[row], now[column]
                velocity[live[row]] = (points[now[column]] - points[before[row]]) / elapsed[row]
        begun = now[track[now] < 0]
        ids = np.arange(n_tracks, n_tracks + len(begun))
        track[begun], last[ids] = ids, begun
        live = np.concatenate([live, ids])
        n_tracks += len(begun)
    return track


def _nearness(expected: np.ndarray, found: np.ndarray, side: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Compare T tracks, each expected in two places, (2, T, 7, 2), with F faces, (F, 7, 2): the better of the two.

    Returns:
        Overlap (T, F), intersection over union; distance (T, F), the mean of five landmarks in units of ``side``.
    """
    import numpy as np

    shape = (2, expected.shape[1], len(found))
    overlap = iou(expected[:, :, :2].reshape(-1, 4), found[:, :2].reshape(-1, 4)).reshape(shape).max(axis=0)
    apart = expected[:, :, None, 2:] - found[:, 2:]  # (2, T, F, 5, 2)
    return overlap, np.hypot(apart[..., 0], apart[..., 1]).mean(axis=3).min(axis=0) / side


def _pair(
    overlap: np.ndarray, distance: np.ndarray, elapsed: np.ndarray, certain: np.ndarray, settings: TrackSettings
) -> list[tuple[int, int]]:
    """Pair tracks and faces: certain faces first, then uncertain ones; only a face that nothing claims may leap."""
    import numpy as np

    cost = 1 - overlap + distance
    near = cost <= settings.farthest
    leap = certain & (distance <= settings.leap * elapsed[:, None])
    pairs: list[tuple[int, int]] = []
    free = np.ones_like(near)
    for allowed, costs in ((near & certain, cost), (near & ~certain, cost), (leap, distance)):
        allowed = allowed & free
        if allowed.any():
            for row, column in _greedy(np.where(allowed, costs, np.inf)):
                free[row], free[:, column] = False, False
                pairs.append((row, column))
    return pairs


def _greedy(costs: np.ndarray) -> list[tuple[int, int]]:
    """Take the cheapest pair, strike out its row and column, repeat; infinite costs are no pairs.

    Greedy matching loses nothing against the optimal assignment on a few well separated boxes (Zhou et al., Tracking
    Objects as Points, ECCV 2020, section 4.2) and needs no solver, which no dependency brings.
    """
    import numpy as np

    pairs: list[tuple[int, int]] = []
    rows, columns = np.nonzero(np.isfinite(costs))
    order = np.argsort(costs[rows, columns], kind="stable")
    free_rows, free_columns = set(rows.tolist()), set(columns.tolist())
    for row, column in zip(rows[order].tolist(), columns[order].tolist(), strict=True):
        if row in free_rows and column in free_columns:
            pairs.append((row, column))
            free_rows.remove(row)
            free_columns.remove(column)
    return pairs


def _points(faces: pd.DataFrame) -> np.ndarray:
    """Return every face as seven points: two corners of its box, five landmarks; (N, 7, 2) float64."""
    import numpy as np

    corners = faces[["x0", "y0", "x1", "y1"]].to_numpy(np.float64).reshape(-1, 2, 2)
    landmarks = np.array(faces["landmarks"].tolist(), np.float64).reshape(-1, 5, 2)
    return np.concatenate([corners, landmarks], axis=1)


def _tracks(track: np.ndarray, time: np.ndarray, shot: np.ndarray) -> pd.DataFrame:
    """Describe every track; faces come sorted by time."""
    import numpy as np
    import pandas as pd

    from scenefer.tables import conform

    order = np.argsort(track, kind="stable")
    ids, first, n_faces = np.unique(track[order], return_index=True, return_counts=True)
    columns = {
        "track": ids,
        "shot": shot[order][first],
        "start": time[order][first],
        "end": time[order][first + n_faces - 1],
        "n_faces": n_faces,
        "actor": pd.array([pd.NA] * len(ids), "Int64"),
        "actor_name": None,
        "actor_confidence": np.nan,
    }
    return conform(columns, "tracks")
