"""Find the frame size of most of a film: recorded calls and adaptive streams begin with small frames.

At a few places, spread evenly over the film, decode the next key frame; frame sizes change only at key frames.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import av
import av.error

from scenefer.video.container import open_part

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

_N_PLACES = 12
_FAR = 1000  # give up the search for a key frame after so many packets
# Raw streams: no container, so no timestamps to seek by, but they can be read from any byte position.
BARE = frozenset({"h264", "hevc", "m4v", "mpegvideo"})


class Picture(NamedTuple):
    """A decoded picture and the shape of its pixels."""

    frame: VideoFrame
    ratio: Fraction | None  # width to height of a pixel, as the video declares it; None if undeclared


def usual_picture(
    container: InputContainer, stream: VideoStream, path: Path, first: VideoFrame, duration: float | None
) -> Picture | None:
    """Decode a picture of the most frequent size in the film; of equally frequent sizes, the largest.

    Args:
        stream: prepared for decoding by one thread.
        first: the first picture of the film.
        duration: seconds from the first picture to the end.

    Returns:
        None if the first picture already has that size.
    """
    if container.format.name in BARE:
        seen = _in_parts(path, container.format.name)
    elif duration is not None and first.pts is not None:
        seen = _at_places(container, stream, first.pts, duration)
    else:
        return None
    known: list[tuple[float, Picture]] = [(0.0, Picture(first, None)), *seen]
    known.sort(key=lambda entry: entry[0])
    # Each place shows the last key frame before it; key frames may be far apart.
    shown = [next(p for at, p in reversed(known) if at <= (k + 0.5) / _N_PLACES) for k in range(_N_PLACES)]
    sizes = Counter((picture.frame.width, picture.frame.height) for picture in shown)
    usual = max(sizes, key=lambda size: (sizes[size], size[0] * size[1]))
    if usual == (first.width, first.height):
        return None
    return next(picture for picture in shown if (picture.frame.width, picture.frame.height) == usual)


def _at_places(
    container: InputContainer, stream: VideoStream, origin: int, duration: float
) -> Iterator[tuple[float, Picture]]:
    """Yield the key frames next to the places, with their relative position: 0 is the start of the film, 1 its end."""
    time_base = stream.time_base or Fraction(1, av.time_base)
    for k in range(_N_PLACES):
        try:
            container.seek(origin + int(Fraction((k + 0.5) / _N_PLACES * duration) / time_base), stream=stream)
        except av.error.FFmpegError:
            return
        found = _key_frame(container, stream)
        if found is not None and found.frame.pts is not None:
            yield float((found.frame.pts - origin) * time_base) / duration, found


def _in_parts(path: Path, kind: str) -> Iterator[tuple[float, Picture]]:
    for k in range(_N_PLACES):
        try:
            with open_part(path, k / _N_PLACES, kind) as part:
                found = _key_frame(part, part.streams.video[0]) if part.streams.video else None
        except (av.error.FFmpegError, ValueError):
            continue
        if found is not None:
            yield k / _N_PLACES, found


def _key_frame(container: InputContainer, stream: VideoStream) -> Picture | None:
    """Decode only the next key frame; None if no decodable one is found."""
    context = stream.codec_context
    try:
        for _, packet in zip(range(_FAR), container.demux(stream), strict=False):
            if not packet.is_keyframe:
                continue
            pictures: Iterable[object] = [*packet.decode(), *context.decode(None)]
            context.flush_buffers()
            for picture in pictures:
                if isinstance(picture, av.VideoFrame):
                    return Picture(picture, context.sample_aspect_ratio)
    except av.error.FFmpegError:
        context.flush_buffers()
    return None
