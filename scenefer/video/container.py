"""Opens container files, and nothing but container files, and enters them at key frames."""

from __future__ import annotations

import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
import av.error
from av.stream import Discard, Disposition

from scenefer.errors import AccessError, FilmError, printable
from scenefer.video.declared import MOST_FRAMES, declared

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.stream import VideoStream

MP4 = "mov,mp4,m4a,3gp,3g2,mj2"  # the demuxer of MP4 and QuickTime, whose index names every picture
LARGEST_SIDE = 16_384  # px
LARGEST_PICTURE = 1 << 27  # px, 400 MB as RGB

# Demuxers that read one film from one file. Playlists (hls, dash, concat), patterns of picture names (image2), scripts
# and text are none of them, so a file cannot make the reader open another one.
_DEMUXERS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegts,mpegvideo,m4v,h264,hevc,vvc,av1,obu,ivf,vc1,flv,asf,ogg,mxf,"
    "dv,nut,rm,wtv,gxf,swf,yuv4mpegpipe,gif,apng,nsv,cavsvideo,dirac,mjpeg,wav,w64,mp3,aac,flac"
)
ONE_FILM = {"protocol_whitelist": "file", "format_whitelist": _DEMUXERS}
_OPTIONS = {
    **ONE_FILM,
    "max_pixels": str(LARGEST_PICTURE),  # decoders refuse what is larger before they take the memory
}
# How files of film begin: (offset, bytes). What begins so and cannot be opened is damaged; anything else is no film.
_BEGINNINGS = (
    (4, b"ftyp"), (4, b"moov"), (4, b"mdat"), (4, b"wide"), (4, b"free"), (0, b"\x1aE\xdf\xa3"), (8, b"AVI "),
    (0, b"\x00\x00\x01\xba"), (0, b"\x00\x00\x01\xb3"), (0, b"G@"), (0, b"FLV\x01"), (0, b"OggS"),
    (0, b"\x30\x26\xb2\x75"), (0, b"\x06\x0e\x2b\x34"),
)  # fmt: skip


def open_container(path: Path) -> InputContainer:
    """Open a file for demuxing; use it as a context manager.

    Raises:
        FilmError: it is no film, so damaged that it cannot be opened, or declares what cannot be meant.
    """
    try:
        refuse_declared(path)
        # "file:" and an absolute path: a name like "concat:a|b", "-i" or "http:x" is a name and nothing else.
        return av.open("file:" + os.path.abspath(path), "r", options=dict(_OPTIONS), metadata_errors="replace")
    except (av.error.FFmpegError, OSError, ValueError) as error:
        if isinstance(error, PermissionError):
            raise AccessError(f"{printable(path)} is not readable: no permission; change its mode or owner") from error
        if _begins_like_a_film(path):
            raise FilmError(
                f"{printable(path)} is not readable: it begins like a film but its directory of frames is missing or "
                "damaged (an interrupted recording or copy?); copy it again or repair it with a recovery tool"
            ) from error
        raise FilmError(
            f"{printable(path)} is not a film: no video format was recognised; "
            "give a video file, a picture or a folder of pictures"
        ) from error


def refuse_declared(path: Path) -> None:
    """Refuse a file whose header declares more than can be meant, before memory is taken for it.

    Raises:
        FilmError: a size is larger than any film's, or there are more frames than a film, or the file, can have.
    """
    said = declared(path)
    for width, height in said.sizes:
        check_size(path, width, height)
    # In an MP4 every sample has at least a byte.
    if said.n_frames > MOST_FRAMES or said.n_entries > path.stat().st_size:
        raise FilmError(
            f"{printable(path)} declares {max(said.n_frames, said.n_entries):,} frames, which cannot be meant; "
            "copy it again or repair it with a recovery tool"
        )


def _begins_like_a_film(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except OSError:
        return False
    return any(head[offset:].startswith(mark) for offset, mark in _BEGINNINGS)


def choose_stream(container: InputContainer, path: Path) -> VideoStream:
    """Choose the video stream: cover art is none; of several the one flagged as default, else the largest.

    Raises:
        FilmError: there is none, no decoder is built in, or it declares a size that cannot be meant.
    """
    pictures = Disposition.attached_pic | Disposition.timed_thumbnails
    streams = [stream for stream in container.streams.video if not stream.disposition & pictures]
    if not streams:
        raise FilmError(f"{printable(path)} has no video stream (sound, subtitles or cover art only); give a film")
    flagged = [stream for stream in streams if stream.disposition & Disposition.default]
    candidates = flagged if len(flagged) == 1 else (flagged or streams)
    # A stream without a decoder has no context.
    readable = [stream for stream in candidates if stream.codec_context is not None]
    if not readable:
        raise FilmError(f"{printable(path)} is not readable: no decoder for its video is built in; convert it to H.264")
    stream = max(readable, key=lambda stream: (stream.width * stream.height, -stream.index))
    check_size(path, stream.width, stream.height)
    return stream


def check_size(path: Path, width: int, height: int) -> None:
    """Refuse a declared size before memory is taken for it.

    Raises:
        FilmError: a side or the area is larger than any film's.
    """
    if max(width, height) > LARGEST_SIDE or width * height > LARGEST_PICTURE:
        raise FilmError(
            f"{printable(path)} declares pictures of {width} x {height} pixels, more than {LARGEST_SIDE} a side or "
            f"{LARGEST_PICTURE // 1_000_000} million; scale it down first"
        )


def prepare(container: InputContainer, index: int, threads: int) -> VideoStream:
    """Set up the video stream ``index`` for decoding by ``threads`` threads (0: as many as there are cores)."""
    stream = next(stream for stream in container.streams.video if stream.index == index)
    for other in container.streams:
        if other.index != index:
            other.discard = Discard.all  # sound is not even read where the container allows it
    context = stream.codec_context
    context.thread_type = "SLICE" if threads == 1 else "AUTO"
    context.thread_count = threads
    context.options = {**context.options, "max_pixels": str(LARGEST_PICTURE)}
    return stream


def packets(container: InputContainer, stream: VideoStream) -> Iterator[Packet | None]:
    """Yield the packets of a stream, the empty one that flushes the decoder last.

    A place that cannot be demuxed is stepped over, as long as something follows it; there None is yielded.
    """
    barren = 0
    while barren < 3:
        try:
            for packet in container.demux(stream):
                barren = 0
                yield packet
            return
        except av.error.FFmpegError:
            barren += 1
            yield None
    yield from _flush(container, stream)


def _flush(container: InputContainer, stream: VideoStream) -> Iterator[Packet]:
    packet = av.Packet()
    packet.stream = stream
    yield packet


def enter(container: InputContainer, stream: VideoStream, start: float, key: float) -> bool:
    """Move a container to the key frame at film time ``key``; ``start`` is its clock at film time 0; both in seconds.

    Returns:
        Whether the next packet is that key frame or an earlier one; if not, the container must be opened anew.
    """
    time_base = stream.time_base or Fraction(1, av.time_base)
    pts = round((Fraction(start) + Fraction(key)) / time_base)
    try:
        container.seek(pts, stream=stream)
        packet = next(container.demux(stream))
        if not packet.is_keyframe or packet.pts is None or packet.pts > pts:
            return False
        container.seek(pts, stream=stream)
    except (av.error.FFmpegError, StopIteration):
        return False
    return True
