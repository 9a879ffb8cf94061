"""The common form of timelines from all programs: markers and clips, and the scenes made from them.

Markers set by the user are a better source of scenes than clips, which are shots.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from fractions import Fraction
from math import inf
from typing import NamedTuple

from scenefer.comparison.intentions import Vocabulary
from scenefer.interchange.scene_row import MANY, Row, one_line

_INTENTION = re.compile(r"(.*?)\s*\[([^\[\]]+)\]")  # rage [angry]


class Mark(NamedTuple):
    """A marker or a clip, in exact seconds; a marker without a length ends where it starts."""

    name: str
    start: Fraction
    end: Fraction | float  # infinite = to the end of the film
    note: str = ""
    row: int = 0  # row in its table; 0 = not from a table


class Timeline(NamedTuple):
    """Markers and clips in a common time, which starts at 0 or at the timeline's start."""

    markers: list[Mark]
    clips: list[Mark]  # of the lowest non-empty video track, without gaps
    start: Fraction | None = None  # time of its first frame in seconds, if stated
    rate: Fraction | None = None  # frames per second, if stated
    hours: float = 0.0  # the whole hours of its first time, in its own notation, as seconds
    counts_frames: bool = True  # its times are timecodes, or so exact
    notices: tuple[str, ...] = ()


def notices_of_disabled(n_tracks: int, n_clips: int, n_markers: int) -> tuple[str, ...]:
    """Describe the disabled items that are left out, because the editing program does not show them."""
    counts = {"track": n_tracks, "clip": n_clips, "marker": n_markers}
    said = [_many(n, name) for name, n in counts.items() if n]
    return (f"disabled, and left out: {', '.join(said)}",) if said else ()


def notices_of_unseen(n_markers: int) -> tuple[str, ...]:
    """Describe how many markers are on trimmed parts of their clips."""
    if n_markers == 1:
        return ("left out, since it lies outside what is seen of its clip: 1 marker",)
    return (f"left out, since they lie outside what is seen of their clips: {n_markers} markers",) if n_markers else ()


def _many(n: int, name: str) -> str:
    return f"{n} {name}{'s' * (n != 1)}"


def notices_of_speed(n_markers: int) -> tuple[str, ...]:
    """Describe how many markers are on retimed clips, for which their times are not converted."""
    return (f"markers on clips played at another speed, which may lie elsewhere: {n_markers}",) if n_markers else ()


def rows_of(
    timeline: Timeline, rate: Fraction, vocabulary: Vocabulary, *, every_clip: bool
) -> tuple[list[Row], list[str]]:
    """Make the scenes of a timeline: from markers with a length, else from marker to marker, else from clips.

    A name may end with the scene's intention: ``rage [angry]``, ``home [happy:0.6;neutral:0.4]``. Bracketed text that
    is not an emotion stays part of the name.

    Args:
        rate: frames per second of the film. A marker of one frame counts as having no length, because editing programs
            give every marker one frame.
        every_clip: accept clips even if there are more than ``MANY``.

    Returns:
        Rows in order of time, and notices about what was left out. If no clip continues after the last marker, the last
        row ends at infinity, i.e. at the end of the film.

    Raises:
        ValueError: there is neither a marker nor a clip, or there are too many clips.
    """
    frame = 1 / (timeline.rate or rate)
    markers = sorted(dict.fromkeys(timeline.markers), key=lambda mark: (mark.start, mark.end))
    lasting = [mark for mark in markers if mark.end - mark.start > frame * Fraction(3, 2)]
    if lasting:
        left = len(markers) - len(lasting)
        notices = (
            [f"left out, since others last: {left} of {len(markers)} markers, which have no length"] if left else []
        )
        return _rows("marker", lasting, timeline, vocabulary), notices
    if markers:
        following = _from_one_to_the_next(markers, timeline.clips, frame)
        return _rows("marker", following, timeline, vocabulary), []
    if not timeline.clips:
        raise ValueError("it has neither markers nor clips on a video track")
    if len(timeline.clips) > MANY and not every_clip:
        raise ValueError(
            f"it has no markers and {len(timeline.clips):,} clips, which are shots rather than scenes; "
            "mark the scenes, or take every clip as one with --every-clip"
        )
    clips = sorted(timeline.clips, key=lambda clip: clip.start)
    return _rows("clip", clips, timeline, vocabulary), []


def _from_one_to_the_next(markers: list[Mark], clips: list[Mark], frame: Fraction) -> list[Mark]:
    """Extend every marker to the next one, the last one to the end; of markers at the same time, keep the first."""
    first = list({mark.start: mark for mark in reversed(markers)}.values())[::-1]
    end = max((clip.end for clip in clips), default=first[-1].start)
    if end < first[-1].start + 2 * frame:  # a mere list of markers has one-frame clips
        end = inf
    ends = [*(mark.start for mark in first[1:]), end]
    return [mark._replace(end=stop) for mark, stop in zip(first, ends, strict=True)]


def _rows(kind: str, marks: Iterable[Mark], timeline: Timeline, vocabulary: Vocabulary) -> list[Row]:
    rows: list[Row] = []
    names: dict[str, int] = {}
    for number, mark in enumerate(marks, start=1):
        name, intended = _name_and_intention(one_line(mark.name), vocabulary)
        name = name or str(number)
        names[name] = names.get(name, 0) + 1
        if names[name] > 1:  # e.g. clips of one source; with equal names, a sheet would treat them as one scene
            name = f"{name} ({names[name]})"
        rows.append(
            Row(
                number=mark.row or number,
                scene=name,
                start=float(mark.start),
                end=float(mark.end),
                hours=timeline.hours,
                intended=intended,
                note=mark.note or None,
                kind="row" if mark.row else kind,
                counts_frames=timeline.counts_frames,
            )
        )
    return rows


def _name_and_intention(text: str, vocabulary: Vocabulary) -> tuple[str, str | None]:
    match = _INTENTION.fullmatch(text)
    intended = vocabulary.read_bracket(match[2]) if match else None
    # People also put other things in brackets.
    return (match[1], intended) if match and intended else (text, None)
