"""Numbers and findings of a report in words: no decimals finer than what is known, and nothing that is not measured."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

NO_FEELING = (
    "What is detected is how a face looks: a facial expression, as a network reads it from single pictures. "
    "It is not a determination of what the person feels, thinks or intends."
)

WHY_NOT = {
    "transition": "inside a dissolve or fade",
    "low score": "face hardly certain",
    "not a face": "probably not a face",
    "small": "face too small",
    "turned away": "face turned away",
    "blurred": "face blurred",
}


# Control characters but tab and line feed, and the marks that embed, override and isolate a direction of writing.
_COMMANDS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def percent(share: float) -> str:
    """Write a share of 0..100 in whole percent: intervals are wider than that."""
    return "<1\N{NO-BREAK SPACE}%" if 0 < share < 0.5 else f"{round(share)}\N{NO-BREAK SPACE}%"


def interval(low: float, high: float) -> str:
    """Write the ends of an interval, 0..100."""
    return f"{round(low)}–{round(high)}"


def moment(seconds: float, fine: bool = False) -> str:
    """Write a film time as M:SS or H:MM:SS; ``fine`` adds tenths."""
    tenths = round(seconds * 10) if fine else round(seconds) * 10
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    whole, tenth = divmod(rest, 10)
    head = f"{hours}:{minutes:02}" if hours else f"{minutes}"
    return f"{head}:{whole:02}" + (f".{tenth}" if fine else "")


def length(seconds: float) -> str:
    """Write how long something is: 8.4 s, 1 min 6 s, 1 h 58 min."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


def count(n: int, noun: str) -> str:
    """Write a number of things: 1 shot, 21 shots, 1,200 shots."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def listed(words: Sequence[str]) -> str:
    """Join words as a sentence does: a, b and c."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def printable(text: Any) -> str:
    """Make any text writable as UTF-8: names of files may hold bytes that are none, cells of a sheet may be null.

    Characters that command a terminal, or turn the direction of what follows, are written out.
    """
    if text is None or text != text:
        return ""
    readable = str(text).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return _COMMANDS.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), readable)


def scene_name(name: Any) -> str:
    """Write the name of a scene; a bare number is called a scene."""
    text = printable(name)
    return f"Scene {text}" if text.isdecimal() else text


def covered(evidence: dict[str, Any], shot: str = "shot") -> str:
    """Say how much of a scene was seen; ``shot`` is the word for one, "picture" of stills."""
    if not evidence["n_tracks"]:
        return "No usable face in the scene."
    seen = f"Faces usable in {percent(100 * evidence['coverage'])} of the scene"
    n_people = evidence["n_actors"]
    if n_people is None:
        who = count(evidence["n_tracks"], "track")
    else:
        who = "1 person" if n_people == 1 else f"{n_people} people"
    return f"{seen}, {who}, {count(evidence['n_shots'], shot)}."


def limits(evidence: dict[str, Any], shot: str = "shot") -> str:
    """Say what the evidence of a scene does not carry; empty where there is nothing to say."""
    if evidence["evidence"] == "insufficient":
        seconds = f": {evidence['face_seconds']:.1f} s of usable faces" if evidence["face_seconds"] else ""
        return f"Insufficient face evidence{seconds}. No percentages are given."
    if evidence["evidence"] == "one take":
        return "One take: a single track. The interval says how far this one face varies, and nothing beyond it."
    if evidence["n_shots"] < 3:
        return f"Fewer than three {shot}s: the interval says how far the faces vary within them, and nothing beyond."
    return ""


def headline(leaders: Iterable[tuple[str, str | None]], n_scenes: int) -> str:
    """Say which detected expression leads in which scenes.

    Args:
        leaders: of every scene that has percentages, its name and the emotion that leads clearly, None where none does.
        n_scenes: all scenes.
    """
    named = list(leaders)
    if not named:
        return "No scene shows enough usable faces for percentages."
    scenes: dict[str, list[str]] = {}
    for name, emotion in named:
        if emotion is not None:
            scenes.setdefault(emotion, []).append(name)
    open_ = [name for name, emotion in named if emotion is None]
    groups = [
        f"{emotion} in {_some(names)}" for emotion, names in sorted(scenes.items(), key=lambda item: -len(item[1]))
    ]
    sentences = []
    if groups:
        first, *others = groups
        leads = first.replace(" in ", " leads in ", 1)
        sentences.append(f"{listed([leads[0].upper() + leads[1:], *others])}.")
    if open_:
        sentences.append(f"No expression leads clearly in {_some(open_)}.")
    if few := n_scenes - len(named):
        sentences.append(f"{'One scene shows' if few == 1 else f'{few} scenes show'} too few faces to say.")
    return " ".join(sentences)


def _some(names: list[str]) -> str:
    return listed(names) if len(names) <= 4 else f"{len(names)} scenes"
