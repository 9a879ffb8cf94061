"""The film once more, with what was read drawn in: boxes, labels, and how the expressions divide at each moment.

overlay(film, analysis, to)   frames ─▶ courses.py: who is where, and reads as what ─▶ drawn here ─▶ video/writing.py
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from scenefer import video
from scenefer.courses import Course, Now, Shares, courses
from scenefer.curves import COLOURS
from scenefer.errors import FilmError, OutputError, PlanError, printable
from scenefer.film import Film, Span, clock
from scenefer.language import ENGLISH, Language
from scenefer.report.people import label
from scenefer.report.words import WHY_NOT, percent, scene_name
from scenefer.schema import EMOTIONS
from scenefer.video.writing import write_film

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

    from scenefer.analysis import Analysis

_Rgb = tuple[int, int, int]

_WHOLE = Span(0.0, float("inf"))
_FASTEST = Fraction(120)  # pictures a second; what a film declares beyond it is no rate
_GREY = (150, 148, 156)
_INK, _PALE, _PAPER = (20, 20, 22), (205, 203, 208), (255, 255, 255)
_SHADE = 0.66  # of the panel over the picture


def overlay(
    film: Film,
    analysis: Analysis,
    to: Path,
    span: Span = _WHOLE,
    language: Language = ENGLISH,
    progress: Callable[[float], None] = lambda reached: None,
) -> None:
    """Write a film, or a part of it, as MP4 with its faces and their detected expressions drawn in; sound is kept.

    Boxes are interpolated between the samples of a track, and expressions smoothed inside it, for the eye alone.

    Args:
        progress: told the film time that was reached, in seconds.

    Raises:
        FilmError: the film is not the one that was analysed, is no moving picture, or cannot be read.
        OutputError, PlanError: the file cannot be written, or is none of a kind that is written.
    """
    _check(film, analysis, to)
    rate = min(film.frame_rate, _FASTEST)
    painter = _Painter(analysis, language)
    frames = video.frames(film, span, sample_rate=None)
    # A declared end is that of the picture; any other may be that of its sound.
    end = min(span.end, film.duration) if film.duration is not None and film.end_declared else span.start
    drawn = (painter.draw(pixels, time) for time, pixels in _steady(frames, rate, Span(span.start, end), progress))
    write_film(drawn, rate, film, span, to)


def _check(film: Film, analysis: Analysis, to: Path) -> None:
    if film.kind != "video":
        raise FilmError(f"{printable(film.path)} does not move; its faces are shown in the report")
    if film.id != analysis.film.id:
        raise FilmError(
            f"{printable(film.path)} (id {film.id}) is not the film that was analysed, {analysis.film.path.name} "
            f"(id {analysis.film.id}), or has changed since; analyse it again"
        )
    if to.suffix.lower() != ".mp4":
        raise PlanError(f"{to}: an overlay is written as MP4; name it *.mp4")
    if to.exists() and to.samefile(film.path):
        raise OutputError(f"{to} is the film itself; choose another --to")


def _steady(
    frames: Iterable[video.Frame], rate: Fraction, span: Span, progress: Callable[[float], None]
) -> Iterator[tuple[float, np.ndarray]]:
    """Repeat and leave out frames so that they follow one another at a constant rate, within half a picture.

    What was shown before the span is shown until its first frame, and the last one is held to its end.
    """
    shown: tuple[float, np.ndarray] | None = None
    n_written = 0
    for frame in frames:
        if frame.pixels is None:
            continue
        while shown is not None and span.start + (n_written + 0.5) / rate <= frame.time:
            yield shown
            n_written += 1
        shown = (frame.time, frame.pixels)
        progress(frame.time)
    if shown is None or shown[0] < span.start >= span.end:
        return
    while True:
        yield shown
        n_written += 1
        if span.start + (n_written + 0.5) / rate > span.end:
            return


class _Painter:
    """Draws what is known of a moment onto its frame; texts and colours stay the same from frame to frame."""

    def __init__(self, analysis: Analysis, language: Language):
        self._courses = courses(analysis)
        self._starts = np.array([course.start for course in self._courses])
        self._ends = np.array([course.end for course in self._courses])
        self._shares = Shares(analysis)
        self._language = language
        self._scenes = [
            (start, end, int(scene), scene_name(name, language))
            for scene, name, start, end in analysis.scenes[["scene", "name", "start", "end"]].itertuples(index=False)
        ]
        self._words = [language.emotion(emotion) for emotion in EMOTIONS]

    def draw(self, pixels: np.ndarray, time: float) -> np.ndarray:
        """Return a frame (H, W, 3) uint8 with everything drawn in."""
        picture = pixels.copy()
        unit = float(np.clip(min(picture.shape[:2]) / 720, 0.4, 4.0))
        there = np.flatnonzero((self._starts <= time) & (time < self._ends))
        seen = [(course, course.at(time)) for course in (self._courses[place] for place in there)]
        for _, now in seen:
            _draw_box(picture, now, unit)
        for course, now in seen:
            self._label(picture, course, now, unit)
        self._panel(picture, time, [now for _, now in seen], unit)
        return picture

    def _label(self, picture: np.ndarray, course: Course, now: Now, unit: float) -> None:
        if now.shares is None:
            said, colour = self._language.say(WHY_NOT.get(now.why or "", now.why or "")), _GREY
        else:
            leader = int(now.shares.argmax())
            said, colour = f"{self._words[leader]} {percent(100 * now.shares[leader], self._language)}", _COLOUR[leader]
        who = "" if course.person is None else f" · {label(course.person, course.name, self._language)}"
        size, pad = round((19 if now.shares is not None else 14) * unit), round(6 * unit)
        text = _text(said + who, size, True, _on(colour))
        height, width = text.shape[0] + pad, text.shape[1] + 2 * pad
        left = int(np.clip(now.box[0], 0, max(0, picture.shape[1] - width)))
        above, below = now.box[1] - height - round(3 * unit), now.box[3] + round(3 * unit)
        top = int(above if above >= 0 else min(below, picture.shape[0] - height))
        _fill(picture, left, top, width, height, colour, 0.94)
        _paste(picture, text, left + pad, top + pad // 2)

    def _panel(self, picture: np.ndarray, time: float, seen: list[Now], unit: float) -> None:
        """Draw the seven shares at the lower left: of this moment as bars, of the scene so far as ticks."""
        scene = next((entry for entry in self._scenes if entry[0] <= time < entry[1]), None)
        usable = [now.shares for now in seen if now.shares is not None]
        moment = np.mean(usable, axis=0) if usable else None
        so_far = self._shares.until(time, scene[2]) if scene else None
        row, gap, edge = round(23 * unit), round(14 * unit), round(20 * unit)
        names = [_text(word, round(15 * unit), False, _PAPER) for word in self._words]
        name, bar, number = max(text.shape[1] for text in names), round(140 * unit), round(48 * unit)
        width, height = 2 * gap + name + gap + bar + number, 2 * gap + round(48 * unit) + 7 * row
        left, top = edge, max(0, picture.shape[0] - edge - height)
        _fill(picture, left, top, width, height, _INK, _SHADE)
        head = scene[3] if scene else "–"
        _paste(picture, _text(head, round(18 * unit), True, _PAPER, width - 2 * gap), left + gap, top + gap)
        at = clock(time)[:-2].replace(".", self._language.decimal_mark)
        about = _text(f"{at}  {self._note(moment, so_far)}", round(13 * unit), False, _PALE, width - 2 * gap)
        _paste(picture, about, left + gap, top + gap + round(25 * unit))
        begin, first = left + gap + name + gap, top + gap + round(48 * unit)
        for place, text in enumerate(names):
            y = first + place * row
            _paste(picture, text, left + gap, y + (row - text.shape[0]) // 2)
            share = 0.0 if moment is None else float(moment[place])
            mark = None if so_far is None else float(so_far[place])
            _draw_bar(picture, (begin, y + round(5 * unit), bar, row - round(10 * unit)), _COLOUR[place], share, mark)
            if moment is not None:
                said = _text(percent(100 * share, self._language), round(14 * unit), True, _PAPER)
                _paste(picture, said, left + width - gap - said.shape[1], y + (row - said.shape[0]) // 2)

    def _note(self, moment: np.ndarray | None, so_far: np.ndarray | None) -> str:
        if moment is None:
            return self._language.say("no usable face")
        return self._language.say("bar: now; tick: so far") if so_far is not None else self._language.say("now")


def _rgb(colour: str) -> _Rgb:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


_COLOUR = tuple(_rgb(COLOURS[emotion]) for emotion in EMOTIONS)


def _on(colour: _Rgb) -> _Rgb:
    """Choose black or white, whichever is read better on a colour (relative luminance, WCAG 2.2)."""
    linear = [((c / 255 + 0.055) / 1.055) ** 2.4 if c > 10 else c / 255 / 12.92 for c in colour]
    return _INK if 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] > 0.18 else _PAPER


def _draw_box(picture: np.ndarray, now: Now, unit: float) -> None:
    x0, y0, x1, y1 = (round(edge) for edge in now.box.tolist())
    colour = _GREY if now.shares is None else _COLOUR[int(now.shares.argmax())]
    thick = max(1, round((3 if now.shares is not None else 1.5) * unit))
    cv2.rectangle(picture, (x0, y0), (x1, y1), _INK, thick + max(1, round(2 * unit)), cv2.LINE_AA)
    cv2.rectangle(picture, (x0, y0), (x1, y1), colour, thick, cv2.LINE_AA)


def _draw_bar(
    picture: np.ndarray, place: tuple[int, int, int, int], colour: _Rgb, share: float, mark: float | None
) -> None:
    """Draw a share (0..1) as a bar at left, top, width, height, and another one as a tick across it."""
    left, top, width, height = place
    cv2.rectangle(picture, (left, top), (left + width, top + height), (70, 69, 74), -1)
    if share > 0:
        cv2.rectangle(picture, (left, top), (left + round(width * share), top + height), colour, -1)
    if mark is not None:
        x, thick = left + round(width * mark), max(1, height // 6)
        cv2.rectangle(picture, (x, top - thick), (x + thick, top + height + thick), _PAPER, -1)


def _fill(picture: np.ndarray, left: int, top: int, width: int, height: int, colour: _Rgb, how: float) -> None:
    """Lay a colour over a part of the picture, ``how`` = 1 hides what is below."""
    part = picture[max(0, top) : top + height, max(0, left) : left + width]
    part[:] = (part * (1 - how) + np.array(colour) * how).astype(np.uint8)


def _paste(picture: np.ndarray, text: np.ndarray, left: int, top: int) -> None:
    """Lay a text (h, w, 4) uint8 over the picture; what reaches beyond its edges is cut off."""
    left, top = max(0, left), max(0, top)
    part = picture[top : top + text.shape[0], left : left + text.shape[1]]
    text = text[: part.shape[0], : part.shape[1]]
    alpha = text[:, :, 3:] / 255.0
    part[:] = (part * (1 - alpha) + text[:, :, :3] * alpha).astype(np.uint8)


@lru_cache(maxsize=2048)
def _text(said: str, size: int, bold: bool, colour: _Rgb, widest: int | None = None) -> np.ndarray:
    """Write one line, (h, w, 4) uint8 RGBA, as high for every text of one size; shortened to ``widest`` px."""
    from PIL import Image, ImageDraw

    font = _font(size, bold)
    said = " ".join(said.split())
    while widest is not None and len(said) > 1 and font.getlength(said) > widest:
        said = said[:-2].rstrip() + "…"
    ascent, descent = font.getmetrics()
    canvas = Image.new("RGBA", (max(1, round(font.getlength(said))), ascent + descent), (*colour, 0))
    ImageDraw.Draw(canvas).text((0, 0), said, font=font, fill=(*colour, 255))
    return np.asarray(canvas)


@lru_cache(maxsize=64)
def _font(size: int, bold: bool) -> FreeTypeFont:
    """Load DejaVu Sans, which matplotlib brings along: Latin, Greek, Cyrillic, Arabic and more."""
    from matplotlib import get_data_path
    from PIL import ImageFont

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(str(Path(get_data_path()) / "fonts" / "ttf" / name), max(8, size))
