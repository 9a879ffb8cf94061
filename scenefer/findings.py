"""What a comparison of intended with detected says, in words: of a scene, and of the film."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from scenefer.comparison import headline
from scenefer.intentions import parse_intention
from scenefer.language import ENGLISH, Language, marked
from scenefer.tables import rows_of
from scenefer.verdicts import REASONS, VERDICTS

if TYPE_CHECKING:
    from scenefer.agreement import Agreement
    from scenefer.comparison import Comparison

_PLACES = (
    marked("first"),
    marked("second"),
    marked("third"),
    marked("fourth"),
    marked("fifth"),
    marked("sixth"),
    marked("seventh"),
)


_FIGURES = (
    *("intended", "why", "verdict", "label", "detected", "rank", "lead"),
    *("mass", "mass_low", "mass_high", "tv", "tv_low", "tv_high"),
)


def summary(comparison: Comparison) -> str:
    """Write the headline in words: a line a scene, then the film, then what a reader must know."""
    rows = headline(comparison)[0]
    scenes = [_sentence(row) for row in rows_of(rows)]
    return "\n".join([*scenes, "", *film_lines(comparison), *(f"Note: {notice}." for notice in comparison.notices)])


def _sentence(row: Mapping[str, Any]) -> str:
    """Say of a scene what was intended, what was detected, and the verdict."""
    name = row["name"] if row["character"] is None else f"{row['name']} ({row['character']})"
    verdict = "" if row["verdict"] is None else f": {row['verdict']}"
    return f"{name}: {finding(row)}{verdict}{', within one take' * bool(verdict and row['within'] == 'one take')}"


def figures(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what ``finding`` reads of a row, as JSON can keep it: NaN as None."""
    leads = () if row["detected"] is None else (f"detected_{row['detected']}",)
    return {name: None if row[name] != row[name] else row[name] for name in (*_FIGURES, *leads)}


def finding(row: Mapping[str, Any], language: Language = ENGLISH) -> str:
    """Say of a row of the table, or of its ``figures``, what was intended and what was detected."""
    say, why, rank = language.say, row["why"], row["rank"]
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
    if row["lead"] is None or row["lead"] != row["lead"]:  # a mixture leads nobody
        n, low, high = (f"{100 * row[name]:.0f}" for name in ("tv", "tv_low", "tv_high"))
        return say(
            "{meant} intended, {n} points of mass misplaced ({low}–{high})", meant=meant, n=n, low=low, high=high
        )
    n, low, high = (f"{row[name]:.0f}" for name in ("mass", "mass_low", "mass_high"))
    found = {"meant": meant, "n": n, "low": low, "high": high, "place": say(_PLACES[rank - 1])}
    if row["detected"] in (None, row["label"]):
        return say("{meant} intended, detected at {n} % ({low}–{high}), {place}", **found)
    return say(
        "{meant} intended, detected at {n} % ({low}–{high}), {place} where {leader} leads with {share} %",
        **found,
        leader=language.emotion(row["detected"]),
        share=f"{row['detected_' + row['detected']]:.0f}",
    )


def film_lines(comparison: Comparison, language: Language = ENGLISH) -> list[str]:
    """Say how far the film as a whole shows what was intended, by its headline first."""
    say = language.say
    counts, settings = comparison.counts, comparison.settings
    first = headline(comparison)[1]
    lines = [
        language.many(
            "{n} intention compared in {scenes} of {all} scenes: {verdicts}.",
            "{n} intentions compared in {scenes} of {all} scenes: {verdicts}.",
            counts["compared"],
            scenes=first.n_scenes,
            all=counts["scenes"],
            verdicts=", ".join(f"{counts[verdict]} {say(verdict)}" for verdict in VERDICTS),
        )
    ]
    lines += [
        say("Not judged: {n}, {why}.", n=number, why=say(why)) for why, number in counts.items() if why in REASONS
    ]
    if first.skill is None or first.kappa is None:
        few = say(
            "Fewer than {scenes} compared scenes or {labels} distinct intentions: no kappa, no skill, no p.",
            scenes=settings.least_scenes,
            labels=settings.least_labels,
        )
        return [*lines, few]
    recall = {label: _hits(first, k, language) for k, label in enumerate(first.labels) if sum(first.confusion[k])}
    lines += [
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
    if found.estimate == "emq":
        name = language.say("{classes}, corrected by EMQ", classes=name)
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
