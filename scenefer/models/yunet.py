"""YuNet, through OpenCV: a second detector behind the same protocol.

Wu, Peng, Yu, "YuNet: A Tiny Millisecond-level Face Detector", Machine Intelligence Research 2023. Its weights do not
ship with the package; ``records.pull`` fetches them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from scenefer.errors import WeightsError
from scenefer.models import Detections

SCORE = 0.7  # faces below are left out, as MTCNN's output network does
OVERLAP = 0.3  # of two boxes that share more of their union, the better one stays


class Engine(Protocol):
    """The part of ``cv2.FaceDetectorYN`` that is used."""

    def setInputSize(self, size: tuple[int, int], /) -> None: ...

    def detect(self, picture: np.ndarray, /) -> tuple[int, np.ndarray | None]: ...


class YuNet:
    """The network, as a ``FaceDetector``.

    Args:
        smallest_face: faces whose box is lower than this are left out, pixels of the picture.
    """

    def __init__(self, engine: Engine, *, smallest_face: float) -> None:
        self.engine = engine
        self.smallest_face = smallest_face

    def detect(self, pictures: Sequence[np.ndarray]) -> list[Detections]:
        """Find the faces of every picture; see ``FaceDetector.detect``. Boxes may reach beyond the picture."""
        return [self._detect(picture) for picture in pictures]

    def _detect(self, picture: np.ndarray) -> Detections:
        height, width = picture.shape[:2]
        self.engine.setInputSize((width, height))
        _, rows = self.engine.detect(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
        rows = np.empty((0, 15), np.float32) if rows is None else np.asarray(rows, np.float32)
        rows = rows[rows[:, 3] >= self.smallest_face]
        rows = rows[np.argsort(-rows[:, 14], kind="stable")]
        boxes = np.concatenate([rows[:, :2], rows[:, :2] + rows[:, 2:4]], axis=1)
        # Its "right eye" is the person's, which is the left one as seen: its order is ours.
        # https://docs.opencv.org/5.0/main_modules/objdetect_dnn_face.html
        return Detections(boxes, rows[:, 4:14].reshape(-1, 5, 2), rows[:, 14])


def load(path: Path, *, smallest_face: float) -> YuNet:
    """Load the network from its ONNX file.

    Raises:
        WeightsError: OpenCV cannot read the file.
    """
    try:
        engine = cv2.FaceDetectorYN.create(str(path), "", (320, 320), SCORE, OVERLAP)
    except cv2.error as error:
        raise WeightsError(f"{path} does not hold the weights of YuNet: {error.err}") from error
    return YuNet(engine, smallest_face=smallest_face)
