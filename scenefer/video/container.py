"""Opens container files, and only container files, and seeks to key frames."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
import av.error
from av.stream import Discard, Disposition

from scenefer.core.errors import AccessError, FilmError
from scenefer.core.text import printable
from scenefer.video.header_limits import MOST_FRAMES, declared

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.stream import VideoStream

    from scenefer.core.film import Film

MP4 = "mov,mp4,m4a,3gp,3g2,mj2"  # the demuxer of MP4 and QuickTime, whose index lists every picture
_LOOSE_END = 1.0  # s; the last packet may end this much before the declared end
LARGEST_SIDE = 16_384  # px
LARGEST_PICTURE = 1 << 27  # px, 400 MB as RGB

# Demuxers that read one film from one file. Playlists (hls, dash, concat), file name patterns (image2), scripts and
# text are excluded for security: no file can make the reader open another file.
_DEMUXERS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegts,mpegvideo,m4v,h264,hevc,vvc,av1,obu,ivf,vc1,flv,asf,ogg,mxf,"
    "dv,nut,rm,wtv,gxf,swf,yuv4mpegpipe,gif,apng,nsv,cavsvideo,dirac,mjpeg,wav,w64,mp3,aac,flac"
)
ONE_FILM = {"protocol_whitelist": "file", "format_whitelist": _DEMUXERS}
_OPTIONS = {
    **ONE_FILM,
    "max_pixels": str(LARGEST_PICTURE),  # decoders refuse larger pictures before they allocate memory
}
# Signatures of video files: (offset, bytes). A file with one that cannot be opened is damaged; others are not films.
_BEGINNINGS = (
    (4, b"ftyp"), (4, b"moov"), (4, b"mdat"), (4, b"wide"), (4, b"free"), (0, b"\x1aE\xdf\xa3"), (8, b"AVI "),
    (0, b"\x00\x00\x01\xba"), (0, b"\x00\x00\x01\xb3"), (0, b"G@"), (0, b"FLV\x01"), (0, b"OggS"),
    (0, b"\x30\x26\xb2\x75"), (0, b"\x06\x0e\x2b\x34"),
)  # fmt: skip


def open_container(path: Path) -> InputContainer:
    """Open a file for demuxing; use it as a context manager.

    Raises:
        FilmError: it is not a film, is too damaged to be opened, or declares impossible values.
    """
    try:
        refuse_declared(path)
        # "file:" and an absolute path, so that ffmpeg takes names like "concat:a|b", "-i" or "http:x" as plain names.
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


@contextmanager
def open_part(path: Path, where: float, kind: str) -> Generator[InputContainer]:
    """Open a raw video stream at a relative position in its file: 0 is the start, 1 the end.

    Raises:
        FFmpegError, OSError, ValueError: the stream cannot be opened there.
    """
    with path.open("rb") as file:
        file.seek(int(path.stat().st_size * where))
        with av.open(file, "r", format=kind, options={"max_pixels": str(LARGEST_PICTURE)}) as part:
            yield part


def refuse_declared(path: Path) -> None:
    """Refuse a file whose header declares impossible values, before ffmpeg allocates memory for them.

    Raises:
        FilmError: it declares a picture size, or a number of frames, larger than any film or this file can have.
    """
    said = declared(path)
    for width, height in said.sizes:
        check_size(path, width, height)
    # In an MP4 every sample takes at least one byte.
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
    """Choose the video stream, ignoring cover art; of several, take the one flagged as default, else the largest.

    Raises:
        FilmError: there is no video stream, no decoder for it is built in, or it declares an impossible size.
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
    # An animated AVIF also has a stream with a single still picture.
    moving = [stream for stream in readable if stream.frames != 1 or container.format.name != MP4]
    stream = max(moving or readable, key=lambda stream: (stream.width * stream.height, -stream.index))
    check_size(path, stream.width, stream.height)
    return stream


def check_size(path: Path, width: int, height: int) -> None:
    """Refuse an impossible declared size before memory is allocated for it.

    Raises:
        FilmError: a side or the area is larger than any film's.
    """
    if max(width, height) > LARGEST_SIDE or width * height > LARGEST_PICTURE:
        raise FilmError(
            f"{printable(path)} declares pictures of {width} x {height} pixels, more than {LARGEST_SIDE} a side or "
            f"{LARGEST_PICTURE // 1_000_000} million; scale it down first"
        )


def prepare(container: InputContainer, index: int, threads: int, *, lean: bool = False) -> VideoStream:
    """Set up the video stream ``index`` for decoding by ``threads`` threads (0: as many as there are cores).

    Args:
        lean: edges of blocks are not smoothed in frames that no other is made from: a tenth of the time, seen by nobody
            at the size of analysis.
    """
    stream = next(stream for stream in container.streams.video if stream.index == index)
    for other in container.streams:
        if other.index != index:
            other.discard = Discard.all  # skip reading sound where the container allows it
    context = stream.codec_context
    context.thread_type = "SLICE" if threads == 1 else "AUTO"
    context.thread_count = threads
    less = {"skip_loop_filter": "noref"} if lean else {}
    context.options = {**context.options, **less, "max_pixels": str(LARGEST_PICTURE)}
    return stream


def packets(container: InputContainer, stream: VideoStream) -> Iterator[Packet | None]:
    """Yield the packets of a stream, last an empty packet that flushes the decoder.

    On a demuxing error, yield None and continue after it; give up after three errors in a row.
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


def goes_on(film: Film) -> bool:
    """Check whether sound or picture lasts as long as the file declares; this reads the whole file."""
    assert film.duration is not None
    reached = 0.0
    with open_container(film.path) as container:
        try:
            for packet in container.demux():
                if packet.pts is not None and packet.time_base is not None:
                    reached = max(reached, float((packet.pts + (packet.duration or 0)) * packet.time_base))
        except av.error.FFmpegError:
            pass  # the end reached so far decides
    return reached - film.start >= film.duration - _LOOSE_END


def enter(container: InputContainer, stream: VideoStream, start: float, key: float) -> bool:
    """Seek to the key frame at film time ``key``; ``start`` is the container's clock at film time 0; both in seconds.

    Returns:
        Whether the next packet is that key frame or an earlier one; if not, the container must be reopened.
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
