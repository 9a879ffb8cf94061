"""Interfaces of the networks: face detectors, expression models and identity models.

``known_weights`` lists the available weights, ``registry`` builds networks from them.

Any object with these methods will do; the tests use fakes of three lines.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

from scenefer.core.errors import WeightsError

if TYPE_CHECKING:
    import numpy as np

DEVICES = ("auto", "cpu", "cuda")  # where networks run; auto is a GPU if there is one
DEFAULT_WEIGHTS = "rmn_face"  # for expressions, if no others are named
MOST_LABELS = 64  # limit for the sum over all heads of a network


class Detections(NamedTuple):
    """The faces of one picture, most confident first; N may be 0."""

    boxes: np.ndarray  # (N, 4) float32 xyxy, pixels of the picture
    landmarks: np.ndarray  # (N, 5, 2) float32, pixels: left eye, right eye, nose, left and right mouth corner, as seen
    scores: np.ndarray  # (N,) float32, 0 to 1


class FaceDetector(Protocol):
    """Finds faces."""

    @property
    def name(self) -> str:
        """Its name among the weights; ``framing.py`` uses it to look up how this detector draws boxes."""
        ...

    def detect(self, pictures: Sequence[np.ndarray]) -> list[Detections]:
        """Find the faces in every picture, (H, W, 3) uint8 RGB; return one Detections per picture, in order."""
        ...


@runtime_checkable
class FollowingDetector(FaceDetector, Protocol):
    """Finds faces again where they were, for less than it takes to search a picture; no detector has to."""

    def look(self, picture: np.ndarray, before: Detections) -> Detections:
        """Find the faces of an earlier picture in this one, (H, W, 3) uint8 RGB: row by row, score 0 of a lost one."""
        ...


@dataclass(frozen=True)
class Calibration:
    """How the logits of a network become probabilities of the seven emotions; stored with its weights."""

    reading: tuple[
        tuple[int, float], ...
    ]  # for each head used: index of its first logit (its seven are in EMOTIONS' order), and its share
    temperature: float = 1.0  # logits are divided by it (Guo et al. 2017)
    # Heads that decide between the six expressions other than neutral; empty = the heads of ``reading``.
    expressive: tuple[tuple[int, float], ...] = ()


def calibration(metadata: Mapping[str, str]) -> Calibration:
    """Get from a weight file's metadata which heads are used, and how their logits become probabilities."""
    heads = json.loads(metadata["heads"])
    read, six = (
        tuple((int(heads[head][0]), share) for head, share in shares.items())
        for shares in (reading(metadata), reading(metadata, "expressive"))
    )
    return Calibration(read, float(metadata["temperature"]), six)


def reading(metadata: Mapping[str, str], field: str = "reading") -> dict[str, float]:
    """Return the heads whose logits are averaged, by name, and the share of each; shares sum to 1.

    Older files, made before heads were blended, name a single one in ``head``.

    Args:
        field: "reading", or "expressive" for the heads that decide between the six expressions other than neutral; the
            latter is empty if the same heads decide.
    """
    if field not in metadata:
        return {metadata["head"]: 1.0} if field == "reading" else {}
    return {str(head): float(share) for head, share in json.loads(metadata[field]).items()}


def reading_words(metadata: Mapping[str, str]) -> str:
    """Format the heads and their shares: ``fer2013``, or ``0.3 fer2013 + 0.7 ferplus, the six by fer2013``."""
    both = (reading(metadata), reading(metadata, "expressive"))
    blend, six = (" + ".join(f"{share:g} {head}" for head, share in shares.items()) for shares in both)
    blend, six = (words.removeprefix("1 ") for words in (blend, six))
    return f"{blend}, the six by {six}" if six else blend


def public_learned(metadata: Mapping[str, str]) -> float:
    """Return the share of FER2013's PublicTest that the weights were trained on, as their file states it."""
    return float(metadata.get("public", 0))


def refuse_undescribed(path: Path, metadata: Mapping[str, str]) -> None:
    """Refuse a weight file whose metadata do not describe it completely.

    Raises:
        WeightsError: a field is missing or invalid.
    """
    described = set(metadata) | ({"reading"} if "head" in metadata else set())
    if missing := {"architecture", "heads", "reading", "temperature"} - described:
        raise WeightsError(f"{path} does not describe itself: its metadata lack {', '.join(sorted(missing))}")
    try:
        read, several = calibration(metadata), [reading(metadata, name) for name in ("reading", "expressive")]
        spans = [(int(first), int(last)) for first, last in json.loads(metadata["heads"]).values()]
        sides = [int(metadata.get(key, "48")) for key in ("side", "picture_side", "size")]  # picture_side: rmn_pair's
        learned = public_learned(metadata)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        fields = ("heads", "reading", "expressive", "head", "temperature", "side", "picture_side", "size", "public")
        stated = ", ".join(f"{key} {metadata[key]!r}" for key in fields if key in metadata)
        raise WeightsError(f"{path} describes itself in a way that cannot be read: {stated}") from error
    heads = [json.loads(metadata["heads"])[head] for shares in several for head in shares]
    is_short = any(last - first < 7 for first, last in heads)
    if is_short or any(not 0 <= first < last <= MOST_LABELS for first, last in spans):
        words = reading_words(metadata)
        raise WeightsError(
            f"{path}: its heads {metadata['heads']} are not what it reads, {words}, of seven labels each"
        )
    for shares in filter(None, several):
        if min(shares.values()) <= 0 or not math.isclose(sum(shares.values()), 1, abs_tol=1e-6):
            raise WeightsError(f"{path}: the shares of the heads that it reads, {json.dumps(shares)}, do not sum to 1")
    if not 0 < read.temperature < math.inf or not 1 <= min(sides) <= max(sides) <= 1024:
        raise WeightsError(f"{path}: temperature {metadata['temperature']} or sides {sides} are none")
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

    def logits(self, crops: Sequence[np.ndarray], squares: np.ndarray) -> np.ndarray:
        """Read N faces.

        Args:
            crops: N squares (S, S, 3) uint8 RGB, as ``geometry.crop_faces`` cuts them; S may differ.
            squares: (N, 3) centre x, centre y and side of what to read, fractions of the crop (``framing.squares``).

        Returns:
            (N, L) float32, L outputs of all heads.
        """
        ...


class IdentityModel(Protocol):
    """Turns faces into embedding vectors; vectors of one person are close together."""

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


class LandmarkModel(Protocol):
    """Finds the 68 points of a face, in the order of the 300-W annotations."""

    @property
    def sha256(self) -> str:
        """The hash of the weight file, 64 hexadecimal digits."""
        ...

    def points(self, crops: Sequence[np.ndarray], squares: np.ndarray) -> np.ndarray:
        """Find the points of N faces.

        Args:
            crops: N squares (S, S, 3) uint8 RGB, as ``geometry.crop_faces`` cuts them; S may differ.
            squares: (N, 3) centre x, centre y and side of the face, fractions of the crop (``framing.squares``).

        Returns:
            (N, 68, 2) float32, fractions of the crop: 0 to 16 the outline from left to right as seen, 17 to 26 the
            brows, 27 to 35 the nose, 36 to 47 the eyes, 48 to 59 the outer lip, 60 to 67 the inner one.
        """
        ...
