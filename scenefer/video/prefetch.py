"""Reads frames ahead of the consumer in a thread, with bounded memory."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Generator, Iterator

from scenefer.video.frame import Frame

_BYTES = 64 << 20  # limit for queued frames: 20 of 1080p, 5 of 4K


def ahead(source: Generator[Frame, None, None], depth: int, stopped: threading.Event | None = None) -> Iterator[Frame]:
    """Yield the frames of ``source``, computed up to ``depth`` frames and about 100 MB ahead.

    An exception in the source is re-raised here after the frames before it. However the consumer ends, the thread that
    runs the source closes it before this generator finishes.

    Args:
        stopped: event that is set when the consumer ends; the source may decode for minutes without yielding a frame,
            and can check it.
    """
    queue = _Queue(depth, stopped or threading.Event())
    thread = threading.Thread(target=_fill, args=(queue, source), name="scenefer-reader", daemon=True)
    thread.start()
    try:
        while (frame := queue.get()) is not None:
            yield frame
    finally:
        queue.stop()
        thread.join()
    if queue.failure is not None:
        raise queue.failure


class _Queue:
    """Frames between the thread that reads and the one that consumes, limited in number and in bytes."""

    def __init__(self, depth: int, stopped: threading.Event) -> None:
        self.failure: BaseException | None = None  # of the source
        self._depth, self._stopped = depth, stopped
        self._waiting: deque[Frame] = deque()
        self._bytes = 0
        self._ended = False
        self._changed = threading.Condition()

    def put(self, frame: Frame) -> bool:
        """Add a frame once there is room; False if the consumer has ended."""
        with self._changed:
            # An empty queue takes any frame, however large.
            while self._waiting and not self._stopped.is_set() and self._is_full():
                self._changed.wait()
            if self._stopped.is_set():
                return False
            self._waiting.append(frame)
            self._bytes += _size(frame)
            self._changed.notify()
            return True

    def get(self) -> Frame | None:
        """Wait for a frame and take it; None after the last one."""
        with self._changed:
            while not self._waiting and not self._ended:
                self._changed.wait()
            if not self._waiting:
                return None
            frame = self._waiting.popleft()
            self._bytes -= _size(frame)
            self._changed.notify()
            return frame

    def end(self, failure: BaseException | None) -> None:
        """Say that the source gives no more frames, and why if it failed."""
        with self._changed:
            self.failure = failure
            self._ended = True
            self._changed.notify()

    def stop(self) -> None:
        """Say that the consumer takes no more frames."""
        with self._changed:
            self._stopped.set()
            self._waiting.clear()
            self._changed.notify()

    def _is_full(self) -> bool:
        return len(self._waiting) >= self._depth or self._bytes > _BYTES


def _fill(queue: _Queue, source: Generator[Frame, None, None]) -> None:
    failure: BaseException | None = None
    try:
        for frame in source:
            if not queue.put(frame):
                break
    except BaseException as error:  # the consumer re-raises it
        failure = error
    finally:
        source.close()
        queue.end(failure)


def _size(frame: Frame) -> int:
    return frame.small.nbytes + frame.picture.nbytes
