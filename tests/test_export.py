"""What is exported says what the run says, at the film's timecode, and nothing in it is more than text."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import opentimelineio as otio
import pandas as pd
import pytest

from scenefer.analysis import Analysis
from scenefer.comparison import Comparison, compare
from scenefer.emotions import EmotionSettings, summarise
from scenefer.errors import OutputError, PlanError
from scenefer.export import check_suffix, write_run
from scenefer.film import Film
from scenefer.sheets import read_sheet
from scenefer.tables import empty
from tests.builders import expressions_table, faces_table, samples_table, scenes_table, shots_table, tracks_table

RATES = {"23.976": Fraction(24000, 1001), "25": Fraction(25), "29.97": Fraction(30000, 1001)}
STARTS = {"none": None, "an hour": "01:00:00:00", "drop-frame": "00:59:59;28"}
EVIL = '<script>alert(1)</script> "><img onerror=x> --> =HYPERLINK("x")\n|C:x |M:y |D:9 {\\an8}'


def run(rate: Fraction = Fraction(25), timecode: str | None = None, name: str = "rage") -> Analysis:
    """Three scenes with gaps between: four seconds of an angry face, five of a happy one, and nobody."""
    film = Film(Path("film.mp4"), "0" * 16, 1280, 720, 12.0, rate, timecode=timecode)
    edges = [(3, 101), (102, 230), (230, 280)]  # frames
    starts, ends = ([float(edge / rate) for edge in side] for side in zip(*edges, strict=True))
    times = [starts[0] + 0.2 * k for k in range(19)] + [starts[1] + 0.2 * k for k in range(24)]
    scene = [0] * 19 + [1] * 24
    shares = {"angry": [0.8] * 19 + [0.1] * 24, "happy": [0.1] * 19 + [0.85] * 24}
    expressions = expressions_table(time=times, track=scene, shot=scene, scene=scene, **shares)
    faces = faces_table(time=times)
    samples = samples_table(time=times, shot=scene, scene=scene)
    scenes = scenes_table(name=[name, "joy", "empty"], start=starts, end=ends)
    tracks = tracks_table(track=[0, 1], shot=[0, 1], start=starts[:2])
    return Analysis(
        film=film,
        frames=empty("frames"),
        faces=faces,
        pictures=empty("pictures"),
        shots=shots_table(start=[0.0, *starts[1:]], end=[*starts[1:], 12.0]),
        tracks=tracks,
        samples=samples,
        expressions=expressions,
        scenes=scenes,
        scene_emotions=summarise(expressions, samples, scenes, tracks, EmotionSettings(resamples=50)),
        sheet=None,
        run={"settings": {"emotions": {"resamples": 50}}, "coverage": {}},
    )


def compared(analysis: Analysis) -> Comparison:
    """Anger meant and shown; sadness meant and joy shown; nobody to judge."""
    scenes = analysis.scenes
    sheet = scenes[["start", "end"]].assign(
        scene=scenes["name"], intended=["angry", "sad", "fear"], character=None, note=None
    )
    return compare(analysis, sheet)


def thin_at_joy(analysis: Analysis) -> Analysis:
    rows = analysis.scene_emotions
    return replace(
        analysis, scene_emotions=rows.assign(evidence=rows["evidence"].mask(rows["scene"] == 1, "insufficient"))
    )


def frames(analysis: Analysis, path: Path) -> dict[str, tuple[int, int]]:
    sheet, _ = read_sheet(path, analysis.film)
    return {
        name: (round(start * analysis.film.frame_rate), round(end * analysis.film.frame_rate))
        for name, start, end in sheet[["scene", "start", "end"]].itertuples(index=False)
    }


@pytest.mark.parametrize("timecode", STARTS.values(), ids=list(STARTS))
@pytest.mark.parametrize("rate", RATES.values(), ids=list(RATES))
@pytest.mark.parametrize("suffix", ["edl", "otio"])
def test_an_exported_timeline_is_read_back_to_the_frame(
    suffix: str, rate: Fraction, timecode: str | None, tmp_path: Path
):
    analysis, path = run(rate, timecode), tmp_path / f"film.{suffix}"
    assert write_run(analysis, compared(analysis), path) == "3 scenes"
    assert frames(analysis, path) == {"rage": (3, 101), "joy": (102, 230), "empty": (230, 280)}
    sheet, _ = read_sheet(path, analysis.film)
    assert sheet["intended"].tolist() == ["angry", "sad", "fear"]
    assert list(tmp_path.iterdir()) == [path]


def test_an_edit_list_has_the_films_timecode_what_was_detected_and_the_verdict(tmp_path: Path):
    analysis, path = run(RATES["29.97"], "00:59:59;28"), tmp_path / "film.edl"
    write_run(analysis, compared(analysis), path)
    assert path.read_text().splitlines()[:5] == [
        "TITLE: film",
        "FCM: DROP FRAME",
        "",
        "001  AX       V     C        01:00:00;01 01:00:03;09 01:00:00;01 01:00:03;09",
        " detected angry 80 %, happy 10 %, disgust 2 % (one take); angry intended: match "
        "|C:ResolveColorGreen |M:rage [angry] |D:98",
    ]
    assert "sad intended: mismatch |C:ResolveColorRed |M:joy [sad]" in path.read_text()
    assert "too little face evidence; fear intended: too little face evidence |C:ResolveColorBlue" in path.read_text()


def test_an_edit_list_is_read_by_another_program(tmp_path: Path):
    analysis, path = run(timecode="01:00:00:00"), tmp_path / "film.edl"
    write_run(analysis, None, path)
    read = otio.adapters.read_from_file(str(path), rate=25)
    clips = [item for item in read.tracks[0] if isinstance(item, otio.schema.Clip)]
    assert [(clip.name, clip.source_range.start_time.value, clip.duration().value) for clip in clips] == [
        ("001", 90003, 98),
        ("002", 90102, 128),
        ("003", 90230, 50),
    ]


def test_otio_has_a_clip_and_a_marker_a_scene(tmp_path: Path):
    analysis, path = run(timecode="01:00:00:00"), tmp_path / "film.otio"
    write_run(analysis, compared(analysis), path)
    read = otio.adapters.read_from_file(str(path))
    assert read.global_start_time == otio.opentime.RationalTime(90000, 25)
    assert [marker.color for marker in read.tracks.markers] == ["GREEN", "RED", "BLUE"]
    assert read.tracks.markers[0].comment.startswith("detected angry 80 %")
    clips = read.find_clips()
    assert [clip.name for clip in clips] == ["rage [angry]", "joy [sad]", "empty [fear]"]
    assert [clip.range_in_parent().start_time.value for clip in clips] == [3, 102, 230]
    assert [clip.source_range.start_time.value for clip in clips] == [90003, 90102, 90230]


def test_json_has_the_percentages_with_their_intervals_and_null_where_nothing_can_be_said(tmp_path: Path):
    analysis, path = run(timecode="10:00:00:00"), tmp_path / "film.JSON"
    write_run(analysis, compared(analysis), path)
    told = json.loads(path.read_text())
    rage, _, nobody = told["scenes"]
    assert (told["timecode"], rage["timecode"]) == ("10:00:00:00", ["10:00:00:03", "10:00:04:01"])
    assert rage["percent"]["screen_time"]["angry"]["percent"] == pytest.approx(80)
    assert rage["intentions"] == [{"character": None, "intended": "angry", "verdict": "match", "why": None}]
    assert nobody["percent"] is None
    assert nobody["intentions"][0]["why"] == "too little face evidence"


def test_subtitles_say_what_the_faces_of_each_few_seconds_show(tmp_path: Path):
    analysis, path = run(), tmp_path / "film.srt"
    assert write_run(analysis, compared(analysis), path) == "3 subtitles"
    assert write_run(thin_at_joy(analysis), None, tmp_path / "thin.srt") == "3 subtitles"
    assert (tmp_path / "thin.srt").read_text().splitlines()[6:9] == [
        "00:00:04,080 --> 00:00:06,640", "joy", "too little face evidence",
    ]  # fmt: skip
    one = replace(analysis, scenes=analysis.scenes.head(1))
    assert write_run(one, None, tmp_path / "new" / "folder" / "one.json") == "1 scene"
    assert path.read_text() == (
        "1\n00:00:00,120 --> 00:00:04,040\nrage (match)\ndetected: angry 80 %, happy 10 %\n\n"
        "2\n00:00:04,080 --> 00:00:06,640\njoy (mismatch)\ndetected: happy 85 %, angry 10 %\n\n"
        "3\n00:00:06,640 --> 00:00:09,200\njoy (mismatch)\ndetected: happy 85 %, angry 10 %\n"
    )


def test_a_film_without_scenes_or_faces_is_exported_empty(tmp_path: Path):
    none = {name: empty(name) for name in ("shots", "scenes", "scene_emotions", "expressions", "faces")}
    analysis = replace(run(), **none)
    for suffix, said in (("srt", "0 subtitles"), ("json", "0 scenes"), ("edl", "0 scenes"), ("otio", "0 scenes")):
        assert write_run(analysis, None, tmp_path / f"film.{suffix}") == said


@pytest.mark.parametrize("suffix", ["edl", "otio", "srt", "json", "csv"])
def test_a_name_is_text_whatever_it_says(suffix: str, tmp_path: Path):
    analysis = run(name=EVIL)
    analysis = replace(analysis, film=replace(analysis.film, path=Path('=HYPERLINK("x").mp4')))
    path = tmp_path / f"film.{suffix}"
    write_run(analysis, compared(analysis), path)
    text = path.read_text()
    if suffix == "srt":
        assert text.count("-->") == 3
        assert not {"<", "{"} & set(text)
        assert len(text.split("\n\n")) == 3
    elif suffix == "csv":
        assert text.splitlines()[1].startswith("\"'=HYPERLINK")
    elif suffix == "json":
        assert json.loads(text)["scenes"][0]["name"] == EVIL
    else:
        assert frames(analysis, path) == {
            " ".join(EVIL.replace("\n", "\\n").split()): (3, 101),
            "joy": (102, 230),
            "empty": (230, 280),
        }


def test_a_suffix_that_nothing_is_written_as_is_refused_with_the_nearest_one():
    with pytest.raises(PlanError, match=r"did you mean \.edl"):
        check_suffix(Path("film.ed"))
    with pytest.raises(PlanError, match=r"known: \.csv, \.edl, \.otio, \.json, \.srt"):
        check_suffix(Path("film"))


@pytest.mark.parametrize("suffix", ["csv", "edl", "otio", "srt", "json"])
def test_what_cannot_be_written_is_an_error_and_leaves_nothing_behind(suffix: str, tmp_path: Path):
    (tmp_path / "no folder").touch()
    with pytest.raises(OutputError, match="cannot be written"):
        write_run(run(), None, tmp_path / "no folder" / f"film.{suffix}")
    (tmp_path / f"film.{suffix}").mkdir()
    with pytest.raises(OutputError, match="cannot be written"):
        write_run(run(), None, tmp_path / f"film.{suffix}")
    assert {path.name for path in tmp_path.iterdir()} == {"no folder", f"film.{suffix}"}


def test_a_named_person_who_is_hardly_seen_does_not_silence_the_subtitles(tmp_path: Path):
    whole = run()
    told = whole.scene_emotions
    ben = told.loc[told["view"] == "screen_time"].assign(view="character:Ben", evidence="insufficient")
    whole = replace(whole, scene_emotions=pd.concat([told, ben], ignore_index=True))
    write_run(whole, None, tmp_path / "film.srt")
    text = (tmp_path / "film.srt").read_text()
    assert "angry" in text
    assert "too little face evidence" not in text


def test_the_rows_of_faces_keep_their_times_to_the_microsecond(tmp_path: Path):
    whole = run()
    late = 12000.04
    faces = whole.faces.assign(time=whole.faces["time"] + late)
    whole = replace(whole, faces=faces, expressions=whole.expressions.assign(time=whole.expressions["time"] + late))
    write_run(whole, None, tmp_path / "faces.csv")
    stored = pd.read_csv(tmp_path / "faces.csv")
    assert stored["time"].tolist() == pytest.approx(faces["time"].tolist(), abs=1e-6)
    assert "0.8," in (tmp_path / "faces.csv").read_text(), "a share is not written as 0.800000011920929"
