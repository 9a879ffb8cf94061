"""FCPXML, as Final Cut Pro and DaVinci Resolve write it: times are rational seconds, so nothing is rounded.

OpenTimelineIO's adapter is not used: it counts 23.976 frames a second as 23 and 29.97 as 29, and cuts off fractions.

Every element has a time of its own, which begins at its ``start``; ``offset`` says where that begins in its parent's.
https://developer.apple.com/documentation/professional-video-applications/describing-final-cut-pro-items-in-fcpxml
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING

from scenefer.timecode import exact_rate
from scenefer.timelines.marks import Mark, Timeline, notices_of_speed

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_SECONDS = re.compile(r"(-?\d{1,18}(?:\.\d{1,9})?)(?:/(\d{1,18}))?s?")
_MARKERS = ("marker", "chapter-marker")
_STORY = ("asset-clip", "clip", "video", "title", "ref-clip", "sync-clip", "mc-clip", "audition")
_SILENT = ("gap", "transition")
_DEEPEST = 50  # elements within each other; editors nest a handful


def read_fcpxml(root: Element) -> Timeline:
    """Read the one project of an FCPXML document: the clips of its primary storyline, and all visible markers.

    Raises:
        ValueError: there is no project, or several; a time is none; or elements lie too deep in each other.
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
    markers: list[Mark] = []
    at = start
    for item in items:
        begin = _seconds(item.get("offset", "")) + shift if item.get("offset") else at
        length = _length(item, assets)
        if item.tag in _STORY:
            clips.append(Mark(_name(item), begin, begin + length))
        if item.tag != "transition":  # lies over the clips beside it
            at = begin + length
            markers += _markers(item, begin, length, assets)
    notices = notices_of_speed(_on_retimed(sequence))
    return Timeline(markers, clips, start=start, rate=_rate(root, sequence), notices=notices)


def _on_retimed(sequence: Element) -> int:
    """Count the markers below clips with a ``timeMap``."""
    retimed = (item for item in sequence.iter() if item.find("timeMap") is not None)
    return len({marker for item in retimed for marker in item.iter() if marker.tag in _MARKERS})


def _markers(
    item: Element, begin: Fraction, length: Fraction, assets: Mapping[str | None, Element], depth: int = 0
) -> Iterator[Mark]:
    """Yield the markers on an element that begins at ``begin``, and on those connected to it."""
    if depth > _DEEPEST:
        raise ValueError(f"elements lie more than {_DEEPEST} deep in each other")
    item = _seen(item)
    origin = begin - _seconds(item.get("start", "0s"))
    for child in item:
        if child.tag in _MARKERS:
            at = origin + _seconds(child.get("start", "0s"))
            if begin <= at < begin + length:
                lasts = _seconds(child.get("duration", "0s"))
                yield Mark(child.get("value", ""), at, at + lasts, child.get("note", ""))
        elif child.get("lane"):
            where = origin + _seconds(child.get("offset", "0s"))
            for inner in child if child.tag == "spine" else (child,):
                own = where + _seconds(inner.get("offset", "0s")) if inner is not child else where
                yield from _markers(inner, own, _length(inner, assets), assets, depth + 1)


def _length(item: Element, assets: Mapping[str | None, Element]) -> Fraction:
    """Return how long an element is seen: as it says, or else as long as its asset is."""
    seen = _seen(item)
    own = seen.get("duration")
    if own is None and seen.get("ref") in assets:
        own = assets[seen.get("ref")].get("duration")
    return _seconds(own or "0s")


def _seen(item: Element) -> Element:
    return next(iter(item), item) if item.tag == "audition" else item  # of takes on trial, the first


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
