"""Pictures that are held: a call or a screen recorded at a varying rate has no new picture while nothing moves."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

from scenefer.film import Film
from scenefer.video.frame import ReaderNotes
from scenefer.video.timeline import grid_index

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

# Its index names every picture, so that what is missing between two of them was never there. Other containers may lose
# pictures without a word, and a hole in them is no held picture.
_COMPLETE = "mov,mp4,m4a,3gp,3g2,mj2"
_LONGEST_HOLD = 600.0  # seconds; a damaged timestamp must not fill hours with one picture
_LONGEST_STEP = 1.0  # seconds that the usual picture of a film may last and not be held


class Decoded(NamedTuple):
    """A picture as it comes from the decoder."""

    time: float  # film time, seconds
    picture: VideoFrame
    follows: bool  # directly: nothing between it and the picture before was lost


def repeated(
    decoded: Generator[Decoded], film: Film, sample_rate: float, notes: ReaderNotes
) -> Generator[tuple[float, VideoFrame]]:
    """Show a picture again at every point of the sampling grid for as long as it is held.

    It is held if it lasts for more than two steps, of the grid or of the film. What precedes a loss is not.

    Args:
        notes: of the reader; complete when ``decoded`` is.
    """
    usual = min(max(1 / sample_rate, float(1 / film.frame_rate)), _LONGEST_STEP)
    with closing(decoded):
        before: Decoded | None = None
        for now in decoded:
            if (
                before is not None
                and now.follows
                and film.container == _COMPLETE
                and now.time - before.time > 2 * usual
            ):
                for time in _grid(before.time, now.time, sample_rate):
                    yield time, before.picture
            yield now.time, now.picture
            before = now
    if before is None or film.duration is None or film.container != _COMPLETE or notes.partial:
        return
    if film.end_declared and film.duration - before.time > 2 * usual:
        for time in _grid(before.time, film.duration, sample_rate):
            yield time, before.picture


def _grid(after: float, until: float, sample_rate: float) -> Generator[float]:
    """Yield the points of the grid between two film times, as long as a picture is held."""
    point = grid_index(after, sample_rate) + 1
    while point / sample_rate < min(until, after + _LONGEST_HOLD) - 1e-6:
        yield point / sample_rate
        point += 1
