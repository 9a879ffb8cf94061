"""The figures that need zooming, as plotly.js reads them: the film's arc, and the tracks over time.

They are plain dictionaries: the page draws them, and plotly's own package, which a test holds them against, need not be
installed to make a report. Colours of text and lines stand in style.css, so that light, dark and print differ there.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from scenefer.curves import COLOURS, curves
from scenefer.language import ENGLISH, Language
from scenefer.report.words import moment, percent, scene_name
from scenefer.schema import EMOTIONS

if TYPE_CHECKING:
    import pandas as pd

    from scenefer.analysis import Analysis

_LANES = 14  # tracks drawn at one moment
_ARC_HEIGHT, _ABOVE, _BELOW = 340, 26, 30  # px: of the arc, and of the margins for names above and times below
_RIBBON = 9.0  # height of the ribbon of intentions, on the scale of the shares


def arc(
    analysis: Analysis,
    end: float,
    meant: Mapping[int, Mapping[str, float]] = MappingProxyType({}),
    language: Language = ENGLISH,
) -> dict[str, Any]:
    """Draw how the detected expressions divide, over film time; blank where no face is usable.

    Args:
        meant: shares of what was intended, by scene; drawn as a ribbon above, and as a line over the areas: how much
            of what is detected it makes up.

    The curves are cumulated here and painted from the largest to the smallest, each filled down to zero, because plotly
    closes the gaps of what it stacks or fills itself.
    """
    time, shares = curves(analysis.expressions)
    cumulated = np.cumsum(shares, axis=1)
    seen = shares.sum(axis=1) > 0
    clock = {
        "type": "scatter",
        "mode": "none",
        "x": _seconds(time),
        "y": cumulated[:, -1].round(1).tolist(),
        "text": [moment(at, True, language) for at in time],
        "hovertemplate": "<b>%{text}</b><extra></extra>",
    }
    traces: list[dict[str, Any]] = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": language.emotion(emotion),
            "x": _seconds(time),
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
    cuts = analysis.shots.loc[analysis.shots["transition"] != "start"]
    traces.append(
        {
            "type": "scatter",
            "mode": "markers",
            "name": language.say("cut"),
            "x": _seconds(cuts["start"].to_numpy()),
            "y": [-4] * len(cuts),
            "marker": {"symbol": "line-ns-open", "size": 7, "color": "#86848C"},
            "hoverinfo": "skip",
        }
    )
    layout = _layout(end)
    layout["yaxis"] |= {"range": [-9, 100], "tickvals": [0, 50, 100], "ticktext": ["0", "50", percent(100, language)]}
    layout["hovermode"] = "x unified"
    layout["shapes"] = _bands(analysis.scenes, _ARC_HEIGHT)
    if any(meant.values()):
        layout["yaxis"]["range"] = [-9, 103 + _RIBBON]
        layout["shapes"] += _ribbon(analysis.scenes, meant)
        traces += _share_of_intended(analysis.scenes, time, shares, meant, language)
    scenes = _scenes(analysis.scenes, language)
    return {"data": [clock, *traces], "layout": layout, "height": _ARC_HEIGHT, "scenes": scenes}


def lanes(analysis: Analysis, leaders: dict[int, str], end: float, language: Language = ENGLISH) -> dict[str, Any]:
    """Draw every track as a bar over film time, in the colour of the expression that leads in it.

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
                    "base": _seconds(some["start"].to_numpy()),
                    "x": _seconds(np.maximum((some["end"] - some["start"]).to_numpy(), end / 1000)),
                    "y": lane[rows].tolist(),
                    "width": 0.72,
                    "text": [_track_words(track, start, stop, language) for track, start, stop in _spans(some)],
                    "textposition": "none",
                    "marker": {"color": COLOURS.get(emotion or "", "rgba(134,132,140,0.25)"), "line": {"width": 0}},
                    "hovertemplate": f"%{{text}}<br>{name}<extra></extra>",
                }
            )
    n_lanes = int(lane[shown].max(initial=0)) + 1
    layout = _layout(end)
    layout["yaxis"] |= {"range": [n_lanes - 0.4, -0.6], "visible": False}
    height = 84 + 18 * n_lanes
    layout |= {"barmode": "overlay", "hovermode": "closest", "shapes": _bands(analysis.scenes, height)}
    return {"data": traces, "layout": layout, "height": height, "scenes": _scenes(analysis.scenes, language)}


def _share_of_intended(
    scenes: pd.DataFrame,
    time: np.ndarray,
    shares: np.ndarray,
    meant: Mapping[int, Mapping[str, float]],
    language: Language,
) -> list[dict[str, Any]]:
    """Draw a line, on a wider one of the page's colour, of the detected share of what each moment was to show."""
    seen = shares.sum(axis=1) > 0
    x: list[float | None] = []
    y: list[float | None] = []
    for scene, start, end in scenes[["scene", "start", "end"]].itertuples(index=False):
        parts = [place for place, emotion in enumerate(EMOTIONS) if meant.get(int(scene), {}).get(emotion)]
        rows = np.flatnonzero((time >= start) & (time < end)) if parts else []
        for row in rows:
            x.append(round(float(time[row]), 3))
            y.append(round(float(shares[row, parts].sum()), 1) if seen[row] else None)
        x, y = [*x, None], [*y, None]  # what is intended changes here, so the line does not go on
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
    """Colour the span of each scene by what was intended; parts of a mixture lie one above the other."""
    shapes = []
    for scene, start, end in scenes[["scene", "start", "end"]].itertuples(index=False):
        low = 103.0
        for emotion, share in meant.get(int(scene), {}).items():
            shapes.append(
                {
                    "type": "rect",
                    "x0": float(start),
                    "x1": float(end),
                    "y0": low,
                    "y1": low + _RIBBON * share,
                    "fillcolor": COLOURS[emotion],
                    "line": {"width": 0},
                }
            )
            low += _RIBBON * share
    return shapes


def _layout(end: float) -> dict[str, Any]:
    # The page writes the ticks of the time axis: plotly has none in minutes and seconds that follow a zoom.
    return {
        "margin": {"l": 44, "r": 12, "t": _ABOVE, "b": _BELOW},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "showlegend": False,
        "dragmode": "zoom",
        "font": {"family": "inherit", "size": 12},
        "hoverlabel": {"bgcolor": "#1F2023", "bordercolor": "#5C5A55", "font": {"color": "#FFFFFF", "size": 13}},
        "xaxis": {
            "range": [0, end],
            "minallowed": 0,
            "maxallowed": end,
            "showgrid": False,
            "zeroline": False,
            "unifiedhovertitle": {"text": " "},
        },
        "yaxis": {"fixedrange": True, "zeroline": False, "showgrid": False},
        "annotations": [],
    }


def _bands(scenes: pd.DataFrame, height: int) -> list[dict[str, Any]]:
    """Lay a band under every scene, dark and light in turn, which reaches up behind the scene's name."""
    top = round(1 + (_ABOVE - 2) / (height - _ABOVE - _BELOW), 3)
    return [
        {
            "type": "rect",
            "xref": "x",
            "yref": "paper",
            "x0": float(start),
            "x1": float(end),
            "y0": 0,
            "y1": top,
            "layer": "below",
            "line": {"width": 0},
            "fillcolor": "#86848C",
            "opacity": 0.16 if row % 2 else 0.07,
        }
        for row, (start, end) in enumerate(zip(scenes["start"], scenes["end"], strict=True))
    ]


def _scenes(scenes: pd.DataFrame, language: Language) -> list[list[Any]]:
    """List name, begin, end (s) and id of every scene, for the page to label as there is room."""
    rows = zip(scenes["name"], scenes["start"], scenes["end"], scenes["scene"], strict=True)
    return [[scene_name(name, language), start, end, int(scene)] for name, start, end, scene in rows]


def _free_lanes(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Give every track, in order of its begin, the first lane that is free."""
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


def _seconds(times: np.ndarray) -> list[float]:
    return times.round(3).tolist()
