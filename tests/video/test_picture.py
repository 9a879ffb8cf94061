"""Pictures of samples: converted when they are asked for, small as when they were reduced from all their pixels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from scenefer.core import geometry
from scenefer.video import ArrayPicture, frames, probe
from scenefer.video.picture import DecodedPicture, size_within
from tests.clips import write_clip


class Counted:
    """A converter that says what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def full(self, frame: np.ndarray, /) -> np.ndarray:
        self.asked.append("full")
        return frame

    def reduced(self, frame: np.ndarray, size: tuple[int, int], /) -> np.ndarray:
        self.asked.append(f"{size[0]} x {size[1]}")
        return frame[: size[1], : size[0]]


def test_nothing_is_converted_before_it_is_asked_for_and_all_pixels_once():
    converter = Counted()
    picture = DecodedPicture(np.zeros((360, 640, 3), np.uint8), converter, (640, 360))
    assert picture.size == (640, 360)
    assert converter.asked == []
    assert picture.reduced(320 * 180).shape == (180, 320, 3)
    assert picture.full is picture.full
    assert picture.reduced(10**9) is picture.full
    assert converter.asked == ["320 x 180", "full"]


@pytest.mark.parametrize(
    ("size", "most", "reduced"),
    [
        ((1920, 1080), 230_400, (640, 360)),
        ((96, 96), 230_400, (96, 96)),
        ((4000, 1), 100, (632, 1)),
        ((2, 3), 1, (1, 1)),
    ],
)
def test_a_size_is_reduced_keeping_its_ratio_and_never_enlarged(size, most, reduced):
    assert size_within(size, most) == reduced


@pytest.mark.parametrize("rotation", [0, 90])
def test_planes_give_the_small_copy_that_all_pixels_give(tmp_path: Path, rotation: int):
    rows, columns = np.mgrid[:360, :640]
    slopes = np.stack([rows * 0.6, columns * 0.3, (rows + columns) * 0.2], axis=2).astype(np.uint8)
    film = probe(write_clip(tmp_path / "a.mp4", [slopes] * 3, rotation=rotation))
    frame = next(iter(frames(film, sample_rate=5.0)))
    reduced = frame.picture.reduced(320 * 180)
    assert frame.pixels is not None
    assert reduced.shape == ((320, 180, 3) if rotation else (180, 320, 3))
    expected = geometry.shrink(frame.pixels, *reduced.shape[1::-1])
    assert np.abs(reduced.astype(int) - expected).max() <= 4


def test_an_array_is_reduced_alike():
    array = np.random.default_rng(0).integers(0, 256, (360, 640, 3), np.uint8)
    picture = ArrayPicture(array)
    np.testing.assert_array_equal(picture.reduced(320 * 180), geometry.shrink(array, 320, 180))
    assert picture.reduced(10**6) is array
