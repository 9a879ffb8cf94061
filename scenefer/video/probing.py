"""Finds out what a file is before it is read: a film, a still, a folder of stills, or none of them."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
import av.error
import numpy as np

from scenefer.errors import FilmError, PlanError, printable
from scenefer.film import Film, film_id
from scenefer.video.colour import displayed_size
from scenefer.video.container import MP4, check_size, choose_stream, open_container, packets, prepare
from scenefer.video.declared import UNKNOWN
from scenefer.video.stills import probe_folder, probe_still

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

# Containers with an index, and codecs that start afresh at a key frame. In all others (MPEG-PS and -TS, AVI, raw
# streams) seeking lands somewhere near the place, and a film is read in one piece.
_ENTERED = frozenset({MP4, "matroska,webm"})
_FRESH = frozenset(
    {"h264", "hevc", "vvc", "vp8", "vp9", "av1", "libdav1d", "mpeg4", "mpeg2video", "mjpeg", "prores", "dnxhd"}
)
_MOST_KEY_FRAMES = 1000
_LONGEST = 30 * 86_400.0  # s; a declared duration beyond it is an error of the file


def probe(path: Path) -> Film:
    """Find out what a file is: size as displayed, duration, key frames; one frame is decoded, and no more is read.

    Raises:
        PlanError: the path does not exist, or is a folder without pictures.
        FilmError: the file is no film, or cannot be read.
    """
    try:
        if path.is_dir():
            return probe_folder(path)
        if not path.exists():
            raise PlanError(f"{printable(path)} does not exist; check the path")
        if not path.is_file():
            raise FilmError(f"{printable(path)} is not a film but a device or a pipe; give a file")
        if path.stat().st_size == 0:
            raise FilmError(f"{printable(path)} is empty (0 bytes); copy it again")
    except OSError as error:
        raise FilmError(f"{printable(path)} is not readable: {error.strerror}; check its permissions") from error
    return probe_still(path) or _probe_video(path)


def _probe_video(path: Path) -> Film:
    with open_container(path) as container:
        stream = prepare(container, choose_stream(container, path).index, threads=1)
        frame = _first_frame(container, stream, path)
        time_base = stream.time_base or Fraction(1, av.time_base)
        origin = frame.pts or 0
        rotation, mirrored, turned_oddly = _rotation(frame)
        ratio, too_odd = _sample_aspect_ratio(stream.sample_aspect_ratio)
        width, height = displayed_size(frame.width, frame.height, ratio, rotation)
        check_size(path, width, height)
        duration, declared = _duration(container, stream, origin)
        enterable = frame.pts is not None and not frame.interlaced_frame and duration is not None
        return Film(
            path,
            film_id(path),
            width,
            height,
            duration,
            frame_rate=_frame_rate(stream),
            stream=stream.index,
            container=container.format.name,
            codec=stream.codec_context.name,
            rotation=rotation,
            mirrored=mirrored,
            sample_aspect_ratio=ratio,
            start=float(origin * time_base),
            timecode=_timecode(container),
            end_declared=declared,
            key_frames=_key_frames(container, stream, origin, duration) if enterable and duration else (),
            warnings=tuple(warning for warning in (turned_oddly, too_odd) if warning),
        )


def _first_frame(container: InputContainer, stream: VideoStream, path: Path) -> VideoFrame:
    for packet in packets(container, stream):
        try:
            frames = [] if packet is None else packet.decode()
        except av.error.FFmpegError:
            continue
        if frames:
            return frames[0]  # pyright: ignore[reportReturnType]  # a video stream gives video frames
    raise FilmError(
        f"{printable(path)} is not readable: no frame of its video can be decoded; copy it again or convert it"
    )


def _rotation(frame: VideoFrame) -> tuple[int, bool, str]:
    """Degrees clockwise for display, and whether the picture is mirrored before it is turned."""
    matrix = frame.side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return 0, False, ""
    # A place (x, y) is displayed at (a x + c y, b x + d y): libavutil/display.h. PyAV's own angle knows no mirror.
    a, b, _, c, d = (int(value) for value in np.frombuffer(bytes(matrix), np.int32)[:5])
    mirrored = a * d - b * c < 0
    turned = round(math.degrees(math.atan2(*((-b, -a) if mirrored else (b, a))))) % 360
    rotation = round(turned / 90) * 90 % 360
    odd = turned % 90 != 0
    said = f"the film asks to be turned by {turned}°; it was turned by {rotation}°" if odd else ""
    return rotation, mirrored, said


def _sample_aspect_ratio(declared: Fraction | None) -> tuple[Fraction, str]:
    ratio = declared or Fraction(1)
    if Fraction(1, 8) <= ratio <= 8:
        return ratio, ""
    return Fraction(1), f"the film declares pixels of shape {ratio}, which cannot be meant; they are taken for square"


def _frame_rate(stream: VideoStream) -> Fraction:
    for rate in (stream.average_rate, stream.guessed_rate, stream.base_rate):
        if rate and 0 < rate <= 1000:
            return Fraction(rate)
    return Fraction(25)


def _duration(container: InputContainer, stream: VideoStream, origin: int) -> tuple[float | None, bool]:
    """Seconds from the first displayed frame to the end, and whether the video stream itself says so."""
    time_base = stream.time_base or Fraction(1, av.time_base)
    if stream.duration and container.format.name in _ENTERED:
        begin = stream.start_time if stream.start_time is not None else origin
        seconds, declared = float((begin + stream.duration - origin) * time_base), True
    elif match := re.fullmatch(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)", stream.metadata.get("DURATION", "")):
        # Matroska: the tag holds the end on the container's clock.
        hours, minutes, rest = match.groups()
        seconds, declared = int(hours) * 3600 + int(minutes) * 60 + float(rest) - float(origin * time_base), True
    elif container.duration and stream.frames not in UNKNOWN:
        seconds, declared = container.duration / av.time_base, False
    else:
        return None, False
    return (seconds, declared) if 0 < seconds <= _LONGEST else (None, False)


def _timecode(container: InputContainer) -> str | None:
    for metadata in (container.metadata, *(stream.metadata for stream in container.streams)):
        if timecode := metadata.get("timecode") or metadata.get("TIMECODE"):  # Matroska's tags are upper case
            return timecode
    return None


def _key_frames(container: InputContainer, stream: VideoStream, origin: int, duration: float) -> tuple[float, ...]:
    """Film times of key frames, at most a thousand of them, each one visited; empty if the film cannot be entered."""
    if container.format.name not in _ENTERED or stream.codec_context.name not in _FRESH:
        return ()
    time_base = stream.time_base or Fraction(1, av.time_base)
    times: list[float] = []
    try:
        container.seek(1 << 62, stream=stream)  # makes Matroska read its index, which lies at the end
        entries = [entry.timestamp for entry in stream.index_entries if entry.is_keyframe and not entry.is_discard]
        places = _thinned(sorted(entries), float(max(1.0, duration / _MOST_KEY_FRAMES) / time_base))
        if any(_interlaced(container, stream, place) for place in places[1 :: max(1, len(places) // 3)]):
            return ()  # fields are put together with those of the frames before and after
        for place in places:
            container.seek(place, stream=stream)
            packet = next(container.demux(stream))
            if packet.pts is None or not packet.is_keyframe or not _decodable(packet, stream):
                continue
            time = float((packet.pts - origin) * time_base)
            if time >= 0 and (not times or time > times[-1]):
                times.append(time)
    except (av.error.FFmpegError, StopIteration):
        pass  # a truncated file: its index points beyond its end, and what was visited can be entered
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
    """Whether a decoder that starts at this packet shows exact pictures at once.

    Only H.264 marks packets as key frames that do not: with intra refresh the picture builds up over many frames. There
    it takes an IDR slice (NAL type 5) or a recovery point (SEI 6) of zero frames: ITU-T H.264, 7.4.1 and D.2.8.
    """
    if stream.codec_context.name != "h264":
        return True
    coded = bytes(packet)
    extradata = stream.codec_context.extradata or b""
    if not extradata.startswith(b"\x01"):
        return False  # start codes instead of lengths: not as these containers should have it
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
    """Read the messages of an SEI unit; None if none of them is a recovery point."""
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
