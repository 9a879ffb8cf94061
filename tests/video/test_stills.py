"""A picture is a film of one frame, a folder of pictures a film of one frame a second."""

from __future__ import annotations

import struct
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps

from scenefer.core.errors import FilmError, PlanError
from scenefer.core.film import Span
from scenefer.video import ReaderNotes, frames, probe
from tests.clips import plain, write_clip

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
    assert frame.small.shape == (90, 160, 3)


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


def test_each_picture_of_a_folder_is_read_at_its_own_size(tmp_path: Path):
    save(tmp_path / "1 thumbnail.png", plain(RED, 160, 106))
    save(tmp_path / "2.png", plain(BLUE, 640, 480))
    save(tmp_path / "3.png", plain(RED, 300, 400), orientation=6)
    film = probe(tmp_path)
    read = list(frames(film, sample_rate=1))
    assert (film.width, film.height) == (640, 480)
    shapes = [frame.pixels.shape[:2] for frame in read if frame.pixels is not None]
    assert shapes == [(106, 160), (480, 640), (300, 400)]
    assert [frame.small.shape for frame in read] == [(120, 160, 3)] * 3
    assert read[0].small[60, 80].tolist() == list(RED)
    assert read[0].small[2, 80].tolist() == [0, 0, 0]  # of another shape: between bars


def box(kind: bytes, *content: bytes) -> bytes:
    return struct.pack(">I", 8 + sum(map(len, content))) + kind + b"".join(content)


def heic(path: Path, pixels: np.ndarray, tile: int) -> Path:
    """Write a picture in tiles as telephones do: ISO/IEC 23008-12, items of HEVC and one that lays them in a grid."""
    height, width = pixels.shape[:2]
    rows, columns = -(-height // tile), -(-width // tile)
    filled = np.pad(pixels, ((0, rows * tile - height), (0, columns * tile - width), (0, 0)), "edge")
    coded = []
    configuration = b""
    for row in range(rows):
        for column in range(columns):
            part = filled[row * tile : (row + 1) * tile, column * tile : (column + 1) * tile]
            clip = write_clip(
                path.with_suffix(".mp4"), [part], codec="libx265", options={"x265-params": "log-level=none"}
            )
            content = clip.read_bytes()
            found = content.index(b"hvcC") - 4
            configuration = content[found : found + struct.unpack_from(">I", content, found)[0]]
            found = content.index(b"mdat") - 4
            coded.append(content[found + 8 : found + struct.unpack_from(">I", content, found)[0]])
            clip.unlink()
    grid = struct.pack(">BBBBHH", 0, 0, rows - 1, columns - 1, width, height)
    items = [*coded, grid]
    n = len(items)
    infos = [
        box(b"infe", struct.pack(">IHH", 2 << 24 | (k < n - 1), k + 1, 0), b"hvc1" if k < n - 1 else b"grid", b"\0")
        for k in range(n)
    ]
    sizes = [box(b"ispe", struct.pack(">III", 0, *size)) for size in ((tile, tile), (width, height))]
    places = b"".join(
        struct.pack(">HBBB", k + 1, 2, 0x81, 2) if k < n - 1 else struct.pack(">HBB", k + 1, 1, 3) for k in range(n)
    )
    properties = box(b"iprp", box(b"ipco", configuration, *sizes), box(b"ipma", struct.pack(">II", 0, n), places))
    links = struct.pack(">HH", n, n - 1) + b"".join(struct.pack(">H", k + 1) for k in range(n - 1))
    head = box(b"ftyp", b"heic", struct.pack(">I", 0), b"mif1heic")

    def meta(start: int) -> bytes:
        located, place = b"", start
        for k, item in enumerate(items):
            located += struct.pack(">HHHII", k + 1, 0, 1, place, len(item))
            place += len(item)
        return box(
            b"meta",
            struct.pack(">I", 0),
            box(b"hdlr", struct.pack(">II", 0, 0), b"pict", bytes(12), b"\0"),
            box(b"pitm", struct.pack(">IH", 0, n)),
            box(b"iloc", struct.pack(">IBBH", 0, 0x44, 0, n), located),
            box(b"iinf", struct.pack(">IH", 0, n), *infos),
            box(b"iref", struct.pack(">I", 0), box(b"dimg", links)),
            properties,
        )

    start = len(head) + len(meta(0)) + 8
    path.write_bytes(head + meta(start) + box(b"mdat", *items))
    return path


@pytest.mark.parametrize(("width", "height", "tile"), [(640, 360, 128), (300, 500, 256), (128, 128, 128)])
def test_a_picture_in_tiles_is_read_whole(tmp_path: Path, width: int, height: int, tile: int):
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[: height // 2, : width // 2], pixels[height // 2 :, width // 2 :] = RED, BLUE
    film = probe(heic(tmp_path / "photo.heic", pixels, tile))
    assert (film.kind, film.width, film.height) == ("still", width, height)
    (frame,) = frames(film, sample_rate=1)
    assert frame.pixels is not None
    assert np.abs(frame.pixels.astype(int) - pixels).mean() < 8


def test_a_photograph_of_a_telephone_is_read_whole(hunted: Path):
    film = probe(hunted / "photo_grid.heic")
    assert (film.kind, film.width, film.height) == ("still", 1280, 720)
    (frame,) = frames(film, sample_rate=1)
    assert frame.pixels is not None
    assert frame.pixels.shape == (720, 1280, 3)
    assert frame.pixels[:, 1024:].std() > 10


def test_nothing_in_a_folder_is_passed_over_without_a_word(tmp_path: Path):
    for name in ("1.avif", "2.jp2", "3.gif", "4.webp", "5.bmp", "6.jpg", "7.ppm"):
        Image.fromarray(plain(RED, 64, 48)).save(tmp_path / name)
    heic(tmp_path / "8.heic", plain(RED, 64, 64), 64)
    for name in ("notes.txt", "raw.cr2", ".hidden"):
        (tmp_path / name).write_text("no picture")
    (tmp_path / "more").mkdir()
    film, notes = probe(tmp_path), ReaderNotes()
    assert len(list(frames(film, sample_rate=1, notes=notes))) == 8
    assert not notes.warnings()
    assert film.warnings == ("left out of the folder, for they are no pictures: more, notes.txt, raw.cr2",)


def moving_file(path: Path, n: int = 6, **options: Any) -> Path:
    first, *others = [
        Image.fromarray(np.roll(np.indices((48, 64)).sum(0) * 2 % 256, 9 * k, 1).astype(np.uint8)).convert("RGB")
        for k in range(n)
    ]
    first.save(path, save_all=True, append_images=others, **options)
    return path


@pytest.mark.parametrize("name", ["a.webp", "a.png", "a.gif", "a.avif"])
def test_a_picture_that_moves_is_a_film(tmp_path: Path, name: str):
    film = probe(moving_file(tmp_path / name, duration=200))
    assert (film.kind, film.width, film.height) == ("video", 64, 48)
    assert [frame.time for frame in frames(film, sample_rate=5)] == pytest.approx([k / 5 for k in range(6)], abs=0.002)


@pytest.mark.parametrize("name", ["a.webp", "a.gif"])
def test_a_picture_that_moves_now_and_then_is_held(tmp_path: Path, name: str):
    film = probe(moving_file(tmp_path / name, 3, duration=[200, 2000, 1000]))
    assert film.duration == pytest.approx(3.2)
    read = list(frames(film, sample_rate=5))
    assert [frame.time for frame in read] == pytest.approx([k / 5 for k in range(16)], abs=0.01)
    assert sum(not np.array_equal(a.small, b.small) for a, b in pairwise(read)) == 2


def test_an_animation_has_its_cuts(hunted: Path):
    film = probe(hunted / "x.webp")
    assert film.duration == pytest.approx(4, abs=0.01)
    assert len(list(frames(film, sample_rate=5))) == 48


def test_an_animation_that_is_cut_off_is_refused(tmp_path: Path):
    path = moving_file(tmp_path / "a.webp", duration=200, lossless=True)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(FilmError, match="the animation is damaged"):
        probe(path)


def test_of_pages_the_first_is_read_and_that_is_said(tmp_path: Path):
    film = probe(moving_file(tmp_path / "a.tif", 3))
    assert film.kind == "still"
    assert film.warnings == ("only the first of its 3 pages is read",)
    assert "only the first picture is read of a.tif" in probe(tmp_path).warnings[0]


RAMP = np.linspace(0, 1, 256)[None].repeat(8, 0)


@pytest.mark.parametrize(
    "samples",
    [
        RAMP.astype(np.float32),
        (RAMP * 40).astype(np.float32),
        (RAMP * 2 - 1).astype(np.float32),
        (RAMP * 4095).astype(np.uint16),
        (RAMP * 1023).astype(np.uint16),
        (RAMP * 65535).astype(np.uint16),
        (RAMP * 100_000).astype(np.int32),
    ],
)
def test_deep_pictures_are_scaled_by_the_range_that_they_fill(tmp_path: Path, samples: np.ndarray):
    Image.fromarray(samples).save(tmp_path / "deep.tif")
    (frame,) = frames(probe(tmp_path / "deep.tif"), sample_rate=1)
    assert frame.pixels is not None
    assert frame.pixels[0, :, 0].tolist() == pytest.approx(list(range(256)), abs=1.5)


def test_a_picture_of_a_kind_that_is_not_read_is_refused_and_no_film(tmp_path: Path):
    cv2.imwrite(str(tmp_path / "colours.tif"), np.stack([RAMP] * 3, axis=2).astype(np.float32))
    photo = heic(tmp_path / "photo.heic", plain(RED, 64, 64), 64)
    photo.write_bytes(photo.read_bytes().replace(b"pitm", b"free"))
    for name in ("colours.tif", "photo.heic"):
        with pytest.raises(FilmError, match="is a picture that is not read"):
            probe(tmp_path / name)


@pytest.mark.parametrize("name", ["deep.tif", "deep.png"])
def test_colours_of_12_bits_in_16_are_not_black(tmp_path: Path, name: str):
    colours = np.stack([RAMP * 4095, RAMP * 2000, RAMP * 0], axis=2).astype(np.uint16)
    cv2.imwrite(str(tmp_path / name), colours[:, :, ::-1])
    (frame,) = frames(probe(tmp_path / name), sample_rate=1)
    assert frame.pixels is not None
    assert frame.pixels[0, -1].tolist() == pytest.approx([255, 125, 0], abs=1)


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
