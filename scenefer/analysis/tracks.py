"""Links faces over time into tracks: one face within one shot.

Association on the sampling grid as in ByteTrack (Zhang et al., ECCV 2022): high-score faces are matched to tracks
first, then low-score faces to the remaining tracks. Unlike in ByteTrack, every face belongs to a track, even if it is
the only one in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from scenefer.core.geometry import iou
from scenefer.core.settings import Settings
from scenefer.core.tables import conform


@dataclass(frozen=True)
class TrackSettings(Settings):
    """How faces of neighbouring samples are linked into tracks."""

    longest_gap: float = 1.0  # seconds without a face after which a track ends; at least one step of the grid
    certain: float = 0.9  # minimum detector score of faces that are matched first
    farthest: float = 1.5  # maximum cost of a match: 1 - IoU plus the landmarks' distance in face sides
    leap: float = 4.0  # maximum speed, in face sides a second, of a face without a closer track (a pan, a run)
    growth: float = 1.6  # maximum ratio of the sides of two boxes of one face


def link_faces(
    faces: pd.DataFrame, shots: pd.DataFrame, sample_rate: float, settings: TrackSettings = TrackSettings()
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Link the faces of each shot into tracks by overlap, landmarks and motion.

    A track is predicted at its last position and at its position extrapolated from its last motion; the better match of
    the two counts. Two faces at the same time are never in one track, and no track crosses a cut.

    Args:
        faces: table FACES, rows in any order.
        shots: table SHOTS.
        sample_rate: samples a second of the sampling grid.

    Returns:
        ``faces`` with a column ``track`` (int64), rows in their original order; and table TRACKS. Ids are in order of
        first appearance, then from left to right.

    Raises:
        ValueError: there are faces but no shots.
    """
    if len(faces) and not len(shots):
        raise ValueError(f"{len(faces)} faces lie in no shot: the table shots is empty")
    order = np.lexsort((faces["face"], faces["y0"], faces["x0"], faces["time"]))
    time = faces["time"].to_numpy()[order]
    shot_of = np.clip(np.searchsorted(shots["start"].to_numpy(), time, side="right") - 1, 0, None)
    track = np.empty(len(faces), np.int64)
    track[order] = _link(
        time, shot_of, points_of(faces)[order], faces["confidence"].to_numpy()[order], sample_rate, settings
    )
    linked = faces.assign(track=track)
    return linked, _tracks(track[order], time, shots["shot"].to_numpy()[shot_of])


def divide_tracks(
    linked_faces: pd.DataFrame, part: pd.Series, shots: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split tracks into parts, and renumber them as ``link_faces`` does.

    Args:
        linked_faces: table FACES with the column ``track``.
        part: part of each face, with the same index; faces with equal track and part stay together.
        shots: table SHOTS.

    Returns:
        As ``link_faces``.
    """
    order = np.lexsort((linked_faces["face"], linked_faces["y0"], linked_faces["x0"], linked_faces["time"]))
    sorted_faces = linked_faces.iloc[order]
    time = sorted_faces["time"].to_numpy()
    shot_of = np.clip(np.searchsorted(shots["start"].to_numpy(), time, side="right") - 1, 0, None)
    keys = np.stack([sorted_faces["track"].to_numpy(np.int64), part.to_numpy(np.int64)[order]], axis=1)
    _, first, group = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    track = first.argsort().argsort()[group.ravel()]
    numbered = np.empty(len(track), np.int64)
    numbered[order] = track
    return linked_faces.assign(track=numbered), _tracks(track, time, shots["shot"].to_numpy()[shot_of])


class Linker:
    """Gives faces their tracks, one moment after the other: ``link_faces`` on a film, or beside a camera.

    Args:
        sample_rate: samples a second of the grid that the faces are found on.
    """

    def __init__(self, sample_rate: float, settings: TrackSettings = TrackSettings()) -> None:
        self._settings = settings
        # Samples lie beside the grid points.
        self._longest_gap = max(settings.longest_gap, 1 / sample_rate) + 0.5 / sample_rate
        self._n_tracks = 0
        # Of every track that may go on: number, last time, shot, last points, their velocity (px a second), and side.
        self._track, self._time, self._shot = np.empty(0, np.int64), np.empty(0), np.empty(0, np.int64)
        self._points, self._velocity, self._side = np.empty((0, 7, 2)), np.empty((0, 7, 2)), np.empty(0)

    def link(self, time: float, shot: int, points: np.ndarray, confidence: np.ndarray) -> np.ndarray:
        """Return the tracks of the faces of one moment, (N,) int64; moments come in order.

        Args:
            points: (N, 7, 2) float64, corners of the box and landmarks, px; ordered from left to right, since new
                tracks are numbered in this order.
            confidence: (N,) scores of the detector.
        """
        track = np.full(len(points), -1, np.int64)
        side = np.sqrt(np.maximum(points[:, 1] - points[:, 0], 1e-3).prod(axis=1))
        self._keep((self._shot == shot) & (time - self._time <= self._longest_gap))
        if len(self._track) and len(points):
            elapsed = time - self._time
            # Predictions: the last position, and the position extrapolated by the velocity: (2, T, 7, 2).
            expected = np.stack([self._points, self._points + self._velocity * elapsed[:, None, None]])
            overlap, distance = _nearness(expected, points, np.maximum.outer(self._side, side))
            ratio = np.divide.outer(self._side, side)
            distance[np.maximum(ratio, 1 / ratio) > self._settings.growth] = np.inf
            for row, column in _pair(overlap, distance, elapsed, confidence >= self._settings.certain, self._settings):
                track[column] = self._track[row]
                self._velocity[row] = (points[column] - self._points[row]) / elapsed[row]
                self._points[row], self._time[row], self._side[row] = points[column], time, side[column]
        begun = np.flatnonzero(track < 0)
        track[begun] = np.arange(self._n_tracks, self._n_tracks + len(begun))
        self._n_tracks += len(begun)
        self._track = np.concatenate([self._track, track[begun]])
        self._time = np.concatenate([self._time, np.full(len(begun), time)])
        self._shot = np.concatenate([self._shot, np.full(len(begun), shot)])
        self._points = np.concatenate([self._points, points[begun]])
        self._velocity = np.concatenate([self._velocity, np.zeros((len(begun), 7, 2))])
        self._side = np.concatenate([self._side, side[begun]])
        return track

    def _keep(self, alive: np.ndarray) -> None:
        if not alive.all():
            self._track, self._time, self._shot = self._track[alive], self._time[alive], self._shot[alive]
            self._points, self._velocity, self._side = self._points[alive], self._velocity[alive], self._side[alive]


def _link(
    time: np.ndarray,
    shot_of: np.ndarray,
    points: np.ndarray,
    confidence: np.ndarray,
    sample_rate: float,
    settings: TrackSettings,
) -> np.ndarray:
    """Return the track of every face; faces must be sorted by time, then from left to right."""
    linker = Linker(sample_rate, settings)
    firsts = np.flatnonzero(np.diff(time, prepend=-np.inf) > 0)
    moments = [slice(first, stop) for first, stop in pairwise([*firsts, len(time)])]
    linked = [
        linker.link(float(time[now.start]), int(shot_of[now.start]), points[now], confidence[now]) for now in moments
    ]
    return np.concatenate(linked) if linked else np.empty(0, np.int64)


def _nearness(expected: np.ndarray, found: np.ndarray, side: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Compare T tracks with two predictions each, (2, T, 7, 2), to F faces, (F, 7, 2); the better prediction counts.

    Returns:
        Overlap (T, F), intersection over union; distance (T, F), the mean of five landmarks in units of ``side``.
    """
    shape = (2, expected.shape[1], len(found))
    overlap = iou(expected[:, :, :2].reshape(-1, 4), found[:, :2].reshape(-1, 4)).reshape(shape).max(axis=0)
    apart = expected[:, :, None, 2:] - found[:, 2:]  # (2, T, F, 5, 2)
    return overlap, np.hypot(apart[..., 0], apart[..., 1]).mean(axis=3).min(axis=0) / side


def _pair(
    overlap: np.ndarray, distance: np.ndarray, elapsed: np.ndarray, certain: np.ndarray, settings: TrackSettings
) -> list[tuple[int, int]]:
    """Match tracks and faces: high-score faces first, then low-score ones, then fast jumps of unmatched faces."""
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
    """Match greedily: take the cheapest pair, remove its row and column, repeat; infinite costs never match.

    For a few well separated boxes, greedy matching is as good as optimal assignment (Zhou et al., Tracking Objects as
    Points, ECCV 2020, section 4.2), and needs no solver, which none of our dependencies has.
    """
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


def points_of(faces: pd.DataFrame) -> np.ndarray:
    """Return every face as seven points: two corners of its box, five landmarks; (N, 7, 2) float64."""
    corners = faces[["x0", "y0", "x1", "y1"]].to_numpy(np.float64).reshape(-1, 2, 2)
    landmarks = np.array(faces["landmarks"].tolist(), np.float64).reshape(-1, 5, 2)
    return np.concatenate([corners, landmarks], axis=1)


def _tracks(track: np.ndarray, time: np.ndarray, shot: np.ndarray) -> pd.DataFrame:
    """Make table TRACKS; faces must be sorted by time."""

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
        "speaking": np.nan,
    }
    return conform(columns, "tracks")
