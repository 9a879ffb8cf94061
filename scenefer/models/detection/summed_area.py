"""Pyramid levels and crops of a picture, as averages over whole pixels from one summed-area table.

Crow, "Summed-area tables for texture mapping", SIGGRAPH 1984. The average over any rectangle takes four reads, so the
cost of a crop depends on its output size, not its input size. Results equal torch's adaptive average pooling.
"""

from __future__ import annotations

import cv2
import numpy as np


def summed_area(picture: np.ndarray) -> np.ndarray:
    """Sum a picture (H, W, 4) uint8 over all rectangles from its top left corner: (H + 1, W + 1) cells.

    A cell holds four int32 sums, stored as one 16-byte complex number, which NumPy moves in one piece.
    """
    return cv2.integral(picture).view(np.complex128)[..., 0]


def _bins(start: np.ndarray | int, length: np.ndarray | int, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Divide [start, start + length) into n bins of whole pixels, as adaptive average pooling does: starts and ends."""
    k = np.arange(n)
    return start + k * length // n, start - (-(k + 1) * length // n)


def level(table: np.ndarray, height: int, width: int) -> np.ndarray:
    """Reduce a picture to (height, width, 4) float32 by area averages."""
    top, bottom = _bins(0, table.shape[0] - 1, height)
    left, right = _bins(0, table.shape[1] - 1, width)
    rows = (table.view(np.int32)[bottom] - table.view(np.int32)[top]).view(np.complex128)
    sums = (rows.take(right, axis=1).view(np.int32) - rows.take(left, axis=1).view(np.int32)).reshape(height, width, 4)
    return sums.astype(np.float32) / np.outer(bottom - top, right - left).astype(np.float32)[..., None]


def cut(table: np.ndarray, squares: np.ndarray, side: int) -> np.ndarray:
    """Crop squares (N, 4) from a picture and resize them: (N, side, side, 4) float32.

    Parts outside the picture are cut off and the rest is stretched, as in facenet-pytorch.
    """
    x0, y0, x1, y1 = (edge[:, None] for edge in clipped(squares, table).T)
    top, bottom = (edge[:, :, None] for edge in _bins(y0, y1 - y0, side))
    left, right = (edge[:, None, :] for edge in _bins(x0, x1 - x0, side))
    cells, row = table.ravel(), table.shape[1]
    sums = cells[bottom * row + right].view(np.int32)
    sums -= cells[top * row + right].view(np.int32)
    sums -= cells[bottom * row + left].view(np.int32)
    sums += cells[top * row + left].view(np.int32)
    averages = sums.reshape(len(squares), side, side, 4).astype(np.float32)
    averages /= ((bottom - top) * (right - left)).astype(np.float32)[..., None]
    return averages


def clipped(squares: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Clip squares to whole pixels inside the picture: (N, 4) int64, ends exclusive.

    MTCNN counts pixels from 1, so a square at x begins at pixel int(x) - 1.
    """
    height, width = table.shape[0] - 1, table.shape[1] - 1
    whole = squares.astype(np.int64)
    low, high = np.maximum(whole[:, :2], 1) - 1, np.minimum(whole[:, 2:], (width, height))
    return np.concatenate([low, high], axis=1)


def touching(squares: np.ndarray, table: np.ndarray) -> np.ndarray:
    inside = clipped(squares, table)
    return np.all(inside[:, :2] < inside[:, 2:], axis=1)
