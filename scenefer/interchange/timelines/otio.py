"""Read and write OpenTimelineIO's own format, and read Final Cut 7 XML, which Premiere and Resolve write too.

The format is parsed here as plain JSON, because the library's reader is native code that aborts the process if a value
has an unexpected type. The library is used for writing, and its adapter, which is pure Python, for reading the XML.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from fractions import Fraction
from math import isfinite
from typing import TYPE_CHECKING, Any, TypeVar
from xml.etree import ElementTree

from scenefer.core.timecode import exact_rate
from scenefer.interchange.timelines.marks import (
    Mark,
    Timeline,
    notices_of_disabled,
    notices_of_speed,
    notices_of_unseen,
)

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    import opentimelineio as otio

_T = TypeVar("_T")
_Object = dict[str, Any]


def is_otio(text: str) -> bool:
    """Tell whether a text is OpenTimelineIO JSON."""
    return text[:200].lstrip().startswith("{") and "OTIO_SCHEMA" in text


def read_otio(text: str, _rate: Fraction | None = None) -> Timeline:
    """Read an OpenTimelineIO timeline, which states its own rate.

    Raises:
        ValueError: it is not a timeline, contains several, or has a missing or misplaced value.
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
    """Read the only sequence of Final Cut 7 XML, in whatever projects and bins it is.

    Raises:
        ValueError: there is no sequence, or there are several.
    """
    import opentimelineio as otio

    found = [*_sequences(root)]
    if len(found) != 1:
        names = ", ".join(sequence.findtext("name", "") for sequence in found)
        raise ValueError(f"it holds {len(found)} sequences ({names}); export the one that is meant")
    alone = ElementTree.Element("xmeml")  # the adapter finds sequences only in bins and at the top level
    alone.append(found[0])
    try:
        read = otio.adapters.read_from_string(ElementTree.tostring(alone, "unicode"), "fcp_xml")
        text = otio.adapters.write_to_string(read, "otio_json")
    # The adapter does not validate its input: a missing or empty element can raise any of these.
    except (
        *(otio.exceptions.OTIOError, AttributeError, KeyError, IndexError, TypeError, ArithmeticError),
        RecursionError,
    ) as error:
        why = str(error).strip().partition("\n")[0] or type(error).__name__
        raise ValueError(f"an element is missing or misplaced ({why})") from error
    return read_otio(text)


def _sequences(root: Element) -> Iterator[Element]:
    """Yield the sequences that are not nested in another one as clips, in order."""
    waiting = [root]
    while waiting:
        element = waiting.pop()
        if element.tag == "sequence" and len(element):  # an empty one is a reference to another by id
            yield element
        elif element.tag not in ("sequence", "clipitem"):
            waiting.extend(reversed(element))


def write_otio(
    title: str, source: str, marks: list[Mark], colours: list[str], rate: Fraction, start: Fraction, length: Fraction
) -> str:
    """Write a timeline with one clip per mark, gaps in between, and the marks also as markers of the timeline.

    Args:
        source: URL of the film that the clips refer to.
        colours: of the markers, with OpenTimelineIO's names: RED, YELLOW, GREEN, CYAN …
        start: the film's timecode at its first frame, in seconds; marks are in this time.
        length: of the film, seconds.
    """
    import opentimelineio as otio

    rate, fps = exact_rate(rate), float(exact_rate(rate))

    def span(first: int, last: int) -> otio.opentime.TimeRange:
        at = otio.opentime.RationalTime
        return otio.opentime.TimeRange(at(first, fps), at(last - first, fps))

    begin = round(start * rate)
    timeline = otio.schema.Timeline(title, global_start_time=span(begin, begin).start_time)
    track = otio.schema.Track("V1", kind=otio.schema.TrackKind.Video)
    media = otio.schema.ExternalReference(source, available_range=span(begin, round((start + length) * rate)))
    reached = begin
    for mark, colour in zip(marks, colours, strict=True):
        first, last = round(mark.start * rate), round(mark.end * rate)
        marked = otio.schema.Marker(mark.name, span(first - begin, last - begin), colour)
        marked.comment = mark.note
        timeline.tracks.markers.append(marked)
        first = max(first, reached)  # a scene shorter than a frame, marked as one, must not shift the next clips
        if first > reached:
            track.append(otio.schema.Gap(source_range=span(0, first - reached)))
        if last > first:
            track.append(otio.schema.Clip(mark.name, media.clone(), span(first, last)))
        reached = max(first, last)
    timeline.tracks.append(track)
    return otio.adapters.write_to_string(timeline, "otio_json")


def _timeline(read: _Object) -> Timeline:
    start = read.get("global_start_time")
    begin = Fraction(0) if start is None else _seconds(start)
    stack = _get(read, "tracks", dict, {})
    tracks = [track for track in _children(stack) if _schema(track) == "Track"]
    video = [track for track in tracks if track.get("kind") == "Video"]
    rate = None if start is None else _rate(start)
    clips = next(filter(None, (_clips(track, begin) for track in video)), [])
    sound = [track for track in tracks if track.get("kind") != "Video"]
    markers, notices = _markers(stack, [*video, *sound], begin)
    first = None if start is None else begin
    return Timeline(markers, clips, start=first, rate=rate, notices=notices)


def _clips(track: _Object, begin: Fraction) -> list[Mark]:
    """List the enabled clips of a track; empty if the track is disabled."""
    return [
        Mark(_text(item, "name"), begin + at, begin + at + _length(item))
        for item, at in (_placed(track) if _is_enabled(track) else ())
        if _is_clip(item) and _is_enabled(item)
    ]


def _is_clip(item: _Object) -> bool:
    return _schema(item) in ("Clip", "Stack", "Track")


def _is_enabled(item: _Object) -> bool:
    """Tell whether a clip or track is enabled; the Final Cut 7 XML adapter keeps this in the metadata."""
    return item.get("enabled", True) is not False and _of_final_cut(item, "enabled").upper() != "FALSE"


def _of_final_cut(item: _Object, name: str) -> str:
    return _text(_get(_get(item, "metadata", dict, {}), "fcp_xml", dict, {}), name)


def _markers(stack: _Object, tracks: list[_Object], begin: Fraction) -> tuple[list[Mark], tuple[str, ...]]:
    """Collect the markers of the timeline; if it has none, those on its tracks and on the visible parts of their items.

    Returns:
        The markers, and notices about markers that were left out.
    """
    seen: list[Mark] = []
    n_tracks = n_clips = n_disabled = n_unseen = n_retimed = 0
    for track in tracks:
        shown, is_video = _is_enabled(track), track.get("kind") == "Video"
        n_tracks += is_video and not shown
        for item, at in ((track, Fraction(0)), *_placed(track)):
            enabled = shown and _is_enabled(item)
            n_clips += is_video and shown and not enabled and item is not track
            first, last = _first(item), _first(item) + _length(item)
            for marker in _get(item, "markers", list, []):
                mark = _mark(marker, begin + at - first)
                inside = first <= mark.start - begin - at + first < last
                n_disabled += not enabled
                n_unseen += enabled and not inside
                if enabled and inside:
                    seen.append(mark)
                    n_retimed += _is_retimed(item)
    disabled = notices_of_disabled(n_tracks, n_clips, n_disabled)
    own = [_mark(marker, begin) for marker in _get(stack, "markers", list, [])]
    if own:
        beside = len(set(seen) - set(own))
        said = (f"left out, since the timeline has markers of its own: {beside} on clips",) if beside else ()
        return own, (*notices_of_disabled(n_tracks, n_clips, 0), *said)
    return seen, (*disabled, *notices_of_unseen(n_unseen), *notices_of_speed(n_retimed))


def _is_retimed(item: _Object) -> bool:
    effects = [one for one in _get(item, "effects", list, []) if _schema(one) in ("LinearTimeWarp", "FreezeFrame")]
    return any(effect.get("time_scalar", 1) != 1 for effect in effects)


def _mark(marker: _Object, begin: Fraction) -> Mark:
    span = _get(marker, "marked_range", dict, {})
    first = begin + _seconds(_get(span, "start_time", dict, {}))
    note = _text(marker, "comment") or _of_final_cut(marker, "comment")
    return Mark(_text(marker, "name"), first, first + _seconds(_get(span, "duration", dict, {})), note)


def _placed(track: _Object) -> Iterator[tuple[_Object, Fraction]]:
    """Yield the items of a track with their start, in seconds from the visible start of the track."""
    at = -_first(track)
    for item in _children(track):
        if _schema(item) == "Transition":  # a transition overlaps its neighbours
            continue
        yield item, at
        at += _length(item)


def _length(item: _Object) -> Fraction:
    """Return the visible duration of an item, in seconds."""
    span = _span(item)
    if span is not None:
        return _seconds(_get(span, "duration", dict, {}))
    parts = [_length(part) for part in _children(item) if _schema(part) != "Transition"]
    return sum(parts, Fraction(0)) if _schema(item) == "Track" else max(parts, default=Fraction(0))


def _first(item: _Object) -> Fraction:
    """Return the time, in an item's own time, at which it is first visible, in seconds."""
    span = _span(item)
    return Fraction(0) if span is None else _seconds(_get(span, "start_time", dict, {}))


def _span(item: _Object) -> _Object | None:
    """Return the visible range of an item: its source range, or else the available range of its media."""
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
    # JSON may contain half a surrogate pair, for example if a name was cut in the middle of an emoji.
    return _get(item, name, str, "").encode("utf-8", "replace").decode()


def _get(item: Any, name: str, kind: type[_T], default: _T) -> _T:
    if not isinstance(item, dict):
        raise ValueError(f"{name} is asked of something that is no object")
    value = item.get(name)
    if value is not None and not isinstance(value, kind):
        raise ValueError(f"{name} is {str(value)[:40]!r}")
    return default if value is None else value


def _rate(time: _Object) -> Fraction:
    """Return the exact rate in frames per second: in this format rates are floats, and 23.98 stands for 24000/1001."""
    rate = time.get("rate") if isinstance(time, dict) else None
    if not isinstance(rate, (int, float)) or not 0 < rate < 1e6:
        raise ValueError(f"{str(rate)[:40]!r} is no rate")
    return exact_rate(Fraction(rate).limit_denominator(100_000))


def _seconds(time: _Object) -> Fraction:
    value = time.get("value") if isinstance(time, dict) else None
    if not isinstance(value, (int, float)) or not isfinite(value) or abs(value) > 1e12:
        raise ValueError(f"{str(value)[:40]!r} is no time")
    return Fraction(value).limit_denominator(1000) / _rate(time)
