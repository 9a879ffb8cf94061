"""A session: one thread grabs pictures, one reads them, and whoever likes looks at the latest."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scenefer.live.meter import Meter, Pace
from scenefer.live.running import Running, misplaced
from scenefer.live.slot import Board, Slot

if TYPE_CHECKING:
    import numpy as np

    from scenefer.live.reading import Face, LiveReader
    from scenefer.live.recording import Recording
    from scenefer.live.sources import Source
    from scenefer.video.capture import Captured

_QUIET = 3.0  # seconds without a picture after which that is said


@dataclass(frozen=True, eq=False)
class View:
    """What viewers see: a picture, its faces, and the last seconds."""

    number: int  # of the picture, from 1, of those that were read
    time: float  # seconds since the first
    pixels: np.ndarray  # (H, W, 3) uint8
    faces: tuple[Face, ...]
    shares: np.ndarray | None  # (7,) of the last ten seconds, sum 1
    face_seconds: float  # that they rest on
    misplaced: float | None  # share that is not as intended, 0 to 1
    pace: Pace
    n_dropped: int  # pictures that came while another was read


class Session:
    """Reads a source until it ends or is stopped.

    Args:
        rate: pictures a second that are read at most.
        intended: (7,) shares, sum 1.
        now: the clock, seconds; that of the source.
    """

    def __init__(
        self,
        source: Source,
        reader: LiveReader,
        rate: float,
        *,
        intended: np.ndarray | None = None,
        recording: Recording | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.board: Board[View] = Board()
        self.meter = Meter(now)
        self.intended = intended
        self.recording = recording
        self.error: BaseException | None = None  # what ended it, where nobody asked for the end
        self.film_seconds = 0.0
        self._source, self._reader, self._rate, self._now = source, reader, rate, now
        self._slot: Slot[Captured] = Slot()
        self._running = Running()
        self._stopped = threading.Event()
        self._last_came = now()
        self._threads = [
            threading.Thread(target=self._grab, name="grab", daemon=True),
            threading.Thread(target=self._read, name="read", daemon=True),
        ]

    def start(self) -> None:
        """Begin; returns at once."""
        self._last_came = self._now()
        for thread in self._threads:
            thread.start()

    def stop(self, patience: float = 5.0) -> None:
        """End, and wait until the picture in work is read; a device that hangs is left behind after ``patience`` s."""
        self._stopped.set()
        self._slot.end()
        for thread in self._threads:
            thread.join(patience)

    @property
    def n_dropped(self) -> int:
        """Count the pictures that came while another was read."""
        return self._slot.n_dropped

    def silence(self) -> float:
        """Return the seconds since a picture came, 0 where that is not long."""
        quiet = self._now() - self._last_came
        return quiet if quiet > _QUIET and not self.board.ended else 0.0

    def _grab(self) -> None:
        try:
            for captured in self._source.frames(self._rate):
                if self._stopped.is_set():
                    break
                self._last_came = self._now()
                self._slot.put(captured)
        except Exception as error:  # told by whoever waits for the end, in the main thread
            if not self._stopped.is_set():
                self.error = error
        finally:
            self._slot.end()
            self._source.close()

    def _read(self) -> None:
        try:
            while (captured := self._slot.take()) is not None and not self._stopped.is_set():
                self._show(captured)
        except Exception as error:
            self.error = error
            self._stopped.set()
        finally:
            self.board.end()

    def _show(self, captured: Captured) -> None:
        frame = captured.frame
        assert frame.pixels is not None  # sources give samples alone
        read = self._reader.read(frame)
        self._running.add(frame.time, read.weight, read.counted)
        shares = self._running.shares()
        self.meter.add(captured.moment, len(read.faces))
        self.film_seconds = frame.time
        self.board.put(
            View(
                number=self.meter.n_pictures,
                time=frame.time,
                pixels=frame.pixels,
                faces=read.faces,
                shares=shares,
                face_seconds=self._running.face_seconds(),
                misplaced=None if shares is None or self.intended is None else misplaced(self.intended, shares),
                pace=self.meter.pace(),
                n_dropped=self._slot.n_dropped,
            )
        )
        if self.recording is not None:
            self.recording.add(read.observation)
