"""The pictures of a report: reduced, and packed into the page as data URIs."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Sequence

import cv2
import numpy as np

from scenefer.core import jpeg
from scenefer.core.geometry import crop_squares
from scenefer.core.spool import Spooled

_BEYOND = (70, 70, 70)  # grey for the area outside the film's picture


def packed(
    stored: bytes | Spooled | None,
    longest: int,
    quality: int = 76,
    inside: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0),
) -> str | None:
    """Downscale a JPEG to at most ``longest`` pixels and encode it as a data URI; None if absent or unreadable.

    Args:
        inside: the part that shows the film, as fractions: left, top, right, bottom; the rest is painted grey.
    """
    picture = jpeg.decode_or_none(stored)
    if picture is None:
        return None
    if inside != (0.0, 0.0, 1.0, 1.0):
        height, width = picture.shape[:2]
        left, top, right, bottom = (round(edge * size) for edge, size in zip(inside, (width, height) * 2, strict=True))
        framed = np.full_like(picture, _BEYOND)
        framed[top:bottom, left:right] = picture[top:bottom, left:right]
        picture = framed
    scale = longest / max(picture.shape[:2])
    if scale < 1:
        size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return f"data:image/jpeg;base64,{b64encode(jpeg.encode(picture, quality, optimize=True)).decode()}"


def inside_of(box: Sequence[float], width: int, height: int) -> tuple[float, float, float, float]:
    """Return the part of a face's crop that lies inside the film's picture: outside, a crop repeats the edge pixels.

    Args:
        box: xyxy in pixels of the film, whose size is ``width`` by ``height``.
    """
    (x, y, side) = crop_squares(np.array([box], np.float64))[0].tolist()
    left, top = x - side / 2, y - side / 2
    ends = ((0 - left), (0 - top), (width - left), (height - top))
    return tuple(min(1.0, max(0.0, end / side)) for end in ends)  # pyright: ignore[reportReturnType] - four of them


def unpacked(packed: str) -> bytes:
    """Return the JPEG of a data URI that ``packed`` made."""
    return b64decode(packed.partition(",")[2])
