"""A session drops pictures rather than lag, and ends with what ended it."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from scenefer.core.errors import AccessError
from scenefer.live.reading import LiveReader, Read
from scenefer.live.session import Session
from scenefer.video import Frame
from tests.live.scenes import RATE, Camera, Clock, frame, reader


class Gated:
    """A reader that waits before each picture."""

    def __init__(self) -> None:
        self.go = threading.Semaphore(0)
        self.seen: list[int] = []
        self._reader = reader()

    def read(self, one: Frame) -> Read:
        assert self.go.acquire(timeout=30)
        self.seen.append(one.index)
        return self._reader.read(one)


def until(holds, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.005)


def test_a_slow_reader_gets_the_latest_picture_and_the_others_are_left_out():
    camera, gated = Camera([frame(k) for k in range(10)]), Gated()
    session = Session(camera, gated, RATE)  # pyright: ignore[reportArgumentType] - a reader by what it does
    session.start()
    camera.give.release()
    until(lambda: session._slot._item is None and session._last_came > 0)
    time.sleep(0.05)  # the first is in the reader's hands
    camera.give.release(8)
    until(lambda: session.n_dropped == 7)
    gated.go.release(2)
    until(lambda: session.board.version == 2)
    assert gated.seen == [0, 8]
    camera.give.release()
    gated.go.release()
    until(lambda: session.board.ended)
    assert gated.seen == [0, 8, 9]
    assert session.error is None
    assert camera.closed.wait(10)


def test_the_delay_is_from_the_capture_to_the_view():
    clock = Clock()
    camera = Camera([frame(k) for k in range(2)], now=clock)

    class Slow(LiveReader):
        def read(self, frame: Frame) -> Read:
            clock.seconds += 0.12
            return super().read(frame)

    plain = reader()
    session = Session(camera, Slow(plain._models, plain._settings, camera.film), RATE, now=clock)
    session.start()
    camera.give.release()
    until(lambda: session.board.version == 1)
    assert session.board.item is not None
    assert session.board.item.pace.delay == pytest.approx(0.12)
    session.stop()


def test_a_camera_that_vanishes_ends_the_session_with_what_it_says():
    camera = Camera([frame(0), frame(1)], AccessError("camera 0 vanished after 0:00:00.200: plug it in again"))
    session = Session(camera, reader(), RATE, intended=np.eye(7)[3])
    session.start()
    camera.give.release()
    until(lambda: session.board.version == 1)
    camera.give.release()
    until(lambda: session.board.ended)
    assert isinstance(session.error, AccessError)
    assert session.board.item is not None
    assert session.board.item.misplaced is not None
    assert 0 <= session.board.item.misplaced <= 1
    assert camera.closed.wait(10)


def test_a_session_that_is_stopped_ends_without_an_error():
    camera = Camera([frame(k) for k in range(100)], AccessError("closed"))
    session = Session(camera, reader(), RATE)
    session.start()
    camera.give.release(2)
    until(lambda: session.board.version >= 1)
    threading.Timer(0.1, camera.give.release, (98,)).start()
    session.stop()
    assert session.error is None
    assert session.board.ended
    assert not any(thread.is_alive() for thread in session._threads)


def test_silence_is_told_after_three_seconds():
    clock = Clock()
    camera = Camera([frame(0)], now=clock)
    session = Session(camera, reader(), RATE, now=clock)
    session.start()
    clock.seconds += 2
    assert session.silence() == 0
    clock.seconds += 2
    assert session.silence() == pytest.approx(4)
    camera.give.release()
    until(lambda: session.board.ended)
    assert session.silence() == 0


def test_a_mistake_in_the_reader_ends_the_session_and_is_kept():
    class Broken:
        def read(self, one: Frame) -> Read:
            raise RuntimeError("a mistake")

    camera = Camera([frame(k) for k in range(3)])
    session = Session(camera, Broken(), RATE)  # pyright: ignore[reportArgumentType] - a reader by what it does
    session.start()
    camera.give.release(3)
    until(lambda: session.board.ended)
    assert isinstance(session.error, RuntimeError)
