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

from scenefer.errors import FilmError, printable
from scenefer.film import Film, Span
from scenefer.video import with_decord
from scenefer.video.colour import ArrayConverter, Converter, deinterlaced
from scenefer.video.container import enter, open_container, packets, prepare
from scenefer.video.frame import Frame, ReaderNotes
from scenefer.video.held import Decoded, repeated
from scenefer.video.prefetch import ahead
from scenefer.video.stills import pictures
from scenefer.video.timeline import Timeline, grid_index

if TYPE_CHECKING:
    import numpy as np
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

_GUESSING = frozenset({"mpeg", "mpegts", "mpegvideo", "h264", "hevc", "m4v"})  # duration from size and bit rate
WHOLE = Span(0.0, float("inf"))


def frames(
    film: Film,
    span: Span = WHOLE,
    *,
    sample_rate: float | None,
    reader: Literal["pyav", "decord"] = "pyav",
    threads: int = 0,
    notes: ReaderNotes | None = None,
    prefetch: int = 16,
) -> Iterator[Frame]:
    """Read every frame of a span of film time, in order.

    A span that does not begin at 0 is preceded by one run-up frame, the last before its start, which is shown until
    the first one in it: with it, two adjoining spans give exactly the frames, pixels and samples of an undivided pass.

    Args:
        sample_rate: samples a second; the first frame at or after each multiple of 1 / rate is sampled, and a picture
            that is held for several of them is given again at each. None samples every frame, once; stills all are.
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
    if film.kind != "video":
        source = _chosen(pictures(film, notes), ArrayConverter(film), span, None, stopped)
    elif reader == "decord":
        source = _chosen(with_decord.read(film, threads), ArrayConverter(film), span, sample_rate, stopped)
    else:
        decoded = _decoded(film, span, threads, notes)
        shown = repeated(decoded, film, sample_rate, notes)
        source = _chosen(shown, Converter(film, notes), span, sample_rate, stopped)
    return ahead(source, prefetch, stopped) if prefetch else source


class _Converter(Protocol):
    def small(self, picture: Any, /) -> np.ndarray: ...
    def full(self, picture: Any, /) -> np.ndarray: ...


def _chosen(
    source: Generator[tuple[float, Any], None, Any],
    converter: _Converter,
    span: Span,
    sample_rate: float | None,
    stopped: threading.Event,
) -> Generator[Frame, None, None]:
    """Convert what lies in the span, and all pixels of the samples (of every frame without a rate)."""
    before: tuple[float, Any] | None = None  # the last picture before the span
    small: Any = None
    pixels: Any = None
    shown: Any = None  # the picture that they are of
    last: float | None = None
    index = 0
    try:
        for time, picture in source:
            if time >= span.end:
                break
            if stopped.is_set():
                return
            if time < span.start:
                before, last = (time, picture), time
                continue
            if before is not None:
                yield _run_up(*before, converter)
                before = None
            sampled = (
                sample_rate is None or last is None or grid_index(time, sample_rate) > grid_index(last, sample_rate)
            )
            if picture is not shown:  # a picture that is held comes again
                small, pixels, shown = converter.small(picture), None, picture
            if sampled and pixels is None:
                pixels = converter.full(picture)
            yield Frame(index, time, small, pixels if sampled else None)
            last = time
            index += 1
        if before is not None:  # it is shown all through the span
            yield _run_up(*before, converter)
    finally:
        source.close()


def _run_up(time: float, picture: Any, converter: _Converter) -> Frame:
    return Frame(-1, time, converter.small(picture), converter.full(picture), run_up=True)


def _decoded(film: Film, span: Span, threads: int, notes: ReaderNotes) -> Generator[Decoded]:
    """Decode a span, what precedes it back to a key frame included; say in the notes if it ends too early."""
    reached = yield from _pass(film, span.start, threads, notes)
    if reached.lost and threads != 1 and film.key_frames:
        # After an error at the very end PyAV cannot fetch the frames that other threads hold; one thread holds none.
        again = _pass(film, reached.time, 1, notes)
        for shown in again:
            if shown.time > reached.time:
                reached = reached._replace(time=shown.time, end=shown.time + float(1 / film.frame_rate))
                yield shown
    if reached.end is None and span.start == 0:
        raise FilmError(f"{printable(film.path)} is not readable: none of its frames can be decoded; copy it again")
    if film.duration is not None and film.container not in _GUESSING:
        end = span.start if reached.end is None else reached.end
        missing = min(span.end, film.duration) - end
        # A container's duration may be that of its sound; only a great difference tells of a loss.
        allowed = max(1.0, 0.01 * film.duration) if film.end_declared else max(10.0, 0.1 * film.duration)
        if missing > allowed:
            notes.ended = (end, film.duration)


class _Sent:
    """What a decoder was given."""

    def __init__(self) -> None:
        self.last: deque[int] = deque([0], maxlen=64)  # timestamps of the packets that were last given to it
        self.hole = False  # something in front of it could not be demuxed

    def between(self, first: int, second: int) -> bool:
        """Tell whether something was, or may have been, between two timestamps."""
        return self.hole or any(first < sent < second for sent in self.last)


class _Reached(NamedTuple):
    time: float  # of the last frame
    end: float | None  # of its display; None if there was no frame
    lost: bool  # packets after it gave no frame


def _pass(film: Film, start: float, threads: int, notes: ReaderNotes) -> Generator[Decoded, None, _Reached]:
    """Decode once from the last key frame before ``start`` to the end of the file."""
    time, end, last_pts = 0.0, None, 0
    shape: Fraction | None = None  # of the pixels
    with _entered(film, start, threads) as (container, stream, entry):
        time_base = stream.time_base or Fraction(1, av.time_base)
        timeline = Timeline(time_base, round(Fraction(film.start) / time_base), film.frame_rate, film.container, notes)
        sent = _Sent()
        for frame in deinterlaced(_pictures(container, stream, timeline, sent, start, threads, notes), notes):
            pts = None if frame.pts is None else round(frame.pts * (frame.time_base or time_base) / time_base)
            if end is None and pts is not None and timeline.seconds(pts) < entry:
                continue  # shown before the key frame: leading pictures of an open GOP, which refer to what was skipped
            time = timeline.advance(pts)
            ratio = stream.codec_context.sample_aspect_ratio
            shape = shape or ratio
            if notes.reshaped is None and ratio not in (None, 0, shape):
                notes.reshaped = time
            shown_for = float(frame.duration * (frame.time_base or time_base)) if frame.duration else 0.0
            follows = pts is not None and not sent.between(last_pts, pts)
            end, last_pts = time + max(shown_for, float(1 / film.frame_rate)), pts or last_pts
            yield Decoded(time, frame, follows)
        return _Reached(time, end, lost=max(sent.last) > last_pts)


def _pictures(
    container: InputContainer,
    stream: VideoStream,
    timeline: Timeline,
    sent: _Sent,
    start: float,
    threads: int,
    notes: ReaderNotes,
) -> Iterator[VideoFrame]:
    """Decode packet by packet; a packet that cannot be decoded is noted and skipped."""
    for packet in packets(container, stream):
        if packet is None:
            sent.hole = True
            continue
        if packet.pts is not None and not packet.is_discard:
            sent.last.append(packet.pts)
        try:
            yield from packet.decode()  # pyright: ignore[reportReturnType]  # a video stream gives video frames
        except av.error.FFmpegError as error:
            # With frame threads, an error comes as many packets late as there are other threads.
            late = stream.codec_context.thread_count - 1 if threads != 1 else 0
            time = timeline.seconds(sent.last[-1 - min(late, len(sent.last) - 1)])
            if time >= start or start == 0:
                notes.damage(time, error.strerror or type(error).__name__)


@contextmanager
def _entered(
    film: Film, start: float, threads: int
) -> Generator[tuple[InputContainer, VideoStream, float], None, None]:
    """Open a film at the last key frame before ``start``, whose film time is the third value."""
    keys = [key for key in film.key_frames if 0 < key < start]
    if keys:
        with open_container(film.path) as container:
            stream = prepare(container, film.stream, threads)
            if enter(container, stream, film.start, keys[-1]):
                yield container, stream, keys[-1]
                return
        # The index misled; from the beginning every film is read right.
    with open_container(film.path) as container:
        yield container, prepare(container, film.stream, threads), 0.0
