"""A map of a library's films: one row per film, with its expressions as shades and its arc from beginning to end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from scenefer.core.language import Language
from scenefer.core.schema import EMOTIONS
from scenefer.report import arc_thumbnail, formatting

FEWEST = 3  # minimum number of films with percentages; fewer are easy to see in the list
_HEIGHT = 480  # px of all rows together, about
_LOWEST, _HIGHEST = 3, 22  # px, minimum and maximum height of a row
_READABLE = 15  # px, minimum height of a row that shows its name


class Map(NamedTuple):
    """What the page draws."""

    rows: list[dict[str, Any]]
    height: int  # px of a row
    named: bool  # rows are high enough for names
    words: str  # description of the map, for readers who cannot see it


def overview(
    films: Sequence[Mapping[str, Any]], entries: Sequence[Mapping[str, Any]], language: Language
) -> Map | None:
    """Lay out the map, sorted by leading expression, then by its share, descending.

    Args:
        films: rows of the table FILMS.
        entries: of the page's list; the map shows their arcs again, matched by film id.

    Returns:
        None if fewer than ``FEWEST`` films have percentages.
    """
    by_id = {entry["id"]: entry for entry in entries}
    known = [film for film in films if film[EMOTIONS[0]] == film[EMOTIONS[0]] and film["film"] in by_id]
    if len(known) < FEWEST:
        return None
    leading = {film["film"]: max(range(len(EMOTIONS)), key=lambda place: film[EMOTIONS[place]]) for film in known}
    known.sort(key=lambda film: (leading[film["film"]], -film[EMOTIONS[leading[film["film"]]]]))
    rows = []
    for film in known:
        entry = by_id[film["film"]]
        shares = ", ".join(f"{word} {share}" for _, word, share in entry["leading"])
        cells = [(e, place, round(float(film[e]) / 100, 2)) for place, e in enumerate(EMOTIONS) if film[e] >= 1]
        title = f"{entry['name']}: {shares}"
        rows.append({"id": film["film"], "name": entry["name"], "link": entry["link"], "title": title, "cells": cells})
        rows[-1]["viewbox"] = arc_thumbnail.viewbox(film["arc"], judged=False)
    height = min(max(_HEIGHT // len(rows), _LOWEST), _HIGHEST)
    return Map(rows, height, height >= _READABLE, _in_words(leading, language))


def _in_words(leading: Mapping[str, int], language: Language) -> str:
    """Describe in how many films each expression leads."""
    counts = [(sum(place == of_film for of_film in leading.values()), e) for place, e in enumerate(EMOTIONS)]
    said = [f"{language.emotion(e)} {language.number(n)}" for n, e in counts if n]
    return language.say("Films by their leading expression: {counts}.", counts=formatting.listed(said, language))
