"""Labelled faces, of whatever data set: the pictures, their labels, splits and votes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import NamedTuple

import cv2
import numpy as np

from scenefer.core.errors import SceneferError
from scenefer.core.schema import EMOTIONS
from scenefer.models.expression import predictor

OTHER = -1  # a label outside the seven


class Aligned(NamedTuple):
    """A data set of uniformly aligned faces, and the square of its pictures that FER2013 would show."""

    written: str  # name in texts
    x: float  # centre, px
    y: float
    side: float  # px


ALIGNED = {"rafdb": Aligned("RAF-DB", 48.7, 48.7, 111.0)}


@dataclass(frozen=True)
class Faces:
    """Labelled pictures of faces."""

    name: str
    pictures: (
        np.ndarray | list[np.ndarray]
    )  # N uint8: (48, 48) grey, framed as in FER2013, or (H, W, 3) RGB that need face detection
    labels: np.ndarray  # (N,) int64, index in EMOTIONS, or OTHER
    split: np.ndarray  # (N,) str: Training, PublicTest, PrivateTest, or "" if the set has no splits
    votes: np.ndarray | None = None  # (N, 10) float32, votes for ferplus.VOTED; all 0 if nobody voted
    group: np.ndarray | None = None  # (N,) str: film or person; pictures of one group are not independent
    broken: list[str] = field(default_factory=list)  # names of pictures that could not be read

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def framed(self) -> bool:
        """Whether the pictures are 48×48 grey squares framed as in FER2013, so that no face detection is needed."""
        return isinstance(self.pictures, np.ndarray)

    def take(self, rows: np.ndarray) -> Faces:
        """Return the faces of the given rows, which are indices or a boolean mask."""
        indices = np.flatnonzero(rows) if rows.dtype == bool else rows
        if isinstance(self.pictures, np.ndarray):
            pictures: np.ndarray | list[np.ndarray] = self.pictures[indices]
        else:
            pictures = [self.pictures[int(row)] for row in indices]
        votes, group = (None if column is None else column[indices] for column in (self.votes, self.group))
        return Faces(self.name, pictures, self.labels[indices], self.split[indices], votes, group, self.broken)

    def of(self, split: str) -> Faces:
        """Return one split.

        Raises:
            SceneferError: there is no split of this name.
        """
        known = sorted(set(self.split.tolist()))
        if split not in known:
            has = "is not split" if known == [""] else f"has {', '.join(map(repr, known))}"
            raise SceneferError(f"{self.name} has no split {split!r}: it {has}")
        return self.take(self.split == split)


def framed(faces: Faces, size: int) -> Faces:
    """Crop the faces of an aligned set as in FER2013, with a size in pixels: pictures (N, size, size) grey.

    Raises:
        SceneferError: the alignment of this set is unknown.
    """
    if faces.name not in ALIGNED:
        raise SceneferError(f"how {faces.name} frames a face is unknown; known: {', '.join(ALIGNED)}")
    _, x, y, side = ALIGNED[faces.name]
    grey = (cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in faces.pictures)
    return replace(faces, pictures=np.stack([predictor.square(picture, x, y, side, size) for picture in grey]))


def summary(faces: Faces) -> str:
    """Describe a data set: pictures per split and class, duplicates, broken files."""
    lines = []
    for split in sorted(set(faces.split.tolist())):
        labels = faces.labels[faces.split == split]
        counts = ", ".join(f"{emotion} {(labels == number).sum()}" for number, emotion in enumerate(EMOTIONS))
        lines.append(f"{faces.name} {split or 'all'}: {len(labels)} pictures: {counts}, other {(labels < 0).sum()}")
    if faces.framed:
        distinct = {picture.tobytes() for picture in faces.pictures}
        lines.append(f"{len(faces) - len(distinct)} pictures repeat another one exactly")
    if faces.broken:
        lines.append(f"{len(faces.broken)} broken: {', '.join(faces.broken[:5])}{' …' * (len(faces.broken) > 5)}")
    return "\n".join(lines)
