"""Text formats of scene lists, other than tables, that editing programs write; recognised by content or suffix."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from scenefer.core.errors import SheetError
from scenefer.core.registry import Registry, imported

if TYPE_CHECKING:
    from scenefer.interchange.timelines.marks import Timeline


class ListFormat(NamedTuple):
    """A text format of timelines, markers or scenes.

    ``read(text, rate)`` returns a ``timelines.marks.Timeline``, whose markers may end with an intention, like ``rage
    [angry]``; it raises ValueError if the text is damaged. ``rate`` is the film's, frames per second. ``is_one(text)``
    recognises the format by its content, whatever the file's name; without it, only the suffix counts. Both may be
    given as ``"module:function"``.
    """

    title: str  # in messages
    read: str | Callable[[str, Fraction], Timeline]
    is_one: str | Callable[[str], bool] | None = None
    suffixes: tuple[str, ...] = ()  # lower case, with the dot


# Formats are tried in this order.
LISTS: Registry[ListFormat] = Registry("format of scene lists", SheetError, "scenefer.scene_lists", ListFormat)
_HERE = "scenefer.interchange.timelines"
LISTS.add(
    "xml",
    ListFormat(
        "Final Cut 7 XML, FCPXML", f"{_HERE}.xml:read_xml", f"{_HERE}.xml:is_xml", (".xml", ".fcpxml", ".fcpxmld")
    ),
)
LISTS.add("otio", ListFormat("OTIO", f"{_HERE}.otio:read_otio", f"{_HERE}.otio:is_otio", (".otio",)))
LISTS.add("edl", ListFormat("EDL", f"{_HERE}.edl:read_edl", f"{_HERE}.edl:is_edl", (".edl",)))
LISTS.add("avid", ListFormat("markers of Avid (text)", f"{_HERE}.avid:read_avid", f"{_HERE}.avid:is_avid"))


def form_of(path: Path, text: str) -> str | None:
    """Return the format of a text, by content or else by the file's suffix; None for a table."""
    for name, form in _all().items():
        if form.is_one is not None and imported(form.is_one)(text):
            return name
    suffix = path.suffix.casefold()
    return next((name for name, form in _all().items() if suffix in form.suffixes), None)


def suffixes() -> tuple[str, ...]:
    """List the suffixes of all formats, except those of tables."""
    return tuple(suffix for form in _all().values() for suffix in form.suffixes)


def readable() -> str:
    """Describe which lists can be read, for messages."""
    return (
        "lists that are read: CSV or .xlsx with the columns scene,start,end or scene,start,duration, as PySceneDetect "
        "writes them, or as Premiere and Resolve export markers; "
        f"{', '.join(form.title for form in _all().values())}"
    )


def _all() -> dict[str, ListFormat]:
    """Return the formats by name: those added here first, then those of other packages."""
    added = list(LISTS)
    return {name: LISTS[name] for name in (*added, *(name for name in LISTS.names() if name not in added))}
