"""Test the weights that ship, on the machine that they run on: loud when they are not what they were.

A weight file carries the outputs that its network gave for pictures made by a formula. A file whose head was shuffled,
an architecture that changed, a processor that computes wrongly: each gives other outputs. And a smile must be a smile.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from PIL import Image

from scenefer import geometry
from scenefer.models import FaceDetector, calibration, reader, zoo
from scenefer.schema import EMOTIONS

PORTRAIT = Path(__file__).parents[1] / "assets" / "portrait.jpg"
SIZE = 48  # px, the side of the generated pictures
TOLERANCE = 0.02  # of a logit, between processors in float32
SOFT_TOLERANCE = 0.05  # of a probability, between float32 and the precision that this machine computes in


class Check(NamedTuple):
    """One claim about the weights, and what was found."""

    claim: str
    passed: bool
    found: str


def run(weights: str | Path = "rmn_compact", detector: str = "mtcnn") -> list[Check]:
    """Test expression weights and the detector.

    Raises:
        WeightsError: the weights are absent or of another layout.
    """
    path = zoo.find_expression(weights)
    return [*_stored(path), *_portrait(path, zoo.load_detector(detector, smallest_face=40))]


def generated(n: int = 4) -> np.ndarray:
    """Make pictures by a formula, each of one grating and one blob: (n, 48, 48) uint8, the same on every machine."""
    y, x = np.mgrid[0:SIZE, 0:SIZE].astype(np.float64)
    pictures = []
    for number in range(n):
        grating = 60 * np.sin((x * (1 + number) + y * (4 - number)) / 9)
        blob = 90 * np.exp(-((x - 12 - 8 * number) ** 2 + (y - 30 + 5 * number) ** 2) / (60 + 40 * number))
        pictures.append(np.clip(np.rint(110 + grating + blob), 0, 255).astype(np.uint8))
    return np.stack(pictures)


def expected(network: reader.Network) -> str:
    """Return what a network gives for the generated pictures, as it is stored with its weights."""
    logits = reader.ExpressionReader(network, "", _UNREAD, precision=torch.float32).read(generated())
    return json.dumps([[round(float(value), 4) for value in row] for row in logits])


_UNREAD = calibration({"heads": '{"": [0, 7]}', "head": "", "temperature": "1", "prior": json.dumps([1 / 7] * 7)})


def _stored(path: Path) -> list[Check]:
    network, metadata = reader.load_network(path)
    claim = f"{path.name} gives its stored outputs for generated pictures"
    if "selftest" not in metadata:
        return [Check(claim, False, "the file stores none")]
    stored = np.array(json.loads(metadata["selftest"]), np.float32)
    exact = reader.ExpressionReader(network, "", calibration(metadata), precision=torch.float32)
    pictures = generated(len(stored))
    logits = exact.read(pictures)
    furthest = float(np.abs(logits - stored).max()) if logits.shape == stored.shape else float("inf")
    fast = reader.load(path)
    first, last = fast.calibration.head
    softened = [torch.softmax(torch.from_numpy(values[:, first:last]), 1) for values in (fast.read(pictures), logits)]
    apart = float((softened[0] - softened[1]).abs().max())
    precise = f"{path.name} gives the same probabilities in the fastest precision of this machine"
    return [
        Check(claim, furthest <= TOLERANCE, f"at most {furthest:.4f} off, {TOLERANCE} allowed"),
        Check(precise, apart <= SOFT_TOLERANCE, f"at most {apart:.4f} off, {SOFT_TOLERANCE} allowed"),
    ]


def _portrait(path: Path, detector: FaceDetector) -> list[Check]:
    picture = np.asarray(Image.open(PORTRAIT).convert("RGB"))  # (512, 512, 3)
    views = {
        "as it is": picture,
        "mirrored": np.ascontiguousarray(picture[:, ::-1]),
        "darker": (picture * 0.4).astype(np.uint8),
        "smaller": cv2.resize(picture, None, fx=0.4, fy=0.4, interpolation=cv2.INTER_AREA),
    }
    model = reader.load(path)
    checks = [_happy(view, name, model, detector) for name, view in views.items()]
    ramp = np.linspace(0, 255, 512).astype(np.uint8)
    empty = np.repeat(np.add.outer(ramp // 2, ramp // 2)[:, :, None], 3, axis=2)
    n_faces = len(detector.detect([empty])[0].scores)
    return [*checks, Check("a picture without a face has none", n_faces == 0, f"{n_faces} faces")]


def _happy(picture: np.ndarray, view: str, model: reader.ExpressionReader, detector: FaceDetector) -> Check:
    claim = f"the portrait, {view}, is happy"
    found = detector.detect([picture])[0]
    if not len(found.scores):
        return Check(claim, False, "no face found")
    box, landmarks = found.boxes[:1], found.landmarks[:1]
    logits = model.logits(geometry.crop_faces([picture], box), *geometry.in_crop(box, landmarks))
    first, last = model.calibration.head
    shares = torch.softmax(torch.from_numpy(logits[0, first:last]) / model.calibration.temperature, dim=0)
    most = int(shares.argmax())
    return Check(claim, EMOTIONS[most] == "happy", f"{EMOTIONS[most]} {shares[most]:.0%}")
