"""Figures for papers and slides, as PNG, SVG and PDF: the film's arc, intended beside detected, the confusion.

Sizes fit a printed page: 180 mm wide (two columns), with 7 and 8 point type.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterable, Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib
import numpy as np
from matplotlib import font_manager
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from scenefer.comparison import scene_comparison
from scenefer.core import atomic
from scenefer.core.language import ENGLISH, Language
from scenefer.core.scene import names_of
from scenefer.core.schema import EMOTIONS
from scenefer.report import formatting
from scenefer.report.arc_plates import film_arcs
from scenefer.report.emotion_curves import COLOURS, intended_shares
from scenefer.report.figure_captions import caption
from scenefer.report.paper_style import INK, SOFT, WIDTH, shortened, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from scenefer.analysis.result import Analysis
    from scenefer.comparison.scene_comparison import Comparison

_LOG = logging.getLogger(__name__)
_DPI = 300  # for the PNG; journals require this for photographs combined with text
_ACROSS, _DOWN = 4, 6  # columns and rows of scenes per figure
_TITLE = 20  # places of a line of a scene's title
_UNDATED = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {"Software": None}}
_FONT = "DejaVu Sans"  # ships with matplotlib
_FALLBACKS = (  # for scene names in scripts that DejaVu Sans lacks
    *("Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans SC", "Source Han Sans SC", "WenQuanYi Micro Hei"),
    *("Droid Sans Fallback", "Microsoft YaHei", "Hiragino Sans GB", "Arial Unicode MS"),
    *("Noto Sans Devanagari", "Noto Sans Thai", "Noto Sans Tamil"),
)
_STYLE: dict[Any, Any] = {
    "font.family": _FONT,
    "font.size": 7,
    "axes.titlesize": 8,
    "axes.labelsize": 7,
    "axes.linewidth": 0.6,
    "axes.edgecolor": SOFT,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "hatch.linewidth": 0.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "text.color": INK,
    "text.parse_math": False,  # a scene may be named "$$$"
    "svg.fonttype": "path",  # text as paths: looks the same without the font
    "svg.hashsalt": "scenefer",  # makes the output reproducible
    "pdf.fonttype": 42,  # text stays text, in a form that journals take
}


def write_plates(
    analysis: Analysis, compared: Comparison | None, folder: Path, language: Language = ENGLISH
) -> list[Path]:
    """Draw every plate that a run has something for, and write it as PNG, SVG and PDF, with its caption as text.

    Returns:
        The files, in order.

    Raises:
        OutputError: a file cannot be written.
    """
    written: list[Path] = []
    fonts = _fonts()
    if lacking := _lacking(analysis.scenes["name"], fonts):
        _LOG.warning(
            "no font here has %s, in the names of scenes: boxes stand for them; install Noto Sans CJK, say", lacking
        )
    with matplotlib.rc_context({**_STYLE, "font.family": fonts}):
        for name, plate in _plates(analysis, compared, language):
            for suffix in (".png", ".svg", ".pdf"):
                written.append(_write(plate, folder / f"{name}{suffix}"))
            written.append(folder / f"{name}.txt")
            text = caption(name, analysis, language)
            atomic.write_result(written[-1], text.encode("utf-8", "replace"), "choose another --to")
    return written


def _fonts() -> list[str]:
    """Return the fonts to use, followed by the fallback fonts that are installed."""
    installed = {font.name for font in font_manager.fontManager.ttflist}
    return [_FONT, *(name for name in _FALLBACKS if name in installed)]


def _lacking(names: Iterable[Any], fonts: Sequence[str]) -> str:
    """Return the characters of names that no font has, cut to 20 characters."""
    known = {code for font in fonts for code in font_manager.get_font(font_manager.findfont(font)).get_charmap()}
    used = {character for name in names for character in formatting.printable(name)}
    return shortened("".join(sorted(each for each in used if ord(each) not in known and not each.isspace())), 20)


def _plates(analysis: Analysis, compared: Comparison | None, language: Language) -> Iterator[tuple[str, Figure]]:
    if analysis.film.kind == "video":
        yield from _numbered("film-arc", list(film_arcs(analysis, language)))
    scenes = analysis.scenes["scene"].tolist()
    pages = [scenes[first : first + _ACROSS * _DOWN] for first in range(0, len(scenes), _ACROSS * _DOWN)]
    yield from _numbered("scenes", [scene_bars(analysis, page, language) for page in pages])
    if compared is not None:
        yield "confusion", confusion(compared, language)


def _numbered(name: str, plates: Sequence[Figure]) -> Iterator[tuple[str, Figure]]:
    for number, plate in enumerate(plates, start=1):
        yield f"{name}-{number}" if len(plates) > 1 else name, plate


def scene_bars(analysis: Analysis, scenes: Sequence[int], language: Language = ENGLISH) -> Figure:
    """Draw each scene's intended shares as outlines, and the detected shares as bars with their 95 % intervals."""
    across = min(_ACROSS, len(scenes))
    down = -(-len(scenes) // across)
    plate = Figure(figsize=(WIDTH, 0.3 + 1.5 * down), layout="constrained")
    meant = intended_shares(analysis)
    table = analysis.scene_emotions.loc[analysis.scene_emotions["view"] == "screen_time"]
    names = names_of(analysis.scenes)
    for place, scene in enumerate(scenes):
        axes = plate.add_subplot(down, across, place + 1)
        rows = table.loc[table["scene"] == scene].set_index("emotion").loc[list(EMOTIONS)]
        axes.set_title(wrapped(formatting.scene_name(names[scene], language), _TITLE), fontweight="bold")
        _bars(axes, rows, meant.get(scene, {}), language)
        axes.set_yticks(
            range(7), [language.emotion(emotion) for emotion in EMOTIONS] if place % across == 0 else [""] * 7
        )
        axes.set(xlim=(0, 100), ylim=(6.6, -0.6))
        axes.set_xticks(
            [0, 50, 100], ["0", "50", formatting.percent(100, language)] if place // across == down - 1 else [""] * 3
        )
        axes.tick_params(axis="y", length=0)
    plate.supxlabel(
        language.say(
            "share of the time with usable faces; line: 95 % interval, dashed with fewer than three shots; "
            "frame: intended"
        ),
        fontsize=7,
    )
    return plate


def confusion(compared: Comparison, language: Language = ENGLISH) -> Figure:
    """Draw how often each intended emotion (rows) occurs with each largest detected one (columns)."""
    _, figures = scene_comparison.headline(compared)
    counts = np.array(figures.confusion)
    names = [language.emotion(label) for label in figures.labels]
    plate = Figure(figsize=(88 / 25.4, 3.1), layout="constrained")
    axes = plate.add_subplot()
    axes.imshow(counts, cmap="Blues", vmin=0, vmax=1.6 * max(1, counts.max()))
    for row, column in zip(*np.nonzero(counts), strict=True):
        axes.text(column, row, str(counts[row, column]), ha="center", va="center", fontsize=8)
    for place in range(len(names)):
        axes.add_patch(Rectangle((place - 0.5, place - 0.5), 1, 1, fill=False, edgecolor=SOFT, linewidth=0.8))
    axes.set_xticks(range(len(names)), names, rotation=40, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_xlabel(language.say("largest detected share"))
    axes.set_ylabel(language.say("intended"))
    return plate


def _bars(axes: Axes, rows: Any, meant: dict[str, float], language: Language) -> None:
    for place, emotion in enumerate(EMOTIONS):
        if emotion in meant:
            frame = Rectangle(
                (0, place - 0.44), 100 * meant[emotion], 0.88, fill=False, edgecolor=INK, linewidth=0.7, clip_on=False
            )
            frame.set_linestyle((0, (3, 2)))
            axes.add_patch(frame)
    if rows["percent"].isna().any():
        axes.text(50, 3, language.say("too few faces"), ha="center", va="center", color=SOFT)
        return
    percent, low, high = (rows[name].to_numpy(np.float64) for name in ("percent", "low", "high"))
    axes.barh(range(7), percent, height=0.6, color=[COLOURS[emotion] for emotion in EMOTIONS])
    within = bool(rows["n_shots"].iloc[0] < 3)
    axes.hlines(range(7), low, high, color=INK, linewidth=0.8, linestyles=(0, (2, 1.2)) if within else "solid")
    axes.vlines(
        [*low, *high], np.tile(np.arange(7) - 0.18, 2), np.tile(np.arange(7) + 0.18, 2), color=INK, linewidth=0.8
    )


def _write(plate: Figure, path: Path) -> Path:
    """Write a figure to a temporary file, then rename it."""
    drawn = BytesIO()
    kind = path.suffix[1:]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)  # write_plates warns once for all
        plate.savefig(drawn, format=kind, dpi=_DPI, metadata=_UNDATED[kind])
    atomic.write_result(path, drawn.getvalue(), "choose another --to")
    return path
