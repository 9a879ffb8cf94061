"""How reliable the expression reader is on film, as measured by ``make truth`` and stored next to this module."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from scenefer.comparison import validation
from scenefer.core.language import ENGLISH, Language
from scenefer.report import formatting

MEASURED = "reader_on_film.json"  # the measured weights, and their figures by face time


def measured() -> dict[str, Any]:
    """Read the figures: ``sha256`` of the weights, and ``film_time`` as written by ``benchmarks.film_time``."""
    return json.loads((files("scenefer.report") / MEASURED).read_text("utf-8"))


def judged(run: Mapping[str, Any], language: Language = ENGLISH) -> str:
    """Describe how often people who judged a random sample of the film agree with the reader; empty if nobody did."""
    found = run.get("validation")
    if not found:
        return ""
    return f"{formatting.capital(validation.sentence(found, language))}.".replace(" %", "\N{NO-BREAK SPACE}%")


def sentence(run: Mapping[str, Any], language: Language = ENGLISH) -> str:
    """Say in one line how far the weights of a run agree with a viewer on film.

    Args:
        run: the record of the run; if its weights are not the measured ones, the line says that instead.
    """
    known = measured()
    if run.get("weights", {}).get("expression", {}).get("sha256") != known["sha256"]:
        return language.say("How reliable: these weights have not been measured on film.")
    film = known["film_time"]
    right, constant = film["right"], film["constant"]
    return language.say(
        "How reliable: on the {n} annotated clips that it was tuned on, {right} ({low}–{high}) of the face time is "
        "read as a viewer reads it; always answering “neutral” gets {constant}.",
        n=film["n_clips"],
        right=formatting.percent(100 * right["value"], language),
        low=round(100 * right["low"]),
        high=round(100 * right["high"]),
        constant=formatting.percent(100 * constant["value"], language),
    )
