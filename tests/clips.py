"""Makes clips of a second or two, with known pictures, for tests that need a real file."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

X264 = {"preset": "ultrafast"}


def moving(n: int = 50, width: int = 128, height: int = 72) -> list[np.ndarray]:
    """Pictures (height, width, 3) uint8, each different from the one before: noise that moves and brightens."""
    noise = np.random.default_rng(0).integers(0, 128, (height, width, 3), dtype=np.uint8)
    return [np.roll(noise, (k, 2 * k), (0, 1)) + np.uint8(k % 50) for k in range(n)]


def plain(colour: tuple[int, int, int], width: int = 128, height: int = 72) -> np.ndarray:
    """One picture of one colour."""
    return np.full((height, width, 3), colour, np.uint8)


def write_clip(
    path: Path,
    pictures: Sequence[np.ndarray],
    *,
    codec: str = "libx264",
    options: dict[str, str] | None = None,
    pix_fmt: str = "yuv420p",
    rate: int = 25,
    times: Sequence[int] | None = None,
    gop: int = 12,
    b_frames: int = 0,
    ratio: Fraction = Fraction(1),
    rotation: int = 0,
    container: str | None = None,
) -> Path:
    """Encode pictures, RGB uint8; ``times`` in frames (default 0, 1, 2 …), ``rotation`` in degrees clockwise."""
    height, width = pictures[0].shape[:2]
    with av.open(str(path), "w", format=container) as file:
        stream = file.add_stream(codec, rate=rate)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = width, height, pix_fmt
        stream.options = X264 if options is None else options
        stream.codec_context.gop_size = gop
        stream.codec_context.max_b_frames = b_frames
        stream.codec_context.sample_aspect_ratio = ratio
        if rotation:
            stream.set_display_rotation(-rotation)
        for k, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format=pix_fmt)
            frame.pts = k if times is None else times[k]
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return path
