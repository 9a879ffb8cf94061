"""The alternative reader: decord, for H.264 films of constant frame rate.

decord supports neither edit lists nor damaged packets, and keeps the whole compressed file in memory. Films are always
read from the beginning, because after a seek into an open GOP it returns wrong frames (measured on HEVC).
"""

from __future__ import annotations

import os
from collections.abc import Generator
from fractions import Fraction

import numpy as np

from scenefer.core.errors import FilmError, PlanError
from scenefer.core.film import Film, clock
from scenefer.core.text import printable


def read(film: Film, threads: int) -> Generator[tuple[float, np.ndarray], None, None]:
    """Yield film time and pixels (H, W, 3) uint8 RGB, rotated upright, of every frame.

    Raises:
        PlanError: decord is not installed.
        FilmError: decord cannot read the film, or fails in the middle.
    """
    try:
        import decord  # pyright: ignore[reportMissingImports]  # an extra
    except ImportError as error:
        raise PlanError("the reader decord is not installed: pip install scenefer[decord]; or use pyav") from error
    decord.logging.set_level(decord.logging.QUIET)
    time = 0.0
    try:
        video = decord.VideoReader(os.path.abspath(film.path), num_threads=threads)
        n_frames = len(video)
        # decord's clock starts at 0 only if the container's does.
        first = float(video.get_frame_timestamp(0)[0]) if n_frames else 0.0
        for k in range(n_frames):
            time = _exact(float(video.get_frame_timestamp(k)[0]) - first, k, film.frame_rate)
            yield time, video.next().asnumpy()
    except (decord.DECORDError, RuntimeError, UnicodeEncodeError, StopIteration) as error:
        raise FilmError(
            f"{printable(film.path)} cannot be read by decord at {clock(time)}; use the reader pyav, which skips damage"
        ) from error


def _exact(time: float, index: int, frame_rate: Fraction) -> float:
    """Replace decord's single-precision time (0.5 ms off after two hours) by that of a constant rate if they agree."""
    expected = float(index / frame_rate)
    return expected if abs(time - expected) < 1e-3 else time
