"""Figures for papers and slides, as PNG and SVG: the film's arc, intended beside detected, the confusion.

Sizes are those of a printed page: 180 mm wide, which is two columns, with type of 7 and 8 points.
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

from scenefer import comparison, files
from scenefer.curves import COLOURS, curves
from scenefer.intentions import parse_intention
from scenefer.language import ENGLISH, Language
from scenefer.report import words
from scenefer.schema import EMOTIONS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from scenefer.analysis import Analysis
    from scenefer.comparison import Comparison

_LOG = logging.getLogger(__name__)
_WIDTH = 180 / 25.4  # inches
_DPI = 300  # of the PNG, as journals ask for photographs and type in one picture
_ACROSS, _DOWN = 4, 6  # scenes on one plate
_INK, _SOFT, _LINE = "#1b1c1f", "#5c5a55", "#cfcac0"
_FONT = "DejaVu Sans"  # comes with matplotlib
_FALLBACKS = (  # for scenes that are named in scripts which it lacks
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
    "axes.edgecolor": _SOFT,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "text.color": _INK,
    "text.parse_math": False,  # a scene may be called "$$$"
    "svg.fonttype": "path",  # looks the same where the font is not installed
    "svg.hashsalt": "scenefer",  # the same run gives the same file
}


def write_plates(
    analysis: Analysis, compared: Comparison | None, folder: Path, language: Language = ENGLISH
) -> list[Path]:
    """Draw every plate that a run has something for, and write it as PNG and SVG.

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
            for suffix in (".png", ".svg"):
                written.append(_write(plate, folder / f"{name}{suffix}"))
    return written


def _fonts() -> list[str]:
    """Name the fonts to draw with, those to fall back on last, as far as they are installed."""
    installed = {font.name for font in font_manager.fontManager.ttflist}
    return [_FONT, *(name for name in _FALLBACKS if name in installed)]


def _lacking(names: Iterable[Any], fonts: Sequence[str]) -> str:
    """List the characters of names that no font has, as far as they fit a line."""
    known = {code for font in fonts for code in font_manager.get_font(font_manager.findfont(font)).get_charmap()}
    used = {character for name in names for character in words.printable(name)}
    return _shortened("".join(sorted(each for each in used if ord(each) not in known and not each.isspace())), 20)


def _plates(analysis: Analysis, compared: Comparison | None, language: Language) -> Iterator[tuple[str, Figure]]:
    if analysis.film.kind == "video":
        yield "film-arc", film_arc(analysis, language)
    scenes = analysis.scenes["scene"].tolist()
    pages = [scenes[first : first + _ACROSS * _DOWN] for first in range(0, len(scenes), _ACROSS * _DOWN)]
    for number, page in enumerate(pages, start=1):
        yield f"scenes-{number}" if len(pages) > 1 else "scenes", scene_bars(analysis, page, language)
    if compared is not None:
        yield "confusion", confusion(compared, language)


def film_arc(analysis: Analysis, language: Language = ENGLISH) -> Figure:
    """Draw how the detected expressions divide over film time, with the scenes, and above what each was to show."""
    end = float(max([1.0, *analysis.shots["end"].tail(1), *analysis.scenes["end"].tail(1)]))
    plate = Figure(figsize=(_WIDTH, 2.75), layout="constrained")
    axes = plate.add_subplot()
    time, shares = curves(analysis.expressions)
    axes.stackplot(time, shares.T, colors=[COLOURS[emotion] for emotion in EMOTIONS], linewidth=0)
    meant = _meant(analysis)
    for row, (scene, name, start, stop) in enumerate(_spans(analysis)):
        axes.add_patch(
            Rectangle((start, 0), stop - start, 100, color=_LINE, alpha=0.45 if row % 2 else 0.2, lw=0, zorder=0)
        )
        low = 103.0
        for emotion, share in meant.get(scene, {}).items():
            axes.add_patch(Rectangle((start, low), stop - start, 8 * share, color=COLOURS[emotion], lw=0))
            low += 8 * share
        _scene_label(axes, words.scene_name(name, language), start, stop, end)
    cuts = analysis.shots.loc[analysis.shots["transition"] != "start", "start"]
    axes.vlines(cuts, -5, -1, color=_SOFT, linewidth=0.5)
    axes.set(xlim=(0, end), ylim=(-5, 112 if meant else 104), yticks=[0, 50, 100])
    axes.set_yticklabels([words.percent(share, language) for share in (0, 50, 100)])
    ticks = _ticks(end)
    axes.set_xticks(ticks, [words.moment(at) for at in ticks])
    axes.set_xlabel(language.say("film time; ticks are cuts"))
    axes.set_ylabel(language.say("detected, share of usable faces"))
    _legend(plate, language)
    return plate


def scene_bars(analysis: Analysis, scenes: Sequence[int], language: Language = ENGLISH) -> Figure:
    """Draw what each scene was meant to show, as frames, beside what is detected, as bars with their 95 % intervals."""
    across = min(_ACROSS, len(scenes))
    down = -(-len(scenes) // across)
    plate = Figure(figsize=(_WIDTH, 0.3 + 1.5 * down), layout="constrained")
    meant = _meant(analysis)
    table = analysis.scene_emotions.loc[analysis.scene_emotions["view"] == "screen_time"]
    names = dict(zip(analysis.scenes["scene"].tolist(), analysis.scenes["name"], strict=True))
    for place, scene in enumerate(scenes):
        axes = plate.add_subplot(down, across, place + 1)
        rows = table.loc[table["scene"] == scene].set_index("emotion").loc[list(EMOTIONS)]
        axes.set_title(_shortened(words.scene_name(names[scene], language), 26), fontweight="bold")
        _bars(axes, rows, meant.get(scene, {}), language)
        axes.set_yticks(
            range(7), [language.emotion(emotion) for emotion in EMOTIONS] if place % across == 0 else [""] * 7
        )
        axes.set(xlim=(0, 100), ylim=(6.6, -0.6))
        axes.set_xticks(
            [0, 50, 100], ["0", "50", words.percent(100, language)] if place // across == down - 1 else [""] * 3
        )
        axes.tick_params(axis="y", length=0)
    plate.supxlabel(
        language.say("detected share of face-seconds; line: 95 % interval, dashed within one take; frame: intended"),
        fontsize=7,
    )
    return plate


def confusion(compared: Comparison, language: Language = ENGLISH) -> Figure:
    """Draw how often what was intended (rows) and what is detected most (columns) go together."""
    _, figures = comparison.headline(compared)
    counts = np.array(figures.confusion)
    names = [language.emotion(label) for label in figures.labels]
    plate = Figure(figsize=(88 / 25.4, 3.1), layout="constrained")
    axes = plate.add_subplot()
    axes.imshow(counts, cmap="Blues", vmin=0, vmax=1.6 * max(1, counts.max()))
    for row, column in zip(*np.nonzero(counts), strict=True):
        axes.text(column, row, str(counts[row, column]), ha="center", va="center", fontsize=8)
    for place in range(len(names)):
        axes.add_patch(Rectangle((place - 0.5, place - 0.5), 1, 1, fill=False, edgecolor=_SOFT, linewidth=0.8))
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
                (0, place - 0.44), 100 * meant[emotion], 0.88, fill=False, edgecolor=_INK, linewidth=0.7, clip_on=False
            )
            frame.set_linestyle((0, (3, 2)))
            axes.add_patch(frame)
    if rows["percent"].isna().any():
        axes.text(50, 3, language.say("too few faces"), ha="center", va="center", color=_SOFT)
        return
    percent, low, high = (rows[name].to_numpy(np.float64) for name in ("percent", "low", "high"))
    axes.barh(range(7), percent, height=0.6, color=[COLOURS[emotion] for emotion in EMOTIONS])
    within = bool(rows["n_shots"].iloc[0] < 3)
    axes.hlines(range(7), low, high, color=_INK, linewidth=0.8, linestyles=(0, (2, 1.2)) if within else "solid")
    axes.vlines(
        [*low, *high], np.tile(np.arange(7) - 0.18, 2), np.tile(np.arange(7) + 0.18, 2), color=_INK, linewidth=0.8
    )


def _meant(analysis: Analysis) -> dict[int, dict[str, float]]:
    """Return what each scene was to show: shares, averaged over its characters."""
    sheet = analysis.sheet
    if sheet is None:
        return {}
    found: dict[int, dict[str, float]] = {}
    for scene, name, _, _ in _spans(analysis):
        rows = sheet.loc[sheet["scene"].astype(str) == name, "intended"]
        read = [shares for text in rows if (shares := parse_intention(words.printable(text)))]
        for emotion, share in ((emotion, share) for shares in read for emotion, share in shares.items()):
            found.setdefault(scene, {})[emotion] = found.get(scene, {}).get(emotion, 0.0) + share / len(read)
    return found


def _spans(analysis: Analysis) -> Iterator[tuple[int, str, float, float]]:
    return analysis.scenes[["scene", "name", "start", "end"]].itertuples(index=False, name=None)


def _scene_label(axes: Axes, name: str, start: float, stop: float, end: float) -> None:
    room = int((stop - start) / end * 112)  # characters of 7 points, about
    if room >= 2:
        axes.annotate(
            _shortened(name, room),
            ((start + stop) / 2, 1.0),
            (0, 2),
            ("data", "axes fraction"),
            "offset points",
            ha="center",
            va="bottom",
            annotation_clip=False,
        )


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _ticks(end: float) -> list[float]:
    step = next(
        step for step in (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 36000) if end / step <= 12
    )
    return [float(at) for at in np.arange(0, end + 1e-9, step)]


def _legend(plate: Figure, language: Language) -> None:
    swatches = [Rectangle((0, 0), 1, 1, color=COLOURS[emotion]) for emotion in EMOTIONS]
    names = [language.emotion(emotion) for emotion in EMOTIONS]
    plate.legend(
        swatches, names, loc="outside lower center", ncols=7, frameon=False, handlelength=0.9, handleheight=0.9
    )


def _write(plate: Figure, path: Path) -> Path:
    """Write a plate, beside its place first, then renamed."""
    drawn = BytesIO()
    kind = path.suffix[1:]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)  # said once, by write_plates
        plate.savefig(drawn, format=kind, dpi=_DPI, metadata={"Date": None} if kind == "svg" else {"Software": None})
    files.write_result(path, drawn.getvalue(), "choose another --to")
    return path
