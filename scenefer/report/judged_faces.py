"""Judgements of faces made by a reader of the report: they are counted and shown, but never correct a share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from scenefer.core.language import ENGLISH, Language
from scenefer.core.schema import EMOTIONS
from scenefer.report import formatting

if TYPE_CHECKING:
    from scenefer.analysis.result import Analysis


def looked_at(analysis: Analysis, at: Callable[[float], str], language: Language = ENGLISH) -> dict[str, Any] | None:
    """Count the judged faces, and list those whose detected emotion was not confirmed; None if there are none.

    Args:
        at: formats a moment.
    """
    rows = analysis.run.get("judged", [])
    if not rows:
        return None
    agree = sum(row["judgement"] == "right" for row in rows)
    return {
        "sentence": language.many(
            "Of one face you looked at, you agree with {agree}; a chosen handful is no random sample and corrects "
            "nothing.",
            "Of {n} faces you looked at, you agree with {agree}; a chosen handful is no random sample and corrects "
            "nothing.",
            len(rows),
            agree=language.number(agree),
        ),
        "others": [_said(row, at, language) for row in rows if row["judgement"] != "right" or row["note"]],
    }


def _said(row: Mapping[str, Any], at: Callable[[float], str], language: Language) -> dict[str, Any]:
    read = language.emotion(row["read"])
    if row["judgement"] == "right":
        words = language.say("read as {emotion}: right", emotion=read)
    elif row["judgement"] == "cannot tell":
        words = language.say("read as {emotion}: you cannot tell", emotion=read)
    elif row["instead"]:
        words = language.say("read as {emotion}: you say {other}", emotion=read, other=language.emotion(row["instead"]))
    else:
        words = language.say("read as {emotion}: wrong", emotion=read)
    return {"time": row["time"], "when": at(row["time"]), "words": words, "note": formatting.printable(row["note"])}


def questions(film: str, language: Language = ENGLISH) -> dict[str, Any]:
    """Return the page's texts for judging, and the film id under which it stores the answers."""
    say = language.say
    return {
        "film": film,
        "ask": say("Do you agree?"),
        "question": say("Read as {emotion}", emotion="{emotion}"),
        "right": say("you agree"),
        "wrong": say("you disagree"),
        "instead": say("you say {emotion}", emotion="{emotion}"),
        "unsure": say("you cannot tell"),
        "one": say("One face looked at; you agree with {right}", right="{right}"),
        "many": say("{n} faces looked at; you agree with {right}", n="{n}", right="{right}"),
        "emotions": {emotion: language.emotion(emotion) for emotion in EMOTIONS},
    }
