"""Repairs timestamps that do not match the pictures.

Broadcast streams are cut and joined without rewriting timestamps, so a part may begin before the previous one ends. AVI
has no presentation timestamps; its timestamps only give the coding order.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from scenefer.video.frame import ReaderNotes
from scenefer.video.timeline import JUMPING

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.frame import VideoFrame

AVI = "avi"
_DISORDER = 0.5  # s; near damage, packets may be out of order by up to this much


class Stamps:
    """Repairs the timestamps of one pass: of packets before decoding, and of decoded pictures."""

    def __init__(self, container: str, time_base: Fraction, frame_rate: Fraction, origin: int, notes: ReaderNotes):
        self._coding_order = container == AVI
        self._joined = container in JUMPING
        self._time_base = time_base
        self._step = max(1, round(1 / (frame_rate * time_base)))  # ticks
        self._origin = origin  # timestamp at film time 0
        self._notes = notes
        self._first: int | None = None  # timestamp of the first packet
        self._decoded: int | None = None  # decoding timestamp of the previous packet
        self._shown: int | None = None  # the latest presentation timestamp so far
        self._shift = 0  # ticks to add to every timestamp

    def mend(self, packet: Packet) -> None:
        """Correct a packet's timestamps before it is decoded."""
        if packet.dts is None:
            return
        if self._coding_order:
            self._first = packet.dts if self._first is None else self._first
            packet.pts = packet.dts + self._shift
        elif self._joined:
            self._continue(packet, packet.dts)

    def of(self, frame: VideoFrame) -> int | None:
        """Return a picture's presentation timestamp; pictures must come in display order."""
        if not self._coding_order:
            return frame.pts
        # In AVI a picture is shown at the position of the packet for which the decoder outputs it, minus the decoder's
        # delay, known from the first picture. Positions without a packet keep the picture on screen. When the decoder
        # is flushed at the end there are no packets left, so the clock advances by one step.
        if self._shown is None:
            self._shift = (self._first or 0) - (frame.dts or 0)
        given_out = None if frame.dts is None else frame.dts + self._shift
        self._shown = (self._shown or 0) + self._step if given_out is None else given_out
        return self._shown

    def _continue(self, packet: Packet, decoded: int) -> None:
        """If a part's clock begins before the end of the previous part, shift it to follow that part directly."""
        decoded += self._shift
        shown = None if packet.pts is None else packet.pts + self._shift
        back = 0 if self._decoded is None else self._decoded - decoded
        if back > 0 and (packet.is_keyframe or back * self._time_base > _DISORDER):
            # The first key frame of a part is its first picture; other packets only tell the decoding order.
            known = packet.is_keyframe and shown is not None and self._shown is not None
            moved = self._step + ((self._shown or 0) - (shown or 0) if known else back)
            self._shift, decoded, shown = self._shift + moved, decoded + moved, (shown or decoded) + moved
            self._notes.n_backward += 1
            if self._notes.first_backward is None:
                self._notes.first_backward = float((shown - self._origin) * self._time_base)
        self._decoded = packet.dts = decoded
        if shown is not None:
            packet.pts, self._shown = shown, max(shown, self._shown or shown)
