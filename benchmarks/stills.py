"""Film stills (SFEW 2.0, Dhall et al. 2011): accuracy on single pictures, and on the pictures of a clip together.

*Found* is over the stills with a detected face; *all* counts the others as wrong. The stills of a clip are read like a
track, by the mean of their probabilities; only clips with a single label and at least two found stills count.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from scenefer.core.schema import EMOTIONS
from scenefer.models import FaceDetector
from scenefer.models.expression import predictor
from scenefer.training import datasets, evaluate
from scenefer.training.measures import wilson

FACES = Path(os.environ.get("SCENEFER_FACES") or Path(__file__).parents[2] / "shared" / "data")
CONSTANT = EMOTIONS.index("neutral")


class Hits(NamedTuple):
    """How many of ``n`` were read right, with the Wilson interval, and how many the constant answer "neutral" has."""

    right: int
    n: int
    constant: int

    @property
    def words(self) -> str:
        low, high = wilson(self.right, self.n)
        return f"{self.right / self.n:.1%} ({low:.1%} to {high:.1%}; n = {self.n})"

    @property
    def constant_words(self) -> str:
        return f"{self.constant / self.n:.1%}"


class Stills(NamedTuple):
    """The three ways to count film stills."""

    found: Hits
    all: Hits
    tracks: Hits


class Located(NamedTuple):
    """Film stills with the results of face detection."""

    faces: evaluate.Located
    labels: np.ndarray  # (N,) index in EMOTIONS
    clips: np.ndarray  # (N,) the clip of each still


def locate(path: Path, detector: FaceDetector | None = None, square: evaluate.Square | None = None) -> Located:
    """Look for the faces of the stills in a Parquet file with image, label and source_name."""
    faces = datasets.read(path)
    names = pd.read_parquet(path, columns=["source_name"])["source_name"]
    clips = names.str.extract(r"([^/]+?)_*\d+\.\w+$")[0]  # Title_time_frame.png
    return Located(evaluate.locate(faces, detector, square), faces.labels, clips.to_numpy(str))


def read(network: predictor.ExpressionReader, located: Located) -> np.ndarray:
    """Return the logits (M, L) of the faces that were found."""
    return network.read(predictor.cut(located.faces.crops, located.faces.squares, network.size))


def score(probabilities: np.ndarray, located: Located) -> Stills:
    """Count right readings; ``probabilities`` (M, 7) are those of the faces that were found."""
    found = located.faces.found
    labels, clips = located.labels[found], located.clips[found]
    right = int((probabilities.argmax(axis=1) == labels).sum())
    whole = int((located.labels == CONSTANT).sum())
    tracks = [0, 0, 0]
    for clip in np.unique(clips):
        members = clips == clip
        if members.sum() >= 2 and len(set(labels[members].tolist())) == 1:
            label = labels[members][0]
            tracks[0] += int(probabilities[members].mean(axis=0).argmax() == label)
            tracks[1] += 1
            tracks[2] += int(label == CONSTANT)
    return Stills(
        Hits(right, int(found.sum()), int((labels == CONSTANT).sum())),
        Hits(right, len(located.labels), whole),
        Hits(tracks[0], tracks[1], tracks[2]),
    )


def plain(found: Stills) -> dict[str, Any]:
    """Return the counts as plain values for JSON."""
    return {key: value._asdict() for key, value in found._asdict().items()}


def from_plain(kept: dict[str, Any]) -> Stills:
    """Restore the counts from the result of ``plain``."""
    return Stills(**{key: Hits(**value) for key, value in kept.items()})


def lines(found: Stills) -> list[tuple[str, str, str]]:
    """Format the figures: name, scenefer's value, the constant answer's value."""
    return [
        ("film stills, faces found", found.found.words, found.found.constant_words),
        ("film stills, all", found.all.words, found.all.constant_words),
        ("clips' stills together, as a track", found.tracks.words, found.tracks.constant_words),
    ]
