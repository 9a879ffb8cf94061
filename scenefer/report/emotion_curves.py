"""Shared by all drawings of a film: the colours of the emotions, the curves of its faces, the intentions, and ticks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from scenefer.analysis.expressions import counted, smooth
from scenefer.comparison.intentions import parse_intention
from scenefer.core.language import Language
from scenefer.core.scene import names_of
from scenefer.core.schema import EMOTIONS
from scenefer.report.formatting import percent, printable

if TYPE_CHECKING:
    import pandas as pd

    from scenefer.analysis.result import Analysis

# One colour per emotion, everywhere. Any two differ by 14 (CIEDE2000) or more for normal, protan, deutan and tritan
# vision (simulated after Machado et al. 2009), twice as much as in Okabe and Ito's palette. Even so, colours always
# come with words.
COLOURS = {
    "angry": "#A93A22",
    "disgust": "#6F9A4E",
    "fear": "#7F45B0",
    "happy": "#F5C13B",
    "sad": "#6791F2",
    "surprise": "#93DBE0",
    "neutral": "#86848C",
}


def labels(shares: Mapping[str, float], language: Language) -> list[dict[str, str]]:
    """Write an intention, shares of emotions that sum to 1, as words with their colours and percentages."""
    return [
        {"word": language.emotion(emotion), "colour": COLOURS[emotion], "percent": percent(100 * share, language)}
        for emotion, share in shares.items()
    ]


INK, PAPER = "#141416", "#FFFFFF"

_POINTS = 1500  # approximate number per curve: more than a screen can show
_BINS = 240  # number for a long film that is seen as a whole
_NOTHING = np.zeros(len(EMOTIONS))


def ink_on(colour: str) -> str:
    """Choose dark or white text, whichever is more legible on a colour (relative luminance, WCAG 2.2); all #RRGGBB."""
    red, green, blue = (int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5))
    linear = [((c + 0.055) / 1.055) ** 2.4 if c > 0.04 else c / 12.92 for c in (red, green, blue)]
    return INK if 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] > 0.18 else PAPER


def curves(expressions: pd.DataFrame, points: int = _POINTS) -> tuple[np.ndarray, np.ndarray]:
    """Average the smoothed faces at every moment; return times (N,) seconds and shares (N, 7) percent, zero in gaps.

    Args:
        points: approximate number per curve; if there are more moments, neighbours are averaged.
    """
    smoothed = smooth(expressions.loc[counted(expressions)])
    if not len(smoothed):
        return np.zeros(0), np.zeros((0, len(EMOTIONS)))
    moments = smoothed.groupby("time")
    time = moments["weight"].first().index.to_numpy(np.float64)
    until = time + moments["weight"].max().to_numpy()
    shot = moments["shot"].first().to_numpy()
    shares = 100 * moments[list(EMOTIONS)].mean().to_numpy(np.float64)
    # A run continues as long as each moment lasts until the next one, in the same shot.
    begins = np.flatnonzero(np.r_[True, (time[1:] - until[:-1] > 1e-3) | (shot[1:] != shot[:-1])])
    block = max(1, round(len(time) / points))
    times, values = [], []
    for begin, end in zip(begins, [*begins[1:], len(time)], strict=True):
        edges = np.arange(begin, end, block)
        means = np.add.reduceat(shares[:end], edges, axis=0) / np.diff(np.append(edges, end))[:, None]
        # A run rises from zero at its first moment and falls back at the end of its last, so gaps between runs are
        # blank.
        times += [time[begin], *time[edges], until[end - 1], until[end - 1]]
        values += [_NOTHING, *means, means[-1], _NOTHING]
    return np.array(times), np.array(values)


def coarse_curves(
    expressions: pd.DataFrame, end: float, meant: Mapping[int, Mapping[str, float]], bins: int = _BINS
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Average all faces in each of ``bins`` equal parts of a film, across cuts, for showing a long film as a whole.

    Args:
        end: end of the film, seconds.
        meant: intended shares by scene.

    Returns:
        Times (N,) seconds; shares (N, 7) percent, zero in gaps; and (N,) percent, the detected share of the emotions
        intended for each face's own scene, NaN in gaps and where nothing was intended.
    """
    faces = expressions.loc[counted(expressions)]
    place = np.clip((faces["time"].to_numpy() / end * bins).astype(int), 0, bins - 1)
    weight = faces["weight"].to_numpy()
    read = faces[list(EMOTIONS)].to_numpy(np.float64)
    parts = {scene: [bool(of.get(emotion)) for emotion in EMOTIONS] for scene, of in meant.items()}
    nothing = [False] * len(EMOTIONS)
    wanted = np.array([parts.get(scene, nothing) for scene in faces["scene"].fillna(-1)], bool).reshape(read.shape)
    told = wanted.any(axis=1)
    mass = np.stack([np.bincount(place, weight * column, bins) for column in read.T], axis=1)
    whole, known = np.bincount(place, weight, bins), np.bincount(place, weight * told, bins)
    shown = np.bincount(place, weight * (read * wanted).sum(axis=1), bins)
    shares = 100 * np.divide(mass, whole[:, None], out=np.zeros_like(mass), where=whole[:, None] > 0)
    intended = 100 * np.divide(shown, known, out=np.full(bins, np.nan), where=known > 0)
    edges = np.flatnonzero(np.diff(np.r_[False, whole > 0, False]))
    times, values, line = [], [], []
    step = end / bins
    for begin, stop in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        # A run rises from zero at its start and falls back at its end, so gaps between runs are blank.
        times += [begin * step, begin * step, *((np.arange(begin, stop) + 0.5) * step), stop * step, stop * step]
        values += [_NOTHING, shares[begin], *shares[begin:stop], shares[stop - 1], _NOTHING]
        line += [np.nan, intended[begin], *intended[begin:stop], intended[stop - 1], np.nan]
    return np.array(times), np.array(values).reshape(-1, len(EMOTIONS)), np.array(line)


def intended_shares(analysis: Analysis) -> dict[int, dict[str, float]]:
    """Return the intended shares of each scene from the film's sheet, averaged over its characters."""
    sheet = analysis.sheet
    if sheet is None:
        return {}
    found: dict[int, dict[str, float]] = {}
    for scene, name in names_of(analysis.scenes).items():
        rows = sheet.loc[sheet["scene"].astype(str) == name, "intended"]
        read = [shares for text in rows if (shares := parse_intention(printable(text)))]
        for emotion, share in ((emotion, share) for shares in read for emotion, share in shares.items()):
            found.setdefault(scene, {})[emotion] = found.get(scene, {}).get(emotion, 0.0) + share / len(read)
    return found


def end_of(analysis: Analysis) -> float:
    """Return the end of the time axis, in seconds: the end of the film, or of the part that was read; at least 1."""
    return float(max([1.0, *analysis.shots["end"].tail(1), *analysis.scenes["end"].tail(1)]))


def ticks(end: float, start: float = 0.0) -> list[float]:
    """Return the round times (s) of a time axis from ``start`` to ``end``: at most thirteen."""
    steps = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 36000)
    step = next(step for step in steps if (end - start) / step <= 12)
    return [float(at) for at in np.arange(np.ceil(start / step - 1e-9) * step, end + 1e-9, step)]
