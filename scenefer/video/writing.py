"""Encodes pictures as a film, beside the sound of the film that they were made from."""

from __future__ import annotations

import math
import os
import subprocess
from collections.abc import Iterable
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from shutil import which
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any, BinaryIO

import ffmpeg

from scenefer.errors import OutputError, printable
from scenefer.film import Film, Span
from scenefer.video.container import ONE_FILM, open_container
from scenefer.video.timeline import JUMPING

if TYPE_CHECKING:
    import numpy as np

_PICTURE = {
    "vcodec": "libx264",
    "crf": 18,
    "preset": "veryfast",
    "pix_fmt": "yuv420p",
    "vf": "scale=out_color_matrix=bt709:out_range=tv",
    "colorspace": "bt709",
    "color_primaries": "bt709",
    "color_trc": "bt709",
    "color_range": "tv",
}
_SOUND = {"acodec": "aac", "audio_bitrate": "192k"}
# Silence where the sound begins late or has holes, so that it stays beside its pictures.
_FILLED = "aresample=async=1:first_pts=0"


def write_film(pictures: Iterable[np.ndarray], rate: Fraction, film: Film, span: Span, to: Path) -> None:
    """Encode pictures as H.264 in MP4 with the sound of a film, beside its place first, then renamed.

    Its folder is made where there is none.

    Args:
        pictures: (H, W, 3) uint8 RGB, all of one size; a last odd row or column is cut off.
        rate: pictures a second.
        span: the part of ``film`` whose sound is taken.

    Raises:
        OutputError: the encoder cannot be started or fails; nothing is left behind.
    """
    beside = to.with_name(to.name + ".tmp")
    encoder: subprocess.Popen[bytes] | None = None
    with TemporaryFile() as said:
        try:
            to.parent.mkdir(parents=True, exist_ok=True)
            for picture in pictures:
                height, width = (side // 2 * 2 for side in picture.shape[:2])
                if encoder is None:
                    command = _command(width, height, rate, film, span, beside)
                    encoder = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=said)
                assert encoder.stdin is not None
                encoder.stdin.write(picture[:height, :width].tobytes())
            if encoder is None:
                raise OutputError(f"{to} cannot be written: no frame of the film lies in this part of it")
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
                with suppress(BrokenPipeError):  # what could no longer be given to it
                    encoder.stdin.close()
            with suppress(OSError):
                beside.unlink()


def _command(width: int, height: int, rate: Fraction, film: Film, span: Span, to: Path) -> list[str]:
    """Write the encoder's command: a list of words, of which no shell reads any."""
    drawn = ffmpeg.input("pipe:", format="rawvideo", pix_fmt="rgb24", s=f"{width}x{height}", r=f"{rate}")
    cut, filters = _sound_of(film, span)
    # "file:" and an absolute path, as in container.py: a name that begins with "-" or "concat:" is a name.
    original = ffmpeg.input("file:" + os.path.abspath(film.path), vn=None, **ONE_FILM, **cut)
    written = ffmpeg.output(
        drawn.video,
        original["a?"],
        "file:" + os.path.abspath(to),
        format="mp4",
        movflags="+faststart",
        map_metadata=-1,
        af=filters,
        **_PICTURE,
        **_SOUND,
    )
    quiet = written.global_args("-hide_banner", "-nostdin", "-loglevel", "error", "-y")
    return [str(word) for word in ffmpeg.compile(quiet, cmd=_binary())]


def _sound_of(film: Film, span: Span) -> tuple[dict[str, Any], str]:
    """Choose how ffmpeg enters a film for its sound, and the filters that lay the sound beside the span's pictures."""
    start, length = film.start + span.start, span.end - span.start
    if film.container not in JUMPING:
        cut: dict[str, Any] = {"seek_timestamp": 1, "ss": f"{start:.6f}"} if start > 0 else {}
        return cut | ({} if math.isinf(length) else {"t": f"{length:.6f}"}), _FILLED
    # Where clocks may jump and the pictures are not read, ffmpeg begins to count at the first sound.
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
    """Find ffmpeg: the one on the PATH, else the one that imageio-ffmpeg brings along."""
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
