"""Encodes pictures as a film, with the sound of the film that they were made from."""

from __future__ import annotations

import math
import os
import subprocess
from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress
from fractions import Fraction
from itertools import chain
from pathlib import Path
from shutil import which
from tempfile import TemporaryFile
from typing import IO, Any, BinaryIO

import av
import ffmpeg
import numpy as np

from scenefer.core.errors import OutputError, PlanError
from scenefer.core.film import Film, Span
from scenefer.core.run_folder import require_not_of_a_run
from scenefer.core.text import printable
from scenefer.video.animation import WEBP
from scenefer.video.container import ONE_FILM, open_container
from scenefer.video.timeline import JUMPING

_PICTURE = {
    "vcodec": "libx264",
    "preset": "veryfast",
    "pix_fmt": "yuv420p",
    "vf": "scale=out_color_matrix=bt709:out_range=tv",
    "colorspace": "bt709",
    "color_primaries": "bt709",
    "color_trc": "bt709",
    "color_range": "tv",
}
_TICKS = 90_000  # per second; time base of pictures with individual times
_SOUND = {"acodec": "aac", "audio_bitrate": "192k"}
# Insert silence where the sound begins late or has gaps, so that it stays in sync with the pictures.
_FILLED = "aresample=async=1:first_pts=0"


def check_target(to: Path, film: Film) -> None:
    """Refuse an invalid output path.

    Raises:
        OutputError, PlanError: it is the film itself or a part of a run, or is not named ``*.mp4``.
    """
    if to.suffix.lower() != ".mp4":
        raise PlanError(f"{to}: it is written as MP4; name it *.mp4")
    require_not_of_a_run(to)
    if to.exists() and to.samefile(film.path):
        raise OutputError(f"{to} is the film itself; choose another --to")


def write_film(pictures: Iterable[np.ndarray], rate: Fraction, film: Film, span: Span, to: Path) -> None:
    """Encode pictures as H.264 in MP4 with the sound of a film; write to a temporary name, then rename.

    The output folder is created if it is missing.

    Args:
        pictures: (H, W, 3) uint8 RGB, all of one size; an odd last row or column is cut off.
        rate: pictures a second.
        span: the part of ``film`` whose sound is taken.

    Raises:
        OutputError: the encoder cannot be started or fails; nothing is left behind.
    """
    coming = iter(pictures)
    first = next(coming, None)
    if first is None:
        raise OutputError(f"{to} cannot be written: no frame of the film lies in this part of it")
    height, width = (side // 2 * 2 for side in first.shape[:2])
    drawn = ffmpeg.input("pipe:", format="rawvideo", pix_fmt="rgb24", s=f"{width}x{height}", r=f"{rate}")
    with _encoder(drawn, film, span, to, {"crf": 18}) as pipe:
        for picture in chain([first], coming):
            pipe.write(picture[:height, :width].tobytes())


def write_timed(pictures: Iterable[tuple[float, np.ndarray]], film: Film, span: Span, to: Path) -> None:
    """Encode pictures with individual times, and the sound of a film; otherwise as ``write_film``.

    There is a key frame about every second, so that players can seek quickly.

    Args:
        pictures: film time in seconds, increasing, and (H, W, 3) uint8 RGB, H and W even.
    """
    coming = iter(pictures)
    first = next(coming, None)
    if first is None:
        raise OutputError(f"{to} cannot be written: no frame of the film lies in this part of it")
    # ffmpeg shifts its input to begin at 0; the offset restores a first picture that comes after the sound.
    drawn = ffmpeg.input("pipe:", format="nut", itsoffset=f"{first[0]:.6f}")
    every = {"crf": 23, "g": max(1, round(film.frame_rate)), "fps_mode": "passthrough", "enc_time_base": f"1/{_TICKS}"}
    with (
        _encoder(drawn, film, span, to, every) as pipe,
        av.open(pipe, "w", format="nut") as timed,  # unlike raw video, NUT carries timestamps
    ):
        stream = timed.add_stream("rawvideo", rate=film.frame_rate)
        stream.height, stream.width = first[1].shape[:2]
        stream.pix_fmt = "rgb24"
        stream.time_base = stream.codec_context.time_base = Fraction(1, _TICKS)
        for time, picture in chain([first], coming):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            frame.pts, frame.time_base = round(time * _TICKS), Fraction(1, _TICKS)
            timed.mux(stream.encode(frame))
        timed.mux(stream.encode(None))


@contextmanager
def _encoder(drawn: Any, film: Film, span: Span, to: Path, how: dict[str, Any]) -> Generator[IO[bytes]]:
    """Start the encoder and yield its input pipe; afterwards wait for it and rename its output to ``to``."""
    to = Path(os.path.realpath(to))  # a link is kept, and what it leads to is written
    beside = to.with_name(to.name + ".tmp")
    encoder: subprocess.Popen[bytes] | None = None
    with TemporaryFile() as said:
        try:
            to.parent.mkdir(parents=True, exist_ok=True)
            command = _command(drawn, film, span, beside, how)
            encoder = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=said)
            assert encoder.stdin is not None
            yield encoder.stdin
            encoder.communicate()
            if encoder.returncode != 0:
                raise BrokenPipeError
            os.replace(beside, to)
        except BrokenPipeError as error:
            raise OutputError(f"{to} cannot be written; the encoder says: {_last_words(encoder, said)}") from error
        except OSError as error:
            raise OutputError(f"{to} cannot be written: {error.strerror or error}") from error
        finally:
            if encoder is not None and encoder.poll() is None:
                encoder.kill()
                encoder.wait()
            if encoder is not None and encoder.stdin is not None:
                with suppress(BrokenPipeError):  # buffered data that it no longer accepts
                    encoder.stdin.close()
            with suppress(OSError):
                beside.unlink()


def _command(drawn: Any, film: Film, span: Span, to: Path, how: dict[str, Any]) -> list[str]:
    """Build the encoder's command as a list of arguments; no shell is involved."""
    # "file:" and an absolute path, as in container.py, so that names beginning with "-" or "concat:" are plain names.
    # ffmpeg-python accepts only UTF-8, which file names need not be, so they replace placeholders at the end.
    names = {"FILM": "file:" + os.path.abspath(film.path), "OVERLAY": "file:" + os.path.abspath(to)}
    streams, sound = [drawn.video], {}
    if film.container != WEBP:  # ffmpeg cannot open animated WebP, and it has no sound
        cut, filters = _sound_of(film, span)
        original = ffmpeg.input("FILM", vn=None, **ONE_FILM, **cut)
        streams, sound = [drawn.video, original["a?"]], {"af": filters, **_SOUND}
    written = ffmpeg.output(
        *streams,
        "OVERLAY",
        format="mp4",
        movflags="+faststart",
        map_metadata=-1,
        **_PICTURE,
        **how,
        **sound,
    )
    quiet = written.global_args("-hide_banner", "-nostdin", "-loglevel", "error", "-y")
    return [names.get(str(word), str(word)) for word in ffmpeg.compile(quiet, cmd=_binary())]


def _sound_of(film: Film, span: Span) -> tuple[dict[str, Any], str]:
    """Choose ffmpeg's seek options for the sound of a span, and the filters that align it with the pictures."""
    start, length = film.start + span.start, span.end - span.start
    if film.container not in JUMPING:
        cut: dict[str, Any] = {"seek_timestamp": 1, "ss": f"{start:.6f}"} if start > 0 else {}
        return cut | ({} if math.isinf(length) else {"t": f"{length:.6f}"}), _FILLED
    # In formats whose clock may jump, ffmpeg counts from the first sound if the pictures are not read.
    with open_container(film.path) as container:
        begins = [
            float(sound.start_time * sound.time_base)
            for sound in container.streams.audio
            if sound.start_time is not None and sound.time_base is not None
        ]
    late = min(begins, default=start) - start
    laid = f"adelay={1000 * late:.0f}:all=1" if late > 0 else f"atrim=start={-late:.6f},asetpts=PTS-{-late:.6f}/TB"
    return {}, f"{laid},{_FILLED}" + ("" if math.isinf(length) else f",atrim=end={length:.6f}")


def _binary() -> str:
    """Find ffmpeg: on the PATH, else the one bundled with imageio-ffmpeg."""
    found = which("ffmpeg")
    if found:
        return found
    from imageio_ffmpeg import get_ffmpeg_exe

    return get_ffmpeg_exe()


def _last_words(encoder: subprocess.Popen[bytes] | None, said: BinaryIO) -> str:
    if encoder is not None:
        encoder.wait()
    said.seek(0)
    lines = said.read().decode("utf-8", "replace").splitlines()
    return printable(next((line for line in reversed(lines) if line.strip()), "nothing"))
