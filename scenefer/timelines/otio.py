"""OpenTimelineIO's own format, read and written, and the XML of Final Cut 7, which Premiere and Resolve write too.

The format is JSON, and is read as such: the library's reader is native code that ends the process where a value is of
another type than it expects. The library writes it, and its adapter reads the XML, in Python.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from fractions import Fraction
from math import isfinite
from typing import TYPE_CHECKING, Any, TypeVar

from scenefer.timecode import exact_rate
from scenefer.timelines.marks import Mark, Timeline, notices_of_speed

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    import opentimelineio as otio

_T = TypeVar("_T")
_Object = dict[str, Any]


def read_otio(text: str) -> Timeline:
    """Read a timeline of OpenTimelineIO.

    Raises:
        ValueError: it is none, or holds several, or a value in it is missing or misplaced.
    """
    try:
        read = json.loads(text)
        held = [read] if _schema(read) == "Timeline" else [one for one in _children(read) if _schema(one) == "Timeline"]
        if len(held) != 1:
            names = ", ".join(str(one.get("name")) for one in held)
            raise ValueError(f"it holds {len(held)} timelines ({names}); export the one that is meant")
        return _timeline(held[0])
    except json.JSONDecodeError as error:
        raise ValueError(f"it is no JSON ({error})") from error
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error


def read_final_cut_7(root: Element) -> Timeline:
    """Read the one sequence of Final Cut 7 XML, whatever projects and bins it lies in.

    Raises:
        ValueError: it is none, or holds several.
    """
    from xml.etree import ElementTree

    import opentimelineio as otio

    found = [*_sequences(root)]
    if len(found) != 1:
        names = ", ".join(sequence.findtext("name", "") for sequence in found)
        raise ValueError(f"it holds {len(found)} sequences ({names}); export the one that is meant")
    alone = ElementTree.Element("xmeml")  # the adapter looks for sequences in bins and at the top only
    alone.append(found[0])
    try:
        read = otio.adapters.read_from_string(ElementTree.tostring(alone, "unicode"), "fcp_xml")
        text = otio.adapters.write_to_string(read, "otio_json")
    # The adapter trusts what it reads: an absent or empty element ends in any of these.
    except (
        *(otio.exceptions.OTIOError, AttributeError, KeyError, IndexError, TypeError, ArithmeticError),
        RecursionError,
    ) as error:
        why = str(error).strip().partition("\n")[0] or type(error).__name__
        raise ValueError(f"an element is missing or misplaced ({why})") from error
    return read_otio(text)


def _sequences(root: Element) -> Iterator[Element]:
    """Yield the sequences that are not clips of another one, in order."""
    waiting = [root]
    while waiting:
        element = waiting.pop()
        if element.tag == "sequence" and len(element):  # an empty one refers to another by its id
            yield element
        elif element.tag not in ("sequence", "clipitem"):
            waiting.extend(reversed(element))


def write_otio(
    title: str, source: str, marks: list[Mark], colours: list[str], rate: Fraction, start: Fraction, length: Fraction
) -> str:
    """Write a timeline with a clip a mark, gaps between, and the marks once more as markers of the timeline.

    Args:
        source: URL of the film, from which the clips are cut.
        colours: of the markers, as OpenTimelineIO names them: RED, YELLOW, GREEN, CYAN …
        start: seconds; the film's timecode. The marks count from there.
        length: seconds of film.
    """
    import opentimelineio as otio

    at = otio.opentime.RationalTime
    fps = float(exact_rate(rate))

    def span(begin: Fraction, end: Fraction | float) -> otio.opentime.TimeRange:
        first, last = (round(time * exact_rate(rate)) for time in (begin, end))
        return otio.opentime.TimeRange(at(first, fps), at(last - first, fps))

    timeline = otio.schema.Timeline(title, global_start_time=span(start, start).start_time)
    track = otio.schema.Track("V1", kind=otio.schema.TrackKind.Video)
    media = otio.schema.ExternalReference(source, available_range=span(start, start + length))
    reached: Fraction | float = start
    for mark, colour in zip(marks, colours, strict=True):
        if mark.start > reached:
            track.append(otio.schema.Gap(source_range=span(Fraction(0), mark.start - reached)))
        track.append(otio.schema.Clip(mark.name, media.clone(), span(mark.start, mark.end)))
        reached = mark.end
        marked = otio.schema.Marker(mark.name, span(mark.start - start, mark.end - start), colour)
        marked.comment = mark.note
        timeline.tracks.markers.append(marked)
    timeline.tracks.append(track)
    return otio.adapters.write_to_string(timeline, "otio_json")


def _timeline(read: _Object) -> Timeline:
    start = read.get("global_start_time")
    begin = Fraction(0) if start is None else _seconds(start)
    stack = _get(read, "tracks", dict, {})
    video = [track for track in _children(stack) if _schema(track) == "Track" and track.get("kind") == "Video"]
    rate = None if start is None else _rate(start)
    clips = [
        Mark(_text(item, "name"), begin + at, begin + at + _length(item))
        for item, at in (_placed(video[0]) if video else ())
        if _schema(item) in ("Clip", "Stack", "Track") and item.get("enabled", True)
    ]
    markers, n_retimed = _markers(stack, video, begin)
    first = None if start is None else begin
    return Timeline(markers, clips, start=first, rate=rate, notices=notices_of_speed(n_retimed))


def _markers(stack: _Object, video: list[_Object], begin: Fraction) -> tuple[list[Mark], int]:
    """Collect the markers of the timeline; where it has none, those on its video tracks and on what is seen there.

    Returns:
        The markers, and how many of them lie on clips of another speed.
    """
    own = [_mark(marker, begin) for marker in _get(stack, "markers", list, [])]
    if own:
        return own, 0
    marks, n_retimed = [], 0
    for track in video:
        for item, at in ((track, Fraction(0)), *_placed(track)):
            first, last = _first(item), _first(item) + _length(item)
            for marker in _get(item, "markers", list, []):
                mark = _mark(marker, begin + at - first)
                if first <= mark.start - begin - at + first < last:  # what is cut off is not seen
                    marks.append(mark)
                    n_retimed += _is_retimed(item)
    return marks, n_retimed


def _is_retimed(item: _Object) -> bool:
    effects = [one for one in _get(item, "effects", list, []) if _schema(one) in ("LinearTimeWarp", "FreezeFrame")]
    return any(effect.get("time_scalar", 1) != 1 for effect in effects)


def _mark(marker: _Object, begin: Fraction) -> Mark:
    span = _get(marker, "marked_range", dict, {})
    first = begin + _seconds(_get(span, "start_time", dict, {}))
    note = _text(marker, "comment") or _text(_get(_get(marker, "metadata", dict, {}), "fcp_xml", dict, {}), "comment")
    return Mark(_text(marker, "name"), first, first + _seconds(_get(span, "duration", dict, {})), note)


def _placed(track: _Object) -> Iterator[tuple[_Object, Fraction]]:
    """Yield what follows on a track and where it begins, in seconds from where the track is first seen."""
    at = -_first(track)
    for item in _children(track):
        if _schema(item) == "Transition":  # lies over what is beside it
            continue
        yield item, at
        at += _length(item)


def _length(item: _Object) -> Fraction:
    """Return how long an item is seen, in seconds."""
    span = _span(item)
    if span is not None:
        return _seconds(_get(span, "duration", dict, {}))
    parts = [_length(part) for part in _children(item) if _schema(part) != "Transition"]
    return sum(parts, Fraction(0)) if _schema(item) == "Track" else max(parts, default=Fraction(0))


def _first(item: _Object) -> Fraction:
    """Return what time of its own an item is first seen at, in seconds."""
    span = _span(item)
    return Fraction(0) if span is None else _seconds(_get(span, "start_time", dict, {}))


def _span(item: _Object) -> _Object | None:
    """Find what is seen of an item: as it is cut, or else all that its medium has."""
    if item.get("source_range") is not None:
        return _get(item, "source_range", dict, {})
    media = _get(item, "media_references", dict, {}).get(_text(item, "active_media_reference_key") or "DEFAULT_MEDIA")
    media = media if isinstance(media, dict) else _get(item, "media_reference", dict, {})
    return media.get("available_range") if isinstance(media.get("available_range"), dict) else None


def _children(item: Any) -> list[_Object]:
    children = _get(item, "children", list, []) if isinstance(item, dict) else []
    if not all(isinstance(child, dict) for child in children):
        raise ValueError("children holds something that is no object")
    return children


def _schema(item: Any) -> str:
    return _text(item, "OTIO_SCHEMA").partition(".")[0] if isinstance(item, dict) else ""


def _text(item: _Object, name: str) -> str:
    # JSON can escape half a character, as a name has that was cut in the middle of an emoji.
    return _get(item, name, str, "").encode("utf-8", "replace").decode()


def _get(item: Any, name: str, kind: type[_T], default: _T) -> _T:
    if not isinstance(item, dict):
        raise ValueError(f"{name} is asked of something that is no object")
    value = item.get(name)
    if value is not None and not isinstance(value, kind):
        raise ValueError(f"{name} is {str(value)[:40]!r}")
    return default if value is None else value


def _rate(time: _Object) -> Fraction:
    """Return frames a second as they are meant: rates are floats in this format, and 23.98 stands for 24000/1001."""
    rate = time.get("rate") if isinstance(time, dict) else None
    if not isinstance(rate, (int, float)) or not 0 < rate < 1e6:
        raise ValueError(f"{str(rate)[:40]!r} is no rate")
    return exact_rate(Fraction(rate).limit_denominator(100_000))


def _seconds(time: _Object) -> Fraction:
    value = time.get("value") if isinstance(time, dict) else None
    if not isinstance(value, (int, float)) or not isfinite(value) or abs(value) > 1e12:
        raise ValueError(f"{str(value)[:40]!r} is no time")
    return Fraction(value).limit_denominator(1000) / _rate(time)
