"""Can one tell whose photograph a network learned? Membership inference by a population attack.

A face is called learned if the network's loss on it is lower than on all but a share of faces that it never saw
(Ye et al., "Enhanced Membership Inference Attacks", CCS 2022, attack P; Yeom et al., CSF 2018). The share is the rate
of false alarms that the attacker accepts, and sets the threshold on a reference population of its own.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from scenefer.core.errors import SceneferError
from scenefer.models import public_learned, registry
from scenefer.models.expression import blending, predictor
from scenefer.models.expression.network import SIZE
from scenefer.training import datasets, labelled_faces, leakage, pages, study_data
from scenefer.training.labelled_faces import Faces

RATES = (0.01, 0.1)  # of false alarms
ENOUGH = 5  # reference faces below a threshold: of fewer, the rate that it accepts is anybody's guess
RESAMPLES = 1000


@dataclass(frozen=True)
class Alarm:
    """What the attack does at one accepted rate of false alarms."""

    rate: float  # accepted, on the reference population
    threshold: float  # loss below which a face is called learned
    found: float  # share of the learned faces that are called so, with its 95 % interval
    low: float
    high: float
    tp: int  # learned, and called so
    fp: int  # not learned, but called so
    tn: int
    fn: int


@dataclass(frozen=True)
class Privacy:
    """How well an attacker tells learned faces from others; shares are 0 to 1, intervals of 95 % by bootstrap."""

    weights: str
    sha256: str
    members: str
    others: str
    n_members: int
    n_others: int  # that are attacked
    n_reference: int  # that set the thresholds
    n_repeated: int  # others left out since they show a photograph that was learned
    loss_members: float  # means
    loss_others: float
    auc: float  # 0.5: no better than a coin
    low: float
    high: float
    alarms: tuple[Alarm, ...]  # at the rates of RATES that the reference faces can set
    roc: tuple[tuple[float, float], ...]  # false alarms, learned faces found

    def as_json(self) -> str:
        """Return one line of JSON."""
        return json.dumps(asdict(self), ensure_ascii=False)


def attack(
    weights: str,
    members: Sequence[str],
    others: Sequence[str],
    *,
    most: int = 5000,
    device: str = "cpu",
    tell: Callable[[str], None] = lambda _: None,
) -> Privacy:
    """Attack weights.

    Args:
        weights: a name or a file.
        members, others: sets that were learned and that were not, ``FILE`` or ``FILE:SPLIT``. Of FER2013, what weights
            learned of PublicTest by what their file says belongs to Training, as in ``scenefer evaluate``.
        most: pictures of each side that are drawn, seeded; half of the others set the thresholds.

    Raises:
        SceneferError: the data cannot be read, or too few are left.
        WeightsError: the weights cannot be read.
    """
    path = registry.find_expression(weights)
    learned = public_learned(registry.describe(path))
    model = predictor.load(path, device=device)
    read = [[_read(name, learned) for name in side] for side in (members, others)]
    # All are cut alike, or the size of a face would tell whose side it is on.
    size = SIZE if any(faces.framed for side in read for faces, _ in side) else model.size
    known, unknown = (_joined(side, size) for side in read)
    repeated = leakage.nearest(unknown, known)[0] <= leakage.NEAR
    draws = np.random.default_rng(0)
    unknown = unknown.take(~repeated)
    known, unknown = (side.take(draws.permutation(len(side))[:most]) for side in (known, unknown))
    if min(len(known), len(unknown)) < 40:
        raise SceneferError(
            f"{len(known)} learned faces and {len(unknown)} others are too few; give at least 40 of each"
        )
    tell(f"{len(known)} learned faces, {len(unknown)} others, {int(repeated.sum())} left out that repeat a learned one")
    loss = [_losses(model, side) for side in (known, unknown)]
    half = len(loss[1]) // 2
    return measure(
        loss[0], loss[1][half:], loss[1][:half], (weights, model.sha256, known.name, unknown.name), int(repeated.sum())
    )


def parted(name: str) -> tuple[str, str]:
    """Part ``FILE:SPLIT`` at its last colon; the colon after the letter of a drive is part of the file."""
    place, _, split = name.rpartition(":")
    return (place, split) if len(place) > 1 else (name, "")


def _read(name: str, learned: float) -> tuple[Faces, str]:
    """Read a set as it is, and return it with its name in words."""
    place, split = parted(name)
    faces = datasets.read(Path(place))
    faces = faces.take(faces.labels != labelled_faces.OTHER)
    if split in ("Training", "PublicTest", "PrivateTest"):
        faces = leakage.without_leaks(faces, learned)
    return faces.of(split) if split else faces, f"{faces.name} {split}".strip()


def _joined(read: Sequence[tuple[Faces, str]], size: int) -> Faces:
    """Join sets, each cut as FER2013 frames faces."""
    parts = [study_data.cut(faces, size).faces for faces, _ in read]
    pictures = np.concatenate([np.asarray(part.pictures) for part in parts])
    labels = np.concatenate([part.labels for part in parts])
    return Faces(" and ".join(words for _, words in read), pictures, labels, np.full(len(labels), ""))


def _losses(model: predictor.ExpressionReader, faces: Faces) -> np.ndarray:
    """Return the cross-entropy of each face's label: (N,)."""
    read = blending.probabilities(model.read(np.asarray(faces.pictures)), model.calibration)
    return -np.log(np.maximum(read[np.arange(len(read)), faces.labels], 1e-12))


def measure(
    members: np.ndarray,
    others: np.ndarray,
    reference: np.ndarray,
    where: tuple[str, str, str, str],
    n_repeated: int = 0,
) -> Privacy:
    """Measure an attack by losses.

    Args:
        members, others, reference: (N,) losses of learned faces, of others, and of others that set the thresholds.
        where: weights, their hash, and what members and others are.
    """
    draws = np.random.default_rng(0)
    resampled = [
        [draws.choice(losses, len(losses)) for losses in (members, others, reference)] for _ in range(RESAMPLES)
    ]
    low, high = np.percentile([auc(one, two) for one, two, _ in resampled], (2.5, 97.5))
    alarms = []
    for rate in RATES:
        if len(reference) < needed(rate):
            continue
        threshold = float(np.quantile(reference, rate))
        shares = [float((one <= np.quantile(three, rate)).mean()) for one, _, three in resampled]
        least, most = np.percentile(shares, (2.5, 97.5))
        tp, fp = int((members <= threshold).sum()), int((others <= threshold).sum())
        counts = (tp, fp, len(others) - fp, len(members) - tp)
        alarms.append(Alarm(rate, threshold, tp / len(members), float(least), float(most), *counts))
    steps = np.quantile(others, np.concatenate([np.linspace(0.0005, 0.0095, 19), np.linspace(0.01, 1, 100)]))
    roc = [(float((others <= step).mean()), float((members <= step).mean())) for step in steps]
    roc = [(0.0, 0.0), (0.0, float((members < others.min()).mean())), *roc, (1.0, 1.0)]
    counts = (len(members), len(others), len(reference), n_repeated)
    means = (float(members.mean()), float(others.mean()))
    return Privacy(
        *where, *counts, *means, auc(members, others), float(low), float(high), tuple(alarms), tuple(dict.fromkeys(roc))
    )


def needed(rate: float) -> int:
    """Return how many reference faces a threshold at a rate of false alarms takes."""
    return math.ceil(round(ENOUGH / rate, 6))


def auc(members: np.ndarray, others: np.ndarray) -> float:
    """Return the probability that a learned face has a lower loss than another one, ties half."""
    ordered = np.sort(others)
    above = len(ordered) - np.searchsorted(ordered, members, side="right")
    ties = np.searchsorted(ordered, members, side="right") - np.searchsorted(ordered, members, side="left")
    return float((above + ties / 2).mean() / len(ordered))


def describe(found: Privacy) -> str:
    """Say in words what an attacker can tell."""
    verdict = "no better than a coin" if found.low <= 0.5 <= found.high else "better than a coin"
    if found.high < 0.5:
        verdict = "worse than a coin"
    lines = [
        f"{found.weights}: {found.n_members} faces of {found.members}, which it learned, against {found.n_others} of "
        f"{found.others}, which it did not; {found.n_reference} more set the thresholds, {found.n_repeated} repeat "
        "learned photographs and are left out",
        f"mean loss {found.loss_members:.3f} and {found.loss_others:.3f}; AUC {found.auc:.3f} ({found.low:.3f} to "
        f"{found.high:.3f}): {verdict}",
    ]
    for rate in RATES:
        if found.n_reference < needed(rate):
            lines.append(
                f"false alarms of {rate:.0%}: {found.n_reference} faces cannot set this threshold; give at least "
                f"{2 * needed(rate)} others (and as large a --most)"
            )
    if found.alarms:
        lines.append(f"{'false alarms accepted':>22}{'learned found':>32}{'TP':>7}{'FP':>7}{'TN':>7}{'FN':>7}")
    for alarm in found.alarms:
        share = f"{alarm.found:.1%} ({alarm.low:.1%} to {alarm.high:.1%})"
        lines.append(f"{alarm.rate:>22.0%}{share:>32}{alarm.tp:>7}{alarm.fp:>7}{alarm.tn:>7}{alarm.fn:>7}")
    return "\n".join(lines)


def page(found: Privacy) -> str:
    """Draw the attack as a page: in words, and its ROC curve."""
    lines = {"a coin": [(0.0, 0.0), (1.0, 1.0)], "the attack": list(found.roc)}
    return pages.evaluated("Whose photograph did it learn?", describe(found), lines, "false alarms")
