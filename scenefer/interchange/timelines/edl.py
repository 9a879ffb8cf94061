"""Edit decision lists (CMX 3600): events, and the markers that Avid and DaVinci Resolve add to them.

    003  AX       V     C        00:00:10:00 00:00:12:00 01:00:10:00 01:00:12:00
    * FROM CLIP NAME: A012C003.mov
    * LOC: 01:00:11:05 RED     argument begins
     |C:ResolveColorRed |M:argument |D:42

An event's last two times are its position in the film. OpenTimelineIO's adapter is not used, because it silently
ignores FCM, drop-frame locators, and an event's position if its source has a different length.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from scenefer.core.timecode import can_drop, exact_rate, frame_of, timecode_of, whole_hours
from scenefer.interchange.scene_row import one_line
from scenefer.interchange.timelines.marks import Mark, Timeline

_TIME = r"(\d{1,3}[:;]\d\d[:;]\d\d[:;.,]\d{2,3})"
_EVENT = re.compile(
    rf"(\d+)\s+(.+?)\s+(\S+)\s+(C|D|W\d*|K(?:\s*[BO])?)(?:\s+\(F\))?(?:\s+[\d.]+)?"
    rf"\s+{_TIME}\s+{_TIME}\s+{_TIME}\s+{_TIME}"
)
_LOCATOR = re.compile(rf"\*?\s*LOC:?\s*{_TIME}\s*(\w*)\s*(.*)")
_RESOLVE = re.compile(r"(.*?)\s*\|C:(\S*)\s+\|M:(.*)\|D:(\d+)")
_NAME = re.compile(r"\*?\s*(?:FROM|TO) CLIP NAME:\s*(.*)")
# PySceneDetect writes clock time plus the frames since the last full second: at 23.976 and 29.97 frames per second, an
# hour of it is 3.6 s ahead of timecode.
_WALL_CLOCK = "* CREATED WITH PYSCENEDETECT"
_CLOCK = re.compile(r"(\d\d):(\d\d):(\d\d):(\d\d)")
_BLACK = ("BL", "BLACK")
_AMONG = 50  # lines checked to recognise the format; a title and comments come first
_LONGEST_LINE = 2000  # characters; longer lines are not part of a list


@dataclass
class _Event:
    track: str | None  # V, V2 …; None = sound
    reel: str
    source: tuple[int | None, int | None]  # frames; None if its times do not exist at the film's rate
    record: tuple[int, int]
    day: int  # frames from midnight to midnight
    keyed: bool  # overlaid on the picture, like a title
    hours: float  # the whole hours of its first record time, in its own notation, as seconds
    name: str = ""

    def is_clip(self) -> bool:
        """Tell whether it shows a picture: a dissolve's first line, and markers in some lists, have no length."""
        return (
            self.track is not None
            and self.record[1] > self.record[0]
            and self.reel.upper() not in _BLACK
            and not self.keyed
        )


@dataclass
class _Locator:
    name: str
    frame: int | None  # None = not a valid time at the film's rate
    event: _Event | None  # the event it follows


def is_edl(text: str) -> bool:
    """Tell whether a text is an edit decision list, whatever its file name: is there an event in its first lines?"""
    lines = (line.strip()[:_LONGEST_LINE] for line in text.splitlines()[:_AMONG])
    return any(_EVENT.fullmatch(line) for line in lines)


def read_edl(text: str, rate: Fraction) -> Timeline:
    """Read an edit decision list.

    Args:
        rate: frames per second of the film; the list does not state it.

    Raises:
        ValueError: it is not an EDL, or a record time does not exist at this rate; the message names the line.
    """
    events: list[_Event] = []
    locators: list[_Locator] = []
    markers: list[Mark] = []
    drop, n_impossible = False, 0
    second = exact_rate(rate)  # in frames
    if text[:_LONGEST_LINE].lstrip().startswith(_WALL_CLOCK):
        text = _CLOCK.sub(lambda match: _counted(match, rate), text)
    for number, line in enumerate(text.splitlines(), start=1):
        line = line.strip()[:_LONGEST_LINE]
        last = events[-1] if events else None
        if line.startswith("FCM:"):
            drop = "NON" not in line.upper()
            n_impossible += drop and not can_drop(second)
            drop = drop and can_drop(second)
        elif match := _EVENT.fullmatch(line):
            events += _event(match, rate, drop, number, before=last.record[0] if last else 0)
        elif locator := _LOCATOR.fullmatch(line):
            locators.append(_Locator(locator[3], _frame_if_any(locator[1], rate, drop), last))
        elif last and (name := _NAME.fullmatch(line)):
            last.name = name[1]  # for a dissolve, keep the later name: the clip that is dissolved to
        elif last and (marked := _RESOLVE.fullmatch(line)):
            start = last.record[0]
            end = start + int(marked[4])
            markers.append(Mark(marked[3].strip(), start / second, end / second, marked[1].strip("* ")))
    if not any(event.track for event in events):
        raise ValueError("it has no video event, like: 001  AX  V  C  " + " ".join(["00:00:00:00"] * 4))
    begin, end = min(event.record[0] for event in events), max(event.record[1] for event in events)
    placed = [(locator.name, _in_film(locator, begin, end, events[0].day)) for locator in locators]
    markers += [Mark(name, at / second, at / second) for name, at in placed if at is not None]
    n_lost = sum(at is None for _, at in placed)
    tracks = sorted({event.track for event in events if event.track and event.is_clip()}, key=_height)
    clips = [
        Mark(event.name, event.record[0] / second, event.record[1] / second)
        for event in events
        if event.is_clip() and event.track == tracks[0]
    ]
    first = min(events, key=lambda event: event.record[0])
    lost = [f"locators that lie neither in the film nor in the source of their event: {n_lost}"] if n_lost else []
    if n_impossible:
        lost.append(
            f"FCM says drop-frame, which does not exist at {float(second):.5g} frames a second; it was passed over"
        )
    return Timeline(markers, clips, rate=second, hours=first.hours, notices=tuple(lost))


def write_edl(title: str, marks: list[Mark], colours: list[str], rate: Fraction, *, drop: bool) -> str:
    """Write one event per mark, with its marker as DaVinci Resolve imports it ("timeline markers from EDL").

    The text before the first bar is the marker's note. Comment lines (``*``) are not written, because Resolve takes
    them as notes too. A note must not start with a digit, or it would be read as an event.

    Args:
        colours: of the markers, with Resolve's names: Red, Yellow, Green, Blue …
        drop: write drop-frame timecode.
    """
    lines = [f"TITLE: {one_line(title)}", f"FCM: {'' if drop else 'NON-'}DROP FRAME", ""]
    for number, (mark, colour) in enumerate(zip(marks, colours, strict=True), start=1):
        start, end = (round(time * exact_rate(rate)) for time in (mark.start, mark.end))
        span = f"{timecode_of(start, rate, drop=drop)} {timecode_of(end, rate, drop=drop)}"
        note = one_line(mark.note).replace("|", "/")  # bars separate the fields of the marker
        lines += [
            f"{number:03}  AX       V     C        {span} {span}",
            f" {note} |C:ResolveColor{colour} |M:{one_line(mark.name)} |D:{end - start}",
            "",
        ]
    return "\n".join(lines)


def _track(channel: str) -> str | None:
    """Return the video track of an event, None for sound: ``V``, ``B`` and ``AA/V`` are one track, ``V2`` another."""
    if re.fullmatch(r"V([2-9]|[1-9]\d+)", channel):
        return channel
    shows = channel.startswith("V") or channel.endswith("/V") or channel in ("B", "NONE")
    return "V" if shows else None


def _counted(clock: re.Match[str], rate: Fraction) -> str:
    """Convert clock time plus the frames since the last full second to the timecode of that frame."""
    hours, minutes, seconds, frames = (int(part) for part in clock.groups())
    return timecode_of(ceil((hours * 3600 + minutes * 60 + seconds) * exact_rate(rate) + frames), rate)


def _height(track: str) -> int:
    return int(track[1:] or 1)


def _event(match: re.Match[str], rate: Fraction, drop: bool, number: int, before: int) -> list[_Event]:
    """Read an event; ``before`` is the film frame at which the previous event starts.

    Returns:
        The event in a list; empty for sound whose times do not exist at the film's rate.
    """
    track = _track(match[3].upper())
    if track is None and None in (_frame_if_any(match[k], rate, drop) for k in (7, 8)):
        return []
    source = _frame_if_any(match[5], rate, drop), _frame_if_any(match[6], rate, drop)
    start, end = (_frame(match[k], rate, drop, number) for k in (7, 8))
    day = frame_of(_written("24:00:00:00", _drops(match[7], drop)), rate)
    start = _onwards(start, before, day)
    keyed = match[4].startswith("K") and not match[4].endswith("B")  # K B is the background of a key
    hours = whole_hours(_written(match[7], drop), rate)
    return [_Event(track, match[2].strip(), source, (start, _onwards(end, start, day)), day, keyed, hours)]


def _drops(time: str, drop: bool) -> bool:
    return drop or re.search("[;.,]", time) is not None


def _written(time: str, drop: bool) -> str:
    """Rewrite a time for ``core/timecode.py``: with ``;`` if the time itself or the FCM says drop-frame."""
    *clock, frames = re.split("[:;.,]", time)
    return ":".join(clock) + (";" if _drops(time, drop) else ":") + frames


def _frame(time: str, rate: Fraction, drop: bool, number: int) -> int:
    try:
        return frame_of(_written(time, drop), rate)
    except ValueError as error:
        raise ValueError(f"line {number}, {_written(time, drop)!r} is no time: {error}") from error


def _frame_if_any(time: str, rate: Fraction, drop: bool) -> int | None:
    """Parse a time that may belong to a source, which may use a rate that neither the list nor the film states."""
    with suppress(ValueError):
        return frame_of(_written(time, drop), rate)
    return None


def _onwards(frame: int, before: int, day: int) -> int:
    """Add a day if a time jumps back by more than half a day: timecode restarts at midnight."""
    return frame + day if before - frame > day / 2 else frame


def _in_film(locator: _Locator, begin: int, end: int, day: int) -> int | None:
    """Return a locator's film frame, from film time or from the time of its event's source; None if neither fits.

    Args:
        begin, end: frames of the film that the events span; ``day``: frames from midnight to midnight.
    """
    if locator.frame is None:
        return None
    at, event = _onwards(locator.frame, begin, day), locator.event
    if event is not None and not event.record[0] <= at <= event.record[1]:
        first, last = event.source
        if first is not None and last is not None and first <= locator.frame < last:
            return locator.frame - first + event.record[0]
    return at if begin <= at <= end else None
