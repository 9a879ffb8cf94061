"""Runs for other programs: a table of faces, markers for editors, scenes as JSON, subtitles."""

from __future__ import annotations

import json
from difflib import get_close_matches
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scenefer import files, summary
from scenefer.emotions import SCREEN_TIME
from scenefer.errors import PlanError, printable
from scenefer.intentions import parse_intention
from scenefer.rows import spreadsheet_safe
from scenefer.schema import EMOTIONS
from scenefer.subtitles import write_srt
from scenefer.timecode import exact_rate
from scenefer.timelines import Mark
from scenefer.timelines.edl import write_edl
from scenefer.timelines.otio import write_otio

if TYPE_CHECKING:
    import pandas as pd

    from scenefer.analysis import Analysis
    from scenefer.comparison import Comparison

SUFFIXES = (".csv", ".edl", ".otio", ".json", ".srt")

# The colour of a scene's marker, as editors name it, by its worst verdict; scenes that were not judged are blue.
_COLOURS = {"mismatch": "Red", "partial": "Yellow", "match": "Green"}
_NOT_JUDGED = "Blue"
_NAMED = 3  # emotions that a marker names


def check_suffix(path: Path) -> None:
    """Refuse a file to whose suffix nothing can be written.

    Raises:
        PlanError: the message names the nearest valid one.
    """
    if path.suffix.casefold() not in SUFFIXES:
        near = get_close_matches(path.suffix.casefold(), SUFFIXES, n=1)
        hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(SUFFIXES)}"
        raise PlanError(f"--to {path}: nothing is written as {path.suffix or 'a file without a suffix'!r}; {hint}")


def write_run(analysis: Analysis, compared: Comparison | None, path: Path, *, rejected: bool = False) -> str:
    """Write a run in the form that the suffix of the file asks for, and say in words what was written.

    Args:
        compared: what was intended beside what was detected, where something was intended.
        rejected: for CSV, with the faces that do not count.

    Raises:
        PlanError: there is no such form.
        OutputError: the file cannot be written.
    """
    check_suffix(path)
    suffix = path.suffix.casefold()
    if suffix == ".csv":
        rows = face_rows(analysis, rejected=rejected)
        floats = rows.select_dtypes("float").columns
        rows = rows.astype(dict.fromkeys(floats, "float64")).round(dict.fromkeys(floats, 6))  # µs, µpx and ppm
        text = rows.to_csv(index=False, errors="backslashreplace")
        said = f"{len(rows)} of {len(analysis.faces)} faces"
    elif suffix == ".srt":
        evidence = analysis.scene_emotions
        told = evidence["view"] == SCREEN_TIME  # a named person may be seen too little where the scene is not
        thin = set(evidence.loc[told & (evidence["evidence"] == "insufficient"), "scene"].tolist())
        text = write_srt(analysis.expressions, analysis.shots, analysis.scenes, summary.verdicts(compared), thin)
        said = _counted(text.count(" --> "), "subtitle")
    else:
        text = _json(analysis, compared) if suffix == ".json" else _timeline(analysis, compared, suffix)
        said = _counted(len(analysis.scenes), "scene")
    files.write_result(path, text.encode("utf-8", "backslashreplace"), "choose another --to")
    return said


def _counted(n: int, noun: str) -> str:
    return f"{n} {noun}{'s' * (n != 1)}"


def face_rows(analysis: Analysis, *, rejected: bool = False) -> pd.DataFrame:
    """Make one row a face: where and when it is, the most probable expression and all seven probabilities.

    Args:
        rejected: with the faces that do not count towards the percentages.

    Returns:
        Columns file, time (s), xmin, ymin, xmax, ymax (pixels of the film as displayed), emo_label, emo_proba (0 to 1),
        and a probability an emotion.
    """
    import pandas as pd

    expressions = analysis.expressions if rejected else analysis.expressions[analysis.expressions["usable"]]
    faces = analysis.faces.set_index("face").loc[expressions["face"]]
    probabilities = expressions[list(EMOTIONS)].reset_index(drop=True)
    return pd.DataFrame(
        {
            "file": spreadsheet_safe(analysis.film.path.name),
            "time": faces["time"].to_numpy(),
            "xmin": faces["x0"].to_numpy(),
            "ymin": faces["y0"].to_numpy(),
            "xmax": faces["x1"].to_numpy(),
            "ymax": faces["y1"].to_numpy(),
            "emo_label": probabilities.idxmax(axis=1) if len(probabilities) else [],
            "emo_proba": probabilities.max(axis=1),
            **probabilities,
        }
    )


def scene_marks(analysis: Analysis, compared: Comparison | None) -> tuple[list[Mark], list[str]]:
    """Make a marker a scene, at the film's timecode, and name its colour.

    Returns:
        Marks named as the scene, with one intention in brackets as ``timelines`` reads it; their notes say what was
        detected and the verdict.
    """
    rate = exact_rate(analysis.film.frame_rate)
    begin = summary.first_frame(analysis)
    meant, verdicts = summary.intentions(compared), summary.verdicts(compared)
    marks, colours = [], []
    for scene in summary.scene_record(analysis, compared)["scenes"]:
        number = scene["scene"]
        start, end = (begin + round(scene[edge] * rate) for edge in ("start", "end"))
        intended = f" [{meant[number][0]['intended']}]" if len(meant.get(number, ())) == 1 else ""
        says = [_detected(scene), *(_said(entry) for entry in meant.get(number, ()))]
        name = printable(scene["name"])
        marks.append(Mark(name + intended, start / rate, max(end, start + 1) / rate, "; ".join(says)))
        colours.append(_COLOURS.get(verdicts.get(number, ""), _NOT_JUDGED))
    return marks, colours


def _json(analysis: Analysis, compared: Comparison | None) -> str:
    return json.dumps(summary.scene_record(analysis, compared), indent=1, ensure_ascii=False) + "\n"


def _timeline(analysis: Analysis, compared: Comparison | None, suffix: str) -> str:
    film = analysis.film
    marks, colours = scene_marks(analysis, compared)
    title = printable(film.path.stem)
    if suffix == ".edl":
        return write_edl(title, marks, colours, film.frame_rate, drop=summary.counts_drop(analysis))
    rate = exact_rate(film.frame_rate)
    end = Fraction(max([0.0, *analysis.shots["end"].tail(1), *analysis.scenes["end"]]))
    url = film.path.resolve().as_uri()
    capitals = [colour.upper() for colour in colours]
    return write_otio(title, url, marks, capitals, rate, summary.first_frame(analysis) / rate, end)


def _detected(scene: dict[str, Any]) -> str:
    if scene["percent"] is None:
        return "too little face evidence"
    shares = {emotion: entry["percent"] for emotion, entry in scene["percent"]["screen_time"].items()}
    largest = sorted(shares, key=lambda emotion: -(shares[emotion] or 0))[:_NAMED]
    words = ", ".join(f"{emotion} {shares[emotion]:.0f} %" for emotion in largest)
    return f"detected {words}{' (one take)' * (scene['evidence'] == 'one take')}"


def _said(entry: dict[str, Any]) -> str:
    whom = f" for {printable(entry['character'])}" if entry["character"] else ""
    meant = " and ".join(parse_intention(entry["intended"]))
    return f"{meant} intended{whom}: {entry['verdict'] or entry['why'] or 'not judged'}"
