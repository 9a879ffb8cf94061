"""Where pictures come from: a camera, an address of the network, or a film that is played as if it were one."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from scenefer.core.errors import PlanError
from scenefer.core.text import printable

if TYPE_CHECKING:
    from scenefer.core.film import Film
    from scenefer.video.capture import Captured

_BEHIND = 1.0  # seconds that decoding may be behind real time, before a film is played more slowly


class Source(Protocol):
    """Gives pictures as they come."""

    @property
    def film(self) -> Film:
        """What is known of it: size, rate, name."""
        ...

    def frames(self, rate: float) -> Iterator[Captured]:
        """Yield pictures, at most ``rate`` a second; it ends where a film ends.

        Raises:
            AccessError: the camera or the stream gives no more.
        """
        ...

    def close(self) -> None:
        """Let it go; called by the thread that took its pictures."""
        ...


class PlayedFilm:
    """A film, played at its own speed.

    Args:
        loop: begin again where it ends; film time goes on.
        stopped: set when nothing more is wanted.
    """

    def __init__(
        self,
        film: Film,
        *,
        loop: bool = False,
        stopped: threading.Event | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.film, self._loop, self._now = film, loop, now
        self._stopped = stopped or threading.Event()

    def frames(self, rate: float) -> Iterator[Captured]:
        """Yield each picture at the moment at which it is to be seen."""
        from scenefer import video
        from scenefer.video.capture import Captured

        began, offset, index = self._now(), 0.0, 0
        while True:
            end = offset
            for frame in video.frames(self.film, sample_rate=rate, threads=1):
                end = offset + frame.time
                if not frame.sampled:
                    continue
                due = began + end
                if (behind := self._now() - due) > _BEHIND:
                    began, due = began + behind, due + behind
                if self._stopped.wait(max(0.0, due - self._now())):
                    return
                yield Captured(due, frame._replace(index=index, time=end))
                index += 1
            if not self._loop or end == offset:
                return
            offset = end + float(1 / self.film.frame_rate)

    def close(self) -> None:
        """Do nothing: the reader closes the film itself."""


def open_source(named: str, *, loop: bool, size: str, stopped: threading.Event) -> Source:
    """Open what a user names: "" is the first camera.

    Raises:
        FilmError: it cannot be opened; the message says why, and what to do.
        PlanError: it is a still, or --loop is asked of a camera.
    """
    from scenefer import video
    from scenefer.video import capture

    is_camera = not named or named.isdecimal() or named.startswith(("/dev/", "video="))
    if not is_camera and not capture.is_url(named) and os.path.exists(named):
        film = video.probe(Path(named))
        if film.kind != "video":
            raise PlanError(f"{printable(named)} does not move; scenefer analyze reads stills")
        return PlayedFilm(film, loop=loop, stopped=stopped)
    if loop:
        raise PlanError("--loop is for films: a camera does not end")
    if capture.is_url(named):
        if os.environ.get("SCENEFER_OFFLINE") == "1":
            raise PlanError(f"{capture.without_secrets(named)} is of the network, which SCENEFER_OFFLINE=1 forbids")
        return capture.open_url(named)
    if not is_camera and (Path(named).suffix or "/" in named) and named not in capture.cameras():
        raise PlanError(f"{printable(named)}: there is no such film; a camera is 0, 1, … or the name of its device")
    return capture.open_camera(named, size)
