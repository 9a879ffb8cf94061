"""Timelines of editing programs are read to the frame, or refused with the reason."""

from __future__ import annotations

import io
import itertools
import warnings
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import opentimelineio as otio
import pytest

from scenefer.core.errors import SheetError
from scenefer.core.film import Film
from scenefer.core.timecode import timecode_of
from scenefer.interchange.scene_lists import read_lists, read_sheet
from scenefer.interchange.timelines import read_timeline

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import scenedetect
    import scenedetect.output as detected

RATES = {"23.976": Fraction(24000, 1001), "25": Fraction(25), "29.97 drop": Fraction(30000, 1001)}
HOUR = {"23.976": "01:00:00:00", "25": "01:00:00:00", "29.97 drop": "01:00:00;00"}
# Scenes of twenty minutes, in frames: across a minute and across ten, where drop-frame leaves numbers out.
SCENES = {"dawn": (0, 1799), "quarrel": (1800, 17982), "peace": (17983, 29111)}


def film(rate: Fraction, frames: int = 29111, timecode: str | None = None) -> Film:
    return Film(Path("film.mp4"), "0" * 16, 1280, 720, float(frames / rate), rate, timecode=timecode)


def frames_of(path: Path, of: Film, *, every_clip: bool = False) -> dict[str, tuple[int, int]]:
    """The scenes of a list in frames; every one of their times must lie on a frame, to a microsecond."""
    sheet, _ = read_sheet(path, of, every_clip=every_clip)
    found = {}
    for name, start, end in sheet[["scene", "start", "end"]].itertuples(index=False):
        frames = tuple(round(time * of.frame_rate) for time in (start, end))
        assert [start, end] == pytest.approx([float(frame / of.frame_rate) for frame in frames], abs=1e-6)
        found[name] = frames
    return found


# Fixtures: one timeline in every format and rate, with markers that last


def hour(rate: str) -> int:
    """Frames from 00:00:00:00 to the timecode at which the timelines begin."""
    return 107892 if rate == "29.97 drop" else 3600 * round(RATES[rate])


def edl(rate: str) -> str:
    def time(frame: int) -> str:
        return timecode_of(hour(rate) + frame, RATES[rate], drop="drop" in rate)

    lines = ["TITLE: reel 1", f"FCM: {'' if 'drop' in rate else 'NON-'}DROP FRAME"]
    for number, (name, (start, end)) in enumerate(SCENES.items(), start=1):
        one = f"{time(start)} {time(start + 1)}"  # as DaVinci Resolve writes markers
        lines += [f"{number:03}  001      V     C        {one} {one}  "]
        lines += [f" |C:ResolveColorBlue |M:{name} |D:{end - start}", ""]
    return "\n".join(lines)


def timeline(rate: str) -> otio.schema.Timeline:
    """A clip of the whole film, cut from the middle of its source, with the markers on the timeline."""
    fps = float(RATES[rate])

    def span(start: int, end: int) -> otio.opentime.TimeRange:
        return otio.opentime.TimeRange(
            otio.opentime.RationalTime(start, fps), otio.opentime.RationalTime(end - start, fps)
        )

    made = otio.schema.Timeline("reel 1", global_start_time=otio.opentime.RationalTime(hour(rate), fps))
    made.tracks.append(otio.schema.Track("V1", [otio.schema.Clip("A001", source_range=span(500, 29611))]))
    made.tracks.markers.extend(otio.schema.Marker(name, span(*frames)) for name, frames in SCENES.items())
    return made


def final_cut_7(rate: str) -> str:
    text = otio.adapters.write_to_string(timeline(rate), "fcp_xml")
    ntsc = "<ntsc>FALSE</ntsc>" if rate == "25" else "<ntsc>TRUE</ntsc>"
    code = (
        f"<timecode><rate><timebase>{round(RATES[rate])}</timebase>{ntsc}</rate><string>{HOUR[rate]}</string>"
        f"<frame>{hour(rate)}</frame><displayformat>{'DF' if 'drop' in rate else 'NDF'}</displayformat></timecode>"
    )
    return text.replace("<media>", code + "<media>", 1)


def fcpxml(rate: str) -> str:
    """Markers of Final Cut Pro have no length; each lasts to the next."""
    frame = 1 / RATES[rate]

    def time(frames: int) -> str:
        seconds = frames * frame
        return f"{seconds.numerator}/{seconds.denominator}s"

    markers = "".join(
        f'<marker start="{time(500 + start)}" duration="{time(1)}" value="{name}"/>'
        for name, (start, _) in SCENES.items()
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE fcpxml><fcpxml version="1.9"><resources>'
        f'<format id="r1" frameDuration="{time(1)}"/></resources><library><event><project name="reel 1">'
        f'<sequence format="r1" tcStart="{time(hour(rate))}" tcFormat="{"DF" if "drop" in rate else "NDF"}"><spine>'
        f'<asset-clip ref="r2" name="A001" offset="{time(hour(rate))}" start="{time(500)}" duration="{time(29111)}">'
        f"{markers}</asset-clip></spine></sequence></project></event></library></fcpxml>"
    )


def pyscenedetect(rate: str) -> str:
    text = io.StringIO()
    detected.write_scene_list(text, scene_list(rate))
    return text.getvalue()


def scene_list(rate: str) -> list[tuple[scenedetect.FrameTimecode, scenedetect.FrameTimecode]]:
    at = scenedetect.FrameTimecode
    return [(at(start, RATES[rate]), at(end, RATES[rate])) for start, end in SCENES.values()]


FORMATS: dict[str, Callable[[str], str]] = {
    "markers.edl": edl,
    "markers.otio": lambda rate: otio.adapters.write_to_string(timeline(rate), "otio_json"),
    "sequence.xml": final_cut_7,
    "project.fcpxml": fcpxml,
}
# What has no length ends where the next one begins.
ADJOINING = {"dawn": (0, 1800), "quarrel": (1800, 17983), "peace": (17983, 29111)}


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("name", FORMATS)
def test_markers_are_read_to_the_frame(name: str, rate: str, tmp_path: Path):
    path = tmp_path / name
    path.write_text(FORMATS[name](rate))
    expected = ADJOINING if name == "project.fcpxml" else SCENES
    assert frames_of(path, film(RATES[rate])) == expected
    assert frames_of(path, film(RATES[rate], timecode=HOUR[rate])) == expected


@pytest.mark.parametrize("rate", RATES)
def test_the_csv_of_pyscenedetect_is_read_to_the_frame(rate: str, tmp_path: Path):
    path = tmp_path / "film-Scenes.csv"
    path.write_text(pyscenedetect(rate))
    expected = {str(k): frames for k, frames in enumerate(SCENES.values(), start=1)}
    assert frames_of(path, film(RATES[rate])) == expected


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("suffix", ["otio", "xml", "fcpxml"])
def test_clips_as_pyscenedetect_writes_them_are_read_to_the_frame(suffix: str, rate: str, tmp_path: Path):
    """Another program's writers."""
    path, scenes = tmp_path / f"clips.{suffix}", scene_list(rate)
    if suffix == "otio":
        detected.write_scene_list_otio(path, scenes, "film.mp4", RATES[rate])
    else:
        write = detected.write_scene_list_fcp7 if suffix == "xml" else detected.write_scene_list_fcpx
        write(path, scenes, "film.mp4", RATES[rate], (1280, 720))
    found = frames_of(path, film(RATES[rate]))
    if suffix == "otio":  # PySceneDetect leaves out the gaps between scenes
        assert [end - start for start, end in found.values()] == [end - start for start, end in SCENES.values()]
    else:
        assert list(found.values()) == list(SCENES.values())


@pytest.mark.parametrize("rate", [Fraction(24000, 1001), Fraction(24), Fraction(30000, 1001), Fraction(60000, 1001)])
def test_the_edit_list_of_pyscenedetect_counts_seconds_of_the_clock(rate: Fraction, tmp_path: Path):
    """By itself it is a frame early where a cut falls on a whole second of floating point."""
    path = tmp_path / "scenes.edl"
    cuts = [*range(0, 200_000, 1013)]
    at = scenedetect.FrameTimecode
    detected.write_scene_list_edl(path, [(at(a, rate), at(b, rate)) for a, b in itertools.pairwise(cuts)])
    of = film(rate, 200_000)
    found = [start for start, _ in frames_of(path, of, every_clip=True).values()]
    assert len(found) == len(cuts) - 1
    assert sum(one != cut for one, cut in zip(found, cuts, strict=False)) <= 1
    assert all(cut - one in (0, 1) for one, cut in zip(found, cuts, strict=False))


@pytest.mark.parametrize("rate", RATES)
def test_events_as_opentimelineio_writes_them_are_read_to_the_frame(rate: str, tmp_path: Path):
    made = timeline(rate)
    made.tracks[0][:] = [
        otio.schema.Clip(name, source_range=marker.marked_range)
        for name, marker in zip(SCENES, made.tracks.markers, strict=True)
    ]
    path = tmp_path / "events.edl"
    path.write_text(otio.adapters.write_to_string(made, "cmx_3600"))
    assert (";" in path.read_text()) == ("drop" in rate)
    lengths = [end - start for start, end in SCENES.values()]
    found = frames_of(path, film(RATES[rate]))
    assert [end - start for start, end in found.values()] == lengths
    assert list(found) == list(SCENES)


# What a scene is


def read(text: str, tmp_path: Path, name: str = "list.edl", **more: bool) -> dict[str, tuple[int, int]]:
    path = tmp_path / name
    path.write_text(text)
    return frames_of(path, film(Fraction(25), 1500), **more)


EVENTS = """TITLE: x
001  A001     V     C        10:00:00:00 10:00:10:00 00:00:00:00 00:00:10:00
* FROM CLIP NAME: kitchen.mov
002  A002     V     C        10:00:00:00 10:00:10:00 00:00:10:00 00:00:20:00
* FROM CLIP NAME: garden.mov
"""


def test_without_markers_the_clips_are_the_scenes(tmp_path: Path):
    assert read(EVENTS, tmp_path) == {"kitchen.mov": (0, 250), "garden.mov": (250, 500)}


def test_markers_without_a_length_last_to_the_next_one_and_the_last_to_the_end_of_the_clips(tmp_path: Path):
    text = EVENTS.replace(
        "garden.mov\n", "garden.mov\n* LOC: 00:00:11:00 RED     quarrel\n* LOC: 00:00:15:00 RED     peace\n"
    )
    assert read(text, tmp_path) == {"quarrel": (275, 375), "peace": (375, 500)}


def test_a_locator_in_the_time_of_its_source_is_placed_where_that_lies_in_the_film(tmp_path: Path):
    text = EVENTS.replace("garden.mov\n", "garden.mov\n* LOC: 10:00:01:00 RED     quarrel\n")
    assert read(text, tmp_path) == {"quarrel": (275, 500)}


def test_a_locator_that_lies_nowhere_is_said_to_be_left_out(tmp_path: Path):
    path = tmp_path / "list.edl"
    path.write_text(EVENTS + "* LOC: 05:00:01:00 RED     quarrel\n")
    _, notices = read_sheet(path, film(Fraction(25), 1500))
    assert notices == ["list.edl: locators that lie neither in the film nor in the source of their event: 1"]


def test_of_a_list_of_markers_alone_the_last_lasts_to_the_end_of_the_film(tmp_path: Path):
    text = "".join(
        f"{k:03}  001  V  C  {time} {after} {time} {after}\n |C:ResolveColorRed |M:{name} |D:1\n"
        for k, (name, time, after) in enumerate(
            [("a", "01:00:00:00", "01:00:00:01"), ("b", "01:00:30:00", "01:00:30:01")], start=1
        )
    )
    assert read(text, tmp_path) == {"a": (0, 750), "b": (750, 1500)}


def test_markers_are_read_from_events_without_a_length(tmp_path: Path):
    """As some programs write lists of markers for DaVinci Resolve; what stands before the bar is a note."""
    text = "".join(
        f"00000{k}  A012C003_190627JC  V     C        {time} {time} {time} {time}\n"
        f"{k}. note |C:ResolveColorRed |M:{name} |D:0\n"
        for k, (name, time) in enumerate([("a", "00:00:00:00"), ("b", "00:00:30:00")], start=1)
    )
    assert read(text, tmp_path) == {"a": (0, 750), "b": (750, 1500)}
    sheet, _ = read_sheet(tmp_path / "list.edl", film(Fraction(25), 1500))
    assert sheet["note"].tolist() == ["1. note", "2. note"]


def test_black_sound_and_the_first_line_of_a_dissolve_are_no_clips(tmp_path: Path):
    text = EVENTS + (
        "003  BL       V     C        00:00:00:00 00:00:05:00 00:00:20:00 00:00:25:00\n"
        "004  A003     A     C        00:00:00:00 00:00:05:00 00:00:00:00 00:00:05:00\n"
        "005  A002     V     C        10:00:10:00 10:00:10:00 00:00:25:00 00:00:25:00\n"
        "005  A004     V     D    025 10:00:00:00 10:00:05:00 00:00:25:00 00:00:30:00\n"
        "* FROM CLIP NAME: garden.mov\n* TO CLIP NAME: street.mov\n"
    )
    assert read(text, tmp_path) == {"kitchen.mov": (0, 250), "garden.mov": (250, 500), "street.mov": (625, 750)}


def test_one_picture_track_is_spelt_with_its_sound_or_without(tmp_path: Path):
    mixed = EVENTS + "003  A003     B     C        10:00:00:00 10:00:05:00 00:00:20:00 00:00:25:00\n"
    mixed = mixed.replace("A001     V ", "A001  AA/V ") + "* FROM CLIP NAME: street.mov\n"
    assert list(read(mixed, tmp_path)) == ["kitchen.mov", "garden.mov", "street.mov"]
    assert list(read(mixed.replace("A001 ", "BL   "), tmp_path)) == ["garden.mov", "street.mov"]
    above = EVENTS + "003  A003     V2    C        10:00:00:00 10:00:05:00 00:00:00:00 00:00:05:00\n"
    assert list(read(above, tmp_path)) == ["kitchen.mov", "garden.mov"]


@pytest.mark.parametrize("source", ["00:01:00;02 00:01:10;02", "00:01:00:48 00:01:10:48"])
def test_a_source_that_counts_at_another_rate_is_no_hindrance(source: str, tmp_path: Path):
    path = tmp_path / "list.edl"
    path.write_text(
        f"001  A001  V  C  {source} 00:00:00:00 00:00:10:00\n"
        f"* LOC: {source[:11]} RED     lost\n* LOC: 00:00:01:00 RED     quarrel\n"
    )
    of = film(RATES["23.976"], 240)
    assert frames_of(path, of) == {"quarrel": (24, 240)}
    assert "neither in the film nor in the source of their event: 1" in read_sheet(path, of)[1][0]


def test_of_a_key_the_background_is_a_clip_and_what_lies_over_it_is_none(tmp_path: Path):
    text = EVENTS + (
        "003  A003     V     K B      10:00:00:00 10:00:05:00 00:00:20:00 00:00:25:00\n"
        "* FROM CLIP NAME: street.mov\n"
        "003  A004     V     K O  000 00:00:00:00 00:00:05:00 00:00:20:00 00:00:25:00\n"
        "* FROM CLIP NAME: title.mov\n"
        "004  A004     V     K    000 00:00:00:00 00:00:05:00 00:00:20:00 00:00:25:00\n"
        "005  A004     V     K        00:00:00:00 00:00:05:00 00:00:20:00 00:00:25:00\n"
    )
    assert read(text, tmp_path) == {"kitchen.mov": (0, 250), "garden.mov": (250, 500), "street.mov": (500, 625)}
    assert read(text + "* LOC: 00:00:21:00 RED     quarrel\n", tmp_path) == {"quarrel": (525, 625)}


def test_record_times_go_on_after_midnight(tmp_path: Path):
    path = tmp_path / "list.edl"
    path.write_text(
        "001  A001  V  C  00:00:00:00 00:00:10:00 23:59:55:00 00:00:05:00\n* LOC: 00:00:01:00 RED     quarrel\n"
        "002  A002  V  C  00:00:00:00 00:00:10:00 00:00:05:00 00:00:15:00\n* LOC: 00:00:06:00 RED     peace\n"
    )
    assert frames_of(path, film(Fraction(25), 500, "23:59:55:00")) == {"quarrel": (150, 275), "peace": (275, 500)}


def test_drop_frame_is_read_as_premiere_shows_it(tmp_path: Path):
    path = tmp_path / "list.edl"
    path.write_text("001  A001  V  C  00;01;00;02 00;02;00;02 00;01;00;02 00;02;00;02\n* FROM CLIP NAME: a\n")
    assert frames_of(path, film(RATES["29.97 drop"])) == {"a": (1800, 3598)}


def test_fcm_says_drop_frame_even_where_the_times_have_colons(tmp_path: Path):
    path = tmp_path / "list.edl"
    path.write_text(
        "FCM: DROP FRAME\n001  A001  V  C  00:01:00:02 00:02:00:02 00:01:00:02 00:02:00:02\n* FROM CLIP NAME: a\n"
    )
    assert frames_of(path, film(RATES["29.97 drop"])) == {"a": (1800, 3598)}


def test_markers_that_last_leave_others_out_and_say_so(tmp_path: Path):
    path = tmp_path / "list.edl"
    path.write_text(
        "001  001  V  C  00:00:00:00 00:00:00:01 00:00:00:00 00:00:00:01\n |C:ResolveColorRed |M:long |D:50\n"
        "002  001  V  C  00:00:20:00 00:00:20:01 00:00:20:00 00:00:20:01\n |C:ResolveColorRed |M:short |D:1\n"
    )
    sheet, notices = read_sheet(path, film(Fraction(25), 1500))
    assert sheet["scene"].tolist() == ["long"]
    assert notices == ["list.edl: left out, since others last: 1 of 2 markers, which have no length"]


def test_more_clips_than_scenes_are_taken_only_where_that_is_asked_for(tmp_path: Path):
    text = "".join(
        f"{k:03}  A  V  C  {timecode_of(k, Fraction(25))} {timecode_of(k + 1, Fraction(25))} "
        f"{timecode_of(k, Fraction(25))} {timecode_of(k + 1, Fraction(25))}\n"
        for k in range(201)
    )
    with pytest.raises(SheetError, match=r"no markers and 201 clips.*--every-clip"):
        read(text, tmp_path)
    assert len(read(text, tmp_path, every_clip=True)) == 201


def test_more_finds_of_pyscenedetect_than_scenes_are_taken_only_where_that_is_asked_for(tmp_path: Path):
    text = io.StringIO()
    at = scenedetect.FrameTimecode
    detected.write_scene_list(text, [(at(k, 25.0), at(k + 1, 25.0)) for k in range(201)])
    with pytest.raises(SheetError, match=r"201 scenes of PySceneDetect.*--every-clip"):
        read(text.getvalue(), tmp_path, "film-Scenes.csv")
    assert len(read(text.getvalue(), tmp_path, "film-Scenes.csv", every_clip=True)) == 201


def test_a_marker_may_say_what_its_scene_is_meant_to_show(tmp_path: Path):
    path = tmp_path / "list.edl"
    path.write_text(EVENTS.replace("kitchen.mov", "kitchen [marah]").replace("garden.mov", "garden [VFX 12]"))
    sheet, _ = read_sheet(path, film(Fraction(25), 1500))
    assert sheet["scene"].tolist() == ["kitchen", "garden [VFX 12]"]
    assert sheet["intended"].tolist() == ["angry", None]
    path.write_text(EVENTS)
    with pytest.raises(SheetError, match=r"name its markers like: rage \[angry\]"):
        read_lists(film(Fraction(25), 1500), None, path)


def markers_edl(*names: str) -> str:
    """Markers as DaVinci Resolve exports them, ten seconds apart."""
    lines = ["TITLE: ( no title )", "FCM: NON-DROP FRAME", ""]
    for k, name in enumerate(names, start=1):
        time, after = (timecode_of(250 * k + frame, Fraction(25)) for frame in (0, 1))
        lines += [f"{k:03}  001      V     C        {time} {after} {time} {after}  "]
        lines += [f" |C:ResolveColorBlue |M:{name} |D:100", ""]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("name", "scene", "intended", "said"),
    [
        ("12A [angry]", "12A", "angry", None),
        ("12A [Angry]", "12A", "angry", None),
        ("home [happy:0.6;neutral:0.4]", "home", "happy:0.6;neutral:0.4", None),
        ("[angry]", "1", "angry", None),
        ("Interview [Joy]", "Interview", "happy", "read in brackets as what is intended: Joy = happy"),
        ("roof [relieved]", "roof", "happy:0.7;neutral:0.3", "relieved = happy:0.7;neutral:0.3"),
        ("12A [angy]", "12A [angy]", None, "kept as a part of the name: [angy] (did you mean [angry]?)"),
        ("kitchen [sand]", "kitchen [sand]", None, "[sand] (did you mean [sad]?)"),
        ("[shack]", "[shack]", None, "[shack] (did you mean [shock]?)"),
        ("x [Joyce]", "x [Joyce]", None, "[Joyce] (did you mean"),
        ("x [Angelo]", "x [Angelo]", None, None),
        ("12B [VFX]", "12B [VFX]", None, None),
        ("x [Take 3]", "x [Take 3]", None, None),
        ("x [happy:0.6;neutrl:0.4]", "x [happy:0.6;neutrl:0.4]", None, "did you mean [neutral]?"),
    ],
)
def test_a_bracket_that_is_no_emotion_belongs_to_the_name_and_never_refuses_a_list(
    name: str, scene: str, intended: str | None, said: str | None, tmp_path: Path
):
    path = tmp_path / "list.edl"
    path.write_text(markers_edl(name))
    sheet, notices = read_sheet(path, film(Fraction(25), 1500))
    assert sheet["scene"].tolist() == [scene]
    assert sheet["intended"].tolist() == [intended]
    if said is not None:
        assert said in notices[0]
    elif scene != "x [Angelo]":
        assert notices == []


def test_clips_of_one_name_are_scenes_of_their_own(tmp_path: Path):
    assert list(read(EVENTS.replace("garden.mov", "kitchen.mov"), tmp_path)) == ["kitchen.mov", "kitchen.mov (2)"]


def test_connected_clips_and_storylines_of_fcpxml_lie_where_they_are_seen(tmp_path: Path):
    """The second clip is cut from second 100 of its source; what is connected to it counts in that time."""
    text = """<fcpxml version="1.9"><resources><format id="r1" frameDuration="1/25s"/></resources><project name="p">
    <sequence format="r1" tcStart="0s"><spine>
      <asset-clip offset="0s" name="one" start="10s" duration="5s"/>
      <gap offset="5s" name="gap" start="3600s" duration="5s"><marker start="3601s" duration="1/25s" value="gap"/></gap>
      <asset-clip offset="10s" name="two" start="100s" duration="10s">
        <marker start="99s" duration="1/25s" value="hidden"/>
        <title lane="1" offset="102s" name="t" start="0s" duration="2s">
          <marker start="1s" duration="1/25s" value="title"/></title>
        <spine lane="2" offset="105s"><clip offset="1s" name="c" start="50s" duration="2s">
          <chapter-marker start="51s" duration="1/25s" value="storyline"/></clip></spine>
      </asset-clip></spine></sequence></project></fcpxml>"""
    assert read(text, tmp_path, "p.fcpxml") == {"gap": (150, 325), "title": (325, 425), "storyline": (425, 500)}


def test_markers_of_fcpxml_on_clips_of_another_speed_are_counted_in_a_notice(tmp_path: Path):
    text = """<fcpxml version="1.9"><resources><format id="r1" frameDuration="1/25s"/></resources><project name="p">
      <sequence format="r1"><spine>
        <clip name="slow" duration="4s"><timeMap><timept time="0s" value="0s"/><timept time="4s" value="2s"/></timeMap>
          <marker start="1s" duration="1s" value="a"/><clip lane="1" offset="2s" duration="1s">
          <marker start="0s" duration="1s" value="b"/></clip></clip>
        <clip name="plain" offset="4s" duration="4s"><marker start="1s" duration="1s" value="c"/></clip>
      </spine></sequence></project></fcpxml>"""
    path = tmp_path / "p.fcpxml"
    path.write_text(text)
    timeline = read_timeline(path, Fraction(25))
    assert [mark.name for mark in timeline.markers] == ["a", "b", "c"]
    assert timeline.notices == ("markers on clips played at another speed, which may lie elsewhere: 2",)


def test_a_clip_of_fcpxml_without_a_duration_is_as_long_as_its_asset(tmp_path: Path):
    text = """<fcpxml version="1.13"><resources><format id="r1" frameDuration="1/25s"/>
    <asset id="r2" start="0s" duration="8s"/></resources><library><event><project name="p"><sequence format="r1"><spine>
      <asset-clip ref="r2" name="one"/><asset-clip ref="r2" name="two" duration="4s"/></spine></sequence></project>
    </event></library></fcpxml>"""
    assert read(text, tmp_path, "p.fcpxml") == {"one": (0, 200), "two": (200, 300)}


def test_markers_on_clips_of_otio_lie_where_the_clip_does(tmp_path: Path):
    made = timeline("25")
    made.tracks.markers.clear()
    for frame, name in ((400, "hidden"), (600, "a"), (900, "b")):
        at = otio.opentime.RationalTime(frame, 25)
        span = otio.opentime.TimeRange(at, otio.opentime.RationalTime(100, 25))
        made.tracks[0][0].markers.append(otio.schema.Marker(name, span))
    text = otio.adapters.write_to_string(made, "otio_json")
    path = tmp_path / "t.otio"
    path.write_text(text)
    assert frames_of(path, film(Fraction(25))) == {"a": (100, 200), "b": (400, 500)}


def test_a_name_that_was_cut_in_the_middle_of_an_emoji_can_be_written_again(tmp_path: Path):
    path = tmp_path / "t.otio"
    path.write_text(otio.adapters.write_to_string(timeline("25"), "otio_json").replace("quarrel", "quarrel \\ud83d"))
    names = list(frames_of(path, film(Fraction(25))))
    assert any("?" in name for name in names), names
    assert all(name.encode() for name in names)


def test_markers_of_otio_on_clips_of_another_speed_are_counted_in_a_notice(tmp_path: Path):
    made = timeline("25")
    marker = made.tracks.markers[1].clone()  # the first is cut off
    made.tracks.markers.clear()
    made.tracks[0][0].markers.append(marker)
    path = tmp_path / "t.otio"
    said = "markers on clips played at another speed, which may lie elsewhere: 1"
    for effect, notices in (
        (otio.schema.LinearTimeWarp(time_scalar=1.0), ()),
        (otio.schema.LinearTimeWarp(time_scalar=0.5), (said,)),
        (otio.schema.FreezeFrame(), (said,)),
    ):
        made.tracks[0][0].effects[:] = [effect]
        path.write_text(otio.adapters.write_to_string(made, "otio_json"))
        assert read_timeline(path, Fraction(25)).notices == notices


# What is not shown, and what lies outside


def notices_of(path: Path, of: Film) -> list[str]:
    return [notice.partition(": ")[2] for notice in read_sheet(path, of)[1]]


def disabling(suffix: str, what: str) -> str:
    """A timeline of three clips of four seconds, in which the second clip, or the first of two tracks, is disabled."""
    made = otio.schema.Timeline("t")
    track = otio.schema.Track("V1", kind="Video")
    media = otio.schema.ExternalReference(
        "file:///f.mov", otio.opentime.TimeRange(*(otio.opentime.RationalTime(n, 25) for n in (0, 1000)))
    )
    for k, name in enumerate("ABC"):
        span = otio.opentime.TimeRange(otio.opentime.RationalTime(100 * k, 25), otio.opentime.RationalTime(100, 25))
        track.append(otio.schema.Clip(name, media.clone(), span))
    if what == "track":
        made.tracks.append(
            otio.schema.Track("V0", [otio.schema.Clip("off", media.clone(), media.available_range)], kind="Video")
        )
    elif what == "empty":
        made.tracks.append(otio.schema.Track("V0", kind="Video"))
    made.tracks.append(track)
    if suffix == "xml":
        text = otio.adapters.write_to_string(made, "fcp_xml")
        if what == "clip":
            at = text.index("<name>B</name>")
            return text[:at] + "<enabled>FALSE</enabled>" + text[at:]
        return text.replace("<track>", "<track><enabled>FALSE</enabled>", 1) if what == "track" else text
    if what == "clip":
        track[1].enabled = False
    if what == "track":
        made.tracks[0].enabled = False
    return otio.adapters.write_to_string(made, "otio_json")


@pytest.mark.parametrize("suffix", ["otio", "xml"])
@pytest.mark.parametrize(
    ("what", "names", "said"),
    [
        ("clip", ["A", "C"], ["disabled, and left out: 1 clip"]),
        ("track", ["A", "B", "C"], ["disabled, and left out: 1 track"]),
        ("empty", ["A", "B", "C"], []),
    ],
)
def test_what_is_disabled_or_empty_is_no_scene(
    suffix: str, what: str, names: list[str], said: list[str], tmp_path: Path
):
    path = tmp_path / f"t.{suffix}"
    path.write_text(disabling(suffix, what))
    of = film(Fraction(25), 1500)
    assert list(frames_of(path, of)) == names
    assert notices_of(path, of) == said


def storyline(inside: str) -> str:
    return (
        '<fcpxml version="1.10"><resources><format id="r1" frameDuration="1/25s"/></resources><project name="p">'
        f'<sequence format="r1" tcStart="0s"><spine>{inside}</spine></sequence></project></fcpxml>'
    )


@pytest.mark.parametrize(
    ("inside", "names", "said"),
    [
        (
            '<clip name="A" duration="4s"/><clip name="B" enabled="0" offset="4s" duration="4s"/>',
            ["A"],
            ["disabled, and left out: 1 clip"],
        ),
        (
            '<clip name="A" duration="4s"><clip lane="1" enabled="0" name="t" offset="1s" duration="2s">'
            '<marker start="0s" value="m"/></clip></clip>',
            ["A"],
            ["disabled, and left out: 1 clip, 1 marker"],
        ),
        (
            '<clip name="B" enabled="0" duration="4s"><marker start="1s" value="m"/><title lane="1" offset="2s" '
            'duration="2s"><marker start="0s" value="title"/></title></clip><clip name="A" offset="4s" duration="4s"/>',
            ["title"],
            ["disabled, and left out: 1 clip, 1 marker"],
        ),
        (
            '<audition duration="4s"><clip name="B" enabled="0" duration="4s"/>'
            '<clip name="C" duration="4s"/></audition>'
            '<clip name="A" offset="4s" duration="4s"/>',
            ["A"],
            ["disabled, and left out: 1 clip"],
        ),
        (
            '<gap duration="8s"><clip name="T" lane="2" offset="0s" duration="8s"/><clip name="A" lane="1" offset="0s" '
            'duration="4s"/><clip name="B" lane="1" offset="4s" duration="4s"/></gap>',
            ["A", "B"],
            [],
        ),
        (
            '<clip name="A" start="10s" duration="4s"><marker start="9s" value="before"/>'
            '<marker start="14s" value="at"/>'
            '<marker start="12s" value="kept"/></clip>',
            ["kept"],
            ["left out, since they lie outside what is seen of their clips: 2 markers"],
        ),
    ],
)
def test_a_storyline_has_what_is_shown_of_it(inside: str, names: list[str], said: list[str], tmp_path: Path):
    path = tmp_path / "p.fcpxml"
    path.write_text(storyline(inside))
    of = film(Fraction(25), 1500)
    assert list(frames_of(path, of)) == names
    assert notices_of(path, of) == said


def test_the_lowest_track_of_an_edit_list_that_has_clips_counts_wherever_it_stands(tmp_path: Path):
    title = "001  AX       V2    C        00:00:00:00 00:00:02:00 00:00:00:00 00:00:02:00\n* FROM CLIP NAME: Title\n"
    assert list(read(title + EVENTS, tmp_path)) == ["kitchen.mov", "garden.mov"]
    black = EVENTS.replace("A001 ", "BL   ").replace("A002 ", "BL   ")
    assert read(black + title, tmp_path) == {"Title": (0, 50)}
    higher = title.replace("V2", "V3").replace("Title", "Logo")
    assert list(read(higher + title, tmp_path)) == ["Title"]


@pytest.mark.parametrize(
    ("above", "below"),
    [
        ("* LOC: 00:00:02:00 RED     quarrel\n", ""),
        ("", "003  A3  V2  C  00:00:00:00 00:00:05:00 00:00:01:00 00:00:06:00\n* LOC: 00:00:02:00 RED     quarrel\n"),
        ("", "003  A3  A   C  00:00:00:00 00:00:05:00 00:00:01:00 00:00:06:00\n* LOC: 00:00:02:00 RED     quarrel\n"),
        ("", "003  A3  A2  C  05:00:01:00 05:00:05:00 00:00:01:00 00:00:05:00\n* LOC: 05:00:02:00 RED     quarrel\n"),
    ],
)
def test_a_locator_counts_before_the_events_and_under_other_tracks_too(above: str, below: str, tmp_path: Path):
    assert read(above + EVENTS + below, tmp_path) == {"quarrel": (50, 500)}


def test_sound_that_counts_at_another_rate_is_no_hindrance(tmp_path: Path):
    sound = "003  A3  A  C  00:00:00:48 00:00:05:48 00:00:00:48 00:00:05:48\n"
    assert list(read(EVENTS + sound, tmp_path)) == ["kitchen.mov", "garden.mov"]
    with pytest.raises(SheetError, match="no video event"):
        read(sound, tmp_path)


def test_drop_frame_where_there_is_none_is_passed_over_and_said(tmp_path: Path):
    path = tmp_path / "list.edl"
    path.write_text("FCM: DROP FRAME\n" + EVENTS)
    of = film(Fraction(25), 1500)
    assert frames_of(path, of) == {"kitchen.mov": (0, 250), "garden.mov": (250, 500)}
    assert notices_of(path, of) == [
        "FCM says drop-frame, which does not exist at 25 frames a second; it was passed over"
    ]


def test_markers_of_otio_outside_their_clip_are_counted_and_those_on_sound_are_read(tmp_path: Path):
    made = timeline("25")
    made.tracks.markers.clear()
    sound = made.tracks[0].deepcopy()
    sound.kind = "Audio"
    made.tracks.append(sound)
    for track, frame, name in ((0, 400, "hidden"), (0, 29611, "at the end"), (1, 600, "a"), (0, 900, "b")):
        at = otio.opentime.RationalTime(frame, 25)
        span = otio.opentime.TimeRange(at, otio.opentime.RationalTime(100, 25))
        made.tracks[track][0].markers.append(otio.schema.Marker(name, span))
    path = tmp_path / "t.otio"
    path.write_text(otio.adapters.write_to_string(made, "otio_json"))
    assert frames_of(path, film(Fraction(25))) == {"a": (100, 200), "b": (400, 500)}
    assert "left out, since they lie outside what is seen of their clips: 2 markers" in notices_of(
        path, film(Fraction(25))
    )
    span = otio.opentime.TimeRange(otio.opentime.RationalTime(0, 25), otio.opentime.RationalTime(100, 25))
    made.tracks.markers.append(otio.schema.Marker("own", span))
    path.write_text(otio.adapters.write_to_string(made, "otio_json"))
    assert list(frames_of(path, film(Fraction(25)))) == ["own"]
    assert "left out, since the timeline has markers of its own: 2 on clips" in notices_of(path, film(Fraction(25)))


# Where a list counts from


def test_a_stated_timecode_counts_rather_than_that_of_the_container(tmp_path: Path):
    """A list that lies inside the film as it stands still counts from the timecode of the film."""
    text = EVENTS.replace("00:00:00:00 00:00:10:00", "00:00:05:00 00:00:15:00").replace(
        "00:00:10:00 00:00:20:00", "00:00:15:00 00:00:25:00"
    )
    path = tmp_path / "list.edl"
    path.write_text(text)
    assert frames_of(path, film(Fraction(25), 1500))["kitchen.mov"] == (125, 375)
    assert frames_of(path, film(Fraction(25), 1500, timecode="00:00:05:00"))["kitchen.mov"] == (0, 250)


def test_where_a_timeline_begins_counts_rather_than_a_timecode_of_zero(tmp_path: Path):
    path = tmp_path / "p.fcpxml"
    path.write_text(fcpxml("25"))
    for timecode in (None, "00:00:00:00"):
        assert frames_of(path, film(Fraction(25), 200_000, timecode))["dawn"] == (0, 1800)
    hour_before = film(Fraction(25), 200_000, "00:30:00:00")
    assert frames_of(path, hour_before)["dawn"] == (45000, 46800)


@pytest.mark.parametrize("rate", RATES)
def test_an_edit_list_from_01_00_00_00_lands_at_the_beginning_of_a_film_longer_than_an_hour(rate: str, tmp_path: Path):
    """Markers are exported so by DaVinci Resolve, whose timelines begin at 01:00:00:00."""
    path = tmp_path / "markers.edl"
    path.write_text(edl(rate))
    of = film(RATES[rate], round(5400 * RATES[rate]))
    assert frames_of(path, of) == SCENES
    assert "--timecode-start 00:00:00:00" in read_sheet(path, of)[1][0]


def test_clips_of_a_timeline_that_last_no_frame_of_the_film_are_left_out_and_said(tmp_path: Path):
    """A flash of one frame of sixty a second, in a film of twenty-five."""
    path = tmp_path / "p.fcpxml"
    clips = (("A", "0s", "4s"), ("flash", "4s", "1/60s"), ("B", "241/60s", "4s"))
    path.write_text(storyline("".join(f'<clip name="{n}" offset="{at}" duration="{long}"/>' for n, at, long in clips)))
    table, notices = read_sheet(path, film(Fraction(25), 1500))
    assert table["scene"].tolist() == ["A", "B"]
    assert notices[-1] == "p.fcpxml: left out, since they are shorter than a frame: clip 2 (flash)"


def test_another_rate_than_the_films_is_said(tmp_path: Path):
    path = tmp_path / "t.otio"
    path.write_text(FORMATS["markers.otio"]("25"))
    _, notices = read_sheet(path, film(Fraction(24), 40000))
    assert "t.otio: it counts 25 frames a second, the film has 24" in notices


# What is refused


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("x.edl", "nothing", "has no video event"),
        ("x.edl", "001  A  V  C  00:00:00:99 00:00:01:00 00:00:00:99 00:00:01:00", "line 1, .*frames end at 24"),
        ("x.otio", "{", "no JSON"),
        ("x.otio", "[" * 200_000, "nested too deep"),
        ("x.otio", '{"OTIO_SCHEMA": "Gap.1"}', "holds 0 timelines"),
        ("x.otio", '{"OTIO_SCHEMA": "Timeline.1", "tracks": 3}', "tracks is '3'"),
        ("x.otio", '{"OTIO_SCHEMA": "Timeline.1", "global_start_time": {"value": NaN}}', "'nan' is no time"),
        ("x.otio", '{"OTIO_SCHEMA": "Timeline.1", "tracks": {"children": [null]}}', "no object"),
        ("x.xml", "<xmeml>", "no XML"),
        ("x.xml", "<xmeml version='4'/>", "0 sequences"),
        ("x.xml", "<xmeml><sequence><name>a</name></sequence><sequence><name>b</name></sequence></xmeml>", r"2 .*a, b"),
        ("x.xml", "<xmeml><sequence><media><video><track><clipitem/></track></video></media></sequence></xmeml>",
         "an element is missing"),
        ("x.xml", "<a>" * 100_000 + "</a>" * 100_000, "root is <a>"),
        ("x.xml", "<xmeml><sequence>" + "<a>" * 50_000 + "</a>" * 50_000 + "</sequence></xmeml>", "recursion"),
        ("x.fcpxml", "<fcpxml/>", "0 projects"),
        ("x.fcpxml", "<fcpxml><project><sequence tcStart='1/0s'/></project></fcpxml>", "no time of FCPXML"),
        ("x.fcpxml", "<fcpxml><project><sequence><spine/></sequence></project></fcpxml>", "neither markers nor clips"),
        ("x.fcpxml", "<!DOCTYPE fcpxml [<!ENTITY a 'b'>]><fcpxml/>", "declares entities"),
        ("x.xml", "<!DOCTYPE x [<!ENTITY % a SYSTEM 'file:///etc/passwd'>]><xmeml/>", "declares entities"),
        ("x.edl", b"\xff\xfe0\x000\x001", "is not UTF-16-LE as it seems"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_in_one_line(name: str, content: str | bytes, why: str, tmp_path: Path):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(SheetError, match=why) as error:
        read_sheet(path, film(Fraction(25), 1500))
    assert name in str(error.value)
    assert "\n" not in str(error.value)


def test_what_is_too_large_is_refused_before_it_is_read(tmp_path: Path):
    path = tmp_path / "x.xml"
    with path.open("wb") as file:
        file.truncate((20 << 20) + 1)
    with pytest.raises(SheetError, match="has 20 MB"):
        read_sheet(path, film(Fraction(25), 1500))


def test_long_lines_of_an_edit_list_are_passed_over_at_once(tmp_path: Path):
    assert read("001 " + " a" * 1_000_000 + "\n" + EVENTS, tmp_path) == {
        "kitchen.mov": (0, 250),
        "garden.mov": (250, 500),
    }
