"""Conversion of pictures with more than 8 bits to 8; samples may use only part of the range of their data type."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from PIL import Image

_BITS = (8, 10, 12, 14, 16)  # bit depths that cameras and scanners store in 16-bit samples
_NEARLY_BLACK = 31  # of 255; if no 8-bit value is brighter, the picture may use only the lower of its 16 bits
_LARGEST_SAMPLE, _SAMPLE_FORMAT, _UNSIGNED = 281, 339, 1  # two TIFF tags, and a value of the second


def eight_bits(stored: Image.Image, path: Path | None = None) -> Image.Image | None:
    """Scale a picture's samples to 8 bits by the range that they use.

    Args:
        stored: the picture, with its pixels loaded.
        path: its file; needed to read colour pictures with 16 bits again.

    Returns:
        The scaled picture; None if it already has 8 bits.
    """
    if stored.mode == "F" or stored.mode.startswith("I"):
        samples = np.asarray(stored)
        tags = getattr(stored, "tag_v2", {})
        if stored.mode == "I" and tags.get(_SAMPLE_FORMAT, (0,))[0] == _UNSIGNED:
            samples = samples.view(np.uint32)
        said = tags.get(_LARGEST_SAMPLE)
        return Image.fromarray(_scaled(samples, said if isinstance(said, int) else None))
    if path is not None and stored.mode == "RGB" and stored.format in ("TIFF", "PNG"):
        dark = np.asarray(stored).max(initial=0) <= _NEARLY_BLACK
        if dark and (wide := _colours_of_16_bits(path)) is not None:
            return Image.fromarray(_scaled(wide, None))
    return None


def _colours_of_16_bits(path: Path) -> np.ndarray | None:
    read = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
    if read is None or read.dtype != np.uint16 or read.ndim != 3 or read.shape[2] != 3:
        return None
    return read[:, :, ::-1]


def _scaled(samples: np.ndarray, largest: int | None) -> np.ndarray:
    """Scale samples to 0..255 uint8; ``largest`` is the value of white that the file states."""
    values = np.nan_to_num(samples.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    values -= min(values.min(initial=0.0), 0.0)
    high = float(values.max(initial=0.0))
    if largest is not None and largest >= high:
        white = float(largest)
    elif samples.dtype.kind == "f":
        white = max(high, 1.0)  # 1 is white, unless something is brighter
    else:
        white = next((2.0**bits - 1 for bits in _BITS if high < 2**bits), high)
    return np.floor(values * (255.999 / max(white, 1e-9))).clip(0, 255).astype(np.uint8)
