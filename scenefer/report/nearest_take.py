"""Which of several takes is nearest to what was intended, as the page of a comparison of runs says it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from scenefer.comparison.intentions import parse_intention
from scenefer.comparison.takes import ALONE, AS_NEAR, FARTHER, NEAREST
from scenefer.core.language import Language
from scenefer.core.tables import rows_of
from scenefer.report import formatting
from scenefer.report.emotion_curves import labels

if TYPE_CHECKING:
    import pandas as pd


def add(
    scenes: Sequence[dict[str, Any]], table: pd.DataFrame, letter: Callable[[int], str], language: Language
) -> None:
    """Add to the scenes of the page what was intended, and how near each run is to it.

    Args:
        scenes: by ``comparison_page``; each is given ``intended``, an entry an intention.
        table: table TAKES.
        letter: what a run is called, by its place.
    """
    of_scene: dict[int, list[dict[str, Any]]] = {}
    for (scene, character, _), rows in groupby(
        rows_of(table), key=lambda row: (row["scene"], row["character"], row["intended"])
    ):
        of_scene.setdefault(scene, []).append(_entry(list(rows), character, letter, language))
    for scene in scenes:
        scene["intended"] = of_scene.get(scene["id"], [])


def headline(scenes: Sequence[Mapping[str, Any]], language: Language) -> list[str]:
    """Count for which intentions one run is nearest, and for which several cannot be told apart."""
    entries = [entry for scene in scenes for entry in scene["intended"]]
    if not entries:
        return []
    winners = Counter(entry["winner"] for entry in entries if entry["winner"])
    said = [
        language.many(
            "{run} is nearest to what was intended in {n} scene.",
            "{run} is nearest to what was intended in {n} scenes.",
            n,
            run=run,
        )
        for run, n in winners.most_common()
    ]
    if alike := sum(entry["alike"] for entry in entries):
        said.append(
            language.many(
                "In {n} scene no run is clearly nearest to what was intended.",
                "In {n} scenes no run is clearly nearest to what was intended.",
                alike,
            )
        )
    if few := len(entries) - sum(winners.values()) - alike:
        said.append(
            language.many(
                "In {n} scene fewer than two runs show enough faces to say.",
                "In {n} scenes fewer than two runs show enough faces to say.",
                few,
            )
        )
    return said


def _entry(
    rows: list[dict[str, Any]], character: str | None, letter: Callable[[int], str], language: Language
) -> dict[str, Any]:
    best = next((letter(row["run"]) for row in rows if row["standing"] == NEAREST), "")
    alike = [letter(row["run"]) for row in rows if row["standing"] == AS_NEAR]
    return {
        "character": formatting.printable(character),
        "labels": labels(parse_intention(rows[0]["intended"]), language),
        "rows": [_row(row, letter(row["run"]), best, alike, language) for row in rows],
        "winner": "" if alike else best,
        "alike": bool(alike),
    }


def _row(row: Mapping[str, Any], own: str, best: str, alike: Sequence[str], language: Language) -> dict[str, Any]:
    standing = row["standing"]
    if standing is None:
        said = language.say("too few faces")
        return {"letter": own, "js": None, "figures": "", "words": said, "standing": "silent"}
    low, value, high = (language.number(row[name], 2) for name in ("js_low", "js", "js_high"))
    return {
        "letter": own,
        "js": round(100 * row["js"], 2),
        "low": round(100 * row["js_low"], 2),
        "width": round(100 * (row["js_high"] - row["js_low"]), 2),
        "within": row["within"] == "one take",
        "figures": f"{value} ({low}–{high})",
        "words": _words(row, best, alike, language),
        "standing": standing.replace(" ", "-"),
    }


def _words(row: Mapping[str, Any], best: str, alike: Sequence[str], language: Language) -> str:
    standing = row["standing"]
    if standing == ALONE:
        return language.say("the only one with enough faces")
    if standing == AS_NEAR:
        return language.say("cannot be told apart from {run}", run=best)
    if standing == FARTHER:
        low, value, high = (language.number(row[name], 2) for name in ("behind_low", "behind", "behind_high"))
        return language.say("farther than {run} by {n} ({low} to {high})", run=best, n=value, low=low, high=high)
    if alike:
        said = formatting.listed(list(alike), language)
        return language.say("smallest distance, but cannot be told apart from {runs}", runs=said)
    return language.say("nearest to what was intended")
