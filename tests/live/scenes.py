"""Sessions without a camera: pictures typed by hand, a clock that a test moves."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

from scenefer.analysis.observation import Models
from scenefer.core.film import Film
from scenefer.live.reading import LiveReader
from scenefer.models import Detections
from scenefer.pipeline.plans import Plan, make_plan
from scenefer.video import ArrayPicture, Frame
from scenefer.video.capture import Captured
from tests.toy_models import BrightnessAsLogit, OneFaceWhereItIsBright

FILM = Film(path=Path("camera 0"), id="0123456789abcdef", width=160, height=90, duration=None, frame_rate=Fraction(10))
RATE = 10.0


class SureFace(OneFaceWhereItIsBright):
    """A detector whose face is believed at once."""

    def detect(self, pictures: Sequence[np.ndarray]) -> list[Detections]:
        return [found._replace(scores=found.scores + np.float32(0.09)) for found in super().detect(pictures)]


def plan() -> Plan:
    return make_plan(options={"observation.sample_rate": RATE, "models.identity": "", "observation.detector": "mtcnn"})


def picture(*, face: bool = True, seed: int = 0) -> np.ndarray:
    """Noise (90, 160, 3), sharp; bright, so that the toy detector finds its face, or dark."""
    low, high = (90, 255) if face else (0, 60)
    return np.random.default_rng(seed).integers(low, high, (90, 160, 3), dtype=np.uint8)


def frame(number: int, *, face: bool = True, time: float | None = None) -> Frame:
    """A picture without a cut before it, whether a face is found in it or not."""
    return Frame(number, number / RATE if time is None else time, picture(), ArrayPicture(picture(face=face)))


def reader() -> LiveReader:
    return LiveReader(Models(SureFace(), BrightnessAsLogit()), plan(), FILM)


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


class Camera:
    """A source that gives what it is told to give, one picture each time that ``give`` allows it.

    Args:
        error: raised after the last picture.
    """

    def __init__(
        self, frames: list[Frame], error: Exception | None = None, now: Callable[[], float] = lambda: 0.0
    ) -> None:
        self.film = FILM
        self.closed = threading.Event()
        self.give = threading.Semaphore(0)
        self._frames, self._error, self._now = frames, error, now

    def frames(self, rate: float) -> Iterator[Captured]:
        assert rate == RATE
        for one in self._frames:
            assert self.give.acquire(timeout=30)
            yield Captured(self._now(), one)
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        self.closed.set()
