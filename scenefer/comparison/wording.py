"""Sentences about a comparison of intended with detected emotions, for a scene and for the film."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from scenefer.analysis.scene_views import EQUAL_ACTOR
from scenefer.comparison.agreement import VALIDATED
from scenefer.comparison.intentions import parse_intention
from scenefer.comparison.scene_comparison import headline
from scenefer.comparison.verdicts import REASONS, VERDICTS
from scenefer.core.language import ENGLISH, Language, marked
from scenefer.core.schema import EMOTIONS
from scenefer.core.tables import rows_of
from scenefer.core.text import whole

if TYPE_CHECKING:
    from scenefer.comparison.agreement import Agreement
    from scenefer.comparison.scene_comparison import Comparison

_PLACES = (
    marked("first"),
    marked("second"),
    marked("third"),
    marked("fourth"),
    marked("fifth"),
    marked("sixth"),
    marked("last"),
)


# Words for verdicts on all pages, in the terminal and in exports; they tell where to look and judge nobody.
WORDS = {"match": marked("as intended"), "partial": marked("in doubt"), "mismatch": marked("worth a look")}
NOT_JUDGED = marked("not judged")

_FIGURES = (
    *("intended", "why", "verdict", "label", "detected", "rank", "lead", "lead_high"),
    *("mass", "mass_low", "mass_high", "tv", "tv_low", "tv_high"),
)


def verdict_words(verdict: str | None, language: Language = ENGLISH) -> str:
    """Return the words for a verdict, or for none."""
    return language.say(WORDS[verdict] if verdict else NOT_JUDGED)


def summary(comparison: Comparison) -> str:
    """Return the headline as text: one line per scene, the film, notices, then the measures for researchers."""
    rows = headline(comparison)[0]
    scenes = [_sentence(row) for row in rows_of(rows)]
    notices = [f"Note: {notice}." for notice in comparison.notices]
    return "\n".join(
        [*scenes, "", *film_lines(comparison), *notices, "", "For researchers:", *research_lines(comparison)]
    )


def _sentence(row: Mapping[str, Any]) -> str:
    """Return a sentence about a scene: verdict, intended and detected emotions."""
    name = row["name"] if row["character"] is None else f"{row['name']} ({row['character']})"
    verdict = "" if row["verdict"] is None else f"{verdict_words(row['verdict'])}; "
    return f"{name}: {verdict}{', '.join(filter(None, (finding(row), verdict and thin(row))))}"


def thin(row: Mapping[str, Any], language: Language = ENGLISH) -> str:
    """Say how little a row's figures rest on: one take, or fewer than three shots or people; empty if on more."""
    if row["within"] not in ("one take", "tracks"):  # tracks: of too few shots to resample
        return ""
    if row["evidence"] == "one take":
        return language.say("one take")
    if row["view"] == EQUAL_ACTOR:
        return language.say("fewer than three people")
    return language.say("fewer than three shots")


def figures(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a row that ``finding`` needs, with None for NaN, so that they can be stored as JSON."""
    leads = () if row["detected"] is None else (f"detected_{row['detected']}",)
    return {name: None if row[name] != row[name] else row[name] for name in (*_FIGURES, *leads)} | {
        "rival": _rival(row)
    }


def finding(row: Mapping[str, Any], language: Language = ENGLISH) -> str:
    """Return a sentence about a row of the table, or its ``figures``: what was intended and detected, and why."""
    said = _finding(row, language)
    corrected = row.get("estimate") == VALIDATED
    return language.say("{finding} (corrected by judged faces)", finding=said) if corrected else said


def _finding(row: Mapping[str, Any], language: Language) -> str:
    say, why = language.say, row["why"]
    if row["intended"] is None:
        return say(why)
    meant = ", ".join(
        language.emotion(emotion)
        if share == 1
        else say("{emotion} {n} %", emotion=language.emotion(emotion), n=f"{100 * share:.0f}")
        for emotion, share in parse_intention(row["intended"]).items()
    )
    if row["verdict"] is None:
        return say("{meant} intended; not judged: {why}", meant=meant, why=say(why))
    if row["lead"] is None or row["lead"] != row["lead"]:  # mixtures have no lead
        n, low, high = (f"{100 * row[name]:.0f}" for name in ("tv", "tv_low", "tv_high"))
        return say(
            "{meant} intended; {n} % ({low}–{high}) of what is detected lies elsewhere",
            meant=meant,
            n=n,
            low=low,
            high=high,
        )
    low, high = (f"{row[name]:.0f}" for name in ("mass_low", "mass_high"))
    n = whole(row["mass"])
    return say(
        "{meant} intended, detected at {n} % ({low}–{high}): {reason}",
        meant=meant,
        n=n,
        low=low,
        high=high,
        reason=_reason(row, language),
    )


def _reason(row: Mapping[str, Any], language: Language) -> str:
    """Return the reason for the verdict on a single intended emotion."""
    meant, rival, rank = row["label"], _rival(row), row["rank"]
    words = {"meant": language.emotion(meant), "rival": language.emotion(rival) if rival else ""}
    if row["verdict"] == "match":
        return language.say("{emotion} leads", emotion=language.emotion(meant))
    if row["detected"] is None:
        return language.say("no expression is strongest")
    if row["verdict"] == "partial" and row["detected"] == meant:
        return language.say("{meant} leads, but {rival} may be as strong", **words)
    high = row.get("lead_high")
    if row["verdict"] == "partial" and (high is None or high >= 0):
        return language.say("{rival} leads, but {meant} may be as strong", **words)
    return language.say(
        "{rival} leads with {share} %, {meant} comes {place}",
        **words,
        share=f"{row['detected_' + row['detected']]:.0f}",
        place=language.say(_PLACES[rank - 1]),
    )


def _rival(row: Mapping[str, Any]) -> str | None:
    """Return the strongest detected expression other than the intended one."""
    if "rival" in row:
        return row["rival"]
    others = {e: row[f"detected_{e}"] for e in EMOTIONS if e != row["label"] and row.get(f"detected_{e}") is not None}
    return max(others, key=lambda emotion: others[emotion]) if row["verdict"] and others else None


def film_lines(comparison: Comparison, language: Language = ENGLISH) -> list[str]:
    """Return sentences with the counts of verdicts in the film's headline, and of rows that are not judged."""
    say, counts = language.say, comparison.counts
    verdicts = language.many(
        "{n} intention compared in {scenes} of {all} scenes: {verdicts}.",
        "{n} intentions compared in {scenes} of {all} scenes: {verdicts}.",
        counts["compared"],
        scenes=headline(comparison)[1].n_scenes,
        all=counts["scenes"],
        verdicts=", ".join(f"{counts[verdict]} {verdict_words(verdict, language)}" for verdict in VERDICTS),
    )
    unjudged = [
        say("Not judged: {n}, {why}.", n=number, why=say(why)) for why, number in counts.items() if why in REASONS
    ]
    return [verdicts, *unjudged]


def research_lines(comparison: Comparison, language: Language = ENGLISH) -> list[str]:
    """Return sentences with the measures of agreement between intended and detected over the whole film."""
    say, settings = language.say, comparison.settings
    first = headline(comparison)[1]
    if first.skill is None or first.kappa is None:
        few = say(
            "Fewer than {scenes} compared scenes or {labels} distinct intentions: no kappa, no skill, no p.",
            scenes=settings.least_scenes,
            labels=settings.least_labels,
        )
        return [few]
    recall = {label: _hits(first, k, language) for k, label in enumerate(first.labels) if sum(first.confusion[k])}
    lines = [
        say(
            "Largest parts: Cohen's kappa {kappa}, macro-F1 {f1}; recall {recalls}.",
            kappa=language.number(first.kappa, 2),
            f1=language.number(first.macro_f1 or 0.0, 2),
            recalls=", ".join(f"{language.emotion(label)} {hits}" for label, hits in recall.items()),
        ),
        say(
            "Mean Jensen-Shannon distance, 0 = as intended and 1 = disjoint; skill against {n} permutations of the "
            "intentions, 0 = no better:",
            n=language.number(settings.shuffles),
        ),
    ]
    return lines + [_distance(found, language) for found in comparison.agreements if found.view == settings.view]


def _distance(found: Agreement, language: Language) -> str:
    name = language.say(found.classes)
    if found.js is None or found.skill is None or found.js_marginal is None or found.p is None:
        return "  " + language.say("{classes}: too few scenes", classes=name)
    return "  " + language.say(
        "{classes}: {js} over {n} scenes; {marginal} if every scene showed the film's average, {shuffled} permuted; "
        "skill {skill}, p = {p}",
        classes=name,
        n=found.n_scenes,
        js=language.number(found.js, 2),
        marginal=language.number(found.js_marginal, 2),
        shuffled=language.number(found.js_shuffled or 0.0, 2),
        skill=language.number(found.skill, 2),
        p=f"{found.p:.2g}".replace(".", language.decimal_mark),
    )


def _hits(found: Agreement, row: int, language: Language) -> str:
    return language.say("{hits} of {n}", hits=found.confusion[row][row], n=sum(found.confusion[row]))
