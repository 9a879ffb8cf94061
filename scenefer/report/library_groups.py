"""Groups of films on the library page: one table per column, one cell per expression, with its interval."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from scenefer.comparison.film_groups import Group, Grouped
from scenefer.core.language import Language
from scenefer.core.schema import EMOTIONS
from scenefer.report import formatting


def lay_out(compared: Grouped | None, language: Language) -> dict[str, Any] | None:
    """Lay out the tables; None if nothing was grouped. The groups of a column are adjacent."""
    if compared is None:
        return None
    tables = [
        (formatting.printable(column), [_row(group, language) for group in members])
        for column, members in groupby(compared.groups, key=lambda group: group.column)
    ]
    return {"tables": tables, "notices": list(compared.notices)}


def _row(group: Group, language: Language) -> dict[str, Any]:
    about = [language.many("{n} film", "{n} films", group.n_films)]
    if group.n_without:
        about.append(language.many("{n} more with too few faces", "{n} more with too few faces", group.n_without))
    return {
        "name": formatting.printable(group.name),
        "about": " + ".join(about),
        "cells": [
            _cell(emotion, float(percent), float(low), float(high), language)
            for emotion, percent, low, high in zip(EMOTIONS, group.percent, group.low, group.high, strict=True)
        ],
    }


def _cell(emotion: str, percent: float, low: float, high: float, language: Language) -> dict[str, Any]:
    known = percent == percent
    return {
        "emotion": emotion,
        "share": round(percent, 1) if known else 0,
        "percent": formatting.percent(percent, language) if known else "–",
        "interval": f"{language.number(low)}–{language.number(high)}" if low == low else "",
    }
