"""What a reader hands out: frames, and notes about what went wrong on the way."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from scenefer.film import clock

if TYPE_CHECKING:
    import numpy as np

_KEPT = 50  # damaged places that are remembered; all are counted


class Frame(NamedTuple):
    """A frame of the film as displayed: rotation and sample aspect ratio applied, RGB."""

    # Counts the frames of this pass, from 0; -1 for the run-up. It hides tuple.index, which nobody needs of a frame.
    index: int  # pyright: ignore[reportIncompatibleMethodOverride]
    time: float  # film time, seconds
    small: np.ndarray  # (h, w, 3) uint8, 320 px wide or the film's width, if that is less
    pixels: np.ndarray | None  # (H, W, 3) uint8 of a sampled frame and of the run-up, None of the others
    run_up: bool = False  # lies before the span and is only the predecessor of its first frame


@dataclass
class ReaderNotes:
    """What happened while frames were read; one of each pass, merged over the chunks of a film.

    All fields are plain values, so that ``dataclasses.asdict`` gives JSON and ``ReaderNotes(**fields)`` reads it back.
    """

    n_damaged: int = 0  # packets or pictures that could not be decoded
    damaged: list[tuple[float, str]] = field(default_factory=list)  # film time (s) and reason, the first of them
    ended: tuple[float, float] | None = None  # film times (s) at which the picture ends and at which it should
    n_interpolated: int = 0  # frames without a usable timestamp
    n_backward: int = 0  # jumps of the container's clock that film time does not follow
    first_backward: float | None = None  # film time, s
    n_resized: int = 0  # frames of another size than the first
    reshaped: float | None = None  # film time (s) from which on pixels have another shape than at the beginning
    n_deinterlaced: int = 0
    hdr: str = ""  # "PQ" or "HLG" where the film was converted from it

    def __post_init__(self) -> None:
        self.damaged = [(time, reason) for time, reason in self.damaged]  # JSON knows no tuples
        self.ended = (self.ended[0], self.ended[1]) if self.ended else None

    @property
    def partial(self) -> bool:
        """Whether something of the film could not be read."""
        return self.n_damaged > 0 or self.ended is not None

    def damage(self, time: float, reason: str) -> None:
        """Count something that could not be decoded at a film time in seconds."""
        self.n_damaged += 1
        if len(self.damaged) < _KEPT:
            self.damaged.append((time, reason))

    def merge(self, other: ReaderNotes) -> None:
        """Add the notes of another pass over the same film."""
        self.damaged = sorted([*self.damaged, *other.damaged])[:_KEPT]
        for count in ("n_damaged", "n_interpolated", "n_backward", "n_resized", "n_deinterlaced"):
            setattr(self, count, getattr(self, count) + getattr(other, count))
        if other.ended is not None:
            self.ended = min(self.ended, other.ended) if self.ended else other.ended
        for first in ("first_backward", "reshaped"):
            times = [time for time in (getattr(self, first), getattr(other, first)) if time is not None]
            setattr(self, first, min(times, default=None))
        self.hdr = self.hdr or other.hdr

    def warnings(self) -> list[str]:
        """Say in words what a reader of the report should know."""
        said = []
        if self.n_damaged:
            places = "1 place" if self.n_damaged == 1 else f"{self.n_damaged} places"
            time, reason = self.damaged[0]
            said.append(f"damaged: {places} could not be decoded, the first at {clock(time)} ({reason})")
        if self.ended:
            said.append(
                f"partly readable: the picture ends at {clock(self.ended[0])}, "
                f"although the file promises {clock(self.ended[1])}"
            )
        if self.n_interpolated:
            said.append(f"{self.n_interpolated} frames have no usable timestamp; their times were interpolated")
        if self.first_backward is not None:
            said.append(
                f"the file's clock jumps {self.n_backward} times, first at {clock(self.first_backward)}; "
                "film time goes on without the jumps"
            )
        if self.n_resized:
            said.append(f"the picture changes its size; {self.n_resized} frames were scaled to the first one's")
        if self.reshaped is not None:
            said.append(
                f"the film changes the shape of its pixels at {clock(self.reshaped)}; it is shown in that of its "
                "beginning, and faces after it may be too narrow or too wide"
            )
        if self.n_deinterlaced:
            said.append(f"{self.n_deinterlaced} interlaced frames were deinterlaced")
        if self.hdr:
            said.append(
                f"HDR ({self.hdr}) was converted to standard range: white is 203 cd/m², what is brighter is compressed"
            )
        return said
