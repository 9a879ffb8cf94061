"""Properties of each face detector: how its boxes relate to the square that expression networks read, and its scores.

The expression networks were trained on whole pictures of FER2013, so the square should show what such a picture shows.
Detectors draw boxes differently, so each has its own constants: medians over the boxes that it draws in FER2013's
training pictures. ``benchmarks/framing.py`` measures them again and compares them with squares computed from eyes and
mouth; boxes are the better measure of head size. ``benchmarks/detectors.py`` chooses the scores.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

WEIGHTS = (0.615, 0.4725)  # weights of width and height in the size of a box; both count about equally


class Placement(NamedTuple):
    """Position of a detector's box in a picture of FER2013, as fractions of the picture's side; and score limits."""

    centre: tuple[float, float]  # from the upper left corner
    size: float  # sum of width and height, weighted by WEIGHTS
    least: float  # minimum score for a face in a film to count
    sure: float  # minimum score for a face to count on its own, even if it is seen very briefly
    least_still: float  # minimum score for a face in a still to count; no neighbouring frame can confirm it


PLACEMENTS = {
    "mtcnn": Placement(centre=(0.492, 0.510), size=0.986, least=0.9, sure=0.98, least_still=0.9),
    "haar": Placement(centre=(0.503, 0.497), size=1.011, least=0.9, sure=0.9, least_still=0.9),  # its scores are all 1
    "yunet": Placement(centre=(0.495, 0.490), size=0.950, least=0.8, sure=0.85, least_still=0.7),
}


def placement(detector: str) -> Placement:
    """Return the properties of a detector; an unmeasured one, from another package, is treated like MTCNN."""
    return PLACEMENTS.get(detector, PLACEMENTS["mtcnn"])


def squares(boxes: np.ndarray, detector: str) -> np.ndarray:
    """Return the square that a picture of FER2013 would show of each face.

    Args:
        boxes: (N, 4) xyxy in any unit, of upright faces.
        detector: name of the detector that drew the boxes (``placement``).

    Returns:
        (N, 3) float64: centre x, centre y, side, in the same unit.
    """
    centre, size = placement(detector).centre, placement(detector).size
    corners = boxes.astype(np.float64).reshape(-1, 2, 2)
    sides = (corners[:, 1] - corners[:, 0]) @ np.array(WEIGHTS) / size
    return np.column_stack([corners.mean(axis=1) + (0.5 - np.array(centre)) * sides[:, None], sides])
