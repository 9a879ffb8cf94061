"""Pictures that are held: a call or a screen recorded at a varying rate has no new picture while nothing moves."""

from __future__ import annotations

import math
from collections.abc import Generator
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

from scenefer.film import Film
from scenefer.video.container import MP4
from scenefer.video.frame import ReaderNotes
from scenefer.video.timeline import grid_index

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

_LONGEST_HOLD = 600.0  # seconds; a damaged timestamp must not fill hours with one picture
_LONGEST_STEP = 1.0  # seconds that the usual picture of a film may last and not be held


class Decoded(NamedTuple):
    """A picture as it comes from the decoder."""

    time: float  # film time, seconds
    picture: VideoFrame
    follows: bool  # directly: nothing between it and the picture before was lost


def repeated(
    decoded: Generator[Decoded], film: Film, sample_rate: float | None, notes: ReaderNotes
) -> Generator[tuple[float, VideoFrame]]:
    """Show a picture again at every point of the sampling grid for as long as it is held.

    It is held if it lasts for more than two steps, of the grid or of the film. What precedes a loss is not: in MP4 what
    is missing between two pictures was never there, other containers may lose pictures without a word.

    Args:
        sample_rate: of the grid, samples a second; None gives each picture once.
        notes: of the reader; complete when ``decoded`` is.
    """
    rate = math.inf if sample_rate is None else sample_rate
    usual = min(max(1 / rate, float(1 / film.frame_rate)), _LONGEST_STEP)
    longest = 2 * usual if sample_rate is not None and film.container == MP4 else math.inf  # that is not held
    with closing(decoded):
        before: Decoded | None = None
        for now in decoded:
            if before is not None and now.follows and now.time - before.time > longest:
                yield from _again(before, now.time, rate)
            yield now.time, now.picture
            before = now
    if before is None or film.duration is None or not film.end_declared or notes.partial:
        return
    if film.duration - before.time > longest:
        yield from _again(before, film.duration, rate)


def _again(held: Decoded, until: float, sample_rate: float) -> Generator[tuple[float, VideoFrame]]:
    """Yield a picture at the points of the grid after it and before ``until``."""
    point = grid_index(held.time, sample_rate) + 1
    while point / sample_rate < min(until, held.time + _LONGEST_HOLD) - 1e-6:
        yield point / sample_rate, held.picture
        point += 1
