"""Clocks of real files: joined, stamped in coding order, without any, or beginning with the sound."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from scenefer.core.film import Film
from scenefer.video import Frame, ReaderNotes, frames, probe
from tests.clips import joined, moving, plain, write_clip

FINE = {"qmin": "1", "qmax": "2"}


def read(path: Path, rate: float | None = 5) -> tuple[Film, list[Frame], ReaderNotes]:
    notes = ReaderNotes()
    film = probe(path)
    return film, list(frames(film, sample_rate=rate, notes=notes)), notes


def greys(n: int) -> list[np.ndarray]:
    """Pictures that are told apart by their brightness."""
    return [plain((12 * k + 8,) * 3) for k in range(n)]


def grey_at(shown: Sequence[Frame]) -> dict[float, int]:
    return {round(frame.time * 25, 2): round((float(frame.small.mean()) - 8) / 12) for frame in shown}


def sounding(path: Path, seconds: float, pictures: Sequence[np.ndarray], *, late: float = 0.0, fps: int = 25) -> Path:
    """Write pictures, the first one ``late`` seconds after the beginning of some seconds of sound."""
    with av.open(str(path), "w") as file:
        video = file.add_stream("libx264", rate=fps, options={"preset": "ultrafast"})
        audio = file.add_stream("aac" if path.suffix != ".webm" else "libopus", rate=48_000, layout="mono")
        assert isinstance(video, av.VideoStream)
        assert isinstance(audio, av.AudioStream)
        video.height, video.width = pictures[0].shape[:2]
        video.pix_fmt, video.codec_context.max_b_frames = "yuv420p", 0
        for k, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = k + round(late * fps), Fraction(1, fps)
            file.mux(video.encode(frame))
        file.mux(video.encode(None))
        for k in range(int(seconds * 48_000 / 1024)):
            sound = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            sound.sample_rate, sound.pts, sound.time_base = 48_000, 1024 * k, Fraction(1, 48_000)
            file.mux(audio.encode(sound))
        file.mux(audio.encode(None))
    return path


@pytest.mark.parametrize("suffix", ["ts", "mpg"])
@pytest.mark.parametrize("overlap", [2, 10, 22])
def test_parts_whose_clocks_overlap_follow_one_another(tmp_path: Path, suffix: str, overlap: int):
    first = write_clip(tmp_path / f"a.{suffix}", moving(50), codec="mpeg2video", options={}, b_frames=2)
    times = [*range(50 - overlap, 100 - overlap)]
    second = write_clip(tmp_path / f"b.{suffix}", moving(50), codec="mpeg2video", options={}, b_frames=2, times=times)
    _, shown, notes = read(joined(tmp_path / f"film.{suffix}", first, second))
    assert [frame.time for frame in shown] == pytest.approx([k / 25 for k in range(100)], abs=0.07)
    assert (notes.n_interpolated, notes.n_backward) == (0, 1)
    assert notes.first_backward == pytest.approx(2.0, abs=0.07)  # the writer of MPEG-PS leaves out ticks


@pytest.mark.parametrize(("codec", "b_frames"), [("libx264", 3), ("mpeg4", 2), ("mpeg4", 0), ("mjpeg", 0)])
@pytest.mark.parametrize("threads", [1, 3])
def test_an_avi_shows_its_pictures_in_their_order_at_their_places(
    tmp_path: Path, codec: str, b_frames: int, threads: int
):
    coding = {"pix_fmt": "yuvj420p" if codec == "mjpeg" else "yuv420p", "options": FINE}
    clip = write_clip(tmp_path / "a.avi", greys(20), codec=codec, b_frames=b_frames, gop=8, **coding)
    notes = ReaderNotes()
    shown = list(frames(probe(clip), sample_rate=None, threads=threads, notes=notes))
    assert grey_at(shown) == {float(k): k for k in range(20)}
    assert notes == ReaderNotes()


@pytest.mark.parametrize("b_frames", [0, 2])
def test_an_avi_holds_a_picture_where_a_place_is_empty(tmp_path: Path, b_frames: int):
    times = [*range(8), *range(20, 32)]
    clip = write_clip(tmp_path / "a.avi", greys(20), codec="mpeg4", options=FINE, b_frames=b_frames, times=times)
    _, shown, notes = read(clip)
    found = grey_at(shown)
    assert {time: found[float(time)] for time in times} == dict(zip(times, range(20), strict=True))
    assert {found[15.0], found[10.0]} == {7}  # again at the points of the grid
    assert notes == ReaderNotes()


def test_packed_pictures_are_shown_in_their_order(tmp_path: Path):
    """As DivX packed them for AVI: a picture and the one before it in one packet, then an empty one."""
    coded = write_clip(tmp_path / "a.avi", greys(20), codec="mpeg4", options=FINE, b_frames=1, gop=100)
    packed = tmp_path / "packed.avi"
    with av.open(str(coded)) as source, av.open(str(packed), "w") as file:
        stream = file.add_stream_from_template(source.streams.video[0])
        content = [bytes(packet) for packet in source.demux(video=0) if packet.size]
        kinds = [unit[unit.index(b"\0\0\1\xb6") + 4] >> 6 for unit in content]  # 0 I, 1 P, 2 B
        assert 2 in kinds
        units: list[bytes] = []
        for k, unit in enumerate(content):
            if kinds[k] == 2:
                units[-1], empty = units[-1] + unit, b"\0\0\1\xb6\x54\x00\x7f"  # P, not coded
                units.append(empty)
            else:
                units.append(unit)
        marked = b"\0\0\1\xb2DivX503b1393p"
        units[0] = units[0].replace(b"\0\0\1\xb6", marked + b"\0\0\1\xb6", 1)
        for k, unit in enumerate(units):
            packet = av.Packet(unit)
            packet.pts = packet.dts = k
            packet.time_base, packet.stream, packet.is_keyframe = Fraction(1, 25), stream, k == 0
            file.mux(packet)
    _, shown, notes = read(packed, None)
    assert grey_at(shown) == {float(k): k for k in range(20)}
    assert notes == ReaderNotes()


@pytest.mark.parametrize("name", ["a.mpg", "a.ts", "a.mkv", "a.mp4"])
@pytest.mark.parametrize("gap", [100, 375])
def test_slides_are_held_until_the_next(tmp_path: Path, name: str, gap: int):
    codec = "libx264" if name == "a.mp4" else "mpeg2video"
    noise = np.random.default_rng(0).integers(0, 60, (288, 512, 3), dtype=np.uint8)
    slides = [noise + np.uint8(60 * k) for k in range(3)]
    film, shown, notes = read(write_clip(tmp_path / name, slides, codec=codec, options={}, times=[0, gap, 2 * gap]))
    assert shown[-1].time == pytest.approx(2 * gap / 25, abs=0.1)
    assert len(shown) == pytest.approx(2 * gap / 5 + 1, abs=4)
    slide = [int(frame.small.mean() // 60) for frame in shown]
    assert slide == sorted(slide)
    assert [slide.count(k) for k in range(2)] == pytest.approx([gap / 5] * 2, abs=2)
    assert film.duration is None or film.duration >= 2 * gap / 25 - 0.1
    assert not notes.warnings()


@pytest.mark.parametrize("name", ["a.mkv", "a.mp4", "a.mov"])
def test_a_still_with_sound_lasts_as_long_as_the_sound(tmp_path: Path, name: str):
    film, shown, notes = read(sounding(tmp_path / name, 8, moving(1)))
    assert film.duration == pytest.approx(8, abs=0.1)
    assert [frame.time for frame in shown[:40]] == pytest.approx([k / 5 for k in range(40)], abs=0.05)
    assert len(shown) <= 41
    assert not notes.warnings()


def test_a_still_whose_sound_is_cut_off_is_read_in_part(tmp_path: Path):
    clip = sounding(tmp_path / "a.mkv", 20, moving(1))
    clip.write_bytes(clip.read_bytes()[: clip.stat().st_size // 2])
    _, shown, notes = read(clip)
    assert len(shown) == 1
    assert notes.partial


@pytest.mark.parametrize(
    ("name", "codec", "rate"),
    [("a.h264", "libx264", 24), ("a.h264", "libx264", 50), ("a.m2v", "mpeg2video", 30), ("a.h265", "libx265", 24)],
)
def test_a_bare_stream_runs_at_the_rate_of_its_own_header(tmp_path: Path, name: str, codec: str, rate: int):
    options = {"x265-params": "log-level=none"} if codec == "libx265" else {}
    container = {"h264": "h264", "h265": "hevc", "m2v": "mpeg2video"}[name[2:]]
    clip = write_clip(tmp_path / name, moving(20), codec=codec, rate=rate, options=options, container=container)
    film, shown, _ = read(clip)
    assert film.frame_rate == rate
    assert [frame.time for frame in shown] == pytest.approx([k / rate for k in range(20)], abs=1e-4)


@pytest.mark.parametrize("name", ["a.mkv", "a.mp4", "a.ts", "a.mov"])
@pytest.mark.parametrize("late", [0.6, 1.5])
def test_film_time_begins_with_the_sound_where_the_picture_is_late(tmp_path: Path, name: str, late: float):
    film, shown, notes = read(sounding(tmp_path / name, 4, moving(50), late=late))
    assert shown[0].time == pytest.approx(late, abs=0.05)
    assert shown[-1].time == pytest.approx(late + 49 / 25, abs=0.05)
    assert film.duration == pytest.approx(4 if name == "a.ts" else late + 2, abs=0.1)
    assert not notes.warnings()


def test_film_time_begins_with_the_picture_where_the_sound_begins_beside_it(tmp_path: Path):
    assert read(sounding(tmp_path / "a.mp4", 2, moving(25), late=0.08))[1][0].time == 0


def test_a_segment_of_a_stream_promises_no_more_than_it_has(tmp_path: Path):
    whole = tmp_path / "whole.mp4"
    with av.open(str(whole), "w", options={"movflags": "frag_keyframe+empty_moov+default_base_moof"}) as file:
        stream = file.add_stream("libx264", rate=25, options={"x264-params": "keyint=25:scenecut=0:bframes=0"})
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 128, 72, "yuv420p"
        for picture in moving(75):
            file.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        file.mux(stream.encode(None))
    content, boxes, place = whole.read_bytes(), [], 0
    while place < len(content):
        size, kind = struct.unpack_from(">I4s", content, place)
        boxes.append((kind, content[place : place + size]))
        place += size
    fragments = [k for k, (kind, _) in enumerate(boxes) if kind == b"moof"]
    segment = tmp_path / "segment.mp4"
    segment.write_bytes(b"".join(box for _, box in [*boxes[: fragments[0]], *boxes[fragments[1] : fragments[2]]]))
    film, shown, notes = read(segment)
    assert film.start == pytest.approx(1.0)
    assert film.duration == pytest.approx(1.0)
    assert len(shown) == 25
    assert not notes.warnings()


@pytest.mark.parametrize(
    ("name", "seconds", "first", "n_said"),
    [
        ("ts_overlap06.ts", 6.0, 0.0, 1),
        ("avi_cfr_h264_b.avi", 10.0, 0.0, 0),
        ("avi_null_frames_h264.avi", 6.0, 0.0, 0),
        ("ps_slideshow.vob", 24.04, 0.0, 0),
        ("raw.h264", 4.0, 0.0, 1),
        ("video_late_2s.mp4", 4.4, 2.0, 0),
        ("one_still_sound.mkv", 20.0, 0.0, 0),
        ("dash_second_segment.mp4", 2.0, 0.0, 0),
    ],
)
def test_a_hunted_clock_is_right(hunted: Path, name: str, seconds: float, first: float, n_said: int):
    film, shown, notes = read(hunted / name)
    step = 0.2 if film.slides else float(1 / film.frame_rate)
    assert shown[-1].time + step == pytest.approx(seconds, abs=0.2)
    assert shown[0].time == pytest.approx(first, abs=0.01)
    assert len(notes.warnings()) == n_said
    assert not notes.partial
