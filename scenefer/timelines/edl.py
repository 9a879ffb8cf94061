"""Edit decision lists, CMX 3600: events, and the markers that Avid and DaVinci Resolve write among them.

    003  AX       V     C        00:00:10:00 00:00:12:00 01:00:10:00 01:00:12:00
    * FROM CLIP NAME: A012C003.mov
    * LOC: 01:00:11:05 RED     argument begins
     |C:ResolveColorRed |M:argument |D:42

An event's last two times say where it lies in the film. OpenTimelineIO's adapter is not used: it passes over FCM, over
locators in drop-frame, and over where an event lies if its source has another length, silently each time.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction

from scenefer.timecode import exact_rate, frame_of, timecode_of, whole_hours
from scenefer.timelines.marks import Mark, Timeline

_TIME = r"(\d{1,3}[:;]\d\d[:;]\d\d[:;.,]\d{2,3})"
_EVENT = re.compile(
    rf"(\d+)\s+(.+?)\s+(\S+)\s+(C|D|W\d*|K(?:\s*[BO])?)(?:\s+\(F\))?(?:\s+[\d.]+)?"
    rf"\s+{_TIME}\s+{_TIME}\s+{_TIME}\s+{_TIME}"
)
_LOCATOR = re.compile(rf"\*?\s*LOC:?\s*{_TIME}\s*(\w*)\s*(.*)")
_RESOLVE = re.compile(r"(.*?)\s*\|C:(\S*)\s+\|M:(.*)\|D:(\d+)")
_NAME = re.compile(r"\*?\s*(?:FROM|TO) CLIP NAME:\s*(.*)")
_BLACK = ("BL", "BLACK")
_LONGEST_LINE = 2000  # characters; what is longer is no line of a list


@dataclass
class _Event:
    reel: str
    source: tuple[int | None, int | None]  # frames; None where it counts otherwise than the film
    record: tuple[int, int]
    day: int  # frames from midnight to midnight
    keyed: bool  # lies over the picture, as a title does
    name: str = ""


def read_edl(text: str, rate: Fraction) -> Timeline:
    """Read an edit decision list.

    Args:
        rate: frames a second of the film; the list does not say.

    Raises:
        ValueError: it is none, or a record time does not exist at this rate; the message names the line.
    """
    events: list[_Event] = []
    markers: list[Mark] = []
    track, drop, listening, n_lost, hours = None, False, False, 0, 0.0
    second = exact_rate(rate)  # in frames
    for number, line in enumerate(text.splitlines(), start=1):
        line = line.strip()[:_LONGEST_LINE]
        if line.startswith("FCM:"):
            drop = "NON" not in line.upper()
        elif match := _EVENT.fullmatch(line):
            shown = _track(match[3].upper())
            track = track or shown
            listening = shown is not None and shown == track
            if not listening:
                continue
            events.append(_event(match, rate, drop, number, before=events[-1].record[0] if events else 0))
            if len(events) == 1:
                hours = whole_hours(_written(match[7], drop), rate)
        elif listening and events:
            if name := _NAME.fullmatch(line):
                events[-1].name = name[1]  # of a dissolve, the later one: what is dissolved to
            elif locator := _LOCATOR.fullmatch(line):
                at = _in_film(_frame_if_any(locator[1], rate, drop), events)
                n_lost += at is None
                if at is not None:
                    markers.append(Mark(locator[3], at / second, at / second))
            elif marked := _RESOLVE.fullmatch(line):
                start = events[-1].record[0]
                end = start + int(marked[4])
                markers.append(Mark(marked[3].strip(), start / second, end / second, marked[1].strip("* ")))
    if not events:
        raise ValueError("it has no video event, like: 001  AX  V  C  " + " ".join(["00:00:00:00"] * 4))
    clips = [
        Mark(event.name, event.record[0] / second, event.record[1] / second)
        for event in events
        # The first line of a dissolve has no length, nor have the events of some lists of markers.
        if event.record[1] > event.record[0] and event.reel.upper() not in _BLACK and not event.keyed
    ]
    lost = [f"locators that lie neither in the film nor in the source of their event: {n_lost}"] if n_lost else []
    return Timeline(markers, clips, rate=second, hours=hours, notices=tuple(lost))


def write_edl(title: str, marks: list[Mark], colours: list[str], rate: Fraction, *, drop: bool) -> str:
    """Write an event a mark, and in it the marker as DaVinci Resolve imports it ("timeline markers from EDL").

    What stands before the first bar is the marker's note; Resolve takes comment lines (``*``) for notes too, so there
    are none. A note must not begin with a digit, lest it be read as an event.

    Args:
        colours: of the markers, as Resolve names them: Red, Yellow, Green, Blue …
        drop: count drop-frame.
    """
    lines = [f"TITLE: {_one_line(title)}", f"FCM: {'' if drop else 'NON-'}DROP FRAME", ""]
    for number, (mark, colour) in enumerate(zip(marks, colours, strict=True), start=1):
        start, end = (round(time * exact_rate(rate)) for time in (mark.start, mark.end))
        span = f"{timecode_of(start, rate, drop=drop)} {timecode_of(end, rate, drop=drop)}"
        note = _one_line(mark.note).replace("|", "/")  # bars part what belongs to the marker
        lines += [
            f"{number:03}  AX       V     C        {span} {span}",
            f" {note} |C:ResolveColor{colour} |M:{_one_line(mark.name)} |D:{end - start}",
            "",
        ]
    return "\n".join(lines)


def _track(channel: str) -> str | None:
    """Name the picture track of an event, None if it is sound: ``V``, ``B`` and ``AA/V`` are one, ``V2`` another."""
    if re.fullmatch(r"V([2-9]|[1-9]\d+)", channel):
        return channel
    shows = channel.startswith("V") or channel.endswith("/V") or channel in ("B", "NONE")
    return "V" if shows else None


def _event(match: re.Match[str], rate: Fraction, drop: bool, number: int, before: int) -> _Event:
    """Read an event; ``before`` is the frame of the film at which the one before it begins."""
    source = _frame_if_any(match[5], rate, drop), _frame_if_any(match[6], rate, drop)
    start, end = (_frame(match[k], rate, drop, number) for k in (7, 8))
    day = frame_of(_written("24:00:00:00", _drops(match[7], drop)), rate)
    start = _onwards(start, before, day)
    keyed = match[4].startswith("K") and not match[4].endswith("B")  # K B is the background of a key
    return _Event(match[2].strip(), source, (start, _onwards(end, start, day)), day, keyed)


def _drops(time: str, drop: bool) -> bool:
    return drop or re.search("[;.,]", time) is not None


def _written(time: str, drop: bool) -> str:
    """Write a time as ``timecode.py`` reads it: ``;`` where the list or its FCM says drop-frame."""
    *clock, frames = re.split("[:;.,]", time)
    return ":".join(clock) + (";" if _drops(time, drop) else ":") + frames


def _frame(time: str, rate: Fraction, drop: bool, number: int) -> int:
    try:
        return frame_of(_written(time, drop), rate)
    except ValueError as error:
        raise ValueError(f"line {number}, {_written(time, drop)!r} is no time: {error}") from error


def _frame_if_any(time: str, rate: Fraction, drop: bool) -> int | None:
    """Read a time that may be a source's; a source may count at a rate which neither the list nor the film says."""
    with suppress(ValueError):
        return frame_of(_written(time, drop), rate)
    return None


def _onwards(frame: int, before: int, day: int) -> int:
    """Add a day where a time jumps back by more than half of one: timecode begins anew at midnight."""
    return frame + day if before - frame > day / 2 else frame


def _in_film(frame: int | None, events: list[_Event]) -> int | None:
    """Place a locator: it counts as the film does, or as the source of its event; None where neither can be."""
    if frame is None:
        return None
    event, first = events[-1], events[0].record[0]
    at = _onwards(frame, first, event.day)
    if event.record[0] <= at <= event.record[1]:
        return at
    begin, end = event.source
    if begin is not None and end is not None and begin <= frame < end:
        return frame - begin + event.record[0]
    return at if first <= at < event.record[0] else None


def _one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
