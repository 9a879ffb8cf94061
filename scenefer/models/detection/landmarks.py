"""Landmarks (eyes, nose, mouth) of already detected faces, at any head tilt, from the output network of MTCNN.

YuNet finds faces at any tilt, but places their landmarks as if the head were upright: in a portrait rotated by 45°
they tilt by 1°. MTCNN's output network follows a tilt of up to about 45°, and its score tells whether it sees a face.
So a face of which it is not quite sure upright is tried again in quarter turns, and a tilted face is processed a second
time after levelling it. A turn has to be much likelier than upright: now and then the network takes a mouth for eyes.
"""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
import torch

from scenefer.core import geometry
from scenefer.models.detection import mtcnn
from scenefer.models.framing import PLACEMENTS, squares

SIDE = 48  # px, the input of the network
WIDTH = 1.053  # side of the input square, as a multiple of a FER2013 picture's side: the height of MTCNN's boxes there
UPRIGHT, TURNED = 0.995, 0.99  # minimum scores to accept a face as upright, and as rotated by a quarter turn
# How many times as large the odds of a face must be in a quarter turn as they are upright. In single frames of upright
# faces they are up to 8 times as large upside down; of 247 faces in pictures turned on purpose, 13 times or more.
LIKELIER = 12.0
STEEPEST = 45.0  # degrees; if a face tilts more than this, another quarter turn suits it better
LEVEL = 5.0  # degrees; faces that tilt more are levelled and processed again
LEAST = 0.5  # below this score the network sees no face


class LandmarkNetwork:
    """MTCNN's output network, used to find landmarks in the boxes of another detector.

    Args:
        network: maps (N, 48, 48, 4) to (N, 15): score, corrections of the box, five x, five y.
        detector: the detector that draws the boxes, a key of ``framing.PLACEMENTS``.
    """

    def __init__(self, network: mtcnn.Network, detector: str, device: str = "cpu") -> None:
        self.network = network
        self.detector = detector
        self.device = torch.device(device)

    def find(
        self, picture: np.ndarray, boxes: np.ndarray, tilts: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Find the landmarks of N faces.

        Args:
            picture: (H, W, 3) uint8 RGB.
            boxes: (N, 4) xyxy, pixels.
            tilts: (N,) degrees by which the heads tilted a moment ago; then quarter turns are not tried. None: unknown.

        Returns:
            Landmarks (N, 5, 2), pixels, left and right as seen on an upright face; and the network's score (N,). If the
            score is below ``LEAST``, the network sees no face and the landmarks are meaningless.
        """
        turns = np.zeros(len(boxes)) if tilts is None else np.where(np.abs(tilts) > LEVEL, tilts, 0.0)
        points, scores = self._look(picture, boxes, turns)
        doubtful = (scores < UPRIGHT) | (np.abs(geometry.roll(points)) > STEEPEST)
        for row in np.flatnonzero(doubtful) if tilts is None else ():
            quarters = np.array([-90.0, 90.0, 180.0])
            seen, how = self._look(picture, np.repeat(boxes[row : row + 1], 3, axis=0), quarters)
            askew = np.abs((geometry.roll(seen) - quarters + 180) % 360 - 180)
            how = np.where((askew <= STEEPEST) & (how >= TURNED), how, 0)
            best = int(how.argmax())
            is_level = abs(geometry.roll(points[row : row + 1])[0]) <= STEEPEST
            if how[best] > scores[row] and (not is_level or _odds(how[best]) > LIKELIER * _odds(scores[row])):
                points[row], scores[row] = seen[best], how[best]
        tilted = np.abs(geometry.roll(points) - turns) > LEVEL
        if tilted.any():
            again, how = self._look(picture, boxes[tilted], geometry.roll(points[tilted]))
            better = how >= scores[tilted]
            rows = np.flatnonzero(tilted)[better]
            points[rows], scores[rows] = again[better], how[better]
        return points, scores

    def _look(self, picture: np.ndarray, boxes: np.ndarray, turns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Run the network on each face, rotated by its turn: landmarks (N, 5, 2) in the picture, and scores (N,)."""
        if not len(boxes):
            return np.empty((0, 5, 2), np.float32), np.empty(0, np.float32)
        framed = squares(boxes, self.detector)
        centre = np.array(PLACEMENTS["mtcnn"].centre) - 0.5
        crops, back = [], []
        for (x, y, side), turn in zip(framed, np.radians(turns), strict=True):
            matrix = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]]) * side * WIDTH
            origin = np.array([x, y]) + centre * side - matrix @ [0.5, 0.5]  # of the turned square
            crops.append(_crop(picture, matrix, origin))
            back.append((matrix, origin))
        with torch.inference_mode():
            answers = self.network(torch.from_numpy(np.stack(crops)).to(self.device).float()).cpu().numpy()
        unit = answers[:, 5:].reshape(-1, 2, 5).transpose(0, 2, 1)  # fractions of the square
        points = [one @ matrix.T + origin for one, (matrix, origin) in zip(unit, back, strict=True)]
        return np.stack(points).astype(np.float32), answers[:, 0]


def _odds(score: float) -> float:
    return score / max(1 - score, 1e-6)


def _crop(picture: np.ndarray, matrix: np.ndarray, origin: np.ndarray) -> np.ndarray:
    """Cut the image of the unit square under ``matrix`` (2, 2) and ``origin``: (48, 48, 4), edges replicated."""
    factor = max(1, math.ceil(math.hypot(*matrix[:, 0]) / SIDE))  # oversample large faces, then average
    edge = SIDE * factor
    step = matrix / edge
    offset = origin + step @ [0.5, 0.5] - 0.5  # the centre of pixel i is at i + 0.5, in both pictures
    crop = cv2.warpAffine(
        picture,
        np.column_stack([step, offset]),
        (edge, edge),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    if factor > 1:
        crop = cv2.resize(crop, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return cv2.cvtColor(crop, cv2.COLOR_RGB2RGBA)


def load(path: Path, detector: str, device: str = "cpu") -> LandmarkNetwork:
    """Load the output network from the weights of MTCNN.

    Raises:
        WeightsError: the file is damaged or of another layout.
    """
    cascade = mtcnn.load(path, smallest_face=SIDE, device=device)
    return LandmarkNetwork(cascade.output, detector, device)
