"""From faces to the percentages of a scene, with intervals and a measure of how much was seen.

Neighbouring frames repeat one another, so resampling frames would make the intervals falsely tight. What is resampled
is shots, in them tracks, in them blocks of one second: a nested bootstrap (Davison and Hinkley 1997, section 3.8).
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, NamedTuple

from scenefer.tables import EMOTIONS

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

VIEWS = ("screen_time", "equal_track")

_Z = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True)
class EmotionSettings:
    least_face_seconds: float = 2.0  # below this there are no percentages
    least_coverage: float = 0.1  # share of the sampled time with a usable face; below this there are no percentages
    resamples: int = 1000
    block: float = 1.0  # seconds of a track that are resampled together
    seed: int = 0


class Evidence(NamedTuple):
    """The usable faces of one scene in blocks, n of them, ready to be resampled."""

    levels: tuple[np.ndarray, ...]  # (n,) int64 each, coarsest first (shots, tracks): the block's group, from 0, rising
    mass: np.ndarray  # (n, 7) seconds of each emotion: probabilities times weights
    weight: np.ndarray  # (n,) face seconds


def summarise(
    expressions: pd.DataFrame,
    samples: pd.DataFrame,
    scenes: pd.DataFrame,
    tracks: pd.DataFrame,
    settings: EmotionSettings = EmotionSettings(),
) -> pd.DataFrame:
    """Estimate how a scene's face-seconds divide among the seven expressions.

    Percentages are means of unsmoothed calibrated probabilities, weighted in seconds: of all faces (``screen_time``),
    or of each track first and then of the tracks (``equal_track``). Where evidence is too thin they are null.

    Args:
        expressions: table EXPRESSIONS, rows in any order.
        samples: table SAMPLES, accounted for.
        scenes: table SCENES.
        tracks: table TRACKS.

    Returns:
        Table SCENE_EMOTIONS, seven rows a view a scene. With fewer than three shots (``n_shots``) an interval says how
        far the face varies within one take, and nothing beyond it.

    Raises:
        ValueError: a face belongs to a track that is not in ``tracks``.
    """
    import numpy as np

    from scenefer.tables import TABLES, conform

    if not np.isin(expressions["track"], tracks["track"]).all():
        raise ValueError("expressions name a track that the table tracks has not")
    usable = expressions.loc[expressions["usable"] & expressions["scene"].notna()]
    rows = usable.groupby("scene").indices
    coverage = _coverage(samples)
    columns: dict[str, list] = {column.name: [] for column in TABLES["scene_emotions"]}
    for scene in scenes["scene"]:
        evidence = gather(usable.iloc[rows.get(scene, [])], settings)
        n_shots, n_tracks = (len(np.unique(level)) for level in evidence.levels)
        about = {
            "coverage": coverage.get(scene, 0.0),
            "face_seconds": float(evidence.weight.sum()),
            "n_tracks": n_tracks,
            "n_shots": n_shots,
        }
        enough = (
            about["face_seconds"] >= settings.least_face_seconds - 1e-9 and about["coverage"] >= settings.least_coverage
        )
        words = "insufficient" if not enough else "one take" if n_tracks == 1 else "enough"
        counts = resample(evidence, settings.resamples, np.random.default_rng([settings.seed, scene])) if enough else []
        for view in VIEWS:
            percent, low, high = _estimate(evidence, counts, view, n_shots) if enough else np.full((3, 7), np.nan)
            row = {"scene": scene, "view": view, "evidence": words, **about}
            for name, value in row.items():
                columns[name] += [value] * len(EMOTIONS)
            for name, values in {"emotion": EMOTIONS, "percent": percent, "low": low, "high": high}.items():
                columns[name] += list(values)
    return conform(columns, "scene_emotions")


def gather(expressions: pd.DataFrame, settings: EmotionSettings = EmotionSettings()) -> Evidence:
    """Add the usable faces of one scene up in blocks of a second of each track, counted from its first face there."""
    import numpy as np

    counted = np.flatnonzero(expressions["usable"].to_numpy(bool) & (expressions["weight"].to_numpy() > 0))
    if not len(counted):
        return Evidence((np.zeros(0, np.int64),) * 2, np.zeros((0, len(EMOTIONS))), np.zeros(0))
    keys = [expressions[name].to_numpy()[counted] for name in ("face", "time", "track", "shot")]
    order = counted[np.lexsort(keys)]
    shot, track, time, weight = (expressions[name].to_numpy()[order] for name in ("shot", "track", "time", "weight"))
    new_shot = np.diff(shot, prepend=shot[0] - 1) != 0
    new_track = new_shot | (np.diff(track, prepend=track[0] - 1) != 0)
    begun = time[new_track][np.cumsum(new_track) - 1]
    block = np.floor((time - begun) / settings.block + 1e-6)
    first = np.flatnonzero(new_track | (np.diff(block, prepend=-1) != 0))
    mass = expressions[list(EMOTIONS)].to_numpy(np.float64)[order] * weight[:, None]
    levels = tuple((np.cumsum(new) - 1)[first] for new in (new_shot, new_track))
    return Evidence(levels, np.add.reduceat(mass, first, axis=0), np.add.reduceat(weight, first))


def resample(evidence: Evidence, n: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Draw the groups of the coarsest level with replacement, inside each drawn group those of the next, then blocks.

    A group that is drawn c times draws c times as many members as it has: c draws of the nested bootstrap at once.

    Returns:
        How often each group of each level was drawn, (n, groups) int64 a level; the last is of the blocks.
    """
    import numpy as np

    n_blocks = len(evidence.weight)
    counts: list[np.ndarray] = []
    above, drawn = np.zeros(n_blocks, np.int64), np.ones((n, 1), np.int64)
    for level in (*evidence.levels, np.arange(n_blocks)):
        members, first = np.unique(level, return_index=True)
        size = np.bincount(above[first])  # members of each group above, which stand together
        draws = drawn * size  # (n, groups above)
        first_member = np.arange(n)[:, None] * len(members) + np.cumsum(size) - size  # (n, groups above)
        repeats = draws.ravel()
        among = np.repeat(np.broadcast_to(size, draws.shape).ravel(), repeats)
        place = (rng.random(len(among)) * among).astype(np.int64)
        place += np.repeat(first_member.ravel(), repeats)
        drawn = np.bincount(place, minlength=n * len(members)).reshape(n, -1)
        counts.append(drawn)
        above = level
    return counts


def shares(evidence: Evidence, counts: list[np.ndarray], view: str) -> np.ndarray:
    """Compute the percentages of every resample: (n, 7), rows sum to 100.

    In ``equal_track`` the draws of one track are pooled before tracks are averaged.

    Raises:
        ValueError: the view is unknown.
    """
    import numpy as np

    if view not in VIEWS:
        raise ValueError(f"unknown view {view!r}; known: {', '.join(VIEWS)}")
    blocks = counts[-1].astype(np.float64)
    if view == "equal_track":
        track = evidence.levels[-1]
        first = np.unique(track, return_index=True)[1]  # blocks of a track stand together
        seconds = np.add.reduceat(blocks * evidence.weight, first, axis=1)  # (n, tracks)
        each = np.divide(counts[-2], seconds, out=np.zeros_like(seconds), where=seconds > 0)
        blocks = blocks * each[:, track]
    mass = blocks @ evidence.mass
    return 100 * mass / mass.sum(axis=1, keepdims=True)


def interval(estimate: np.ndarray, resampled: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Give the 95 % percentile interval of a bootstrap, widened for few units at its top level.

    With k ≥ 3 units both half-widths grow by t(0.975, k - 1) / 1.96 · √(k / (k - 1)): the bootstrap's variance is too
    small by (k - 1) / k, and its tails are normal where they should be Student's.

    Args:
        estimate: (...) the value from all the data.
        resampled: (n, ...) the values of the resamples.

    Returns:
        The lower and the upper end, not clipped to a range; they contain the estimate.
    """
    import numpy as np

    ordered = np.sort(resampled, axis=0)  # five times faster than numpy's quantile, which partitions
    last = len(ordered) - 1
    low, high = (
        ordered[int(place)] + place % 1 * (ordered[min(int(place) + 1, last)] - ordered[int(place)])
        for place in (0.025 * last, 0.975 * last)
    )
    factor = student(k - 1) / _Z * (k / (k - 1)) ** 0.5 if k >= 3 else 1.0
    return estimate - factor * np.maximum(estimate - low, 0.0), estimate + factor * np.maximum(high - estimate, 0.0)


def student(df: int) -> float:
    """Return the 0.975 quantile of Student's t, within 1 % from two degrees of freedom on.

    The expansion 26.7.5 of Abramowitz and Stegun, Handbook of Mathematical Functions, 1964.
    """
    z = _Z
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / df**power for power, term in enumerate(terms, start=1))


def _estimate(
    evidence: Evidence, counts: list[np.ndarray], view: str, n_shots: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    import numpy as np

    once = [np.ones((1, drawn.shape[1]), np.int64) for drawn in counts]
    percent = shares(evidence, once, view)[0]
    low, high = interval(percent, shares(evidence, counts, view), n_shots)
    return percent, np.clip(low, 0, 100), np.clip(high, 0, 100)


def _coverage(samples: pd.DataFrame) -> dict[int, float]:
    """Return of every scene the share of its sampled time with a usable face."""
    import numpy as np

    sampled = samples.loc[samples["scene"].notna() & (samples["state"] != "not decoded") & (samples["weight"] > 0)]
    scene, row = np.unique(sampled["scene"].to_numpy(np.int64), return_inverse=True)
    weight, seen = sampled["weight"].to_numpy(), (sampled["state"] == "face").to_numpy()
    shares = np.bincount(row, weight * seen) / np.bincount(row, weight)
    return dict(zip(scene.tolist(), shares.tolist(), strict=True))
