"""The arc within a scene: the shares of the detected expressions from start to end, and the cuts.

It is drawn as inline SVG rather than with plotly: a film has a hundred of them, and they need no zoom.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from scenefer.core.schema import EMOTIONS
from scenefer.report.emotion_curves import COLOURS, curves

if TYPE_CHECKING:
    import pandas as pd

_POINTS = 80  # approximate number per curve
WIDTH, HEIGHT = 1000, 100  # drawing units; coordinates are rounded to whole units


def arc(
    readings: pd.DataFrame, shots: pd.DataFrame, start: float, end: float, meant: Mapping[str, float]
) -> dict[str, Any]:
    """Draw a scene's arc.

    Args:
        readings: usable rows of the table EXPRESSIONS, of this scene.
        shots: table SHOTS.
        meant: intended shares; a line shows the detected share of the intended emotions.

    Returns:
        ``areas``: colour and path of each emotion, painted in this order; ``line``: the path of that line, empty
        without an intention; ``cuts``: positions of the cuts, 0..WIDTH.
    """
    time, shares = curves(readings, _POINTS)
    x = np.clip((time - start) / (end - start) * WIDTH, 0, WIDTH).round()
    y = (HEIGHT - np.cumsum(shares, axis=1) * HEIGHT / 100).round()
    areas = [
        {"colour": COLOURS[emotion], "path": _path(x, y[:, place]) + f"V{HEIGHT}H0Z"}
        for place, emotion in reversed(list(enumerate(EMOTIONS)))
        if len(time)
    ]
    begins = shots.loc[shots["transition"] != "start", "start"].to_numpy()
    cuts = begins[(begins > start + 1e-3) & (begins < end - 1e-3)]
    return {
        "areas": areas,
        "line": _line(x, shares, meant),
        "cuts": [round(float(at), 1) for at in (cuts - start) / (end - start) * WIDTH],
    }


def _line(x: np.ndarray, shares: np.ndarray, meant: Mapping[str, float]) -> str:
    """Draw the detected share of the intended emotions, interrupted at gaps."""
    parts = [place for place, emotion in enumerate(EMOTIONS) if meant.get(emotion)]
    if not parts:
        return ""
    seen = shares.sum(axis=1) > 0
    edges = np.flatnonzero(np.diff(np.r_[False, seen, False]))
    y = HEIGHT - shares[:, parts].sum(axis=1) * HEIGHT / 100
    return "".join(_path(x[a:b], y[a:b].round(), first="M") for a, b in zip(edges[::2], edges[1::2], strict=True))


def _path(x: np.ndarray, y: np.ndarray, first: str = "") -> str:
    """Write points as a path; an area begins at the lower left."""
    points = "L".join(f"{a:g} {b:g}" for a, b in zip(x.tolist(), y.tolist(), strict=True))
    return f"{first}{points}" if first else f"M0 {HEIGHT}L{points}"
