"""Boxes, crops, head pose and sharpness of faces: NumPy in, NumPy out.

Boxes are xyxy in pixels, origin top left. Landmarks are (5, 2): left eye, right eye, nose, left mouth corner, right
mouth corner; left and right as seen in the picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    import pandas as pd

CROP_MARGIN = 1.4  # side of a stored crop, as a multiple of the larger side of the box
CROP_LARGEST = 160  # px; larger crops are reduced to it, smaller ones are never enlarged
LEVEL_FROM = 12.0  # degrees; crops of heads that tilt more are rotated upright. Networks were trained on tilts up to 20

# Template for measuring tilt: eyes and mouth corners of an upright, frontal face, relative to their mean, in any unit.
_LEVEL = ((-0.19, -0.2), (0.19, -0.2), (-0.15, 0.2), (0.15, 0.2))

# Generic head in OpenCV's examples (S. Mallick, Head Pose Estimation using OpenCV and Dlib, 2016): the nose tip is
# 135 units in front of the outer eye corners, which are 2 x 225 units apart. Detectors report the centres of the
# eyes, which are 0.7 times as far apart as the outer corners (63 of 90 mm, Dodgson 2004). The ratio is 0.86. MTCNN's
# landmarks of three heads that turn from frontal to profile give 0.87 to 0.91.
_NOSE_DEPTH = 135 / (0.7 * 225)  # in units of half the distance between the eyes

# Nose of a level head, in units of the distance from eyes to mouth. _NOSE_REST: its position between the eyes (0) and
# the mouth (1), the median of FER2013's training pictures (MTCNN's landmarks). _NOSE_REACH: how far it stands out, from
# the depth above.
_NOSE_REST, _NOSE_REACH = 0.54, 0.41

SHARPNESS_SIDE = 48  # px; faces are compared at one size, the one that the expression network sees


def iou(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Compute intersection over union of every box of ``a`` (N, 4) with every box of ``b`` (M, 4): (N, M), 0 to 1.

    Raises:
        ValueError: a or b is not of shape (_, 4).
    """
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
    """Return the square of each crop: (N, 3) float64 with centre x, centre y and side, in pixels."""
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    sides = CROP_MARGIN * np.max(boxes[:, 2:] - boxes[:, :2], axis=1)
    return np.column_stack([centres, sides]).astype(np.float64)


def crop_faces(picture: np.ndarray, boxes: np.ndarray, turns: np.ndarray | None = None) -> list[np.ndarray]:
    """Crop the face of every box, with a margin, from a picture.

    Args:
        picture: (H, W, 3) uint8.
        boxes: (N, 4) pixels of the picture.
        turns: (N,) degrees clockwise by which each square is rotated (``levelling``); None = no rotation.

    Returns:
        N squares (S, S, 3) uint8, S ≤ CROP_LARGEST; edge pixels are replicated where the square leaves the picture.
    """
    turns = np.zeros(len(boxes)) if turns is None else turns
    return [
        _turned_square(picture, x, y, side, turn) if turn else _square(picture, x, y, side, CROP_LARGEST)
        for (x, y, side), turn in zip(crop_squares(boxes), turns, strict=True)
    ]


def _square(picture: np.ndarray, x: float, y: float, side: float, largest: int) -> np.ndarray:
    """Crop one square from a picture, reduced to at most ``largest`` px."""
    height, width = picture.shape[:2]
    edge = max(1, round(side))
    rows, above, below = _inside(round(y - side / 2), edge, height)
    columns, before, behind = _inside(round(x - side / 2), edge, width)
    inside = picture[rows, columns]
    if above or below or before or behind:
        inside = cv2.copyMakeBorder(inside, above, below, before, behind, cv2.BORDER_REPLICATE)
    if edge > largest:
        inside = shrink(inside, largest, largest)
    return np.ascontiguousarray(inside)


def _turned_square(picture: np.ndarray, x: float, y: float, side: float, turn: float) -> np.ndarray:
    """Crop one rotated square: cut the upright square that encloses it, then rotate."""
    angle = np.radians(turn)
    spread = abs(np.cos(angle)) + abs(np.sin(angle))
    around = _square(picture, x, y, side * spread, round(CROP_LARGEST * spread))
    edge = max(1, round(around.shape[0] / spread))
    matrix = cv2.getRotationMatrix2D(((around.shape[1] - 1) / 2, (around.shape[0] - 1) / 2), turn, 1)
    matrix[:, 2] += (edge - around.shape[0]) / 2
    return cv2.warpAffine(around, matrix, (edge, edge), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def shrink(pixels: np.ndarray, width: int, height: int) -> np.ndarray:
    """Reduce a picture (H, W, 3) uint8 to (height, width, 3).

    Halve first, then interpolate the remaining factor below 2: OpenCV vectorises area resizing only for a factor of 2.
    From 1080 lines to 360 this is twice as fast as area resizing alone.
    """
    while pixels.shape[0] >= 2 * height and pixels.shape[1] >= 2 * width:
        half = (pixels.shape[1] // 2, pixels.shape[0] // 2)
        pixels = cv2.resize(pixels, half, interpolation=cv2.INTER_AREA)
    if pixels.shape[:2] == (height, width):
        return pixels
    return cv2.resize(pixels, (width, height), interpolation=cv2.INTER_LINEAR)


def boxes_landmarks_turns(faces: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Extract from a table FACES: boxes (N, 4) and landmarks (N, 5, 2), pixels; rotation of the crops (N,), degrees."""
    boxes = faces[["x0", "y0", "x1", "y1"]].to_numpy(np.float32)
    landmarks = np.array(faces["landmarks"].tolist(), dtype=np.float32).reshape(-1, 5, 2)
    return boxes, landmarks, levelling(faces["roll"].to_numpy(np.float64))


def _inside(start: int, length: int, limit: int) -> tuple[slice, int, int]:
    """Clip [start, start + length) to [0, limit), keeping at least one pixel; return it and the padding per side."""
    first = min(max(start, 0), limit - 1)
    last = max(min(start + length, limit), first + 1)
    missing = length - (last - first)
    before = min(max(-start, 0), missing)
    return slice(first, last), before, missing - before


def in_crop(boxes: np.ndarray, landmarks: np.ndarray, turns: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Express boxes (N, 4) and landmarks (N, 5, 2) as fractions of their crops: (0, 0) top left, (1, 1) bottom right.

    The fractions do not depend on the crop's size in pixels, so they also hold for a crop that is read from a table.
    In a rotated crop the box keeps its width and height and is centred.

    Args:
        turns: (N,) degrees by which the crops are rotated, as given to ``crop_faces``; None = no rotation.
    """
    squares = crop_squares(boxes)
    centres, sides = squares[:, None, :2], squares[:, 2, None, None]
    angles = np.radians(np.zeros(len(boxes)) if turns is None else turns)
    cosine, sine = np.cos(angles)[:, None], np.sin(angles)[:, None]
    x, y = np.moveaxis((landmarks - centres) / sides, 2, 0)
    points = np.stack([cosine * x + sine * y, cosine * y - sine * x], axis=2) + 0.5
    framed = (boxes.reshape(-1, 2, 2) - centres) / sides + 0.5
    return framed.reshape(-1, 4).astype(np.float32), points.astype(np.float32)


def cut_out(
    picture: np.ndarray, boxes: np.ndarray, landmarks: np.ndarray
) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    """Crop faces from a picture, those that tilt rotated upright.

    Args:
        picture: (H, W, 3) uint8.
        boxes: (N, 4) xyxy, and ``landmarks`` (N, 5, 2), pixels.

    Returns:
        N crops, then the boxes and the landmarks as fractions of them, as ``in_crop`` does.
    """
    turns = levelling(roll(landmarks))
    return crop_faces(picture, boxes, turns), *in_crop(boxes, landmarks, turns)


def roll(landmarks: np.ndarray) -> np.ndarray:
    """Estimate head roll: the rotation that best fits eyes and mouth to those of an upright face (Procrustes).

    In a profile the eyes nearly coincide, so the direction from the eyes to the mouth decides.

    Args:
        landmarks: (N, 5, 2) pixels.

    Returns:
        (N,) float32 degrees, -180 to 180; 0 = level, positive = clockwise as seen.
    """
    x, y = np.moveaxis(landmarks[:, [0, 1, 3, 4]].astype(np.float64), 2, 0)
    x, y = x - x.mean(axis=1, keepdims=True), y - y.mean(axis=1, keepdims=True)
    across, down = np.array(_LEVEL).T
    return np.degrees(np.arctan2(y @ across - x @ down, x @ across + y @ down)).astype(np.float32)


def levelling(rolls: np.ndarray) -> np.ndarray:
    """Return by how many degrees (N,) to rotate crops, given head rolls (N,); 0 for small or unknown (NaN) rolls."""
    return np.where(np.abs(rolls) > LEVEL_FROM, rolls, 0.0)


def yaw(landmarks: np.ndarray) -> np.ndarray:
    """Estimate head yaw.

    Model: weak perspective, rigid head. When the head turns, the distance between the eyes shrinks with the cosine of
    the angle. The nose tip, which is in front of the plane of eyes and mouth, moves off the midline by its depth times
    the sine. Both are measured perpendicular to the midline (middle of the eyes to middle of the mouth), so roll does
    not count as yaw. A nod changes the estimate little; a mouth pulled to one side changes it by a few degrees.

    Args:
        landmarks: (N, 5, 2) pixels.

    Returns:
        (N,) float32 degrees, -90 to 90; 0 = frontal, positive = towards the picture's right.
    """
    left, right, nose, mouth_left, mouth_right = np.moveaxis(landmarks.astype(np.float64), 1, 0)
    eyes = (left + right) / 2
    down = (mouth_left + mouth_right) / 2 - eyes
    across = np.stack([down[:, 1], -down[:, 0]], axis=1)  # perpendicular to the midline, not normalised
    offset = ((nose - eyes) * across).sum(axis=1)
    half = ((right - left) * across).sum(axis=1) / 2
    return np.degrees(np.arctan2(offset / _NOSE_DEPTH, np.maximum(half, 0))).astype(np.float32)


def pitch(landmarks: np.ndarray) -> np.ndarray:
    """Estimate head pitch.

    Model: weak perspective, rigid head. The nose tip is in front of the plane of eyes and mouth, so it moves towards
    the mouth when the head is bowed. An open mouth looks like a head tilted back, by up to 15 degrees.

    Args:
        landmarks: (N, 5, 2) pixels.

    Returns:
        (N,) float32 degrees, -90 to 90; 0 = level, positive = bowed.
    """
    points = landmarks.astype(np.float64)
    eyes = points[:, :2].mean(axis=1)
    down = points[:, 3:].mean(axis=1) - eyes
    along = ((points[:, 2] - eyes) * down).sum(axis=1) / np.maximum((down**2).sum(axis=1), 1e-9)
    return np.degrees(np.arctan((along - _NOSE_REST) / _NOSE_REACH)).astype(np.float32)


def sharpness(crops: Sequence[np.ndarray], boxes: np.ndarray) -> np.ndarray:
    """Measure how sharp faces are by the variance of the Laplacian (Pech-Pacheco et al., ICPR 2000).

    Args:
        crops: N pictures (S, S, 3) uint8 RGB, as ``crop_faces`` cuts them.
        boxes: (N, 4) the face as fractions of its crop, as ``in_crop`` gives them.

    Returns:
        (N,) float32, of the face at 48 x 48 px, grey 0 to 255. Smaller faces are enlarged and thus never sharp.
    """
    faces = grey_faces(crops, boxes, SHARPNESS_SIDE)
    return np.array([cv2.Laplacian(face, cv2.CV_64F).var() for face in faces], np.float32)


def grey_faces(crops: Sequence[np.ndarray], boxes: np.ndarray, side: int) -> np.ndarray:
    """Reduce the boxes of faces to one size, or enlarge them to it: (N, side, side) uint8; arguments as above."""
    faces = np.zeros((len(crops), side, side), np.uint8)
    for place, (picture, box) in enumerate(zip(crops, boxes, strict=True)):
        height, width = picture.shape[:2]
        x0, y0, x1, y1 = np.clip(np.rint(box * [width, height, width, height]), 0, [width, height] * 2).astype(int)
        face = cv2.cvtColor(picture[y0 : max(y1, y0 + 1), x0 : max(x1, x0 + 1)], cv2.COLOR_RGB2GRAY)
        method = cv2.INTER_AREA if min(face.shape) > side else cv2.INTER_LINEAR
        faces[place] = cv2.resize(face, (side, side), interpolation=method)
    return faces
