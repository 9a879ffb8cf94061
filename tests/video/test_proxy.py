"""A proxy is smaller than its film, and shows every frame when the film does."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest

from scenefer.core.errors import FilmError, OutputError, PlanError
from scenefer.video import frames, probe
from scenefer.video.proxy import write_proxy
from tests.clips import numbered, plain, read_number, write_clip


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"times": [0, 1, 2, 5, 6, 20, 21, 22, 40, 41], "rate": 60},
        {"times": [30 + k for k in range(10)], "sound": 3.0},
        {"rotation": 90, "b_frames": 2},
        {"container": "matroska", "times": [7, 8, 9, 12, 15, 16, 17, 18, 19, 20]},
    ],
)
def test_every_frame_is_shown_when_the_film_shows_it(tmp_path: Path, changes: dict[str, Any]):
    film = probe(write_clip(tmp_path / "film", [numbered(k) for k in range(10)], **{"container": "mp4", **changes}))
    write_proxy(film, tmp_path / "proxy.mp4")
    proxy = probe(tmp_path / "proxy.mp4")
    own, copied = ([*frames(one, sample_rate=None)] for one in (film, proxy))
    assert [frame.time for frame in copied] == pytest.approx([frame.time for frame in own], abs=1e-4)
    assert [read_number(frame.pixels) for frame in copied if frame.pixels is not None] == [*range(10)]
    assert (proxy.codec, proxy.start, proxy.width, proxy.height) == ("h264", 0.0, film.width, film.height)


def test_the_shorter_side_has_at_most_540_pixels_in_the_shape_of_the_film(tmp_path: Path):
    wide = write_clip(tmp_path / "wide.mp4", [plain((9, 9, 9), 1440, 1080)] * 3, ratio=Fraction(4, 3))
    write_proxy(probe(wide), tmp_path / "proxy.mp4")
    proxy = probe(tmp_path / "proxy.mp4")
    assert (proxy.width, proxy.height) == (960, 540)


def test_the_sound_begins_with_the_film_and_ends_with_its_picture(tmp_path: Path):
    late = write_clip(tmp_path / "late.mp4", [numbered(k) for k in range(25)], times=[*range(25, 50)], sound=4.0)
    write_proxy(probe(late), tmp_path / "proxy.mp4")
    with av.open(str(tmp_path / "proxy.mp4")) as file:
        (sound,) = file.streams.audio
        assert float((sound.start_time or 0) * sound.time_base) == pytest.approx(0, abs=0.03)
        assert float(sound.duration * sound.time_base) == pytest.approx(2.0, abs=0.05), (
            "a second of it before the picture"
        )


def test_what_is_no_film_and_where_none_can_be_written_is_said(tmp_path: Path):
    film = probe(write_clip(tmp_path / "film.mp4", [numbered(k) for k in range(5)]))
    with pytest.raises(OutputError, match="is the film itself"):
        write_proxy(film, tmp_path / "film.mp4")
    with pytest.raises(PlanError, match=r"name it \*\.mp4"):
        write_proxy(film, tmp_path / "proxy.webm")
    av.VideoFrame.from_ndarray(numbered(1), format="rgb24").to_image().save(tmp_path / "still.png")
    with pytest.raises(FilmError, match="does not move"):
        write_proxy(probe(tmp_path / "still.png"), tmp_path / "proxy.mp4")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["film.mp4", "still.png"]
