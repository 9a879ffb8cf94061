"""Decoded frames become RGB as displayed: matrix, range, HDR, depth, rotation, fields."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from scenefer.core.film import Film
from scenefer.video import ReaderNotes, frames, probe
from scenefer.video.colour import ArrayConverter, Converter, deinterlaced, small_size
from scenefer.video.hdr import to_standard_range
from tests.clips import moving, plain, write_clip

BT709, BT601, UNSPECIFIED, BT2020 = 1, 6, 2, 9
LIMITED, FULL = 1, 2
PQ, HLG = 16, 18

# Pure red at full strength in each matrix, 8 bit limited range: (Y, Cb, Cr) = (16 + 219 Kr, …), by hand.
RED = {BT601: (81, 90, 240), BT709: (63, 102, 240), BT2020: (74, 97, 240)}


def film(width: int, height: int, rotation: int = 0) -> Film:
    return Film(Path("film.mp4"), "0" * 16, width, height, 1.0, Fraction(25), rotation=rotation)


def yuv(
    planes: tuple[int, int, int], width: int = 64, height: int = 64, pix_fmt: str = "yuv420p", **tags: int
) -> av.VideoFrame:
    """A frame of one colour; tags are colorspace, color_range, color_trc, color_primaries."""
    frame = av.VideoFrame(width, height, pix_fmt)
    dtype = np.uint16 if "10" in pix_fmt else np.uint8
    for plane, value in zip(frame.planes, planes, strict=True):
        plane.update(np.full(plane.buffer_size // dtype().itemsize, value, dtype).tobytes())
    for name, value in tags.items():
        setattr(frame, name, value)
    return frame


def colour(frame: av.VideoFrame, notes: ReaderNotes | None = None) -> list[int]:
    converter = Converter(film(frame.width, frame.height), notes or ReaderNotes())
    return converter.full(frame)[frame.height // 2, frame.width // 2].tolist()


@pytest.mark.parametrize("matrix", [BT601, BT709, BT2020])
def test_the_declared_matrix_is_used(matrix):
    found = colour(yuv(RED[matrix], colorspace=matrix, color_range=LIMITED))
    assert found == pytest.approx([255, 0, 0], abs=3)


@pytest.mark.parametrize(("width", "height", "matrix"), [(640, 360, BT601), (720, 576, BT601), (1280, 536, BT709)])
def test_an_undeclared_matrix_is_that_of_the_picture_s_size(width, height, matrix):
    found = colour(yuv(RED[matrix], width, height, colorspace=UNSPECIFIED))
    assert found == pytest.approx([255, 0, 0], abs=3)


@pytest.mark.parametrize("matrix", [3, 8, 14])
def test_a_matrix_that_is_not_known_is_read_as_if_undeclared(matrix):
    assert colour(yuv(RED[BT601], colorspace=matrix)) == pytest.approx([255, 0, 0], abs=3)


def test_the_declared_range_is_used():
    black_and_white = [16, 16, 16], [235, 235, 235]
    assert colour(yuv((16, 128, 128), color_range=LIMITED)) == [0, 0, 0]
    assert colour(yuv((235, 128, 128), color_range=LIMITED)) == [255, 255, 255]
    assert colour(yuv((16, 128, 128), color_range=0)) == [0, 0, 0]
    assert (colour(yuv((16, 128, 128), color_range=FULL)), colour(yuv((235, 128, 128), color_range=FULL))) == (
        black_and_white
    )
    assert colour(yuv((16, 128, 128), pix_fmt="yuvj420p")) == [16, 16, 16]


def test_ten_bits_are_read():
    assert colour(yuv((512, 512, 512), pix_fmt="yuv420p10le", color_range=LIMITED)) == pytest.approx([130] * 3, abs=1)


def pq_code(luminance: float) -> int:
    """10-bit limited-range code of a grey in cd/m²: SMPTE ST 2084."""
    y = (luminance / 10_000) ** 0.1593017578125
    return round(64 + 876 * ((0.8359375 + 18.8515625 * y) / (1 + 18.6875 * y)) ** 78.84375)


@pytest.mark.parametrize(
    ("luminance", "expected"),
    # 255 (luminance / 203)^(1 / 2.4), the inverse of BT.1886, up to three quarters of white; then the shoulder
    [(0.0, 0), (5.0, 55), (26.0, 108), (100.0, 190), (150.0, 225), (203.0, 242), (1000.0, 255), (4000.0, 255)],
)
def test_pq_is_shown_with_white_at_203_candela(luminance, expected):
    notes = ReaderNotes()
    tags = {"colorspace": BT2020, "color_range": LIMITED, "color_trc": PQ, "color_primaries": 9}
    found = colour(yuv((pq_code(luminance), 512, 512), pix_fmt="yuv420p10le", **tags), notes)
    assert found == pytest.approx([expected] * 3, abs=2)
    assert notes.hdr == "PQ"
    assert not notes.partial
    assert "HDR (PQ)" in notes.warnings()[0]


def test_hlg_is_shown_with_white_at_75_percent_of_its_signal():
    notes = ReaderNotes()
    tags = {"colorspace": BT2020, "color_range": LIMITED, "color_trc": HLG, "color_primaries": 9}
    frame = yuv((64 + round(0.75 * 876), 512, 512), pix_fmt="yuv420p10le", **tags)
    assert colour(frame, notes) == pytest.approx([242] * 3, abs=2)
    assert notes.hdr == "HLG"


def test_wide_primaries_are_brought_to_those_of_the_screen():
    # Grey of 26 cd/m² with more red: the BT.709 triangle is smaller, so the same colour is more saturated in it.
    signal = np.full((2, 2, 3), 65535 * (pq_code(26.0) - 64) // 876, np.uint16)
    signal[..., 0] = 65535 * (pq_code(50.0) - 64) // 876
    narrow, wide = to_standard_range(signal, "PQ", wide=False)[0, 0], to_standard_range(signal, "PQ", wide=True)[0, 0]
    assert narrow.tolist() == pytest.approx([142, 108, 108], abs=2)
    # linear: 0.2463, 0.1281, 0.1281 → 0.3244, 0.1134, 0.1260 by BT.2087
    assert wide.tolist() == pytest.approx([159, 103, 107], abs=2)


@pytest.mark.parametrize("tags", [{}, {"colorspace": BT2020, "color_trc": PQ, "color_primaries": 9}])
def test_the_small_picture_has_the_colours_of_the_full_one(tags):
    frame = yuv((500, 400, 600), 640, 360, "yuv420p10le", color_range=LIMITED, **tags)
    converter = Converter(film(640, 360), ReaderNotes())
    full, small = converter.full(frame), converter.small(frame)
    assert small.shape == (90, 160, 3)
    assert small[45, 80].tolist() == pytest.approx(full[180, 320].tolist(), abs=3)


@pytest.mark.parametrize(
    ("size", "small"),
    [((1920, 1080), (160, 90)), ((360, 640), (160, 284)), ((96, 96), (96, 96)), ((4000, 1), (160, 1))],
)
def test_the_small_picture_is_160_wide_and_never_enlarged(size, small):
    assert small_size(*size) == small


def test_a_reduced_picture_averages_what_it_leaves_out():
    stripes = np.zeros((360, 1280, 3), np.uint8)
    stripes[:, ::2] = 255  # a picture of every fourth pixel would be all black or all white
    frame = av.VideoFrame.from_ndarray(stripes, format="rgb24").reformat(format="yuv444p")
    reduced = Converter(film(1280, 360), ReaderNotes()).reduced(frame, (320, 90))
    assert reduced.shape == (90, 320, 3)
    assert reduced[:, 5:-5].mean() == pytest.approx(127, abs=3)
    assert reduced[:, 5:-5].std() < 5


@pytest.mark.parametrize(("rotation", "corner"), [(0, "left"), (90, "top"), (180, "right"), (270, "bottom")])
def test_a_film_is_turned_clockwise(tmp_path, rotation, corner):
    picture = np.hstack([plain((255, 255, 255), 64, 72), plain((0, 0, 0), 64, 72)])  # the left half is white
    path = write_clip(tmp_path / "clip.mp4", [picture, picture], rotation=rotation)
    (first, _) = frames(probe(path), sample_rate=1)
    assert first.pixels is not None
    for pixels in (first.pixels, first.small):
        middle, centre = pixels.shape[0] // 2, pixels.shape[1] // 2
        edges = {
            "left": pixels[middle, 2],
            "right": pixels[middle, -3],
            "top": pixels[2, centre],
            "bottom": pixels[-3, centre],
        }
        assert edges[corner].min() > 200
    assert first.pixels.shape == ((128, 72, 3) if rotation in (90, 270) else (72, 128, 3))


@pytest.mark.parametrize(
    ("matrix", "white"), [((-1, 0, 0, 1), (0, 1)), ((1, 0, 0, -1), (1, 0)), ((0, 1, 1, 0), (0, 0))]
)
def test_a_mirrored_film_is_mirrored_and_not_turned(tmp_path, matrix, white):
    picture = plain((0, 0, 0), 128, 72)
    picture[:36, :64] = 255  # the quarter at the top left, (0, 0), is white
    path = write_clip(tmp_path / "clip.mp4", [picture, picture])
    content = path.read_bytes()
    header = content.index(b"tkhd")
    upright, wanted = (struct.pack(">5i", *(k << 16 for k in (a, b, 0, c, d))) for a, b, c, d in ((1, 0, 0, 1), matrix))
    assert header < content.index(upright, header) < header + 60
    path.write_bytes(content[:header] + content[header:].replace(upright, wanted, 1))
    (first, _) = frames(probe(path), sample_rate=1)
    assert first.pixels is not None
    for pixels in (first.pixels, first.small):
        height, width = pixels.shape[0] // 2, pixels.shape[1] // 2
        quarters = {
            (down, right): pixels[down * height :, right * width :][:height, :width].mean()
            for down in (0, 1)
            for right in (0, 1)
        }
        assert [place for place, light in quarters.items() if light > 200] == [white]
    assert first.pixels.shape == ((128, 72, 3) if matrix[0] == 0 else (72, 128, 3))


def test_arrays_are_brought_to_the_displayed_size():
    converter = ArrayConverter(film(640, 360))
    assert converter.picture(plain((1, 2, 3), 360, 360)).full.shape == (360, 640, 3)
    assert converter.small(plain((1, 2, 3), 640, 360)).shape == (90, 160, 3)


def combing(pixels: np.ndarray) -> float:
    """How much neighbouring rows differ, more than rows two apart do."""
    grey = pixels.astype(float).mean(axis=2)
    return float(np.abs(grey[1:-1] - (grey[:-2] + grey[2:]) / 2).mean())


def test_interlaced_frames_are_deinterlaced_one_for_one(tmp_path):
    bars = []
    for k in range(40):
        picture = plain((0, 0, 0), 320, 180)
        picture[:, 5 * k : 5 * k + 60] = 255
        bars.append(picture)
    combed = [upper.copy() for upper in bars[::2]]
    for frame, lower in zip(combed, bars[1::2], strict=True):
        frame[1::2] = lower[1::2]
    path = write_clip(
        tmp_path / "clip.mkv", combed, options={"flags": "+ildct+ilme", "crf": "10", "x264-params": "tff=1"}
    )
    film_, notes = probe(path), ReaderNotes()
    read = list(frames(film_, sample_rate=25, notes=notes))
    assert [frame.time for frame in read] == pytest.approx([k / 25 for k in range(20)], abs=1e-3)
    assert film_.key_frames == ()  # its neighbours go into every frame, so the film is one chunk
    assert notes.n_deinterlaced == 20
    middle = read[10].pixels
    assert middle is not None
    assert combing(middle) < combing(combed[10]) / 4


def test_progressive_frames_pass_the_deinterlacer_untouched():
    passed = [yuv((k, 128, 128)) for k in range(3)]
    notes = ReaderNotes()
    assert [id(frame) for frame in deinterlaced(iter(passed), notes)] == [id(frame) for frame in passed]
    assert notes.n_deinterlaced == 0


@pytest.mark.parametrize(
    ("codec", "pix_fmt"), [("ffv1", "yuv444p"), ("ffv1", "gray"), ("ffv1", "bgr0"), ("prores_ks", "yuva444p10le")]
)
def test_other_layouts_of_pixels_give_the_picture(tmp_path, codec, pix_fmt):
    pictures = [np.repeat(np.repeat(picture[::8, ::8], 16, 0), 16, 1) for picture in moving(2, 319, 179)]
    if pix_fmt == "gray":
        pictures = [np.repeat(picture[:, :, :1], 3, 2) for picture in pictures]
    pictures = [picture[:357, :639] for picture in pictures]  # odd sides
    path = write_clip(
        tmp_path / "clip.mov" if codec == "prores_ks" else tmp_path / "clip.mkv",
        pictures,
        codec=codec,
        pix_fmt=pix_fmt,
        options={},
    )
    read = list(frames(probe(path), sample_rate=25))
    for frame, picture in zip(read, pictures, strict=True):
        assert frame.pixels is not None
        assert np.abs(frame.pixels.astype(int) - picture).mean() < 4
        assert frame.small.shape == (round(frame.picture.size[1] * 160 / frame.picture.size[0]), 160, 3)
