"""Reads frames ahead of the consumer in a thread, with bounded memory."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Generator, Iterator

from scenefer.video.frame import Frame

_BYTES = 96 << 20  # limit for queued pixels: 15 frames of 1080p, 3 of 4K


def ahead(source: Generator[Frame, None, None], depth: int, stopped: threading.Event | None = None) -> Iterator[Frame]:
    """Yield the frames of ``source``, computed up to ``depth`` frames and about 100 MB ahead.

    An exception in the source is re-raised here after the frames before it. However the consumer ends, the thread that
    runs the source closes it before this generator finishes.

    Args:
        stopped: event that is set when the consumer ends; the source may decode for minutes without yielding a frame,
            and can check it.
    """
    stopped = stopped or threading.Event()
    waiting: deque[Frame] = deque()
    changed = threading.Condition()
    waiting_bytes = 0
    finished = False
    failure: BaseException | None = None

    def run() -> None:
        nonlocal waiting_bytes, finished, failure
        try:
            for frame in source:
                with changed:
                    # An empty queue takes any frame, however large.
                    while waiting and not stopped.is_set() and (len(waiting) >= depth or waiting_bytes > _BYTES):
                        changed.wait()
                    if stopped.is_set():
                        break
                    waiting.append(frame)
                    waiting_bytes += _size(frame)
                    changed.notify()
        except BaseException as error:  # the consumer re-raises it
            failure = error
        finally:
            source.close()
            with changed:
                finished = True
                changed.notify()

    thread = threading.Thread(target=run, name="scenefer-reader", daemon=True)
    thread.start()
    try:
        while True:
            with changed:
                while not waiting and not finished:
                    changed.wait()
                if not waiting:
                    break
                frame = waiting.popleft()
                waiting_bytes -= _size(frame)
                changed.notify()
            yield frame
    finally:
        with changed:
            stopped.set()
            waiting.clear()
            changed.notify()
        thread.join()
    if failure is not None:
        raise failure


def _size(frame: Frame) -> int:
    return frame.small.nbytes + (0 if frame.pixels is None else frame.pixels.nbytes)
