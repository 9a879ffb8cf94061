"""The arc inside a scene: how the detected expressions divide from its first to its last moment, and where it is cut.

Drawn as paths of an SVG that is part of the page: a film has a hundred of them, and each is read at one glance.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from scenefer.curves import COLOURS, curves
from scenefer.schema import EMOTIONS

if TYPE_CHECKING:
    import pandas as pd

_POINTS = 80  # of a curve, about
WIDTH, HEIGHT = 1000, 100  # units of the drawing, of which no fraction is written


def arc(
    readings: pd.DataFrame, shots: pd.DataFrame, start: float, end: float, meant: Mapping[str, float]
) -> dict[str, Any]:
    """Draw a scene's arc.

    Args:
        readings: usable rows of the table EXPRESSIONS, of this scene.
        shots: table SHOTS.
        meant: shares of what was intended; a line says how much of what is detected it makes up.

    Returns:
        ``areas``: colour and path of each emotion, painted in this order; ``line``: the path of what was intended,
        empty without one; ``cuts``: places of the cuts, 0..WIDTH.
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
    """Draw the share of what was intended, in one piece from gap to gap."""
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
