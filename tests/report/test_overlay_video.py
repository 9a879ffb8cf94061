"""The overlay shows what the tables say, where and when they say it."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pandas as pd
import pytest

from scenefer import video
from scenefer.analysis.result import Analysis
from scenefer.comparison.scene_comparison import Comparison, compare
from scenefer.comparison.wording import verdict_words
from scenefer.core.errors import FilmError, OutputError, PlanError
from scenefer.core.film import Span
from scenefer.core.language import ENGLISH
from scenefer.core.schema import EMOTIONS
from scenefer.report import overlay_video
from scenefer.report.overlay_video import overlay
from scenefer.report.track_timelines import Shares, courses
from scenefer.video import ArrayPicture, Frame, probe, writing
from tests.builders import expressions_table, faces_table, samples_table, scenes_table, shots_table, tracks_table
from tests.clips import moving, plain, write_clip
from tests.reports import analysed


def run_of(clip: Path, **tables) -> Analysis:
    """A run of a clip of two seconds with one face, happy first and then angry, that moves to the right."""
    time = [0.0, 0.4, 0.8, 1.2]
    whole = {
        "film": probe(clip),
        "shots": shots_table(start=[0.0], end=[2.0]),
        "scenes": scenes_table(start=[0.0], end=[2.0], name=["a $scene"]),
        "samples": samples_table(time=time, weight=0.4),
        "tracks": tracks_table(start=[0.0], end=[1.2]),
        "faces": faces_table(time=time, x0=[20, 40, 60, 80], y0=20, x1=[60, 80, 100, 120], y1=60),
        "expressions": expressions_table(time=time, weight=0.4, happy=[0.9, 0.9, 0.1, 0.1], angry=[0.0, 0.0, 0.8, 0.8]),
    }
    return replace(analysed(), **{**whole, **tables})


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_clip(tmp_path / "clip.mp4", [plain((0, 0, 0), 320, 240)] * 50)


def test_a_box_lies_between_those_of_the_samples_around_it(clip: Path):
    (course,) = courses(run_of(clip))
    assert course.at(0.2).box.tolist() == [30, 20, 70, 60]
    assert course.at(0.4).box.tolist() == [40, 20, 80, 60]
    assert course.at(1.3).box.tolist() == [80, 20, 120, 60]
    assert (course.start, course.end) == (0.0, pytest.approx(1.6))


def test_expressions_are_smoothed_inside_a_track_and_sum_to_one(clip: Path):
    (course,) = courses(run_of(clip))
    happy = [course.at(time).shares[EMOTIONS.index("happy")] for time in (0.0, 0.4, 0.6, 0.8)]  # pyright: ignore
    assert happy == pytest.approx([0.9, 1.9 / 3, 0.5, 1.1 / 3], abs=1e-5)
    assert course.at(0.55).shares.sum() == pytest.approx(1, abs=1e-5)  # pyright: ignore[reportOptionalMemberAccess]


def test_a_face_that_does_not_count_has_a_reason_instead_of_shares(clip: Path):
    run = run_of(clip)
    rejected = run.expressions.assign(usable=[True, True, False, False], why=[None, None, "blurred", "blurred"])
    (course,) = courses(replace(run, expressions=rejected))
    assert course.at(0.1).shares is not None
    assert (course.at(0.9).shares, course.at(0.9).why) == (None, "blurred")


def test_a_track_is_not_drawn_beyond_its_shot(clip: Path):
    run = run_of(clip, shots=shots_table(start=[0.0, 1.25], end=[1.25, 2.0]))
    assert courses(run)[0].end == 1.25


def test_the_scene_so_far_becomes_the_percentages_of_the_scene(clip: Path):
    run = run_of(clip)
    shares = Shares(run)
    assert shares.until(0.0, 0)[EMOTIONS.index("happy")] == pytest.approx(0.9)  # pyright: ignore[reportOptionalSubscript]
    assert shares.until(2.0, 0)[EMOTIONS.index("happy")] == pytest.approx(0.5)  # pyright: ignore[reportOptionalSubscript]
    assert shares.until(-1.0, 0) is None
    assert shares.until(0.0, 7) is None


def drawn(path: Path) -> list[np.ndarray]:
    """All frames of a film, RGB as displayed."""
    frames = video.frames(probe(path), sample_rate=1000)
    return [frame.pixels for frame in frames if frame.pixels is not None]


def is_near(pixel: np.ndarray, colour: str) -> bool:
    wanted = [int(colour[k : k + 2], 16) for k in (1, 3, 5)]
    return bool(np.abs(pixel.astype(int) - wanted).max() < 40)


def test_the_box_has_the_colour_of_the_leading_expression_where_the_face_is(tmp_path: Path):
    clip = write_clip(tmp_path / "large.mp4", [plain((0, 0, 0), 960, 720)] * 50)
    run = run_of(clip)
    run = replace(run, faces=run.faces.assign(**{edge: 3 * run.faces[edge] + 200 for edge in ("x0", "y0", "x1", "y1")}))
    overlay(probe(clip), run, tmp_path / "out.mp4")
    frames = drawn(tmp_path / "out.mp4")
    assert len(frames) == 50
    assert is_near(frames[0][320, 260], overlay_video.COLOURS["happy"])  # its left edge, at first
    assert is_near(frames[30][320, 440], overlay_video.COLOURS["angry"])  # and at its last sample
    assert frames[30][320, 260].max() < 60  # where it was
    assert frames[45][320, 440].max() < 60  # after its end
    assert frames[45][540:, 30:360].max() > 100  # the panel stays


def panel_of(run: Analysis, said: Comparison | None = None) -> np.ndarray:
    """Where a white frame was changed in its lower half: (M, 2) rows and columns."""
    painter = overlay_video._Painter(run, ENGLISH, said)
    return np.argwhere((painter.draw(np.full((360, 640, 3), 255, np.uint8), 1.9) < 250).any(axis=2))


def test_the_panel_stands_where_it_covers_fewer_faces(tmp_path: Path):
    wide = write_clip(tmp_path / "wide.mp4", [plain((0, 0, 0), 640, 360)] * 50)
    time = [0.0, 0.4, 0.8, 1.2]
    at_left = faces_table(time=time, x0=20, x1=120, y0=220, y1=340)
    at_right = faces_table(time=time, x0=500, x1=600, y0=220, y1=340)
    assert panel_of(run_of(wide, faces=at_left))[:, 1].min() > 320
    assert panel_of(run_of(wide, faces=at_right))[:, 1].max() < 320


def test_the_panel_says_what_was_intended_and_what_came_of_it(tmp_path: Path):
    run = run_of(write_clip(tmp_path / "wide.mp4", [plain((0, 0, 0), 640, 360)] * 50))
    sheet = pd.DataFrame({"scene": ["a $scene"], "start": [0.0], "end": [2.0], "intended": ["happy"]})
    said = compare(run, sheet.assign(character=None, note=None))
    ((scene, text),) = overlay_video._intended(said, ENGLISH).items()
    verdict = verdict_words(said.table["verdict"].iloc[0])
    assert (scene, text) == (0, f"intended: happy · {verdict}")
    assert panel_of(run, said)[:, 0].min() < panel_of(run)[:, 0].min()  # a line more


def test_a_part_of_the_film_is_as_long_as_that_part(clip: Path, tmp_path: Path):
    overlay(probe(clip), run_of(clip), tmp_path / "out.mp4", Span(0.4, 1.2))
    assert len(drawn(tmp_path / "out.mp4")) == 20


def test_the_last_picture_is_held_to_the_end_of_the_film(tmp_path: Path):
    pictures = [*moving(50, 128, 72), plain((9, 9, 9), 128, 72), plain((9, 9, 9), 128, 72)]
    clip = write_clip(tmp_path / "held.mp4", pictures, times=[*range(51), 150])
    overlay(probe(clip), run_of(clip), tmp_path / "out.mp4", Span(0.0, 5.0))
    assert probe(tmp_path / "out.mp4").duration == pytest.approx(5.0, abs=0.15)


@pytest.mark.parametrize(("end", "held"), [(5.0, 0.5), (3.5, 1.0)])
def test_a_part_that_begins_inside_a_held_picture_shows_it(tmp_path: Path, end: float, held: float):
    pictures = [plain((level, level, level), 320, 180) for level in [20] * 50 + [200] + [90] * 50]
    clip = write_clip(tmp_path / "held.mp4", pictures, times=[*range(51), *range(100, 150)])
    overlay(probe(clip), run_of(clip), tmp_path / "out.mp4", Span(3.0, end))
    shown = np.array([frame[2:12, 300:318].mean() for frame in drawn(tmp_path / "out.mp4")])
    assert probe(tmp_path / "out.mp4").duration == pytest.approx(end - 3, abs=0.1)
    assert np.isclose(shown, 200, atol=6).mean() == pytest.approx(held, abs=0.05)
    assert np.isclose(shown, 90, atol=6).mean() == pytest.approx(1 - held, abs=0.05)


@pytest.mark.parametrize(("rotation", "ratio"), [(90, Fraction(1)), (0, Fraction(2))])
def test_rotation_and_the_shape_of_pixels_are_applied(tmp_path: Path, rotation: int, ratio: Fraction):
    clip = write_clip(tmp_path / "turned.mp4", moving(10, 128, 72), rotation=rotation, ratio=ratio)
    film = probe(clip)
    overlay(film, run_of(clip), tmp_path / "out.mp4")
    written = probe(tmp_path / "out.mp4")
    assert (written.width, written.height) == (film.width, film.height) == ((72, 128) if rotation else (256, 72))
    assert (written.rotation, written.sample_aspect_ratio) == (0, 1)


def test_frames_follow_one_another_at_a_constant_rate_whatever_their_times():
    times = [0.0, 0.04, 0.16, 0.201, 0.2011]
    frames = [
        Frame(k, time, np.zeros(0), ArrayPicture(np.full((1, 1, 3), k, np.uint8))) for k, time in enumerate(times)
    ]
    steady = list(overlay_video._steady(frames, Fraction(25), Span(0.0, 0.0), lambda reached: None))
    assert [int(pixels[0, 0, 0]) for _, pixels in steady] == [0, 1, 1, 1, 2, 4]


def test_nothing_is_shown_before_the_picture_of_a_film_that_begins_with_its_sound():
    frames = [Frame(k, 0.2 + k / 25, np.zeros(0), ArrayPicture(np.full((1, 1, 3), 9, np.uint8))) for k in range(2)]
    steady = list(overlay_video._steady(frames, Fraction(25), Span(0.0, 0.0), lambda reached: None))
    assert [int(pixels[0, 0, 0]) for _, pixels in steady] == [0, 0, 0, 0, 0, 9, 9]


def with_sound(tmp_path: Path) -> Path:
    """A clip of two seconds with a tone that begins at 1 s."""
    silent = write_clip(tmp_path / "silent.mp4", [plain((60, 60, 60), 320, 240)] * 50)
    path = tmp_path / "sounding.mp4"
    tone = "aevalsrc=if(gte(t\\,1)\\,0.5*sin(2000*t)\\,0):d=2"
    command = [
        writing._binary(),
        "-loglevel",
        "error",
        "-i",
        str(silent),
        "-f",
        "lavfi",
        "-i",
        tone,
        "-c:v",
        "copy",
        "-c:a",
        "aac",
        str(path),
    ]
    subprocess.run(command, check=True)
    return path


@pytest.mark.parametrize("begin", [0.0, 0.2, 1.0])
def test_sound_that_begins_late_stays_beside_its_pictures(tmp_path: Path, begin: float):
    """A stream cut out of a broadcast: its first sound comes half a second after its first picture."""
    whole, cut = with_sound(tmp_path), tmp_path / "cut.ts"
    command = [writing._binary(), "-loglevel", "error", "-i", whole, "-itsoffset", "0.5", "-i", whole]
    streams = ["-map", "0:v", "-map", "1:a", "-c:v", "copy", "-c:a", "mp2", "-f", "mpegts", cut]
    subprocess.run([str(word) for word in (*command, *streams)], check=True)
    writing.write_film(
        [plain((60, 60, 60), 320, 240)] * 60, Fraction(25), probe(cut), Span(begin, 2.4), tmp_path / "out.mp4"
    )
    loud = loudness(tmp_path / "out.mp4") > 0.2
    assert int(np.argmax(loud)) == pytest.approx(10 * (1.5 - begin), abs=1)
    assert len(loud) == pytest.approx(10 * (2.4 - begin), abs=1)


def loudness(path: Path) -> np.ndarray:
    """The largest amplitude of every tenth of a second of a film's sound."""
    with av.open(str(path)) as file:
        samples = np.concatenate([frame.to_ndarray()[0] for frame in file.decode(audio=0)])
        rate = file.streams.audio[0].rate
    return np.array([np.abs(part).max() for part in np.array_split(samples, round(len(samples) / rate * 10))])


def test_the_sound_stays_beside_its_pictures(tmp_path: Path):
    clip = with_sound(tmp_path)
    overlay(probe(clip), run_of(clip), tmp_path / "whole.mp4")
    overlay(probe(clip), run_of(clip), tmp_path / "part.mp4", Span(0.6, 2.0))
    whole, part = loudness(tmp_path / "whole.mp4"), loudness(tmp_path / "part.mp4")
    assert int(np.argmax(whole > 0.2)) == pytest.approx(10, abs=1)
    assert int(np.argmax(part > 0.2)) == pytest.approx(4, abs=1)
    assert len(part) == pytest.approx(14, abs=1)


def test_names_are_names_and_reach_no_shell(tmp_path: Path, clip: Path):
    odd = tmp_path / "-i $(touch pwned); `x` 'a\" %03d.mp4"
    shutil.copy(clip, odd)
    out = tmp_path / "-y |out & %d.mp4"
    overlay(probe(odd), run_of(odd), out)
    assert probe(out).width == 320
    assert not (tmp_path / "pwned").exists()
    assert not Path("pwned").exists()


def test_another_film_than_the_one_that_was_analysed_is_refused(tmp_path: Path, clip: Path):
    run = run_of(clip)
    other = write_clip(tmp_path / "other.mp4", moving(10))
    with pytest.raises(FilmError, match=r"is not the film that was analysed, clip\.mp4"):
        overlay(probe(other), run, tmp_path / "out.mp4")
    assert not (tmp_path / "out.mp4").exists()


def test_what_cannot_be_written_leaves_nothing_behind(tmp_path: Path, clip: Path):
    run = run_of(clip)
    with pytest.raises(PlanError, match=r"name it \*.mp4"):
        overlay(probe(clip), run, tmp_path / "out.avi")
    with pytest.raises(OutputError, match="is the film itself"):
        overlay(probe(clip), run, clip)
    with pytest.raises(OutputError, match="cannot be written"):
        overlay(probe(clip), run, clip / "out.mp4")
    with pytest.raises(OutputError, match="no frame of the film lies in this part"):
        overlay(probe(clip), run, tmp_path / "out.mp4", Span(90.0, 91.0))
    assert {path.name for path in tmp_path.iterdir()} == {"clip.mp4"}


def test_an_earlier_overlay_stays_until_the_new_one_is_whole(
    tmp_path: Path, clip: Path, monkeypatch: pytest.MonkeyPatch
):
    out = tmp_path / "out.mp4"
    out.write_bytes(b"earlier")

    def interrupted(self, pixels: np.ndarray, time: float) -> np.ndarray:
        if time > 0.5:
            raise KeyboardInterrupt
        return pixels

    monkeypatch.setattr(overlay_video._Painter, "draw", interrupted)
    with pytest.raises(KeyboardInterrupt):
        overlay(probe(clip), run_of(clip), out)
    assert out.read_bytes() == b"earlier"
    assert {path.name for path in tmp_path.iterdir()} == {"clip.mp4", "out.mp4"}


def test_without_ffmpeg_on_the_path_the_binary_of_the_package_is_taken(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(writing, "which", lambda name: None)
    assert Path(writing._binary()).is_file()
    assert "imageio" in writing._binary()
