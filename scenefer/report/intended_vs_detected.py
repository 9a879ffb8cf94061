"""Intended against detected for the report: each scene's verdict, the largest gaps, and the film as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from scenefer.comparison import scene_comparison, wording
from scenefer.comparison.verdicts import VERDICTS, rule
from scenefer.core.language import ENGLISH, Language
from scenefer.core.tables import rows_of
from scenefer.report import formatting
from scenefer.report.emotion_curves import COLOURS

if TYPE_CHECKING:
    from scenefer.comparison.scene_comparison import Comparison

_GAPS = 5  # number shown on the first screen
SIGNS = {"match": "✓", "partial": "≈", "mismatch": "✗"}  # in addition to the colour, for readers who cannot see it


def of_scenes(compared: Comparison | None, language: Language = ENGLISH) -> dict[int, list[dict[str, Any]]]:
    """Collect the verdicts of each scene, by its id: one an intention, in the sheet's order."""
    found: dict[int, list[dict[str, Any]]] = {}
    if compared is None:
        return found
    rows, _ = scene_comparison.headline(compared)
    for row in rows_of(rows):
        if row["intended"] is None:
            continue
        verdict = row["verdict"]
        found.setdefault(row["scene"], []).append(
            {
                "verdict": verdict or "unjudged",
                "sign": SIGNS.get(verdict, "–"),
                "words": wording.verdict_words(verdict, language),
                "sentence": _capital(wording.finding(row, language)),
                "character": formatting.printable(row["character"]),
                "thin": wording.thin(row, language) if verdict else "",
                "gap": row["js"] if verdict else -1.0,
                # If a scene has several intentions, the strip shows the worst.
                "rank": VERDICTS.index(verdict) if verdict else -1,
            }
        )
    return found


def overview(
    compared: Comparison | None, cards: Sequence[dict[str, Any]], language: Language = ENGLISH
) -> dict[str, Any] | None:
    """Summarise for the first screen: how many scenes match the intention, and the largest gaps."""
    if compared is None:
        return None
    _, figures = scene_comparison.headline(compared)
    said = scene_comparison.about_estimate(compared)
    judged = [(card, row) for card in cards for row in card["verdicts"] if row["verdict"] in VERDICTS]
    apart = [pair for pair in judged if pair[1]["verdict"] != "match"]
    apart.sort(key=lambda pair: scene_comparison.furthest_first(pair[1]["verdict"], pair[1]["gap"]))
    return {
        "headline": _headline([row["verdict"] for _, row in judged], len({card["id"] for card, _ in judged}), language),
        "counts": [
            {"verdict": verdict, "sign": SIGNS[verdict], "words": wording.verdict_words(verdict, language), "n": n}
            for verdict in VERDICTS
            if (n := sum(row["verdict"] == verdict for _, row in judged))
        ],
        "n_unjudged": sum(row["verdict"] == "unjudged" for card in cards for row in card["verdicts"]),
        "gaps": [{"card": card, **row} for card, row in apart[:_GAPS]],
        "n_gaps": len(apart),
        "lines": [_capital(line) for line in wording.film_lines(compared, language)],
        "research": [_capital(line.strip()) for line in wording.research_lines(compared, language)],
        "notices": [_capital(language.retell(notice, scene_comparison.NOTICES)) for notice in compared.notices],
        "estimate": _capital(language.retell(said, scene_comparison.NOTICES)) if said is not None else "",
        "confusion": _confusion(figures.labels, figures.confusion, language),
        "rule": rule(compared.settings, language),
    }


def _capital(text: str) -> str:
    return formatting.capital(formatting.printable(text).replace(" %", "\N{NO-BREAK SPACE}%"))


def _headline(verdicts: Sequence[str], n_scenes: int, language: Language) -> str:
    """Describe the counts of verdicts in words; a scene with several characters has several verdicts."""
    say, many = language.say, language.many
    if not verdicts:
        return say("No scene could be judged against what was intended.")
    if len(verdicts) == 1:
        return say("The one judged scene: {verdict}.", verdict=wording.verdict_words(verdicts[0], language))
    counted = [(verdicts.count(verdict), verdict) for verdict in VERDICTS if verdict in verdicts]
    said = formatting.listed(
        [f"{language.number(n)} {wording.verdict_words(verdict, language)}" for n, verdict in counted], language
    )
    if len(verdicts) > n_scenes:
        return many("Of {n} judged intention: {said}.", "Of {n} judged intentions: {said}.", len(verdicts), said=said)
    return many("Of {n} judged scene: {said}.", "Of {n} judged scenes: {said}.", len(verdicts), said=said)


def _confusion(labels: Sequence[str], counts: Sequence[Sequence[int]], language: Language) -> dict[str, Any]:
    """Lay out the confusion matrix: one row per intended emotion that occurs, one column per largest detected one."""
    return {
        "labels": [(language.emotion(label), COLOURS.get(label, "")) for label in labels],
        "rows": [
            {"label": language.emotion(label), "colour": COLOURS.get(label, ""), "cells": list(row), "own": place}
            for place, (label, row) in enumerate(zip(labels, counts, strict=True))
            if sum(row)
        ],
        "largest": max(max(row) for row in counts) or 1,
    }
