"""What all drawings of a film share: one colour an emotion, and the curves of what its faces show."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scenefer.expression import counted, smooth
from scenefer.schema import EMOTIONS

if TYPE_CHECKING:
    import pandas as pd

# One colour an emotion, everywhere. Any two differ by 14 (CIEDE2000) or more to normal, protan, deutan and tritan eyes
# (simulated after Machado et al. 2009), twice as much as in Okabe and Ito's palette; words stand beside all the same.
COLOURS = {
    "angry": "#A93A22",
    "disgust": "#6F9A4E",
    "fear": "#7F45B0",
    "happy": "#F5C13B",
    "sad": "#6791F2",
    "surprise": "#93DBE0",
    "neutral": "#86848C",
}

_SMOOTHED = 1.0  # seconds of the window that the drawn curves are averaged over
_POINTS = 1500  # of a curve, about: more than a screen has
_NOTHING = np.zeros(len(EMOTIONS))


def curves(expressions: pd.DataFrame, points: int = _POINTS) -> tuple[np.ndarray, np.ndarray]:
    """Average the smoothed faces of every moment: times (N,) seconds and shares (N, 7) percent, zero in gaps.

    Args:
        points: of a curve, about; more moments are averaged.
    """
    smoothed = smooth(expressions.loc[counted(expressions)], _SMOOTHED)
    if not len(smoothed):
        return np.zeros(0), np.zeros((0, len(EMOTIONS)))
    moments = smoothed.groupby("time")
    time = moments["weight"].first().index.to_numpy(np.float64)
    until = time + moments["weight"].max().to_numpy()
    shot = moments["shot"].first().to_numpy()
    shares = 100 * moments[list(EMOTIONS)].mean().to_numpy(np.float64)
    # A run goes on while each moment lasts until the next one, in the same shot.
    begins = np.flatnonzero(np.r_[True, (time[1:] - until[:-1] > 1e-3) | (shot[1:] != shot[:-1])])
    block = max(1, round(len(time) / points))
    times, values = [], []
    for begin, end in zip(begins, [*begins[1:], len(time)], strict=True):
        edges = np.arange(begin, end, block)
        means = np.add.reduceat(shares[:end], edges, axis=0) / np.diff(np.append(edges, end))[:, None]
        # A run rises from zero at its first moment and falls back at the end of its last: the gap between is blank.
        times += [time[begin], *time[edges], until[end - 1], until[end - 1]]
        values += [_NOTHING, *means, means[-1], _NOTHING]
    return np.array(times), np.array(values)
