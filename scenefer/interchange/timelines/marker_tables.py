"""Tables of markers and clips from editing programs: markers of Premiere and Resolve, and Resolve's edit index.

Such a table does not call its entries scenes, and has no columns for intentions or characters. Its markers are treated
like those of any timeline: a marker without a length lasts to the next one.
"""

from __future__ import annotations

import re
from fractions import Fraction

from scenefer.core.errors import SheetError
from scenefer.core.film import Film
from scenefer.core.timecode import exact_rate, frame_of, is_timecode, whole_hours
from scenefer.interchange.columns import SCENE_WORDS, Header, key_of
from scenefer.interchange.csv_rows import Table, cell_of, time_of
from scenefer.interchange.timelines.marks import Mark, Timeline

_NOT_THERE = ("intended", "character", "emotion")  # columns that only a sheet filled in by a person has


def is_marker_table(header: Header) -> bool:
    """Tell whether a table lists markers or clips rather than scenes."""
    columns = header.columns
    named = columns.get("scene", columns.get("note"))
    if "start" not in columns or named is None or any(name in columns for name in _NOT_THERE):
        return False
    return not any(key_of(name).startswith(SCENE_WORDS) for name in header.names)


def read_marker_table(path: str, film: Film, table: Table) -> Timeline:
    """Read the markers and clips of a table.

    Args:
        path: of its file, used in messages.

    Raises:
        SheetError: a time is invalid; the message has file, row, column and remedy.
    """
    tracks = next((place for place, name in enumerate(table.header.names) if key_of(name) == "v"), None)
    markers: list[Mark] = []
    clips: dict[int, list[Mark]] = {}
    starts: list[tuple[Fraction, str]] = []
    all_timecodes = True
    for number, cells in table.lines:
        shown = (
            re.fullmatch(r"V(\d{1,3})", cells[tracks].upper()) if tracks is not None and tracks < len(cells) else None
        )
        if tracks is not None and re.fullmatch(r"A\d{1,3}", cells[tracks].upper() if tracks < len(cells) else ""):
            continue  # sound
        mark, texts = _mark(path, film, table.header, number, cells)
        starts.append((mark.start, texts[0]))
        all_timecodes &= all(map(is_timecode, texts))
        if shown:
            clips.setdefault(int(shown[1]), []).append(mark)
        else:
            markers.append(mark)
    hours = whole_hours(min(starts)[1], film.frame_rate) if starts else 0.0
    return Timeline(markers, clips[min(clips)] if clips else [], hours=hours, counts_frames=all_timecodes)


def _mark(path: str, film: Film, header: Header, number: int, cells: list[str]) -> tuple[Mark, list[str]]:
    """Read a row; also return the texts of its times, start first."""

    def cell(role: str) -> str:
        return cell_of(cells, header.columns.get(role))

    def time(role: str) -> Fraction:
        text, column = cell(role), header.columns[role]
        try:
            if is_timecode(text):
                return frame_of(text, film.frame_rate) / exact_rate(film.frame_rate)
            return Fraction(time_of(text, column, film)).limit_denominator(1_000_000)
        except ValueError as error:
            raise SheetError(f"{path}, row {number}, column {column.name}: {text!r} is no time: {error}") from error

    start = time("start")
    end = time("end") if cell("end") else start + time("duration") if cell("duration") else start
    if end < start:
        raise SheetError(
            f"{path}, row {number}: the end {cell('end')!r} lies before the start {cell('start')!r}"
            "; correct one of them"
        )
    name, note = cell("scene"), cell("note")
    texts = [text for role in ("start", "end", "duration") if (text := cell(role))]
    return Mark(name or note, start, end, note if name else "", row=number), texts
