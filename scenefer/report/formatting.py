"""Numbers and findings of a report in words: no decimals finer than what is known, and nothing that is not measured."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from scenefer.core.language import ENGLISH, Language, marked
from scenefer.core.text import whole

NO_FEELING = marked(
    "What is detected is how a face looks: a facial expression, as a network reads it from pictures of the face alone. "
    "It is not a determination of what the person feels, thinks or intends."
)

WHY_NOT = {
    "transition": marked("inside a dissolve, fade or wipe"),
    "low score": marked("face hardly certain"),
    "not a face": marked("probably not a face"),
    "small": marked("face too small"),
    "in profile": marked("face in profile"),
    "bowed": marked("head bowed or thrown back"),
    "turned away": marked("face turned away"),  # in runs from before "in profile" existed
    "blurred": marked("face blurred"),
    "excluded": marked("excluded by hand"),
}


# Control characters except tab and line feed, and bidirectional embedding, override and isolate characters.
_COMMANDS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def percent(share: float, language: Language = ENGLISH) -> str:
    """Write a share of 0..100 in whole percent: intervals are wider than that."""
    return language.say("{n}\N{NO-BREAK SPACE}%", n=whole(share))


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
    """Format a duration: 8.4 s, 1 min 6 s, 1 h 58 min."""
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
    """Write a number of pictures; in a folder of stills, each picture is a shot."""
    return language.many("{n} picture", "{n} pictures", n)


def listed(words: Sequence[str], language: Language = ENGLISH) -> str:
    """Join words as a sentence does: a, b and c."""
    if len(words) == 1:
        return words[0]
    return language.say("{some} and {last}", some=", ".join(words[:-1]), last=words[-1])


def printable(text: Any) -> str:
    """Make any text encodable as UTF-8: file names may hold invalid bytes, cells of a sheet may be null.

    Characters that control a terminal or change the writing direction are escaped.
    """
    if text is None or text != text:
        return ""
    readable = str(text).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return _COMMANDS.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), readable)


def capital(text: str) -> str:
    """Capitalise the first letter of a sentence."""
    return text[:1].upper() + text[1:]


def scene_name(name: Any, language: Language = ENGLISH) -> str:
    """Write the name of a scene; a bare number becomes "Scene <number>"."""
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
        n_untold: usable tracks of the scene that were not identified; they may be any number of people.
        of_shots: formats the number of shots, for stills as pictures.
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
    known = (evidence["n_actors"] or 0) - (n_untold > 0)  # the table counts all unidentified tracks as one person
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
    """Describe the limits of a scene's evidence; empty if there are none."""
    if evidence["evidence"] == "insufficient":
        if not evidence["face_seconds"]:
            return language.say("Too few faces for percentages.")
        if stills:
            return language.say(
                "Too few faces for percentages: usable ones in {pictures} only.",
                pictures=pictures(evidence["n_shots"], language),
            )
        seconds = language.number(evidence["face_seconds"], 1)
        return language.say("Too few faces for percentages: {n} s of usable ones.", n=seconds)
    if evidence["evidence"] == "one take":
        return language.say(
            "One take: a single track. The interval says what this take could have shown, by how much the face varies "
            "and how long it stays the same; it says nothing of other takes."
        )
    if evidence["n_shots"] < 3 and stills:
        return language.say(
            "Fewer than three pictures: the interval says what they could have shown, and nothing beyond."
        )
    if evidence["n_shots"] < 3:
        return language.say(
            "Fewer than three shots: the interval says what these could have shown, by how much the faces vary and how "
            "long they stay the same; it says nothing of other takes."
        )
    return ""


def headline(leaders: Iterable[tuple[str, str, bool]], n_scenes: int, language: Language = ENGLISH) -> str:
    """Say which detected expression leads in which scenes.

    Args:
        leaders: of every scene that has percentages, its name, the emotion with the largest share, and whether it leads
            clearly.
        n_scenes: number of all scenes.
    """
    named = list(leaders)
    if not named:
        return language.say("No scene shows enough usable faces for percentages.")
    sentences = []
    if surely := _leading([(name, emotion) for name, emotion, clear in named if clear], language):
        sentences.append(f"{capital(surely)}.")
    if unsure := _leading([(name, emotion) for name, emotion, clear in named if not clear], language):
        sentences.append(language.say("In doubt, since another may be as strong: {leading}.", leading=unsure))
    if few := n_scenes - len(named):
        sentences.append(
            language.many("One scene shows too few faces to say.", "{n} scenes show too few faces to say.", few)
        )
    return " ".join(sentences)


def _leading(leaders: Iterable[tuple[str, str]], language: Language) -> str:
    """Describe which emotion leads in which scenes, starting with the one that leads in the most scenes."""
    scenes: dict[str, list[str]] = {}
    for name, emotion in leaders:
        scenes.setdefault(emotion, []).append(name)
    if not scenes:
        return ""
    first, *others = (
        (language.emotion(emotion), _some(names, language))
        for emotion, names in sorted(scenes.items(), key=lambda item: -len(item[1]))
    )
    leads = language.say("{emotion} leads in {scenes}", emotion=first[0], scenes=first[1])
    more = [language.say("{emotion} in {scenes}", emotion=emotion, scenes=names) for emotion, names in others]
    return listed([leads, *more], language)


def _some(names: list[str], language: Language) -> str:
    return listed(names, language) if len(names) <= 4 else language.many("{n} scene", "{n} scenes", len(names))
