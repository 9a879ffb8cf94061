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

from scenefer.errors import printable
from scenefer.finding import natural
from scenefer.report import page, thumbnails, words
from scenefer.report.figures import COLOURS
from scenefer.report.gaps import SAID, SIGNS
from scenefer.schema import EMOTIONS
from scenefer.tables import rows_of

if TYPE_CHECKING:
    import pandas as pd

_STATES = ("failed", "partial", "done")  # in the order of what wants looking at
_LEADING = 3  # expressions that a film's line names
_LEAST = 0.5  # %, of a named expression


def render(
    films: pd.DataFrame,
    failures: Sequence[Mapping[str, Any]] = (),
    unreadable: Sequence[Mapping[str, str]] = (),
    doubles: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> str:
    """Render the page; every name in it is text, whatever it contains.

    Args:
        films: table FILMS.
        failures: what a batch could not read: film (path), id, state, stage, time, error, remedy, permanent, when.
        unreadable: folders of runs that cannot be used: folder, error.
        doubles: folders of other runs of films in the table, by the films' ids.
    """
    rows = [_record(row, doubles.get(row["film"], ())) for row in rows_of(films)]
    entries = _with_failures(rows, failures) + [_broken(broken) for broken in unreadable]
    entries.sort(key=lambda entry: (natural(entry["name"].casefold()), entry["path"]))  # as the page's own script
    script = page.part("library.js")
    n = {state: sum(entry["state"] == state for entry in entries) for state in _STATES}
    return page.template("library.html.j2").render(
        policy=page.policy([script]),
        style=page.part("style.css") + page.part("library.css"),
        script=script,
        emotions=[(emotion, COLOURS[emotion]) for emotion in EMOTIONS],
        entries=entries,
        n=n,
        title=words.count(len(entries), "film"),
        headline=_headline(n, entries),
        facts=_facts(films, n),
        n_compared=sum(bool(entry["judged"]) for entry in entries),
        version=metadata.version("scenefer"),
        signs=SIGNS,
        no_feeling=words.NO_FEELING,
    )


def _record(row: Mapping[str, Any], doubles: Sequence[str]) -> dict[str, Any]:
    """Lay out a film that has a run, and others of the same content."""
    gaps = [
        {
            **gap,
            "name": words.scene_name(gap["name"]),
            "character": words.printable(gap["character"]),
            "sentence": words.printable(gap["sentence"]).replace(" %", "\N{NO-BREAK SPACE}%"),
            "sign": SIGNS[gap["verdict"]],
            "said": SAID[gap["verdict"]],
        }
        for gap in json.loads(row["gaps"])
    ]
    verdicts, length = json.loads(row["verdicts"]), row["duration"]
    counts = {verdict: sum(row[2] == verdict for row in verdicts) for verdict in SIGNS}
    leading = sorted(((e, row[e]) for e in EMOTIONS if row[e] == row[e]), key=lambda pair: -pair[1])
    return {
        "id": row["film"],
        "name": row["name"],
        "path": row["path"],
        "link": _link(row["folder"]),
        "doubles": [(printable(folder), _link(folder)) for folder in doubles],
        "state": row["state"] if row["state"] in _STATES else "done",
        "why": words.printable(row["why"]) if row["state"] != "done" else "",
        "where": "",
        "remedy": "",
        "again": "",
        "made": row["made"],
        "when": _day(row["made"]),
        "length": length,
        "about": [
            words.length(length),
            f"{row['width']} × {row['height']}",
            words.count(row["n_scenes"], "scene"),
            words.count(row["n_shots"], "shot"),
        ],
        "coverage": row["coverage"],
        "covered": words.percent(100 * row["coverage"]),
        "leading": [(e, words.percent(share)) for e, share in leading[:_LEADING] if share >= _LEAST],
        "viewbox": thumbnails.viewbox(row["arc"], bool(verdicts)),
        "paths": thumbnails.paths(row["arc"]),
        "strip": thumbnails.strip(row["arc"], verdicts, length) if length > 0 else [],
        "judged": int(row["n_judged"]),
        "counts": [(verdict, SIGNS[verdict], n, SAID[verdict]) for verdict, n in counts.items() if n],
        "gap": None if row["largest_gap"] != row["largest_gap"] else row["largest_gap"],
        "gaps": gaps,
        "more": int(row["n_judged"]) - int(row["n_match"]) - len(gaps),
    }


def _with_failures(entries: list[dict[str, Any]], failures: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
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
        entry["where"] = f"{stage}{f' at {words.moment(at, True)}' if at is not None and at == at else ''}"
        remedy = words.printable(failure.get("remedy"))
        entry["remedy"] = "" if remedy in why else remedy
        if entry["state"] == "failed":
            entry["again"] = (
                "Not tried again as long as the file stays as it is."
                if failure.get("permanent")
                else "The next batch tries it again."
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


def _headline(n: Mapping[str, int], entries: Sequence[Mapping[str, Any]]) -> str:
    if not entries:
        return "No film has been analysed into this folder yet."
    said = [f"{words.count(n['done'], 'film')} could be read to the end"]
    if n["partial"]:
        said.append(f"{n['partial']} only in part")
    if n["failed"]:
        said.append(f"{n['failed']} not at all")
    sentences = [f"{words.listed(said)}."]
    if n_judged := sum(entry["judged"] for entry in entries):
        n_match = n_judged - sum(len(entry["gaps"]) + entry["more"] for entry in entries)
        sentences.append(f"{n_match:,} of {n_judged:,} judged intentions are shown as intended.")
    return " ".join(sentences)


def _facts(films: pd.DataFrame, n: Mapping[str, int]) -> list[tuple[str, str, str]]:
    seconds = float(films["duration"].sum())
    seen = float((films["coverage"] * films["duration"]).sum())
    covered = words.percent(100 * seen / seconds) if seconds else "–"
    return [
        ("Films", f"{sum(n.values()):,}", ""),
        ("Film time", words.length(seconds), ""),
        ("Faces usable", covered, "of the films’ time"),
        ("Shots", f"{int(films['n_shots'].sum()):,}", words.count(int(films["n_scenes"].sum()), "scene")),
        ("Tracks", f"{int(films['n_tracks'].sum()):,}", ""),
        ("Last analysed", _day(max(films["made"], default="")), ""),
    ]


def _day(made: str) -> str:
    try:
        day = datetime.fromisoformat(made)
    except ValueError:
        return ""
    return f"{day.day} {day:%B %Y}"
