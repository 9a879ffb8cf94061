"""The frames of a film: times, samples, spans, damage, and every clip that is known to be hard."""

from __future__ import annotations

import csv
import json
import sys
import threading
from dataclasses import asdict, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from scenefer.core.errors import FilmError, PlanError, SceneferError
from scenefer.core.film import Span, chunk_spans
from scenefer.video import Frame, ReaderNotes, frames, probe, reading
from tests.clips import joined, moving, write_clip
from tests.conftest import FILMS

INFINITE = float("inf")
HARD = FILMS / "hard"


def hard_rows() -> list[dict[str, str]]:
    table = HARD / "hard.csv"
    return list(csv.DictReader(table.read_text(encoding="utf-8").splitlines())) if table.exists() else []


def assert_same(found: list[Frame], expected: list[Frame]) -> None:
    assert [frame.time for frame in found] == [frame.time for frame in expected]
    assert [frame.pixels is None for frame in found] == [frame.pixels is None for frame in expected]
    for a, b in zip(found, expected, strict=True):
        assert np.array_equal(a.small, b.small)
        assert a.pixels is None or np.array_equal(a.pixels, b.pixels)


def assert_divisible(path: Path, places: list[float], whole: Span = Span(0.0, INFINITE)) -> None:
    film = probe(path)
    undivided = [frame for frame in frames(film, whole, sample_rate=5) if not frame.run_up]
    for place in places:
        before = [frame for frame in frames(film, Span(whole.start, place), sample_rate=5) if not frame.run_up]
        run_up, *after = frames(film, Span(place, whole.end), sample_rate=5)
        assert_same([*before, *after], undivided)
        assert run_up.run_up
        assert run_up.pixels is None
        assert run_up.time == before[-1].time
        assert np.array_equal(run_up.small, before[-1].small)


def test_a_run_up_can_go_back_to_the_last_multiple_of_some_seconds(tmp_path):
    film = probe(write_clip(tmp_path / "clip.mp4", moving(100, 64, 36), gop=50))
    whole = [frame for frame in frames(film, sample_rate=5) if 1.0 <= frame.time < 1.72]
    before, *run_up = (f for f in frames(film, Span(1.72, INFINITE), sample_rate=5, look_back=1.0) if f.run_up)
    assert (before.time, before.pixels) == (0.96, None)
    assert_same(run_up, whole)
    at_one = [frame for frame in frames(film, Span(1.0, INFINITE), sample_rate=5, look_back=1.0) if frame.run_up]
    assert [frame.time for frame in at_one] == [0.96]


def test_every_frame_comes_once_in_order_and_the_samples_with_all_pixels(tmp_path):
    film = probe(write_clip(tmp_path / "clip.mp4", moving(25, 640, 360)))
    read = list(frames(film, sample_rate=5))
    assert [frame.index for frame in read] == list(range(25))
    assert [frame.time for frame in read] == [k / 25 for k in range(25)]
    assert [frame.index for frame in read if frame.pixels is not None] == [0, 5, 10, 15, 20]
    assert {frame.small.shape for frame in read} == {(90, 160, 3)}
    assert {frame.pixels.shape for frame in read if frame.pixels is not None} == {(360, 640, 3)}
    assert not any(frame.run_up for frame in read)


def test_a_sample_is_the_first_frame_at_or_after_a_grid_point_used_once(tmp_path):
    #                            the grid is every 5:   0                5     10
    film = probe(write_clip(tmp_path / "clip.mkv", moving(8), times=[0, 1, 2, 3, 12, 13, 14, 15]))
    read = list(frames(film, sample_rate=5))
    assert [round(frame.time * 25) for frame in read] == [0, 1, 2, 3, 12, 13, 14, 15]
    assert [round(frame.time * 25) for frame in read if frame.pixels is not None] == [0, 12, 15]


def test_a_rate_that_is_no_rate_is_refused(tmp_path):
    film = probe(write_clip(tmp_path / "clip.mp4", moving(2)))
    with pytest.raises(ValueError, match="sample_rate must be positive, got 0"):
        frames(film, sample_rate=0)


OPEN = "keyint=12:bframes=3:open-gop=1:scenecut=0"


@pytest.mark.parametrize(
    ("name", "codec", "options", "n_key_frames"),
    [
        ("closed.mp4", "libx264", {"bf": "3", "x264-params": "keyint=12:scenecut=0"}, 3),
        ("open.mp4", "libx264", {"x264-params": f"{OPEN}:b-pyramid=2"}, 3),
        ("open.mkv", "libx264", {"x264-params": OPEN}, 3),
        ("refresh.mp4", "libx264", {"x264-params": "keyint=12:intra-refresh=1:scenecut=0:bframes=0"}, 1),
        ("open_hevc.mp4", "libx265", {"x265-params": f"{OPEN}:log-level=none"}, 3),
        ("mpeg2.mkv", "mpeg2video", {}, 3),
        ("mpeg2.ts", "mpeg2video", {}, 0),
        ("mpeg4.avi", "mpeg4", {}, 0),
        ("vp9.webm", "libvpx-vp9", {"deadline": "realtime", "cpu-used": "8"}, 3),
    ],
)
def test_two_spans_give_the_frames_of_an_undivided_pass(tmp_path, name, codec, options, n_key_frames):
    b_frames = 0 if codec in {"libx264", "libvpx-vp9"} else 2
    path = write_clip(tmp_path / name, moving(75, 384), codec=codec, options=options, b_frames=b_frames)
    keys = probe(path).key_frames
    assert len(keys) == n_key_frames
    assert_divisible(path, [*keys[1:], *(key + 0.02 for key in keys[1:]), 0.02, 1.4, 2.96])


def test_the_chunks_of_a_real_film_give_the_frames_of_an_undivided_pass(films):
    path = films / "testfilm_720p25.mp4"
    second = chunk_spans(probe(path))[1].start
    assert_divisible(path, [second - 1.3, second - 0.02, second], Span(second - 3, second + 1))


@pytest.mark.parametrize("suffix", ["ts", "mpg"])
def test_a_second_part_whose_clock_begins_before_the_first_ones_is_read(tmp_path: Path, suffix: str):
    codec = "mpeg2video"
    late = write_clip(tmp_path / f"late.{suffix}", moving(50), codec=codec, options={}, times=[*range(500, 550)])
    early = write_clip(tmp_path / f"early.{suffix}", moving(75), codec=codec, options={})
    notes = ReaderNotes()
    film = probe(joined(tmp_path / f"film.{suffix}", late, early))
    times = [frame.time for frame in frames(film, sample_rate=5, notes=notes)]
    assert len(times) == 125
    steps = np.diff(times)  # the writer of MPEG-PS leaves out a tick here and there
    assert steps.min() > 0
    assert steps.max() < 0.081
    assert times[-1] == pytest.approx(4.96, abs=0.05)
    assert notes.n_backward == 1
    assert notes.first_backward == pytest.approx(2.0, abs=0.05)


@pytest.mark.parametrize(("ratio", "changed"), [(Fraction(4, 3), True), (Fraction(1), False)])
def test_pixels_that_change_their_shape_are_noted(tmp_path: Path, ratio: Fraction, changed: bool):
    first = write_clip(tmp_path / "a.ts", moving(25))
    second = write_clip(tmp_path / "b.ts", moving(25), times=[*range(25, 50)], ratio=ratio)
    notes = ReaderNotes()
    assert len(list(frames(probe(joined(tmp_path / "film.ts", first, second)), sample_rate=5, notes=notes))) == 50
    assert [warning[:24] for warning in notes.warnings()] == ["the film changes the sha"] * changed
    assert not changed or notes.reshaped == pytest.approx(1.0, abs=0.3)  # the decoder is ahead of what it hands out


def test_a_span_beyond_the_end_has_its_run_up_alone(tmp_path):
    film = probe(write_clip(tmp_path / "clip.mp4", moving(10)))
    assert [(frame.time, frame.run_up) for frame in frames(film, Span(60.0, INFINITE), sample_rate=5)] == [(0.36, True)]


def test_one_decoding_thread_gives_what_several_give(tmp_path):
    film = probe(write_clip(tmp_path / "clip.mp4", moving(30), options={"bf": "3"}))
    assert_same(list(frames(film, sample_rate=5, threads=1)), list(frames(film, sample_rate=5, threads=3, prefetch=0)))


@pytest.mark.parametrize("row", hard_rows(), ids=lambda row: row["file"])
def test_a_hard_clip_is_read_or_refused_as_its_row_says(row):
    path = HARD / row["file"]
    if row["exit"] != "0":
        with pytest.raises(FilmError, match=row["warning"]) as caught:
            probe(path)
        assert "\n" not in str(caught.value)
        return
    notes = ReaderNotes()
    film = probe(path)
    read = list(frames(film, sample_rate=5, notes=notes))
    assert len(read) >= int(row["frames_min"])
    assert all(before.time < after.time for before, after in pairwise(read))
    if row["display_size"]:
        width, height = map(int, row["display_size"].split("x"))
        assert (film.width, film.height) == (width, height)
        assert read[0].pixels is not None
        assert read[0].pixels.shape == (height, width, 3)
    assert notes.partial == bool(row["warning"])
    assert row["warning"] in "; ".join(notes.warnings())


def test_a_damaged_packet_is_skipped_and_noted_with_its_time(tmp_path):
    path = write_clip(tmp_path / "clip.mp4", moving(50), codec="mjpeg", pix_fmt="yuvj420p", options={})
    with av.open(str(path)) as container:
        packet = next(
            packet
            for packet in container.demux(video=0)
            if packet.pts and packet.time_base and packet.pts * packet.time_base == 1
        )
        place, size = packet.pos, packet.size
    content = bytearray(path.read_bytes())
    content[place : place + size] = bytes(size)
    path.write_bytes(content)
    notes = ReaderNotes()
    times = [frame.time for frame in frames(probe(path), sample_rate=5, threads=1, notes=notes)]
    assert times == [k / 25 for k in range(50) if k != 25]
    assert [time for time, _ in notes.damaged] == [1.0]
    assert notes.partial
    assert notes.warnings()[0].startswith("damaged: 1 place could not be decoded, the first at 0:00:01.000")


@pytest.mark.parametrize("threads", [1, 4])
def test_a_truncated_film_is_read_as_far_as_it_goes(tmp_path, threads):
    path = write_clip(tmp_path / "clip.mkv", moving(100))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    notes = ReaderNotes()
    read = list(frames(probe(path), sample_rate=5, threads=threads, notes=notes))
    assert 40 <= len(read) <= 60
    assert notes.partial
    assert "partly readable" in notes.warnings()[-1]
    assert "promises 0:00:04.000" in notes.warnings()[-1]


def test_a_film_of_which_nothing_can_be_decoded_any_more_is_an_error(tmp_path):
    path = write_clip(tmp_path / "clip.mp4", moving(10))
    film = probe(path)
    path.unlink()
    with pytest.raises(SceneferError, match=r"clip\.mp4"):
        list(frames(film, sample_rate=5))


def test_a_change_of_size_is_scaled_to_that_of_most_of_the_film_and_said(tmp_path):
    small = write_clip(tmp_path / "small.h264", moving(10, 128, 72), container="h264")
    large = write_clip(tmp_path / "large.h264", moving(30, 192, 144), container="h264")
    notes = ReaderNotes()
    read = list(frames(probe(joined(tmp_path / "joined.h264", small, large)), sample_rate=25, notes=notes))
    assert len(read) == 40
    assert {frame.pixels.shape for frame in read if frame.pixels is not None} == {(144, 192, 3)}
    assert notes.n_resized == 10
    assert not notes.partial


def test_a_film_without_timestamps_is_read_at_its_rate(tmp_path):
    film = probe(write_clip(tmp_path / "clip.h264", moving(10), container="h264"))
    notes = ReaderNotes()
    assert film.duration is None
    assert [frame.time for frame in frames(film, sample_rate=5, notes=notes)] == pytest.approx(
        [k / 25 for k in range(10)]
    )
    assert notes.n_interpolated == 10


def test_a_clock_that_jumps_back_does_not_take_film_time_back(tmp_path):
    part = write_clip(tmp_path / "part.ts", moving(50), codec="mpeg2video", options={})
    joined = tmp_path / "joined.ts"
    joined.write_bytes(part.read_bytes() * 2)
    notes = ReaderNotes()
    times = [frame.time for frame in frames(probe(joined), sample_rate=5, notes=notes)]
    assert times == pytest.approx([k / 25 for k in range(100)], abs=1e-3)
    assert notes.n_backward == 1
    assert notes.first_backward == pytest.approx(2.0, abs=1e-3)


def readers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "scenefer-reader"]


def test_a_reader_that_is_left_early_ends_its_thread(tmp_path):
    film = probe(write_clip(tmp_path / "clip.mp4", moving(50)))
    reading = frames(film, sample_rate=5, prefetch=2)
    next(reading)
    assert len(readers()) == 1
    reading.close()  # pyright: ignore[reportAttributeAccessIssue]
    assert readers() == []


def test_decord_gives_the_frames_and_times_of_pyav(films):
    pytest.importorskip("decord")
    film = probe(films / "testfilm_720p25.mp4")
    span = Span(0.0, 3.0)
    ours = list(frames(film, span, sample_rate=5))
    theirs = list(frames(film, span, sample_rate=5, reader="decord"))
    assert [frame.time for frame in theirs] == pytest.approx([frame.time for frame in ours], abs=1e-6)
    assert [frame.pixels is None for frame in theirs] == [frame.pixels is None for frame in ours]
    reduced = [[frame.picture.reduced(320 * 180).astype(int) for frame in read] for read in (ours, theirs)]
    # decord takes every film for BT.601, so strong colours differ
    assert max(np.abs(a - b).mean() for a, b in zip(*reduced, strict=True)) < 6


def test_a_reader_that_is_not_installed_says_how_to_install_it(tmp_path, monkeypatch):
    film = probe(write_clip(tmp_path / "clip.mp4", moving(2)))
    monkeypatch.setitem(sys.modules, "decord", None)
    with pytest.raises(PlanError, match=r"pip install scenefer\[decord\]"):
        list(frames(film, sample_rate=5, reader="decord"))


def test_notes_of_chunks_add_up_and_survive_json():
    first = ReaderNotes(n_damaged=1, damaged=[(2.0, "b")], n_interpolated=2, hdr="PQ")
    second = ReaderNotes(n_damaged=1, damaged=[(1.0, "a")], n_backward=1, first_backward=0.5, ended=(3.0, 9.0))
    first.merge(ReaderNotes(**json.loads(json.dumps(asdict(second)))))
    assert first == ReaderNotes(2, [(1.0, "a"), (2.0, "b")], (3.0, 9.0), 2, 1, 0.5, hdr="PQ")
    assert [warning.split()[0] for warning in first.warnings()] == ["damaged:", "partly", "2", "the", "HDR"]


def test_a_clean_pass_has_nothing_to_say(tmp_path):
    notes = ReaderNotes()
    list(frames(probe(write_clip(tmp_path / "clip.mp4", moving(10))), sample_rate=5, notes=notes))
    assert notes == ReaderNotes()
    assert notes.warnings() == []
    assert not notes.partial


@pytest.mark.parametrize(("errors", "partial"), [(3, True), (0, False)])
def test_a_chunk_that_the_disk_cuts_short_is_partial_however_long_the_film(
    errors: int, partial: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Of two hours, 72 s may be missing where only the sound goes on; a chunk is shorter than that."""
    film = replace(probe(write_clip(tmp_path / "clip.mp4", moving(125, 64, 36), gop=25)), duration=7200.0)

    def failing(container, stream):
        for packet in container.demux(stream):
            if packet.pts is not None and packet.pts * packet.time_base >= 3:
                break
            yield packet
        yield from [None] * errors
        end = av.Packet()
        end.stream = stream
        yield end

    monkeypatch.setattr(reading, "packets", failing)
    notes = ReaderNotes()
    last = max(frame.time for frame in frames(film, Span(0.0, 4.4), sample_rate=5, notes=notes))
    assert notes.partial == partial
    assert (last < 3.0) == partial  # a held picture does not stand for what is lost
