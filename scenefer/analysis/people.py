"""Groups tracks into people, across the cuts of a film.

The best faces of each track are embedded as vectors. Tracks are merged into people by agglomerative clustering with
average linkage, the closest first. Two faces in one picture are never the same person. The number of people need not be
given. A person is a group of tracks: it has a number, a name only if a cast folder gives one, and no identity outside
the film.

A track is not split just because its faces are far apart: in the annotated film, two faces in one person's track are up
to 0.72 apart (frontal and in profile), farther than most pairs of people. ``track_splitting`` splits tracks only if the
picture changes as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from scenefer.analysis.shots import inside_transition
from scenefer.core import tables
from scenefer.core.settings import Settings

if TYPE_CHECKING:
    from scenefer.analysis.cast import Cast
    from scenefer.analysis.face_vectors import FaceVectors

_ROWS = 512  # tracks per block when computing distances to all others, to bound memory


@dataclass(frozen=True)
class ActorSettings(Settings):
    """How tracks are divided and grouped into people; distances are between vectors of the identity network."""

    faces_a_track: int = 4  # the best of a track that are turned into vectors
    farthest: float = 0.55  # mean distance up to which two groups of tracks are one person
    # A track is divided where its faces suddenly correlate less than this, and the means before and after lie farther
    # apart than that. Of 28 such changes in clips, 26 within one person lay up to 0.69 apart, two of others from 0.84.
    least_alike: float = 0.45
    nearest_other: float = 0.7  # minimum distance of two people in one track, see above
    smallest_side: float = 24.0  # px of the film; a track with only smaller faces is "unknown"
    widest_yaw: float = 70.0  # degrees; a track with only faces turned further is "unknown"
    # Maximum distance between the mean vectors of a person and a cast member for a match. Means are closer to each
    # other than single faces are, even for two different people, so the limit is low.
    farthest_name: float = 0.45
    keep_vectors: bool = False  # write the vectors into the run; otherwise they are discarded


class People(NamedTuple):
    """The result of grouping."""

    tracks: pd.DataFrame  # table TRACKS with people
    vectors: pd.DataFrame  # table VECTORS of the faces that were used


def group_tracks(
    linked_faces: pd.DataFrame,
    tracks: pd.DataFrame,
    shots: pd.DataFrame,
    face_vectors: FaceVectors,
    settings: ActorSettings = ActorSettings(),
    cast: Cast | None = None,
) -> People:
    """Assign a person to every track.

    Args:
        linked_faces: table FACES with the column ``track``, and with crops.
        tracks: table TRACKS.
        shots: table SHOTS; faces inside a gradual transition are ignored, because they blend two pictures.
        cast: names for people; groups with the same name are merged into one person.

    Returns:
        ``tracks`` with ``actor``: numbers from 0, in order of first appearance; null if no face of the track is good
        enough, or the faces have no crops. Also with ``actor_name`` and ``actor_confidence``.
    """
    faces = best_faces(linked_faces.loc[~inside_transition(linked_faces["time"].to_numpy(), shots)], settings)
    if not len(faces):
        return People(tables.conform(tracks, "tracks"), tables.empty("vectors"))
    seen = face_vectors.of(faces)
    known, row = np.unique(faces["track"].to_numpy(), return_inverse=True)
    vectors = np.zeros((len(known), seen.shape[1]), np.float32)
    np.add.at(vectors, row, seen)
    vectors /= np.bincount(row)[:, None]
    apart = _together(linked_faces, known)
    groups = group(vectors, apart, settings.farthest)
    names: dict[int, str] = {}
    if cast is not None:
        groups, names = _named(vectors, groups, apart, cast, settings.farthest_name)
    confidence = silhouettes(vectors, groups, settings.farthest)
    place = pd.Series(np.arange(len(known)), index=known)
    rows = tracks["track"].map(place)
    some = rows.notna().to_numpy()
    of_row = rows[some].to_numpy(int)
    actor, name = pd.array([None] * len(tracks), dtype="Int64"), np.full(len(tracks), None, object)
    sure = np.full(len(tracks), np.nan, np.float32)
    numbers = _in_order(groups[of_row], tracks.loc[some])
    actor[some], sure[some] = numbers, confidence[of_row]
    name[some] = [names.get(one) for one in groups[of_row].tolist()]
    told = tracks.assign(actor=actor, actor_name=name, actor_confidence=sure)
    kept = {"face": faces["face"], "track": faces["track"], "vector": list(seen)}
    return People(tables.conform(told, "tracks"), tables.conform(kept, "vectors"))


def group(vectors: np.ndarray, apart: np.ndarray, farthest: float) -> np.ndarray:
    """Cluster vectors by average linkage, closest groups first, until all groups are farther apart than ``farthest``.

    Needs a matrix of N × N float32: 16 MB for 2,000 tracks.

    Args:
        vectors: (N, D) float32.
        apart: (M, 2) pairs of rows that must not be in the same group.

    Returns:
        (N,) int64, the number of each row's group, in arbitrary order.
    """
    n = len(vectors)
    if not n:
        return np.empty(0, np.int64)
    distance = distances(vectors, vectors)
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
        merged[[keep, gone]] = np.inf  # a forbidden pair makes the mean infinite, so the constraint persists
        distance[keep], distance[:, keep] = merged, merged
        distance[gone], distance[:, gone] = np.inf, np.inf
        size[keep] += size[gone]
        member_of[member_of == gone] = keep
        # Search again only for rows whose nearest was one of the two; other rows only compare with the merged group.
        gap[gone] = np.inf
        stale = np.flatnonzero(((nearest == keep) | (nearest == gone)) & np.isfinite(gap))
        for row in {keep, *stale.tolist()}:
            nearest[row] = distance[row].argmin()
            gap[row] = distance[row, nearest[row]]
        nearer = merged < gap
        nearest[nearer], gap[nearer] = keep, merged[nearer]
    return member_of


def silhouettes(vectors: np.ndarray, groups: np.ndarray, farthest: float) -> np.ndarray:
    """Compute the silhouette of each vector: (b - a) / max(a, b), clipped at 0.

    a is the mean distance to the other members of its group, b the smallest mean distance to another group (Rousseeuw,
    Silhouettes, J. Comput. Appl. Math. 20, 1987). For a vector alone in its group, a is ``farthest``.

    Returns:
        (N,) float32, 0 to 1; NaN if there is only one group.
    """
    _, group_of = np.unique(groups, return_inverse=True)
    order = np.argsort(group_of, kind="stable")
    firsts = np.flatnonzero(np.diff(group_of[order], prepend=-1))
    size = np.bincount(group_of)
    if len(size) < 2:
        return np.full(len(vectors), np.nan, np.float32)
    found = np.empty(len(vectors), np.float32)
    for begin in range(0, len(vectors), _ROWS):
        rows = np.arange(begin, min(begin + _ROWS, len(vectors)))
        own = group_of[rows]
        sums = np.add.reduceat(distances(vectors[rows], vectors[order]), firsts, axis=1)  # (rows, groups)
        others = size[own] - 1
        a = np.where(others > 0, sums[np.arange(len(rows)), own] / np.maximum(others, 1), farthest)
        means = sums / size
        means[np.arange(len(rows)), own] = np.inf
        b = means.min(axis=1)
        found[rows] = np.clip((b - a) / np.maximum(np.maximum(a, b), 1e-9), 0, 1)
    return found


def distances(vectors: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Compute the Euclidean distances between vectors (N, D) and others (M, D): (N, M) float32."""
    found = vectors.astype(np.float32) @ others.astype(np.float32).T
    found *= -2
    found += (vectors**2).sum(axis=1, dtype=np.float32)[:, None]
    found += (others**2).sum(axis=1, dtype=np.float32)
    return np.sqrt(np.maximum(found, 0, out=found), out=found)


def best_faces(faces: pd.DataFrame, settings: ActorSettings = ActorSettings()) -> pd.DataFrame:
    """Choose the best faces of each track for recognition: confident, large, frontal and sharp; the best first.

    Args:
        faces: table FACES with the column ``track``.
    """
    side = (faces["x1"] - faces["x0"]).clip(upper=faces["y1"] - faces["y0"])
    good = (side >= settings.smallest_side) & (faces["yaw"].abs() <= settings.widest_yaw) & faces["crop"].notna()
    some = faces.loc[good]
    frontal = np.cos(np.radians(some["yaw"].to_numpy(np.float64)))
    size = np.clip(side[good].to_numpy() / 80, 0.1, 1)
    worth = some["confidence"].to_numpy() * frontal * size * np.clip(some["sharpness"].to_numpy() / 100, 0.1, 1)
    ranked = some.assign(worth=worth).sort_values(["track", "worth", "time"], ascending=[True, False, True])
    return ranked.loc[ranked.groupby("track").cumcount() < settings.faces_a_track]


def _together(faces: pd.DataFrame, known: np.ndarray) -> np.ndarray:
    """Find pairs of tracks that occur in the same picture: (M, 2) indices into ``known``, each pair once."""
    some = faces.loc[faces["track"].isin(known), ["time", "track"]]
    pairs = some.merge(some, on="time")
    pairs = pairs.loc[pairs["track_x"] < pairs["track_y"], ["track_x", "track_y"]].drop_duplicates()
    return np.searchsorted(known, pairs.to_numpy(np.int64)).reshape(-1, 2)


def _named(
    vectors: np.ndarray, groups: np.ndarray, apart: np.ndarray, cast: Cast, farthest: float
) -> tuple[np.ndarray, dict[int, str]]:
    """Name groups by the closest cast member, closest first, and merge groups with the same name.

    A group stays unnamed if it occurs in one picture with another group of that name.
    """
    numbers = np.unique(groups)
    means = np.stack([vectors[groups == number].mean(axis=0) for number in numbers])
    gap = distances(means, cast.vectors)  # (groups, names)
    banned = {frozenset(pair) for pair in groups[apart].tolist()}
    names: dict[int, str] = {}
    for row in np.argsort(gap.min(axis=1), kind="stable").tolist():
        number, name = int(numbers[row]), cast.names[int(gap[row].argmin())]
        rivals = [other for other, taken in names.items() if taken == name]
        if gap[row].min() <= farthest and not any(frozenset((number, other)) in banned for other in rivals):
            names[number] = name
    first = {name: min(number for number, taken in names.items() if taken == name) for name in names.values()}
    joined = np.array([first[names[number]] if number in names else number for number in groups.tolist()])
    return joined, {number: name for name, number in first.items()}


def _in_order(groups: np.ndarray, tracks: pd.DataFrame) -> np.ndarray:
    """Number the groups by the first appearance of their tracks, then by the tracks' own order."""
    order = np.lexsort((tracks["track"].to_numpy(), tracks["start"].to_numpy()))
    number: dict[int, int] = {}
    for one in groups[order].tolist():
        number.setdefault(one, len(number))
    return np.array([number[one] for one in groups.tolist()], np.int64)
