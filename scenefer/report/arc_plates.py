"""The film's arc as figures for papers: in rows of equal time, as many as the names of its scenes need to be read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.transforms import ScaledTranslation

from scenefer.analysis.edits import excluded
from scenefer.core.language import ENGLISH, Language
from scenefer.core.scene import Scene, scenes_of
from scenefer.core.schema import EMOTIONS
from scenefer.report import formatting
from scenefer.report.emotion_curves import COLOURS, curves, end_of, intended_shares, ticks
from scenefer.report.paper_style import HATCHED, LINE, SOFT, WIDTH, legend, room, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.transforms import Transform

    from scenefer.analysis.result import Analysis

_PLACES = 108  # of letters of 7 points across a row, about
_NAMED = 20  # scenes of a row at most that have a name
_ROWS = 4  # on one plate
_ROW = 1.75  # inches
_LONGEST = 26  # places of a slanted name
_SLANT = 45  # degrees
_APART = 1 / 38  # of a row's width between two slanted names: 12 points, so that their lines are 8.5 points apart


def film_arcs(analysis: Analysis, language: Language = ENGLISH) -> Iterator[Figure]:
    """Draw how the detected expressions divide over film time, with the scenes, and above what each was to show.

    All rows are of equal length in time; of a film with many scenes there are several, and several plates.
    """
    end = end_of(analysis)
    scenes = [scene._replace(name=formatting.scene_name(scene.name, language)) for scene in scenes_of(analysis.scenes)]
    rows = _rows(scenes, end)
    for first in range(0, len(rows), _ROWS):
        yield _plate(analysis, scenes, rows[first : first + _ROWS], language)


def _rows(scenes: Sequence[Scene], end: float) -> list[tuple[float, float]]:
    """Divide the film into equal times, few enough that no row has more names than can be read."""
    n = 1
    most = max(1, len(scenes))
    while n < most and max(np.histogram([scene.middle for scene in scenes], n, (0.0, end))[0]) > _NAMED:
        n += 1
    edges = np.linspace(0.0, end, n + 1).tolist()
    return list(pairwise(edges))


def _plate(
    analysis: Analysis, scenes: Sequence[Scene], rows: Sequence[tuple[float, float]], language: Language
) -> Figure:
    named = [[scene for scene in scenes if low <= scene.middle < high] for low, high in rows]
    slanted = [_need_slant(of_row, high - low) for of_row, (low, high) in zip(named, rows, strict=True)]
    longest = max([room(shortened(scene.name, _LONGEST)) for of_row in named for scene in of_row], default=0)
    height = 1.0 + sum(_ROW + is_slanted * 0.045 * longest for is_slanted in slanted)
    plate = Figure(figsize=(WIDTH, height), layout="constrained")
    time, shares = curves(analysis.expressions)
    meant, hatched = intended_shares(analysis), excluded(analysis.edits)
    for place, (low, high) in enumerate(rows):
        axes = plate.add_subplot(len(rows), 1, place + 1)
        axes.stackplot(time, shares.T, colors=[COLOURS[emotion] for emotion in EMOTIONS], linewidth=0)
        for row, scene in enumerate(scenes):
            _band(axes, scene, meant.get(scene.id, {}), 0.45 if row % 2 else 0.2)
        for start, stop in hatched:
            axes.add_patch(Rectangle((start, 0), stop - start, 100, **HATCHED))
        cuts = analysis.shots.loc[analysis.shots["transition"] != "start", "start"]
        axes.vlines(cuts[(cuts >= low) & (cuts <= high)], -5, -1, color=SOFT, linewidth=0.5)
        top = 112 if meant else 104
        axes.set(xlim=(low, high), ylim=(-5, top), yticks=[0, 50, 100])
        axes.set_yticklabels([formatting.percent(share, language) for share in (0, 50, 100)])
        marks = ticks(high, low)
        axes.set_xticks(marks, [formatting.moment(at) for at in marks])
        _names(axes, named[place], low, high, slanted[place])
    plate.supylabel(language.say("detected, share of usable faces"), fontsize=7)
    plate.axes[-1].set_xlabel(language.say("film time; ticks are cuts"))
    legend(plate, language, hatched=bool(hatched))
    return plate


def _band(axes: Axes, scene: Scene, meant: dict[str, float], alpha: float) -> None:
    length = scene.end - scene.start
    axes.add_patch(Rectangle((scene.start, 0), length, 100, color=LINE, alpha=alpha, lw=0, zorder=0))
    low = 103.0
    for emotion, share in meant.items():
        axes.add_patch(Rectangle((scene.start, low), length, 8 * share, color=COLOURS[emotion], lw=0))
        low += 8 * share


def _need_slant(scenes: Sequence[Scene], length: float) -> bool:
    """Tell whether a name of a row is wider than its scene."""
    return any(room(scene.name) + 1 > (scene.end - scene.start) / length * _PLACES for scene in scenes)


def _names(axes: Axes, scenes: Sequence[Scene], low: float, high: float, slanted: bool) -> None:
    """Write the names above a row: level where all fit, else slanted, moved apart, each with a line to its scene."""
    middles = [min(max(scene.middle, low), high) for scene in scenes]
    places = _apart(middles, low, high) if slanted else middles
    for scene, middle, place in zip(scenes, middles, places, strict=True):
        axes.annotate(
            shortened(scene.name, _LONGEST),
            (middle, 1.0),
            (place, 1.0),
            ("data", "axes fraction"),
            ("data", "axes fraction") if not slanted else _raised(axes),
            ha="left" if slanted else "center",
            va="bottom",
            rotation=_SLANT if slanted else 0,
            rotation_mode="anchor",
            arrowprops={"arrowstyle": "-", "lw": 0.4, "color": SOFT, "shrinkA": 0, "shrinkB": 0} if slanted else None,
            annotation_clip=False,
        )


def _raised(axes: Axes) -> Transform:
    """Return coordinates of a row's time and, upwards, of its height, eight points above it."""
    return axes.get_xaxis_transform() + ScaledTranslation(0, 8 / 72, axes.figure.dpi_scale_trans)


def _apart(middles: Sequence[float], low: float, high: float) -> list[float]:
    """Move names apart so that they do not touch: each as near to its scene as the others let it be."""
    step = (high - low) * _APART
    places: list[float] = []
    for middle in middles:
        places.append(max(middle, places[-1] + step) if places else middle)
    limit = high
    for k in reversed(range(len(places))):  # those that were pushed out come back
        places[k] = min(places[k], limit)
        limit = places[k] - step
    return places
