"""Tracks grouped into people: who is seen, across the cuts of a film.

The best faces of each track become a vector each; tracks whose vectors are near on average become one person, the
nearest first (agglomerative clustering, average linkage). Two faces in one picture are never one person. How many
people there are is not asked for. A person here is a group of tracks: it has a number, no name, and no identity
beyond the film.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scenefer import geometry, tables

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from scenefer.models import IdentityModel


@dataclass(frozen=True)
class ActorSettings:
    faces_a_track: int = 3  # the best of a track that are turned into vectors
    farthest: float = 0.58  # mean distance up to which two groups of tracks are one person
    smallest_side: float = 24.0  # px of the film; a track without a larger face is "unknown"
    widest_yaw: float = 60.0  # degrees; a track without a face turned less is "unknown"


def group_tracks(
    linked_faces: pd.DataFrame, tracks: pd.DataFrame, model: IdentityModel, settings: ActorSettings = ActorSettings()
) -> pd.DataFrame:
    """Say of every track which person it shows.

    Args:
        linked_faces: table FACES with the column ``track``, and with crops.
        tracks: table TRACKS.

    Returns:
        ``tracks`` with ``actor``: numbers from 0, in order of first appearance; null where no face of the track is good
        enough to tell, or where the faces have no crops.
    """
    import numpy as np
    import pandas as pd

    best = _best(linked_faces, settings)
    actor = pd.array([None] * len(tracks), dtype="Int64")
    if len(best):
        known, vectors = _vectors(best, model)
        place = {track: k for k, track in enumerate(known.tolist())}
        together = _together(linked_faces, place)
        groups = group(vectors, together, settings.farthest)
        rows = tracks["track"].map(place)
        some = rows.notna().to_numpy()
        actor[some] = _in_order(groups[rows[some].to_numpy(int)], np.flatnonzero(some), tracks)
    return tables.conform(tracks.assign(actor=actor), "tracks")


def group(vectors: np.ndarray, apart: np.ndarray, farthest: float) -> np.ndarray:
    """Group vectors by average linkage, the nearest groups first, until all are farther apart than ``farthest``.

    Args:
        vectors: (N, D) float32.
        apart: (M, 2) pairs of rows that may not come into one group.

    Returns:
        (N,) int64, the number of each row's group; no order is meant.
    """
    import numpy as np

    n = len(vectors)
    if not n:
        return np.empty(0, np.int64)
    squares = (vectors**2).sum(axis=1)
    distance = squares[:, None] + squares[None] - 2 * (vectors @ vectors.T)
    distance = np.sqrt(np.clip(distance, 0, None, out=distance), out=distance).astype(np.float32, copy=False)
    distance[np.arange(n), np.arange(n)] = np.inf
    if len(apart):
        distance[apart[:, 0], apart[:, 1]] = distance[apart[:, 1], apart[:, 0]] = np.inf
    size = np.ones(n)
    member_of = np.arange(n)
    nearest, gap = distance.argmin(axis=1), distance.min(axis=1)
    while gap[first := int(gap.argmin())] <= farthest:
        second = int(nearest[first])
        keep, gone = min(first, second), max(first, second)
        merged = (size[keep] * distance[keep] + size[gone] * distance[gone]) / (size[keep] + size[gone])
        merged[[keep, gone]] = np.inf  # where either pair is forbidden the mean is infinite, so that the ban stays
        distance[keep], distance[:, keep] = merged, merged
        distance[gone], distance[:, gone] = np.inf, np.inf
        size[keep] += size[gone]
        member_of[member_of == gone] = keep
        # Only rows whose nearest was one of the two can have lost it; the others may have found a nearer one.
        gap[gone] = np.inf
        stale = np.flatnonzero(((nearest == keep) | (nearest == gone)) & np.isfinite(gap))
        for row in {keep, *stale.tolist()}:
            nearest[row] = distance[row].argmin()
            gap[row] = distance[row, nearest[row]]
        nearer = merged < gap
        nearest[nearer], gap[nearer] = keep, merged[nearer]
    return member_of


def _best(faces: pd.DataFrame, settings: ActorSettings) -> pd.DataFrame:
    """Choose the faces of each track that tell most: certain, large, frontal, sharp, and not neighbours in time."""
    import numpy as np

    side = (faces["x1"] - faces["x0"]).clip(upper=faces["y1"] - faces["y0"])
    good = (side >= settings.smallest_side) & (faces["yaw"].abs() <= settings.widest_yaw) & faces["crop"].notna()
    some = faces.loc[good]
    frontal = np.cos(np.radians(some["yaw"].to_numpy(np.float64)))
    size = np.clip(side[good].to_numpy() / 80, 0.1, 1)
    worth = some["confidence"].to_numpy() * frontal * size * np.clip(some["sharpness"].to_numpy() / 100, 0.1, 1)
    ranked = some.assign(worth=worth).sort_values(["track", "worth", "time"], ascending=[True, False, True])
    return ranked.loc[ranked.groupby("track").cumcount() < settings.faces_a_track]


def _vectors(best: pd.DataFrame, model: IdentityModel) -> tuple[np.ndarray, np.ndarray]:
    """Average the vectors of each track's faces: the tracks (N,), their vectors (N, D)."""
    import cv2
    import numpy as np

    from scenefer.observation import boxes_and_landmarks

    crops = [np.asarray(cv2.imdecode(np.frombuffer(c, np.uint8), cv2.IMREAD_COLOR_RGB)) for c in best["crop"]]
    _, points = geometry.in_crop(*boxes_and_landmarks(best))
    vectors = model.vectors(crops, points)
    known, row = np.unique(best["track"].to_numpy(), return_inverse=True)
    sums = np.zeros((len(known), vectors.shape[1]), np.float32)
    np.add.at(sums, row, vectors)
    return known, sums / np.bincount(row)[:, None]


def _together(faces: pd.DataFrame, place: dict[int, int]) -> np.ndarray:
    """Find the tracks that are seen in one picture: (M, 2) places, each pair once."""
    import numpy as np

    known = faces.loc[faces["track"].isin(list(place)), ["time", "track"]]
    pairs = known.merge(known, on="time")
    pairs = pairs.loc[pairs["track_x"] < pairs["track_y"], ["track_x", "track_y"]].drop_duplicates()
    return np.array([[place[a], place[b]] for a, b in pairs.itertuples(index=False)], np.int64).reshape(-1, 2)


def _in_order(groups: np.ndarray, rows: np.ndarray, tracks: pd.DataFrame) -> np.ndarray:
    """Number the groups by the first appearance of their tracks."""
    import numpy as np

    start = tracks["start"].to_numpy()[rows]
    firsts = {group: start[groups == group].min() for group in np.unique(groups).tolist()}
    number = {group: k for k, group in enumerate(sorted(firsts, key=lambda group: (firsts[group], group)))}
    return np.array([number[group] for group in groups.tolist()], np.int64)
