"""Measure expression networks on labelled faces, so that a figure can be repeated by anybody who has the data.

Framed sets (FER2013) are read as they are. In any other set the detector looks for the face first, as in a film, and a
face that it misses counts as wrong. Each score of FER2013's PrivateTest is appended to a ledger with the weights' hash:
who looks twice is seen to have looked twice.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np

from scenefer import expression, geometry
from scenefer.errors import SceneferError, unwritable
from scenefer.models import Calibration, FaceDetector, calibration, public_learned, reader, records, zoo
from scenefer.schema import EMOTIONS
from scenefer.training import datasets, ferplus, leaks
from scenefer.training.figures import Figures, measure

_RESULTS = Path(__file__).parents[2] / "benchmarks" / "results"
LEDGER = _RESULTS / "privatetest.jsonl" if _RESULTS.is_dir() else None  # it lies in a checkout; a wheel has none
N_PRIVATE = 3589  # rows of FER2013's PrivateTest; a folder "test" of another number is something else
SMALL = 320  # px; pictures of faces under it are doubled before the detector looks
CROPS = ((0.0, 0.0, 1.0), *((x, y, 0.95) for x in (-0.025, 0.025) for y in (-0.025, 0.025)))  # shift, shift, side


def evaluate(
    weights: Sequence[str | Path],
    data: Path,
    split: str = "",
    *,
    votes: Path | None = None,
    head: str | None = None,
    truth: str = "label",
    tta: bool = False,
    device: str = "cpu",
    detector: FaceDetector | None = None,
    ledger: Path | None = LEDGER,
    tell: Callable[[str], None] = lambda _: None,
) -> Figures:
    """Measure weights, or the average of several, on a data set.

    Args:
        split: Training, PublicTest or PrivateTest; empty for a set that has none. Of the first two, what shows a
            photograph of PrivateTest is left out (``leaks``); what the weights learned of PublicTest is Training.
        head: the head that is read; by default the one that the weights say feeds the pipeline.
        truth: ``label``, or ``majority`` of the FER+ votes: rows whose majority is tied, contempt, unknown or no face
            are left out, and the head's probabilities are those of the seven.
        tta: average over five crops, each mirrored too.
        detector: for pictures that are not framed; by default MTCNN.
        ledger: where a score of PrivateTest is noted; None notes nothing.
        tell: is told what the data set holds.

    Raises:
        SceneferError: the data cannot be read, have no votes where they are asked for, or show no face.
        WeightsError: the weights cannot be read.
        OutputError: a score cannot be noted.
    """
    faces = datasets.read(data, votes)
    tell(datasets.summary(faces))
    if split or set(faces.split.tolist()) != {""}:
        if split != "PrivateTest":
            public = max(public_learned(zoo.describe(zoo.find_expression(name))) for name in weights)
            faces = leaks.without_leaks(faces, public)
        faces = faces.of(split)
    is_private = split == "PrivateTest" and len(faces) == N_PRIVATE
    figures = score(weights, faces, split, head=head, truth=truth, tta=tta, device=device, detector=detector)
    if is_private and ledger is not None:
        note(ledger, figures, weights)
    return figures


def score(
    weights: Sequence[str | Path],
    faces: datasets.Faces,
    split: str,
    *,
    head: str | None = None,
    truth: str = "label",
    tta: bool = False,
    device: str = "cpu",
    detector: FaceDetector | None = None,
) -> Figures:
    """Measure as ``evaluate`` does, on faces that have been read, all of them; nothing is noted."""
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
    where = (faces.name, split, truth, "+".join(sorted(heads)), tta, tuple(hashes))
    return measure(probabilities, right, located.found, shares, where)


class Located(NamedTuple):
    """Where the faces of N pictures are; a network cuts them as its training pictures are framed."""

    found: np.ndarray  # (N,) bool
    framed: np.ndarray | None  # (N, 48, 48) of a set that comes framed as FER2013
    crops: list[np.ndarray]  # of other sets: M squares (S, S, 3) RGB around the faces found
    boxes: np.ndarray  # (M, 4) fractions of the square

    def cut(self, network: reader.Network) -> np.ndarray:
        """Cut the faces that were found as a network reads them: (M, size, size) uint8 grey."""
        if self.framed is not None:
            return self.framed
        return reader.cut(self.crops, self.boxes, network.size, network.framing)


def locate(faces: datasets.Faces, detector: FaceDetector | None = None) -> Located:
    """Look for the largest face of each picture, unless the set comes framed; by default with MTCNN."""
    if isinstance(faces.pictures, np.ndarray):
        return Located(np.ones(len(faces), bool), faces.pictures, [], np.empty((0, 4)))
    detector = detector or zoo.load_detector("mtcnn", smallest_face=40)
    found = np.zeros(len(faces), bool)
    crops: list[np.ndarray] = []
    boxes: list[np.ndarray] = []
    for row, picture in enumerate(faces.pictures):
        # Such pictures are small and cut at the face's edge, where a detector sees none: of 143 film stills MTCNN found
        # a face in 72 as they are, in 122 with a black frame, in 127 doubled and framed.
        large = cv2.resize(picture, None, fx=2, fy=2) if max(picture.shape[:2]) < SMALL else picture
        edge = max(large.shape[:2]) // 6
        padded = cv2.copyMakeBorder(large, edge, edge, edge, edge, cv2.BORDER_CONSTANT)
        detected = detector.detect([padded])[0]
        if len(detected.scores):
            areas = (detected.boxes[:, 2:] - detected.boxes[:, :2]).prod(axis=1)
            box, landmarks = detected.boxes[[areas.argmax()]], detected.landmarks[[areas.argmax()]]
            crops += list(geometry.crop_faces([padded], box))
            boxes.append(geometry.in_crop(box, landmarks)[0])
            found[row] = True
    return Located(found, None, crops, np.concatenate(boxes) if boxes else np.empty((0, 4)))


def _probabilities(
    name: str | Path, located: Located, head: str | None, tta: bool, device: str
) -> tuple[np.ndarray, str, str]:
    """Read faces with one network: calibrated probabilities (M, 7), the weights' hash, the head's name."""
    path = zoo.find_expression(name)
    network, metadata = reader.load_network(path)
    head = head or metadata["head"]
    heads = json.loads(metadata["heads"])
    if head not in heads:
        raise SceneferError(f"{path} has no head {head!r}; it has {', '.join(heads)}")
    calibrated = calibration(metadata)
    if head != metadata["head"]:  # only the head that feeds the pipeline is calibrated
        calibrated = Calibration((heads[head][0], heads[head][0] + len(EMOTIONS)))
    model = reader.ExpressionReader(network, "", calibrated, mirrored=tta, device=device)
    pictures = located.cut(network)
    # What the network would enlarge is cut at the enlarged side at once: resampled twice, a view blurs.
    views = (_view(pictures, *crop, network.side) for crop in (CROPS if tta else CROPS[:1]))  # one in memory at a time
    softened = [expression.probabilities(model.read(view), calibrated) for view in views]
    return np.mean(softened, axis=0), records.sha256_of(path), head


def _view(pictures: np.ndarray, x: float, y: float, side: float, size: int) -> np.ndarray:
    """Cut a square out of framed faces (N, H, H): its centre moved by parts of H, its side a part of H; (N, S, S)."""
    if (x, y, side) == CROPS[0]:
        return pictures
    edge = pictures.shape[1]
    return np.stack([reader.square(p, (0.5 + x) * edge, (0.5 + y) * edge, side * edge, size) for p in pictures])


def note(ledger: Path, figures: Figures, weights: Sequence[str | Path]) -> None:
    """Append a line to the ledger of scores.

    Raises:
        OutputError: it cannot be written; the score is then not to be told either.
    """
    line: dict[str, Any] = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "weights": [Path(name).name for name in weights],  # their hashes tell which they are, folders do not
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
