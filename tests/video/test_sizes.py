"""A film is read at the size that most of it has, whatever size it begins with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from scenefer.video import ReaderNotes, frames, probe
from tests.clips import copied, moving, plain, write_clip


def grown(folder: Path, name: str, codec: str, *parts: tuple[int, int, int]) -> Path:
    """Write a film of several parts: frames, width, height."""
    clips = [
        write_clip(folder / f"{k}.mkv", moving(*part), codec=codec, options={}, gop=10) for k, part in enumerate(parts)
    ]
    return copied(folder / name, *clips)


@pytest.mark.parametrize(
    ("name", "codec"), [("call.mkv", "mpeg2video"), ("call.ts", "mpeg2video"), ("call.webm", "libvpx")]
)
def test_a_recording_that_starts_small_is_read_at_the_size_that_it_grows_to(tmp_path: Path, name: str, codec: str):
    notes = ReaderNotes()
    film = probe(grown(tmp_path, name, codec, (20, 96, 64), (80, 640, 360)))
    assert (film.width, film.height) == (640, 360)
    read = list(frames(film, sample_rate=5, notes=notes))
    assert len(read) >= 99  # of MPEG-2, the decoder keeps the last frame before the change
    assert {frame.small.shape for frame in read} == {(90, 160, 3)}
    assert [round(frame.time, 2) for frame in read if frame.pixels is not None] == [k / 5 for k in range(4, 20)]
    assert {frame.pixels.shape for frame in read if frame.pixels is not None} == {(360, 640, 3)}
    assert (notes.n_resized, notes.n_too_small) == (20 - (100 - len(read)), 4)
    assert "4 samples, first at 0:00:00.000, are far smaller than the film" in notes.warnings()[-1]


def test_a_film_that_is_small_for_a_moment_is_read_at_its_usual_size(tmp_path: Path):
    film = probe(grown(tmp_path, "call.mkv", "mpeg2video", (20, 640, 360), (10, 320, 192), (50, 640, 360)))
    assert (film.width, film.height) == (640, 360)
    samples = [frame for frame in frames(film, sample_rate=5) if frame.pixels is not None]
    assert len(samples) == 16  # 320 x 192 is large enough to look for faces


def test_a_film_that_is_small_throughout_is_searched_for_faces(tmp_path: Path):
    film = probe(write_clip(tmp_path / "small.mp4", moving(25, 96, 64)))
    assert sum(frame.pixels is not None for frame in frames(film, sample_rate=5)) == 5


def test_a_telephone_that_is_turned_is_not_stretched(tmp_path: Path):
    upright = write_clip(tmp_path / "a.mkv", [plain((200, 200, 200), 96, 160)] * 10, codec="mpeg2video", options={})
    lying = write_clip(tmp_path / "b.mkv", [plain((200, 200, 200), 320, 192)] * 40, codec="mpeg2video", options={})
    first, *_, last = frames(probe(copied(tmp_path / "turned.mkv", upright, lying)), sample_rate=None)
    assert first.pixels is not None
    assert last.pixels is not None
    assert first.pixels.shape == last.pixels.shape == (192, 320, 3)
    bright = np.flatnonzero(first.pixels[96].mean(axis=1) > 100)  # 96 x 160 in 192 lines: 115 columns in the middle
    assert (bright[0], bright[-1]) == (pytest.approx(102, abs=1), pytest.approx(216, abs=1))
    assert last.pixels.min() > 150


def test_the_faces_of_a_call_are_those_of_its_large_part(hunted: Path):
    film = probe(hunted / "couple_144p_then_720p.ts")
    assert (film.width, film.height) == (1280, 720)
    times = [frame.time for frame in frames(film, sample_rate=5) if frame.pixels is not None]
    assert 0.9 < times[0] < 1.3
    assert len(times) == 30
