"""What a file is found to be, before it is read: films under any name, and everything that is refused."""

from __future__ import annotations

import os
import struct
import zlib
from fractions import Fraction
from pathlib import Path

import av
import pytest

from scenefer.core.errors import AccessError, FilmError, PlanError
from scenefer.video import ReaderNotes, frames, probe
from tests.clips import moving, plain, write_clip
from tests.memory_used import at_most


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clips") / "clip.mp4", moving(10))


def mux(path: Path, *clips: Path, dispositions: tuple[int, ...]) -> Path:
    """Put the video streams of several files into one."""
    with av.open(str(path), "w") as target:
        sources = [av.open(str(clip)) for clip in clips]
        streams = [target.add_stream_from_template(source.streams.video[0]) for source in sources]
        for stream, disposition in zip(streams, dispositions, strict=True):
            stream.disposition = av.stream.Disposition(disposition)  # pyright: ignore[reportAttributeAccessIssue]
        for source, stream in zip(sources, streams, strict=True):
            for packet in source.demux(video=0):
                if packet.dts is not None:
                    packet.stream = stream
                    target.mux(packet)
            source.close()
    return path


def test_a_film_is_described_as_it_is_displayed(tmp_path):
    path = write_clip(tmp_path / "clip.mp4", moving(50, 128, 72), ratio=Fraction(4, 3), rotation=90)
    film = probe(path)
    assert (film.width, film.height, film.rotation) == (72, 171, 90)
    assert (film.duration, film.frame_rate, film.kind, film.codec) == (2.0, 25, "video", "h264")
    assert film.key_frames[0] == 0.0
    assert film.warnings == ()


@pytest.mark.parametrize(
    ("ratio", "size"), [(Fraction(16, 9), (228, 72)), (Fraction(1, 2), (128, 144)), (Fraction(20), (128, 72))]
)
def test_pixels_are_made_square_by_stretching_never_by_shrinking(tmp_path, ratio, size):
    film = probe(write_clip(tmp_path / "clip.mp4", moving(2, 128, 72), ratio=ratio))
    assert (film.width, film.height) == size
    assert bool(film.warnings) == (ratio == 20)
    (first, _) = frames(film, sample_rate=1)
    assert first.pixels is not None
    assert first.pixels.shape == (size[1], size[0], 3)


@pytest.mark.parametrize(
    "name",
    [
        "with 'quotes' and \"more\".mp4",
        "ünïcödé 電影.mp4",
        "http:x.mp4",
        "concat:a|b.mp4",
        "frame%03d.mp4",
        "-i.mp4",
        "two\nlines.mp4",
        "no suffix",
        os.fsdecode(b"not utf-8 \xe9\xff.mp4"),
    ],
)
def test_a_film_may_have_any_name(tmp_path, monkeypatch, clip, name):
    monkeypatch.chdir(tmp_path)
    try:
        Path(name).write_bytes(clip.read_bytes())
    except OSError:
        pytest.skip("this file system does not take the name")
    assert len(list(frames(probe(Path(name)), sample_rate=5))) == 10


@pytest.mark.parametrize(
    "text",
    [
        "just text\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{clip}\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile '{clip}'\n",
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"></MPD>',
    ],
    ids=["text", "hls", "concat", "dash"],
)
@pytest.mark.parametrize("suffix", [".mp4", ".m3u8", ".ffconcat", ".mpd"])
def test_lists_and_text_are_not_films_whatever_they_name(tmp_path, clip, text, suffix):
    path = tmp_path / f"list{suffix}"
    path.write_text(text.format(clip=clip))
    with pytest.raises(FilmError, match="is not a film"):
        probe(path)


def test_a_pattern_of_names_does_not_open_the_pictures_it_matches(tmp_path):
    probe(write_clip(tmp_path / "001.mjpeg", [plain((9, 9, 9))], codec="mjpeg", pix_fmt="yuvj420p", options={}))
    with pytest.raises(PlanError, match="does not exist"):
        probe(tmp_path / "%03d.mjpeg")


def test_an_empty_file_is_refused(tmp_path):
    (tmp_path / "film.mp4").touch()
    with pytest.raises(FilmError, match=r"film\.mp4 is empty"):
        probe(tmp_path / "film.mp4")


def test_a_missing_path_is_a_mistake_of_the_user(tmp_path):
    with pytest.raises(PlanError, match=r"film\.mp4 does not exist"):
        probe(tmp_path / "film.mp4")


def test_a_pipe_is_refused_without_waiting_for_it(tmp_path):
    os.mkfifo(tmp_path / "film.mp4")
    with pytest.raises(FilmError, match="is not a film but a device or a pipe"):
        probe(tmp_path / "film.mp4")


def test_a_recording_without_its_end_is_damaged_and_not_something_else(tmp_path, clip):
    (tmp_path / "film.mp4").write_bytes(clip.read_bytes()[:2000])
    with pytest.raises(FilmError, match="is not readable"):
        probe(tmp_path / "film.mp4")


def test_messages_are_one_line_and_can_be_printed(tmp_path):
    path = tmp_path / os.fsdecode(b"two\nlines \xe9.mp4")
    path.write_text("text")
    with pytest.raises(FilmError) as caught:
        probe(path)
    assert "two\\nlines \\xe9.mp4" in str(caught.value)
    str(caught.value).encode("utf-8")


def test_a_film_of_sound_with_a_cover_has_no_video(tmp_path):
    cover = write_clip(tmp_path / "c.mkv", [plain((9, 9, 9), 640, 640)], codec="mjpeg", pix_fmt="yuvj420p", options={})
    path = mux(tmp_path / "song.mp4", cover, dispositions=(av.stream.Disposition.attached_pic,))
    with pytest.raises(FilmError, match="no video stream"):
        probe(path)


def test_a_cover_is_not_the_film(tmp_path, clip):
    cover = write_clip(tmp_path / "c.mkv", [plain((9, 9, 9), 640, 640)], codec="mjpeg", pix_fmt="yuvj420p", options={})
    film = probe(mux(tmp_path / "film.mp4", cover, clip, dispositions=(av.stream.Disposition.attached_pic, 0)))
    assert (film.width, film.height) == (128, 72)


@pytest.mark.parametrize(("dispositions", "stream"), [((0, 0), 1), ((1, 0), 0), ((0, 1), 1), ((1, 1), 1)])
def test_of_several_streams_the_default_is_read_else_the_largest(tmp_path, clip, dispositions, stream):
    large = write_clip(tmp_path / "large.mp4", moving(10, 192, 144))
    path = mux(tmp_path / "film.mkv", clip, large, dispositions=dispositions)
    film = probe(path)
    assert film.stream == stream
    assert film.width == (128, 192)[stream]
    assert {frame.picture.size[0] for frame in frames(film, sample_rate=1)} == {film.width}


def test_a_film_larger_than_any_is_refused(tmp_path):
    path = write_clip(tmp_path / "clip.mkv", [plain((9, 9, 9), 17_000, 16)], codec="ffv1", options={})
    with pytest.raises(FilmError, match="declares pictures of 17000 x 16 pixels"):
        probe(path)


def test_a_film_that_is_larger_only_when_displayed_is_refused(tmp_path):
    path = write_clip(tmp_path / "clip.mp4", [plain((9, 9, 9), 2560, 16)], ratio=Fraction(8))
    with pytest.raises(FilmError, match="declares pictures of 20480 x 16 pixels"):
        probe(path)


def test_a_declared_size_takes_no_memory(tmp_path):
    path = write_clip(tmp_path / "clip.mkv", [plain((9, 9, 9), 640, 360)], codec="rawvideo", options={})
    content = path.read_bytes()
    for side, size in ((b"\xb0", 640), (b"\xba", 360)):  # Matroska's PixelWidth and PixelHeight
        declared = side + b"\x82" + size.to_bytes(2)
        assert content.count(declared) == 1
        content = content.replace(declared, side + b"\x82" + (60_000).to_bytes(2))
    path.write_bytes(content)
    with at_most(100), pytest.raises(FilmError, match="is not readable"):  # such a picture takes 5 GB
        probe(path)


@pytest.mark.parametrize("side", [17_000, 60_000])
def test_a_picture_of_a_size_that_cannot_be_meant_is_refused(tmp_path, side):
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    picture = tmp_path / "bomb.png"
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    picture.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    )
    with pytest.raises(FilmError, match="scale it down first"):
        probe(picture)


def test_the_clock_and_the_timecode_of_the_container_are_kept(tmp_path, clip):
    path = tmp_path / "film.mov"
    with av.open(str(clip)) as source, av.open(str(path), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        stream.metadata["timecode"] = "01:00:00:00"
        for packet in source.demux(video=0):
            if packet.dts is not None and packet.pts is not None and packet.time_base is not None:
                packet.pts, packet.dts = (stamp + int(10 / packet.time_base) for stamp in (packet.pts, packet.dts))
                packet.stream = stream
                target.mux(packet)
    film = probe(path)
    assert film.timecode == "01:00:00:00"
    assert film.start == pytest.approx(10, abs=0.05)
    assert [frame.time for frame in frames(film, sample_rate=5)] == pytest.approx([k / 25 for k in range(10)])


@pytest.mark.parametrize("name", ["timecode", "TIMECODE"])
@pytest.mark.parametrize("of_the_stream", [False, True])
def test_the_timecode_of_matroska_is_kept(name, of_the_stream, tmp_path, clip):
    path = tmp_path / "film.mkv"
    with av.open(str(clip)) as source, av.open(str(path), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        (stream if of_the_stream else target).metadata[name] = "01:00:00:00"
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    assert probe(path).timecode == "01:00:00:00"


def test_a_film_that_begins_with_damage_is_read_from_its_first_good_frame(tmp_path):
    path = write_clip(tmp_path / "clip.mkv", moving(20), codec="mjpeg", pix_fmt="yuvj420p", options={})
    content = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        packet = next(container.demux(video=0))
        start = content.find(bytes(packet))
        content[start : start + packet.size] = bytes(packet.size)
    path.write_bytes(content)
    notes = ReaderNotes()
    read = list(frames(probe(path), sample_rate=5, notes=notes))
    assert len(read) == 19
    assert read[0].time == 0.0
    assert notes.n_damaged == 1


def test_a_film_none_of_whose_frames_can_be_decoded_is_not_readable(tmp_path):
    path = write_clip(tmp_path / "clip.mkv", moving(2), codec="mjpeg", pix_fmt="yuvj420p", options={})
    content = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        for packet in container.demux(video=0):
            if packet.size:
                start = content.find(bytes(packet))
                content[start : start + packet.size] = bytes(packet.size)
    path.write_bytes(content)
    with pytest.raises(FilmError, match="is not readable: no frame of its video can be decoded"):
        probe(path)


@pytest.mark.parametrize("name", ["film.mp4", "film.tif"])
def test_a_file_that_may_not_be_read_says_so(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Root may read everything, so the system's answer is made here."""
    path = tmp_path / name
    path.write_bytes(b"II*\0" + b"\1" * 100)

    def refused(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refused)
    with pytest.raises(AccessError, match=f"{name} is not readable: Permission denied; check its permissions"):
        probe(path)
