"""The tracks over film time, each a bar in the colour of its leading expression, as input for plotly.js."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from scenefer.core.language import ENGLISH, Language
from scenefer.core.schema import EMOTIONS
from scenefer.report import plotly_layout
from scenefer.report.emotion_curves import COLOURS
from scenefer.report.formatting import moment
from scenefer.report.plotly_layout import seconds

if TYPE_CHECKING:
    import pandas as pd

    from scenefer.analysis.result import Analysis

_LANES = 14  # maximum number of tracks drawn at one moment


def lanes(analysis: Analysis, leaders: dict[int, str], end: float, language: Language = ENGLISH) -> dict[str, Any]:
    """Draw every track as a bar over film time, in the colour of its leading expression.

    Args:
        leaders: the leading emotion of every track that has a usable face.
    """
    tracks = analysis.tracks
    lane = _free_lanes(tracks["start"].to_numpy(), tracks["end"].to_numpy())
    shown = lane < _LANES
    traces = []
    for emotion in (*EMOTIONS, None):
        rows = np.flatnonzero(np.array([leaders.get(track) == emotion for track in tracks["track"]], bool) & shown)
        some = tracks.iloc[rows]
        name = language.emotion(emotion) if emotion else language.say("no usable face")
        if len(some):
            traces.append(
                {
                    "type": "bar",
                    "orientation": "h",
                    "name": name,
                    "base": seconds(some["start"].to_numpy()),
                    "x": seconds(np.maximum((some["end"] - some["start"]).to_numpy(), end / 1000)),
                    "y": lane[rows].tolist(),
                    "width": 0.72,
                    "text": [_track_words(track, start, stop, language) for track, start, stop in _spans(some)],
                    "textposition": "none",
                    "marker": {"color": COLOURS.get(emotion or "", "rgba(134,132,140,0.25)"), "line": {"width": 0}},
                    "hovertemplate": f"%{{text}}<br>{name}<extra></extra>",
                }
            )
    n_lanes = int(lane[shown].max(initial=0)) + 1
    layout = plotly_layout.layout(end)
    layout["yaxis"] |= {"range": [n_lanes - 0.4, -0.6], "visible": False}
    height = 84 + 18 * n_lanes
    traces += plotly_layout.hatched(analysis, (n_lanes - 0.5, -0.5), language)
    layout |= {"barmode": "overlay", "hovermode": "closest", "shapes": plotly_layout.bands(analysis.scenes, height)}
    return {
        "data": traces,
        "layout": layout,
        "height": height,
        "scenes": plotly_layout.scene_labels(analysis.scenes, language),
        "meant": {},
    }


def _free_lanes(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Assign to every track, in order of start, the first free lane."""
    free_from: list[float] = []
    lane = np.zeros(len(start), np.int64)
    for row in np.argsort(start, kind="stable"):
        place = next((k for k, free in enumerate(free_from) if free < start[row]), len(free_from))
        free_from[place : place + 1] = [float(end[row])]
        lane[row] = place
    return lane


def _spans(tracks: pd.DataFrame) -> zip[tuple[int, float, float]]:
    return zip(tracks["track"], tracks["start"], tracks["end"], strict=True)


def _track_words(track: int, start: float, end: float, language: Language) -> str:
    span = f"{moment(start, True, language)}–{moment(end, True, language)}"
    return language.say("track {n}, {span}", n=track, span=span)
