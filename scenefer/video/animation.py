"""Animated WebP, which ffmpeg does not demux: Pillow decodes it."""

from __future__ import annotations

import os
import struct
from collections.abc import Generator
from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image

from scenefer.core.errors import FilmError
from scenefer.core.film import Film, film_id
from scenefer.core.text import printable
from scenefer.video.container import check_size
from scenefer.video.frame import ReaderNotes

WEBP = "webp"
_SHORTEST = 0.01  # s; pictures with a shorter or no duration are shown for this long


def probe_animation(path: Path) -> Film | None:
    """Read the header of an animated WebP; None if the file is not one.

    Raises:
        FilmError: it declares an impossible size, or is damaged.
    """
    lasting = _durations(path)
    if len(lasting) < 2:
        return None
    try:
        with Image.open(path, formats=("WEBP",)) as stored:
            width, height = stored.size
    except OSError as error:
        raise FilmError(f"{printable(path)} is not readable: the animation is damaged; copy it again") from error
    check_size(path, width, height)
    duration = sum(lasting)
    rate = Fraction(len(lasting) / duration).limit_denominator(1000)
    return Film(path, film_id(path), width, height, duration, rate, container=WEBP, codec="webp", end_declared=True)


def moving_pictures(film: Film, notes: ReaderNotes) -> Generator[tuple[float, np.ndarray], None, None]:
    """Yield film time and pixels (H, W, 3) uint8 of each picture, on white; stop at the first undecodable picture."""
    from scenefer.video.stills import displayed

    time = 0.0
    with Image.open(film.path, formats=("WEBP",)) as stored:
        for k, lasting in enumerate(_durations(film.path)):
            try:
                stored.seek(k)
                picture = np.array(displayed(stored))
            except (OSError, EOFError, ValueError) as error:
                notes.damage(time, printable(str(error)))
                return
            yield time, picture
            time += lasting


def _durations(path: Path) -> list[float]:
    """Read the duration of each picture, seconds, from ANMF chunks: https://developers.google.com/speed/webp/docs."""
    lasting: list[float] = []
    with path.open("rb") as file:
        head = file.read(12)
        if head[:4] != b"RIFF" or head[8:] != b"WEBP":
            return lasting
        size = os.fstat(file.fileno()).st_size
        place = 12
        while place + 8 <= size:
            file.seek(place)
            kind, length = struct.unpack("<4sI", file.read(8))
            if kind == b"ANMF" and len(frame := file.read(16)) == 16:
                lasting.append(max(int.from_bytes(frame[12:15], "little") / 1000, _SHORTEST))
            place += 8 + length + length % 2
    return lasting
