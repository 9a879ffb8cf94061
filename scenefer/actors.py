"""Tracks grouped into people: who is seen, across the cuts of a film.

The best faces of each track become a vector each; tracks whose vectors are near on average become one person, the
nearest first (agglomerative clustering, average linkage). Two faces in one picture are never one person. How many
people there are is not asked for. A person here is a group of tracks: it has a number, a name only where a cast folder
gives one, and no identity beyond the film.

Tracks are not divided where their own faces disagree: in the annotated film two faces of one track of one person are up
to 0.72 apart (frontal and in profile), farther than most people from each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from scenefer import geometry, tables

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from scenefer.cast import Cast
    from scenefer.models import IdentityModel

_ROWS = 512  # tracks whose distances to all others are held at once


@dataclass(frozen=True)
class ActorSettings:
    faces_a_track: int = 3  # the best of a track that are turned into vectors
    farthest: float = 0.56  # mean distance up to which two groups of tracks are one person
    smallest_side: float = 24.0  # px of the film; a track without a larger face is "unknown"
    widest_yaw: float = 60.0  # degrees; a track without a face turned less is "unknown"
    # Distance of a person's mean from that of a cast's pictures up to which they are one: means lie nearer to each
    # other than single faces do, those of two people too.
    farthest_name: float = 0.45
    keep_vectors: bool = False  # write the vectors into the run; else they are gone with the process


class People(NamedTuple):
    """What grouping gives."""

    tracks: pd.DataFrame  # table TRACKS, its people known
    vectors: pd.DataFrame  # table VECTORS, of the faces that were looked at


def group_tracks(
    linked_faces: pd.DataFrame,
    tracks: pd.DataFrame,
    shots: pd.DataFrame,
    model: IdentityModel,
    settings: ActorSettings = ActorSettings(),
    cast: Cast | None = None,
) -> People:
    """Say of every track which person it shows.

    Args:
        linked_faces: table FACES with the column ``track``, and with crops.
        tracks: table TRACKS.
        shots: table SHOTS; faces inside a gradual transition are blends of two pictures and are not looked at.
        cast: names for people; groups that get one name are one person.

    Returns:
        ``tracks`` with ``actor``: numbers from 0, in order of first appearance; null where no face of the track is good
        enough to tell, or where the faces have no crops. With ``actor_name`` and ``actor_confidence``.
    """
    import numpy as np
    import pandas as pd

    faces = best_faces(linked_faces.loc[~_inside_transition(linked_faces["time"].to_numpy(), shots)], settings)
    if not len(faces):
        return People(tables.conform(tracks, "tracks"), tables.empty("vectors"))
    seen = vectors_of(faces, model)
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


def people_of(tracks: pd.DataFrame, earlier: pd.DataFrame) -> pd.DataFrame:
    """Give tracks the people of an earlier analysis of the same faces.

    Args:
        tracks: table TRACKS; so is ``earlier``. A track that was not there then is "unknown".
    """
    same = ["track", "shot", "start", "end", "n_faces"]
    told = tracks[same].merge(earlier, on=same, how="left")
    return tables.conform(told, "tracks")


def group(vectors: np.ndarray, apart: np.ndarray, farthest: float) -> np.ndarray:
    """Group vectors by average linkage, the nearest groups first, until all are farther apart than ``farthest``.

    Holds one matrix of N × N float32: 16 MB for 2,000 tracks.

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


def silhouettes(vectors: np.ndarray, groups: np.ndarray, farthest: float) -> np.ndarray:
    """Measure how much nearer each vector is to its own group than to the next: (b - a) / max(a, b), not below 0.

    a is the mean distance to the others of its group, b the least of the mean distances to another group (Rousseeuw,
    Silhouettes, J. Comput. Appl. Math. 20, 1987); a vector that is alone has ``farthest`` for a.

    Returns:
        (N,) float32, 0 to 1; NaN where there is no other group.
    """
    import numpy as np

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
    """Measure the Euclidean distances of vectors (N, D) from others (M, D): (N, M) float32."""
    import numpy as np

    found = vectors.astype(np.float32) @ others.astype(np.float32).T
    found *= -2
    found += (vectors**2).sum(axis=1, dtype=np.float32)[:, None]
    found += (others**2).sum(axis=1, dtype=np.float32)
    return np.sqrt(np.maximum(found, 0, out=found), out=found)


def best_faces(faces: pd.DataFrame, settings: ActorSettings = ActorSettings()) -> pd.DataFrame:
    """Choose the faces of each track that tell most: certain, large, frontal and sharp; the best first.

    Args:
        faces: table FACES with the column ``track``.
    """
    import numpy as np

    side = (faces["x1"] - faces["x0"]).clip(upper=faces["y1"] - faces["y0"])
    good = (side >= settings.smallest_side) & (faces["yaw"].abs() <= settings.widest_yaw) & faces["crop"].notna()
    some = faces.loc[good]
    frontal = np.cos(np.radians(some["yaw"].to_numpy(np.float64)))
    size = np.clip(side[good].to_numpy() / 80, 0.1, 1)
    worth = some["confidence"].to_numpy() * frontal * size * np.clip(some["sharpness"].to_numpy() / 100, 0.1, 1)
    ranked = some.assign(worth=worth).sort_values(["track", "worth", "time"], ascending=[True, False, True])
    return ranked.loc[ranked.groupby("track").cumcount() < settings.faces_a_track]


def vectors_of(faces: pd.DataFrame, model: IdentityModel) -> np.ndarray:
    """Turn faces with crops into vectors: (N, D) float32."""
    import cv2
    import numpy as np

    from scenefer.observation import boxes_and_landmarks

    crops = [np.asarray(cv2.imdecode(np.frombuffer(c, np.uint8), cv2.IMREAD_COLOR_RGB)) for c in faces["crop"]]
    _, points = geometry.in_crop(*boxes_and_landmarks(faces))
    return model.vectors(crops, points)


def _inside_transition(time: np.ndarray, shots: pd.DataFrame) -> np.ndarray:
    import numpy as np

    inside = np.zeros(len(time), bool)
    gradual = shots.dropna(subset=["transition_start", "transition_end"])
    for start, end in zip(gradual["transition_start"], gradual["transition_end"], strict=True):
        inside |= (time >= start) & (time < end)
    return inside


def _together(faces: pd.DataFrame, known: np.ndarray) -> np.ndarray:
    """Find the tracks that are seen in one picture: (M, 2) places in ``known``, each pair once."""
    import numpy as np

    some = faces.loc[faces["track"].isin(known), ["time", "track"]]
    pairs = some.merge(some, on="time")
    pairs = pairs.loc[pairs["track_x"] < pairs["track_y"], ["track_x", "track_y"]].drop_duplicates()
    return np.searchsorted(known, pairs.to_numpy(np.int64)).reshape(-1, 2)


def _named(
    vectors: np.ndarray, groups: np.ndarray, apart: np.ndarray, cast: Cast, farthest: float
) -> tuple[np.ndarray, dict[int, str]]:
    """Name groups by the nearest mean of a cast, the nearest first, and join those of one name.

    A group that is seen together with another of the same name stays without.
    """
    import numpy as np

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
    import numpy as np

    order = np.lexsort((tracks["track"].to_numpy(), tracks["start"].to_numpy()))
    number: dict[int, int] = {}
    for one in groups[order].tolist():
        number.setdefault(one, len(number))
    return np.array([number[one] for one in groups.tolist()], np.int64)
