"""When the faces of a scene show what was intended: the classes that are compared, and the rule of the verdicts.

A verdict belongs to a scene and to the picture, never to a person.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from scenefer import metrics, readings
from scenefer.language import ENGLISH, Language, marked
from scenefer.readings import Quantity
from scenefer.schema import EMOTIONS

if TYPE_CHECKING:
    import numpy as np

    from scenefer.readings import Reading

VERDICTS = (marked("match"), marked("partial"), marked("mismatch"))

NO_INTENTION = marked("nothing intended")
NO_EVIDENCE = marked("too little face evidence")
NOT_A_CLASS = marked("neutral intended, which these classes leave out")
NO_CLASS = marked("nothing but neutral detected, which these classes leave out")
REASONS = (NO_INTENTION, NO_EVIDENCE, NOT_A_CLASS, NO_CLASS)  # why there is no verdict

_EQUAL = 1e-9  # shares closer than this are a tie: sums of floats differ in their last digits


@dataclass(frozen=True)
class ComparisonSettings:
    view: str = "screen_time"  # the view whose verdicts are the headline
    match_misplaced: float = 0.25  # a mixture matches up to this share of mass misplaced
    partial_misplaced: float = 0.5  # and matches in part up to this
    emq: bool = False  # show beside the raw shares those corrected for the training's shares
    emq_tracks: int = 5  # tracks from which a scene's own shares are corrected; below it the film's correction is used
    least_scenes: int = 6  # compared scenes from which there are kappa, skill and p
    least_labels: int = 2  # distinct intentions from which there are
    shuffles: int = 2000  # permutations of the intentions


class Classes(NamedTuple):
    """A way to tell expressions apart: each class is one of the seven emotions, or several together."""

    name: str
    members: dict[str, tuple[str, ...]]  # label: emotions

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(self.members)


_SEVEN = {emotion: (emotion,) for emotion in EMOTIONS}
# Film studies found the signal in the clusters: the networks confuse the negative expressions with each other.
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
    """Add seven shares (..., 7) up to those of the classes (..., K), which sum to 1; NaN where no class has any."""
    import numpy as np

    mass = np.asarray(shares, np.float64) @ _belonging(classes.name)
    total = (mass @ np.ones(len(classes.labels)))[..., None]  # faster than a sum over a short axis
    return np.divide(mass, total, out=np.full_like(mass, np.nan), where=total > _EQUAL)


@cache
def _belonging(name: str) -> np.ndarray:
    """Say which emotion belongs to which class: (7, K) float64, 0 or 1."""
    import numpy as np

    members = next(classes.members.values() for classes in CLASSES if classes.name == name)
    return np.array([[float(emotion in emotions) for emotions in members] for emotion in EMOTIONS])


def leader(shares: np.ndarray) -> int | None:
    """Return the place of the largest of shares (K,); None where two are largest."""
    first = int(shares.argmax())
    return first if (shares >= shares[first] - _EQUAL).sum() == 1 else None


def judge(
    intended: np.ndarray | None, reading: Reading | None, classes: Classes, settings: ComparisonSettings
) -> dict[str, Any]:
    """Measure how far the detected shares are from those intended, and give the verdict.

    Args:
        intended: (7,) shares, sum 1; None where nothing was intended.

    Returns:
        The columns of the table COMPARISON that depend on the classes and are not null.
    """
    import numpy as np

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
    for name, (value, low, high) in readings.intervals(quantities, reading.n_units).items():
        names = (f"detected_{name}", f"low_{name}", f"high_{name}")
        if name not in classes.labels:
            names = (name, f"{name}_low", f"{name}_high")
        row |= dict(zip(names, (value, low, high), strict=True))
    row["within"] = readings.within(reading.n_units, reading.unit)
    return row if why is not None else row | _judgement(row, meant, seen, label, settings)


def _judgement(
    row: Mapping[str, Any], meant: np.ndarray, seen: np.ndarray, label: int | None, settings: ComparisonSettings
) -> dict[str, Any]:
    """Give the verdict, and what has no interval."""
    import numpy as np

    found: dict[str, Any] = {
        "brier": float(metrics.brier(meant, seen)),
        "log_score": float(metrics.log_score(meant, seen)),
    }
    rank = None
    if label is not None:
        rank = int(metrics.rank_of(seen, label))
        found |= {"rank": rank, "top1": rank == 1, "top2": rank <= 2}
    if rank is None or np.count_nonzero(meant) > 1:
        return found | {"verdict": judge_mixture(row["tv"], settings)}
    ahead = np.flatnonzero(seen > seen[label] - _EQUAL).tolist()  # those as large are ahead too, and itself
    behind_neutral = row["detected"] == "neutral" and len(ahead) == 2 and row["label"] != "neutral"
    return found | {"verdict": judge_label(rank, row["lead_low"], row["lead_high"], behind_neutral=behind_neutral)}


def judge_label(rank: int, low: float, high: float, *, behind_neutral: bool) -> str:
    """Give the verdict on a scene that was to show one emotion.

    Args:
        rank: place of the intended emotion among the detected shares, 1 = largest.
        low, high: the interval of its lead: its share less the largest of the others, below 0 where it does not lead.
        behind_neutral: neutral leads, and the intended emotion is second, ahead of all others.
    """
    if rank == 1 and low > _EQUAL:
        return "match"
    if low <= _EQUAL and high >= -_EQUAL:
        return "partial"
    return "partial" if behind_neutral else "mismatch"


def judge_mixture(misplaced: float, settings: ComparisonSettings) -> str:
    """Give the verdict on a scene that was to show a mixture, by the share of mass misplaced (total variation)."""
    if misplaced <= settings.match_misplaced + _EQUAL:
        return "match"
    return "partial" if misplaced <= settings.partial_misplaced + _EQUAL else "mismatch"


def rule(settings: ComparisonSettings = ComparisonSettings(), language: Language = ENGLISH) -> str:
    """Write the rule of the verdicts out, as it is printed in reports."""
    return language.say(
        "One emotion intended: match = it has the largest detected share, and the 95 % interval of its lead over the "
        "second lies above 0; partial = the interval of its lead, or of its distance behind the first, contains 0, or "
        "neutral leads and it is second; mismatch = the rest. "
        "A mixture intended: match = at most {match} points of mass misplaced (total "
        "variation), partial = at most {partial}, mismatch = more. "
        "With fewer than three shots the interval is that within one take, and nothing is claimed beyond it. "
        "Verdicts are about what the picture shows, and are not corrected for their number.",
        match=f"{100 * settings.match_misplaced:g}",
        partial=f"{100 * settings.partial_misplaced:g}",
    )


def _quantities(meant: np.ndarray, seen: np.ndarray) -> dict[str, Quantity]:
    """Measure how far detected shares (1 + n, K), the estimate and its resamples, are from those meant (K,)."""
    import numpy as np

    parts = np.flatnonzero(meant)
    mass = seen[:, parts].sum(axis=1)
    # Both distances are the same however the share of what was not meant is divided, so it is one class here.
    merged = np.column_stack([seen[:, parts], np.clip(1 - mass, 0, None)])
    found = readings.apart(np.append(meant[parts], 0)[None], merged)
    found["mass"] = Quantity(100 * mass, (0, 100))
    if len(parts) == 1:
        others = np.maximum.reduce([seen[:, k] for k in range(len(meant)) if k != parts[0]])
        found["lead"] = Quantity(100 * (seen[:, parts[0]] - others), (-100, 100))
    return found


def _why_not(intended: np.ndarray | None, reading: Reading | None, meant: np.ndarray, seen: np.ndarray) -> str | None:
    """Say why there is no verdict; None where there is one."""
    import numpy as np

    if intended is None:
        return NO_INTENTION
    if reading is None:
        return NO_EVIDENCE
    if np.isnan(meant).any():
        return NOT_A_CLASS
    return NO_CLASS if np.isnan(seen).any() else None
