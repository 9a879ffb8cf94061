"""Numbers and findings of a report in words: no decimals finer than what is known, and nothing that is not measured."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from scenefer.language import ENGLISH, Language, marked

NO_FEELING = marked(
    "What is detected is how a face looks: a facial expression, as a network reads it from single pictures. "
    "It is not a determination of what the person feels, thinks or intends."
)

WHY_NOT = {
    "transition": marked("inside a dissolve or fade"),
    "low score": marked("face hardly certain"),
    "not a face": marked("probably not a face"),
    "small": marked("face too small"),
    "turned away": marked("face turned away"),
    "blurred": marked("face blurred"),
}


# Control characters but tab and line feed, and the marks that embed, override and isolate a direction of writing.
_COMMANDS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def percent(share: float, language: Language = ENGLISH) -> str:
    """Write a share of 0..100 in whole percent: intervals are wider than that."""
    if 0 < share <= 0.5:
        return language.say("<1\N{NO-BREAK SPACE}%")
    return language.say("{n}\N{NO-BREAK SPACE}%", n=round(share))


def interval(low: float, high: float) -> str:
    """Write the ends of an interval, 0..100."""
    return f"{round(low)}–{round(high)}"


def moment(seconds: float, fine: bool = False, language: Language = ENGLISH) -> str:
    """Write a film time as M:SS or H:MM:SS; ``fine`` adds tenths."""
    tenths = round(seconds * 10) if fine else round(seconds) * 10
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    whole, tenth = divmod(rest, 10)
    head = f"{hours}:{minutes:02}" if hours else f"{minutes}"
    return f"{head}:{whole:02}" + (f"{language.decimal_mark}{tenth}" if fine else "")


def length(seconds: float, language: Language = ENGLISH) -> str:
    """Write how long something is: 8.4 s, 1 min 6 s, 1 h 58 min."""
    if seconds < 10:
        return language.say("{n} s", n=language.number(seconds, 1))
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return language.say("{h} h {m} min", h=hours, m=f"{minutes:02}")
    return language.say("{m} min {n} s", m=minutes, n=f"{rest:02}") if minutes else language.say("{n} s", n=rest)


def shots(n: int, language: Language = ENGLISH) -> str:
    """Write a number of shots."""
    return language.many("{n} shot", "{n} shots", n)


def pictures(n: int, language: Language = ENGLISH) -> str:
    """Write a number of pictures, which are the shots of a folder of stills."""
    return language.many("{n} picture", "{n} pictures", n)


def listed(words: Sequence[str], language: Language = ENGLISH) -> str:
    """Join words as a sentence does: a, b and c."""
    if len(words) == 1:
        return words[0]
    return language.say("{some} and {last}", some=", ".join(words[:-1]), last=words[-1])


def printable(text: Any) -> str:
    """Make any text writable as UTF-8: names of files may hold bytes that are none, cells of a sheet may be null.

    Characters that command a terminal, or turn the direction of what follows, are written out.
    """
    if text is None or text != text:
        return ""
    readable = str(text).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return _COMMANDS.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), readable)


def capital(text: str) -> str:
    """Begin a sentence with a capital letter."""
    return text[:1].upper() + text[1:]


def scene_name(name: Any, language: Language = ENGLISH) -> str:
    """Write the name of a scene; a bare number is called a scene."""
    text = printable(name)
    return language.say("Scene {name}", name=text) if text.isdecimal() else text


def covered(
    evidence: dict[str, Any],
    n_untold: int = 0,
    of_shots: Callable[[int, Language], str] = shots,
    language: Language = ENGLISH,
) -> str:
    """Say how much of a scene was seen.

    Args:
        evidence: a row of the table SCENE_EMOTIONS, null as None.
        n_untold: usable tracks of the scene that could not be told, of whose number of people nothing is known.
        of_shots: writes the number of shots, as pictures where they are stills.
    """
    if not evidence["n_tracks"]:
        return language.say("No usable face in the scene.")
    return language.say(
        "Faces usable in {share} of the scene, {who}, {shots}.",
        share=percent(100 * evidence["coverage"], language),
        who=_who(evidence, n_untold, language),
        shots=of_shots(evidence["n_shots"], language),
    )


def _who(evidence: dict[str, Any], n_untold: int, language: Language) -> str:
    known = (evidence["n_actors"] or 0) - (n_untold > 0)  # the table counts all that could not be told as one
    if known <= 0:
        return language.many("{n} track", "{n} tracks", evidence["n_tracks"])
    people = language.many("{n} person", "{n} people", known)
    if not n_untold:
        return people
    return language.many(
        "{people} and {n} track that could not be told",
        "{people} and {n} tracks that could not be told",
        n_untold,
        people=people,
    )


def limits(evidence: dict[str, Any], stills: bool = False, language: Language = ENGLISH) -> str:
    """Say what the evidence of a scene does not carry; empty where there is nothing to say."""
    if evidence["evidence"] == "insufficient":
        if not evidence["face_seconds"]:
            return language.say("Insufficient face evidence. No percentages are given.")
        if stills:
            return language.say(
                "Insufficient face evidence: usable faces in {pictures} only. No percentages are given.",
                pictures=pictures(evidence["n_shots"], language),
            )
        seconds = language.number(evidence["face_seconds"], 1)
        return language.say("Insufficient face evidence: {n} s of usable faces. No percentages are given.", n=seconds)
    if evidence["evidence"] == "one take":
        return language.say(
            "One take: a single track. The interval says how far this one face varies, and nothing beyond it."
        )
    if evidence["n_shots"] < 3 and stills:
        return language.say(
            "Fewer than three pictures: the interval says how far the faces vary within them, and nothing beyond."
        )
    if evidence["n_shots"] < 3:
        return language.say(
            "Fewer than three shots: the interval says how far the faces vary within them, and nothing beyond."
        )
    return ""


def headline(leaders: Iterable[tuple[str, str | None]], n_scenes: int, language: Language = ENGLISH) -> str:
    """Say which detected expression leads in which scenes.

    Args:
        leaders: of every scene that has percentages, its name and the emotion that leads clearly, None where none does.
        n_scenes: all scenes.
    """
    named = list(leaders)
    if not named:
        return language.say("No scene shows enough usable faces for percentages.")
    scenes: dict[str, list[str]] = {}
    for name, emotion in named:
        if emotion is not None:
            scenes.setdefault(emotion, []).append(name)
    sentences = []
    if scenes:
        first, *others = (
            (language.emotion(emotion), _some(names, language))
            for emotion, names in sorted(scenes.items(), key=lambda item: -len(item[1]))
        )
        leads = language.say("{emotion} leads in {scenes}", emotion=capital(first[0]), scenes=first[1])
        more = [language.say("{emotion} in {scenes}", emotion=emotion, scenes=names) for emotion, names in others]
        sentences.append(f"{listed([leads, *more], language)}.")
    if open_ := [name for name, emotion in named if emotion is None]:
        sentences.append(language.say("No expression leads clearly in {scenes}.", scenes=_some(open_, language)))
    if few := n_scenes - len(named):
        sentences.append(
            language.many("One scene shows too few faces to say.", "{n} scenes show too few faces to say.", few)
        )
    return " ".join(sentences)


def _some(names: list[str], language: Language) -> str:
    return listed(names, language) if len(names) <= 4 else language.many("{n} scene", "{n} scenes", len(names))
