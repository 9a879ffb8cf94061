"""A small copy of a film that every browser can play: H.264 in MP4, with the film's sound and frame times."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np

from scenefer.core.errors import FilmError
from scenefer.core.film import Film, Span
from scenefer.core.text import printable
from scenefer.video.reading import frames
from scenefer.video.writing import check_target, write_timed

LINES = 540


def write_proxy(film: Film, to: Path, progress: Callable[[float], None] = lambda reached: None) -> None:
    """Write a copy of a film whose shorter side has at most 540 pixels; every frame keeps its time.

    Time 0 of the copy is film time 0, whatever the container's clock says. Rotation and sample aspect ratio are
    applied, HDR is converted.

    Args:
        to: an MP4 file; written under a temporary name, then renamed.
        progress: called with the film time reached so far, in seconds.

    Raises:
        FilmError: the film is a still or stills, or cannot be read.
        OutputError, PlanError: the file cannot be written, or is not named as an MP4.
    """
    if film.kind != "video":
        raise FilmError(f"{printable(film.path)} does not move; a browser shows it as it is")
    check_target(to, film)
    scale = min(1.0, LINES / min(film.width, film.height))
    width, height = (max(2, 2 * round(side * scale / 2)) for side in (film.width, film.height))

    def reduced() -> Iterator[tuple[float, np.ndarray]]:
        for frame in frames(film, sample_rate=None):
            if frame.pixels is not None:
                yield frame.time, cv2.resize(frame.pixels, (width, height), interpolation=cv2.INTER_AREA)
                progress(frame.time)

    # A declared end belongs to the picture; otherwise the duration may be that of the sound.
    end = film.duration if film.duration is not None and film.end_declared else float("inf")
    write_timed(reduced(), film, Span(0.0, end), to)
