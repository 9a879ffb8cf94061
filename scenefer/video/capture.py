"""Cameras and streams of the network: pictures as they come, each with the moment at which it came.

A camera is opened by ffmpeg's own device of the system: v4l2 on Linux, avfoundation on macOS, dshow on Windows. Its
film time is when pictures came, since clocks of devices and of streams begin and jump as they like.
"""

from __future__ import annotations

import errno
import re
import secrets
import sys
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import av
import av.error
from av.device import enumerate_input_devices

from scenefer.core.errors import AccessError, FilmError
from scenefer.core.film import Film, clock
from scenefer.core.text import printable
from scenefer.video.colour import Converter, displayed_size
from scenefer.video.container import LARGEST_PICTURE, check_size, choose_stream, prepare
from scenefer.video.frame import Frame, ReaderNotes
from scenefer.video.timeline import grid_index

if TYPE_CHECKING:
    from av.container import InputContainer

SCHEMES = ("http", "https", "rtsp", "rtsps", "rtmp", "rtmps", "srt", "udp", "tcp", "rtp")
# Whatever a server sends, it opens no file of this machine: a playlist may name any address.
_PROTOCOLS = ",".join((*SCHEMES, "tls", "crypto", "httpproxy"))
_DEVICES = {"linux": "v4l2", "darwin": "avfoundation", "win32": "dshow"}
_PATIENCE = 5.0  # seconds that a server may take to answer, and to send on
_GUESSED_RATE = Fraction(30)  # of a camera that states none
_USUAL_RATES = (1, 240)  # frames a second that a camera can mean


class Captured(NamedTuple):
    """A picture, and when it came, seconds of the clock that counts."""

    moment: float
    frame: Frame


class Capture:
    """A camera or a stream that is open.

    Args:
        shown: what messages call it.
        now: the clock, seconds.
    """

    def __init__(
        self, container: InputContainer, shown: str, kind: str, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._container, self._shown, self._kind, self._now = container, shown, kind, now
        stream = choose_stream(container, Path(shown))
        # One thread a picture: those that work on several pictures at once give each some pictures later.
        self._stream = prepare(container, stream.index, threads=1)
        self.film = _film_of(container, self._stream, shown)

    def frames(self, rate: float) -> Iterator[Captured]:
        """Yield pictures as they come, the first at or after each multiple of 1 / rate; film time begins with them.

        Raises:
            AccessError: it gives no more.
        """
        converter = Converter(self.film, ReaderNotes())
        began: float | None = None
        last, index = -1, 0
        try:
            for decoded in self._container.decode(self._stream):
                moment = self._now()
                began = moment if began is None else began
                if (place := grid_index(moment - began, rate)) <= last:
                    continue  # the device's queue is emptied, whatever is made of its pictures
                last = place
                small, picture = converter.small(decoded), converter.picture(decoded)
                yield Captured(moment, Frame(index, moment - began, small, picture))
                index += 1
        except av.error.FFmpegError as error:
            raise AccessError(_lost(self._shown, self._kind, began, self._now(), _reason(error))) from error
        raise AccessError(_lost(self._shown, self._kind, began, self._now(), "the stream ended"))

    def close(self) -> None:
        """Let the device go."""
        self._container.close()


def open_camera(name: str = "", size: str = "1280x720", rate: float = 30) -> Capture:
    """Open a camera.

    Args:
        name: a number, a device (``/dev/video2``), or the name that the system gives it; "" takes the first.
        size, rate: that are asked for; what the camera cannot, it gives as it likes.

    Raises:
        AccessError: there is none, it is busy, or it may not be opened.
    """
    device = _DEVICES.get(sys.platform, "v4l2")
    place = _device_of(name, device)
    asked = {"video_size": size, "framerate": f"{rate:g}"}
    # Compressed, since raw pictures of 720 lines come ten times a second over USB 2.
    compressed = [{**asked, "input_format": "mjpeg"}] if device == "v4l2" else []
    shown = f"camera {printable(name or place)}"
    for options in (*compressed, asked, {"framerate": f"{rate:g}"}, {}):
        try:
            return Capture(_open(place, device, options), shown, "camera")
        except av.error.FFmpegError as error:
            if options and error.errno in (errno.EINVAL, errno.EIO) and not isinstance(error, FileNotFoundError):
                continue  # it cannot do what was asked for
            raise AccessError(_why_no_camera(shown, name, device, error)) from error
        except ValueError as error:
            raise AccessError(f"{shown}: this build of PyAV reads no cameras ({device}); pip install av") from error
    raise AssertionError("the last try has no options")  # pragma: no cover


def open_url(url: str) -> Capture:
    """Open a camera of the network, or another stream.

    Raises:
        AccessError: it does not answer, or does not let us in.
        FilmError: what it sends is no film.
    """
    shown = without_secrets(url)
    options = {
        "protocol_whitelist": _PROTOCOLS,
        "max_pixels": str(LARGEST_PICTURE),
        "fflags": "nobuffer",  # what is buffered is late
        "rtsp_transport": "tcp",
    }
    try:
        return Capture(av.open(url, "r", options=options, timeout=_PATIENCE), shown, "stream")
    except av.error.InvalidDataError as error:
        raise FilmError(f"{shown} sends no video that can be read; give the address of the stream itself") from error
    except (av.error.FFmpegError, ValueError) as error:
        raise AccessError(
            f"{shown} does not answer: {_reason(error)}; check the address, and that this machine reaches it"
        ) from error


def is_url(source: str) -> bool:
    """Tell whether a source is an address of the network."""
    scheme, mark, _ = source.partition("://")
    return bool(mark) and scheme.lower() in SCHEMES


def without_secrets(url: str) -> str:
    """Write an address without user, password and query, which often hold secrets: for screens, files and messages."""
    scheme, mark, rest = url.partition("://")  # urlsplit refuses addresses that are wrong, which are shown too
    place, slash, path = re.split("[?#]", rest, maxsplit=1)[0].partition("/")
    return printable(f"{scheme.lower()}{mark}{place.rpartition('@')[2]}{slash}{path}")


def cameras() -> list[str]:
    """Name the cameras of this machine, as the system does; none where it does not tell."""
    try:
        found = enumerate_input_devices(_DEVICES.get(sys.platform, "v4l2"))
    except (ValueError, av.error.FFmpegError):
        return []
    return [device.name for device in found if not device.media_types or "video" in device.media_types]


def _device_of(name: str, device: str) -> str:
    """Return what the system's device calls a camera."""
    known = cameras()
    if device == "v4l2":
        if not name:
            return known[0] if known else "/dev/video0"
        return f"/dev/video{name}" if name.isdecimal() else name
    if device == "dshow":
        number = int(name) if name.isdecimal() else 0
        named = name if name and not name.isdecimal() else known[number] if number < len(known) else name or "0"
        return named if named.startswith("video=") else f"video={named}"
    return name or "default"


def _open(place: str, device: str, options: dict[str, str]) -> InputContainer:
    return av.open(place, "r", format=device, options=dict(options))


def _film_of(container: InputContainer, stream: Any, shown: str) -> Film:
    context = stream.codec_context
    check_size(Path(shown), context.width, context.height)
    ratio = stream.sample_aspect_ratio or Fraction(1)
    width, height = displayed_size(context.width, context.height, ratio, 0)
    rate = stream.average_rate or stream.guessed_rate or _GUESSED_RATE
    if not _USUAL_RATES[0] <= rate <= _USUAL_RATES[1]:
        rate = _GUESSED_RATE
    return Film(
        path=Path(re.sub(r"[/\\]+", " ", shown).strip()),
        id=secrets.token_hex(8),  # what is before a camera has no content that could be hashed, and comes once
        width=width,
        height=height,
        duration=None,
        frame_rate=Fraction(rate).limit_denominator(1001),
        container=container.format.name,
        codec=context.name,
        sample_aspect_ratio=ratio,
    )


def _why_no_camera(shown: str, name: str, device: str, error: av.error.FFmpegError) -> str:
    known = cameras()
    there = f"cameras here: {', '.join(map(printable, known))}" if known else "no camera is connected"
    if isinstance(error, PermissionError):
        may = {
            "v4l2": "your user must be in the group video: sudo usermod -aG video $USER, then log in again",
            "avfoundation": "allow your terminal the camera: System Settings, Privacy & Security, Camera",
            "dshow": "allow desktop programs the camera: Settings, Privacy & security, Camera",
        }
        return f"{shown} may not be opened: {may[device]}"
    if error.errno == errno.EBUSY:
        return f"{shown} is used by another program; close it there, or name another camera ({there})"
    if isinstance(error, FileNotFoundError) or error.errno in (errno.ENODEV, errno.ENXIO):
        return f"{shown}: there is none; {there}. A film is played instead of a camera: scenefer live FILM"
    if error.errno == errno.ENOTTY:
        return f"{shown} is no camera; {there}"
    return f"{shown} cannot be opened: {_reason(error)}; {there}"


def _lost(shown: str, kind: str, began: float | None, now: float, reason: str) -> str:
    if began is None:
        return f"{shown} gives no picture: {reason}; is it in use, covered or switched off?"
    remedy = "plug it in again" if kind == "camera" else "check that it still sends"
    return f"{shown} vanished after {clock(now - began)}: {reason}; {remedy}, and start again"


def _reason(error: Exception) -> str:
    if isinstance(error, av.error.ExitError):
        return f"nothing came for {_PATIENCE:g} s"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
