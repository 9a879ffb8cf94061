"""Read what a file's header declares, before ffmpeg opens the file and allocates memory for it.

An MP4 of five kilobytes can declare thirty million frames of one size. ffmpeg would make an index entry for each, which
takes 2 GB and 13 s (measured). This module reads only the heads of MP4 boxes (ISO/IEC 14496-12) and AVI chunks, a few
hundred bytes.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

MOST_FRAMES = 100_000_000  # a film of 24 days at 48 frames a second

_FIRST = frozenset({b"ftyp", b"styp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"})  # boxes that begin an MP4
_OUTER = frozenset({b"moov", b"trak", b"mdia", b"minf", b"stbl", b"moof", b"traf"})
_LISTS = frozenset({b"RIFF", b"LIST"})
_MOST_PARTS = 20_000  # boxes to read at most; an hour in fragments of two seconds has fewer
_HEAD = 96  # bytes to read of each part
UNKNOWN = frozenset({0x4000_0000, 0xFFFF_FFFF})  # frame count placeholders in an AVI that was written through a pipe


class Declared(NamedTuple):
    """Picture sizes and frame counts that a header declares; empty for other kinds of files."""

    sizes: frozenset[tuple[int, int]]  # width and height, pixels
    n_frames: int  # the largest number of frames of a video track or fragment
    n_entries: int  # the largest number of samples, including sound, of at least one byte each


def declared(path: Path) -> Declared:
    """Read what the header of an MP4 or an AVI declares.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(12)
        size = os.fstat(file.fileno()).st_size
        if head[:4] == b"RIFF" and head[8:] == b"AVI ":
            return _of_avi(_chunks(file, size))
        if head[4:8] in _FIRST:
            return _of_mp4(_boxes(file, 0, size, iter(range(_MOST_PARTS))))
        return Declared(frozenset(), 0, 0)


def _boxes(file: BinaryIO, start: int, end: int, allowed: Iterator[int]) -> Iterator[tuple[bytes, bytes]]:
    """Yield kind and first bytes of the boxes in a byte range, descending into container boxes."""
    while start + 8 <= end and next(allowed, None) is not None:
        file.seek(start)
        head = file.read(_HEAD)
        if len(head) < 8:
            return
        length, kind, skip = struct.unpack_from(">I", head)[0], head[4:8], 8
        if length == 1 and len(head) >= 16:
            length, skip = struct.unpack_from(">Q", head, 8)[0], 16
        # A box whose length is 0 or too large extends to the end of its parent.
        stop = start + length if skip <= length <= end - start else end
        if kind in _OUTER:
            yield from _boxes(file, start + skip, stop, allowed)
        else:
            yield kind, head[skip:]
        start = stop


def _of_mp4(boxes: Iterator[tuple[bytes, bytes]]) -> Declared:
    sizes: set[tuple[int, int]] = set()
    n_frames = n_entries = 0
    track = b""
    for kind, content in boxes:
        if kind == b"hdlr" and content[4:8] != b"dhlr":  # QuickTime has one for the track and one for the data
            track = content[8:12]
        elif kind == b"stsd" and track == b"vide" and len(content) >= 44:
            sizes.add(struct.unpack_from(">HH", content, 40))  # of the first entry
        elif (kind == b"stsz" and len(content) >= 12) or (kind == b"trun" and len(content) >= 8):
            number = struct.unpack_from(">I", content, 8 if kind == b"stsz" else 4)[0]
            # QuickTime states 1 byte per sample for fixed-size sound even if it is compressed, so do not count that.
            if track == b"vide" or kind == b"trun" or struct.unpack_from(">I", content, 4)[0] == 0:
                n_entries = max(n_entries, number)
            if track == b"vide":
                n_frames = max(n_frames, number)
    return Declared(frozenset(sizes), n_frames, n_entries)


def _chunks(file: BinaryIO, end: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield kind and first bytes of the chunks in an AVI's header lists; stop where the frames begin."""
    start = 0
    for _ in range(_MOST_PARTS):
        file.seek(start)
        head = file.read(_HEAD)
        if start + 8 > end or len(head) < 12 or head[8:12] == b"movi":
            return
        yield head[:4], head[8:]
        length = struct.unpack_from("<I", head, 4)[0]
        # Descend into lists, skip other chunks; chunks begin at even offsets.
        start += 12 if head[:4] in _LISTS else 8 + length + length % 2


def _of_avi(chunks: Iterator[tuple[bytes, bytes]]) -> Declared:
    sizes: set[tuple[int, int]] = set()
    n_frames = 0
    track = b""
    for kind, content in chunks:
        if kind == b"avih" and len(content) >= 40:
            sizes.add(struct.unpack_from("<II", content, 32))
            n_frames = max(n_frames, struct.unpack_from("<I", content, 16)[0])
        elif kind == b"strh" and len(content) >= 36:
            track = content[:4]
            number = struct.unpack_from("<I", content, 32)[0]
            if track == b"vids" and number not in UNKNOWN:
                n_frames = max(n_frames, number)
        elif kind == b"strf" and track == b"vids" and len(content) >= 12:
            width, height = struct.unpack_from("<ii", content, 4)
            sizes.add((abs(width), abs(height)))  # a negative height means rows from the top
    return Declared(frozenset(sizes), n_frames, 0)
