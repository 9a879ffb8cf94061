"""Evaluation of expression networks on labelled faces, reproducible by anybody who has the data.

Framed sets (FER2013) are read as they are. In any other set the face is detected first, as in a film, and a missed face
counts as wrong. Each score on FER2013's PrivateTest is appended to a ledger with the weights' hash, so that repeated
use of the test set is visible.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np

from scenefer.analysis import expressions
from scenefer.analysis.observation import ObservationSettings
from scenefer.core import geometry
from scenefer.core.errors import SceneferError, unwritable
from scenefer.core.schema import EMOTIONS
from scenefer.models import (
    Calibration,
    FaceDetector,
    calibration,
    framing,
    public_learned,
    reading_words,
    registry,
    weight_files,
)
from scenefer.models.expression import predictor
from scenefer.models.expression.network import ExpressionNetwork
from scenefer.training import datasets, ferplus, labelled_faces, leakage
from scenefer.training.measures import Figures, measure

AnyPath = str | os.PathLike[str]

_RESULTS = Path(__file__).parents[2] / "benchmarks" / "results"
LEDGER = _RESULTS / "privatetest.jsonl" if _RESULTS.is_dir() else None  # exists only in a checkout, not in a wheel
N_PRIVATE = 3589  # rows of FER2013's PrivateTest; a folder "test" with another number of pictures is not it
SMALL = 320  # px; smaller pictures of faces are enlarged for the detector
LOOKS = (2.0, 1.5)  # factors of enlargement, tried in this order until a face is found
CROPS = ((0.0, 0.0, 1.0), *((x, y, 0.95) for x in (-0.025, 0.025) for y in (-0.025, 0.025)))  # shift x, shift y, side


def evaluate(
    weights: AnyPath | Sequence[AnyPath],
    data: AnyPath,
    split: str = "",
    *,
    votes: AnyPath | None = None,
    head: str | None = None,
    truth: str = "label",
    tta: bool = False,
    device: str = "cpu",
    detector: FaceDetector | None = None,
    ledger: Path | None = LEDGER,
    tell: Callable[[str], None] = lambda _: None,
) -> Figures:
    """Evaluate weights, or the average of several, on a data set.

    Args:
        weights: names or files, one or several.
        data: a data set: CSV, Parquet, or a folder of class folders.
        votes: FER+: fer2013new.csv, if ``data`` is fer2013.csv.
        split: Training, PublicTest or PrivateTest; empty for a set without splits. Training and PublicTest exclude
            photographs of PrivateTest (``leakage``); the part of PublicTest that the weights were trained on counts
            as Training.
        head: use only this head; by default the heads are blended as the weights state, as in the pipeline.
        truth: ``label``, or ``majority`` of the FER+ votes: rows whose majority is tied, contempt, unknown or no face
            are excluded, and the head's probabilities are those of the seven.
        tta: test-time augmentation: average over five crops and their mirror images.
        detector: for pictures that are not framed; default: the detector for films.
        ledger: file to which a score on PrivateTest is appended; None = do not record it.
        tell: called with a summary of the data set.

    Raises:
        SceneferError: the data cannot be read, lack requested votes, or show no face.
        WeightsError: the weights cannot be read.
        OutputError: a score cannot be recorded.
    """
    several = [weights] if isinstance(weights, str | os.PathLike) else list(weights)
    faces = datasets.read(Path(data), Path(votes) if votes else None)
    tell(labelled_faces.summary(faces))
    if split or set(faces.split.tolist()) != {""}:
        if split != "PrivateTest":
            public = max(public_learned(registry.describe(registry.find_expression(name))) for name in several)
            faces = leakage.without_leaks(faces, public)
        faces = faces.of(split)
    is_private = split == "PrivateTest" and len(faces) == N_PRIVATE
    figures = score(several, faces, split, head=head, truth=truth, tta=tta, device=device, detector=detector)
    if is_private and ledger is not None:
        note(ledger, figures, several)
    return figures


def score(
    weights: Sequence[AnyPath],
    faces: labelled_faces.Faces,
    split: str,
    *,
    head: str | None = None,
    truth: str = "label",
    tta: bool = False,
    device: str = "cpu",
    detector: FaceDetector | None = None,
) -> Figures:
    """Evaluate weights like ``evaluate``, but on all of the given faces and without recording the score."""
    if truth == "majority" and faces.votes is None:
        raise SceneferError(f"{faces.name} has no FER+ votes; give fer2013new.csv beside it")
    right = faces.labels if truth == "label" or faces.votes is None else ferplus.majority(faces.votes)
    faces, right = faces.take(right >= 0), right[right >= 0]
    if not len(faces):
        raise SceneferError(f"{faces.name} {split}".strip() + f": no picture shows one of {', '.join(EMOTIONS)}")
    located = locate(faces, detector)
    if not located.found.any():
        raise SceneferError(f"{faces.name}: no face is found in any of its {len(faces)} pictures")
    members = [_probabilities(name, located, head, tta, device) for name in weights]
    probabilities = np.zeros((len(faces), len(EMOTIONS)), np.float32)
    probabilities[located.found] = np.mean([member[0] for member in members], axis=0)
    hashes, heads = [member[1] for member in members], {member[2] for member in members}
    shares = None if faces.votes is None or truth == "label" else faces.votes[located.found, : len(EMOTIONS)]
    where = (faces.name, split, truth, ", ".join(sorted(heads)), tta, tuple(hashes))
    return measure(probabilities, right, located.found, shares, where)


Square = Callable[[np.ndarray, np.ndarray], np.ndarray]  # boxes (N, 4) and landmarks (N, 5, 2) to squares (N, 3)


class Located(NamedTuple):
    """The located faces of N pictures, to be cropped as each network's training pictures are framed."""

    found: np.ndarray  # (N,) bool
    framed: np.ndarray | None  # (N, 48, 48) for a set that is framed as FER2013
    crops: list[np.ndarray]  # for other sets: M squares (S, S, 3) RGB around the detected faces
    squares: np.ndarray  # (M, 3) the part of each crop to read, ``framing.squares``, fractions of the crop

    def cut(self, network: ExpressionNetwork) -> np.ndarray:
        """Crop the located faces for a network: (M, size, size) uint8 grey."""
        if self.framed is not None:
            return self.framed
        return predictor.cut(self.crops, self.squares, network.size)


def locate(faces: labelled_faces.Faces, detector: FaceDetector | None = None, square: Square | None = None) -> Located:
    """Detect the largest face in each picture, unless the set is framed; by default with the detector for films.

    Args:
        square: computes the square to read; default: ``framing.squares``.
    """
    if isinstance(faces.pictures, np.ndarray):
        return Located(np.ones(len(faces), bool), faces.pictures, [], np.empty((0, 3)))
    detector = detector or registry.load_detector(ObservationSettings().detector, smallest_face=40)
    found = np.zeros(len(faces), bool)
    crops: list[np.ndarray] = []
    squares: list[np.ndarray] = []
    for row, picture in enumerate(faces.pictures):
        for factor in LOOKS if max(picture.shape[:2]) < SMALL else (1.0,):
            large = cv2.resize(picture, None, fx=factor, fy=factor) if factor > 1 else picture
            if face := _largest(large, detector):
                # Crop from the picture without the black border, which is only for the detector; replicate edges, as
                # the pipeline does.
                cut, *framed = geometry.cut_out(large, *face)
                crops += cut
                squares.append(square(*framed) if square else framing.squares(framed[0], detector.name))
                found[row] = True
                break
    return Located(found, None, crops, np.concatenate(squares) if squares else np.empty((0, 3)))


def _largest(picture: np.ndarray, detector: FaceDetector) -> tuple[np.ndarray, np.ndarray] | None:
    """Find the largest face in a picture that shows little else: box (1, 4) and landmarks (1, 5, 2), or None.

    Such pictures end at the edge of the face, where detectors fail, so a black border is added for the detector.
    """
    edge = max(picture.shape[:2]) // 3
    padded = cv2.copyMakeBorder(picture, edge, edge, edge, edge, cv2.BORDER_CONSTANT)
    detected = detector.detect([padded])[0]
    if not len(detected.scores):
        return None
    largest = [int((detected.boxes[:, 2:] - detected.boxes[:, :2]).prod(axis=1).argmax())]
    return detected.boxes[largest] - edge, detected.landmarks[largest] - edge


def _probabilities(
    name: AnyPath, located: Located, head: str | None, tta: bool, device: str
) -> tuple[np.ndarray, str, str]:
    """Read faces with one network: calibrated probabilities (M, 7), the weights' hash, the names of the heads used."""
    path = registry.find_expression(name)
    network, metadata = predictor.load_network(path)
    heads = json.loads(metadata["heads"])
    calibrated, words = calibration(metadata), reading_words(metadata)
    if head is not None and head not in heads:
        raise SceneferError(f"{path} has no head {head!r}; it has {', '.join(heads)}")
    if head is not None and head != words:  # only the heads used by the pipeline are calibrated
        calibrated, words = Calibration(((heads[head][0], 1.0),)), head
    model = predictor.ExpressionReader(network, "", calibrated, mirrored=tta, device=device)
    pictures = located.cut(network)
    # Crop views directly at the side to which the network would enlarge them; resampling twice would blur them.
    views = (_view(pictures, *crop, network.side) for crop in (CROPS if tta else CROPS[:1]))  # one in memory at a time
    softened = [expressions.probabilities(model.read(view), calibrated) for view in views]
    return np.mean(softened, axis=0), weight_files.sha256_of(path), words


def _view(pictures: np.ndarray, x: float, y: float, side: float, size: int) -> np.ndarray:
    """Crop a square from framed faces (N, H, H): (N, S, S); shift of the centre and side are fractions of H."""
    if (x, y, side) == CROPS[0]:
        return pictures
    edge = pictures.shape[1]
    return np.stack([predictor.square(p, (0.5 + x) * edge, (0.5 + y) * edge, side * edge, size) for p in pictures])


def note(ledger: Path, figures: Figures, weights: Sequence[AnyPath]) -> None:
    """Append a line to the ledger of scores.

    Raises:
        OutputError: the ledger cannot be written; the caller must then not report the score.
    """
    line: dict[str, Any] = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "weights": [Path(name).name for name in weights],  # without folders; the hashes identify them
        "sha256": list(figures.sha256),
        "truth": figures.truth,
        "head": figures.head,
        "tta": figures.tta,
        "n": figures.n,
        "accuracy": round(figures.accuracy, 5),
        "low": round(figures.low, 5),
        "high": round(figures.high, 5),
        "macro_f1": round(figures.macro_f1, 5),
        "ece": round(figures.ece, 5),
        "ece_votes": None if figures.ece_votes is None else round(figures.ece_votes, 5),
    }
    try:
        with ledger.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
    except OSError as error:
        raise unwritable(ledger, error, "a score of PrivateTest is noted before it is told") from error
