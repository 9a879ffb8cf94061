"""The page that sets runs side by side: takes, cuts or weights, scene by scene, beside what was intended."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from importlib import metadata
from string import ascii_uppercase
from typing import TYPE_CHECKING, Any, NamedTuple

from scenefer.analysis.expressions import counted
from scenefer.analysis.keyframes import keyframes
from scenefer.analysis.scene_views import SCREEN_TIME
from scenefer.analysis.shots import length_of
from scenefer.comparison import run_differences, takes
from scenefer.comparison.scene_pairs import pair_scenes
from scenefer.core.language import ENGLISH, Language
from scenefer.core.schema import EMOTIONS
from scenefer.core.tables import rows_of
from scenefer.report import cards, formatting, html, nearest_take
from scenefer.report.emotion_curves import COLOURS
from scenefer.report.images import packed

if TYPE_CHECKING:
    import pandas as pd

    from scenefer.analysis.result import Analysis
    from scenefer.comparison.takes import Takes

_PICTURE = 280  # px, the longer side


class Shown(NamedTuple):
    """A run on the page."""

    analysis: Analysis
    link: str  # to its report, from where the page lies; empty = none


def letter(place: int) -> str:
    """Call a run by a letter, from A; beyond Z by a number."""
    return ascii_uppercase[place] if place < len(ascii_uppercase) else str(place + 1)


def render(runs: Sequence[Shown], compared: Takes, language: Language = ENGLISH) -> str:
    """Write the page: self-contained, without a script; every name on it is text, whatever it contains.

    Args:
        runs: in the order in which they were compared.
    """
    scenes = _scenes(runs, compared, language)
    nearest_take.add(scenes, compared.table, letter, language)
    known = (*run_differences.NOTICES, *takes.NOTICES)
    return html.template("comparison.html.j2").render(
        **html.speech(language),
        language=language,
        policy=html.policy([]),
        style=html.part("style.css") + html.part("comparison.css"),
        runs=[_run(place, run, language) for place, run in enumerate(runs)],
        scenes=scenes,
        reach=_reach(scenes),
        headline=[*nearest_take.headline(scenes, language), *_headline(scenes, language)],
        only=_only(compared, language),
        notices=[formatting.capital(language.retell(notice, known)) for notice in compared.notices],
        version=metadata.version("scenefer"),
        no_feeling=language.say(formatting.NO_FEELING),
    )


def _run(place: int, run: Shown, language: Language) -> dict[str, Any]:
    analysis = run.analysis
    coverage = analysis.run.get("coverage", {})
    weights = analysis.run.get("weights", {}).get("expression", {}).get("name", "")
    return {
        "letter": letter(place),
        "name": formatting.printable(analysis.film.path.name),
        "link": run.link,
        "about": [
            formatting.length(length_of(analysis.shots), language)
            if analysis.film.kind == "video"
            else formatting.pictures(len(analysis.shots), language),
            language.many("{n} scene", "{n} scenes", len(analysis.scenes)),
            *([_usable(coverage["face"], language)] if "face" in coverage else []),
            *([formatting.printable(weights)] if weights else []),
        ],
    }


def _usable(share: float, language: Language) -> str:
    return language.say("faces usable {share}", share=formatting.percent(100 * share, language))


def _scenes(runs: Sequence[Shown], compared: Takes, language: Language) -> list[dict[str, Any]]:
    """Lay out the scenes of the first run that another has too."""
    first = runs[0].analysis
    pairs = [pair_scenes(first.scenes, run.analysis.scenes) for run in runs]
    shares = [_by_emotion(run.analysis.scene_emotions) for run in runs]
    apart = [_by_emotion(found.table) for found in compared.differences]
    sides = [_Side(run.analysis, language) for run in runs]
    found = []
    for scene in rows_of(first.scenes):
        key = scene["scene"]
        there = [own[key].other if key in own else None for own in pairs]
        if not any(other is not None for other in there[1:]):
            continue
        rows = [
            {
                "word": language.emotion(emotion),
                "colour": COLOURS[emotion],
                "bars": [
                    _bar(place, own.get((other, emotion)), language) for place, (own, other) in _placed(shares, there)
                ],
                "differences": [
                    _difference(place, own.get((key, emotion)), language) for place, own in enumerate(apart, 1)
                ],
            }
            for emotion in EMOTIONS
        ]
        found.append(
            {
                "id": key,
                "name": formatting.scene_name(scene["name"], language),
                "sides": [sides[place].of(other, letter(place)) for place, other in enumerate(there)],
                "rows": rows,
                "known": any(bar["share"] is not None for row in rows for bar in row["bars"]),
                "said": _said(rows),
                "distances": _distances(apart, key, language),
            }
        )
    return found


def _placed(shares: list[Any], there: list[int | None]) -> list[tuple[int, tuple[Any, int | None]]]:
    return list(enumerate(zip(shares, there, strict=True)))


def _by_emotion(table: pd.DataFrame) -> dict[tuple[int, str], dict[str, Any]]:
    """Index the rows by screen time of a table SCENE_EMOTIONS or DIFFERENCES by scene and emotion."""
    return {(row["scene"], row["emotion"]): row for row in rows_of(table.loc[table["view"] == SCREEN_TIME])}


class _Side:
    """What one run shows of a scene: when it is, and a frame."""

    def __init__(self, analysis: Analysis, language: Language) -> None:
        self._analysis, self._at = analysis, cards.clock(analysis, language)
        self._scenes = {row["scene"]: row for row in rows_of(analysis.scenes)}
        seen = analysis.expressions.loc[counted(analysis.expressions)]
        self._seconds = seen.groupby(["scene", "shot"])["weight"].sum()

    def of(self, scene: int | None, called: str) -> dict[str, Any]:
        """Lay the scene out; without when and picture where the run has none of it."""
        if scene is None:
            return {"letter": called, "when": "", "picture": None}
        row = self._scenes[scene]
        known = self._seconds.index.get_level_values("scene")
        in_shots: Mapping[Any, float] = self._seconds.loc[scene].to_dict() if scene in known else {}
        analysis = self._analysis
        still = rows_of(keyframes(analysis.pictures, analysis.shots, in_shots, row["start"], row["end"], 1))
        video = analysis.film.kind == "video"
        return {
            "letter": called,
            "when": f"{self._at(row['start'])}–{self._at(row['end'])}" if video else self._at(row["start"]),
            "picture": packed(still[0]["jpeg"], _PICTURE, 68) if still else None,
        }


def _bar(place: int, row: Mapping[str, Any] | None, language: Language) -> dict[str, Any]:
    if row is None or row["percent"] != row["percent"]:
        return {"letter": letter(place), "share": None, "within": False}
    return {
        "letter": letter(place),
        "share": round(row["percent"], 2),
        "low": round(row["low"], 2),
        "width": round(row["high"] - row["low"], 2),
        "within": row["n_shots"] < 3,
        "percent": formatting.percent(row["percent"], language),
        "interval": formatting.interval(row["low"], row["high"]),
    }


def _difference(place: int, row: Mapping[str, Any] | None, language: Language) -> dict[str, Any]:
    if row is None or row["difference"] != row["difference"]:
        return {"letter": letter(place), "value": None, "within": False, "beyond": False}
    low, high = row["difference_low"], row["difference_high"]
    return {
        "letter": letter(place),
        "value": round(row["difference"], 2),
        "low": round(low, 2),
        "high": round(high, 2),
        "points": signed(row["difference"], language),
        "interval": language.say("{low} to {high}", low=signed(low, language), high=signed(high, language)),
        "beyond": run_differences.is_beyond(row["difference"], low, high),
        "within": row["within"] == "one take",
    }


def signed(points: float, language: Language) -> str:
    """Write whole percentage points with their sign."""
    whole = round(points)
    return f"{'+' if whole > 0 else '−' if whole < 0 else ''}{language.number(abs(whole))}"


def _said(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """List the differences that are larger than their uncertainty, the largest first."""
    beyond = [
        {"letter": one["letter"], "word": row["word"], "colour": row["colour"], **one}
        for row in rows
        for one in row["differences"]
        if one["value"] is not None and one["beyond"]
    ]
    return sorted(beyond, key=lambda one: -abs(one["value"]))


def _distances(
    apart: Sequence[Mapping[Any, Mapping[str, Any]]], scene: int, language: Language
) -> list[dict[str, str]]:
    """Say how far each other run is from the first as a whole."""
    found = []
    for place, own in enumerate(apart, 1):
        row = own.get((scene, EMOTIONS[0]))
        if row is None or row["js"] != row["js"]:
            continue
        low, value, high = (language.number(row[name], 2) for name in ("js_low", "js", "js_high"))
        found.append({"letter": letter(place), "words": f"{value} ({low}–{high})"})
    return found


def _reach(scenes: Sequence[Mapping[str, Any]]) -> int:
    """Say how many points the axis of differences reaches to both sides: what is drawn, in tens."""
    ends = [
        abs(one[end])
        for scene in scenes
        for row in scene["rows"]
        for one in row["differences"]
        if one["value"] is not None
        for end in ("low", "high")
    ]
    return min(100, max(10, math.ceil(max(ends, default=10) / 10) * 10))


def _headline(scenes: Sequence[Mapping[str, Any]], language: Language) -> list[str]:
    compared = [scene for scene in scenes if scene["distances"]]
    if not compared:
        return [language.say("Nothing could be compared: no scene shows enough faces in two of the runs.")]
    changed = sum(bool(scene["said"]) for scene in compared)
    if not changed:
        return [
            language.many(
                "In the {n} compared scene no expression differs by more than its uncertainty.",
                "In none of the {n} compared scenes does an expression differ by more than its uncertainty.",
                len(compared),
            )
        ]
    return [
        language.many(
            "In {changed} of {n} compared scene an expression differs by more than its uncertainty.",
            "In {changed} of {n} compared scenes an expression differs by more than its uncertainty.",
            len(compared),
            changed=language.number(changed),
        )
    ]


def _only(compared: Takes, language: Language) -> list[str]:
    """Name the scenes that one of two runs has not."""
    said = []
    for place, found in enumerate(compared.differences, 1):
        for names, one, other in ((found.only, letter(0), letter(place)), (found.only_other, letter(place), letter(0))):
            if names:
                listed = ", ".join(formatting.scene_name(name, language) for name in names)
                said.append(language.say("In {one}, not in {other}: {scenes}", one=one, other=other, scenes=listed))
    return said
