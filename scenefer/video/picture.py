"""The pixels of a sampled frame, converted when they are asked for.

To look for faces, a small copy is enough, and it costs a third when it is made from the decoder's planes at once. All
pixels are needed only of pictures in which there is a face.
"""

from __future__ import annotations

from math import sqrt
from typing import Any, Protocol

import cv2
import numpy as np

from scenefer.core import geometry


class Picture(Protocol):
    """A frame as displayed."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, pixels."""
        ...

    @property
    def full(self) -> np.ndarray:
        """All pixels: (H, W, 3) uint8 RGB."""
        ...

    @property
    def nbytes(self) -> int:
        """How much memory it holds, about."""
        ...

    def reduced(self, most: int) -> np.ndarray:
        """Return a copy of at most ``most`` pixels, (h, w, 3) uint8 RGB; the full picture if that has no more."""
        ...


class ArrayPicture:
    """A picture that is there already.

    Args:
        pixels: (H, W, 3) uint8 RGB.
        size: width and height at which it is displayed; None = its own.
    """

    def __init__(self, pixels: np.ndarray, size: tuple[int, int] | None = None) -> None:
        self._pixels, self._size = pixels, size

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, pixels."""
        return self._size or (self._pixels.shape[1], self._pixels.shape[0])

    @property
    def full(self) -> np.ndarray:
        """All pixels, brought to the displayed size once."""
        if self._pixels.shape[1::-1] != self.size:
            self._pixels = cv2.resize(self._pixels, self.size, interpolation=cv2.INTER_CUBIC)
        return self._pixels

    @property
    def nbytes(self) -> int:
        """Its memory."""
        return self._pixels.nbytes

    def reduced(self, most: int) -> np.ndarray:
        """Reduce the pixels."""
        return geometry.shrink(self.full, *size_within(self.size, most))


class _Converter(Protocol):
    def full(self, frame: Any, /) -> np.ndarray: ...
    def reduced(self, frame: Any, size: tuple[int, int], /) -> np.ndarray: ...


class DecodedPicture:
    """A picture in the decoder's planes.

    Args:
        frame: which the decoder gave.
        converter: of the film. Small pictures may be made in another thread meanwhile.
        size: width and height at which it is displayed.
    """

    def __init__(self, frame: Any, converter: _Converter, size: tuple[int, int]) -> None:
        self._frame, self._converter, self.size = frame, converter, size
        self._full: np.ndarray | None = None

    @property
    def nbytes(self) -> int:
        """Its memory as planes of 4:2:0, 8 bits."""
        width, height = self.size
        return width * height * 3 // 2

    @property
    def full(self) -> np.ndarray:
        """All pixels, converted once."""
        if self._full is None:
            self._full = self._converter.full(self._frame)
        return self._full

    def reduced(self, most: int) -> np.ndarray:
        """Convert the planes at a smaller size."""
        size = size_within(self.size, most)
        return self.full if size == self.size else self._converter.reduced(self._frame, size)


def size_within(size: tuple[int, int], most: int) -> tuple[int, int]:
    """Reduce a width and height to at most ``most`` pixels, keeping their ratio; at least 1 x 1."""
    factor = min(1.0, sqrt(most / (size[0] * size[1])))
    return max(1, int(size[0] * factor)), max(1, int(size[1] * factor))
