"""Networks for tests: what they find follows from the brightness or the colour of the picture."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from scenefer.models import Calibration, Detections

BOX = np.array([[20, 20, 60, 70]], np.float32)
POINTS = np.array([[[30, 35], [50, 35], [40, 45], [32, 58], [48, 58]]], np.float32)


class OneFaceWhereItIsBright:
    name = "mtcnn"

    def detect(self, pictures: Sequence[np.ndarray]) -> list[Detections]:
        found = [int(picture.mean() > 100) for picture in pictures]
        return [Detections(BOX[:n], POINTS[:n], np.full(n, 0.9, np.float32)) for n in found]


class BrightnessAsLogit:
    sha256 = "0" * 64
    calibration = Calibration(((0, 1.0),))

    def logits(self, crops: Sequence[np.ndarray], squares: np.ndarray) -> np.ndarray:
        seven = np.array([[crop.mean() / 10] + [0.0] * 6 for crop in crops], np.float32)
        return np.hstack([seven, seven])  # both heads that the weights of a run read


class ColourAsVector:
    sha256 = "0" * 64

    def vectors(self, crops: Sequence[np.ndarray], landmarks: np.ndarray) -> np.ndarray:
        return np.array([crop.mean(axis=(0, 1)) / 255 for crop in crops], np.float32)


RED, BLUE = (250, 0, 0), (0, 0, 250)


def picture(seed: int, colour: tuple[int, int, int]) -> bytes:
    """A face: its colour says who it is, its texture how it looks."""
    texture = np.random.default_rng(seed).uniform(0.5, 1, (10, 10, 1))
    pixels = cv2.resize((texture * colour[::-1]).astype(np.uint8), (80, 80), interpolation=cv2.INTER_NEAREST)
    return cv2.imencode(".png", pixels)[1].tobytes()
