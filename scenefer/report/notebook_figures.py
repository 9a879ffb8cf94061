"""Plotly figures for notebooks: the film's arc, its scenes, and the confusion matrix of intended and detected.

They are the figures of the report and of papers, plus what the surrounding page would provide: titles, legends, and an
axis in minutes and seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from scenefer.analysis.scene_views import SCREEN_TIME
from scenefer.comparison import scene_comparison
from scenefer.comparison.verdicts import NO_EVIDENCE
from scenefer.core.scene import names_of
from scenefer.core.schema import EMOTIONS
from scenefer.report import plotly_arc
from scenefer.report.emotion_curves import COLOURS, end_of, intended_shares, ticks
from scenefer.report.formatting import moment, printable, scene_name

if TYPE_CHECKING:
    from scenefer.analysis.result import Analysis
    from scenefer.comparison.scene_comparison import Comparison

_ABOVE = 62  # px above a figure, for its title and scene names
_BELOW = 80  # px below, for times, axis title and legend
_ROW = 34  # px per scene
_LETTERS = 130  # number of letters that fit across the width of the arc


def arc(analysis: Analysis) -> go.Figure:
    """Draw the shares of the detected expressions over film time, with the intentions of scenes as a ribbon above."""
    end = end_of(analysis)
    drawn = plotly_arc.arc(analysis, end, intended_shares(analysis))
    figure = go.Figure(drawn["data"], drawn["layout"])
    marks = ticks(end)
    figure.update_xaxes(tickvals=marks, ticktext=[moment(at) for at in marks], title_text="film time; ticks are cuts")
    figure.update_yaxes(title_text="detected, % of usable faces")
    for name, start, stop, _ in drawn["scenes"]:
        room = int((stop - start) / end * _LETTERS)
        if room >= 2:
            text = name if len(name) <= room else name[: room - 1] + "…"
            place = {"x": (start + stop) / 2, "y": 1, "yref": "paper", "yanchor": "bottom", "showarrow": False}
            figure.add_annotation(text=_plain(text), font_size=11, **place)
    # The legend has the areas and what was excluded. Areas are painted from the last emotion to the first: "reversed".
    figure.for_each_trace(lambda trace: trace.update(showlegend=trace.fill in ("tozeroy", "toself")))
    figure.update_layout(showlegend=True, legend_traceorder="reversed")
    return _finish(figure, f"{analysis.film.path.name}: detected facial expressions", drawn["height"] + _BELOW)


def scenes(analysis: Analysis) -> go.Figure:
    """Draw one bar per scene: its percentages by screen time, with their intervals on hover."""
    table = analysis.scene_emotions.loc[analysis.scene_emotions["view"] == SCREEN_TIME]
    names = {scene: scene_name(name) for scene, name in names_of(analysis.scenes).items()}
    meant = intended_shares(analysis)
    labels = [f"{_plain(name)}{_intended(meant.get(scene, {}))}" for scene, name in names.items()]
    figure = go.Figure()
    for emotion in EMOTIONS:
        rows = table.loc[table["emotion"] == emotion].set_index("scene").reindex(list(names))
        figure.add_bar(
            name=emotion,
            orientation="h",
            y=list(range(len(names))),
            x=rows["percent"],
            customdata=rows[["low", "high", "evidence"]],
            marker={"color": COLOURS[emotion], "line": {"width": 0}},
            hovertemplate=f"{emotion} %{{x:.0f}} %, 95 % interval %{{customdata[0]:.0f}}–%{{customdata[1]:.0f}}, "
            "%{customdata[2]}<extra></extra>",
        )
    for row, scene in enumerate(names):
        if table.loc[table["scene"] == scene, "percent"].isna().all():
            figure.add_annotation(x=50, y=row, text=NO_EVIDENCE, showarrow=False)
    figure.update_layout(barmode="stack", legend_traceorder="normal")
    figure.update_xaxes(range=[0, 100], title_text="detected, % of face-seconds")
    figure.update_yaxes(tickvals=list(range(len(names))), ticktext=labels, autorange="reversed", automargin=True)
    return _finish(figure, f"{analysis.film.path.name}: scenes", _ABOVE + _BELOW + _ROW * max(1, len(names)))


def confusion(compared: Comparison) -> go.Figure:
    """Draw how often each intended emotion (rows) occurs with each largest detected one (columns)."""
    _, figures = scene_comparison.headline(compared)
    counts, labels = np.array(figures.confusion), list(figures.labels)
    figure = go.Figure(
        go.Heatmap(
            z=counts,
            x=labels,
            y=labels,
            text=np.where(counts > 0, counts.astype(str), ""),
            texttemplate="%{text}",
            colorscale="Blues",
            zmin=0,
            zmax=1.6 * max(1, counts.max()),
            showscale=False,
            xgap=1,
            ygap=1,
            hovertemplate="intended %{y}, detected %{x}: %{z}<extra></extra>",
        )
    )
    figure.update_xaxes(title_text="largest detected share", showgrid=False, constrain="domain")
    figure.update_yaxes(title_text="intended", showgrid=False, autorange="reversed", scaleanchor="x")
    return _finish(figure, "Intended and detected", 480)


def _intended(shares: dict[str, float]) -> str:
    words = [emotion if share == 1 else f"{emotion} {100 * share:.0f} %" for emotion, share in shares.items()]
    return f"<br><i>intended: {', '.join(words)}</i>" if words else ""


def _plain(text: str) -> str:
    """Escape a text that plotly would otherwise interpret as markup."""
    return printable(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _finish(figure: go.Figure, title: str, height: int) -> go.Figure:
    return figure.update_layout(
        template="plotly_white",
        title_text=_plain(title),
        height=height,
        margin={"l": 70, "r": 20, "t": _ABOVE, "b": _BELOW},
        font={"family": "Open Sans, Verdana, Arial, sans-serif", "size": 12},
        legend={"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom"},
    )
