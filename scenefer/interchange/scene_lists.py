"""Read lists of scenes with their intentions: tables written by people, and timelines of editing programs.

    scene,start,end,intended,character,note
    rage,24.600,27.600,angry,,
    home,0:00:45.120,0:00:56.000,happy:0.6;neutral:0.4,,two men at a table

Columns may be in any order; the last three are optional. A scene with several characters has several rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from scenefer.comparison.intentions import Vocabulary
from scenefer.core.errors import SheetError
from scenefer.core.film import Film, clock
from scenefer.core.text import did_you_mean, printable
from scenefer.core.timecode import exact_rate, seconds_of
from scenefer.interchange import list_formats, spreadsheets, timelines
from scenefer.interchange.csv_rows import read_rows, read_table
from scenefer.interchange.scene_row import COLUMNS, Row

if TYPE_CHECKING:
    from scenefer.interchange.timelines import Timeline

_FIRST_HOUR = (
    "the list has nothing before, and may count from there; if it counts from the film's first frame, say "
    "--timecode-start 00:00:00:00"
)
_DAY = 86_400.0  # seconds
_NEARLY = 0.99  # minimum duration in frames; just below 1, because times are rounded
_BEYOND = 1.0  # seconds after the end of the film that are clipped, because times in lists are rounded


class Lists(NamedTuple):
    """The user's lists for the scenes of a film."""

    scenes: pd.DataFrame | None = None  # the scenes; None = to be guessed
    intended: pd.DataFrame | None = None  # the intentions, if they are in a separate sheet
    notices: tuple[str, ...] = ()


def read_lists(
    film: Film,
    scenes: Path | None,
    intended: Path | None,
    *,
    every_clip: bool = False,
    words: Mapping[str, str] = {},
) -> Lists:
    """Read a list of scenes, a list of intentions, or both; a list of intentions alone also defines the scenes.

    Args:
        every_clip, words: see ``read_sheet``.

    Raises:
        SheetError: as ``read_sheet``; or the list of intentions has none, or names a scene that is not in the list of
            scenes.
    """
    if intended is None:
        if scenes is None:
            return Lists()
        sheet, notices = read_sheet(scenes, film, every_clip=every_clip, words=words)
        return Lists(sheet, None, tuple(notices))
    meant, notices = read_sheet(intended, film, every_clip=every_clip, words=words)
    if not meant["intended"].notna().any():
        raise SheetError(f"{intended} says of no scene what it is meant to show; {_how_to_intend(intended)}")
    if scenes is None:
        return Lists(meant, None, tuple(notices))
    sheet, others = read_sheet(scenes, film, every_clip=every_clip, words=words)
    known = [str(name) for name in sheet["scene"]]
    for name in map(str, meant["scene"]):
        if name not in known:
            hint = did_you_mean(name, known, f"name it as {scenes.name} does")
            raise SheetError(f"{intended}, scene {name!r}: {scenes.name} has no such scene; {hint}")
    return Lists(sheet, meant, (*others, *notices))


def _how_to_intend(path: Path) -> str:
    if path.suffix.casefold() in list_formats.suffixes():
        return "name its markers like: rage [angry]"
    return "fill in the column intended"


def read_sheet(
    path: Path, film: Film, *, every_clip: bool = False, words: Mapping[str, str] = {}
) -> tuple[pd.DataFrame, list[str]]:
    """Read a list of scenes.

    Args:
        path: a table (CSV, workbook, or the list of PySceneDetect) or a timeline (EDL, OTIO, XML or FCPXML).
        film: the film of the list; its frame rate, timecode and duration are needed to interpret the times.
        every_clip: take the clips of a timeline without markers, or the scenes of PySceneDetect, as scenes even if
            there are more than ``scene_row.MANY``.
        words: the user's words, each with the intention it stands for, see ``intentions.Vocabulary``.

    Returns:
        Columns scene, start, end (seconds of film time), intended (one of the seven, or a mixture whose shares sum to
        1), character, note, and unknown columns as text; null for empty cells. Rows are in order of time. Also notices,
        as sentences: how the list was interpreted.

    Raises:
        SheetError: one line; file, row or marker, column, value and remedy.
    """
    is_workbook = path.suffix.casefold() in spreadsheets.SUFFIXES
    text, notices = (None, []) if is_workbook else timelines.load(path)
    start, others, vocabulary = None, list[str](), Vocabulary(words)
    if text is not None and list_formats.form_of(path, text):
        timeline = timelines.parse_timeline(path, text, exact_rate(film.frame_rate))
        rows, start, said = _of_timeline(path, timeline, film, vocabulary, every_clip)
    elif timelines.is_marker_table((table := read_table(path, text)).header):
        timeline = timelines.read_marker_table(printable(path), film, table)
        rows, start, said = _of_timeline(path, timeline, film, vocabulary, every_clip)
        said = [*table.notices, *said]
    else:
        rows, others = read_rows(path, film, table, vocabulary, every_clip=every_clip)
        said = table.notices
    rows, shifted = _on_film_time(path, rows, film, start)
    rows = sorted(rows, key=lambda row: row.start)
    _check_scenes(path, rows)
    rows, clipped = _within(path, rows, film)
    rows, short = _lasting(path, rows, film)
    sheet = pd.DataFrame(
        [(row.scene, row.start, row.end, row.intended, row.character, row.note, *row.others) for row in rows],
        columns=[*COLUMNS, *others],
        dtype="object",
    )
    notices += [*said, *vocabulary.notices(), *shifted, *clipped, *short]
    return sheet.astype({"start": "float64", "end": "float64"}), [
        f"{printable(path.name)}: {notice}" for notice in notices
    ]


def _of_timeline(
    path: Path, timeline: Timeline, film: Film, vocabulary: Vocabulary, every_clip: bool
) -> tuple[list[Row], float | None, list[str]]:
    """Return the scenes of a timeline, the time of its first frame if stated, and notices."""
    rate = exact_rate(film.frame_rate)
    try:
        rows, notices = timelines.rows_of(timeline, rate, vocabulary, every_clip=every_clip)
    except ValueError as error:
        raise SheetError(f"{printable(path)}: {error}") from error
    if timeline.rate not in (None, rate):
        notices.append(f"it counts {float(timeline.rate):.5g} frames a second, the film has {float(rate):.5g}")
    return rows, None if timeline.start is None else float(timeline.start), [*timeline.notices, *notices]


def _on_film_time(path: Path, rows: list[Row], film: Film, start: float | None) -> tuple[list[Row], list[str]]:
    """Convert the times of a list to film time, whether they count from the first frame, a timecode or a whole hour.

    Args:
        start: time of the timeline's first frame in seconds, if stated.
    """
    first = min(rows, key=lambda row: row.start)
    last = max(row.end if row.end < inf else row.start for row in rows)

    def is_inside(shift: float) -> bool:
        end = inf if film.duration is None else film.duration
        return -1e-6 <= first.start - shift < end and last - shift <= end + _BEYOND

    shifts = []
    if film.timecode is not None:
        with suppress(ValueError):  # a container's timecode may be invalid; the list may still start at a whole hour
            begin = seconds_of(film.timecode, film.frame_rate)
            if begin or film.timecode_stated:  # many programs write 00:00:00:00 by default, so it says nothing
                shifts.append((begin, f"the film's timecode is {film.timecode}"))
    if start is not None:
        shifts.append((start, "that is where the timeline begins"))
    if not all(row.counts_frames for row in rows) and (film.duration is None or first.start < film.duration):
        shifts = []  # times in seconds are film time if possible; timecodes follow the film's timecode
    elif not is_inside(0.0):
        shifts.append((first.hours, "that is the hour in which it begins"))
    elif start is None and first.hours:  # both fit; a film whose first hour has no scene is rare, and a notice says so
        shifts.append((first.hours, _FIRST_HOUR))
    for shift, why in shifts:
        if is_inside(shift):
            moved = [replace(row, start=max(0.0, row.start - shift), end=row.end - shift) for row in rows]
            return moved, [f"{clock(shift)} was subtracted: {why}"] if shift else []
    if film.duration is None or first.start < film.duration:
        return rows, []
    raise SheetError(
        f"{path}, {first.cell('start')}: {clock(first.start)} and all other times lie beyond the film, which "
        f"ends at {clock(film.duration)}; count from the film's first frame, or say its timecode by --timecode-start"
    )


def _check_scenes(path: Path, rows: list[Row]) -> None:
    """Check that each scene ends after it starts, that all rows of a scene agree, and that scenes do not overlap."""
    scenes: dict[str, Row] = {}
    characters: set[tuple[str, str | None]] = set()
    before: Row | None = None  # the scene with the latest end so far
    for row in rows:
        if row.end <= row.start:
            raise SheetError(
                f"{path}, {row.cell('end')}: {clock(row.end)} is not after the start {clock(row.start)}; "
                "correct one of them"
            )
        same = scenes.setdefault(row.scene, row)
        if (same.start, same.end) != (row.start, row.end):
            raise SheetError(
                f"{path}, {row.place}: {clock(row.start)} to {clock(row.end)}, but row {same.number} gives the scene "
                f"{clock(same.start)} to {clock(same.end)}; write equal times, or give one of them another name"
            )
        if (row.scene, row.character) in characters:
            raise SheetError(
                f"{path}, {row.cell('character')}: {row.character or ''!r} has a row of this scene already; "
                "keep one of them, or give the scene another name"
            )
        characters.add((row.scene, row.character))
        if same is not row:
            continue
        if before is not None and row.start < before.end - 1e-6:
            raise SheetError(
                f"{path}, {row.cell('start')}: {clock(row.start)} lies before the end {clock(before.end)} of "
                f"{before.place}; scenes must not overlap"
            )
        before = row


def _lasting(path: Path, rows: list[Row], film: Film) -> tuple[list[Row], list[str]]:
    """Drop clips and markers of a timeline that are shorter than a frame; in a sheet they are an error.

    Times that are fractions of a day, as spreadsheets keep them, are an error too.
    """
    if film.kind != "video":
        return rows, []
    last, frame = max(row.end for row in rows), float(1 / film.frame_rate)
    if film.duration is not None and film.duration > _BEYOND and last * _DAY <= film.duration + _BEYOND:
        raise SheetError(
            f"{path}: all its times lie in the first {last:.6f} s; they seem to be fractions of a day, as spreadsheets "
            f"keep times ({last:.6g} is {clock(last * _DAY)}); give these cells the format [h]:mm:ss, and save it again"
        )
    short = [row for row in rows if row.end - row.start < _NEARLY * frame]
    for row in short:
        if row.kind == "row":
            raise SheetError(
                f"{path}, {row.place}: {clock(row.start)} to {clock(row.end)} is shorter than a frame, {frame:.3f} s; "
                "correct its times, or leave it out"
            )
    if len(short) == len(rows):
        raise SheetError(f"{path}: no {rows[0].kind} lasts a frame; give them lengths")
    said = [f"left out, since they are shorter than a frame: {', '.join(row.place for row in short)}"] if short else []
    return [row for row in rows if row not in short], said


def _within(path: Path, rows: list[Row], film: Film) -> tuple[list[Row], list[str]]:
    """Clip scenes that end up to a second after the film, and extend the last marker to the film's end."""
    if film.duration is None:
        if any(row.end == inf for row in rows):
            raise SheetError(
                f"{path}: where the film ends is not known, nor where the last marker does; give it a length"
            )
        return rows, []
    kept, notices = [], []
    for row in rows:
        row = replace(row, end=film.duration) if row.end == inf else row
        for column, beyond in (("start", row.start >= film.duration), ("end", row.end > film.duration + _BEYOND)):
            if beyond:
                raise SheetError(
                    f"{path}, {row.cell(column)}: {clock(getattr(row, column))} lies beyond the film, which "
                    f"ends at {clock(film.duration)}; correct it, count from the film's first frame, or say its "
                    "timecode by --timecode-start"
                )
        if row.end > film.duration + float(1 / film.frame_rate):  # one frame depends on the way of counting
            notices.append(
                f"the end of {row.place}, {clock(row.end)}, was clipped to the film's, {clock(film.duration)}"
            )
        kept.append(replace(row, end=min(row.end, film.duration)))
    return kept, notices
