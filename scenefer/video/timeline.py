"""Timestamps to film time, and the grid on which frames are sampled."""

from __future__ import annotations

import math
from fractions import Fraction

from scenefer.video.frame import ReaderNotes

# Clocks that may jump in the middle of a file: broadcast streams are cut and joined without rewriting timestamps.
JUMPING = frozenset({"mpeg", "mpegts", "mpegvideo"})
_DISORDER = 1.0  # s; decoders reorder 16 frames at most, and do so wrongly around damage: less than this is no jump
_LARGEST_GAP = 10.0  # s; ffmpeg's -dts_delta_threshold, beyond which it too takes a gap in such a stream for a jump


class Timeline:
    """Turns the timestamps of one pass, in order, into film time: seconds after the first displayed frame.

    Times rise strictly. Where the timestamps do not, the clock goes on: a missing or repeated timestamp is interpolated
    and counted; a jump backwards (a 33-bit clock wraps every 26.5 hours) moves the origin and is counted.
    """

    def __init__(self, time_base: Fraction, origin: int, frame_rate: Fraction, container: str, notes: ReaderNotes):
        self._time_base = time_base
        self._origin = origin  # timestamp at film time 0, moved by jumps
        self._step = max(1, round(1 / (frame_rate * time_base)))  # the usual distance of two frames, in ticks
        self._jumps = container in JUMPING
        self._notes = notes
        self._last: int | None = None  # ticks of film time of the frame before

    def seconds(self, pts: int) -> float:
        """Film time of a timestamp, without regard to the frames around it."""
        return self._seconds(pts - self._origin)

    def advance(self, pts: int | None) -> float:
        """Film time of the next frame."""
        last = self._last
        if pts is None:
            ticks = 0 if last is None else last + self._step
            self._notes.n_interpolated += 1
        else:
            ticks = pts - self._origin
        if last is not None and pts is not None:
            gap = (ticks - last) * self._time_base
            if gap < -_DISORDER or (self._jumps and gap > _LARGEST_GAP):
                self._origin = pts - last - self._step
                ticks = last + self._step
                self._notes.n_backward += 1
                if self._notes.first_backward is None:
                    self._notes.first_backward = self._seconds(ticks)
            elif ticks <= last:  # repeated or slightly disordered: the clock itself is right
                ticks = last + 1
                self._notes.n_interpolated += 1
        self._last = ticks
        return self._seconds(ticks)

    def _seconds(self, ticks: int) -> float:
        # Integers until the last division: the same frame has the same time in every pass.
        return ticks * self._time_base.numerator / self._time_base.denominator


def grid_index(time: float, sample_rate: float) -> int:
    """Number of the last point of the sampling grid (multiples of 1 / rate, from 0) at or before a film time.

    A frame is a sample if this number is higher than that of the frame before: then it is the first one at or after a
    grid point. A microsecond of slack absorbs the rounding of timestamps.
    """
    return math.floor((time + 1e-6) * sample_rate)
