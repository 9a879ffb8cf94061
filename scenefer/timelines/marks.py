"""What a timeline says of a film, whatever program wrote it: markers and clips, and the scenes that follow from them.

Markers of the user's own say where scenes lie better than clips do, which are shots.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from fractions import Fraction
from math import inf
from typing import NamedTuple

from scenefer.intentions import parse_intention, write_intention
from scenefer.rows import MANY, Row

_INTENTION = re.compile(r"(.*\S)\s*\[([^\[\]]+)\]")  # rage [angry]


class Mark(NamedTuple):
    """A marker or a clip: seconds, exactly; a marker without a length ends where it begins."""

    name: str
    start: Fraction
    end: Fraction | float  # infinite: as far as the film goes
    note: str = ""


class Timeline(NamedTuple):
    """Markers and clips in one time, which counts from 0 or from where the timeline begins."""

    markers: list[Mark]
    clips: list[Mark]  # of the first video track, without gaps
    start: Fraction | None = None  # seconds; the time of its first frame, where it says so
    rate: Fraction | None = None  # frames a second, where it says so
    hours: float = 0.0  # seconds of its first time that are whole hours in its notation
    notices: tuple[str, ...] = ()


def notices_of_speed(n_markers: int) -> tuple[str, ...]:
    """Say how many markers lie on clips of another speed, through which their times are not followed."""
    return (f"markers on clips played at another speed, which may lie elsewhere: {n_markers}",) if n_markers else ()


def rows_of(timeline: Timeline, rate: Fraction, *, every_clip: bool) -> tuple[list[Row], list[str]]:
    """Make the scenes of a timeline: its markers that last, else from marker to marker, else its clips.

    A name may end with what the scene is meant to show: ``rage [angry]``, ``home [happy:0.6;neutral:0.4]``.

    Args:
        rate: frames a second of the film. A marker of one frame has no length: editors draw every marker so.
        every_clip: take clips even if there are more than ``MANY``.

    Returns:
        Rows in order of time, and what was left out, in sentences. The last row ends at infinity where the last marker
        has no clip behind it: it lasts to the end of the film.

    Raises:
        ValueError: there is neither a marker nor a clip, there are too many clips, or an intention is misspelt.
    """
    frame = 1 / (timeline.rate or rate)
    markers = sorted(dict.fromkeys(timeline.markers), key=lambda mark: (mark.start, mark.end))
    lasting = [mark for mark in markers if mark.end - mark.start > frame * Fraction(3, 2)]
    if lasting:
        left = len(markers) - len(lasting)
        notices = (
            [f"left out, since others last: {left} of {len(markers)} markers, which have no length"] if left else []
        )
        return _rows("marker", lasting, timeline.hours), notices
    if markers:
        return _rows("marker", _from_one_to_the_next(markers, timeline.clips, frame), timeline.hours), []
    if not timeline.clips:
        raise ValueError("it has neither markers nor clips on a video track")
    if len(timeline.clips) > MANY and not every_clip:
        raise ValueError(
            f"it has no markers and {len(timeline.clips):,} clips, which are shots rather than scenes; "
            "mark the scenes, or take every clip as one with --every-clip"
        )
    return _rows("clip", sorted(timeline.clips, key=lambda clip: clip.start), timeline.hours), []


def _from_one_to_the_next(markers: list[Mark], clips: list[Mark], frame: Fraction) -> list[Mark]:
    """Let every marker last to the next one, the last to the end; of markers at one place the first counts."""
    first = list({mark.start: mark for mark in reversed(markers)}.values())[::-1]
    end = max((clip.end for clip in clips), default=first[-1].start)
    if end < first[-1].start + 2 * frame:  # a list of markers has clips of one frame
        end = inf
    ends = [*(mark.start for mark in first[1:]), end]
    return [mark._replace(end=stop) for mark, stop in zip(first, ends, strict=True)]


def _rows(kind: str, marks: Iterable[Mark], hours: float) -> list[Row]:
    rows: list[Row] = []
    names: dict[str, int] = {}
    for number, mark in enumerate(marks, start=1):
        name, intended = _name_and_intention(f"{kind} {number}", " ".join(mark.name.split()))
        name = name or str(number)
        names[name] = names.get(name, 0) + 1
        if names[name] > 1:  # clips of one source, say; a sheet would take them for one scene
            name = f"{name} ({names[name]})"
        rows.append(
            Row(
                number=number,
                scene=name,
                start=float(mark.start),
                end=float(mark.end),
                hours=hours,
                intended=intended,
                note=mark.note or None,
                kind=kind,
                counts_frames=True,
            )
        )
    return rows


def _name_and_intention(place: str, text: str) -> tuple[str, str | None]:
    match = _INTENTION.fullmatch(text)
    if match is None:
        return text, None
    try:
        return match[1], write_intention(parse_intention(match[2])) or None
    except ValueError as error:
        if "did you mean" in str(error):
            raise ValueError(f"{place}, {text!r}: {error}") from error
        return text, None  # editors put other things in brackets too
