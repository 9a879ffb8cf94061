"""A random sample of a run's usable faces for people to judge; each face has a known probability of being drawn.

The sample is stratified by scene and detected expression, proportional to the size of the strata; strata that are too
small for two faces are merged. Within a stratum, sampling is systematic: every n-th face along the tracks from a random
start, so that people rarely judge two pictures of the same moment (Cochran, Sampling Techniques, 1977, chapters 5, 8).
"""

from __future__ import annotations

from hashlib import sha256

import numpy as np
import pandas as pd

from scenefer.analysis.expressions import counted
from scenefer.core.errors import PlanError, SceneferError
from scenefer.core.schema import EMOTIONS
from scenefer.core.tables import conform

LEAST = 2  # minimum faces per stratum; the variance cannot be estimated from one


def draw_sample(expressions: pd.DataFrame, n: int, seed: int = 0) -> pd.DataFrame:
    """Draw ``n`` usable faces, or all if there are fewer.

    Args:
        expressions: table EXPRESSIONS.
        n: at least 2.

    Returns:
        Table VALIDATION_SAMPLE, one row per usable face; ``place`` is the random order in which drawn faces are shown.

    Raises:
        PlanError: fewer than two faces are requested or usable.
    """

    faces = expressions.loc[counted(expressions)].sort_values(["track", "time", "face"], kind="stable")
    if min(n, len(faces)) < LEAST:
        raise PlanError(f"a sample needs two faces or more: {n} asked for, {len(faces)} usable in this run")
    rng = np.random.default_rng(seed)
    scene = faces["scene"].fillna(-1).to_numpy(np.int64)
    detected = faces[list(EMOTIONS)].to_numpy().argmax(axis=1)
    stratum = _strata(scene, detected, min(n / len(faces), 1.0))
    sizes = np.bincount(stratum)
    wanted = allocate(sizes, min(n, len(faces)))
    drawn = np.concatenate(
        [np.flatnonzero(stratum == one)[_every_nth(sizes[one], wanted[one], rng.random())] for one in range(len(sizes))]
    )
    place = pd.array([None] * len(faces), "Int64")
    place[drawn] = rng.permutation(len(drawn))
    columns = {"face": faces["face"], "time": faces["time"], "stratum": stratum}
    table = pd.DataFrame({**columns, "probability": (wanted / sizes)[stratum], "place": place})
    return conform(table.sort_values("face"), "validation_sample")


def shown(sample: pd.DataFrame) -> list[int]:
    """Return the drawn faces, in the order in which they are shown."""
    return sample.loc[sample["place"].notna()].sort_values("place")["face"].tolist()


def allocate(sizes: np.ndarray, n: int) -> np.ndarray:
    """Allocate ``n`` faces to strata in proportion to their sizes, by largest remainders, but at least two if possible.

    Args:
        sizes: (H,) int64, above 0: faces in each stratum; their sum is at least ``n``.

    Returns:
        (H,) int64, at most the stratum's size; the sum is ``n``, or more if the minimum of two requires it.
    """
    exact = n * sizes / sizes.sum()
    given = np.maximum(np.floor(exact + 1e-9).astype(np.int64), np.minimum(LEAST, sizes))
    while given.sum() < n:
        given[np.argmax(np.where(given < sizes, exact - given, -np.inf))] += 1
    while given.sum() > n and (given > LEAST).any():
        given[np.argmax(np.where(given > LEAST, given - exact, -np.inf))] -= 1
    return given


def sample_id(sample: pd.DataFrame, film: str) -> str:
    """Return an id of a sample: 12 hexadecimal digits, a hash of the film's id and the faces in their order."""
    return sha256(f"{film}:{shown(sample)}".encode()).hexdigest()[:12]


def check_sample(sample: pd.DataFrame, expressions: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a sample whose faces still count: moments may have been excluded by hand since it was drawn.

    A part of the film that is chosen by its times is estimated from the sampled faces in it (a domain; Cochran, 1977,
    chapter 2), so that faces which were judged need not be judged again.

    Raises:
        SceneferError: faces of the run are not in the sample: the film has been analysed again since, or moments were
            excluded when it was drawn, and are not any more.
    """
    usable = expressions.loc[counted(expressions), ["face", "time"]].sort_values("face").reset_index(drop=True)
    counts = sample["face"].isin(usable["face"])
    excluded = expressions.loc[expressions["why"] == "excluded", "face"]
    kept = sample.loc[counts].reset_index(drop=True)
    if not usable.equals(kept[["face", "time"]]) or not sample.loc[~counts, "face"].isin(excluded).all():
        raise SceneferError("the faces of this run are others than when its sample was drawn: draw one anew with --new")
    return kept


def _every_nth(size: int, n: int, start: float) -> np.ndarray:
    """Choose ``n`` of ``size`` positions at equal distances; each position has the probability n / size.

    Args:
        start: random number from 0 to 1, exclusive.
    """
    return np.minimum(np.floor((start + np.arange(n)) * (size / n)).astype(np.int64), size - 1)


def _strata(scene: np.ndarray, detected: np.ndarray, rate: float) -> np.ndarray:
    """Number the strata of faces from 0; small strata are merged within their scene, else within the film."""
    rest = len(EMOTIONS)  # code for merged strata, in place of a detected expression
    cells = np.stack([scene, detected], axis=1)
    for column, value in ((1, rest), (0, -2)):
        _, cell, sizes = np.unique(cells, axis=0, return_inverse=True, return_counts=True)
        cells[(sizes * rate < LEAST)[cell.ravel()], column] = value
    return np.unique(cells, axis=0, return_inverse=True)[1].ravel()
