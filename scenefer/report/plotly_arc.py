"""The film's arc: the shares of the detected expressions over film time, as input for plotly.js."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from scenefer.core.language import ENGLISH, Language
from scenefer.core.scene import scenes_of
from scenefer.core.schema import EMOTIONS
from scenefer.core.timecode import exact_rate
from scenefer.report import plotly_layout
from scenefer.report.emotion_curves import COLOURS, coarse_curves, curves
from scenefer.report.formatting import moment, percent, scene_name
from scenefer.report.plotly_layout import seconds

if TYPE_CHECKING:
    import pandas as pd

    from scenefer.analysis.result import Analysis

_AT_ONCE = 1200.0  # seconds in view; beyond this, fine curves can no longer be distinguished
_COLUMNS = ("x", "y", "text")
_HEIGHT = 340  # px
_RIBBON_FROM, _RIBBON = 103.0, 9.0  # begin and height of the ribbon of intentions, on the scale of the shares


def arc(
    analysis: Analysis,
    end: float,
    meant: Mapping[int, Mapping[str, float]] = MappingProxyType({}),
    language: Language = ENGLISH,
) -> dict[str, Any]:
    """Draw the shares of the detected expressions over film time; blank where no face is usable.

    Args:
        meant: intended shares by scene; drawn as a ribbon above, and as a line over the areas that shows the detected
            share of the intended emotions.

    The curves are cumulated here and painted from the largest to the smallest, each filled down to zero, because plotly
    closes the gaps of what it stacks or fills itself.
    """
    time, shares = curves(analysis.expressions)
    traces = _areas(analysis, time, shares, language)
    cuts = analysis.shots.loc[analysis.shots["transition"] != "start"]
    traces.append(
        {
            "type": "scatter",
            "mode": "markers",
            "name": language.say("cut"),
            "x": seconds(cuts["start"].to_numpy()),
            "y": [-4] * len(cuts),
            "marker": {"symbol": "line-ns-open", "size": 7, "color": "#86848C"},
            "hoverinfo": "skip",
        }
    )
    layout = plotly_layout.layout(end)
    layout["yaxis"] |= {"range": [-9, 100], "tickvals": [0, 50, 100], "ticktext": ["0", "50", percent(100, language)]}
    layout["hovermode"] = "x unified"
    layout["shapes"] = plotly_layout.bands(analysis.scenes, _HEIGHT)
    if any(meant.values()):
        layout["yaxis"]["range"] = [-9, _RIBBON_FROM + _RIBBON]
        layout["shapes"] += _ribbon(analysis.scenes, meant)
        traces += _share_of_intended(analysis.scenes, time, shares, meant, language)
    traces += plotly_layout.hatched(analysis, (0, 100), language)
    return {
        "data": traces,
        "layout": layout,
        "height": _HEIGHT,
        "scenes": plotly_layout.scene_labels(analysis.scenes, language),
        "meant": {scene: [[COLOURS[name], share] for name, share in of.items()] for scene, of in meant.items() if of},
        "ribbon": [_RIBBON_FROM, _RIBBON],
        "coarse": _coarse(analysis, end, meant, language) if end > _AT_ONCE else None,
    }


def _areas(analysis: Analysis, time: np.ndarray, shares: np.ndarray, language: Language) -> list[dict[str, Any]]:
    """Draw an invisible trace for the hover label of a moment, then one area per emotion, the largest sum first."""
    cumulated = np.cumsum(shares, axis=1)
    seen = shares.sum(axis=1) > 0
    clock = {
        "type": "scatter",
        "mode": "none",
        "x": seconds(time),
        "y": cumulated[:, -1].round(1).tolist(),
        "text": _moments(analysis, time, language),
        "hovertemplate": "<b>%{text}</b><extra></extra>",
    }
    return [clock] + [
        {
            "type": "scatter",
            "mode": "lines",
            "name": language.emotion(emotion),
            "x": seconds(time),
            "y": cumulated[:, place].round(1).tolist(),
            "text": [
                percent(share, language) if seen else "–" for share, seen in zip(shares[:, place], seen, strict=True)
            ],
            "fill": "tozeroy",
            "fillcolor": COLOURS[emotion],
            "line": {"color": COLOURS[emotion], "width": 0},
            "hovertemplate": f"%{{text}} {language.emotion(emotion)}<extra></extra>",
        }
        for place, emotion in reversed(list(enumerate(EMOTIONS)))
    ]


def _moments(analysis: Analysis, times: np.ndarray, language: Language) -> list[str]:
    """Label moments (N,) with time, frame and scene; the film's first frame is number 0."""
    shown = analysis.frames["time"].to_numpy()
    rate = exact_rate(analysis.film.frame_rate)
    before = round((float(shown[0]) - analysis.begins) * rate) if len(shown) else 0  # frames before the part read
    frames = before + np.maximum(np.searchsorted(shown, times + 1e-3, side="right") - 1, 0)
    begins = analysis.scenes["start"].to_numpy()
    places = np.searchsorted(begins, times + 1e-6, side="right") - 1
    ends = analysis.scenes["end"].to_numpy()
    names = [
        scene_name(analysis.scenes["name"].iloc[place], language) if place >= 0 and at < ends[place] else ""
        for place, at in zip(places, times, strict=True)
    ]
    return [
        " · ".join(filter(None, (moment(at, True, language), language.say("frame {n}", n=int(frame)), name)))
        for at, frame, name in zip(times, frames, names, strict=True)
    ]


def _coarse(
    analysis: Analysis, end: float, meant: Mapping[int, Mapping[str, float]], language: Language
) -> dict[str, Any]:
    """Draw coarse versions of the curves, without cuts, for when too much of the film is in view for fine ones.

    Returns:
        ``beyond``: they are drawn if more seconds than this are in view; ``columns``: x, y and text of each trace of
        the arc.
    """
    time, shares, wanted = coarse_curves(analysis.expressions, end, meant)
    columns = [{name: trace[name] for name in _COLUMNS} for trace in _areas(analysis, time, shares, language)]
    columns.append({"x": [], "y": [], "text": []})  # no cuts
    if any(meant.values()):
        share = [None if math.isnan(value) else round(value, 1) for value in wanted.tolist()]
        said = [None if value is None else percent(value, language) for value in share]
        columns += [{"x": seconds(time), "y": share, "text": said}] * 2
    columns += [
        {"x": trace["x"], "y": trace["y"], "text": []} for trace in plotly_layout.hatched(analysis, (0, 100), language)
    ]
    return {"beyond": _AT_ONCE, "columns": {name: [trace[name] for trace in columns] for name in _COLUMNS}}


def _share_of_intended(
    scenes: pd.DataFrame,
    time: np.ndarray,
    shares: np.ndarray,
    meant: Mapping[int, Mapping[str, float]],
    language: Language,
) -> list[dict[str, Any]]:
    """Draw the detected share of the intended emotions as a line, on top of a wider line in the page's colour."""
    seen = shares.sum(axis=1) > 0
    x: list[float | None] = []
    y: list[float | None] = []
    for scene in scenes_of(scenes):
        parts = [place for place, emotion in enumerate(EMOTIONS) if meant.get(scene.id, {}).get(emotion)]
        rows = np.flatnonzero((time >= scene.start) & (time < scene.end)) if parts else []
        for row in rows:
            x.append(round(float(time[row]), 3))
            y.append(round(float(shares[row, parts].sum()), 1) if seen[row] else None)
        x, y = [*x, None], [*y, None]  # the intention changes here, so the line is interrupted
    line = {
        "type": "scatter",
        "mode": "lines",
        "name": language.say("share of what was intended"),
        "x": x,
        "y": y,
        "connectgaps": False,
        "hoverinfo": "skip",
    }
    halo = {**line, "line": {"color": "#FFFFFF", "width": 5}}
    text = [None if share is None else percent(share, language) for share in y]
    said = f"<b>%{{text}} {line['name']}</b><extra></extra>"
    drawn = {**line, "line": {"color": "#1B1C1F", "width": 2}, "text": text, "hovertemplate": said}
    del drawn["hoverinfo"]
    return [halo, drawn]


def _ribbon(scenes: pd.DataFrame, meant: Mapping[int, Mapping[str, float]]) -> list[dict[str, Any]]:
    """Colour the span of each scene by what was intended; the parts of a mixture are stacked."""
    shapes = []
    for scene in scenes_of(scenes):
        low = _RIBBON_FROM
        for emotion, share in meant.get(scene.id, {}).items():
            shapes.append(
                {
                    "type": "rect",
                    "x0": scene.start,
                    "x1": scene.end,
                    "y0": low,
                    "y1": low + _RIBBON * share,
                    "fillcolor": COLOURS[emotion],
                    "line": {"width": 0},
                }
            )
            low += _RIBBON * share
    return shapes
