"""Output of a reader: frames, and notes about problems while reading."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from scenefer.core.film import clock

if TYPE_CHECKING:
    import numpy as np

    from scenefer.video.picture import Picture

_KEPT = 50  # number of damaged places that are listed; all are counted


class Frame(NamedTuple):
    """A frame of the film as displayed: rotation and sample aspect ratio applied, RGB."""

    # Number of the frame in this pass, from 0; -1 for the run-up. It hides tuple.index, which frames do not need.
    index: int  # pyright: ignore[reportIncompatibleMethodOverride]
    time: float  # film time, seconds
    # (h, w, 3) uint8, 160 px wide or the film's width, if that is less; to compare: quickly made, a little jagged
    small: np.ndarray
    picture: Picture  # the frame itself
    sampled: bool = True  # whether faces are looked for in it
    run_up: bool = False  # lies before the span: what is found in the span may follow from it

    @property
    def pixels(self) -> np.ndarray | None:
        """All pixels of a sampled frame, (H, W, 3) uint8; None of the others."""
        return self.picture.full if self.sampled else None


@dataclass
class ReaderNotes:
    """Problems and conversions while frames were read; one object per pass, merged over the chunks of a film.

    All fields are plain values, so ``dataclasses.asdict`` gives JSON data and ``ReaderNotes(**fields)`` restores it.
    """

    n_damaged: int = 0  # packets or pictures that could not be decoded
    damaged: list[tuple[float, str]] = field(default_factory=list)  # film time (s) and reason of the first ones
    ended: tuple[float, float] | None = None  # film times (s) of the actual and the declared end of the picture
    n_interpolated: int = 0  # frames without a usable timestamp
    n_backward: int = 0  # jumps of the container's clock, which film time ignores
    first_backward: float | None = None  # film time, s
    n_resized: int = 0  # frames whose size differs from the film's
    n_too_small: int = 0  # of these, samples that were too small to search for faces
    first_too_small: float | None = None  # film time, s
    reshaped: float | None = None  # film time (s) at which the sample aspect ratio first changes
    n_deinterlaced: int = 0
    hdr: str = ""  # "PQ" or "HLG" if the film was converted from it

    def __post_init__(self) -> None:
        self.damaged = [(time, reason) for time, reason in self.damaged]  # JSON has no tuples
        self.ended = (self.ended[0], self.ended[1]) if self.ended else None

    @property
    def partial(self) -> bool:
        """Whether something of the film could not be read."""
        return self.n_damaged > 0 or self.ended is not None

    def damage(self, time: float, reason: str) -> None:
        """Record a packet or picture that could not be decoded at a film time in seconds."""
        self.n_damaged += 1
        if len(self.damaged) < _KEPT:
            self.damaged.append((time, reason))

    def merge(self, other: ReaderNotes) -> None:
        """Add the notes of another pass over the same film."""
        self.damaged = sorted([*self.damaged, *other.damaged])[:_KEPT]
        for count in ("n_damaged", "n_interpolated", "n_backward", "n_resized", "n_too_small", "n_deinterlaced"):
            setattr(self, count, getattr(self, count) + getattr(other, count))
        if other.ended is not None:
            self.ended = min(self.ended, other.ended) if self.ended else other.ended
        for first in ("first_backward", "first_too_small", "reshaped"):
            times = [time for time in (getattr(self, first), getattr(other, first)) if time is not None]
            setattr(self, first, min(times, default=None))
        self.hdr = self.hdr or other.hdr

    def warnings(self) -> list[str]:
        """Return sentences that warn a reader of the report."""
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
            said.append(
                f"the picture changes its size; {self.n_resized} frames were scaled to that of most of the film"
            )
        if self.first_too_small is not None:
            said.append(
                f"{self.n_too_small} samples, first at {clock(self.first_too_small)}, are far smaller than the film; "
                "no face was looked for in them, and their time counts as not decoded"
            )
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
