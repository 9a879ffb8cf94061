"""Timelines of editing programs, read as scenes: EDL, OpenTimelineIO, Final Cut 7 XML and FCPXML.

marks.py    markers and clips, whatever program wrote them, and the scenes that follow
edl.py      CMX 3600, read and written
otio.py     OpenTimelineIO, read and written; Final Cut 7 XML
fcpxml.py   FCPXML
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from scenefer.errors import SheetError
from scenefer.rows import read_text
from scenefer.timelines.edl import read_edl
from scenefer.timelines.fcpxml import read_fcpxml
from scenefer.timelines.marks import Mark, Timeline, rows_of
from scenefer.timelines.otio import read_final_cut_7, read_otio

__all__ = ["SUFFIXES", "Mark", "Timeline", "read_timeline", "rows_of"]

SUFFIXES = (".edl", ".otio", ".xml", ".fcpxml", ".fcpxmld")


def read_timeline(path: Path, rate: Fraction) -> Timeline:
    """Read a timeline by the suffix of its file; an ``.fcpxmld`` is a folder with the timeline in it.

    Args:
        rate: frames a second of the film, for lists that do not say theirs.

    Raises:
        SheetError: one line; the file, and what is wrong with it. Nothing over 20 MB and no XML that declares
            entities is parsed.
    """
    suffix = path.suffix.casefold()
    inside = path / "Info.fcpxml" if suffix == ".fcpxmld" and path.is_dir() else path
    text = read_text(inside, "export it again as UTF-8 text")
    try:
        if suffix == ".edl":
            return read_edl(text, rate)
        if suffix == ".otio":
            return read_otio(text)
        return _read_xml(text)
    except ValueError as error:
        raise SheetError(f"{path} cannot be read as {suffix[1:].upper()}: {error}") from error


def _read_xml(text: str) -> Timeline:
    from xml.etree import ElementTree

    if "<!ENTITY" in text:  # entities that grow exponentially, or that name other files
        raise ValueError("it declares entities, which no editing program does")
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise ValueError(f"it is no XML ({error})") from error
    if root.tag == "fcpxml":
        return read_fcpxml(root)
    if root.tag == "xmeml":
        return read_final_cut_7(root)
    raise ValueError(f"its root is <{root.tag}>; Final Cut 7 writes <xmeml>, Final Cut Pro <fcpxml>")
