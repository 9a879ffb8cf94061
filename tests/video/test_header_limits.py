"""A header is not believed: what it declares is refused before memory is taken for it."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import av
import pytest

from scenefer.core.errors import FilmError
from scenefer.video import ReaderNotes, frames, probe
from scenefer.video.header_limits import Declared, declared
from tests.clips import moving, write_clip
from tests.memory_used import at_most

LARGE, MANY = 32_000, 1_000_000_000


@pytest.fixture(scope="module")
def mp4(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("declared") / "clip.mp4", moving(20))


@pytest.fixture(scope="module")
def avi(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("declared") / "clip.avi", moving(20), codec="mpeg4", options={})


def patched(source: Path, path: Path, box: bytes, at: int, values: bytes) -> Path:
    """Overwrite bytes ``at`` bytes behind the name of a box or chunk."""
    content = bytearray(source.read_bytes())
    assert content.count(box) == 1
    place = content.index(box) + 4 + at
    content[place : place + len(values)] = values
    path.write_bytes(content)
    return path


def refused(path: Path, words: str) -> None:
    """Hold that a file is refused in words, and that nothing is taken for what it declares."""
    with at_most(50), pytest.raises(FilmError, match=words):
        probe(path)


def test_what_headers_declare_is_read(mp4: Path, avi: Path, tmp_path: Path):
    assert declared(mp4) == Declared(frozenset({(128, 72)}), 20, 20)
    assert declared(avi) == Declared(frozenset({(128, 72)}), 20, 0)
    (tmp_path / "text.mp4").write_text("no header of a film")
    assert declared(tmp_path / "text.mp4") == Declared(frozenset(), 0, 0)


def test_an_mp4_of_pictures_larger_than_any_is_refused(mp4: Path, tmp_path: Path):
    content = bytearray(mp4.read_bytes())
    place = content.index(b"avc1", content.index(b"stsd")) + 28
    assert struct.unpack_from(">HH", content, place) == (128, 72)
    struct.pack_into(">HH", content, place, LARGE, LARGE)
    (tmp_path / "large.mp4").write_bytes(content)
    refused(tmp_path / "large.mp4", "declares pictures of 32000 x 32000 pixels")


@pytest.mark.parametrize(("chunk", "at"), [(b"avih", 36), (b"strf", 8)])
def test_an_avi_of_pictures_larger_than_any_is_refused(avi: Path, tmp_path: Path, chunk: bytes, at: int):
    size = struct.pack("<II", LARGE, LARGE)
    refused(patched(avi, tmp_path / "large.avi", chunk, at, size), "declares pictures of 32000 x 32000 pixels")


def test_a_picture_larger_than_any_is_refused(tmp_path: Path):
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", LARGE, LARGE, 8, 2, 0, 0, 0))
    whole = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    (tmp_path / "large.png").write_bytes(whole)
    refused(tmp_path / "large.png", "scale it down first")


@pytest.mark.parametrize("number", [MANY, 30_000_000])
def test_an_mp4_of_more_frames_than_bytes_is_refused(mp4: Path, tmp_path: Path, number: int):
    """Thirty million frames of a hundred bytes each: ffmpeg would take 2 GB for their index."""
    many = patched(mp4, tmp_path / "1.mp4", b"stsz", 4, struct.pack(">II", 100, number))
    many = patched(many, tmp_path / "2.mp4", b"stts", 4, struct.pack(">III", 1, number, 512))
    many = patched(many, tmp_path / "many.mp4", b"stsc", 4, struct.pack(">IIII", 1, 1, number, 1))
    refused(many, f"declares {number:,} frames")


def test_a_fragment_of_more_frames_than_bytes_is_refused(tmp_path: Path):
    path = tmp_path / "fragments.mp4"
    with av.open(str(path), "w", options={"movflags": "frag_keyframe+empty_moov"}) as file:
        stream = file.add_stream("mpeg4", rate=25)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 128, 72, "yuv420p"
        for picture in moving(3):
            file.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        file.mux(stream.encode(None))
    assert len(list(frames(probe(path), sample_rate=5))) == 3
    refused(patched(path, tmp_path / "many.mp4", b"trun", 4, struct.pack(">I", MANY)), "declares 1,000,000,000 frames")


@pytest.mark.parametrize(("chunk", "at"), [(b"avih", 20), (b"vids", 28)])
def test_an_avi_of_a_billion_frames_is_refused(avi: Path, tmp_path: Path, chunk: bytes, at: int):
    refused(patched(avi, tmp_path / "many.avi", chunk, at, struct.pack("<I", MANY)), "declares 1,000,000,000 frames")


@pytest.mark.parametrize("unknown", [0x4000_0000, 0xFFFF_FFFF])
def test_an_avi_that_does_not_know_its_frames_is_read(avi: Path, tmp_path: Path, unknown: int):
    path = patched(avi, tmp_path / "piped.avi", b"vids", 28, struct.pack("<I", unknown))
    film, notes = probe(path), ReaderNotes()
    assert film.duration is None
    assert len(list(frames(film, sample_rate=5, notes=notes))) == 20
    assert notes.warnings() == []


def test_samples_of_sound_of_one_size_may_be_more_than_bytes(tmp_path: Path):
    """As QuickTime counts compressed sound: by what it will be, a byte each."""

    def box(kind: bytes, *content: bytes) -> bytes:
        return struct.pack(">I", 8 + len(b"".join(content))) + kind + b"".join(content)

    def film(track: bytes, size: int) -> Path:
        samples = box(b"stsz", struct.pack(">III", 0, size, 5000))
        media = box(b"mdia", box(b"hdlr", bytes(8), track, bytes(12)), box(b"minf", box(b"stbl", samples)))
        path = tmp_path / f"{track.decode()}{size}.mov"
        path.write_bytes(box(b"ftyp", b"qt  ", bytes(8)) + box(b"moov", box(b"trak", media)))
        return path

    assert declared(film(b"soun", 1)).n_entries == 0
    assert declared(film(b"soun", 0)).n_entries == 5000
    assert declared(film(b"vide", 1)).n_entries == 5000


def test_sound_is_not_taken_for_pictures(tmp_path: Path):
    """48,000 stands in the description of a sound track where a video's has its width."""
    for suffix in ("mov", "avi"):
        path = tmp_path / f"sound.{suffix}"
        with av.open(str(path), "w") as file:
            picture = file.add_stream("mpeg4", rate=25)
            sound = file.add_stream("pcm_s16le", rate=48_000)
            assert isinstance(picture, av.VideoStream)
            picture.width, picture.height, picture.pix_fmt = 128, 72, "yuv420p"
            for pixels in moving(3):
                file.mux(picture.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
            silence = av.AudioFrame(format="s16", layout="mono", samples=9000)
            silence.sample_rate, silence.pts = 48_000, 0
            for plane in silence.planes:
                plane.update(bytes(plane.buffer_size))
            file.mux(sound.encode(silence))
            file.mux([*picture.encode(None), *sound.encode(None)])
        assert declared(path).sizes == {(128, 72)}
        assert declared(path).n_frames == 3
        assert len(list(frames(probe(path), sample_rate=5))) == 3


def test_boxes_without_end_are_looked_at_for_a_while_only(mp4: Path, tmp_path: Path):
    path = tmp_path / "boxes.mp4"
    path.write_bytes(mp4.read_bytes()[:32] + b"\0\0\0\x08free" * 100_000)
    assert declared(path) == Declared(frozenset(), 0, 0)
