"""The first page, for the film's director: a frame, the main finding, the course, and moments to look at again.

It fits on one sheet of paper. ``balance_curve`` makes its curve, ``moments`` chooses its scenes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from scenefer.analysis.expressions import counted, film_shares
from scenefer.analysis.keyframes import keyframes
from scenefer.core.language import ENGLISH, Language
from scenefer.core.schema import EMOTIONS
from scenefer.core.timecode import counts_drop, exact_rate, first_frame, timecode_of
from scenefer.report import editing, formatting
from scenefer.report.balance_curve import Balance, balance
from scenefer.report.emotion_curves import ticks
from scenefer.report.images import packed
from scenefer.report.moments import Moment, moments

if TYPE_CHECKING:
    from scenefer.analysis.result import Analysis
    from scenefer.comparison.scene_comparison import Comparison

WIDTH, HEIGHT = 1000, 200  # units of the drawing
_FRAME, _MOMENT = 640, 400  # px, the longer side of the pictures
_NEXT_TO_NOTHING = 0.5  # percent; up to it the second expression is not named


def page(
    analysis: Analysis,
    compared: Comparison | None,
    cards: Sequence[Mapping[str, Any]],
    end: float,
    language: Language = ENGLISH,
) -> dict[str, Any]:
    """Collect what the first page shows.

    Args:
        cards: the scenes' cards, from ``cards.scene_cards``.
        end: end of the time axis, seconds.
    """
    by_scene = {card["id"]: card for card in cards}
    video = analysis.film.kind == "video"
    course = balance(analysis.expressions, {card["id"]: card["meant"] for card in cards}, end) if video else None
    at = _timecodes(analysis) if video else lambda time: _of_stills(analysis, time, language)
    looked = [
        {
            "number": number,
            "picture": packed(moment.jpeg, _MOMENT),
            "time": moment.time,
            "when": at(moment.time),
            "left": round(100 * moment.time / end, 2),
            "sentence": moment.sentence,
            "card": by_scene[moment.scene],
            "verdict": _worst(by_scene[moment.scene]["verdicts"]),
        }
        for number, moment in enumerate(_in_order(moments(analysis, compared, language)), start=1)
    ]
    return {
        "frame": _frame(analysis, end),
        "found": _found(analysis, language),
        "curve": _drawn(course, end, language) if course is not None else None,
        "moments": looked,
        "excluded": editing.hatched(analysis, 0.0, end),
    }


def _in_order(chosen: Sequence[Moment]) -> list[Moment]:
    """Sort the moments by film time, like the curve."""
    return sorted(chosen, key=lambda moment: moment.time)


def _found(analysis: Analysis, language: Language) -> str:
    """Say in one sentence what the faces of the film mostly show, or why nothing is said of them."""
    say = language.say
    shares = film_shares(analysis.expressions)
    if not len(analysis.faces):
        return say("No face was found. --profile thorough looks for smaller ones, --detector mtcnn in another way.")
    if shares is None or analysis.scene_emotions["percent"].isna().all():
        return say("No scene shows enough usable faces for percentages.")
    first, second = np.argsort(-shares, kind="stable")[:2].tolist()
    words = {
        "first": language.emotion(EMOTIONS[first]),
        "share": formatting.percent(float(shares[first]), language),
        "second": language.emotion(EMOTIONS[second]),
        "rest": formatting.percent(float(shares[second]), language),
    }
    alone = shares[second] <= _NEXT_TO_NOTHING
    if analysis.film.kind == "video":
        if alone:
            return say("Over the whole film the faces show {first} ({share}).", **words)
        return say("Over the whole film the faces mostly show {first} ({share}), then {second} ({rest}).", **words)
    if alone:
        return say("In what is shown here the faces show {first} ({share}).", **words)
    return say("In what is shown here the faces mostly show {first} ({share}), then {second} ({rest}).", **words)


def _frame(analysis: Analysis, end: float) -> str | None:
    """Choose the picture that represents the film: from the shot in which faces are usable for the longest time."""
    faces = analysis.expressions.loc[counted(analysis.expressions)]
    seconds = faces.groupby("shot")["weight"].sum().to_dict()
    best = keyframes(analysis.pictures, analysis.shots, seconds, 0.0, end + 1e-3, 1)
    return packed(best["jpeg"].iloc[0], _FRAME) if len(best) else None


def _worst(verdicts: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    return max(verdicts, key=lambda row: row["rank"]) if verdicts else None


def _timecodes(analysis: Analysis) -> Callable[[float], str]:
    """Return a function that formats a film time as in editing programs: by the film's timecode, or counted from 0."""
    rate = exact_rate(analysis.film.frame_rate)
    first, drop = first_frame(analysis.film), counts_drop(analysis.film)
    return lambda time: timecode_of(first + int(time * rate + 1e-3), rate, drop=drop)


def _of_stills(analysis: Analysis, time: float, language: Language) -> str:
    number = np.searchsorted(analysis.shots["start"].to_numpy(), time + 1e-9, side="right")
    return language.say("picture {n}", n=number)


def _drawn(course: Balance, end: float, language: Language) -> dict[str, Any] | None:
    """Draw both curves as SVG paths; None if there is no evidence."""
    if not np.isfinite(course.detected).any():
        return None
    x = np.round(course.time / end * WIDTH, 1)
    reach = course.reach
    high, low = (np.round(HEIGHT / 2 * (1 - values / reach), 1) for values in (course.detected, course.intended))
    return {
        "line": _line(x, high),
        "area": _area(x, high),
        "intended": _line(x, low),
        "reach": f"{reach:.0f}",
        "window": _window(course.window, language),
        "ticks": [
            {"left": round(100 * at / end, 2), "words": formatting.moment(at, False, language)}
            for at in ticks(end)
            if at <= 0.97 * end
        ],
        "words": _course_in_words(course, language),
    }


def _window(seconds: float, language: Language) -> str:
    return language.say("{n} s", n=round(seconds)) if seconds < 60 else language.say("{n} min", n=round(seconds / 60))


def _course_in_words(course: Balance, language: Language) -> str:
    """Describe where the curve is highest and lowest, for readers who cannot see it."""
    top, bottom = int(np.nanargmax(course.detected)), int(np.nanargmin(course.detected))
    return language.say(
        "Highest at {high}, {most} points; lowest at {low}, {least} points",
        high=formatting.moment(course.time[top], False, language),
        most=f"{course.detected[top]:+.0f}",
        low=formatting.moment(course.time[bottom], False, language),
        least=f"{course.detected[bottom]:+.0f}",
    )


def _pieces(y: np.ndarray) -> zip[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.r_[False, np.isfinite(y), False]))
    return zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def _line(x: np.ndarray, y: np.ndarray) -> str:
    return "".join(f"M{_points(x[a:b], y[a:b])}" for a, b in _pieces(y))


def _area(x: np.ndarray, y: np.ndarray) -> str:
    """Fill from the curve to the middle line, which is a balance of 0."""
    middle = HEIGHT // 2
    return "".join(f"M{x[a]:g} {middle}L{_points(x[a:b], y[a:b])}V{middle}Z" for a, b in _pieces(y))


def _points(x: np.ndarray, y: np.ndarray) -> str:
    return "L".join(f"{a:g} {b:g}" for a, b in zip(x.tolist(), y.tolist(), strict=True))
