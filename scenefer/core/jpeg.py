"""Pictures as JPEG: compressed and read back."""

from __future__ import annotations

import cv2
import numpy as np

from scenefer.core.spool import Spooled


def encode(pixels: np.ndarray, quality: int = 90, *, optimize: bool = False) -> bytes:
    """Compress a picture (H, W, 3) uint8 RGB.

    Args:
        quality: 0 to 100.
        optimize: optimise the Huffman tables; slower, smaller file.

    Raises:
        ValueError: the array does not have the shape of a picture.
    """
    settings = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_OPTIMIZE, int(optimize)]
    done, encoded = cv2.imencode(".jpg", pixels[:, :, ::-1], settings)
    if not done:
        raise ValueError(f"a picture of shape {pixels.shape} cannot be compressed")
    return encoded.tobytes()


def decode(data: bytes | Spooled) -> np.ndarray:
    """Read a picture: (H, W, 3) uint8 RGB.

    Raises:
        ValueError: the bytes hold no picture.
    """
    picture = decode_or_none(data)
    if picture is None:
        raise ValueError("these bytes hold no picture")
    return picture


def decode_or_none(data: bytes | Spooled | None) -> np.ndarray | None:
    """Read a picture: (H, W, 3) uint8 RGB; None if ``data`` is None, empty or not decodable."""
    return _decoded(data, cv2.IMREAD_COLOR_RGB)


def brightness(data: bytes | Spooled) -> float:
    """Return a picture's mean brightness, 0 to 255, decoded at an eighth of its size; 0 if it cannot be decoded."""
    picture = _decoded(data, cv2.IMREAD_REDUCED_GRAYSCALE_8)
    return 0.0 if picture is None else float(picture.mean())


def thumbnail(data: bytes | Spooled, side: int) -> np.ndarray:
    """Return a grey thumbnail (side, side) float32, 0 to 255; decoded at a quarter of its size, which is fast.

    Raises:
        ValueError: the bytes hold no picture.
    """
    picture = _decoded(data, cv2.IMREAD_REDUCED_GRAYSCALE_4)
    if picture is None:
        raise ValueError("these bytes hold no picture")
    return cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA).astype(np.float32)


def _decoded(data: bytes | Spooled | None, flags: int) -> np.ndarray | None:
    return cv2.imdecode(np.frombuffer(bytes(data), np.uint8), flags) if data else None
