"""Comparison of groups of films: by director, year, genre or any other column of a table.

Every film has the same weight, regardless of its length. Intervals come from resampling films; they describe what other
films of this kind would show, provided that these films are a sample of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from scenefer.analysis.bootstrap import interval, widening
from scenefer.core.schema import EMOTIONS

if TYPE_CHECKING:
    import pandas as pd

FEWEST = 3  # minimum films in a group for an interval
_RESAMPLES = 2000


class Group(NamedTuple):
    """Films with the same value in a column."""

    column: str
    name: str
    n_films: int  # films with percentages
    n_without: int  # films without, because they have too few faces
    percent: np.ndarray  # (7,) mean over the films
    low: np.ndarray  # (7,) lower end of the 95 % interval; NaN with fewer than ``FEWEST`` films
    high: np.ndarray


class Grouped(NamedTuple):
    """All groups, column by column, and sentences that a reader must know."""

    groups: list[Group]
    notices: list[str]


def summarise(column: str, name: str, films: pd.DataFrame) -> Group:
    """Average the shares of a group's films.

    Args:
        films: rows of the table FILMS; those without percentages are only counted.
    """
    shares = films[list(EMOTIONS)].to_numpy(np.float64)
    known = shares[~np.isnan(shares).any(axis=1)]
    n = len(known)
    nothing = np.full(len(EMOTIONS), np.nan)
    mean = known.mean(axis=0) if n else nothing
    low = high = nothing
    if n >= FEWEST:
        drawn = np.random.default_rng(0).multinomial(n, np.full(n, 1 / n), _RESAMPLES) @ known / n
        low, high = (np.clip(end, 0, 100) for end in interval(mean, drawn, factor=widening(n, n - 1)))
    return Group(column, name, n, len(films) - n, mean, low, high)
