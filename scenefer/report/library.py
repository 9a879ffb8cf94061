"""The page of a library: every film with its arc, what is not shown as intended, its state; it links to the reports."""

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

from scenefer.curves import COLOURS
from scenefer.errors import printable
from scenefer.finding import natural
from scenefer.findings import finding
from scenefer.language import ENGLISH, Language, marked
from scenefer.report import page, thumbnails, warnings, words
from scenefer.report.gaps import SAID, SIGNS
from scenefer.schema import EMOTIONS
from scenefer.tables import rows_of

if TYPE_CHECKING:
    import pandas as pd

# In the order of what wants looking at.
_STATES = {"failed": marked("failed"), "partial": marked("partial"), "done": marked("done")}
_ORDERS = {
    "name": marked("name"),
    "length": marked("length"),
    "coverage": marked("faces usable"),
    "gap": marked("largest gap"),
    "state": marked("state"),
    "made": marked("last analysed"),
}
_LEADING = 3  # expressions that a film's line names
_LEAST = 0.5  # %, of a named expression


def render(
    films: pd.DataFrame,
    failures: Sequence[Mapping[str, Any]] = (),
    unreadable: Sequence[Mapping[str, str]] = (),
    doubles: Mapping[str, Sequence[str]] = MappingProxyType({}),
    language: Language = ENGLISH,
) -> str:
    """Render the page; every name in it is text, whatever it contains. What went wrong is said in English.

    Args:
        films: table FILMS.
        failures: what a batch could not read: film (path), id, state, stage, time, error, remedy, permanent, when.
        unreadable: folders of runs that cannot be used: folder, error.
        doubles: folders of other runs of films in the table, by the films' ids.
    """
    rows = [_record(row, doubles.get(row["film"], ()), language) for row in rows_of(films)]
    entries = _with_failures(rows, failures, language) + [_broken(broken) for broken in unreadable]
    entries.sort(key=lambda entry: (natural(entry["name"].casefold()), entry["path"]))  # as the page's own script
    script = page.part("library.js")
    n = {state: sum(entry["state"] == state for entry in entries) for state in _STATES}
    return page.template("library.html.j2").render(
        **page.speech(language),
        language=language,
        policy=page.policy([script]),
        style=page.part("style.css") + page.part("library.css"),
        script=script,
        emotions=[(emotion, language.emotion(emotion), COLOURS[emotion]) for emotion in EMOTIONS],
        states={state: language.say(word) for state, word in _STATES.items()},
        orders={key: language.say(word) for key, word in _ORDERS.items()},
        entries=entries,
        n=n,
        headline=_headline(n, entries, language),
        facts=_facts(films, n, language),
        n_compared=sum(bool(entry["judged"]) for entry in entries),
        version=metadata.version("scenefer"),
        signs=SIGNS,
        no_feeling=language.say(words.NO_FEELING),
    )


def _record(row: Mapping[str, Any], doubles: Sequence[str], language: Language) -> dict[str, Any]:
    """Lay out a film that has a run, and others of the same content."""
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
        "why": "; ".join(language.retell(words.printable(line), warnings.SHAPES) for line in said),
        "where": "",
        "remedy": "",
        "again": "",
        "made": row["made"],
        "when": _day(row["made"], language),
        "length": length,
        "about": [
            words.length(length, language),
            f"{row['width']} × {row['height']}",
            language.many("{n} scene", "{n} scenes", row["n_scenes"]),
            words.shots(row["n_shots"], language),
        ],
        "coverage": row["coverage"],
        "covered": words.percent(100 * row["coverage"], language),
        "leading": [
            (e, language.emotion(e), words.percent(share, language))
            for e, share in leading[:_LEADING]
            if share >= _LEAST
        ],
        "viewbox": thumbnails.viewbox(row["arc"], bool(verdicts)),
        "paths": thumbnails.paths(row["arc"]),
        "strip": thumbnails.strip(row["arc"], verdicts, length) if length > 0 else [],
        "judged": row["n_judged"],
        "counts": [(verdict, SIGNS[verdict], n, language.say(SAID[verdict])) for verdict, n in counts.items() if n],
        "gap": None if row["largest_gap"] != row["largest_gap"] else row["largest_gap"],
        "gaps": gaps,
        "more": row["n_judged"] - row["n_match"] - len(gaps),
    }


def _gap(gap: Mapping[str, Any], language: Language) -> dict[str, Any]:
    verdict = gap["verdict"]
    return {
        **gap,
        "name": words.scene_name(gap["name"], language),
        "character": words.printable(gap["character"]),
        "sentence": finding(gap["figures"], language).replace(" %", "\N{NO-BREAK SPACE}%"),
        "sign": SIGNS[verdict],
        "said": language.say(SAID[verdict]),
    }


def _with_failures(
    entries: list[dict[str, Any]], failures: Iterable[Mapping[str, Any]], language: Language
) -> list[dict[str, Any]]:
    """Note on each film what a batch could not read of it; films that have no run are added."""
    by_id = {entry["id"]: entry for entry in entries}
    by_path = {entry["path"]: entry for entry in entries}
    for failure in failures:
        path = printable(str(failure.get("film") or ""))
        entry = by_id.get(failure.get("id")) or (by_path.get(path) if not failure.get("id") else None)
        if entry is None:
            entry = _bare(Path(path).name, path)
            entries.append(entry)
        entry["state"] = "partial" if failure.get("state") == "partial" else "failed"
        why = words.printable(failure.get("error")).replace(path, Path(path).name)
        at = failure.get("time")
        stage = words.printable(failure.get("stage"))
        entry["why"] = why if not entry["why"] or entry["state"] == "failed" else entry["why"]
        entry["where"] = stage
        if at is not None and at == at:
            entry["where"] = language.say("{stage} at {time}", stage=stage, time=words.moment(at, True, language))
        remedy = words.printable(failure.get("remedy"))
        entry["remedy"] = "" if remedy in why else remedy
        if entry["state"] == "failed":
            entry["again"] = language.say(
                marked("Not tried again as long as the file stays as it is.")
                if failure.get("permanent")
                else marked("The next batch tries it again.")
            )
    return entries


def _broken(broken: Mapping[str, str]) -> dict[str, Any]:
    entry = _bare(words.printable(broken["folder"]), words.printable(broken["folder"]))
    return {**entry, "state": "failed", "why": words.printable(broken["error"])}


def _bare(name: str, path: str) -> dict[str, Any]:
    """Lay out a film of which nothing is known but its name."""
    nothing: dict[str, Any] = dict.fromkeys(("length", "coverage", "gap", "link"))
    empty: dict[str, Any] = dict.fromkeys(("about", "doubles", "leading", "paths", "strip", "counts", "gaps"), ())
    return {
        **nothing,
        **empty,
        **dict.fromkeys(("id", "why", "where", "remedy", "again", "made", "when", "covered", "viewbox"), ""),
        **{"name": name or path, "path": path, "state": "failed", "judged": 0, "more": 0},
    }


def _link(folder: str) -> str:
    """Lead to the report of a run beside the page, whatever its folder is called."""
    return f"{quote(os.fsencode(folder))}/report.html"


def _headline(n: Mapping[str, int], entries: Sequence[Mapping[str, Any]], language: Language) -> str:
    if not entries:
        return language.say("No film has been analysed into this folder yet.")
    said = [language.many("{n} film could be read to the end", "{n} films could be read to the end", n["done"])]
    if n["partial"]:
        said.append(language.say("{n} only in part", n=language.number(n["partial"])))
    if n["failed"]:
        said.append(language.say("{n} not at all", n=language.number(n["failed"])))
    sentences = [f"{words.listed(said, language)}."]
    if n_judged := sum(entry["judged"] for entry in entries):
        n_match = n_judged - sum(len(entry["gaps"]) + entry["more"] for entry in entries)
        sentences.append(
            language.say(
                "{n} of {all} judged intentions are shown as intended.",
                n=language.number(n_match),
                all=language.number(n_judged),
            )
        )
    return " ".join(sentences)


def _facts(films: pd.DataFrame, n: Mapping[str, int], language: Language) -> list[tuple[str, str, str]]:
    say, number = language.say, language.number
    seconds = float(films["duration"].sum())
    seen = float((films["coverage"] * films["duration"]).sum())
    covered = words.percent(100 * seen / seconds, language) if seconds else "–"
    in_scenes = language.many("{n} scene", "{n} scenes", int(films["n_scenes"].sum()))
    return [
        (say("Films"), number(sum(n.values())), ""),
        (say("Film time"), words.length(seconds, language), ""),
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
