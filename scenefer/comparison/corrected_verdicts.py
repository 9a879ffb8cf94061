"""Verdicts from shares that were corrected by judged faces (table VALIDATED), instead of the raw shares.

For corrected shares only the ends of each interval are known, not their joint distribution. So the interval of a value
that combines several shares, a lead or a misplaced mass, is computed from the extreme ends of these shares. It is
conservative: its level is at least 95 %.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from scenefer.analysis.scene_views import SCREEN_TIME
from scenefer.comparison.agreement import VALIDATED
from scenefer.comparison.intentions import parse_intention
from scenefer.comparison.verdicts import CLASSES, ComparisonSettings, leader, verdict_of
from scenefer.core import metrics
from scenefer.core.schema import EMOTIONS
from scenefer.core.tables import rows_of

if TYPE_CHECKING:
    import pandas as pd


_ENDS = ("percent", "percent_low", "percent_high")


def correctable(validated: pd.DataFrame) -> dict[int, dict[str, Any]]:
    """Collect the scenes of a table VALIDATED that have corrected shares.

    Returns:
        By scene: ``percent``, ``low`` and ``high``, (7,) each, and ``within``, the resampled units of the intervals.
    """
    rows = validated.loc[(validated["estimate"] == VALIDATED) & validated["scene"].notna()]
    found: dict[int, dict[str, Any]] = {}
    for scene, shares in rows.groupby("scene"):
        by = shares.set_index("emotion").loc[list(EMOTIONS)]
        ends = {name: by[column].to_numpy() for name, column in zip(("percent", "low", "high"), _ENDS, strict=True)}
        found[int(scene)] = {**ends, "within": rows_of(shares)[0]["within"]}  # pyright: ignore[reportArgumentType]
    return found


def judge_corrected(
    raw: Mapping[str, Any], corrected: Mapping[str, Any], meant: np.ndarray, settings: ComparisonSettings
) -> dict[str, Any]:
    """Make the row of the table COMPARISON, with verdict, for corrected shares of the seven emotions.

    Args:
        raw: the row for the raw shares, with a verdict.
        corrected: corrected shares of its scene, from ``correctable``.
        meant: (7,) intended shares, sum 1.
    """
    percent, low, high = (np.asarray(corrected[name], np.float64) for name in ("percent", "low", "high"))
    seen = percent / max(percent.sum(), 1e-9)  # corrected shares sum only approximately to 100
    label, first = leader(meant), leader(seen)
    row = {**raw, "estimate": VALIDATED, "within": corrected["within"]}
    row["detected"] = EMOTIONS[first] if first is not None else None
    for k, emotion in enumerate(EMOTIONS):
        row |= {f"detected_{emotion}": percent[k], f"low_{emotion}": low[k], f"high_{emotion}": high[k]}
    parts = meant > 0
    row |= _ends("mass", *(min(100.0, float(shares[parts].sum())) for shares in (percent, low, high)))
    misplaced = [1 - float(np.minimum(meant, shares).sum()) for shares in (seen, high / 100, low / 100)]
    row |= _ends("tv", *misplaced)
    row |= {"js": float(metrics.js_distance(meant, seen)), "js_low": None, "js_high": None}
    row |= {"brier": float(metrics.brier(meant, seen)), "log_score": float(metrics.log_score(meant, seen))}
    row |= dict.fromkeys(("rank", "top1", "top2", "lead", "lead_low", "lead_high"))
    if label is not None:
        rank = int(metrics.rank_of(seen, label))
        row |= {"rank": rank, "top1": rank == 1, "top2": rank <= 2}
        if parts.sum() == 1:
            others = np.arange(len(EMOTIONS)) != label
            row |= _ends(
                "lead",
                percent[label] - percent[others].max(),
                low[label] - high[others].max(),
                high[label] - low[others].max(),
            )
    row["verdict"] = verdict_of(row, meant, seen, settings)
    return row


def _ends(name: str, value: float, low: float, high: float) -> dict[str, float]:
    """Return a value and the ends of its interval under their column names; the interval always contains the value."""
    bottom, top = (0.0, 1.0) if name == "tv" else (-100.0, 100.0)
    return {
        name: float(value),
        f"{name}_low": max(bottom, min(float(low), float(value))),
        f"{name}_high": min(top, max(float(high), float(value))),
    }


def with_corrected(
    rows: Sequence[dict[str, Any]], validated: pd.DataFrame, settings: ComparisonSettings
) -> list[dict[str, Any]]:
    """Insert rows with corrected shares, each after its raw row (seven emotions, screen time, with a verdict).

    Args:
        rows: raw rows of the table COMPARISON.
    """
    of_scene = correctable(validated)
    found = []
    for row in rows:
        found.append(row)
        judged = row["classes"] == CLASSES[0].name and row["verdict"] is not None
        if judged and row["view"] == SCREEN_TIME and row["scene"] in of_scene:
            meant = parse_intention(row["intended"])
            shares = np.array([meant.get(emotion, 0.0) for emotion in EMOTIONS])
            found.append(judge_corrected(row, of_scene[row["scene"]], shares, settings))
    return found
