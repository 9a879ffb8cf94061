"""Boxes, crops, turn and sharpness of faces: NumPy in, NumPy out.

Boxes are xyxy in pixels, origin top left. Landmarks are (5, 2): the eye on the picture's left, the one on its right,
the nose, the mouth corner on the left, the one on the right.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

CROP_MARGIN = 1.4  # side of a stored crop, as a multiple of the larger side of the box
CROP_LARGEST = 160  # px; larger crops are reduced to it, smaller ones are never enlarged

# Of the generic head in OpenCV's examples (S. Mallick, Head Pose Estimation using OpenCV and Dlib, 2016): the nose tip
# stands 135 units before the outer eye corners, which are 2 x 225 apart. The centres of the eyes, which detectors
# report, are 0.7 times as far apart as the outer corners (63 of 90 mm, Dodgson 2004). The ratio is 0.86; MTCNN's
# landmarks of three heads that turn from frontal to profile give 0.87 to 0.91.
_NOSE_DEPTH = 135 / (0.7 * 225)  # in half distances of the eyes

_SHARPNESS_SIDE = 48  # px; faces are compared at one size, the one that the expression network sees


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


def crop_faces(levels: Sequence[np.ndarray], boxes: np.ndarray) -> list[np.ndarray]:
    """Cut the face of every box, with its surroundings, out of a picture.

    Args:
        levels: the picture (H, W, 3) uint8 and, where they are at hand, its halves: a large face is cut from these.
        boxes: (N, 4) pixels of the picture.

    Returns:
        N squares (S, S, 3) uint8, S ≤ CROP_LARGEST; edges replicated where the square leaves the picture.
    """
    import cv2
    import numpy as np

    crops = []
    for x, y, side in crop_squares(boxes):
        pixels = levels[min(int(np.log2(max(side / CROP_LARGEST, 1))), len(levels) - 1)]
        height, width = pixels.shape[:2]
        factor_y, factor_x = height / levels[0].shape[0], width / levels[0].shape[1]
        edge = max(1, round(side * factor_x))
        rows, above, below = _inside(round((y - side / 2) * factor_y), edge, height)
        columns, before, behind = _inside(round((x - side / 2) * factor_x), edge, width)
        inside = pixels[rows, columns]
        if above or below or before or behind:
            inside = cv2.copyMakeBorder(inside, above, below, before, behind, cv2.BORDER_REPLICATE)
        if edge > CROP_LARGEST:
            inside = shrink(inside, CROP_LARGEST, CROP_LARGEST)
        crops.append(np.ascontiguousarray(inside))
    return crops


def halves(pixels: np.ndarray, width: int, height: int) -> list[np.ndarray]:
    """Return a picture (H, W, 3) uint8, its half, the half of that, … as long as they are no smaller than asked for."""
    import cv2

    levels = [pixels]
    while pixels.shape[0] >= 2 * height and pixels.shape[1] >= 2 * width:
        half = (pixels.shape[1] // 2, pixels.shape[0] // 2)
        pixels = cv2.resize(pixels, half, interpolation=cv2.INTER_AREA)
        levels.append(pixels)
    return levels


def shrink(pixels: np.ndarray, width: int, height: int) -> np.ndarray:
    """Reduce a picture (H, W, 3) uint8 to (height, width, 3).

    Halving by areas is a vector loop in OpenCV, other area factors are not: halves first, and the rest, a factor below
    2, is interpolated; twice as fast as areas all the way from 1080 lines to 360.
    """
    import cv2

    smallest = halves(pixels, width, height)[-1]
    if smallest.shape[:2] == (height, width):
        return smallest
    return cv2.resize(smallest, (width, height), interpolation=cv2.INTER_LINEAR)


def _inside(start: int, length: int, limit: int) -> tuple[slice, int, int]:
    """Return the part of [start, start + length) that lies in [0, limit), one pixel at least, and what is missing."""
    first = min(max(start, 0), limit - 1)
    last = max(min(start + length, limit), first + 1)
    missing = length - (last - first)
    before = min(max(-start, 0), missing)
    return slice(first, last), before, missing - before


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


def yaw(landmarks: np.ndarray) -> np.ndarray:
    """Estimate how far heads are turned to the side.

    Weak perspective, a rigid head: turned by an angle, half the distance of the eyes shrinks with its cosine, and the
    nose tip, which stands before the plane of eyes and mouth, leaves the face's midline by its depth times the sine.
    Both are measured across the midline (middle of the eyes to middle of the mouth), so that a tilted head is none that
    is turned. A nod alters the estimate little; expressions that pull the mouth aside alter it by a few degrees.

    Args:
        landmarks: (N, 5, 2) pixels.

    Returns:
        (N,) float32 degrees, -90 to 90; 0 = frontal, positive = towards the picture's right.
    """
    import numpy as np

    left, right, nose, mouth_left, mouth_right = np.moveaxis(landmarks.astype(np.float64), 1, 0)
    eyes = (left + right) / 2
    down = (mouth_left + mouth_right) / 2 - eyes
    across = np.stack([down[:, 1], -down[:, 0]], axis=1)  # at right angles to the midline, not normalised
    offset = ((nose - eyes) * across).sum(axis=1)
    half = ((right - left) * across).sum(axis=1) / 2
    return np.degrees(np.arctan2(offset / _NOSE_DEPTH, np.maximum(half, 0))).astype(np.float32)


def sharpness(crops: Sequence[np.ndarray], boxes: np.ndarray) -> np.ndarray:
    """Measure how sharp faces are by the variance of the Laplacian (Pech-Pacheco et al., ICPR 2000).

    Args:
        crops: N pictures (S, S, 3) uint8 RGB, as ``crop_faces`` cuts them.
        boxes: (N, 4) the face as fractions of its crop, as ``in_crop`` gives them.

    Returns:
        (N,) float32, of the face at 48 x 48 px, grey 0 to 255; a face that was smaller is enlarged, hence never sharp.
    """
    import cv2
    import numpy as np

    values = np.zeros(len(crops), np.float32)
    for place, (picture, box) in enumerate(zip(crops, boxes, strict=True)):
        height, width = picture.shape[:2]
        x0, y0, x1, y1 = np.clip(np.rint(box * [width, height, width, height]), 0, [width, height] * 2).astype(int)
        face = cv2.cvtColor(picture[y0 : max(y1, y0 + 1), x0 : max(x1, x0 + 1)], cv2.COLOR_RGB2GRAY)
        method = cv2.INTER_AREA if min(face.shape) > _SHARPNESS_SIDE else cv2.INTER_LINEAR
        small = cv2.resize(face, (_SHARPNESS_SIDE, _SHARPNESS_SIDE), interpolation=method)
        values[place] = cv2.Laplacian(small, cv2.CV_64F).var()
    return values
