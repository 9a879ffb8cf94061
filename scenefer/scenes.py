"""Scenes: the user's own list, or shots grouped by picture and time.

The grouping divides the row of shots where that explains best which of them look alike, an optimal sequential grouping
found by dynamic programming (Rotman, Porat & Ashour, Optimal sequential grouping for robust video scene detection using
multiple modalities, 2017). Unlike theirs, a pair of shots inside a scene earns by how much more alike it is than shots
of this film that have nothing to do with each other, and less the longer the time between the two (after the
time-constrained clustering of Yeung & Yeo, 1996): so cutting to and fro between two set-ups holds a scene together,
a setting that returns after another scene begins a new one, and the number of scenes follows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scenefer import likeness, tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy as np
    import pandas as pd


@dataclass(frozen=True)
class SceneSettings:
    """How shots are grouped where the user gives no list."""

    n_scenes: int = 0  # 0 = as many as the pictures say
    memory: float = 30.0  # seconds after which a shot's likeness to another one counts 1/e
    price: float = 0.3  # what a scene costs, in likenesses: the higher, the fewer
    people: float = 0.3  # weight of the people that two shots share, where they are known
    shortest_mean: float = 36.0  # seconds a scene, on average over the film: at most 200 scenes in two hours,
    longest_mean: float = 240.0  # and at least 30


_LONG = 1200.0  # seconds of film from which the averages bind; a short film may be a montage


def from_sheet(sheet: pd.DataFrame, shots: pd.DataFrame, frame: float = 0.0) -> pd.DataFrame:
    """Take the scenes of a sheet; they need neither begin at cuts nor cover the film.

    Args:
        sheet: columns scene (its name), start, end (s); several rows of one scene have equal times.
        shots: table SHOTS.
        frame: seconds that a frame lasts. A time within half of it from a cut means the cut: lists round to
            milliseconds, containers too, and a frame on the wrong side would count as a shot and a track of its own.

    Returns:
        Table SCENES, ordered by time.
    """
    rows = sheet.drop_duplicates("scene").sort_values("start", kind="stable")
    start, end = (
        _at_cuts(rows[name].to_numpy(float), shots["start"].to_numpy(float), frame) for name in ("start", "end")
    )
    return _table(rows["scene"].astype(str), start, end, shots, "sheet")


def _at_cuts(times: np.ndarray, cuts: np.ndarray, frame: float) -> np.ndarray:
    """Move times that lie less than half a frame from a cut to it."""
    import numpy as np

    if not len(cuts):
        return times
    nearest = cuts[np.abs(times[:, None] - cuts).argmin(axis=1)]
    return np.where(np.abs(nearest - times) < frame / 2, nearest, times)


def one_scene(shots: pd.DataFrame, name: str, source: str) -> pd.DataFrame:
    """Make one scene of all shots; of none, none."""
    if not len(shots):
        return tables.empty("scenes")
    return _table([name], shots["start"].iloc[:1], shots["end"].iloc[-1:], shots, source)


def people_of_shots(tracks: pd.DataFrame, n_shots: int) -> pd.DataFrame | None:
    """Tell who is seen in each shot, for ``group_shots``.

    Args:
        tracks: table TRACKS; those of "unknown" people say nothing.

    Returns:
        One row a shot, one column a person, in sampled faces; None where nobody is known.
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
    """Guess the scenes: neighbouring shots that look alike, settings that return within a scene included.

    Args:
        shots: table SHOTS.
        frames: table FRAMES; time, signature and, of sampled frames, palette are read.
        people: who is seen, one row a shot, one column a person, in sampled faces; absent where nobody was looked for.

    Returns:
        Table SCENES: contiguous, together as long as the shots, named "1", "2" and so on.

    Raises:
        ValueError: fewer than no scene is asked for.
    """
    import numpy as np

    if settings.n_scenes < 0:
        raise ValueError(f"n_scenes must be at least 1, or 0 for as many as there seem to be, got {settings.n_scenes}")
    if not len(shots):
        return tables.empty("scenes")
    middles = ((shots["start"] + shots["end"]) / 2).to_numpy()
    gains = likeness.gains(likeness.looks(shots, frames, people), middles, settings.memory, settings.people)
    if settings.n_scenes:
        first = _divide_into(min(settings.n_scenes, len(shots)), gains)
    else:
        first = _divide(gains, settings.price)
        seconds = float(shots["end"].iloc[-1] - shots["start"].iloc[0])
        if seconds >= _LONG:
            fewest, most = np.ceil(seconds / settings.longest_mean), np.floor(seconds / settings.shortest_mean)
            n_scenes = int(min(np.clip(len(first), fewest, most), len(shots)))
            first = first if n_scenes == len(first) else _divide_into(n_scenes, gains)
    starts = shots["start"].iloc[first]
    ends = [*starts.iloc[1:], shots["end"].iloc[-1]]
    return _table([str(k + 1) for k in range(len(first))], starts, ends, shots, "guessed")


def _table(
    names: Iterable[str], begin: Iterable[float], end: Iterable[float], shots: pd.DataFrame, source: str
) -> pd.DataFrame:
    import numpy as np

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
    """Yield for each shot b what the scenes from a to b are worth, for every a from 0 to b: (b + 1,)."""
    import numpy as np

    worth = np.zeros(len(gains))
    for b, gain in enumerate(gains):
        worth[b - len(gain) : b] += np.cumsum(gain[::-1])[::-1]
        worth[: b - len(gain)] += gain.sum()
        yield worth[: b + 1]


def _divide(gains: list[np.ndarray], price: float) -> list[int]:
    """Choose the scenes that are worth most, each for its price; return their first shots."""
    import numpy as np

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
    """Choose the ``n_scenes`` scenes that are worth most; return their first shots."""
    import numpy as np

    n = len(gains)
    best = np.full((n_scenes + 1, n + 1), -np.inf)  # best[k, b]: the first b shots as k scenes
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
