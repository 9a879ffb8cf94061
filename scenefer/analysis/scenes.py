"""Scenes: the user's list, or shots grouped by picture and time.

Shots are grouped by optimal sequential grouping with dynamic programming: scene boundaries are placed so that similar
shots are in the same scene (Rotman, Porat & Ashour, Optimal sequential grouping for robust video scene detection using
multiple modalities, 2017). Unlike in that paper, the gain of a pair of shots in one scene is how much more similar they
are than unrelated shots of this film, and it decays with the time between them (after the time-constrained clustering
of Yeung & Yeo, 1996). So alternating between two set-ups keeps a scene together, a setting that returns after another
scene begins a new scene, and the number of scenes need not be given.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scenefer.analysis import shot_similarity
from scenefer.core import tables
from scenefer.core.settings import Settings, bounded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pandas as pd


@dataclass(frozen=True)
class SceneSettings(Settings):
    """How to group shots if the user gives no list."""

    n_scenes: int = 0  # 0 = decided from the pictures
    memory: float = 30.0  # seconds between two shots at which the weight of their similarity is 1/e
    price: float = 0.3  # cost of a scene, in units of similarity; a higher price gives fewer scenes
    people: float = 0.3  # weight of the people that two shots share, if known
    shortest_mean: float = bounded(36.0, 1, 86_400)  # seconds; mean duration of scenes: at most 200 in two hours
    longest_mean: float = bounded(240.0, 1, 86_400)  # seconds, as above: at least 30 in two hours


_LONG = 1200.0  # seconds; the limits apply only to longer films, because a short film may be a montage


def from_sheet(sheet: pd.DataFrame, shots: pd.DataFrame, frame: float = 0.0) -> pd.DataFrame:
    """Make scenes from a sheet; they need not begin at cuts or cover the film.

    Args:
        sheet: columns scene (its name), start, end (s); several rows of one scene have equal times.
        shots: table SHOTS.
        frame: duration of a frame in seconds. Times within half a frame of a cut are moved to the cut, because lists
            and containers round to milliseconds, and a frame on the wrong side would be a separate shot and track.

    Returns:
        Table SCENES, ordered by time.
    """
    rows = sheet.drop_duplicates("scene").sort_values("start", kind="stable")
    start, end = (
        _at_cuts(rows[name].to_numpy(float), shots["start"].to_numpy(float), frame) for name in ("start", "end")
    )
    return _table(rows["scene"].astype(str), start, end, shots, "sheet")


def _at_cuts(times: np.ndarray, cuts: np.ndarray, frame: float) -> np.ndarray:
    """Move times that are less than half a frame from a cut to the cut."""
    if not len(cuts):
        return times
    nearest = cuts[np.abs(times[:, None] - cuts).argmin(axis=1)]
    return np.where(np.abs(nearest - times) < frame / 2, nearest, times)


def with_times(
    scenes: pd.DataFrame, start: np.ndarray, end: np.ndarray, shots: pd.DataFrame, frame: float
) -> pd.DataFrame:
    """Give scenes other times; their ids, names and order stay.

    Args:
        start, end: (N,) seconds, in the order of ``scenes``.
        shots, frame: as of ``from_sheet``.
    """
    cuts = shots["start"].to_numpy(float)
    moved = _table(scenes["name"], _at_cuts(start, cuts, frame), _at_cuts(end, cuts, frame), shots, "")
    return tables.conform(moved.assign(scene=scenes["scene"].array, source=scenes["source"].array), "scenes")


def one_scene(shots: pd.DataFrame, name: str, source: str) -> pd.DataFrame:
    """Make one scene from all shots; no scene if there are no shots."""
    if not len(shots):
        return tables.empty("scenes")
    return _table([name], shots["start"].iloc[:1], shots["end"].iloc[-1:], shots, source)


def people_of_shots(tracks: pd.DataFrame, n_shots: int) -> pd.DataFrame | None:
    """Count the faces of each person in each shot, for ``group_shots``.

    Args:
        tracks: table TRACKS; tracks of "unknown" people are ignored.

    Returns:
        One row per shot, one column per person: number of sampled faces; None if nobody is known.
    """
    known = tracks[tracks["actor"].notna()]
    if not len(known):
        return None
    n_faces = known.groupby(["shot", "actor"])["n_faces"].sum()
    return n_faces.unstack(fill_value=0).reindex(range(n_shots), fill_value=0)


def group_shots(
    shots: pd.DataFrame,
    frames: pd.DataFrame,
    settings: SceneSettings = SceneSettings(),
    people: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Detect scenes: group neighbouring shots that look similar, with settings that alternate within a scene.

    Args:
        shots: table SHOTS.
        frames: table FRAMES; uses time, signature and, for sampled frames, palette.
        people: number of sampled faces, one row per shot, one column per person; None without person recognition.

    Returns:
        Table SCENES: contiguous, covering all shots, named "1", "2" and so on.
    """
    if not len(shots):
        return tables.empty("scenes")
    middles = ((shots["start"] + shots["end"]) / 2).to_numpy()
    gains = shot_similarity.gains(
        shot_similarity.looks(shots, frames, people), middles, settings.memory, settings.people
    )
    if settings.n_scenes:
        first = _divide_into(min(settings.n_scenes, len(shots)), gains)
    else:
        first = _divide(gains, settings.price)
        seconds = float(shots["end"].iloc[-1] - shots["start"].iloc[0])
        if seconds >= _LONG:
            fewest, most = np.ceil(seconds / settings.longest_mean), np.floor(seconds / settings.shortest_mean)
            n_scenes = int(min(np.clip(len(first), fewest, max(most, 1)), len(shots)))
            first = first if n_scenes == len(first) else _divide_into(n_scenes, gains)
    starts = shots["start"].iloc[first]
    ends = [*starts.iloc[1:], shots["end"].iloc[-1]]
    return _table([str(k + 1) for k in range(len(first))], starts, ends, shots, "guessed")


def _table(
    names: Iterable[str], begin: Iterable[float], end: Iterable[float], shots: pd.DataFrame, source: str
) -> pd.DataFrame:
    starts, ends = np.array([*begin], dtype=float), np.array([*end], dtype=float)
    begins, last = shots["start"].to_numpy(), max(len(shots) - 1, 0)
    return tables.conform(
        {
            "scene": range(len(starts)),
            "name": list(names),
            "start": starts,
            "end": ends,
            "first_shot": np.clip(np.searchsorted(begins, starts, side="right") - 1, 0, last),
            "last_shot": np.clip(np.searchsorted(begins, ends, side="left") - 1, 0, last),
            "source": source,
        },
        "scenes",
    )


def _worths(gains: list[np.ndarray]) -> Iterator[np.ndarray]:
    """Yield for each shot b the total gain of a scene from shot a to shot b, for every a from 0 to b: (b + 1,)."""
    worth = np.zeros(len(gains))
    for b, gain in enumerate(gains):
        worth[b - len(gain) : b] += np.cumsum(gain[::-1])[::-1]
        worth[: b - len(gain)] += gain.sum()
        yield worth[: b + 1]


def _divide(gains: list[np.ndarray], price: float) -> list[int]:
    """Choose the scenes with the highest total gain minus the price per scene; return their first shots."""
    best, begin = np.zeros(len(gains) + 1), []
    for b, worth in enumerate(_worths(gains)):
        total = best[: b + 1] + worth - price
        begin.append(int(np.argmax(total)))
        best[b + 1] = total[begin[-1]]
    first = [begin[-1]]
    while first[-1]:
        first.append(begin[first[-1] - 1])
    return first[::-1]


def _divide_into(n_scenes: int, gains: list[np.ndarray]) -> list[int]:
    """Choose the ``n_scenes`` scenes with the highest total gain; return their first shots."""
    n = len(gains)
    best = np.full((n_scenes + 1, n + 1), -np.inf)  # best[k, b]: highest gain of the first b shots as k scenes
    best[0, 0] = 0.0
    begin = np.zeros((n_scenes + 1, n + 1), dtype=np.int32)
    for b, worth in enumerate(_worths(gains)):
        total = best[:-1, : b + 1] + worth
        begin[1:, b + 1] = np.argmax(total, axis=1)
        best[1:, b + 1] = np.take_along_axis(total, begin[1:, b + 1, None].astype(int), axis=1)[:, 0]
    first, b = [], n
    for k in range(n_scenes, 0, -1):
        b = int(begin[k, b])
        first.append(b)
    return first[::-1]
