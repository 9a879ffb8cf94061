"""A thumbnail of a film's arc: the shares of the detected expressions over time, in a few hundred characters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from scenefer.analysis.expressions import counted
from scenefer.core.schema import EMOTIONS

if TYPE_CHECKING:
    import pandas as pd

_PIECES = 64  # maximum number of pieces that a film is divided into
_SAMPLES = 2  # minimum per piece; with one, a sample on the border of two pieces would leave a gap
_HEIGHT = 40  # units; a piece is 1 wide
_STRIP = 6  # units, of the verdicts below the arc


def arc(samples: pd.DataFrame, expressions: pd.DataFrame, end: float) -> bytes:
    """Reduce a film to the shares of the seven expressions in up to 64 pieces of equal length.

    Args:
        samples: table SAMPLES; the shares of a piece add up to the fraction of its time with a usable face.
        expressions: table EXPRESSIONS.
        end: film time, seconds.

    Returns:
        Seven bytes per piece, in the order of ``EMOTIONS``; 255 = all of its time. Empty without samples.
    """
    n = min(_PIECES, -(-len(samples) // _SAMPLES))
    if not n or end <= 0:
        return b""

    def summed(times: pd.Series, weights: np.ndarray) -> np.ndarray:
        piece = np.clip((times.to_numpy() / end * n + 1e-6).astype(int), 0, n - 1)
        return np.bincount(piece, weights, minlength=n).astype(float)  # for empty input, bincount returns integers

    weight = samples["weight"].to_numpy()
    seen = summed(samples["time"], weight * (samples["n_usable"] > 0).to_numpy())
    usable = expressions.loc[counted(expressions)]
    faces = usable["weight"].to_numpy()
    masses = np.stack([summed(usable["time"], faces * usable[e].to_numpy()) for e in EMOTIONS], axis=1)  # (n, 7)
    total = masses.sum(axis=1, keepdims=True)
    shares = np.divide(masses, total, out=np.zeros_like(masses), where=total > 0)
    sampled = summed(samples["time"], weight)
    covered = np.divide(seen, sampled, out=np.zeros(n), where=sampled > 0)
    return np.round(255 * shares * covered[:, None]).astype(np.uint8).tobytes()


def paths(arc: bytes) -> list[tuple[str, str]]:
    """Draw an arc: pairs of emotion and SVG path, to be painted over one another in this order.

    As in the report's arc the shares are cumulated and painted from the largest sum to the smallest, each filled down
    to the bottom. Neighbours of one height become one line.
    """
    shares = np.frombuffer(arc, np.uint8).reshape(-1, len(EMOTIONS))
    heights = np.round(np.cumsum(shares, axis=1, dtype=int) * _HEIGHT / 255).clip(0, _HEIGHT).astype(int)
    drawn = []
    for place, emotion in reversed(list(enumerate(EMOTIONS))):
        below = heights[:, place - 1] if place else np.zeros(len(heights), int)
        if (heights[:, place] > below).any():
            drawn.append((emotion, _outline(heights[:, place].tolist())))
    return drawn


def viewbox(arc: bytes, judged: bool) -> str:
    """Return the SVG viewBox of the drawing, with room below for verdicts if there are any."""
    return f"0 0 {max(1, len(arc) // len(EMOTIONS))} {_HEIGHT + _STRIP * judged}"


def strip(arc: bytes, verdicts: Sequence[tuple[float, float, str]], end: float) -> list[tuple[str, str]]:
    """Draw the verdicts of a film's scenes below its arc: a verdict and the path of its scenes each."""
    n = max(1, len(arc) // len(EMOTIONS))
    drawn: dict[str, str] = {}
    for start, stop, verdict in verdicts:
        left, width = n * start / end, n * (stop - start) / end
        box = f"M{left:.2f} {_HEIGHT + 2}h{width:.2f}v{_STRIP - 2}h-{width:.2f}z"
        drawn[verdict] = drawn.get(verdict, "") + box
    return list(drawn.items())


def _outline(heights: Sequence[int]) -> str:
    parts, at, run = [f"M0 {_HEIGHT}"], 0, 0
    for height in [*heights, 0]:
        if height != at:
            parts.append((f"h{run}" if run else "") + f"v{at - height}")
            at, run = height, 0
        run += 1
    return "".join(parts) + "z"
