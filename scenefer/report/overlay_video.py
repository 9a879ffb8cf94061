"""A copy of the film with the results drawn in: boxes, labels, and the shares of the expressions at each moment.

overlay(film, analysis, to)   frames ─▶ track_timelines.py: who is where, and reads as what ─▶ drawn here
                                     ─▶ video/writing.py
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from scenefer import video
from scenefer.comparison.intentions import parse_intention
from scenefer.comparison.scene_comparison import Comparison, headline
from scenefer.comparison.wording import verdict_words
from scenefer.core.errors import FilmError
from scenefer.core.film import WHOLE, Film, Span, clock
from scenefer.core.language import ENGLISH, Language
from scenefer.core.scene import scenes_of
from scenefer.core.schema import EMOTIONS
from scenefer.core.tables import rows_of
from scenefer.core.text import printable
from scenefer.report import lettering
from scenefer.report.emotion_curves import COLOURS, INK, PAPER, ink_on
from scenefer.report.formatting import WHY_NOT, percent, scene_name
from scenefer.report.people import label
from scenefer.report.track_timelines import Course, Now, Shares, courses
from scenefer.video.writing import check_target, write_film

if TYPE_CHECKING:
    from scenefer.analysis.result import Analysis

_Rgb = tuple[int, int, int]

_FASTEST = Fraction(120)  # pictures per second; a higher declared rate is not plausible
_GREY = (150, 148, 156)
_PALE = (205, 203, 208)
_SHADE = 0.66  # of the panel over the picture


def overlay(
    film: Film,
    analysis: Analysis,
    to: Path,
    span: Span = WHOLE,
    language: Language = ENGLISH,
    progress: Callable[[float], None] = lambda reached: None,
    compared: Comparison | None = None,
) -> None:
    """Write a film, or a part of it, as MP4 with its faces and their detected expressions drawn in; sound is kept.

    Boxes are interpolated between the samples of a track, and expressions are smoothed within it, for display only.

    Args:
        progress: called with the film time reached, in seconds.
        compared: intended against detected, written into the panel of each scene.

    Raises:
        FilmError: the film is not the one that was analysed, is no moving picture, or cannot be read.
        OutputError, PlanError: the file cannot be written, or its format is not supported.
    """
    _check(film, analysis, to)
    rate = min(film.frame_rate, _FASTEST)
    painter = _Painter(analysis, language, compared)
    frames = video.frames(film, span, sample_rate=None)
    # A declared end is that of the video; any other may be the end of the audio.
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
    check_target(to, film)


def _steady(
    frames: Iterable[video.Frame], rate: Fraction, span: Span, progress: Callable[[float], None]
) -> Iterator[tuple[float, np.ndarray]]:
    """Repeat and drop frames to get a constant rate, accurate to half a frame.

    The frame shown before the span is held until the span's first frame; before the film's first frame the picture is
    black; the last frame is held to the end of the span.
    """
    shown: tuple[float, np.ndarray] | None = None
    n_written = 0
    for frame in frames:
        if frame.pixels is None:
            continue
        if shown is None and frame.time >= span.start + 1 / rate:  # the video starts after the audio
            shown = (span.start, np.zeros_like(frame.pixels))
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
    """Draws the results for a moment onto its frame; texts and colours stay the same from frame to frame."""

    def __init__(self, analysis: Analysis, language: Language, compared: Comparison | None = None):
        self._courses = courses(analysis)
        self._starts = np.array([course.start for course in self._courses])
        self._ends = np.array([course.end for course in self._courses])
        self._shares = Shares(analysis)
        self._language = language
        self._scenes = [scene._replace(name=scene_name(scene.name, language)) for scene in scenes_of(analysis.scenes)]
        self._intended = {} if compared is None else _intended(compared, language)
        faces = analysis.faces[["time", "x0", "y0", "x1", "y1"]].to_numpy(np.float64)
        middle = analysis.film.width / 2
        # For each scene, whether the panel is on the right, because fewer faces are in the lower half there.
        self._on_right = {
            scene.id: _crowd(faces, scene.start, scene.end, analysis.film.height, 0, middle)
            > _crowd(faces, scene.start, scene.end, analysis.film.height, middle, 2 * middle)
            for scene in self._scenes
        }
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
        written = lettering.text(said + who, size, True, _on(colour))
        height, width = written.shape[0] + pad, written.shape[1] + 2 * pad
        left = int(np.clip(now.box[0], 0, max(0, picture.shape[1] - width)))
        above, below = now.box[1] - height - round(3 * unit), now.box[3] + round(3 * unit)
        top = int(above if above >= 0 else min(below, picture.shape[0] - height))
        _fill(picture, left, top, width, height, colour, 0.94)
        lettering.paste(picture, written, left + pad, top + pad // 2)

    def _panel(self, picture: np.ndarray, time: float, seen: list[Now], unit: float) -> None:
        """Draw the seven shares at the bottom left or right: as bars for this moment, as ticks for the scene so far."""
        scene = next((scene for scene in self._scenes if scene.start <= time < scene.end), None)
        usable = [now.shares for now in seen if now.shares is not None]
        moment = np.mean(usable, axis=0) if usable else None
        so_far = self._shares.until(time, scene.id) if scene else None
        row, gap, edge = round(23 * unit), round(14 * unit), round(20 * unit)
        names = [lettering.text(word, round(15 * unit), False, _PAPER) for word in self._words]
        name, bar, number = max(text.shape[1] for text in names), round(140 * unit), round(48 * unit)
        intended = self._intended.get(scene.id) if scene else None
        heading = round((48 if intended is None else 68) * unit)
        width, height = 2 * gap + name + gap + bar + number, 2 * gap + heading + 7 * row
        left, top = edge, max(0, picture.shape[0] - edge - height)
        if scene and self._on_right[scene.id]:
            left = max(0, picture.shape[1] - edge - width)
        _fill(picture, left, top, width, height, _INK, _SHADE)
        head = scene.name if scene else "–"
        lettering.paste(
            picture, lettering.text(head, round(18 * unit), True, _PAPER, width - 2 * gap), left + gap, top + gap
        )
        at = clock(time)[:-2].replace(".", self._language.decimal_mark)
        about = lettering.text(f"{at}  {self._note(moment, so_far)}", round(13 * unit), False, _PALE, width - 2 * gap)
        lettering.paste(picture, about, left + gap, top + gap + round(25 * unit))
        if intended is not None:
            meant = lettering.text(intended, round(13 * unit), True, _PAPER, width - 2 * gap)
            lettering.paste(picture, meant, left + gap, top + gap + round(44 * unit))
        begin, first = left + gap + name + gap, top + gap + heading
        for place, text in enumerate(names):
            y = first + place * row
            lettering.paste(picture, text, left + gap, y + (row - text.shape[0]) // 2)
            share = 0.0 if moment is None else float(moment[place])
            mark = None if so_far is None else float(so_far[place])
            _draw_bar(picture, (begin, y + round(5 * unit), bar, row - round(10 * unit)), _COLOUR[place], share, mark)
            if moment is not None:
                said = lettering.text(percent(100 * share, self._language), round(14 * unit), True, _PAPER)
                lettering.paste(picture, said, left + width - gap - said.shape[1], y + (row - said.shape[0]) // 2)

    def _note(self, moment: np.ndarray | None, so_far: np.ndarray | None) -> str:
        if moment is None:
            return self._language.say("no usable face")
        return self._language.say("bar: now; tick: so far") if so_far is not None else self._language.say("now")


def _intended(compared: Comparison, language: Language) -> dict[int, str]:
    """Describe for each scene what was intended for each character, with the verdict."""
    said: dict[int, list[str]] = {}
    for row in rows_of(headline(compared)[0]):
        if row["intended"]:
            meant = " + ".join(language.emotion(emotion) for emotion in parse_intention(row["intended"]))
            whom = f"{printable(row['character'])}: " if row["character"] else ""
            verdict = verdict_words(row["verdict"], language)
            said.setdefault(row["scene"], []).append(f"{whom}{meant} · {verdict}")
    return {scene: language.say("intended: {what}", what="; ".join(parts)) for scene, parts in said.items()}


def _crowd(faces: np.ndarray, start: float, end: float, height: float, left: float, right: float) -> int:
    """Count the faces (N, 5: time, box) of a time span whose centre is between two columns, in the lower half."""
    x, y = (faces[:, 1] + faces[:, 3]) / 2, (faces[:, 2] + faces[:, 4]) / 2
    return int(((faces[:, 0] >= start) & (faces[:, 0] < end) & (y > height / 2) & (x >= left) & (x < right)).sum())


def _rgb(colour: str) -> _Rgb:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


_COLOUR = tuple(_rgb(COLOURS[emotion]) for emotion in EMOTIONS)
_INK, _PAPER = _rgb(INK), _rgb(PAPER)


def _on(colour: _Rgb) -> _Rgb:
    return _rgb(ink_on("#{:02X}{:02X}{:02X}".format(*colour)))


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
    """Blend a colour over a part of the picture; ``how`` is the opacity, 1 = opaque."""
    part = picture[max(0, top) : top + height, max(0, left) : left + width]
    part[:] = (part * (1 - how) + np.array(colour) * how).astype(np.uint8)
