"""The networks: what a detector and an expression model must offer.

``records`` knows which weights there are, ``zoo`` makes networks of them.

Anything with these methods will do; the tests use fakes of three lines.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from scenefer.errors import WeightsError

if TYPE_CHECKING:
    import numpy as np

DEVICES = ("auto", "cpu", "cuda")  # where networks run; auto is a GPU if there is one
MOST_LABELS = 64  # of all heads of a network together


class Detections(NamedTuple):
    """The faces of one picture, most confident first; N may be 0."""

    boxes: np.ndarray  # (N, 4) float32 xyxy, pixels of the picture
    landmarks: np.ndarray  # (N, 5, 2) float32, pixels: left eye, right eye, nose, left and right mouth corner, as seen
    scores: np.ndarray  # (N,) float32, 0 to 1


class FaceDetector(Protocol):
    """Finds faces."""

    def detect(self, pictures: Sequence[np.ndarray]) -> list[Detections]:
        """Find the faces of every picture, (H, W, 3) uint8 RGB; one Detections a picture, in order."""
        ...


@dataclass(frozen=True)
class Calibration:
    """How the logits of a network become probabilities of the seven emotions; stored with its weights."""

    head: tuple[int, int]  # the logits [a, b) of the head that is read, in the order of EMOTIONS
    temperature: float = 1.0  # logits are divided by it (Guo et al. 2017)
    prior: tuple[float, ...] = (1 / 7,) * 7  # class shares of the set that the temperature was fitted on


def calibration(metadata: Mapping[str, str]) -> Calibration:
    """Read from a weight file's metadata which head is read, and how its logits become probabilities."""
    first, last = json.loads(metadata["heads"])[metadata["head"]]
    prior = tuple(float(share) for share in json.loads(metadata["prior"]))
    return Calibration((first, last), float(metadata["temperature"]), prior)


def public_learned(metadata: Mapping[str, str]) -> float:
    """Return the share of FER2013's PublicTest that weights have learned, by what their file says of itself."""
    return float(metadata.get("public", 0))


def refuse_undescribed(path: Path, metadata: Mapping[str, str]) -> None:
    """Refuse a weight file whose metadata do not say how it is to be read.

    Raises:
        WeightsError: a field is absent or makes no sense.
    """
    if missing := {"architecture", "heads", "head", "temperature", "prior"} - set(metadata):
        raise WeightsError(f"{path} does not describe itself: its metadata lack {', '.join(sorted(missing))}")
    try:
        read = calibration(metadata)
        spans = [(int(first), int(last)) for first, last in json.loads(metadata["heads"]).values()]
        sides = [int(metadata.get(key, "48")) for key in ("side", "picture_side")]  # the second: rmn_pair's
        learned = public_learned(metadata)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        fields = ("heads", "head", "temperature", "prior", "side", "picture_side", "public")
        stated = ", ".join(f"{key} {metadata[key]!r}" for key in fields if key in metadata)
        raise WeightsError(f"{path} describes itself in a way that cannot be read: {stated}") from error
    if any(not 0 <= first < last <= MOST_LABELS for first, last in spans) or read.head[1] - read.head[0] != 7:
        raise WeightsError(f"{path}: its heads {metadata['heads']} have no head {metadata['head']!r} of seven labels")
    is_prior = len(read.prior) == 7 and min(read.prior) > 0  # by which the share of an emotion is divided
    if not 0 < read.temperature < math.inf or not is_prior or not 1 <= min(sides) <= max(sides) <= 1024:
        raise WeightsError(
            f"{path}: temperature {metadata['temperature']}, prior {metadata['prior']} or sides {sides} are none"
        )
    if not 0 <= learned < 1:
        raise WeightsError(f"{path}: public {metadata['public']} is no share of PublicTest that leaves some of it")


class ExpressionModel(Protocol):
    """Reads the expression of a face."""

    @property
    def sha256(self) -> str:
        """The hash of the weight file, 64 hexadecimal digits."""
        ...

    @property
    def calibration(self) -> Calibration: ...

    def logits(self, crops: Sequence[np.ndarray], boxes: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
        """Read N faces.

        Args:
            crops: N squares (S, S, 3) uint8 RGB, as ``geometry.crop_faces`` cuts them; S may differ.
            boxes: (N, 4) float32, the face box as fractions of its crop (``geometry.in_crop``).
            landmarks: (N, 5, 2) float32, fractions of the crop.

        Returns:
            (N, L) float32, L outputs of all heads.
        """
        ...


class IdentityModel(Protocol):
    """Turns faces into vectors, those of one person near each other."""

    @property
    def sha256(self) -> str:
        """The hash of the weight file, 64 hexadecimal digits."""
        ...

    def vectors(self, crops: Sequence[np.ndarray], landmarks: np.ndarray) -> np.ndarray:
        """Turn N faces into vectors.

        Args:
            crops: N squares (S, S, 3) uint8 RGB, as ``geometry.crop_faces`` cuts them; S may differ.
            landmarks: (N, 5, 2) float32, fractions of the crop.

        Returns:
            (N, D) float32; compare by Euclidean distance.
        """
        ...
