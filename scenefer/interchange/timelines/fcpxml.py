"""FCPXML from Final Cut Pro and DaVinci Resolve: times are rational seconds, so nothing is rounded.

OpenTimelineIO's adapter is not used: it truncates frame rates (23.976 to 23, 29.97 to 29) and fractions.

Every element has its own time, which begins at its ``start``; ``offset`` is the position of that start in the parent's
time.
https://developer.apple.com/documentation/professional-video-applications/describing-final-cut-pro-items-in-fcpxml
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING

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

_SECONDS = re.compile(r"(-?\d{1,18}(?:\.\d{1,9})?)(?:/(\d{1,18}))?s?")
_MARKERS = ("marker", "chapter-marker")
_STORY = ("asset-clip", "clip", "video", "title", "ref-clip", "sync-clip", "mc-clip", "audition")
_SILENT = ("gap", "transition")
_DEEPEST = 50  # nesting depth of elements; editing programs nest only a few levels


def read_fcpxml(root: Element) -> Timeline:
    """Read the one project of an FCPXML document: the clips of its primary storyline, and all visible markers.

    Raises:
        ValueError: there is no project, or several; a time is invalid; or elements are nested too deeply.
    """
    sequences = [*root.iterfind(".//project/sequence")] or [*root.iterfind(".//sequence")]
    if len(sequences) != 1:
        names = [project.get("name", "") for project in root.iterfind(".//project")]
        raise ValueError(f"it holds {len(sequences)} projects ({', '.join(names)}); export the one that is meant")
    (sequence,) = sequences
    start = _seconds(sequence.get("tcStart", "0s"))
    spine = sequence.find("spine")
    items = [] if spine is None else [item for item in spine if item.tag in (*_STORY, *_SILENT)]
    # A storyline counts from the sequence's timecode; some programs count it from 0.
    counted = [_seconds(item.get("offset", "0s")) for item in items if item.get("offset")]
    shift = start if counted and counted[0] < start else Fraction(0)
    assets = {asset.get("id"): asset for asset in root.iterfind("./resources/asset")}
    clips: list[Mark] = []
    found = _Found(assets)
    at = start
    for item in items:
        begin = _seconds(item.get("offset", "")) + shift if item.get("offset") else at
        length = found.length(item)
        if item.tag in _STORY and _is_enabled(item):
            clips.append(Mark(_name(item), begin, begin + length))
        if item.tag != "transition":  # a transition overlaps its neighbours
            at = begin + length
            found.look(item, begin, length)
    above = [lane for lane in found.lanes if lane > 0]
    if not clips and above:  # the storyline is a gap, and the clips are connected to it
        clips = found.lanes[min(above)]
    notices = (
        *notices_of_disabled(0, found.n_disabled_clips, found.n_disabled),
        *notices_of_unseen(found.n_unseen),
        *notices_of_speed(_on_retimed(sequence)),
    )
    return Timeline(found.markers, clips, start=start, rate=_rate(root, sequence), notices=notices)


def _on_retimed(sequence: Element) -> int:
    """Count the markers below clips with a ``timeMap``."""
    retimed = (item for item in sequence.iter() if item.find("timeMap") is not None)
    return len({marker for item in retimed for marker in item.iter() if marker.tag in _MARKERS})


class _Found:
    """The markers on elements and on connected elements, the connected clips, and counts of what is left out."""

    def __init__(self, assets: Mapping[str | None, Element]) -> None:
        self._assets = assets
        self.markers: list[Mark] = []
        self.lanes: dict[int, list[Mark]] = {}
        self.n_unseen = self.n_disabled = self.n_disabled_clips = 0

    def look(self, item: Element, begin: Fraction, length: Fraction, lane: int = 0, depth: int = 0) -> None:
        """Collect from an element at ``begin``, and from connected elements, which are shown even if it is disabled."""
        if depth > _DEEPEST:
            raise ValueError(f"elements lie more than {_DEEPEST} deep in each other")
        enabled = _is_enabled(item)
        self.n_disabled_clips += item.tag in _STORY and not enabled
        if lane and item.tag in _STORY and enabled:
            self.lanes.setdefault(lane, []).append(Mark(_name(item), begin, begin + length))
        item = _seen(item)
        origin = begin - _seconds(item.get("start", "0s"))
        for child in item:
            if child.tag in _MARKERS:
                self._mark(child, origin, begin, begin + length, enabled)
            elif child.get("lane"):
                where = origin + _seconds(child.get("offset", "0s"))
                over = lane or _lane(child)
                for inner in child if child.tag == "spine" else (child,):
                    own = where + _seconds(inner.get("offset", "0s")) if inner is not child else where
                    self.look(inner, own, self.length(inner), over, depth + 1)

    def _mark(self, marker: Element, origin: Fraction, begin: Fraction, end: Fraction, enabled: bool) -> None:
        at = origin + _seconds(marker.get("start", "0s"))
        self.n_disabled += not enabled
        self.n_unseen += enabled and not begin <= at < end
        if enabled and begin <= at < end:
            lasts = _seconds(marker.get("duration", "0s"))
            self.markers.append(Mark(marker.get("value", ""), at, at + lasts, marker.get("note", "")))

    def length(self, item: Element) -> Fraction:
        """Return the visible duration of an element: its own if stated, else its asset's."""
        seen = _seen(item)
        own = seen.get("duration")
        if own is None and seen.get("ref") in self._assets:
            own = self._assets[seen.get("ref")].get("duration")
        return _seconds(own or "0s")


def _is_enabled(item: Element) -> bool:
    return item.get("enabled", "1") != "0" and _seen(item).get("enabled", "1") != "0"


def _lane(item: Element) -> int:
    text = item.get("lane", "")
    return int(text) if re.fullmatch(r"-?\d{1,4}", text) else 0


def _seen(item: Element) -> Element:
    return next(iter(item), item) if item.tag == "audition" else item  # of alternative takes, the first is shown


def _name(item: Element) -> str:
    return item.get("name") or next((child.get("name", "") for child in item if child.get("name")), "")


def _rate(root: Element, sequence: Element) -> Fraction | None:
    for format_ in root.iterfind("./resources/format"):
        if format_.get("id") == sequence.get("format") and format_.get("frameDuration"):
            frame = _seconds(format_.get("frameDuration", ""))
            return exact_rate(1 / frame) if frame > 0 else None
    return None


def _seconds(text: str) -> Fraction:
    match = _SECONDS.fullmatch(text.strip())
    if match is None or (match[2] and not int(match[2])):
        raise ValueError(f"{text!r} is no time of FCPXML, like 1001/24000s")
    return Fraction(match[1]) / int(match[2] or 1)
