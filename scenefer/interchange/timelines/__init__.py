"""Read timelines of editing programs as scenes: EDL, OpenTimelineIO, Final Cut 7 XML and FCPXML.

marks.py    markers and clips, whatever program wrote them, and the scenes that follow
edl.py      CMX 3600, read and written
otio.py     OpenTimelineIO, read and written; Final Cut 7 XML
fcpxml.py   FCPXML
final_cut.py   FCPXML and Final Cut 7 XML, written
xml.py      which of the two XMLs it is
avid.py     markers of Avid, as text
marker_tables.py   markers and clips that Premiere and Resolve export as CSV

``list_formats``, next to this package, registers them by name.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from scenefer.core.errors import SheetError
from scenefer.core.registry import imported
from scenefer.core.text import printable
from scenefer.interchange.decoding import read_text
from scenefer.interchange.list_formats import LISTS, form_of, readable, suffixes
from scenefer.interchange.timelines.marker_tables import is_marker_table, read_marker_table
from scenefer.interchange.timelines.marks import Mark, Timeline, rows_of

__all__ = [
    "Mark",
    "Timeline",
    "file_of",
    "is_marker_table",
    "load",
    "parse_timeline",
    "read_marker_table",
    "read_timeline",
    "rows_of",
]  # fmt: skip


def load(path: Path) -> tuple[str, list[str]]:
    """Read the text of a list; an ``.fcpxmld`` may be a folder that contains the timeline.

    Raises:
        SheetError: as ``decoding.read_text``.
    """
    is_timeline = path.suffix.casefold() in suffixes()
    remedy = "export it again as UTF-8 text" if is_timeline else 'save it as "CSV UTF-8"'
    return read_text(file_of(path), remedy)


def file_of(path: Path) -> Path:
    """Return the file of a list: itself, or the timeline inside an ``.fcpxmld`` folder."""
    return path / "Info.fcpxml" if path.suffix.casefold() == ".fcpxmld" and path.is_dir() else path


def read_timeline(path: Path, rate: Fraction) -> Timeline:
    """Read a timeline from its file, see ``parse_timeline``."""
    text, notices = load(path)
    timeline = parse_timeline(path, text, rate)
    return timeline._replace(notices=(*notices, *timeline.notices))


def parse_timeline(path: Path, text: str, rate: Fraction) -> Timeline:
    """Read the text of a timeline.

    Args:
        path: of its file, for messages; its suffix decides if the format cannot be recognised from the text.
        rate: frames per second of the film, for lists that do not state their own.

    Raises:
        SheetError: one line with the file and what is wrong with it, e.g. XML that declares entities, which is not
            parsed.
    """
    form = form_of(path, text)
    if form is None:
        raise SheetError(f"{printable(path)} is no timeline; {readable()}")
    try:
        return imported(LISTS.find(form).read)(text, rate)
    except ValueError as error:
        named = path.suffix[1:] if path.suffix.casefold() in suffixes() else form
        others = "" if str(error).startswith("line ") else f"; {readable()}"  # a line's error: the format is right
        raise SheetError(f"{printable(path)} cannot be read as {named.upper()}: {error}{others}") from error
