"""Markers exported by Avid Media Composer: text with one marker per line, tab-separated, without column names.

    Anna    01:00:02:00    V1    red    rage [angry]    1

Fields: author, time, track, colour, comment, and length in frames.
"""

from __future__ import annotations

import re
from fractions import Fraction

from scenefer.core.timecode import exact_rate, frame_of, is_timecode, whole_hours
from scenefer.interchange.timelines.marks import Mark, Timeline

_TRACK = re.compile(r"(?:V|A|D|DC|EC|ES|ME|TC)\d*", re.IGNORECASE)
_AMONG = 50  # number of lines checked to recognise the format


def is_avid(text: str) -> bool:
    """Tell from its first lines whether a text is a list of Avid markers."""
    lines = [line.split("\t") for line in text.splitlines()[:_AMONG] if line.strip()]
    return bool(lines) and all(_is_marker(cells) for cells in lines)


def read_avid(text: str, rate: Fraction) -> Timeline:
    """Read Avid markers.

    Args:
        rate: frames per second of the film; the list does not state it.

    Raises:
        ValueError: a line is not a marker, or its time does not exist at this rate; the message names the line.
    """
    second = exact_rate(rate)
    markers, first = [], ""
    for number, line in enumerate(text.splitlines(), start=1):
        cells = [cell.strip() for cell in line.split("\t")]
        if not any(cells):
            continue
        if not _is_marker(cells):
            raise ValueError(f"line {number} is no marker, like: Anna\\t01:00:02:00\\tV1\\tred\\trage\\t1")
        try:
            start = frame_of(cells[1], rate)
        except ValueError as error:
            raise ValueError(f"line {number}, {cells[1]!r} is no time: {error}") from error
        length = int(cells[5]) if len(cells) > 5 and re.fullmatch(r"\d{1,9}", cells[5]) else 1
        markers.append(Mark(cells[4], start / second, (start + length) / second, row=number))
        first = min(first or cells[1], cells[1])
    return Timeline(markers, [], rate=second, hours=whole_hours(first, rate))


def _is_marker(cells: list[str]) -> bool:
    return len(cells) >= 5 and is_timecode(cells[1]) and _TRACK.fullmatch(cells[2].strip()) is not None
