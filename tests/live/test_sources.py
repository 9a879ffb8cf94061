"""A film is played at its own speed; what is no source is said."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from scenefer import video
from scenefer.core.errors import AccessError, PlanError
from scenefer.live.sources import PlayedFilm, open_source
from tests.clips import moving, write_clip


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half a second at 25 frames a second."""
    return write_clip(tmp_path_factory.mktemp("film") / "half.mp4", moving(13))


def test_pictures_come_when_they_are_due_and_on_the_grid(film: Path):
    played = PlayedFilm(video.probe(film))
    began = time.monotonic()
    came = [(time.monotonic() - began, captured) for captured in played.frames(10)]
    assert [round(captured.frame.time, 2) for _, captured in came] == [0.0, 0.12, 0.2, 0.32, 0.4]
    assert all(passed >= captured.frame.time for passed, captured in came)
    assert all(captured.moment <= began + passed for passed, captured in came)
    assert came[0][1].frame.pixels is not None


def test_a_loop_goes_on_in_film_time(film: Path):
    stopped = threading.Event()
    times: list[float] = []
    indices = []
    for captured in PlayedFilm(video.probe(film), loop=True, stopped=stopped).frames(10):
        times.append(captured.frame.time)
        indices.append(captured.frame.index)
        if len(times) == 12:
            stopped.set()
    assert times == sorted(set(times))
    assert times[5:7] == pytest.approx([0.52, 0.64])
    assert indices == list(range(12))


def test_a_film_that_cannot_be_decoded_in_time_is_played_more_slowly(film: Path):
    clock = iter(range(0, 10_000, 5))  # five seconds pass at each look
    played = PlayedFilm(video.probe(film), now=lambda: float(next(clock)))
    behind = [captured.moment for captured in played.frames(10)]
    assert len(behind) == 5
    assert behind == sorted(behind)
    assert behind[-1] > 20


@pytest.mark.parametrize(
    ("named", "loop", "said"),
    [
        ("nowhere.mp4", False, "there is no such film"),
        ("n" * 300 + ".mp4", False, "there is no such film"),
        ("0", True, "--loop is for films"),
        ("rtsp://127.0.0.1:9/cam", True, "--loop is for films"),
    ],
)
def test_what_is_no_source_is_said(named: str, loop: bool, said: str):
    with pytest.raises(PlanError, match=said):
        open_source(named, loop=loop, size="1280x720", stopped=threading.Event())


def test_a_still_is_no_camera(tmp_path: Path):
    import cv2

    cv2.imwrite(str(tmp_path / "still.png"), moving(1)[0])
    with pytest.raises(PlanError, match="does not move"):
        open_source(str(tmp_path / "still.png"), loop=False, size="1280x720", stopped=threading.Event())


def test_an_address_that_does_not_answer_says_so_without_its_password():
    with pytest.raises(AccessError, match=r"^http://127\.0\.0\.1:9/cam does not answer: ") as caught:
        open_source("http://me:secret@127.0.0.1:9/cam?key=1", loop=False, size="", stopped=threading.Event())
    assert "secret" not in str(caught.value)
    assert "key" not in str(caught.value)


def test_offline_no_address_is_read(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SCENEFER_OFFLINE", "1")
    with pytest.raises(PlanError, match="SCENEFER_OFFLINE=1 forbids"):
        open_source("http://127.0.0.1:9/cam", loop=False, size="", stopped=threading.Event())
