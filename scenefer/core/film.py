"""What is known about a film before it is decoded.

Film time is in seconds and starts at the first displayed frame of the video stream. If the sound begins clearly
earlier, film time starts with the sound, as in players. The container's own clock is stored beside it.
"""

from __future__ import annotations

import hashlib
import math
import os
from bisect import bisect_left
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from scenefer.core.errors import AccessError
from scenefer.core.text import printable

PICTURE_SUFFIXES = frozenset(
    {
        *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".webp", ".bmp", ".dib", ".tif", ".tiff", ".gif"),
        *(".ppm", ".pgm", ".pbm", ".pnm", ".jp2", ".j2k", ".jpx", ".jpf", ".avif", ".heic", ".heif", ".hif"),
    }
)
_MIB = 1 << 20
_BLOCK = 64 << 10
_N_BLOCKS = 64


class Span(NamedTuple):
    """A half-open interval of film time [start, end), in seconds; an infinite ``end`` means the end of the film."""

    start: float
    end: float


WHOLE = Span(0.0, float("inf"))


@dataclass(frozen=True)
class Film:
    """A film, a still, or a folder of stills (each a shot of one frame).

    Sizes are display sizes: after rotation and with the sample aspect ratio applied.
    """

    path: Path
    id: str  # 16 hexadecimal digits, a hash of the content, see film_id
    width: int  # pixels, as displayed
    height: int  # pixels, as displayed
    duration: float | None  # seconds; None if the container does not state it, or states something impossible
    frame_rate: Fraction  # average; the time of a frame comes from its timestamp, not from this
    kind: str = "video"  # "video", "still" or "stills"
    stream: int = 0  # index of the video stream in the container
    container: str = ""  # the demuxer's name, like "matroska,webm"
    codec: str = ""
    rotation: int = 0  # degrees clockwise, applied for display: 0, 90, 180 or 270
    mirrored: bool = False  # flipped left to right for display, before the rotation
    sample_aspect_ratio: Fraction = Fraction(1)
    start: float = 0.0  # the container's clock at film time 0, seconds
    begins: float = 0.0  # film time of the first picture, seconds: above 0 where it begins clearly after the sound
    slides: bool = False  # a slide show: each picture lasts for seconds, such as a single one for a whole song
    end_declared: bool = False  # the video stream itself states the duration, so an earlier end means data loss
    timecode: str | None = None  # SMPTE timecode of the first frame, if the container carries one
    timecode_stated: bool = False  # the user gave the timecode; it overrides the container's
    key_frames: tuple[float, ...] = field(default=(), repr=False)  # film times at which decoding can begin, exactly
    stills: tuple[Path, ...] = ()  # the pictures of a folder of stills, in order
    warnings: tuple[str, ...] = ()  # what a reader of the report should know about the file


def as_record(film: Film, *, key_frames: bool = True) -> dict[str, Any]:
    """Convert a film to plain values; ``json.dumps`` needs ``default=str`` for its paths and fractions."""
    record = asdict(film)
    if not key_frames:
        del record["key_frames"]
    return record


def of_record(record: Mapping[str, Any]) -> Film:
    """Make a film from a record of ``as_record``.

    Raises:
        KeyError, TypeError, ValueError: the record comes from an incompatible version.
    """
    known = {entry.name for entry in fields(Film)}
    values = {name: value for name, value in record.items() if name in known}
    values.update(
        path=Path(values["path"]),
        frame_rate=Fraction(values["frame_rate"]),
        sample_aspect_ratio=Fraction(values["sample_aspect_ratio"]),
        stills=tuple(Path(still) for still in values["stills"]),
        warnings=tuple(values["warnings"]),
        key_frames=tuple(values.get("key_frames", ())),
    )
    return Film(**values)


def film_id(path: Path) -> str:
    """Hash a film's content: its size, its first and last MiB, and 64 evenly spaced blocks of 64 KiB.

    A renamed or moved film keeps its id. 6 MiB are read, however large the file is.

    Raises:
        AccessError: the file cannot be read.
    """
    digest = hashlib.sha256()
    with _reading(path) as file:
        size = os.fstat(file.fileno()).st_size
        digest.update(str(size).encode())
        digest.update(file.read(_MIB))
        for k in range(_N_BLOCKS):
            file.seek(size * k // _N_BLOCKS)
            digest.update(file.read(_BLOCK))
        file.seek(max(0, size - _MIB))
        digest.update(file.read(_MIB))
    return digest.hexdigest()[:16]


def require_readable(path: Path) -> None:
    """Read blocks of a film that ``film_id`` does not read, so that a disk error is not mistaken for a damaged film.

    Raises:
        AccessError: a block cannot be read.
    """
    with _reading(path) as file:
        size = os.fstat(file.fileno()).st_size
        for k in range(_N_BLOCKS):
            file.seek(size * (2 * k + 1) // (2 * _N_BLOCKS))
            file.read(_BLOCK)


@contextmanager
def _reading(path: Path) -> Generator[BinaryIO]:
    try:
        with path.open("rb") as file:
            yield file
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise AccessError(f"{printable(path)} cannot be read: {reason}; check the disk or the network") from error


def path_id(path: Path) -> str:
    """Hash a film's path: names records about the film while its content cannot be hashed (not yet read, or gone)."""
    return hashlib.sha256(os.path.abspath(path).encode("utf-8", "surrogateescape")).hexdigest()[:32]


def chunk_spans(
    film: Film,
    whole: Span = WHOLE,
    *,
    longest: float = 40.0,
    at_least: int = 4,
    step: float = 0.0,
) -> list[Span]:
    """Divide a film into chunks of about 40 seconds that can be decoded independently.

    A chunk begins half a frame after a key frame: decoding enters at the key frame itself, which is the run-up that
    gives the first frame of the chunk its predecessor, so that scores and the sampling grid are those of an undivided
    pass. A short film is cut into ``at_least`` chunks, so that every core has work. The division depends on the film
    and ``whole`` alone, never on the machine, since a finished chunk is found again by its span.

    Args:
        step: seconds; a chunk begins at the first multiple of it after that place, 0: at the place itself.

    Returns:
        Spans that together cover ``whole``; one span for stills and for films that cannot be entered exactly.
    """
    if not film.key_frames or film.duration is None:
        return [whole]
    end = min(whole.end, film.duration)
    length = min(longest, max(5.0, (end - whole.start) / at_least))
    half_frame = float(1 / film.frame_rate / 2)
    starts = [whole.start]
    keys, n_keys, place = film.key_frames, len(film.key_frames), 0
    while (place := bisect_left(keys, starts[-1] + length, place)) < n_keys:
        start = round(keys[place] + half_frame, 6)
        start = round(math.ceil(start / step) * step, 6) if step else start
        if end - start < length / 4:  # a short last chunk costs an extra run-up and saves no time
            break
        starts.append(start)
    return [Span(a, b) for a, b in zip(starts, [*starts[1:], whole.end], strict=True)]


def clock(seconds: float) -> str:
    """Format a film time as H:MM:SS.mmm, as messages and reports show it."""
    thousandths = round(seconds * 1000)
    minutes, rest = divmod(abs(thousandths), 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{'-' if thousandths < 0 else ''}{hours}:{minutes:02}:{rest / 1000:06.3f}"
