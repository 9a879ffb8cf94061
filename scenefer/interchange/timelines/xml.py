"""XML of editing programs: detect whether a text is Final Cut 7 XML or FCPXML, and read it."""

from __future__ import annotations

from fractions import Fraction
from xml.etree import ElementTree

from scenefer.interchange.timelines.fcpxml import read_fcpxml
from scenefer.interchange.timelines.marks import Timeline
from scenefer.interchange.timelines.otio import read_final_cut_7


def is_xml(text: str) -> bool:
    """Tell whether a text is XML."""
    return text[:200].lstrip().startswith("<")


def read_xml(text: str, _rate: Fraction | None = None) -> Timeline:
    """Read the XML of Final Cut 7 or of Final Cut Pro, which state their rate.

    Raises:
        ValueError: it is neither of them, declares entities, or is damaged.
    """
    if "<!ENTITY" in text:  # entities can expand exponentially or read other files
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
