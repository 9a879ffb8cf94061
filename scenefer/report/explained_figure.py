"""The drawing of ``explain`` with a heading, a caption for every picture, and a colour key."""

from __future__ import annotations

import cv2
import numpy as np

from scenefer.report import lettering

_INK, _SOFT = (29, 29, 31), (110, 110, 115)
_GAP, _LINE = 16, 26  # px
_KEY = (160, 12)  # px, width and height of the colours' key


def figure(drawn: np.ndarray, side: int, emotion: str, about: str) -> np.ndarray:
    """Add text to a drawing.

    Args:
        drawn: (rows · side, columns · side, 3) uint8 RGB; one row per network: the face, one mask per stage, Grad-CAM.
        side: px of a picture.
        emotion: detected by the network.
        about: which face, and which weights.

    Returns:
        (H, W, 3) uint8 RGB, on white.
    """
    n = drawn.shape[1] // side
    names = ["the face", *(f"mask of stage {stage}" for stage in range(1, n - 1)), f"what spoke for {emotion}"]
    top = _GAP + 3 * _LINE
    page = np.full((top + drawn.shape[0] + _LINE + _GAP, drawn.shape[1] + 2 * _GAP, 3), 255, np.uint8)
    _write(page, f"Read as {emotion}", _GAP, _GAP, 20, bold=True)
    _write(page, about, _GAP, _GAP + _LINE, 13)
    for column, name in enumerate(names):
        _write(page, name, _GAP + column * side, top - _LINE + 4, 13, widest=side - 8)
    page[top : top + drawn.shape[0], _GAP : _GAP + drawn.shape[1]] = drawn
    _key(page, _GAP, top + drawn.shape[0] + 8)
    return page


def _write(page: np.ndarray, said: str, x: int, y: int, size: int, *, bold: bool = False, widest: int = 0) -> None:
    written = lettering.text(said, size, bold, _INK if bold else _SOFT, widest or page.shape[1] - x - _GAP)
    lettering.paste(page, written, x, y)


def _key(page: np.ndarray, x: int, y: int) -> None:
    """Draw the colour key, from least to most, with its caption."""
    width, height = _KEY
    ramp = np.tile(np.linspace(0, 255, width).astype(np.uint8), (height, 1))
    page[y : y + height, x : x + width] = cv2.applyColorMap(ramp, cv2.COLORMAP_JET)[:, :, ::-1]
    _write(page, "how much a place counts in its picture: from least to most", x + width + 10, y - 3, 13)
