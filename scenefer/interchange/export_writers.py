"""The writers of the export formats: a table of faces, markers for editing programs, scenes as JSON, subtitles."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pandas as pd

from scenefer.analysis.scene_views import SCREEN_TIME
from scenefer.comparison.intentions import parse_intention
from scenefer.comparison.verdicts import NO_EVIDENCE
from scenefer.comparison.wording import NOT_JUDGED, verdict_words
from scenefer.core.schema import EMOTIONS
from scenefer.core.text import printable, whole
from scenefer.core.timecode import counts_drop, exact_rate, first_frame
from scenefer.interchange import film_table, scene_records, scene_table
from scenefer.interchange.csv_rows import spreadsheet_safe
from scenefer.interchange.subtitles import write_srt
from scenefer.interchange.timelines import Mark
from scenefer.interchange.timelines.edl import write_edl
from scenefer.interchange.timelines.final_cut import Footage, write_fcpxml, write_final_cut_7
from scenefer.interchange.timelines.otio import write_otio

if TYPE_CHECKING:
    from scenefer.analysis.result import Analysis
    from scenefer.comparison.scene_comparison import Comparison

# Marker colour by the scene's worst verdict, with the names that editing programs use; unjudged scenes are blue.
_COLOURS = {"mismatch": "Red", "partial": "Yellow", "match": "Green"}
_NOT_JUDGED = "Blue"
_NAMED = 3  # number of emotions named in a marker


def as_csv(analysis: Analysis, compared: Comparison | None, rejected: bool) -> tuple[str, str]:
    """Write one row per face."""
    rows = face_rows(analysis, rejected=rejected)
    floats = rows.select_dtypes("float").columns
    rows = rows.astype(dict.fromkeys(floats, "float64")).round(dict.fromkeys(floats, 6))  # µs, µpx and ppm
    return rows.to_csv(index=False, errors="backslashreplace"), f"{len(rows)} of {len(analysis.faces)} faces"


def as_scenes_csv(analysis: Analysis, compared: Comparison | None, rejected: bool) -> tuple[str, str]:
    """Write one row per scene."""
    rows = scene_table.scene_rows(analysis, compared)
    return rows.to_csv(index=False, errors="backslashreplace"), _counted(len(rows), "scene")


def as_films_csv(analysis: Analysis, compared: Comparison | None, rejected: bool) -> tuple[str, str]:
    """Write one row, the film's."""
    return film_table.film_row(analysis, compared).to_csv(index=False, errors="backslashreplace"), "1 film"


def as_xlsx(analysis: Analysis, compared: Comparison | None, rejected: bool) -> tuple[bytes, str]:
    """Write one row per scene, as an Excel workbook."""
    rows = scene_table.scene_rows(analysis, compared)
    return scene_table.workbook(rows), _counted(len(rows), "scene")


def as_srt(analysis: Analysis, compared: Comparison | None, rejected: bool) -> tuple[str, str]:
    """Write subtitles with the detected expression."""
    evidence = analysis.scene_emotions
    told = evidence["view"] == SCREEN_TIME  # views of named persons may lack evidence where the scene does not
    thin = set(evidence.loc[told & (evidence["evidence"] == "insufficient"), "scene"].tolist())
    text = write_srt(analysis.expressions, analysis.shots, analysis.scenes, scene_records.verdicts(compared), thin)
    return text, _counted(text.count(" --> "), "subtitle")


def as_json(analysis: Analysis, compared: Comparison | None, rejected: bool) -> tuple[str, str]:
    """Write the scenes as one object."""
    record = scene_records.scene_record(analysis, compared)
    return json.dumps(record, indent=1, ensure_ascii=False) + "\n", _scenes(analysis)


def as_edl(analysis: Analysis, compared: Comparison | None, rejected: bool) -> tuple[str, str]:
    """Write one marker per scene, as CMX 3600."""
    marks, colours = scene_marks(analysis, compared)
    drop = counts_drop(analysis.film)
    return write_edl(_title(analysis), marks, colours, analysis.film.frame_rate, drop=drop), _scenes(analysis)


def as_otio(analysis: Analysis, compared: Comparison | None, rejected: bool) -> tuple[str, str]:
    """Write one marker per scene, as OpenTimelineIO."""
    marks, colours = scene_marks(analysis, compared)
    rate = exact_rate(analysis.film.frame_rate)
    capitals = [colour.upper() for colour in colours]
    begin = first_frame(analysis.film) / rate
    text = write_otio(_title(analysis), _url(analysis), marks, capitals, rate, begin, _end(analysis))
    return text, _scenes(analysis)


def as_fcpxml(analysis: Analysis, compared: Comparison | None, rejected: bool) -> tuple[str, str]:
    """Write one marker per scene, for Final Cut Pro."""
    marks, colours = scene_marks(analysis, compared)
    return write_fcpxml(_footage(analysis), marks, colours), _scenes(analysis)


def as_final_cut_7(analysis: Analysis, compared: Comparison | None, rejected: bool) -> tuple[str, str]:
    """Write one marker per scene, as Final Cut 7 XML."""
    marks, _ = scene_marks(analysis, compared)
    return write_final_cut_7(_footage(analysis), marks), _scenes(analysis)


def face_rows(analysis: Analysis, *, rejected: bool = False) -> pd.DataFrame:
    """Make one row per face: its place and time, the most probable expression, and all seven probabilities.

    Args:
        rejected: with the faces that do not count towards the percentages.

    Returns:
        Columns file, time (s), xmin, ymin, xmax, ymax (pixels of the film as displayed), emo_label, emo_proba (0 to 1),
        and a probability an emotion; where mouths were measured (``--dense``), mouth_open too.
    """
    expressions = analysis.expressions if rejected else analysis.expressions[analysis.expressions["usable"]]
    faces = analysis.faces.set_index("face").loc[expressions["face"]]
    probabilities = expressions[list(EMOTIONS)].reset_index(drop=True)
    return pd.DataFrame(
        {
            "file": spreadsheet_safe(printable(analysis.film.path.name)),
            "time": faces["time"].to_numpy(),
            "xmin": faces["x0"].to_numpy(),
            "ymin": faces["y0"].to_numpy(),
            "xmax": faces["x1"].to_numpy(),
            "ymax": faces["y1"].to_numpy(),
            "emo_label": probabilities.idxmax(axis=1) if len(probabilities) else [],
            "emo_proba": probabilities.max(axis=1),
            **probabilities,
            **({"mouth_open": faces["mouth_open"].to_numpy()} if analysis.faces["mouth_open"].notna().any() else {}),
        }
    )


def scene_marks(analysis: Analysis, compared: Comparison | None) -> tuple[list[Mark], list[str]]:
    """Make one marker per scene, at the film's timecode, and choose its colour.

    Returns:
        Marks with the scene's name, followed by its intention in brackets if it has exactly one, as ``timelines`` reads
        it; their notes contain the detected emotions and the verdict. And the colour of each mark.
    """
    rate = exact_rate(analysis.film.frame_rate)
    begin = first_frame(analysis.film)
    meant, verdicts = scene_records.intentions(compared), scene_records.verdicts(compared)
    marks, colours = [], []
    for scene in scene_records.scene_record(analysis, compared)["scenes"]:
        number = scene["scene"]
        start, end = (begin + round(scene[edge] * rate) for edge in ("start", "end"))
        intended = f" [{meant[number][0]['intended']}]" if len(meant.get(number, ())) == 1 else ""
        says = [_detected(scene), *(_said(entry) for entry in meant.get(number, ()))]
        name = printable(scene["name"])
        marks.append(Mark(name + intended, start / rate, max(end, start + 1) / rate, "; ".join(says)))
        colours.append(_COLOURS.get(verdicts.get(number, ""), _NOT_JUDGED))
    return marks, colours


def _title(analysis: Analysis) -> str:
    return printable(analysis.film.path.stem)


def _url(analysis: Analysis) -> str:
    return analysis.film.path.resolve().as_uri()


def _end(analysis: Analysis) -> Fraction:
    return Fraction(max([0.0, *analysis.shots["end"].tail(1), *analysis.scenes["end"]]))


def _footage(analysis: Analysis) -> Footage:
    film, rate = analysis.film, exact_rate(analysis.film.frame_rate)
    first, length = first_frame(analysis.film), round(_end(analysis) * rate)
    drop = counts_drop(analysis.film)
    return Footage(_title(analysis), _url(analysis), rate, first, length, (film.width, film.height), drop)


def _scenes(analysis: Analysis) -> str:
    return _counted(len(analysis.scenes), "scene")


def _counted(n: int, noun: str) -> str:
    return f"{n} {noun}{'s' * (n != 1)}"


def _detected(scene: dict[str, Any]) -> str:
    if scene["percent"] is None:
        return NO_EVIDENCE
    shares = {emotion: entry["percent"] for emotion, entry in scene["percent"]["screen_time"].items()}
    largest = sorted(shares, key=lambda emotion: -(shares[emotion] or 0))[:_NAMED]
    words = ", ".join(f"{emotion} {whole(shares[emotion])} %" for emotion in largest)
    return f"detected {words}{' (one take)' * (scene['evidence'] == 'one take')}"


def _said(entry: dict[str, Any]) -> str:
    whom = f" for {printable(entry['character'])}" if entry["character"] else ""
    meant = " and ".join(parse_intention(entry["intended"]))
    said = verdict_words(entry["verdict"]) if entry["verdict"] else entry["why"] or NOT_JUDGED
    return f"{meant} intended{whom}: {said}"
