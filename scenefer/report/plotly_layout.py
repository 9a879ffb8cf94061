"""What the zoomable figures have in common: their axes and margins, and the scenes behind them.

The figures are plain dictionaries that the page draws by plotly.js. So a report can be made without the plotly package;
a test validates them with it. Colours of text and lines are in style.css, because they differ in light mode, dark mode
and print.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scenefer.analysis.edits import excluded
from scenefer.core.language import Language
from scenefer.core.scene import scenes_of
from scenefer.report.formatting import scene_name

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from scenefer.analysis.result import Analysis

ABOVE, BELOW = 26, 30  # px: margins for names above and times below


def layout(end: float) -> dict[str, Any]:
    """Lay out a figure over film time, from 0 to ``end`` seconds."""
    # The page writes the ticks of the time axis: plotly has none in minutes and seconds that follow a zoom.
    return {
        "margin": {"l": 44, "r": 12, "t": ABOVE, "b": BELOW},
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


def bands(scenes: pd.DataFrame, height: int) -> list[dict[str, Any]]:
    """Draw a band behind every scene, alternately dark and light, that extends up behind the scene's name."""
    top = round(1 + (ABOVE - 2) / (height - ABOVE - BELOW), 3)
    return [
        {
            "type": "rect",
            "xref": "x",
            "yref": "paper",
            "x0": scene.start,
            "x1": scene.end,
            "y0": 0,
            "y1": top,
            "layer": "below",
            "line": {"width": 0},
            "fillcolor": "#86848C",
            "opacity": 0.16 if row % 2 else 0.07,
        }
        for row, scene in enumerate(scenes_of(scenes))
    ]


def scene_labels(scenes: pd.DataFrame, language: Language) -> list[list[Any]]:
    """List the name, start, end (s) and id of every scene; the page labels them where there is room."""
    return [[scene_name(scene.name, language), scene.start, scene.end, scene.id] for scene in scenes_of(scenes)]


def seconds(times: np.ndarray) -> list[float]:
    """Round moments to milliseconds, which no zoom tells apart."""
    return times.round(3).tolist()


def hatched(analysis: Analysis, height: tuple[float, float], language: Language) -> list[dict[str, Any]]:
    """Hatch what was excluded by hand, from one height to the other: one trace, none where nothing was."""
    low, high = height
    spans = [(round(start, 3), round(end, 3)) for start, end in excluded(analysis.edits)]
    if not spans:
        return []
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "name": language.say("excluded by hand"),
            "x": [x for start, end in spans for x in (start, start, end, end, start, None)],
            "y": [y for _ in spans for y in (low, high, high, low, low, None)],
            "fill": "toself",
            "fillpattern": {"shape": "/", "size": 7, "solidity": 0.22, "fgcolor": "#86848C"},
            "fillcolor": "#86848C",
            "line": {"width": 1, "color": "#86848C"},
            "hoverinfo": "skip",
        }
    ]
