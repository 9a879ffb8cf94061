"""The page of a library: every film with its arc, its largest gaps and its state, with links to the reports."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from importlib import metadata
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from scenefer.comparison.wording import finding, verdict_words
from scenefer.core.language import ENGLISH, Language, marked
from scenefer.core.run_folder import REPORT
from scenefer.core.schema import EMOTIONS
from scenefer.core.tables import rows_of
from scenefer.core.text import natural, printable
from scenefer.report import arc_thumbnail, formatting, html, library_map, warnings
from scenefer.report.emotion_curves import COLOURS
from scenefer.report.intended_vs_detected import SIGNS

if TYPE_CHECKING:
    import pandas as pd

# Ordered by how much they need attention.
_STATES = {"failed": marked("failed"), "partial": marked("partial"), "done": marked("done")}
_ORDERS = {
    "name": marked("name"),
    "length": marked("length"),
    "coverage": marked("faces usable"),
    "gap": marked("largest gap"),
    "state": marked("state"),
    "made": marked("last analysed"),
}
_LEADING = 3  # maximum number of expressions named in a film's line
_LEAST = 0.5  # %, of a named expression


def render(
    films: pd.DataFrame,
    failures: Sequence[Mapping[str, Any]] = (),
    unreadable: Sequence[Mapping[str, str]] = (),
    doubles: Mapping[str, Sequence[str]] = MappingProxyType({}),
    language: Language = ENGLISH,
    groups: Mapping[str, Any] | None = None,
    posters: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """Render the page; names are escaped, whatever they contain. Errors are in English.

    Args:
        films: table FILMS.
        failures: what a batch could not read: film (path), id, state, stage, time, error, remedy, permanent, when.
        unreadable: folders of runs that cannot be used: folder, error.
        doubles: folders of further runs of films in the table, by film id.
        groups: compared groups of films, from ``library_groups.lay_out``.
        posters: a picture of a film as a data URI, by the film's id.
    """
    rows = [_record(row, doubles.get(row["film"], ()), language) for row in rows_of(films)]
    entries = _with_failures(rows, failures, language) + [_broken(broken) for broken in unreadable]
    entries.sort(key=lambda entry: (natural(entry["name"].casefold()), entry["path"]))  # as the page's own script
    script = html.part("library.js")
    n = {state: sum(entry["state"] == state for entry in entries) for state in _STATES}
    return html.template("library.html.j2").render(
        **html.speech(language),
        language=language,
        policy=html.policy([script]),
        style=html.part("style.css") + html.part("library.css"),
        script=script,
        emotions=[(emotion, language.emotion(emotion), COLOURS[emotion]) for emotion in EMOTIONS],
        states={state: language.say(word) for state, word in _STATES.items()},
        orders={key: language.say(word) for key, word in _ORDERS.items()},
        entries=entries,
        overview=library_map.overview(rows_of(films), rows, language),
        groups=groups,
        n=n,
        headline=_headline(n, entries, language),
        facts=_facts(films, n, language),
        posters=posters,
        n_corrected=sum(bool(entry["corrected"]) for entry in entries),
        n_thin=sum(bool(entry["link"]) and not entry["leading"] for entry in entries),
        n_compared=sum(bool(entry["judged"]) for entry in entries),
        version=metadata.version("scenefer"),
        no_feeling=language.say(formatting.NO_FEELING),
    )


def _record(row: Mapping[str, Any], doubles: Sequence[str], language: Language) -> dict[str, Any]:
    """Lay out a film that has a run; ``doubles`` are folders of other runs with the same content."""
    gaps = [_gap(gap, language) for gap in json.loads(row["gaps"])]
    verdicts, length = json.loads(row["verdicts"]), row["duration"]
    counts = {verdict: sum(row[2] == verdict for row in verdicts) for verdict in SIGNS}
    said = (row["why"] or "").splitlines() if row["state"] != "done" else []
    leading = sorted(((e, row[e]) for e in EMOTIONS if row[e] == row[e]), key=lambda pair: -pair[1])
    return {
        "id": row["film"],
        "name": row["name"],
        "path": row["path"],
        "link": _link(row["folder"]),
        "doubles": [(printable(folder), _link(folder)) for folder in doubles],
        "state": row["state"] if row["state"] in _STATES else "done",
        "why": "; ".join(language.retell(formatting.printable(line), warnings.SHAPES) for line in said),
        "where": "",
        "remedy": "",
        "again": "",
        "made": row["made"],
        "when": _day(row["made"], language),
        "length": length,
        "about": [
            formatting.length(length, language),
            f"{row['width']} × {row['height']}",
            language.many("{n} scene", "{n} scenes", row["n_scenes"]),
            formatting.shots(row["n_shots"], language),
        ],
        "coverage": row["coverage"],
        "covered": formatting.percent(100 * row["coverage"], language),
        "leading": [
            (e, language.emotion(e), formatting.percent(share, language))
            for e, share in leading[:_LEADING]
            if share >= _LEAST
        ],
        "viewbox": arc_thumbnail.viewbox(row["arc"], bool(verdicts)),
        "paths": arc_thumbnail.paths(row["arc"]),
        "strip": arc_thumbnail.strip(row["arc"], verdicts, length) if length > 0 else [],
        "judged": row["n_judged"],
        "corrected": row["n_corrected"],
        "counts": [(kind, SIGNS[kind], n, verdict_words(kind, language)) for kind, n in counts.items() if n],
        "gap": None if row["largest_gap"] != row["largest_gap"] else row["largest_gap"],
        "gaps": gaps,
        "more": row["n_judged"] - row["n_match"] - len(gaps),
    }


def _gap(gap: Mapping[str, Any], language: Language) -> dict[str, Any]:
    verdict = gap["verdict"]
    return {
        **gap,
        "name": formatting.scene_name(gap["name"], language),
        "character": formatting.printable(gap["character"]),
        "sentence": finding(gap["figures"], language).replace(" %", "\N{NO-BREAK SPACE}%"),
        "sign": SIGNS[verdict],
        "said": verdict_words(verdict, language),
    }


def _with_failures(
    entries: list[dict[str, Any]], failures: Iterable[Mapping[str, Any]], language: Language
) -> list[dict[str, Any]]:
    """Add to each film what a batch could not read; also add failed films that have no run.

    A failed copy of a film that has a run is added as a separate entry; the film keeps its state, because the copy's
    sheet may be the cause.
    """
    by_id = {entry["id"]: entry for entry in entries}
    by_path = {entry["path"]: entry for entry in entries}
    for failure in failures:
        path = printable(str(failure.get("film") or ""))
        entry = by_id.get(failure["id"]) if failure.get("id") else by_path.get(path)
        is_whole = failure.get("state") != "partial"  # copies share the damage, so "partial" is the film's
        if entry is None or (is_whole and os.path.abspath(entry["path"]) != os.path.abspath(path)):
            entry = _bare(Path(path).name, path)
            entries.append(entry)
        entry["state"] = "partial" if failure.get("state") == "partial" else "failed"
        why = formatting.printable(failure.get("error")).replace(path, Path(path).name)
        at = failure.get("time")
        stage = formatting.printable(failure.get("stage"))
        entry["why"] = why if not entry["why"] or entry["state"] == "failed" else entry["why"]
        entry["where"] = stage
        if at is not None and at == at:
            entry["where"] = language.say("{stage} at {time}", stage=stage, time=formatting.moment(at, True, language))
        remedy = formatting.printable(failure.get("remedy"))
        entry["remedy"] = "" if remedy in why else remedy
        if entry["state"] == "failed":
            entry["again"] = language.say(
                marked("Not tried again as long as the file stays as it is.")
                if failure.get("permanent")
                else marked("The next batch tries it again.")
            )
    return entries


def _broken(broken: Mapping[str, str]) -> dict[str, Any]:
    entry = _bare(formatting.printable(broken["folder"]), formatting.printable(broken["folder"]))
    return {**entry, "state": "failed", "why": formatting.printable(broken["error"])}


def _bare(name: str, path: str) -> dict[str, Any]:
    """Lay out a film of which only the name is known."""
    nothing: dict[str, Any] = dict.fromkeys(("length", "coverage", "gap", "link"))
    empty: dict[str, Any] = dict.fromkeys(("about", "doubles", "leading", "paths", "strip", "counts", "gaps"), ())
    return {
        **nothing,
        **empty,
        **dict.fromkeys(("id", "why", "where", "remedy", "again", "made", "when", "covered", "viewbox"), ""),
        **{"name": name or path, "path": path, "state": "failed", "judged": 0, "corrected": 0, "more": 0},
    }


def _link(folder: str) -> str:
    """Link to the report of a run next to the page, quoting any folder name."""
    return f"{quote(os.fsencode(folder))}/{REPORT}"


def _headline(n: Mapping[str, int], entries: Sequence[Mapping[str, Any]], language: Language) -> str:
    if not entries:
        return language.say("No film has been analysed into this folder yet.")
    said = [language.many("{n} film could be read to the end", "{n} films could be read to the end", n["done"])]
    if n["partial"]:
        said.append(language.say("{n} only in part", n=language.number(n["partial"])))
    if n["failed"]:
        said.append(language.say("{n} not at all", n=language.number(n["failed"])))
    sentences = [f"{formatting.listed(said, language)}."]
    if n_judged := sum(entry["judged"] for entry in entries):
        n_match = n_judged - sum(len(entry["gaps"]) + entry["more"] for entry in entries)
        sentences.append(
            language.say(
                "Of {all} judged intentions, {n} are as intended.",
                n=language.number(n_match),
                all=language.number(n_judged),
            )
        )
    return " ".join(sentences)


def _facts(films: pd.DataFrame, n: Mapping[str, int], language: Language) -> list[tuple[str, str, str]]:
    say, number = language.say, language.number
    seconds = float(films["duration"].sum())
    seen = float((films["coverage"] * films["duration"]).sum())
    covered = formatting.percent(100 * seen / seconds, language) if seconds else "–"
    in_scenes = language.many("{n} scene", "{n} scenes", int(films["n_scenes"].sum()))
    return [
        (say("Films"), number(sum(n.values())), ""),
        (say("Film time"), formatting.length(seconds, language), ""),
        (say("Faces usable"), covered, say("of the films’ time")),
        (say("Shots"), number(int(films["n_shots"].sum())), in_scenes),
        (say("Tracks"), number(int(films["n_tracks"].sum())), ""),
        (say("Last analysed"), _day(max(films["made"], default=""), language), ""),
    ]


def _day(made: str, language: Language) -> str:
    try:
        return language.date(datetime.fromisoformat(made))
    except ValueError:
        return ""
