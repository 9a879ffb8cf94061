"""Finds the key frames at which a film can be entered, so that its chunks can be decoded apart."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import av
import av.error

from scenefer.video.container import MP4

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.stream import VideoStream

# Containers with an index, and codecs that can start decoding at any key frame. In all others (MPEG-PS and -TS, AVI,
# raw streams) seeking is inexact, and the film is one chunk.
INDEXED = frozenset({MP4, "matroska,webm"})
_FRESH = frozenset(
    {"h264", "hevc", "vvc", "vp8", "vp9", "av1", "libdav1d", "mpeg4", "mpeg2video", "mjpeg", "prores", "dnxhd"}
)
_MOST_KEY_FRAMES = 1000


def find_key_frames(container: InputContainer, stream: VideoStream, origin: int, duration: float) -> tuple[float, ...]:
    """Find the film times of up to a thousand key frames, each verified by seeking to it; none if that is inexact."""
    if container.format.name not in INDEXED or stream.codec_context.name not in _FRESH:
        return ()
    time_base = stream.time_base or Fraction(1, av.time_base)
    times: list[float] = []
    try:
        container.seek(1 << 62, stream=stream)  # makes the Matroska demuxer read the index at the end of the file
        entries = [entry.timestamp for entry in stream.index_entries if entry.is_keyframe and not entry.is_discard]
        places = _thinned(sorted(entries), float(max(1.0, duration / _MOST_KEY_FRAMES) / time_base))
        if any(_interlaced(container, stream, place) for place in places[1 :: max(1, len(places) // 3)]):
            return ()  # deinterlacing needs the frames before and after, so chunks would differ from a whole pass
        for place in places:
            container.seek(place, stream=stream)
            packet = next(container.demux(stream))
            if packet.pts is None or not packet.is_keyframe or not _decodable(packet, stream):
                continue
            time = float((packet.pts - origin) * time_base)
            if time >= 0 and (not times or time > times[-1]):
                times.append(time)
    except (av.error.FFmpegError, StopIteration):
        pass  # a truncated file: its index points beyond its end; the key frames found so far are valid
    return tuple(times)


def _interlaced(container: InputContainer, stream: VideoStream, place: int) -> bool:
    container.seek(place, stream=stream)
    packet = next(container.demux(stream))
    try:
        pictures = [*packet.decode(), *stream.codec_context.decode(None)]
    except av.error.FFmpegError:
        return False
    return any(isinstance(picture, av.VideoFrame) and picture.interlaced_frame for picture in pictures)


def _thinned(places: list[int], distance: float) -> list[int]:
    kept: list[int] = []
    for place in places:
        if not kept or place - kept[-1] >= distance:
            kept.append(place)
    return kept


def _decodable(packet: Packet, stream: VideoStream) -> bool:
    """Whether a decoder that starts at this packet produces exact pictures at once.

    Only H.264 marks other packets as key frames: with intra refresh, the picture builds up over many frames. An exact
    H.264 key frame has an IDR slice (NAL type 5) or a recovery point (SEI 6) of zero frames: ITU-T H.264, 7.4.1, D.2.8.
    """
    if stream.codec_context.name != "h264":
        return True
    coded = bytes(packet)
    extradata = stream.codec_context.extradata or b""
    if not extradata.startswith(b"\x01"):
        return False  # start codes instead of lengths, which is invalid in these containers
    prefix = (extradata[4] & 3) + 1
    place = 0
    while place + prefix < len(coded):
        size = int.from_bytes(coded[place : place + prefix])
        unit = coded[place + prefix : place + prefix + size]
        place += prefix + size
        kind = unit[0] & 31 if unit else 0
        if kind == 5:
            return True
        if kind == 6 and (exact := _recovers_at_once(unit[1:])) is not None:
            return exact
        if kind == 1:
            return False
    return False


def _recovers_at_once(sei: bytes) -> bool | None:
    """Read whether an SEI unit has a recovery point of zero frames; None if it has no recovery point."""
    place = 0
    while place + 2 < len(sei):
        kind = size = 0
        while place < len(sei) and sei[place] == 255:
            kind, place = kind + 255, place + 1
        kind, place = kind + sei[place], place + 1
        while place < len(sei) and sei[place] == 255:
            size, place = size + 255, place + 1
        if place >= len(sei):
            return None
        size, place = size + sei[place], place + 1
        if kind == 6:
            return place < len(sei) and sei[place] >= 128  # recovery_frame_cnt, ue(v): a leading 1 is zero
        place += size
    return None
