"""Cameras and streams: what comes, when it came, and what is said where nothing does.

What a camera does is done by ffmpeg's own source of test pictures; a real device is looked for, too.
"""

from __future__ import annotations

import errno
import http.server
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np
import pytest

from scenefer.core.errors import AccessError, FilmError
from scenefer.video import capture
from scenefer.video.capture import Capture, open_camera, open_url
from tests.clips import moving, write_clip


def shown(seconds: float = 0.5, now: Any = None) -> Capture:
    """Open ffmpeg's test picture, as fast as it is made."""
    container = av.open(f"testsrc=size=640x360:rate=25:duration={seconds}", format="lavfi")
    return Capture(container, "camera test", "camera", **({} if now is None else {"now": now}))


def test_film_time_is_when_pictures_came_and_only_those_on_the_grid_are_converted():
    clock = iter(np.arange(50.0, 100.0, 0.04))
    camera = shown(now=lambda: float(next(clock)))
    came = []
    with pytest.raises(AccessError, match=r"camera test vanished after 0:00:00\.5\d\d: the stream ended; plug it in"):
        came.extend(camera_frames(camera, came))
    assert [round(one.frame.time, 2) for one in came] == [0.0, 0.12, 0.2, 0.32, 0.4]
    assert [one.moment for one in came] == pytest.approx([50 + one.frame.time for one in came])
    first = came[0].frame
    assert first.pixels is not None
    assert (first.pixels.shape, first.small.shape) == ((360, 640, 3), (90, 160, 3))
    assert not (came[0].frame.pixels == came[-1].frame.pixels).all()
    assert (camera.film.width, camera.film.height, camera.film.frame_rate) == (640, 360, 25)


def camera_frames(camera: Capture, came: list[Any]) -> Iterator[Any]:
    for one in camera.frames(10):
        came.append(one)
    yield from ()


def test_two_sessions_have_two_ids():
    assert shown().film.id != shown().film.id


class Refusing:
    """Opens nothing, for a reason."""

    def __init__(self, error: Exception, until: int = 1_000) -> None:
        self.error, self.until, self.asked = error, until, list[dict[str, str]]()

    def __call__(self, place: str, device: str, options: dict[str, str]) -> Any:
        self.asked.append(options)
        if len(self.asked) <= self.until:
            raise self.error
        return av.open("testsrc=size=320x180:rate=25:duration=1", format="lavfi")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (av.error.FileNotFoundError(errno.ENOENT, "No such file"), "there is none; cameras here: /dev/video4"),
        (av.error.PermissionError(errno.EACCES, "Permission denied"), "usermod -aG video"),
        (av.error.OSError(errno.EBUSY, "Device or resource busy"), "used by another program"),
        (av.error.OSError(errno.ENOTTY, "Inappropriate ioctl"), "is no camera"),
        (av.error.OSError(errno.EINVAL, "Invalid argument"), "cannot be opened: Invalid argument"),
    ],
)
def test_why_a_camera_cannot_be_opened_is_said(monkeypatch: pytest.MonkeyPatch, error: Exception, said: str):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(capture, "_open", Refusing(error))
    monkeypatch.setattr(capture, "cameras", lambda: ["/dev/video4"])
    with pytest.raises(AccessError) as caught:
        open_camera("2")
    assert said in str(caught.value)
    assert "camera 2" in str(caught.value)


def test_a_camera_that_cannot_do_what_is_asked_for_gives_what_it_can(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "platform", "linux")
    picky = Refusing(av.error.OSError(errno.EINVAL, "Invalid argument"), until=3)
    monkeypatch.setattr(capture, "_open", picky)
    assert open_camera("0", size="1920x1080").film.width == 320
    assert [len(options) for options in picky.asked] == [3, 2, 1, 0]
    assert picky.asked[0] == {"video_size": "1920x1080", "framerate": "30", "input_format": "mjpeg"}


@pytest.mark.parametrize(
    ("system", "name", "place"),
    [
        ("linux", "", "/dev/video4"),
        ("linux", "2", "/dev/video2"),
        ("linux", "/dev/v4l/by-id/x", "/dev/v4l/by-id/x"),
        ("darwin", "", "default"),
        ("darwin", "1", "1"),
        ("win32", "", "video=Front"),
        ("win32", "1", "video=Back"),
        ("win32", "Back", "video=Back"),
    ],
)
def test_every_system_names_its_cameras(monkeypatch: pytest.MonkeyPatch, system: str, name: str, place: str):
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(capture, "cameras", lambda: ["/dev/video4"] if system == "linux" else ["Front", "Back"])
    assert capture._device_of(name, capture._DEVICES[system]) == place


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """A server of two files: a clip, and a text."""
    write_clip(tmp_path / "clip.mkv", moving(25))
    write_clip(tmp_path / "clip.ts", moving(25))
    (tmp_path / "text.html").write_text("<p>no film</p>")
    (tmp_path / "list.m3u8").write_text(
        f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://{tmp_path}/clip.ts\n#EXT-X-ENDLIST\n"
    )

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *given: Any) -> None:
            super().__init__(*given, directory=str(tmp_path))

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_an_address_is_read_until_it_ends(served: str):
    stream = open_url(f"{served}/clip.mkv")
    came: list[Any] = []
    with pytest.raises(AccessError, match=r"clip\.mkv vanished after .*: the stream ended; check that it still sends"):
        came.extend(camera_frames(stream, came))
    assert came
    stream.close()


def test_what_is_no_stream_is_said(served: str):
    with pytest.raises(FilmError, match="sends no video"):
        open_url(f"{served}/text.html")
    with pytest.raises(AccessError, match="does not answer"):
        open_url(f"{served}/nothing")


def test_a_playlist_of_elsewhere_opens_no_file_of_this_machine(served: str, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(FilmError):
        open_url(f"{served}/list.m3u8")
    monkeypatch.setattr(capture, "_PROTOCOLS", f"{capture._PROTOCOLS},file")
    open_url(f"{served}/list.m3u8").close()  # it is the rule that keeps it out


def test_a_server_that_is_silent_is_left_after_some_seconds(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(capture, "_PATIENCE", 0.3)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(AccessError, match=r"nothing came for 0\.3 s"):
            open_url(f"http://127.0.0.1:{silent.getsockname()[1]}/")


def test_an_address_is_shown_without_its_secrets():
    assert capture.without_secrets("rtsp://me:pw@cam:554/live?token=1#x") == "rtsp://cam:554/live"
    assert capture.is_url("rtsp://cam/live")
    assert not capture.is_url("file:///etc/passwd")
    assert not capture.is_url("C:\\film.mp4")
    for wrong in ("rtsp://[cam/live", "RTSP://me:pw@[cam/live?token=1"):
        assert capture.is_url(wrong)
        assert capture.without_secrets(wrong) == "rtsp://[cam/live"
    assert capture.without_secrets("http://me:pw@cam?user=a@b") == "http://cam"


@pytest.mark.skipif(not Path("/dev/video0").exists(), reason="no camera is connected")
def test_a_camera_of_this_machine():
    camera = open_camera()
    assert next(camera.frames(10)).frame.pixels is not None
    camera.close()
