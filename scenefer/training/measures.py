"""Evaluation measures of an expression network: definition, computation and description in words."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass

import numpy as np

from scenefer.core import metrics
from scenefer.core.schema import EMOTIONS


@dataclass(frozen=True)
class Figures:
    """The measures; shares are from 0 to 1, classes are in the order of EMOTIONS."""

    data: str
    split: str
    truth: str  # label, or the clear majority of the FER+ votes
    head: str
    tta: bool
    sha256: tuple[str, ...]  # of the weights; several networks are averaged
    n: int  # number of pictures
    n_missed: int  # number of these in which the detector found no face
    missed: tuple[int, ...]  # n_missed by class
    accuracy: float
    low: float  # 95 % interval of the accuracy (Wilson 1927)
    high: float
    top2: float
    top5: float
    macro_f1: float
    ece: float  # expected calibration error of the detected faces (15 bins)
    ece_votes: float | None  # the same, with the share of votes for the top label as hit
    brier: float  # of the detected faces: against the votes if available, else against the label
    precision: tuple[float | None, ...]
    recall: tuple[float | None, ...]
    f1: tuple[float | None, ...]
    confusion: tuple[tuple[int, ...], ...]  # rows are true labels, columns are found labels; without missed faces
    reliability: tuple[tuple[float, float, int], ...]  # per bin: mean confidence, share correct, number of faces

    def as_json(self) -> str:
        """Return one line of JSON."""
        return json.dumps(asdict(self), ensure_ascii=False)


def measure(
    probabilities: np.ndarray,
    right: np.ndarray,
    found: np.ndarray,
    votes: np.ndarray | None,
    where: tuple[str, str, str, str, bool, tuple[str, ...]],
) -> Figures:
    """Compute the measures.

    Args:
        probabilities: (N, 7); rows of undetected faces are ignored.
        right: (N,) true label, index in EMOTIONS.
        found: (N,) bool; an undetected face counts as wrong.
        votes: (number of detected faces, 7) votes, or None.
        where: data, split, truth, head, tta and hashes, as in ``Figures``.
    """
    seven = len(EMOTIONS)
    order = np.argsort(-probabilities, axis=1, kind="stable")
    place = np.where(found, (order == right[:, None]).argmax(axis=1), seven)
    answers = order[found, 0]
    counts = np.zeros((seven, seven), np.int64)
    np.add.at(counts, (right[found], answers), 1)
    present = np.bincount(right, minlength=seven)
    precision, recall = _share(counts.diagonal(), counts.sum(axis=0)), _share(counts.diagonal(), present)
    f1 = _share(2 * counts.diagonal(), counts.sum(axis=0) + present)
    n, hits = len(right), int((place == 0).sum())
    low, high = wilson(hits, n)
    seen = probabilities[found]
    targets = np.eye(seven)[right[found]] if votes is None else votes / votes.sum(axis=1, keepdims=True)
    return Figures(
        *where,
        n=n,
        n_missed=int((~found).sum()),
        missed=tuple(np.bincount(right[~found], minlength=seven).tolist()),
        accuracy=hits / n,
        low=low,
        high=high,
        top2=float((place < 2).mean()),
        top5=float((place < 5).mean()),
        macro_f1=float(np.mean([value for value, many in zip(f1, present, strict=True) if many and value is not None])),
        ece=metrics.ece(seen, right[found]),
        ece_votes=None if votes is None else metrics.ece(seen, votes),
        brier=float(((seen - targets) ** 2).sum(axis=1).mean()),
        precision=precision,
        recall=recall,
        f1=f1,
        confusion=tuple(tuple(int(count) for count in row) for row in counts),
        reliability=_reliability(seen, right[found]),
    )


def wilson(hits: int, n: int, z: float = 1.959964) -> tuple[float, float]:
    """Return the 95 % interval of a share (Wilson 1927).

    Raises:
        ValueError: n is 0.
    """
    if n == 0:
        raise ValueError("the share of nothing has no interval")
    share = hits / n
    middle = share + z * z / (2 * n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return (middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)


def _share(hits: np.ndarray, of: np.ndarray) -> tuple[float | None, ...]:
    return tuple(float(hit / all_) if all_ else None for hit, all_ in zip(hits, of, strict=True))


def _reliability(
    probabilities: np.ndarray, right: np.ndarray, n_bins: int = 15
) -> tuple[tuple[float, float, int], ...]:
    confidence, hit = probabilities.max(axis=1), probabilities.argmax(axis=1) == right
    bins = np.clip(np.ceil(confidence * n_bins).astype(int) - 1, 0, n_bins - 1)
    kept = [bins == number for number in range(n_bins) if (bins == number).any()]
    return tuple((float(confidence[row].mean()), float(hit[row].mean()), int(row.sum())) for row in kept)


def describe(figures: Figures) -> str:
    """Return a text with the measures, one fact per line."""
    lines = [
        f"{figures.data} {figures.split}".strip() + f", truth: {figures.truth}, head: {figures.head}"
        f"{', mirrored and cropped views averaged' if figures.tta else ''}",
        f"accuracy {figures.accuracy:.1%} ({figures.low:.1%} to {figures.high:.1%}, n = {figures.n}"
        f"{f', {figures.n_missed} not found' if figures.n_missed else ''})",
        f"top 2 {figures.top2:.1%}, top 5 {figures.top5:.1%}, macro-F1 {figures.macro_f1:.1%}, ECE {figures.ece:.3f}"
        f"{'' if figures.ece_votes is None else f' ({figures.ece_votes:.3f} against the votes)'}, "
        f"Brier {figures.brier:.3f}",
        f"{'':10}{'precision':>11}{'recall':>9}{'F1':>7}{'n':>7}",
    ]
    for number, emotion in enumerate(EMOTIONS):
        parts = (figures.precision[number], figures.recall[number], figures.f1[number])
        texts = ["–" if part is None else f"{part:.1%}" for part in parts]
        n = sum(figures.confusion[number]) + figures.missed[number]
        lines.append(f"{emotion:10}{texts[0]:>11}{texts[1]:>9}{texts[2]:>7}{n:>7}")
    return "\n".join(lines)
