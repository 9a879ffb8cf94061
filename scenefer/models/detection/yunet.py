"""YuNet: finds faces with one small network.

Wu, Peng, Yu, "YuNet: A Tiny Millisecond-level Face Detector", Machine Intelligence Research 2023. YuNet's own landmarks
ignore the tilt of the head, so ``landmarks.py`` finds them instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from scenefer.core import geometry
from scenefer.models import Detections
from scenefer.models.detection import landmarks
from scenefer.models.detection.yunet_network import YunetNetwork
from scenefer.models.weight_files import verify

SCORE = 0.7  # minimum score of a face, as in MTCNN's output network
SURE = 0.99  # score of the landmark network from which it still sees the face that it is asked for
STILL = 0.1  # of a face's width, by which its box may move before it is looked at a second time
GROWTH = 1.25  # ratio of widths from one look to the next beyond which a face is not the same


class Network(Protocol):
    """The interface of ``YunetNetwork``."""

    def __call__(self, picture: np.ndarray, /) -> np.ndarray: ...


class Landmarks(Protocol):
    """The interface of ``LandmarkNetwork``."""

    def find(
        self, picture: np.ndarray, boxes: np.ndarray, tilts: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]: ...


class YuNet:
    """The network, as a ``FaceDetector``.

    Args:
        network: finds faces in a picture.
        landmarks: finds the landmarks of the detected faces.
        smallest_face: minimum height of a face's box, pixels of the picture; smaller faces are dropped.
    """

    name = "yunet"

    def __init__(self, network: Network, landmarks: Landmarks, *, smallest_face: float) -> None:
        self.network = network
        self.landmarks = landmarks
        self.smallest_face = smallest_face

    def detect(self, pictures: Sequence[np.ndarray]) -> list[Detections]:
        """Find the faces in every picture; see ``FaceDetector.detect``. Boxes may extend beyond the picture."""
        return [self._detect(picture) for picture in pictures]

    def look(self, picture: np.ndarray, before: Detections) -> Detections:
        """Find faces again by their landmarks, which take the boxes along; see ``FollowingDetector.look``.

        Scores are those of before. A box of another size of picture is another one, up to a tenth of the face: small
        cuttings searched by this network itself would frame faces otherwise than the picture does.
        """
        tilts = geometry.roll(before.landmarks)
        points, seen = self.landmarks.find(picture, before.boxes, tilts)
        boxes = _taken_along(before.boxes, before.landmarks, points)
        moved = np.abs(boxes - before.boxes).max(axis=1) > STILL * (before.boxes[:, 2] - before.boxes[:, 0])
        if moved.any():  # is seen better from where it is now
            points[moved], seen[moved] = self.landmarks.find(picture, boxes[moved], geometry.roll(points[moved]))
            boxes = _taken_along(before.boxes, before.landmarks, points)
        growth = np.divide(*((one[:, 2] - one[:, 0]) for one in (boxes, before.boxes)))
        lost = (seen < SURE) | (np.abs(np.log(np.maximum(growth, 1e-3))) > np.log(GROWTH))
        return Detections(boxes, points.astype(np.float32), np.where(lost, 0, before.scores).astype(np.float32))

    def _detect(self, picture: np.ndarray) -> Detections:
        rows = self.network(picture)
        rows = rows[rows[:, 3] >= self.smallest_face]
        boxes = np.concatenate([rows[:, :2], rows[:, :2] + rows[:, 2:4]], axis=1)
        points, seen = self.landmarks.find(picture, boxes)
        # YuNet's "right eye" is the person's right eye, the left one as seen, so its order equals ours.
        points = np.where((seen >= landmarks.LEAST)[:, None, None], points, rows[:, 4:14].reshape(-1, 5, 2))
        return Detections(boxes, points.astype(np.float32), rows[:, 14])


def load(path: Path, *, smallest_face: float, device: str = "cpu", pyramid: str = "fast") -> YuNet:
    """Load the ONNX network, which runs on the CPU, and the landmark network.

    Raises:
        WeightsError: the file, or MTCNN's weight file, is damaged or holds another network.
    """
    finder = landmarks.load(verify("mtcnn"), YuNet.name, device=device)
    return YuNet(YunetNetwork(path, SCORE), finder, smallest_face=smallest_face)


def _taken_along(boxes: np.ndarray, landmarks: np.ndarray, moved: np.ndarray) -> np.ndarray:
    """Move and scale boxes (N, 4) as their landmarks (N, 5, 2) did: xyxy float32."""
    middles, spreads = zip(*(_spread(points) for points in (landmarks, moved)), strict=True)
    factor = (spreads[1] / np.maximum(spreads[0], 1e-3))[:, None, None]
    corners = boxes.reshape(-1, 2, 2) - middles[0]
    return (corners * factor + middles[1]).reshape(-1, 4).astype(np.float32)


def _spread(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the middles (N, 1, 2) of points (N, 5, 2), and how far these lie from it (N,)."""
    middle = points.mean(axis=1, keepdims=True)
    return middle, np.hypot(*np.moveaxis(points - middle, 2, 0)).mean(axis=1)
