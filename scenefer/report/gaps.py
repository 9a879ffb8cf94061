"""Intended against detected, as the report shows it: each scene's verdict, the largest gaps, the film as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from scenefer import comparison
from scenefer.report import words
from scenefer.report.figures import COLOURS
from scenefer.verdicts import VERDICTS

if TYPE_CHECKING:
    from scenefer.comparison import Comparison

_GAPS = 5  # that the first screen shows
SIGNS = {"match": "✓", "partial": "≈", "mismatch": "✗"}  # beside the colour, for those who do not see it
SAID = {
    "match": "shown as intended",
    "partial": "shown in part",
    "mismatch": "not shown as intended",
}


def of_scenes(compared: Comparison | None) -> dict[int, list[dict[str, Any]]]:
    """Collect the verdicts of each scene, by its id: one an intention, in the sheet's order."""
    found: dict[int, list[dict[str, Any]]] = {}
    if compared is None:
        return found
    rows, _ = comparison.headline(compared)
    columns = [str(name) for name in rows.columns]
    for values in rows.itertuples(index=False, name=None):
        row = dict(zip(columns, values, strict=True))
        if row["intended"] is None:
            continue
        verdict = row["verdict"]
        found.setdefault(int(row["scene"]), []).append(
            {
                "verdict": verdict or "unjudged",
                "sign": SIGNS.get(verdict, "–"),
                "words": SAID.get(verdict, "not judged"),
                "sentence": _capital(comparison.finding(row)),
                "character": words.printable(row["character"]),
                "gap": float(row["js"]) if verdict else -1.0,
            }
        )
    return found


def overview(compared: Comparison | None, cards: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """Sum up what the first screen says: how many scenes show what was intended, and the largest gaps."""
    if compared is None:
        return None
    _, figures = comparison.headline(compared)
    judged = [(card, row) for card in cards for row in card["verdicts"] if row["verdict"] in VERDICTS]
    apart = [pair for pair in judged if pair[1]["verdict"] != "match"]
    apart.sort(key=lambda pair: (pair[1]["verdict"] != "mismatch", -pair[1]["gap"]))
    return {
        "headline": _headline([row["verdict"] for _, row in judged], len(cards)),
        "counts": [
            {"verdict": verdict, "sign": SIGNS[verdict], "words": SAID[verdict], "n": n}
            for verdict in VERDICTS
            if (n := sum(row["verdict"] == verdict for _, row in judged))
        ],
        "n_unjudged": sum(row["verdict"] == "unjudged" for card in cards for row in card["verdicts"]),
        "gaps": [{"card": card, **row} for card, row in apart[:_GAPS]],
        "n_gaps": len(apart),
        "lines": [_capital(line.strip()) for line in comparison.film_lines(compared)],
        "notices": [_capital(notice) for notice in compared.notices],
        "confusion": _confusion(figures.labels, figures.confusion),
        "rule": comparison.rule(compared.settings),
    }


def _capital(text: str) -> str:
    printable = words.printable(text).replace(" %", "\N{NO-BREAK SPACE}%")
    return printable[:1].upper() + printable[1:]


def _headline(verdicts: Sequence[str], n_scenes: int) -> str:
    if not verdicts:
        return "No scene could be judged against what was intended."
    n = {verdict: verdicts.count(verdict) for verdict in VERDICTS}
    what = "intentions" if len(verdicts) > n_scenes else "scenes"
    said = [f"{n['match']} of {len(verdicts)} judged {what} show what was intended"]
    if n["mismatch"]:
        said.append(f"{n['mismatch']} do{'es' * (n['mismatch'] == 1)} not")
    if n["partial"]:
        said.append(f"{n['partial']} do{'es' * (n['partial'] == 1)} so in part")
    return f"{words.listed(said)}."


def _confusion(labels: Sequence[str], counts: Sequence[Sequence[int]]) -> dict[str, Any]:
    """Lay the confusion out: a row an intended emotion that occurs, a column an emotion that is found largest."""
    return {
        "labels": [(label, COLOURS.get(label, "")) for label in labels],
        "rows": [
            {"label": label, "colour": COLOURS.get(label, ""), "cells": list(row), "own": place}
            for place, (label, row) in enumerate(zip(labels, counts, strict=True))
            if sum(row)
        ],
        "largest": max(max(row) for row in counts) or 1,
    }
