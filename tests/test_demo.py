"""The demo film is what its sheet says; it is painted small here, so that the encoder has less to do."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from scenefer import demo
from scenefer.core.errors import OutputError
from scenefer.core.film import Film
from scenefer.interchange.scene_lists import read_sheet


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(demo, "SIZE", (160, 90))


@pytest.mark.usefixtures("small")
def test_the_sheet_covers_the_film_that_it_lies_beside(tmp_path: Path):
    path, sheet = demo.write_demo(tmp_path / "new")
    assert sorted(file.name for file in path.parent.iterdir()) == ["demo.csv", "demo.mp4"]
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.width, stream.height, stream.average_rate) == ("h264", 160, 90, 25)
        times = [float(frame.time) for frame in container.decode(stream)]
    assert times == pytest.approx(np.arange(600) / 25)
    table, notices = read_sheet(sheet, Film(path, "0" * 16, 160, 90, 24.0, Fraction(25)))
    assert notices == []
    assert table["scene"].tolist() == ["gallery", "portrait", "orbit", "return"]
    assert table["start"].tolist() == [0.0, 5.0, 13.0, 18.4]
    assert table["end"].tolist() == [5.0, 13.0, 18.4, 24.0]


@pytest.mark.usefixtures("small")
def test_a_faster_film_ends_earlier_and_its_sheet_with_it(tmp_path: Path):
    path, sheet = demo.write_demo(tmp_path, speed=1.5)
    with av.open(str(path)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 400
    table, _ = read_sheet(sheet, Film(path, "0" * 16, 160, 90, 16.0, Fraction(25)))
    assert table["end"].tolist() == pytest.approx([3.333, 8.667, 12.267, 16.0])


def test_a_speed_at_which_no_film_is_left_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr("sys.argv", ["demo", "--speed", "30"])
    with pytest.raises(SystemExit, match="2"):
        demo.main()
    assert "between 0.5 and 2.0, not 30.0" in capsys.readouterr().err


@pytest.mark.usefixtures("small")
def test_the_film_has_three_hard_cuts_and_a_dissolve():
    pictures = [picture.astype(float) for picture in demo.pictures()]
    change = [np.abs(b - a).mean() for a, b in pairwise(pictures)]
    assert sorted(np.argsort(change)[-3:] + 1) == [5 * 25, 9 * 25, 13 * 25]
    within = change[18 * 25 : 18 * 25 + 19]
    assert min(within) > 2 * max(change[18 * 25 + 21 :])


def test_grain_and_clouds_come_from_fixed_seeds(monkeypatch: pytest.MonkeyPatch):
    """A repeated demo finds its film analysed already."""
    monkeypatch.setattr(demo, "SIZE", (160, 90))
    first, again = (next(demo.pictures()) for _ in range(2))
    assert first.shape == (90, 160, 3)
    assert np.array_equal(first, again)


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="choose another folder"):
        demo.write_demo(tmp_path / "file" / "demo")
