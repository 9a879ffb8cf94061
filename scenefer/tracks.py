"""Faces that follow one another become tracks: one face seen over time, inside one shot.

Association on the sampling grid, as in ByteTrack (Zhang et al., ECCV 2022): certain faces choose among the tracks
first, uncertain ones continue what is left. Unlike there, every face ends up in a track, if need be alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

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
    track = np.full(n_faces, -1, np.int64)
    last = np.empty(n_faces, np.int64)  # of every track: its last face
    velocity = np.zeros_like(points)  # of every track: px a second of each of its points
    longest_gap = max(settings.longest_gap, 1 / sample_rate) + 0.5 / sample_rate  # samples lie beside the grid points
    firsts = np.flatnonzero(np.diff(time, prepend=-np.inf) > 0)
    live = np.empty(0, np.int64)
    n_tracks = 0
    for first, stop in pairwise([*firsts, n_faces]):
        now = np.arange(first, stop)
        alive = (shot_of[last[live]] == shot_of[first]) & (time[first] - time[last[live]] <= longest_gap)
        live = live[alive]
        if len(live):
            elapsed = (time[first] - time[last[live]])[:, None, None]
            seen = points[last[live]]
            pairs = _pair(seen, seen + velocity[live] * elapsed, points[now], confidence[now], elapsed, settings)
            for row, column in pairs:
                step = (points[now[column]] - seen[row]) / elapsed[row]
                track[now[column]], last[live[row]], velocity[live[row]] = live[row], now[column], step
        begun = now[track[now] < 0]
        ids = np.arange(n_tracks, n_tracks + len(begun))
        track[begun], last[ids] = ids, begun
        live = np.concatenate([live, ids])
        n_tracks += len(begun)
    return track


def _pair(
    seen: np.ndarray,
    expected: np.ndarray,
    found: np.ndarray,
    confidence: np.ndarray,
    elapsed: np.ndarray,
    settings: TrackSettings,
) -> list[tuple[int, int]]:
    """Pair tracks (T, 7, 2), as seen and as expected, with faces (F, 7, 2): certain faces, uncertain ones, leaps."""
    import numpy as np

    here, moved = _distance(seen, found), _distance(expected, found)
    distance = np.minimum(here, moved)
    overlap = np.maximum(_overlap(seen, found), _overlap(expected, found))
    ratio = _side(seen)[:, None] / _side(found)[None, :]
    alike = np.maximum(ratio, 1 / ratio) <= settings.growth
    cost = np.where(alike, 1 - overlap + distance, np.inf)
    near = np.where(cost <= settings.farthest, cost, np.inf)
    certain = confidence >= settings.certain
    # A leap is for a face that nothing nearer claims, so it comes last.
    far = np.where(alike & (distance <= settings.leap * elapsed[:, :, 0]) & certain, distance, np.inf)
    pairs: list[tuple[int, int]] = []
    for costs in (np.where(certain, near, np.inf), np.where(certain, np.inf, near), far):
        for row, column in pairs:
            costs[row], costs[:, column] = np.inf, np.inf
        pairs += _greedy(costs)
    return pairs


def _greedy(costs: np.ndarray) -> list[tuple[int, int]]:
    """Take the cheapest pair, strike out its row and column, repeat; infinite costs are no pairs.

    Greedy matching loses nothing against the optimal assignment on a few well separated boxes (Zhou et al., Tracking
    Objects as Points, ECCV 2020, section 4.2) and needs no solver, which no dependency brings.
    """
    import numpy as np

    pairs: list[tuple[int, int]] = []
    rows, columns = np.nonzero(np.isfinite(costs))
    free_rows, free_columns = set(rows.tolist()), set(columns.tolist())
    for place in np.argsort(costs[rows, columns], kind="stable"):
        row, column = int(rows[place]), int(columns[place])
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


def _side(points: np.ndarray) -> np.ndarray:
    import numpy as np

    return np.sqrt(np.maximum(points[:, 1] - points[:, 0], 1e-3).prod(axis=1))


def _distance(tracks: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Mean distance of the five landmarks, in sides of the larger face: (T, F)."""
    import numpy as np

    apart = tracks[:, None, 2:] - found[None, :, 2:]  # (T, F, 5, 2)
    return np.hypot(apart[..., 0], apart[..., 1]).mean(axis=2) / np.maximum.outer(_side(tracks), _side(found))


def _overlap(tracks: np.ndarray, found: np.ndarray) -> np.ndarray:
    from scenefer.geometry import iou

    return iou(tracks[:, :2].reshape(-1, 4), found[:, :2].reshape(-1, 4))


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
    }
    return conform(columns, "tracks")
