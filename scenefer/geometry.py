"""Boxes and crops of faces: NumPy in, NumPy out.

Boxes are xyxy in pixels, origin top left. Landmarks are (5, 2): the eye on the picture's left, the one on its right, the
nose, the mouth corner on the left, the one on the right.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

CROP_MARGIN = 1.4  # side of a stored crop, as a multiple of the larger side of the box
CROP_LARGEST = 160  # px; larger crops are reduced to it, smaller ones are never enlarged


def iou(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Compute intersection over union of every box of ``a`` (N, 4) with every box of ``b`` (M, 4): (N, M), 0 to 1.

    Raises:
        ValueError: a or b is not of shape (_, 4).
    """
    import numpy as np

    for name, boxes in (("a", a), ("b", b)):
        if boxes.ndim != 2 or boxes.shape[1] != 4:
            raise ValueError(f"{name} must have shape (N, 4), got {boxes.shape}")
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=2)
    area_a = np.clip(a[:, 2:] - a[:, :2], 0, None).prod(axis=1)
    area_b = np.clip(b[:, 2:] - b[:, :2], 0, None).prod(axis=1)
    union = area_a[:, None] + area_b[None, :] - shared
    return np.divide(shared, union, out=np.zeros_like(shared, dtype=float), where=union > 0)


def crop_squares(boxes: np.ndarray) -> np.ndarray:
    """Return the squares that crops are cut from: (N, 3) float64 of centre x, centre y and side, in pixels."""
    import numpy as np

    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    sides = CROP_MARGIN * np.max(boxes[:, 2:] - boxes[:, :2], axis=1)
    return np.column_stack([centres, sides]).astype(np.float64)


def crop_faces(pixels: np.ndarray, boxes: np.ndarray) -> list[np.ndarray]:
    """Cut the face of every box, with its surroundings, out of a picture.

    Args:
        pixels: (H, W, 3) uint8.
        boxes: (N, 4) pixels of the picture.

    Returns:
        N squares (S, S, 3) uint8, S ≤ CROP_LARGEST; edges replicated where the square leaves the picture.
    """
    import cv2
    import numpy as np

    height, width = pixels.shape[:2]
    crops = []
    for x, y, side in crop_squares(boxes):
        edge = max(1, round(side))
        left, top = round(x - side / 2), round(y - side / 2)
        inside = pixels[max(top, 0) : max(min(top + edge, height), 1), max(left, 0) : max(min(left + edge, width), 1)]
        pad_top, pad_left = max(-top, 0), max(-left, 0)
        pad_bottom = max(edge - inside.shape[0] - pad_top, 0)
        pad_right = max(edge - inside.shape[1] - pad_left, 0)
        if pad_top or pad_bottom or pad_left or pad_right:
            inside = cv2.copyMakeBorder(inside, pad_top, pad_bottom, pad_left, pad_right, cv2.BORDER_REPLICATE)
        if edge > CROP_LARGEST:
            inside = cv2.resize(inside, (CROP_LARGEST, CROP_LARGEST), interpolation=cv2.INTER_AREA)
        crops.append(np.ascontiguousarray(inside))
    return crops


def in_crop(boxes: np.ndarray, landmarks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Express boxes (N, 4) and landmarks (N, 5, 2) as fractions of their crops: (0, 0) top left, (1, 1) bottom right.

    The crop's size in pixels does not matter, so a crop read back from a table is framed as it was when it was cut.
    """
    import numpy as np

    squares = crop_squares(boxes)
    origin = squares[:, :2] - squares[:, 2:] / 2
    side = squares[:, 2]
    framed = (boxes.reshape(-1, 2, 2) - origin[:, None]) / side[:, None, None]
    points = (landmarks - origin[:, None]) / side[:, None, None]
    return framed.reshape(-1, 4).astype(np.float32), points.astype(np.float32)
