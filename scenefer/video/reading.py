"""The frames of a film, in order, each decoded once."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

import av
import av.error

from scenefer.core.errors import FilmError
from scenefer.core.film import WHOLE, Film, Span
from scenefer.core.text import printable
from scenefer.video import with_decord
from scenefer.video.animation import WEBP, moving_pictures
from scenefer.video.colour import ArrayConverter, Converter, deinterlaced
from scenefer.video.container import enter, goes_on, open_container, packets, prepare
from scenefer.video.frame import Frame, ReaderNotes
from scenefer.video.prefetch import ahead
from scenefer.video.repeated_frames import Decoded, repeated
from scenefer.video.stamps import Stamps
from scenefer.video.stills import pictures
from scenefer.video.timeline import Timeline, grid_index, multiple_before

if TYPE_CHECKING:
    import numpy as np
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

    from scenefer.video.picture import Picture

_GUESSING = frozenset({"mpeg", "mpegts", "mpegvideo", "h264", "hevc", "m4v"})  # duration from size and bit rate


def frames(
    film: Film,
    span: Span = WHOLE,
    *,
    sample_rate: float | None,
    look_back: float = 0.0,
    reader: Literal["pyav", "decord"] = "pyav",
    threads: int = 0,
    notes: ReaderNotes | None = None,
    prefetch: int = 4,
) -> Iterator[Frame]:
    """Read every frame of a span of film time, in order.

    A span that does not begin at 0 is preceded by a run-up: the last frame before its start, which is shown until the
    first one in it, or all frames since ``look_back`` says. With it, two adjoining spans give exactly the frames,
    pixels and samples of an undivided pass.

    Args:
        sample_rate: samples a second; the first frame at or after each multiple of 1 / rate is sampled, and a picture
            that is held for several of them is given again at each. None samples every frame, once; stills all are.
        look_back: the run-up goes back to the last multiple of these seconds and the frame before it; 0: it is a frame.
        threads: of the decoder; 0 is one a core.
        notes: filled while frames are read, complete when the iterator is.
        prefetch: frames that a thread may decode ahead; 0 decodes in the caller's.

    Raises:
        FilmError: nothing of the film can be read any more; a part that cannot is noted and skipped.
        PlanError: the reader is not installed.
    """
    if sample_rate is not None and sample_rate <= 0:
        raise ValueError(f"sample_rate must be positive, got {sample_rate}")
    notes = ReaderNotes() if notes is None else notes
    stopped = threading.Event()
    since = multiple_before(span.start, look_back) if look_back else span.start
    rate = sample_rate if film.kind == "video" else None
    converter: _Converter = ArrayConverter(film)
    if film.kind != "video":
        shown = pictures(film, notes)
    elif film.container == WEBP:
        drawn = (Decoded(time, picture, follows=True) for time, picture in moving_pictures(film, notes))
        shown = repeated(drawn, film, sample_rate, notes)
    elif reader == "decord":
        shown = with_decord.read(film, threads)
    else:
        decoded = _decoded(film, span, since, _Effort(threads, lean=sample_rate is not None), notes)
        shown, converter = repeated(decoded, film, sample_rate, notes), Converter(film, notes)
    source = _chosen(shown, converter, span, since, rate, stopped, full_run_up=sample_rate is None)
    return ahead(source, prefetch, stopped) if prefetch else source


class _Converter(Protocol):
    def legible(self, picture: Any, time: float, /) -> bool: ...
    def small(self, picture: Any, /) -> np.ndarray: ...
    def picture(self, picture: Any, /) -> Picture: ...


def _chosen(
    source: Generator[tuple[float, Any], None, Any],
    converter: _Converter,
    span: Span,
    since: float,
    sample_rate: float | None,
    stopped: threading.Event,
    *,
    full_run_up: bool = False,
) -> Generator[Frame, None, None]:
    """Give what lies in the span and its run-up, samples (every frame without a rate) with their pictures.

    Args:
        full_run_up: give the picture before ``since`` as a sample too: it is shown, not only compared with.
    """
    before: tuple[float, Any] | None = None  # the last picture before ``since``
    small: Any = None
    whole: Picture | None = None
    shown: Any = None  # the picture that both are of
    last: float | None = None
    index = 0
    try:
        for time, picture in source:
            if time >= span.end:
                break
            if stopped.is_set():
                return
            sampled = (
                sample_rate is None or last is None or grid_index(time, sample_rate) > grid_index(last, sample_rate)
            )
            last = time
            if time < since:
                before = time, picture
                continue
            if before is not None:
                yield _run_up(*before, converter, full=full_run_up)
                before = None
            if picture is not shown or whole is None:  # a repeated picture is converted only once
                small, whole, shown = converter.small(picture), converter.picture(picture), picture
            if sampled and sample_rate is not None:
                sampled = converter.legible(picture, time)
            is_run_up = time < span.start
            yield Frame(-1 if is_run_up else index, time, small, whole, sampled, is_run_up)
            index += not is_run_up
        if before is not None:  # no frame in the span: the one before it stays on screen throughout
            yield _run_up(*before, converter, full=full_run_up)
    finally:
        source.close()


def _run_up(time: float, picture: Any, converter: _Converter, full: bool) -> Frame:
    return Frame(-1, time, converter.small(picture), converter.picture(picture), sampled=full, run_up=True)


def _decoded(film: Film, span: Span, since: float, effort: _Effort, notes: ReaderNotes) -> Generator[Decoded]:
    """Decode a span, from the last key frame before ``since`` on; say in the notes if it ends too early."""
    reached = yield from _pass(film, span.start, since, effort, notes)
    if reached.lost and effort.threads != 1 and film.key_frames:
        # After an error at the very end, PyAV cannot get the frames held by decoder threads; decode the end with one.
        again = _pass(film, reached.time, reached.time, effort._replace(threads=1), notes)
        for shown in again:
            if shown.time > reached.time:
                reached = reached._replace(time=shown.time, end=shown.time + float(1 / film.frame_rate))
                yield shown
    if reached.end is None and span.start == 0:
        raise FilmError(f"{printable(film.path)} is not readable: none of its frames can be decoded; copy it again")
    if film.slides and film.duration is not None and not goes_on(film):
        notes.ended = (0.0 if reached.end is None else reached.end, film.duration)
    elif film.duration is not None and film.container not in _GUESSING and not film.slides:
        end = span.start if reached.end is None else reached.end
        missing = min(span.end, film.duration) - end
        # A container's duration may be that of its sound, so only a large difference indicates lost frames; unless
        # errors ended the reading.
        allowed = max(1.0, 0.01 * film.duration) if film.end_declared else max(10.0, 0.1 * film.duration)
        allowed = 1.0 if reached.broken else allowed
        if missing > allowed:
            notes.ended = (end, film.duration)


class _Effort(NamedTuple):
    """How a film is decoded, see ``container.prepare``."""

    threads: int
    lean: bool


class _Sent:
    """The packets that were sent to a decoder."""

    def __init__(self) -> None:
        self.last: deque[int] = deque([0], maxlen=64)  # timestamps of the last packets
        self.hole = False  # whether a demuxing error lost packets
        self.broken = False  # whether demuxing errors are the last that came

    def between(self, first: int, second: int) -> bool:
        """Check whether a packet was, or may have been, between two timestamps."""
        return self.hole or any(first < sent < second for sent in self.last)


class _Reached(NamedTuple):
    time: float  # film time of the last frame
    end: float | None  # film time at which its display ends; None if there was no frame
    lost: bool  # whether later packets gave no frame
    broken: bool  # whether the file could not be read to its end


def _pass(
    film: Film, start: float, since: float, effort: _Effort, notes: ReaderNotes
) -> Generator[Decoded, None, _Reached]:
    """Decode from the last key frame before ``since`` to the end of the file; note damage from ``start`` on."""
    time, end, last_pts = 0.0, None, 0
    shape: Fraction | None = None  # of the pixels
    with _entered(film, since, effort) as (container, stream, entry):
        time_base = stream.time_base or Fraction(1, av.time_base)
        origin = round(Fraction(film.start) / time_base)
        timeline = Timeline(time_base, origin, film.frame_rate, film.container, notes, slides=film.slides)
        stamps = Stamps(film.container, time_base, film.frame_rate, origin, notes)
        sent = _Sent()
        for frame in deinterlaced(
            _pictures(container, stream, timeline, stamps, sent, start, effort.threads, notes), notes
        ):
            pts = None if frame.pts is None else round(frame.pts * (frame.time_base or time_base) / time_base)
            if end is None and pts is not None and timeline.seconds(pts) < entry:
                continue  # leading pictures of an open GOP, which refer to skipped frames
            time = timeline.advance(pts)
            ratio = stream.codec_context.sample_aspect_ratio
            shape = shape or ratio
            if notes.reshaped is None and ratio not in (None, 0, shape):
                notes.reshaped = time
            shown_for = float(frame.duration * (frame.time_base or time_base)) if frame.duration else 0.0
            follows = pts is not None and not sent.between(last_pts, pts)
            end, last_pts = time + max(shown_for, float(1 / film.frame_rate)), pts or last_pts
            yield Decoded(time, frame, follows)
        return _Reached(time, end, lost=max(sent.last) > last_pts, broken=sent.broken)


def _pictures(
    container: InputContainer,
    stream: VideoStream,
    timeline: Timeline,
    stamps: Stamps,
    sent: _Sent,
    start: float,
    threads: int,
    notes: ReaderNotes,
) -> Iterator[VideoFrame]:
    """Decode packet by packet; a packet that cannot be decoded is noted and skipped."""
    for packet in packets(container, stream):
        if packet is None:
            sent.hole = sent.broken = True
            continue
        if packet.size:  # not the empty one at the end
            sent.broken = False
        stamps.mend(packet)
        if packet.pts is not None and not packet.is_discard:
            sent.last.append(packet.pts)
        try:
            for frame in packet.decode():
                assert isinstance(frame, av.VideoFrame)  # which a video stream gives
                frame.pts = stamps.of(frame)
                yield frame
        except MemoryError:  # FFmpeg's is one of these too; it is no damage of the film
            raise
        except av.error.FFmpegError as error:
            # With frame threading, an error is reported late by as many packets as there are other threads.
            late = stream.codec_context.thread_count - 1 if threads != 1 else 0
            time = timeline.seconds(sent.last[-1 - min(late, len(sent.last) - 1)])
            if time >= start or start == 0:
                notes.damage(time, error.strerror or type(error).__name__)


@contextmanager
def _entered(
    film: Film, start: float, effort: _Effort
) -> Generator[tuple[InputContainer, VideoStream, float], None, None]:
    """Open a film at the last key frame before ``start``; the third value is the film time of that key frame."""
    keys = [key for key in film.key_frames if 0 < key < start]
    if keys:
        with open_container(film.path) as container:
            stream = prepare(container, film.stream, effort.threads, lean=effort.lean)
            if enter(container, stream, film.start, keys[-1]):
                yield container, stream, keys[-1]
                return
        # The index was wrong; reading from the beginning always works.
    with open_container(film.path) as container:
        yield container, prepare(container, film.stream, effort.threads, lean=effort.lean), 0.0
