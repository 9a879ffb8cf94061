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


def joined(path: Path, *parts: Path) -> Path:
    """Put clips behind one another as they lie on the disk."""
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


def copied(path: Path, *parts: Path) -> Path:
    """Put the video of several clips, each of one codec, behind one another in one stream, as they are coded."""
    with av.open(str(path), "w") as file:
        stream, start = None, 0
        for part in parts:
            with av.open(str(part)) as read:
                source = read.streams.video[0]
                stream = stream or file.add_stream_from_template(source)
                end = start
                for packet in read.demux(source):
                    if packet.dts is None or packet.pts is None:
                        continue
                    assert packet.time_base is not None
                    step = round(1 / (25 * packet.time_base))
                    packet.pts, packet.dts = packet.pts + start * step, packet.dts + start * step
                    end += 1
                    packet.stream = stream
                    file.mux(packet)
                start = end
    return path


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
    sound: float = 0.0,
) -> Path:
    """Encode pictures, RGB uint8; ``times`` in frames (default 0, 1, 2 …), ``rotation`` in degrees clockwise.

    Args:
        sound: seconds of a tone beside them, from 0 on.
    """
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
        if sound:
            file.mux(_tone(file, sound))
        for k, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format=pix_fmt)
            frame.pts = k if times is None else times[k]
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return path


def _tone(file: av.container.OutputContainer, seconds: float) -> list[av.Packet]:
    stream = file.add_stream("aac", rate=48_000, layout="mono")
    packets = []
    for begin in range(0, round(48_000 * seconds), 1024):
        wave = 8000 * np.sin(2 * np.pi * 440 / 48_000 * np.arange(begin, begin + 1024))
        frame = av.AudioFrame.from_ndarray(wave.astype(np.int16)[None], format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 48_000, begin, Fraction(1, 48_000)
        packets += stream.encode(frame)
    return [*packets, *stream.encode(None)]


_DIGIT = 16  # px of the side of a burnt-in bit, in a picture of 256 x 144


def numbered(k: int, width: int = 256, height: int = 144) -> np.ndarray:
    """A grey picture with the number ``k`` burnt in: twelve squares in a row, the lowest bit first, white for 1."""
    picture = plain((70, 70, 70), width, height)
    for bit in range(12):
        left = 8 + 20 * bit
        picture[64 : 64 + _DIGIT, left : left + _DIGIT] = 255 if k >> bit & 1 else 0
    return picture


def read_number(shown: np.ndarray) -> int:
    """Read the number back from the picture as shown, at any size; one that is higher than wide was turned by 90°."""
    upright = np.rot90(shown) if shown.shape[0] > shown.shape[1] else shown
    scale = upright.shape[1] / 256
    rows, columns = round(72 * scale), [round((16 + 20 * bit) * scale) for bit in range(12)]
    values = upright[rows, columns].mean(axis=-1)
    assert (np.abs(values - 127) > 50).all(), values
    return sum(1 << bit for bit in range(12) if values[bit] > 127)
