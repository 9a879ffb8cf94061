"""A picture is a film of one frame, a folder of pictures a film of one frame a second."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from scenefer.errors import FilmError, PlanError
from scenefer.film import Span
from scenefer.video import ReaderNotes, frames, probe
from tests.clips import plain

RED, BLUE = (255, 0, 0), (0, 0, 255)


def save(path: Path, pixels: np.ndarray, orientation: int = 1) -> Path:
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(pixels).save(path, exif=exif)
    return path


def test_a_picture_is_one_sampled_frame(tmp_path):
    film = probe(save(tmp_path / "a.png", plain(RED, 640, 360)))
    assert (film.kind, film.width, film.height, film.duration) == ("still", 640, 360, 1.0)
    (frame,) = frames(film, sample_rate=0.1)
    assert frame.time == 0.0
    assert frame.pixels is not None
    assert frame.pixels.shape == (360, 640, 3)
    assert frame.pixels[0, 0].tolist() == [255, 0, 0]
    assert frame.small.shape == (180, 320, 3)


def test_the_name_of_a_picture_does_not_matter(tmp_path):
    (tmp_path / "film.mp4").write_bytes(save(tmp_path / "a.jpg", plain(RED)).read_bytes())
    assert probe(tmp_path / "film.mp4").kind == "still"


def test_a_picture_with_a_damaged_tag_is_read_without_a_word(tmp_path):
    """What Pillow warns of would stand on the user's terminal; here warnings are errors."""
    content = bytearray(save(tmp_path / "a.tif", plain(RED, 16, 8)).read_bytes())
    entry = content.index(struct.pack("<HHI", 284, 3, 1))  # planar configuration, one short
    struct.pack_into("<II", content, entry + 4, 1000, 1 << 28)
    (tmp_path / "a.tif").write_bytes(content)
    (frame,) = frames(probe(tmp_path / "a.tif"), sample_rate=1)
    assert frame.pixels is not None
    assert frame.pixels[0, 0].tolist() == [255, 0, 0]


def test_the_orientation_of_a_photograph_is_applied(tmp_path):
    pixels = np.hstack([plain(RED, 40, 60), plain(BLUE, 40, 60)])
    film = probe(save(tmp_path / "a.png", pixels, orientation=6))  # 6: turn by 90 degrees clockwise
    assert (film.width, film.height) == (60, 80)
    (frame,) = frames(film, sample_rate=1)
    assert frame.pixels is not None
    assert frame.pixels[0, 0].tolist() == list(RED)
    assert frame.pixels[-1, 0].tolist() == list(BLUE)


def test_a_photograph_with_a_tag_of_a_wrong_type_is_turned_all_the_same(tmp_path):
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Maker"
    Image.fromarray(np.hstack([plain(RED, 40, 60), plain(BLUE, 40, 60)])).save(tmp_path / "a.jpg", exif=exif)
    content = (tmp_path / "a.jpg").read_bytes()
    maker, rational = struct.pack(">HH", 0x010F, 2), struct.pack(">HH", 0x010F, 5)
    if maker not in content:
        maker, rational = struct.pack("<HH", 0x010F, 2), struct.pack("<HH", 0x010F, 5)
    assert content.count(maker) == 1
    (tmp_path / "a.jpg").write_bytes(content.replace(maker, rational))
    (frame,) = frames(probe(tmp_path / "a.jpg"), sample_rate=1)
    assert frame.pixels is not None
    assert frame.pixels.shape == (80, 60, 3)
    assert np.abs(frame.pixels[5, 30].astype(int) - RED).max() < 20


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_that_of_pillow(tmp_path: Path, orientation: int):
    path = save(tmp_path / "a.png", np.random.default_rng(0).integers(0, 255, (4, 6, 3), np.uint8), orientation)
    (frame,) = frames(probe(path), sample_rate=1)
    with Image.open(path) as stored:
        expected = np.asarray(ImageOps.exif_transpose(stored))
    assert frame.pixels is not None
    assert np.array_equal(frame.pixels, expected)


def test_grey_of_16_bits_and_transparency_are_read(tmp_path):
    Image.fromarray(np.full((8, 8), 0x8000, np.uint16)).save(tmp_path / "grey.png")
    (grey,) = frames(probe(tmp_path / "grey.png"), sample_rate=1)
    assert grey.pixels is not None
    assert grey.pixels[0, 0].tolist() == [128, 128, 128]
    Image.fromarray(np.zeros((8, 8, 4), np.uint8)).save(tmp_path / "clear.png")
    (clear,) = frames(probe(tmp_path / "clear.png"), sample_rate=1)
    assert clear.pixels is not None
    assert clear.pixels[0, 0].tolist() == [255, 255, 255]


def test_a_folder_is_read_in_the_order_in_which_people_count(tmp_path):
    for name in ("10.png", "9.png", "1.png"):
        save(tmp_path / name, plain((int(name[:-4]), 0, 0)))
    (tmp_path / "notes.txt").write_text("no picture")
    film = probe(tmp_path)
    assert (film.kind, film.duration) == ("stills", 3.0)
    read = list(frames(film, sample_rate=0.1))
    assert [(frame.time, int(frame.small[0, 0, 0])) for frame in read] == [(0.0, 1), (1.0, 9), (2.0, 10)]
    assert all(frame.pixels is not None for frame in read)


def test_a_part_of_a_folder_has_its_run_up(tmp_path):
    for k in range(4):
        save(tmp_path / f"{k}.png", plain((k, 0, 0)))
    read = list(frames(probe(tmp_path), Span(2.0, 3.0), sample_rate=1))
    assert [(frame.time, frame.run_up, frame.index) for frame in read] == [(1.0, True, -1), (2.0, False, 0)]


def test_a_picture_of_another_shape_is_letterboxed_into_the_first_ones(tmp_path):
    save(tmp_path / "1.png", plain(RED, 160, 90))
    save(tmp_path / "2.png", plain(BLUE, 90, 90))
    _, second = frames(probe(tmp_path), sample_rate=1)
    assert second.pixels is not None
    assert second.pixels.shape == (90, 160, 3)
    assert second.pixels[45, 0].tolist() == [0, 0, 0]
    assert second.pixels[45, 80].tolist() == list(BLUE)


def test_a_broken_picture_is_left_out_and_said(tmp_path):
    save(tmp_path / "1.png", plain(RED))
    (tmp_path / "2.png").write_bytes(b"")
    cut = save(tmp_path / "3.png", np.random.default_rng(0).integers(0, 255, (90, 160, 3), np.uint8))
    cut.write_bytes(cut.read_bytes()[:2000])
    film, notes = probe(tmp_path), ReaderNotes()
    assert [frame.time for frame in frames(film, sample_rate=1, notes=notes)] == [0.0]
    assert notes.damaged == [(1.0, "2.png"), (2.0, "3.png")]
    assert notes.partial


def test_a_folder_without_pictures_is_a_mistake_of_the_user(tmp_path):
    with pytest.raises(PlanError, match="has no pictures"):
        probe(tmp_path)


def test_a_folder_of_broken_pictures_is_a_film_that_cannot_be_read(tmp_path):
    (tmp_path / "1.png").write_bytes(b"")
    with pytest.raises(FilmError, match="none of its 1 pictures can be opened"):
        probe(tmp_path)


def test_a_broken_still_is_an_error(tmp_path):
    path = save(tmp_path / "1.png", np.random.default_rng(0).integers(0, 255, (90, 160, 3), np.uint8))
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(FilmError, match="the picture is damaged"):
        list(frames(probe(path), sample_rate=1))


def test_a_folder_of_the_same_pictures_has_the_same_id(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        save(tmp_path / folder / "1.png", plain(RED))
    assert probe(tmp_path / "a").id == probe(tmp_path / "b").id
    save(tmp_path / "b" / "2.png", plain(BLUE))
    assert probe(tmp_path / "a").id != probe(tmp_path / "b").id
