"""Repeats held pictures: video calls and screen recordings of variable rate have no new picture while nothing moves."""

from __future__ import annotations

import math
from collections.abc import Generator
from contextlib import closing
from typing import Any, NamedTuple

from scenefer.core.film import Film
from scenefer.video.animation import WEBP
from scenefer.video.container import MP4
from scenefer.video.frame import ReaderNotes
from scenefer.video.stamps import AVI
from scenefer.video.timeline import grid_index

_TIMED = frozenset({WEBP, "gif", "apng"})  # formats in which each picture states its duration
_HOLDING = frozenset({MP4, AVI, *_TIMED})  # containers that list every picture, so a gap means no new picture, not loss
_LONGEST_HOLD = 600.0  # seconds; a damaged timestamp must not fill hours with one picture
_LONGEST_STEP = 1.0  # seconds; upper limit for the usual picture duration


class Decoded(NamedTuple):
    """A picture as it comes from the decoder."""

    time: float  # film time, seconds
    picture: Any  # a frame of PyAV, or an array
    follows: bool  # nothing between this picture and the one before was lost


def repeated(
    decoded: Generator[Decoded], film: Film, sample_rate: float | None, notes: ReaderNotes
) -> Generator[tuple[float, Any]]:
    """Repeat a held picture at every point of the sampling grid while it stays on screen.

    A picture is held if it lasts longer than two steps, of the grid or of the film's frame rate, whichever is longer.
    A picture before lost frames is not held. This works only for containers such as MP4 and AVI, where a gap between
    two pictures means that there were none; other containers may lose pictures silently. In a slide show every picture
    can be held.

    Args:
        sample_rate: samples a second of the grid; None gives each picture once.
        notes: notes of the reader; complete when ``decoded`` is exhausted.
    """
    rate = math.inf if sample_rate is None else sample_rate
    step = 0.0 if film.container in _TIMED else float(1 / film.frame_rate)
    usual = min(max(1 / rate, step), _LONGEST_STEP)
    holds = film.container in _HOLDING or film.slides
    longest = 2 * usual if sample_rate is not None and holds else math.inf  # duration of a picture that is not held
    longest_hold = math.inf if film.slides else _LONGEST_HOLD
    with closing(decoded):
        before: Decoded | None = None
        for now in decoded:
            if before is not None and (now.follows or film.slides) and now.time - before.time > longest:
                yield from _again(before, now.time, rate, longest_hold)
            yield now.time, now.picture
            before = now
    if before is None or film.duration is None or not film.end_declared or notes.partial:
        return
    if film.duration - before.time > longest:
        yield from _again(before, film.duration, rate, longest_hold)


def _again(held: Decoded, until: float, sample_rate: float, longest: float) -> Generator[tuple[float, Any]]:
    """Yield a picture again at each grid point after its own time and before ``until``, for at most ``longest``."""
    point = grid_index(held.time, sample_rate) + 1
    while point / sample_rate < min(until, held.time + longest) - 1e-6:
        yield point / sample_rate, held.picture
        point += 1
