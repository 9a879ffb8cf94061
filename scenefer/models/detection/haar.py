"""A Viola-Jones cascade: faces by sums over rectangles, without a network.

Viola and Jones, CVPR 2001; this one compares blocks (local binary patterns, Liao et al., ICB 2007) and sees frontal
faces alone. It is scikit-image's: the main package of OpenCV 5 has no cascades any more, and its contrib package would
put another ``cv2`` in the place of the program's.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from scenefer.core.errors import WeightsError
from scenefer.models import Detections
from scenefer.models.detection import landmarks
from scenefer.models.detection.yunet import Landmarks
from scenefer.models.weight_files import verify

GROWTH = 1.2  # of the window, from step to step
NEIGHBOURS = 4  # windows that agree on a face


class Haar:
    """The cascade, as a ``FaceDetector``; it says yes or no, so that every score is 1.

    Args:
        cascade: ``skimage.feature.Cascade``, or what has its ``detect_multi_scale``.
        landmarks: finds those of the faces.
        smallest_face: side of the smallest box, pixels of the picture.
    """

    name = "haar"

    def __init__(self, cascade: Any, landmarks: Landmarks, *, smallest_face: float) -> None:
        self.cascade = cascade
        self.landmarks = landmarks
        self.smallest_face = smallest_face

    def detect(self, pictures: Sequence[np.ndarray]) -> list[Detections]:
        """Find the faces of every picture, the largest first; see ``FaceDetector.detect``."""
        return [self._detect(picture) for picture in pictures]

    def _detect(self, picture: np.ndarray) -> Detections:
        grey = cv2.equalizeHist(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY))
        least, most = (max(24, int(self.smallest_face)),) * 2, (min(grey.shape),) * 2
        found = self.cascade.detect_multi_scale(grey, GROWTH, 1, least, most, NEIGHBOURS) if least <= most else []
        boxes = np.array(
            [[f["c"], f["r"], f["c"] + f["width"], f["r"] + f["height"]] for f in found], np.float32
        ).reshape(-1, 4)
        boxes = boxes[np.argsort(boxes[:, 0] - boxes[:, 2], kind="stable")]
        points, _ = self.landmarks.find(picture, boxes)
        return Detections(boxes, points.astype(np.float32), np.ones(len(boxes), np.float32))


def load(path: Path, *, smallest_face: float, device: str = "cpu", pyramid: str = "fast") -> Haar:
    """Load the cascade, and the network that finds landmarks.

    Raises:
        WeightsError: scikit-image is not installed, or MTCNN's weights are damaged.
    """
    try:
        from skimage.feature import Cascade
    except ImportError as error:
        raise WeightsError("the detector haar needs scikit-image: pip install 'scenefer[studies]'") from error
    finder = landmarks.load(verify("mtcnn"), Haar.name, device=device)
    return Haar(Cascade(str(path)), finder, smallest_face=smallest_face)
