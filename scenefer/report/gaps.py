"""Intended against detected, as the report shows it: each scene's verdict, the largest gaps, the film as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from scenefer import comparison, findings
from scenefer.curves import COLOURS
from scenefer.emotions import SCREEN_TIME
from scenefer.language import ENGLISH, Language, marked
from scenefer.report import words
from scenefer.schema import EMOTIONS
from scenefer.tables import rows_of
from scenefer.verdicts import CLASSES, VERDICTS, rule

if TYPE_CHECKING:
    from scenefer.comparison import Comparison

_GAPS = 5  # that the first screen shows
SIGNS = {"match": "✓", "partial": "≈", "mismatch": "✗"}  # beside the colour, for those who do not see it
SAID = {
    "match": marked("shown as intended"),
    "partial": marked("shown in part"),
    "mismatch": marked("not shown as intended"),
}


def of_scenes(compared: Comparison | None, language: Language = ENGLISH) -> dict[int, list[dict[str, Any]]]:
    """Collect the verdicts of each scene, by its id: one an intention, in the sheet's order."""
    found: dict[int, list[dict[str, Any]]] = {}
    if compared is None:
        return found
    rows, _ = comparison.headline(compared)
    for row in rows_of(rows):
        if row["intended"] is None:
            continue
        verdict = row["verdict"]
        found.setdefault(row["scene"], []).append(
            {
                "verdict": verdict or "unjudged",
                "sign": SIGNS.get(verdict, "–"),
                "words": language.say(SAID.get(verdict, marked("not judged"))),
                "sentence": _capital(findings.finding(row, language)),
                "character": words.printable(row["character"]),
                "within": row["within"] if verdict else None,
                "gap": row["js"] if verdict else -1.0,
                # Of several intentions, the worst stands in the strip.
                "rank": VERDICTS.index(verdict) if verdict else -1,
            }
        )
    return found


def corrected(compared: Comparison | None, language: Language = ENGLISH) -> dict[int, dict[str, str]]:
    """Return the percentages corrected by EMQ, in words, by scene and emotion; none where they were not asked for."""
    if compared is None:
        return {}
    table = compared.table
    chosen = (table["estimate"] == "emq") & (table["view"] == SCREEN_TIME)  # as the bars that they stand beside
    rows = table.loc[chosen & (table["classes"] == CLASSES[0].name)].drop_duplicates("scene")
    columns = ["scene", *(f"detected_{emotion}" for emotion in EMOTIONS)]
    return {
        int(scene): {
            emotion: words.percent(share, language)
            for emotion, share in zip(EMOTIONS, shares, strict=True)
            if share == share
        }
        for scene, *shares in rows[columns].itertuples(index=False, name=None)
    }


def overview(
    compared: Comparison | None, cards: Sequence[dict[str, Any]], language: Language = ENGLISH
) -> dict[str, Any] | None:
    """Sum up what the first screen says: how many scenes show what was intended, and the largest gaps."""
    if compared is None:
        return None
    _, figures = comparison.headline(compared)
    judged = [(card, row) for card in cards for row in card["verdicts"] if row["verdict"] in VERDICTS]
    apart = [pair for pair in judged if pair[1]["verdict"] != "match"]
    apart.sort(key=lambda pair: (pair[1]["verdict"] != "mismatch", -pair[1]["gap"]))
    return {
        "headline": _headline([row["verdict"] for _, row in judged], len({card["id"] for card, _ in judged}), language),
        "counts": [
            {"verdict": verdict, "sign": SIGNS[verdict], "words": language.say(SAID[verdict]), "n": n}
            for verdict in VERDICTS
            if (n := sum(row["verdict"] == verdict for _, row in judged))
        ],
        "n_unjudged": sum(row["verdict"] == "unjudged" for card in cards for row in card["verdicts"]),
        "gaps": [{"card": card, **row} for card, row in apart[:_GAPS]],
        "n_gaps": len(apart),
        "lines": [_capital(line.strip()) for line in findings.film_lines(compared, language)],
        "notices": [_capital(language.retell(notice, comparison.NOTICES)) for notice in compared.notices],
        "confusion": _confusion(figures.labels, figures.confusion, language),
        "rule": rule(compared.settings, language),
    }


def _capital(text: str) -> str:
    return words.capital(words.printable(text).replace(" %", "\N{NO-BREAK SPACE}%"))


def _headline(verdicts: Sequence[str], n_scenes: int, language: Language) -> str:
    """Count the verdicts of so many judged scenes in words; a scene has several where it has several characters."""
    if not verdicts:
        return language.say("No scene could be judged against what was intended.")
    n = {verdict: verdicts.count(verdict) for verdict in VERDICTS}
    if len(verdicts) > n_scenes:
        judged = language.many("Of {n} judged intention,", "Of {n} judged intentions,", len(verdicts))
    else:
        judged = language.many("Of {n} judged scene,", "Of {n} judged scenes,", len(verdicts))
    said = []
    if n["match"]:
        said.append(language.many("{n} shows what was intended", "{n} show what was intended", n["match"]))
    if n["mismatch"] and said:
        said.append(language.many("{n} does not", "{n} do not", n["mismatch"]))
    elif n["mismatch"]:
        said.append(
            language.many("{n} does not show what was intended", "{n} do not show what was intended", n["mismatch"])
        )
    if n["partial"] and said:
        said.append(language.many("{n} does so in part", "{n} do so in part", n["partial"]))
    elif n["partial"]:
        said.append(
            language.many("{n} shows in part what was intended", "{n} show in part what was intended", n["partial"])
        )
    return f"{judged} {words.listed(said, language)}."


def _confusion(labels: Sequence[str], counts: Sequence[Sequence[int]], language: Language) -> dict[str, Any]:
    """Lay the confusion out: a row an intended emotion that occurs, a column an emotion that is found largest."""
    return {
        "labels": [(language.emotion(label), COLOURS.get(label, "")) for label in labels],
        "rows": [
            {"label": language.emotion(label), "colour": COLOURS.get(label, ""), "cells": list(row), "own": place}
            for place, (label, row) in enumerate(zip(labels, counts, strict=True))
            if sum(row)
        ],
        "largest": max(max(row) for row in counts) or 1,
    }
