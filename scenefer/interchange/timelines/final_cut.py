"""Write markers for Final Cut Pro (FCPXML) and for programs that read Final Cut 7 XML: Premiere Pro, Resolve, Avid.

Both contain one sequence with the whole film and one marker per scene. Times are exact: rational seconds in FCPXML, and
in the other format frames at a rate that is an integer or an integer times 1000/1001.

https://developer.apple.com/documentation/professional-video-applications/fcpxml-reference
https://developer.apple.com/library/archive/documentation/AppleApplications/Reference/FinalCutPro_XML (version 5)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple
from xml.etree import ElementTree as ET

from scenefer.core.timecode import exact_rate, timecode_of
from scenefer.interchange.scene_row import one_line
from scenefer.interchange.timelines.marks import Mark

# Markers in Final Cut Pro have only two such colours: red for to-do, green for completed.
_COMPLETED: Mapping[str, str] = {"Red": "0", "Yellow": "0", "Green": "1"}


class Footage(NamedTuple):
    """The film that the markers belong to."""

    title: str
    url: str
    rate: Fraction  # frames per second
    begin: int  # number of its first frame by its timecode
    frames: int  # its length in frames
    size: tuple[int, int]  # px, width and height as displayed
    drop: bool  # whether its timecode is drop-frame


def write_fcpxml(footage: Footage, marks: Sequence[Mark], colours: Sequence[str]) -> str:
    """Write an FCPXML 1.9 document, which Final Cut Pro 10.4.9 and later, and DaVinci Resolve, read.

    Args:
        marks: at the film's timecode.
        colours: of the markers, with Resolve's names; Red and Yellow become to-do markers, Green completed ones.
    """
    rate = exact_rate(footage.rate)
    width, height = (str(side) for side in footage.size)

    def seconds(frames: int) -> str:
        time = frames / rate
        return f"{time.numerator}/{time.denominator}s" if time.denominator > 1 else f"{time.numerator}s"

    span = {"start": seconds(footage.begin), "duration": seconds(footage.frames)}
    counted = {"format": "r1", "tcFormat": "DF" if footage.drop else "NDF"}
    root = ET.Element("fcpxml", version="1.9")
    resources = ET.SubElement(root, "resources")
    ET.SubElement(resources, "format", id="r1", frameDuration=seconds(1), width=width, height=height)
    told = {"name": footage.title, **span}
    asset = ET.SubElement(resources, "asset", {"id": "r2", "hasVideo": "1", "format": "r1", **told})
    ET.SubElement(asset, "media-rep", kind="original-media", src=footage.url)
    event = ET.SubElement(ET.SubElement(root, "library"), "event", name="scenefer")
    project = ET.SubElement(event, "project", name=footage.title)
    sequence = ET.SubElement(project, "sequence", {"duration": span["duration"], "tcStart": span["start"], **counted})
    spine = ET.SubElement(sequence, "spine")
    clip = ET.SubElement(spine, "asset-clip", {"ref": "r2", "offset": span["start"], **told, **counted})
    for mark, colour in zip(marks, colours, strict=True):
        first, last = (round(time * rate) for time in (mark.start, mark.end))
        place = {"start": seconds(first), "duration": seconds(last - first)}
        said = {"value": one_line(mark.name), "note": one_line(mark.note)}
        done = {"completed": _COMPLETED[colour]} if colour in _COMPLETED else {}
        ET.SubElement(clip, "marker", place | said | done)
    return _document(root, "fcpxml")


def write_final_cut_7(footage: Footage, marks: Sequence[Mark]) -> str:
    """Write Final Cut 7's XML, version 5; its markers have no colour.

    Args:
        marks: at the film's timecode.
    """
    rate = exact_rate(footage.rate)
    root = ET.Element("xmeml", version="5")
    sequence = ET.SubElement(root, "sequence", id="sequence-1")
    length = str(footage.frames)
    _put(sequence, name=footage.title, duration=length)
    _add_rate(sequence, rate)
    _add_timecode(sequence, footage)
    video = ET.SubElement(ET.SubElement(sequence, "media"), "video")
    look = ET.SubElement(ET.SubElement(video, "format"), "samplecharacteristics")
    _put(look, width=str(footage.size[0]), height=str(footage.size[1]))
    _add_rate(look, rate)
    clip = ET.SubElement(ET.SubElement(video, "track"), "clipitem", id="clipitem-1")
    _put(clip, name=footage.title, duration=length)
    _add_rate(clip, rate)
    _put(clip, **{"start": "0", "end": length, "in": "0", "out": length})
    file = ET.SubElement(clip, "file", id="file-1")
    _put(file, name=footage.title, pathurl=footage.url)
    _add_rate(file, rate)
    _put(file, duration=length)
    _add_timecode(file, footage)
    _put(ET.SubElement(ET.SubElement(file, "media"), "video"), duration=length)
    for mark in marks:
        first, last = (round(time * rate) - footage.begin for time in (mark.start, mark.end))
        marker = ET.SubElement(sequence, "marker")
        said = {"comment": one_line(mark.note), "name": one_line(mark.name)}
        _put(marker, **said, **{"in": str(first), "out": str(last)})
    return _document(root, "xmeml")


def _add_rate(parent: ET.Element, rate: Fraction) -> None:
    timebase = round(rate)
    _put(ET.SubElement(parent, "rate"), timebase=str(timebase), ntsc=str(rate != timebase).upper())


def _add_timecode(parent: ET.Element, footage: Footage) -> None:
    rate = exact_rate(footage.rate)
    code = ET.SubElement(parent, "timecode")
    _add_rate(code, rate)
    words = timecode_of(footage.begin, rate, drop=footage.drop)
    _put(code, string=words, frame=str(footage.begin), displayformat="DF" if footage.drop else "NDF")


def _put(parent: ET.Element, **values: str) -> None:
    for tag, text in values.items():
        ET.SubElement(parent, tag).text = text


def _document(root: ET.Element, doctype: str) -> str:
    ET.indent(root, " ")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE {doctype}>\n{ET.tostring(root, "unicode")}\n'
