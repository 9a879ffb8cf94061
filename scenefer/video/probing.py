"""Determines what a path is before it is read: a film, a still, a folder of stills, or none of these."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
import av.error
import numpy as np

from scenefer.core.errors import AccessError, FilmError, PlanError
from scenefer.core.film import Film, film_id
from scenefer.core.text import printable
from scenefer.video.animation import probe_animation
from scenefer.video.colour import displayed_size
from scenefer.video.container import MP4, check_size, choose_stream, open_container, packets, prepare
from scenefer.video.frame import ReaderNotes
from scenefer.video.header_limits import UNKNOWN
from scenefer.video.key_frames import INDEXED, find_key_frames
from scenefer.video.sizes import BARE, Picture, usual_picture
from scenefer.video.stamps import Stamps
from scenefer.video.stills import probe_folder, probe_still

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

GIF = "gif"
_N_FIRST = 4  # number of first pictures that decide between slide show and film
_SLIDE = 2.0  # s; minimum duration of a picture in a slide show
_LATE_PICTURE = 0.2  # s; if the picture starts later than this after the sound, film time starts with the sound
_LONGEST = 30 * 86_400.0  # s; a longer declared duration is taken for an error in the file


def probe(path: Path) -> Film:
    """Determine the properties of a file: display size, duration, key frames; at most about a dozen frames are decoded.

    Raises:
        PlanError: the path does not exist, or is a folder without pictures.
        FilmError: the file is not a film, or is damaged.
        AccessError: it cannot be read.
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
        return probe_still(path) or probe_animation(path) or _probe_video(path)
    except OSError as error:
        why = error.strerror or error
        raise AccessError(f"{printable(path)} is not readable: {why}; check its permissions and its disk") from error


def _probe_video(path: Path) -> Film:
    with open_container(path) as container:
        stream = prepare(container, choose_stream(container, path).index, threads=1)
        frame, stamps = _beginning(container, stream, path)
        time_base = stream.time_base or Fraction(1, av.time_base)
        origin = _origin(container, stream, frame)
        start = float(origin * time_base)
        rotation, mirrored, turned_oddly = _rotation(frame)
        duration, declared = _duration(container, stream, start)
        slides = _are_slides(stamps, time_base, start, duration)
        usual = usual_picture(container, stream, path, frame, duration) or Picture(frame, stream.sample_aspect_ratio)
        ratio, too_odd = _sample_aspect_ratio(usual.ratio)
        width, height = displayed_size(usual.frame.width, usual.frame.height, ratio, rotation)
        check_size(path, width, height)
        enterable = frame.pts is not None and not frame.interlaced_frame and duration is not None
        return Film(
            path,
            film_id(path),
            width,
            height,
            duration,
            frame_rate=_frame_rate(container, stream),
            stream=stream.index,
            container=container.format.name,
            codec=stream.codec_context.name,
            rotation=rotation,
            mirrored=mirrored,
            sample_aspect_ratio=ratio,
            start=start,
            begins=float((frame.pts - origin) * time_base) if frame.pts is not None else 0.0,
            timecode=_timecode(container),
            slides=slides,
            end_declared=declared or slides,
            key_frames=find_key_frames(container, stream, origin, duration) if enterable and duration else (),
            warnings=tuple(warning for warning in (turned_oddly, too_odd) if warning),
        )


def _beginning(container: InputContainer, stream: VideoStream, path: Path) -> tuple[VideoFrame, list[int]]:
    """Decode the first picture and read the timestamps of the first few packets, or of all if there are fewer."""
    mended = Stamps(
        container.format.name, stream.time_base or Fraction(1, av.time_base), Fraction(25), 0, ReaderNotes()
    )
    first: VideoFrame | None = None
    stamps: list[int] = []
    for packet in packets(container, stream):
        if packet is None:
            continue
        mended.mend(packet)
        if packet.pts is not None:
            stamps.append(packet.pts)
        try:
            for frame in packet.decode() if first is None else ():
                assert isinstance(frame, av.VideoFrame)  # always true for a video stream
                frame.pts = mended.of(frame)
                first = first or frame
        except av.error.FFmpegError:
            continue
        if first is not None and (len(stamps) >= _N_FIRST or first.pts is None):
            break
    if first is None:
        raise FilmError(
            f"{printable(path)} is not readable: no frame of its video can be decoded; copy it again or convert it"
        )
    return first, stamps


def _origin(container: InputContainer, stream: VideoStream, first: VideoFrame) -> int:
    """Timestamp of film time 0: the first picture, or the sound if it begins clearly earlier."""
    if first.pts is None:
        return 0
    time_base = stream.time_base or Fraction(1, av.time_base)
    heard = [
        sound.start_time * sound.time_base
        for sound in container.streams.audio
        if sound.start_time is not None and sound.time_base is not None
    ]
    earlier = min(heard, default=first.pts * time_base)
    return round(earlier / time_base) if first.pts * time_base - earlier > _LATE_PICTURE else first.pts


def _are_slides(stamps: list[int], time_base: Fraction, start: float, duration: float | None) -> bool:
    """Detect a slide show: check whether the first pictures last for seconds each."""
    times = sorted(float(stamp * time_base) - start for stamp in stamps)
    if len(times) < _N_FIRST and duration is not None:
        times.append(duration)
    return len(times) > 1 and float(np.median(np.diff(times))) >= _SLIDE


def _rotation(frame: VideoFrame) -> tuple[int, bool, str]:
    """Rotation for display in degrees clockwise, whether to mirror before rotating, and a warning or ""."""
    matrix = frame.side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return 0, False, ""
    # A point (x, y) is displayed at (a x + c y, b x + d y): libavutil/display.h. PyAV's own angle ignores mirroring.
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


def _frame_rate(container: InputContainer, stream: VideoStream) -> Fraction:
    # A raw stream states its rate in its own header; its demuxer only reports a default.
    said = stream.codec_context.framerate if container.format.name in BARE else None
    for rate in (said, stream.average_rate, stream.guessed_rate, stream.base_rate):
        if rate and 0 < rate <= 1000:
            return Fraction(rate)
    return Fraction(25)


def _duration(container: InputContainer, stream: VideoStream, start: float) -> tuple[float | None, bool]:
    """Duration in seconds from film time 0 (``start`` on the container's clock); whether the video stream states it."""
    said = _declared_end(container, stream)
    # A stream with a single picture states only that picture's duration; a longer file keeps showing it.
    whole = None
    if container.duration and stream.frames not in UNKNOWN:
        whole = ((container.start_time or 0) + container.duration) / av.time_base
    if said is None or (stream.frames == 1 and whole is not None and whole - said > _SLIDE):
        end, declared = whole, False
    else:
        end, declared = said, True
    if end is None or not 0 < end - start <= _LONGEST:
        return None, False
    return end - start, declared


def _declared_end(container: InputContainer, stream: VideoStream) -> float | None:
    """Read the end that the video stream itself states, in seconds on the container's clock."""
    if stream.duration and container.format.name in INDEXED | {GIF}:
        # In a fragmented MP4 the "duration" is the end time.
        begin = (stream.start_time or 0) if stream.frames or container.format.name != MP4 else 0
        return float((begin + stream.duration) * (stream.time_base or Fraction(1, av.time_base)))
    if match := re.fullmatch(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)", stream.metadata.get("DURATION", "")):
        hours, minutes, rest = match.groups()  # Matroska
        return int(hours) * 3600 + int(minutes) * 60 + float(rest)
    return None


def _timecode(container: InputContainer) -> str | None:
    for metadata in (container.metadata, *(stream.metadata for stream in container.streams)):
        if timecode := metadata.get("timecode") or metadata.get("TIMECODE"):  # Matroska's tags are upper case
            return timecode
    return None
