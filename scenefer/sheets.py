"""Lists of scenes with what each was meant to show: CSV as people write it, and the timelines of editing programs.

    scene,start,end,intended,character,note
    rage,24.600,27.600,angry,,
    home,0:00:45.120,0:00:56.000,happy:0.6;neutral:0.4,,two men at a table

Columns may stand in any order; the last three may be missing. A scene takes several rows if it has several characters.
"""

from __future__ import annotations

import difflib
import unicodedata
from contextlib import suppress
from dataclasses import replace
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from scenefer import timelines
from scenefer.errors import PlanError, SheetError
from scenefer.film import Film, clock
from scenefer.rows import COLUMNS, Row, read_rows
from scenefer.timecode import exact_rate, seconds_of

if TYPE_CHECKING:
    import pandas as pd

_BEYOND = 1.0  # seconds past the end of the film that are clipped: lists are rounded
_SUFFIXES = (".csv", *timelines.SUFFIXES)


class Lists(NamedTuple):
    """What a user says of the scenes of a film."""

    scenes: pd.DataFrame | None = None  # where they lie; None = to be guessed
    intended: pd.DataFrame | None = None  # what they are meant to show, where another sheet says it
    notices: tuple[str, ...] = ()


def match(films: list[Path], place: Path | None) -> dict[Path, Path]:
    """Find the list of each film: one list for one film, or in a folder the list that is named as the film.

    Returns:
        Lists by film; a film without one is left out.

    Raises:
        PlanError: there is no such file or folder, one list is given for several films, no list in the folder belongs
            to any of the films, or two belong to one.
    """
    if place is None:
        return {}
    if not place.exists():
        raise PlanError(f"{place}: there is no such sheet")
    if not place.is_dir() or place.suffix.casefold() == ".fcpxmld":
        if len(films) > 1:
            raise PlanError(f"{place} is one sheet for {len(films)} films; give a folder of sheets named as the films")
        return {films[0]: place}
    found: dict[str, Path] = {}
    for sheet in sorted(entry for entry in place.iterdir() if entry.suffix.casefold() in _SUFFIXES):
        stem = _stem(sheet)
        if stem in found:
            raise PlanError(f"{place} has {found[stem].name} and {sheet.name}; keep one of them")
        found[stem] = sheet
    matched = {film: found[_stem(film)] for film in films if _stem(film) in found}
    if not matched:
        raise PlanError(f"{place} has no sheet named as a film: {films[0].stem}.csv would be one for {films[0].name}")
    return matched


def _stem(path: Path) -> str:
    return unicodedata.normalize("NFC", path.stem)  # macOS may write ü as two characters, other systems as one


def read_lists(film: Film, scenes: Path | None, intended: Path | None, *, every_clip: bool = False) -> Lists:
    """Read a list of scenes, a list of intentions, or both; intentions alone give the scenes too.

    Args:
        every_clip: see ``read_sheet``.

    Raises:
        SheetError: as ``read_sheet``; or nothing is intended, or for a scene that the list of scenes has not.
    """
    if intended is None:
        if scenes is None:
            return Lists()
        sheet, notices = read_sheet(scenes, film, every_clip=every_clip)
        return Lists(sheet, None, tuple(notices))
    meant, notices = read_sheet(intended, film, every_clip=every_clip)
    if not meant["intended"].notna().any():
        raise SheetError(f"{intended} says of no scene what it is meant to show; {_how_to_intend(intended)}")
    if scenes is None:
        return Lists(meant, None, tuple(notices))
    sheet, others = read_sheet(scenes, film, every_clip=every_clip)
    known = [str(name) for name in sheet["scene"]]
    for name in map(str, meant["scene"]):
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"name it as {scenes.name} does"
            raise SheetError(f"{intended}, scene {name!r}: {scenes.name} has no such scene; {hint}")
    return Lists(sheet, meant, (*others, *notices))


def _how_to_intend(path: Path) -> str:
    if path.suffix.casefold() in timelines.SUFFIXES:
        return "name its markers like: rage [angry]"
    return "fill in the column intended"


def read_sheet(path: Path, film: Film, *, every_clip: bool = False) -> tuple[pd.DataFrame, list[str]]:
    """Read a list of scenes.

    Args:
        path: CSV in UTF-8, also as PySceneDetect writes it; or, by suffix, a timeline: EDL, OTIO, XML or FCPXML.
        film: the film that it describes; its frame rate, timecode and duration give the times their meaning.
        every_clip: take the clips of a timeline without markers, or what PySceneDetect lists, as scenes even where
            there are more than ``rows.MANY``.

    Returns:
        Columns scene, start, end (seconds of film time), intended (one of the seven, or a mixture whose shares sum
        to 1), character, note, and the columns not known, as text; null where a cell is empty. In order of time.
        And notices: what was done to the list, in sentences.

    Raises:
        SheetError: one line; file, row or marker, column, value and remedy.
    """
    import pandas as pd

    if path.suffix.casefold() in timelines.SUFFIXES:
        rows, start, notices = _of_timeline(path, film, every_clip)
        others: list[str] = []
    else:
        rows, others = read_rows(path, film, every_clip=every_clip)
        start, notices = None, [f"columns kept but not understood: {', '.join(others)}"] if others else []
    rows, shifted = _on_film_time(path, rows, film, start)
    rows = sorted(rows, key=lambda row: row.start)
    _check_scenes(path, rows)
    rows, clipped = _within(path, rows, film)
    sheet = pd.DataFrame(
        [(row.scene, row.start, row.end, row.intended, row.character, row.note, *row.others) for row in rows],
        columns=[*COLUMNS, *others],
        dtype="object",
    )
    notices += [*shifted, *clipped]
    return sheet.astype({"start": "float64", "end": "float64"}), [f"{path.name}: {notice}" for notice in notices]


def _of_timeline(path: Path, film: Film, every_clip: bool) -> tuple[list[Row], float | None, list[str]]:
    """Read the scenes of a timeline, the time of its first frame where it says so, and what is to be known of it."""
    rate = exact_rate(film.frame_rate)
    timeline = timelines.read_timeline(path, rate)
    try:
        rows, notices = timelines.rows_of(timeline, rate, every_clip=every_clip)
    except ValueError as error:
        raise SheetError(f"{path}: {error}") from error
    if timeline.rate not in (None, rate):
        notices.append(f"it counts {float(timeline.rate):.5g} frames a second, the film has {float(rate):.5g}")
    return rows, None if timeline.start is None else float(timeline.start), [*timeline.notices, *notices]


def _on_film_time(path: Path, rows: list[Row], film: Film, start: float | None) -> tuple[list[Row], list[str]]:
    """Let a list count from the film's first frame, whether it counted from there, from a timecode or from an hour.

    Args:
        start: seconds; the time of the first frame of a timeline that says so.
    """
    first = min(rows, key=lambda row: row.start)
    last = max(row.end if row.end < inf else row.start for row in rows)

    def is_inside(shift: float) -> bool:
        end = inf if film.duration is None else film.duration
        return -1e-6 <= first.start - shift < end and last - shift <= end + _BEYOND

    shifts = []
    if film.timecode is not None:
        with suppress(ValueError):  # a container may carry anything; the list may still begin at a whole hour
            begin = seconds_of(film.timecode, film.frame_rate)
            shifts.append((begin, f"the film's timecode is {film.timecode}"))
    if start is not None:
        shifts.append((start, "that is where the timeline begins"))
    shifts.sort(key=lambda each: each[0] == 0)  # 00:00:00:00 is written into films that know no better
    if not all(row.counts_frames for row in rows) and (film.duration is None or first.start < film.duration):
        shifts = []  # seconds are film time unless they cannot be; a timecode is what the film's own says
    elif not is_inside(0.0):
        shifts.append((first.hours, "that is the hour in which it begins"))
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
    """Hold that spans run forwards, that the rows of a scene agree, and that scenes do not overlap."""
    scenes: dict[str, Row] = {}
    characters: set[tuple[str, str | None]] = set()
    before: Row | None = None  # the scene that ends last so far
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


def _within(path: Path, rows: list[Row], film: Film) -> tuple[list[Row], list[str]]:
    """Clip what ends up to a second after the film, and let the last marker last to its end."""
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
        if row.end > film.duration + float(1 / film.frame_rate):  # a frame is a matter of counting, not a finding
            notices.append(
                f"the end of {row.place}, {clock(row.end)}, was clipped to the film's, {clock(film.duration)}"
            )
        kept.append(replace(row, end=min(row.end, film.duration)))
    return kept, notices
