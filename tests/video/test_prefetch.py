"""Reading ahead is bounded, hands errors over and cleans up."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Generator
from pathlib import Path

import numpy as np
import pytest

from scenefer.core.film import Span
from scenefer.video import ReaderNotes, probe, reading
from scenefer.video.colour import Converter
from scenefer.video.frame import Frame
from scenefer.video.picture import ArrayPicture
from scenefer.video.prefetch import ahead
from scenefer.video.repeated_frames import repeated
from tests.clips import moving, write_clip


class Source:
    """Counts what is taken from it and notices that it is closed."""

    def __init__(self, n: int, pixels: int = 0, fails_at: int | None = None):
        self.n, self.pixels, self.fails_at = n, pixels, fails_at
        self.taken, self.closed = 0, False

    def frames(self) -> Generator[Frame, None, None]:
        small = np.zeros((9, 16, 3), np.uint8)
        try:
            for k in range(self.n):
                if k == self.fails_at:
                    raise RuntimeError("the disk is gone")
                self.taken += 1
                yield Frame(k, float(k), small, ArrayPicture(np.zeros(self.pixels, np.uint8)))
        finally:
            self.closed = True


def settled(source: Source) -> int:
    """What the thread has taken when it does not go on."""
    taken = -1
    while taken != source.taken:
        taken = source.taken
        time.sleep(0.1)
    return taken


def test_frames_come_in_order_and_all():
    source = Source(100)
    assert [frame.index for frame in ahead(source.frames(), 8)] == list(range(100))
    assert source.closed


def test_no_more_than_the_depth_waits():
    source = Source(100)
    reading = ahead(source.frames(), 8)
    next(reading)
    assert settled(source) <= 10  # one handed out, eight waiting, one in the producer's hand
    reading.close()  # pyright: ignore[reportAttributeAccessIssue]
    assert source.closed


def test_large_frames_are_bounded_by_their_bytes():
    source = Source(100, pixels=40 << 20)
    reading = ahead(source.frames(), 64)
    next(reading)
    assert settled(source) <= 5  # 120 MB waiting is over the limit of 96
    reading.close()  # pyright: ignore[reportAttributeAccessIssue]


def test_an_error_of_the_source_comes_after_the_frames_before_it():
    source = Source(10, fails_at=3)
    reading = ahead(source.frames(), 8)
    assert [next(reading).index for _ in range(3)] == [0, 1, 2]
    with pytest.raises(RuntimeError, match="the disk is gone"):
        next(reading)
    assert source.closed


def test_a_consumer_that_fails_stops_the_source():
    source = Source(1000)

    def consume() -> None:
        for frame in ahead(source.frames(), 4):
            _ = 1 / (frame.index - 3)

    with pytest.raises(ZeroDivisionError):
        consume()
    assert settled(source) <= 10


def test_a_source_that_has_nothing_to_yield_yet_ends_when_the_consumer_is_interrupted():
    stopped = threading.Event()
    ended: list[bool] = []

    def searching() -> Generator[Frame, None, None]:
        ended.append(stopped.wait(60))
        yield from ()

    main = threading.main_thread().ident
    assert main is not None
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # in the background it is ignored
    try:
        threading.Timer(0.3, signal.pthread_kill, (main, signal.SIGINT)).start()
        with pytest.raises(KeyboardInterrupt):
            next(ahead(searching(), 8, stopped))
    finally:
        signal.signal(signal.SIGINT, before)
    assert ended == [True]


def test_what_lies_before_a_part_is_not_decoded_any_more_when_the_reading_is_stopped(tmp_path: Path):
    """Of a film that cannot be entered: an AVI is decoded from its beginning."""
    film = probe(write_clip(tmp_path / "clip.avi", moving(50), codec="mpeg4", options={}))
    assert film.key_frames == ()
    stopped = threading.Event()
    stopped.set()
    decoded = reading._decoded(film, Span(1.5, 2.0), 1, reading._Effort(1, lean=True), ReaderNotes())
    source = repeated(decoded, film, 5.0, ReaderNotes())
    assert list(reading._chosen(source, Converter(film, ReaderNotes()), Span(1.5, 2.0), 1, 5.0, stopped)) == []
    assert decoded.gi_frame is None, "it was closed"
