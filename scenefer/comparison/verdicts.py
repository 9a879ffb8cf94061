"""Verdicts on whether a scene shows the intended emotion: the classes that are compared, and the decision rule.

A verdict is about a scene and its picture, never about a person.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from scenefer.analysis.scene_views import KNOWN_VIEWS, SCREEN_TIME, character_view
from scenefer.comparison import resampled_shares
from scenefer.comparison.resampled_shares import Quantity
from scenefer.core import metrics
from scenefer.core.language import ENGLISH, Language, marked
from scenefer.core.schema import EMOTIONS
from scenefer.core.settings import Settings, bounded, one_of

if TYPE_CHECKING:
    from scenefer.comparison.resampled_shares import Reading

VERDICTS = ("match", "partial", "mismatch")  # as in tables; ``wording.WORDS`` has the words for readers

NO_INTENTION = marked("nothing intended")
NO_EVIDENCE = marked("too few faces")
NOT_A_CLASS = marked("neutral intended, which these classes leave out")
NO_CLASS = marked("nothing but neutral detected, which these classes leave out")
REASONS = (NO_INTENTION, NO_EVIDENCE, NOT_A_CLASS, NO_CLASS)  # why there is no verdict

_EQUAL = 1e-9  # shares closer than this are a tie, because sums of floats have rounding errors


@dataclass(frozen=True)
class ComparisonSettings(Settings):
    """When a scene is as intended, and when a film has scenes enough for figures over all of them."""

    # The view whose verdicts are the headline.
    view: str = one_of(SCREEN_TIME, KNOWN_VIEWS, character_view(""))
    match_misplaced: float = 0.25  # maximum misplaced share for a mixture to be a match
    partial_misplaced: float = 0.5  # above this misplaced share a mixture is a mismatch
    least_scenes: int = 6  # minimum number of compared scenes for kappa, skill and p
    least_labels: int = 2  # minimum number of distinct intentions for kappa, skill and p
    shuffles: int = bounded(2000, 20, 1_000_000)  # permutations of the intentions
    # Shares for the headline's verdicts: raw, or validated = corrected by faces that people judged.
    estimate: str = one_of("raw", ("raw", "validated"))


class Classes(NamedTuple):
    """A set of classes: each class is one of the seven emotions, or several of them merged."""

    name: str
    members: dict[str, tuple[str, ...]]  # label: emotions

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(self.members)


_SEVEN = {emotion: (emotion,) for emotion in EMOTIONS}
# Film studies found the signal in clusters, because networks confuse the negative expressions with each other.
_CLUSTERED = {
    "positive": ("happy",),
    "negative": ("angry", "disgust", "fear", "sad"),
    "surprise": ("surprise",),
    "neutral": ("neutral",),
}
CLASSES = tuple(
    Classes(name, {label: emotions for label, emotions in members.items() if neutral or label != "neutral"})
    for name, members, neutral in (
        (marked("seven"), _SEVEN, True),
        (marked("seven without neutral"), _SEVEN, False),
        (marked("clustered"), _CLUSTERED, True),
        (marked("clustered without neutral"), _CLUSTERED, False),
    )
)


def fold(shares: np.ndarray, classes: Classes) -> np.ndarray:
    """Sum seven shares (..., 7) to shares of the classes (..., K), normalised to 1; NaN if all classes are 0."""
    mass = np.asarray(shares, np.float64) @ _belonging(classes.name)
    total = (mass @ np.ones(len(classes.labels)))[..., None]  # faster than a sum over a short axis
    return np.divide(mass, total, out=np.full_like(mass, np.nan), where=total > _EQUAL)


@cache
def _belonging(name: str) -> np.ndarray:
    """Return the membership matrix of emotions in classes: (7, K) float64, 0 or 1."""
    members = next(classes.members.values() for classes in CLASSES if classes.name == name)
    return np.array([[float(emotion in emotions) for emotions in members] for emotion in EMOTIONS])


def leader(shares: np.ndarray) -> int | None:
    """Return the index of the largest of shares (K,); None if there is a tie."""
    first = int(shares.argmax())
    return first if (shares >= shares[first] - _EQUAL).sum() == 1 else None


def judge(
    intended: np.ndarray | None, reading: Reading | None, classes: Classes, settings: ComparisonSettings
) -> dict[str, Any]:
    """Measure the distance of the detected from the intended shares, and determine the verdict.

    Args:
        intended: (7,) shares, sum 1; None if nothing was intended.
        reading: the detected shares; None if there is too little evidence.

    Returns:
        The columns of the table COMPARISON that depend on the classes and are not null.
    """
    nothing = np.full((1, len(classes.labels)), np.nan)
    meant = fold(intended, classes) if intended is not None else nothing[0]
    drawn = fold(reading.shares, classes) if reading is not None else nothing
    seen = drawn[0]
    label, detected = leader(meant), leader(seen)
    why = _why_not(intended, reading, meant, seen)
    row: dict[str, Any] = {
        "label": classes.labels[label] if label is not None else None,
        "detected": classes.labels[detected] if detected is not None else None,
        "why": why,
    }
    row |= {f"intended_{name}": 100 * share for name, share in zip(classes.labels, meant.tolist(), strict=True)}
    if reading is None or np.isnan(seen).any():
        return row
    drawn = drawn[~np.isnan(drawn[:, 0])]
    quantities = {name: Quantity(100 * drawn[:, k], (0, 100)) for k, name in enumerate(classes.labels)}
    if why is None:
        quantities |= _quantities(meant, drawn)
    for name, (value, low, high) in resampled_shares.intervals(quantities, reading.widening).items():
        names = (f"detected_{name}", f"low_{name}", f"high_{name}")
        if name not in classes.labels:
            names = (name, f"{name}_low", f"{name}_high")
        row |= dict(zip(names, (value, low, high), strict=True))
    row["within"] = resampled_shares.within(reading.n_units, reading.unit)
    return row if why is not None else row | _judgement(row, meant, seen, label, settings)


def _judgement(
    row: Mapping[str, Any], meant: np.ndarray, seen: np.ndarray, label: int | None, settings: ComparisonSettings
) -> dict[str, Any]:
    """Return the verdict, and the measures without an interval."""

    found: dict[str, Any] = {
        "brier": float(metrics.brier(meant, seen)),
        "log_score": float(metrics.log_score(meant, seen)),
    }
    if label is not None:
        rank = int(metrics.rank_of(seen, label))
        found |= {"rank": rank, "top1": rank == 1, "top2": rank <= 2}
    return found | {"verdict": verdict_of({**row, **found}, meant, seen, settings)}


def verdict_of(row: Mapping[str, Any], meant: np.ndarray, seen: np.ndarray, settings: ComparisonSettings) -> str:
    """Determine the verdict for a row of the table COMPARISON.

    Args:
        row: with the label, the largest detected class, the rank, and the intervals of the lead or the misplaced mass.
        meant: (K,) intended shares.
        seen: (K,) detected shares.
    """
    rank = row.get("rank")
    if rank is None or np.count_nonzero(meant) > 1:
        return judge_mixture(row["tv"], row["tv_low"], row["tv_high"], settings)
    label = int(meant.argmax())
    ahead = np.flatnonzero(seen > seen[label] - _EQUAL).tolist()  # includes ties and the label itself
    behind_neutral = row["detected"] == "neutral" and len(ahead) == 2 and row["label"] != "neutral"
    return judge_label(rank, row["lead_low"], row["lead_high"], behind_neutral=behind_neutral)


def judge_label(rank: int, low: float, high: float, *, behind_neutral: bool) -> str:
    """Determine the verdict for a scene with one intended emotion.

    Args:
        rank: rank of the intended emotion among the detected shares, 1 = largest.
        low, high: the interval of its lead: its share minus the largest other share, negative if it does not lead.
        behind_neutral: neutral leads, and the intended emotion is second, ahead of all others.
    """
    if rank == 1 and low > _EQUAL:
        return "match"
    if low <= _EQUAL and high >= -_EQUAL:
        return "partial"
    return "partial" if behind_neutral else "mismatch"


def judge_mixture(misplaced: float, low: float, high: float, settings: ComparisonSettings) -> str:
    """Determine the verdict for a scene with an intended mixture.

    Args:
        misplaced: share of the mass that is not where it was intended (total variation), 0 to 1.
        low, high: its interval; if it reaches into the range of the opposite verdict, the verdict is "partial".
    """
    if misplaced <= settings.match_misplaced + _EQUAL and high <= settings.partial_misplaced + _EQUAL:
        return "match"
    if misplaced > settings.partial_misplaced + _EQUAL and low > settings.match_misplaced + _EQUAL:
        return "mismatch"
    return "partial"


def rule(settings: ComparisonSettings = ComparisonSettings(), language: Language = ENGLISH) -> str:
    """Return the decision rule in words, as printed in reports."""
    return language.say(
        "One emotion intended: as intended = it has the largest detected share, and the 95 % interval of its lead over "
        "the second lies above 0; in doubt = the interval of its lead, or of its distance behind the first, contains "
        "0, or neutral leads and it is second; worth a look = the rest. "
        "A mixture intended: as intended = at most {match} % of what is detected lies elsewhere (total variation), and "
        "the interval of that stays within {partial} %; worth a look = more than {partial} %, and the interval lies "
        "above {match} %; in doubt = the rest. "
        "With fewer than three shots the interval is that within one take, and nothing is claimed beyond it. "
        "Verdicts are about what the picture shows, and are not corrected for their number.",
        match=f"{100 * settings.match_misplaced:g}",
        partial=f"{100 * settings.partial_misplaced:g}",
    )


def _quantities(meant: np.ndarray, seen: np.ndarray) -> dict[str, Quantity]:
    """Compute distances of the detected shares (1 + n, K), estimate and resamples, from the intended ones (K,)."""
    parts = np.flatnonzero(meant)
    mass = seen[:, parts].sum(axis=1)
    # Merge all classes that were not intended: the distances do not depend on how their share is divided.
    merged = np.column_stack([seen[:, parts], np.clip(1 - mass, 0, None)])
    found = resampled_shares.apart(np.append(meant[parts], 0)[None], merged)
    found["mass"] = Quantity(100 * mass, (0, 100))
    if len(parts) == 1:
        others = np.maximum.reduce([seen[:, k] for k in range(len(meant)) if k != parts[0]])
        found["lead"] = Quantity(100 * (seen[:, parts[0]] - others), (-100, 100))
    return found


def _why_not(intended: np.ndarray | None, reading: Reading | None, meant: np.ndarray, seen: np.ndarray) -> str | None:
    """Return why there is no verdict; None if there is one."""
    if intended is None:
        return NO_INTENTION
    if reading is None:
        return NO_EVIDENCE
    if np.isnan(meant).any():
        return NOT_A_CLASS
    return NO_CLASS if np.isnan(seen).any() else None
