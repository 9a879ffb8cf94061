"""Corrections by hand: what the page needs to make them, what it says of those that apply, and where it hatches.

``editing_rules.js`` holds new corrections against the same rules as ``analysis/edited.py``, so that whoever makes them
learns at once what does not fit; what it saves, ``interchange/edits_file.py`` reads.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from scenefer.analysis.edited import analysis_id
from scenefer.analysis.edits import Boundary, Edit, Merge, Rename, Split, as_record, excluded
from scenefer.core.language import ENGLISH, Language, marked
from scenefer.core.tables import rows_of
from scenefer.report import formatting
from scenefer.report.film_times import film_times

if TYPE_CHECKING:
    from scenefer.analysis.result import Analysis

# What a correction says, in the page and in the file that it saves.
SAYS = {
    "rename": marked("{who} is called {name}"),
    "unname": marked("{who} has no name"),
    "merge": marked("{who} is the same as {other}"),
    "split": marked("Track {n} is somebody else: {who}"),
    "start": marked("{scene} begins at {when}"),
    "end": marked("{scene} ends at {when}"),
    "exclude": marked("{start} to {end} is excluded"),
}
# Why one is not taken.
_REFUSALS = {
    "time": marked("Give a film time, like 1:02.5"),
    "number": marked("There is no timecode {when} at {rate} frames a second"),
    "early": marked("{when} lies before the film, which starts at {start}"),
    "outside": marked("{when} lies outside the film, {start} to {end}"),
    "cross": marked("It would cross {scene}, {start} to {end}"),
    "short": marked("{scene} would be left without a frame"),
    "empty": marked("The moment is empty: its end must come after its start"),
    "overlap": marked("It overlaps {start} to {end}, which is excluded already"),
    "nameless": marked("Give a name, or take one off that {who} has"),
    "taken": marked("{who} is called {name} already; merge the two instead"),
    "itself": marked("Choose two people"),
    "alone": marked("Track {n} is all there is of {who}"),
    "gone": marked("{who} is somebody else by now"),
}
_PERSON = marked("Person {n}")
_WORDS = {
    "person": _PERSON,
    "named": marked("{name} (person {n})"),
    "untold": marked("nobody known"),
    "track": marked("track {n}, {start} to {end}"),
    "applied": marked("applied"),
    "pending": marked("not applied yet"),
    "dropped": marked("still applied, taken off in the file"),
    "undo": marked("Undo: {says}"),
    "again": marked("Restore: {says}"),
    "none": marked("No edits yet"),
    "one": marked("1 edit"),
    "many": marked("{n} edits"),
    "gone_too": marked("Undone too, since it needed that: {says}"),
    "rename_person": marked("Rename"),
    "merge_person": marked("Merge"),
    "split_person": marked("Split off a track"),
    "split_track": marked("Somebody else"),
    "move_scene": marked("Move its start or end"),
    "exclude_moment": marked("Exclude a moment"),
    # The same buttons, for who does not see what they stand at.
    "rename_person_of": marked("Rename {who}"),
    "merge_person_of": marked("Merge {who}"),
    "split_person_of": marked("Split off a track of {who}"),
    "split_track_of": marked("Somebody else: track {n}"),
    "move_scene_of": marked("Move its start or end: {scene}"),
    "exclude_moment_of": marked("Exclude a moment: {scene}"),
}
_PLACES = re.compile(r"\{(\w+)\}")


def page_data(analysis: Analysis, language: Language = ENGLISH) -> dict[str, Any]:
    """Lay out what the page needs to edit a run, as plain values for JSON: the run as it was measured, and the words.

    ``people`` are numbers and names; ``tracks`` number, person or null, begin and end (s); ``scenes`` name in the
    tables, name as shown, begin and end (s); ``cuts`` s.
    """
    measured, film = analysis.measured or analysis, analysis.film
    told = measured.tracks.dropna(subset=["actor"]).drop_duplicates("actor").sort_values("actor")
    shots = measured.shots
    edits = analysis.edits.edits if analysis.edits is not None else ()
    return {
        "film": film.id,
        "film_name": formatting.printable(film.path.name),
        "analysis": analysis_id(analysis),
        "applied": [as_record(edit) for edit in edits],
        "people": [[row["actor"] + 1, row["actor_name"] or ""] for row in rows_of(told)],
        "tracks": [
            [
                row["track"],
                None if row["actor"] is None else row["actor"] + 1,
                _rounded(row["start"]),
                _rounded(row["end"]),
            ]
            for row in rows_of(measured.tracks)
        ],
        "scenes": [
            [str(row["name"]), formatting.scene_name(row["name"], language), row["start"], row["end"]]
            for row in rows_of(measured.scenes)
        ],
        "cuts": [_rounded(start) for start in shots["start"].tolist()[1:]],
        "begin": float(shots["start"].iloc[0]) if len(shots) else 0.0,
        "end": float(shots["end"].iloc[-1]) if len(shots) else 0.0,
        "frame": float(1 / film.frame_rate),
        "times": film_times(film),
        "video": film.kind == "video",
        "decimal": language.decimal_mark,
        "says": {name: _template(message, language) for name, message in SAYS.items()},
        "refuses": {name: _template(message, language) for name, message in _REFUSALS.items()},
        "words": {name: _template(message, language) for name, message in _WORDS.items()},
    }


def provenance(analysis: Analysis, language: Language = ENGLISH) -> dict[str, Any] | None:
    """Say what was corrected by hand: how much, by which file, and each correction; None where nothing was."""
    if analysis.edits is None:
        return None
    record = analysis.run.get("edits", {})
    kinds = [_counted(kind, n, language) for kind, n in record["kinds"].items()]
    return {
        "sentence": language.many(
            "One edit by hand applies: {kinds}.",
            "{n} edits by hand apply: {kinds}.",
            record["n"],
            kinds=", ".join(kinds),
        ),
        "file": formatting.printable(record["file"]),
        "sha256": record["sha256"],
        "list": [said(edit, language) for edit in analysis.edits.edits],
        "renamed": "rename" in record["kinds"],
    }


def _counted(kind: str, n: int, language: Language) -> str:
    """Say how many corrections there are of a kind."""
    many = language.many
    return {
        "rename": many("{n} person renamed", "{n} people renamed", n),
        "merge": many("{n} person merged", "{n} people merged", n),
        "split": many("{n} track split off", "{n} tracks split off", n),
        "boundary": many("{n} scene boundary moved", "{n} scene boundaries moved", n),
        "exclude": many("{n} moment excluded", "{n} moments excluded", n),
    }[kind]


def said(edit: Edit, language: Language = ENGLISH) -> str:
    """Say a correction in words."""

    if isinstance(edit, Rename):
        kind = "rename" if edit.name else "unname"
        values: dict[str, Any] = {"who": _person(edit.person, language), "name": formatting.printable(edit.name)}
    elif isinstance(edit, Merge):
        kind, values = "merge", {"who": _person(edit.person, language), "other": _person(edit.into, language)}
    elif isinstance(edit, Split):
        kind, values = "split", {"n": edit.track, "who": _person(edit.person, language)}
    elif isinstance(edit, Boundary):
        scene = formatting.scene_name(edit.scene, language)
        kind, values = edit.edge, {"scene": scene, "when": _exact(edit.time, language)}
    else:
        kind, values = "exclude", {"start": _exact(edit.start, language), "end": _exact(edit.end, language)}
    return language.say(SAYS[kind], **values)


def hatched(analysis: Analysis, start: float, end: float) -> list[dict[str, float]]:
    """Place the excluded moments on an axis from ``start`` to ``end`` (s): left and width in percent."""
    spans = [(max(a, start), min(b, end)) for a, b in excluded(analysis.edits) if a < end and b > start]
    whole = end - start
    return [{"left": round(100 * (a - start) / whole, 3), "width": round(100 * (b - a) / whole, 3)} for a, b in spans]


def _template(message: str, language: Language) -> str:
    """Write a sentence whose places the page fills."""
    return language.say(message, **{place: f"{{{place}}}" for place in _PLACES.findall(message)})


def _person(number: int, language: Language) -> str:
    return language.say(_PERSON, n=number)


def _exact(seconds: float, language: Language) -> str:
    """Write a film time to the thousandth, as the page does: M:SS.mmm without zeros at the end."""
    thousandths = round(seconds * 1000)
    minutes, rest = divmod(thousandths, 60_000)
    hours, minutes = divmod(minutes, 60)
    head = f"{hours}:{minutes:02}" if hours else f"{minutes}"
    tail = f"{rest % 1000:03}".rstrip("0")
    return f"{head}:{rest // 1000:02}" + (f"{language.decimal_mark}{tail}" if tail else "")


def _rounded(seconds: float) -> float:
    return round(float(seconds), 3)
