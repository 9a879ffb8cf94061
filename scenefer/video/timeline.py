"""Timestamps to film time, and the grid on which frames are sampled."""

from __future__ import annotations

import math
from fractions import Fraction

from scenefer.video.frame import ReaderNotes

# Formats whose clock may jump within a file: broadcast streams are cut and joined without rewriting timestamps.
JUMPING = frozenset({"mpeg", "mpegts", "mpegvideo"})
_DISORDER = 1.0  # s; a smaller step back is no jump: decoders reorder up to 16 frames, wrongly near damage
_LARGEST_GAP = 10.0  # s; a larger gap in such a stream is a jump, as in ffmpeg (-dts_delta_threshold)


class Timeline:
    """Turns the timestamps of one pass, in order, into film time: seconds after the first displayed frame.

    Film times are strictly increasing. Missing or repeated timestamps are interpolated and counted. A jump, such as the
    wrap of a 33-bit clock every 26.5 hours, shifts the origin, so that film time continues, and is counted.
    """

    def __init__(
        self,
        time_base: Fraction,
        origin: int,
        frame_rate: Fraction,
        container: str,
        notes: ReaderNotes,
        *,
        slides: bool = False,
    ):
        self._time_base = time_base
        self._origin = origin  # timestamp of film time 0; shifted by jumps
        self._step = max(1, round(1 / (frame_rate * time_base)))  # usual distance between frames, in ticks
        self._jumps = container in JUMPING and not slides
        self._notes = notes
        self._last: int | None = None  # film time of the previous frame, in ticks

    def seconds(self, pts: int) -> float:
        """Film time of a timestamp, regardless of the frames around it."""
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
            elif ticks <= last:  # repeated or slightly out of order: not a jump of the clock
                ticks = last + 1
                self._notes.n_interpolated += 1
        self._last = ticks
        return self._seconds(ticks)

    def _seconds(self, ticks: int) -> float:
        # Integer arithmetic until the last division, so that a frame has the same time in every pass.
        return ticks * self._time_base.numerator / self._time_base.denominator


def grid_index(time: float, sample_rate: float) -> int:
    """Index of the last point of the sampling grid (multiples of 1 / rate, from 0) at or before a film time.

    A frame is sampled if its index is higher than that of the frame before, that is, if it is the first one at or after
    a grid point. A tolerance of one microsecond absorbs the rounding of timestamps.
    """
    return math.floor((time + 1e-6) * sample_rate)


def multiple_before(time: float, step: float) -> float:
    """Return the last multiple of ``step`` seconds at or before a film time, with the same slack."""
    # 3 * 0.2 is more than 0.6: a product may lie beyond the time that it was found from.
    return min(math.floor((time + 1e-6) / step) * step, time)
