"""OpenTimelineIO's own format and, by its adapter, the XML of Final Cut 7, which Premiere and Resolve write too."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from scenefer.timecode import exact_rate
from scenefer.timelines.marks import Mark, Timeline

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    import opentimelineio as otio

_DEEPEST = 100  # arrays and objects within each other; a timeline of clips has some ten


def read_otio(text: str) -> Timeline:
    """Read a timeline of OpenTimelineIO.

    Raises:
        ValueError: it is none, or holds several.
    """
    import opentimelineio as otio

    _check_depth(text)
    try:
        return _timeline(otio.adapters.read_from_string(text, "otio_json"))
    except otio.exceptions.OTIOError as error:
        raise ValueError(_first_line(error)) from error


def read_final_cut_7(root: Element) -> Timeline:
    """Read the one sequence of Final Cut 7 XML, whatever projects and bins it lies in.

    Raises:
        ValueError: it is none, or holds several.
    """
    from xml.etree import ElementTree

    import opentimelineio as otio

    inside = [inner for clip in root.iter("clipitem") for inner in clip.iter("sequence")]
    found = [sequence for sequence in root.iter("sequence") if sequence not in inside and len(sequence)]
    if len(found) != 1:
        names = ", ".join(sequence.findtext("name", "") for sequence in found)
        raise ValueError(f"it holds {len(found)} sequences ({names}); export the one that is meant")
    alone = ElementTree.Element("xmeml")  # the adapter looks for sequences in bins and at the top only
    alone.append(found[0])
    try:
        return _timeline(otio.adapters.read_from_string(ElementTree.tostring(alone, "unicode"), "fcp_xml"))
    # The adapter trusts what it reads: an absent or empty element ends in any of these.
    except (
        *(otio.exceptions.OTIOError, AttributeError, KeyError, IndexError, TypeError, ArithmeticError),
        RecursionError,
    ) as error:
        raise ValueError(f"an element is missing or misplaced ({_first_line(error)})") from error


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


def _check_depth(text: str) -> None:
    """Refuse what is no JSON, or nested so deep that OpenTimelineIO's reader, which is native code, would crash."""
    try:
        level = [json.loads(text)]
    except (ValueError, RecursionError) as error:
        raise ValueError(f"it is no JSON ({error})") from error
    for _ in range(_DEEPEST):
        level = [inner for outer in level for inner in _inside(outer)]
        if not level:
            return
    raise ValueError(f"it is nested more than {_DEEPEST} deep")


def _inside(value: Any) -> list[Any]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [entry for entry in inner if isinstance(entry, (dict, list))]


def _timeline(read: Any) -> Timeline:
    import opentimelineio as otio

    if isinstance(read, otio.schema.SerializableCollection):
        held = [entry for entry in read if isinstance(entry, otio.schema.Timeline)]
        if len(held) != 1:
            names = ", ".join(entry.name for entry in held)
            raise ValueError(f"it holds {len(held)} timelines ({names}); export the one that is meant")
        read = held[0]
    if not isinstance(read, otio.schema.Timeline):
        raise ValueError(f"it holds no timeline, but a {type(read).__name__}")
    start = read.global_start_time
    begin = Fraction(0) if start is None else _seconds(start)
    tracks = read.video_tracks()
    clips = [] if not tracks else _clips(tracks[0], read.tracks, begin)
    rate = start.rate if start is not None else tracks[0].duration().rate if clips else None
    return Timeline(
        _markers(read, begin),
        clips,
        start=None if start is None else begin,
        rate=None if rate is None or not rate > 0 else exact_rate(Fraction(rate).limit_denominator(100_000)),
    )


def _clips(track: otio.schema.Track, stack: otio.schema.Stack, begin: Fraction) -> list[Mark]:
    import opentimelineio as otio

    clips = []
    for item in track:
        if isinstance(item, otio.schema.Gap) or not isinstance(item, otio.core.Item) or not item.enabled:
            continue
        lies = item.transformed_time_range(item.trimmed_range(), stack)
        first = begin + _seconds(lies.start_time)
        clips.append(Mark(item.name, first, first + _seconds(lies.duration)))
    return clips


def _markers(timeline: otio.schema.Timeline, begin: Fraction) -> list[Mark]:
    """Collect the markers of the timeline; where it has none, those on its video tracks and on what is seen there."""
    import opentimelineio as otio

    own = [_mark(marker, marker.marked_range.start_time, begin) for marker in timeline.tracks.markers]
    if own:
        return own
    marks = []
    for track in timeline.video_tracks():
        for item in (track, *track.find_children(descended_from_type=otio.core.Item)):
            seen = item.trimmed_range() if item.markers else None
            for marker in item.markers:
                at = marker.marked_range.start_time
                if seen is not None and seen.contains(at):
                    marks.append(_mark(marker, item.transformed_time(at, timeline.tracks), begin))
    return marks


def _mark(marker: otio.schema.Marker, at: otio.opentime.RationalTime, begin: Fraction) -> Mark:
    first = begin + _seconds(at)
    note = marker.comment or marker.metadata.get("fcp_xml", {}).get("comment") or ""
    return Mark(marker.name, first, first + _seconds(marker.marked_range.duration), str(note))


def _seconds(time: otio.opentime.RationalTime) -> Fraction:
    """Return seconds as they are meant: rates are floats in these files, and 23.98 stands for 24000/1001."""
    if not time.rate > 0 or time.value != time.value or abs(time.value) == float("inf"):
        raise ValueError(f"{time.value:g} at {time.rate:g} frames a second is no time")
    rate = exact_rate(Fraction(time.rate).limit_denominator(100_000))
    return Fraction(time.value).limit_denominator(1000) / rate


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
