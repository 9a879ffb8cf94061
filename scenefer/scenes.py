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
from typing import TYPE_CHECKING, NamedTuple

from scenefer import tables

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
_BRIGHTNESS = 0.3  # weight of the arrangement of light and dark; the rest is colour
_UNRELATED = 120.0  # seconds: shots further apart show how alike shots of this film are by themselves
_ABOVE = 0.2  # how far from there to the likeness of neighbours a pair has to be, to speak for one scene
_USUAL = 0.4  # the same threshold where a film is too short to have unrelated shots
_N_PAIRS = 200  # unrelated pairs that suffice
_FAINT = 12.0  # norm of a signature below which its arrangement is noise


def from_sheet(sheet: pd.DataFrame, shots: pd.DataFrame) -> pd.DataFrame:
    """Take the scenes of a sheet; they need neither begin at cuts nor cover the film.

    Args:
        sheet: columns scene (its name), start, end (s); several rows of one scene have equal times.
        shots: table SHOTS.

    Returns:
        Table SCENES, ordered by time.
    """
    rows = sheet.drop_duplicates("scene").sort_values("start", kind="stable")
    return _table(rows["scene"].astype(str), rows["start"], rows["end"], shots, "sheet")


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
        One row a shot, one column a person, in seconds; None where nobody is known.
    """
    known = tracks[tracks["actor"].notna()]
    if not len(known):
        return None
    seconds = (known["end"] - known["start"]).groupby([known["shot"], known["actor"]]).sum()
    return seconds.unstack(fill_value=0).reindex(range(n_shots), fill_value=0.0)


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
        people: who is seen, one row a shot, one column a person, in seconds; absent where nobody was looked for.

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
    gains = _gains(_looks(shots, frames, people), middles, settings)
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


class _Looks(NamedTuple):
    """What shots are compared by, a row a shot."""

    colours: np.ndarray  # (N, P) square roots of the palette's shares; rows of zeros where no frame was sampled
    arrangement: np.ndarray  # (N, 144) signatures without their mean, of length 1
    people: np.ndarray  # (N, Q) shares of the people's time; rows of zeros where nobody was seen


def _looks(shots: pd.DataFrame, frames: pd.DataFrame, people: pd.DataFrame | None) -> _Looks:
    import numpy as np

    time = frames["time"].to_numpy()
    shot = np.clip(np.searchsorted(shots["start"].to_numpy(), time, side="right") - 1, 0, None)
    palettes = frames["palette"].to_numpy()
    sampled = np.flatnonzero(frames["palette"].notna().to_numpy())
    n = len(shots)
    colours = _sums([palettes[row] for row in sampled], shot[sampled], n)
    colours = np.sqrt(colours / np.maximum(colours.sum(axis=1, keepdims=True), 1e-9))
    arrangement = _sums(frames["signature"], shot, n) / np.maximum(np.bincount(shot, minlength=n), 1)[:, None]
    arrangement -= arrangement.mean(axis=1, keepdims=True)
    arrangement /= np.maximum(np.linalg.norm(arrangement, axis=1, keepdims=True), _FAINT)
    seen = np.zeros((n, 0)) if people is None else people.to_numpy(dtype=float)
    seen = seen / np.maximum(seen.sum(axis=1, keepdims=True), 1e-9)
    return _Looks(colours, arrangement, seen)


def _sums(rows: Iterable[bytes], shot: np.ndarray, n_shots: int) -> np.ndarray:
    """Add up the bytes of the frames of each shot: (n_shots, bytes a frame) float64; ``shot`` rises."""
    import numpy as np

    if not len(shot):
        return np.zeros((n_shots, 1))
    values = np.frombuffer(b"".join(rows), np.uint8).reshape(len(shot), -1)
    present, begins = np.unique(shot, return_index=True)
    sums = np.zeros((n_shots, values.shape[1]))
    sums[present] = np.add.reduceat(values, begins, axis=0, dtype=np.int64)
    return sums


def _likeness(looks: _Looks, rows: np.ndarray, others: np.ndarray, weight_of_people: float) -> np.ndarray:
    """Compare shots: (R, O), 1 = alike, 0 = nothing in common.

    Colours by Hellinger distance, the arrangement of light and dark by correlation; where a shot is too short to have
    a sampled frame, by the arrangement alone.
    """
    import numpy as np

    arrangement = np.sqrt(np.clip((1 - looks.arrangement[rows] @ looks.arrangement[others].T) / 2, 0, 1))
    colours = np.sqrt(np.clip(1 - looks.colours[rows] @ looks.colours[others].T, 0, 1))
    known = np.outer(looks.colours[rows].any(axis=1), looks.colours[others].any(axis=1))
    picture = 1 - np.where(known, (1 - _BRIGHTNESS) * colours + _BRIGHTNESS * arrangement, arrangement)
    shared = np.minimum(looks.people[rows][:, None], looks.people[others]).sum(axis=2)
    return picture + weight_of_people * shared * (1 - picture)


def _gains(looks: _Looks, middles: np.ndarray, settings: SceneSettings) -> list[np.ndarray]:
    """Compute for each shot what being in one scene with each of the shots before it is worth.

    Returns:
        A list of (K,) for the K shots next before it; what was longer ago counts nothing.
    """
    import numpy as np

    rows = np.arange(len(middles))
    begins = np.searchsorted(middles, middles - 6 * settings.memory)
    likenesses = [
        _likeness(looks, rows[begin:row], rows[row : row + 1], settings.people)[:, 0]
        for row, begin in enumerate(begins)
    ]
    recent = [
        likeness[middles[begin:row] >= middles[row] - settings.memory]
        for row, (begin, likeness) in enumerate(zip(begins, likenesses, strict=True))
    ]
    some = rows[:: max(1, len(rows) // 600)]
    apart = np.abs(middles[some][:, None] - middles[some])
    unrelated = _likeness(looks, some, some, settings.people)[apart > _UNRELATED]
    threshold = _USUAL
    if len(unrelated) >= _N_PAIRS:
        usual = float(np.median(unrelated))
        threshold = usual + _ABOVE * (
            float(np.median([likeness.max() for likeness in recent if len(likeness)])) - usual
        )
    return [
        (likeness - threshold) * np.exp(-(middles[row] - middles[begin:row]) / settings.memory)
        for row, (begin, likeness) in enumerate(zip(begins, likenesses, strict=True))
    ]


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
