"""What is exported says what the run says, at the film's timecode, and nothing in it is more than text."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import openpyxl
import opentimelineio as otio
import pandas as pd
import pytest

from scenefer.analysis.expressions import film_shares
from scenefer.analysis.result import Analysis
from scenefer.analysis.scene_emotions import summarise
from scenefer.analysis.scene_views import EmotionSettings
from scenefer.comparison.scene_comparison import Comparison, compare
from scenefer.core.errors import OutputError, PlanError
from scenefer.core.film import Film
from scenefer.core.schema import EMOTIONS
from scenefer.core.tables import empty
from scenefer.interchange.export import format_of, write_run
from scenefer.interchange.scene_lists import read_sheet
from tests.builders import expressions_table, faces_table, samples_table, scenes_table, shots_table, tracks_table

RATES = {
    "23.976": Fraction(24000, 1001),
    "25": Fraction(25),
    "29.97": Fraction(30000, 1001),
    "59.94": Fraction(60000, 1001),
}
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
@pytest.mark.parametrize("suffix", ["edl", "otio", "fcpxml", "xml"])
def test_an_exported_timeline_is_read_back_to_the_frame(
    suffix: str, rate: Fraction, timecode: str | None, tmp_path: Path
):
    analysis, path = run(rate, timecode), tmp_path / f"film.{suffix}"
    assert write_run(analysis, compared(analysis), path) == "3 scenes"
    assert frames(analysis, path) == {"rage": (3, 101), "joy": (102, 230), "empty": (230, 280)}
    sheet, _ = read_sheet(path, analysis.film)
    assert sheet["intended"].tolist() == ["angry", "sad", "fear"]
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("timecode", [None, "01:00:00:00"])
def test_a_scene_shorter_than_a_frame_shifts_nothing_behind_it(timecode: str | None, tmp_path: Path):
    """Guessed scenes and runs of before may have one; sheets no longer do."""
    analysis = run(timecode=timecode)
    edges = {"start": [0.12, 4.08, 4.09], "end": [4.08, 4.09, 11.2]}
    analysis = replace(analysis, scenes=analysis.scenes.assign(**edges))
    write_run(analysis, compared(analysis), tmp_path / "film.otio")
    read = otio.adapters.read_from_file(str(tmp_path / "film.otio"))
    placed = [(clip.range_in_parent().start_time.value, clip.duration().value) for clip in read.find_clips()]
    assert placed == [(3, 99), (102, 1), (103, 177)]
    assert [marker.marked_range.start_time.value for marker in read.tracks.markers] == [3, 102, 102]
    assert [clip.range_in_parent().end_time_exclusive().value for clip in read.find_clips()][-1] == 280


@pytest.mark.parametrize("suffix", ["edl", "otio", "fcpxml", "xml"])
@pytest.mark.parametrize("name", ["rage\nin the kitchen", "rage\r\n  in the\tkitchen", "rage\u2028in the kitchen "])
def test_a_name_of_several_lines_comes_back_from_a_timeline(name: str, suffix: str, tmp_path: Path):
    sheet = tmp_path / "sheet.csv"
    sheet.write_bytes(f'scene,start,end,intended\n"{name}",0.12,4.04,angry\nb,4.08,9.2,sad\n'.encode())
    analysis = run()
    listed, _ = read_sheet(sheet, analysis.film)
    assert listed["scene"].tolist() == ["rage in the kitchen", "b"]
    names = [*listed["scene"], "empty"]
    analysis = replace(analysis, scenes=analysis.scenes.assign(name=names))
    path = tmp_path / f"film.{suffix}"
    write_run(analysis, compare(analysis, listed), path)
    back, _ = read_sheet(path, analysis.film)
    assert back["scene"].tolist() == names
    assert compare(analysis, back).counts["compared"] == 2


def test_an_edit_list_has_the_films_timecode_what_was_detected_and_the_verdict(tmp_path: Path):
    analysis, path = run(RATES["29.97"], "00:59:59;28"), tmp_path / "film.edl"
    write_run(analysis, compared(analysis), path)
    assert path.read_text().splitlines()[:5] == [
        "TITLE: film",
        "FCM: DROP FRAME",
        "",
        "001  AX       V     C        01:00:00;01 01:00:03;09 01:00:00;01 01:00:03;09",
        " detected angry 80 %, happy 10 %, disgust 2 % (one take); angry intended: as intended "
        "|C:ResolveColorGreen |M:rage [angry] |D:98",
    ]
    assert "sad intended: worth a look |C:ResolveColorRed |M:joy [sad]" in path.read_text()
    assert "too few faces; fear intended: too few faces |C:ResolveColorBlue" in path.read_text()


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
    assert nobody["intentions"][0]["why"] == "too few faces"


def test_subtitles_say_what_the_faces_of_each_few_seconds_show(tmp_path: Path):
    analysis, path = run(), tmp_path / "film.srt"
    assert write_run(analysis, compared(analysis), path) == "3 subtitles"
    assert write_run(thin_at_joy(analysis), None, tmp_path / "thin.srt") == "3 subtitles"
    assert (tmp_path / "thin.srt").read_text().splitlines()[6:9] == [
        "00:00:04,080 --> 00:00:06,640", "joy", "too few faces",
    ]  # fmt: skip
    one = replace(analysis, scenes=analysis.scenes.head(1))
    assert write_run(one, None, tmp_path / "new" / "folder" / "one.json") == "1 scene"
    assert path.read_text() == (
        "1\n00:00:00,120 --> 00:00:04,040\nrage (as intended)\ndetected: angry 80 %, happy 10 %\n\n"
        "2\n00:00:04,080 --> 00:00:06,640\njoy (worth a look)\ndetected: happy 85 %, angry 10 %\n\n"
        "3\n00:00:06,640 --> 00:00:09,200\njoy (worth a look)\ndetected: happy 85 %, angry 10 %\n"
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
    with pytest.raises(PlanError, match=r"did you mean '\.edl'"):
        format_of(Path("film.ed"))
    with pytest.raises(PlanError, match=r"known: \.csv, \.edl, \.fcpxml, \.json, \.otio, \.srt, \.xlsx, \.xml"):
        format_of(Path("film"))


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
    assert "too few faces" not in text


def test_the_rows_of_faces_say_how_far_mouths_are_open_where_that_was_measured(tmp_path: Path):
    whole = run()
    write_run(whole, None, tmp_path / "faces.csv")
    assert "mouth_open" not in pd.read_csv(tmp_path / "faces.csv")
    whole = replace(whole, faces=whole.faces.assign(mouth_open=0.25))
    write_run(whole, None, tmp_path / "faces.csv")
    assert (pd.read_csv(tmp_path / "faces.csv")["mouth_open"] == 0.25).all()


def test_the_rows_of_faces_keep_their_times_to_the_microsecond(tmp_path: Path):
    whole = run()
    late = 12000.04
    faces = whole.faces.assign(time=whole.faces["time"] + late)
    whole = replace(whole, faces=faces, expressions=whole.expressions.assign(time=whole.expressions["time"] + late))
    write_run(whole, None, tmp_path / "faces.csv")
    stored = pd.read_csv(tmp_path / "faces.csv")
    assert stored["time"].tolist() == pytest.approx(faces["time"].tolist(), abs=1e-6)
    assert "0.8," in (tmp_path / "faces.csv").read_text(), "a share is not written as 0.800000011920929"


def test_a_table_of_scenes_says_what_the_run_says(tmp_path: Path):
    analysis, path = run(RATES["29.97"], "00:59:59;28"), tmp_path / "film-scenes.csv"
    assert write_run(analysis, compared(analysis), path) == "3 scenes"
    table = pd.read_csv(path)
    assert table["scene"].tolist() == ["rage", "joy", "empty"]
    assert table["start"].tolist() == pytest.approx(analysis.scenes["start"].tolist(), abs=1e-6)
    assert table["timecode_in"].iloc[0] == "01:00:00;01"  # three frames on: ;29, ;00, ;01
    assert table["leading"].tolist()[:2] == ["angry", "happy"]
    seen = analysis.scene_emotions.query("scene == 0 and view == 'screen_time'").set_index("emotion")
    for end, column in (("", "percent"), ("_low", "low"), ("_high", "high")):
        assert table[f"angry{end}"].iloc[0] == pytest.approx(seen.loc["angry", column], abs=1e-4)
    assert table.loc[2, ["angry", "angry_low", "leading", "verdict"]].isna().all()
    assert table["intended"].tolist() == ["angry", "sad", "fear"]
    assert table["verdict"].tolist()[:2] == ["as intended", "worth a look"]
    assert write_run(analysis, None, path) == "3 scenes"
    assert "verdict" not in pd.read_csv(path)


def test_a_table_of_films_has_a_row_with_the_shares_of_the_film_and_its_verdicts(tmp_path: Path):
    analysis, path = run(), tmp_path / "films.csv"
    assert write_run(analysis, compared(analysis), path) == "1 film"
    (row,) = pd.read_csv(path).to_dict("records")
    assert (row["duration"], row["scenes"], row["scenes_enough"], row["shots"]) == (12.0, 3, 2, 3)
    shares = film_shares(analysis.expressions)
    assert shares is not None
    assert [row[emotion] for emotion in EMOTIONS] == pytest.approx(shares.tolist(), abs=1e-4)
    assert all(row[f"{emotion}_low"] <= row[emotion] <= row[f"{emotion}_high"] for emotion in EMOTIONS)
    assert row["angry_low"] < row["angry"] - 5, "the shots differ"
    assert [row[name] for name in ("judged", "match", "partial", "mismatch", "not_judged")] == [2, 1, 0, 1, 1]
    assert (row["estimate"], row["within"]) == ("raw", "one take")
    write_run(analysis, None, path)
    assert pd.read_csv(path)[["estimate", "judged", "match"]].isna().all(axis=None)


def test_a_film_of_which_no_scene_shows_enough_has_no_shares(tmp_path: Path):
    analysis = run()
    nobody = replace(
        analysis,
        expressions=analysis.expressions.iloc[:0],
        samples=analysis.samples.assign(state="no face", n_faces=0, n_usable=0),
        scene_emotions=analysis.scene_emotions.assign(evidence="insufficient"),
    )
    write_run(nobody, None, tmp_path / "films.csv")
    (row,) = pd.read_csv(tmp_path / "films.csv").to_dict("records")
    assert (row["face_seconds"], row["scenes_enough"]) == (0, 0)
    assert all(row[name] != row[name] for name in (*EMOTIONS, "within"))


def test_a_workbook_holds_the_table_of_scenes_and_no_formula(tmp_path: Path):
    analysis = run(name=EVIL)
    write_run(analysis, compared(analysis), tmp_path / "film.xlsx")
    write_run(analysis, compared(analysis), tmp_path / "scenes.csv")
    book = pd.read_excel(tmp_path / "film.xlsx")
    pd.testing.assert_frame_equal(book, pd.read_csv(tmp_path / "scenes.csv"), check_dtype=False)
    cells = openpyxl.load_workbook(tmp_path / "film.xlsx").active
    assert cells is not None
    assert {cell.data_type for row in cells.iter_rows() for cell in row} == {"s", "n"}
