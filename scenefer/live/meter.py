"""How fast pictures are read, and how late: kept for the last seconds, and for all of a session."""

from __future__ import annotations

import time
from array import array
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

_WINDOW = 5.0  # seconds that rate and delay are of


@dataclass(frozen=True)
class Pace:
    """Rate and delay; a delay is from when a picture came to when what was read in it could be seen."""

    pictures: float = 0.0  # read a second
    faces: float = 0.0  # read a second
    delay: float | None = None  # seconds, median; None where nothing was read
    late: float | None = None  # seconds, 95th percentile


class Meter:
    """Counts pictures and faces, and measures delays.

    Args:
        now: the clock, seconds; the one by which moments of capture count.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self.now = now
        self.n_pictures = 0
        self.n_faces = 0
        self._recent: deque[tuple[float, float, int]] = deque()  # done at, delay, faces
        self._delays = array("f")
        self._first: float | None = None
        self._last = 0.0

    def add(self, captured: float, n_faces: int) -> None:
        """Count a picture that came at a moment and is read now."""
        done = self.now()
        self._first = done if self._first is None else self._first
        self._last = done
        self._recent.append((done, done - captured, n_faces))
        self._delays.append(done - captured)
        self.n_pictures += 1
        self.n_faces += n_faces

    def pace(self) -> Pace:
        """Return rate and delay of the last five seconds, up to now."""
        now = self.now()
        while self._recent and now - self._recent[0][0] > _WINDOW:
            self._recent.popleft()
        if not self._recent or self._first is None:
            return Pace()
        # Shortly after the begin the window is as long as there was something to read.
        seconds = min(_WINDOW, max(now - self._first, 0.2))
        delays = sorted(delay for _, delay, _ in self._recent)
        faces = sum(n for _, _, n in self._recent)
        return Pace(len(delays) / seconds, faces / seconds, _quantile(delays, 0.5), _quantile(delays, 0.95))

    def whole(self) -> Pace:
        """Return rate and delay of all the session."""
        if self._first is None:
            return Pace()
        seconds = max(self._last - self._first, 1e-9)
        delays = sorted(self._delays)
        rate = (self.n_pictures - 1) / seconds if self.n_pictures > 1 else 0.0
        faces = self.n_faces * rate / self.n_pictures
        return Pace(rate, faces, _quantile(delays, 0.5), _quantile(delays, 0.95))


def _quantile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
