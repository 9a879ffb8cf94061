"""Lists as programs of people wrote them, which neighbouring programs read wrongly: each is read as it is meant."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from scenefer.core.errors import SheetError
from scenefer.core.film import Film
from scenefer.interchange.scene_lists import read_sheet

RIGHT: dict[str, list[tuple[str, float, float, str | None]]] = {
    "avid_markers.txt": [("rage", 2, 5, None), ("home", 5, 300, None)],
    "bracket_false.edl": [
        ("Interview", 10, 14, "happy"), ("kitchen [sand]", 20, 24, None), ("x [Max]", 30, 34, None),
        ("roof [sat]", 40, 44, None),
    ],
    "brackets_names.edl": [
        ("12A [angy]", 10, 14, None), ("12B [VFX]", 20, 24, None), ("Scene [shot]", 30, 34, None),
        ("4", 40, 44, "angry"),
    ],
    "cli_disabled.fcpxml": [("A", 0, 4, "happy"), ("B", 6, 8, "angry")],
    "disabled_marker.fcpxml": [("on C", 22, 30, None)],
    "edl_as.txt": [("1", 0, 10, None)],
    "emotion_col.csv": [("1", 0, 10, "happy")],
    "fcm_drop_25.edl": [("a", 1, 3, None)],
    "h70.edl": [("rage", 10, 12, "angry"), ("home", 130, 132, "happy")],
    "header_units.csv": [("1", 0, 10, "happy")],
    "hour_ambiguous.csv": [("rage", 10, 70, "angry")],
    "inout.csv": [("1", 0, 10, "happy")],
    "latin1.edl": [("Café.mov", 0, 10, None)],
    "loc_before_events.edl": [("first", 2, 10, None)],
    "o_all_markers_lost.otio": [("A", 0, 10, None), ("B", 10, 20, None)],
    "o_clip_marker_lost.otio": [("kept", 14, 20, None)],
    "o_disabled_track.otio": [("A", 0, 10, None), ("B", 10, 20, None)],
    "o_empty_v1.otio": [("A", 0, 10, None), ("B", 10, 20, None)],
    "premiere_markers.csv": [("rage", 2, 5, "angry")],
    "premiere_markers_utf8.csv": [("rage", 2, 5, "angry")],
    "resolve_edit_index.csv": [("A.mov", 0, 10, None)],
    "resolve_markers.csv": [("rage", 2, 5, "angry")],
    "sep_line.csv": [("1", 0, 10, "happy")],
    "start_duration.csv": [("1", 0, 10, "happy"), ("2", 10, 20, "sad")],
    "title_above.csv": [("1", 0, 10, "happy")],
    "v2first.edl": [("A", 0, 10, None), ("B", 10, 20, None)],
    "v2over.edl": [("on v2", 6, 20, None)],
    "x7_disabled.xml": [("A", 0, 10, None), ("C", 20, 30, None)],
    "x7_empty_v1.xml": [("B", 0, 4, None), ("C", 4, 12, None)],
    "x7_latin1.xml": [("Café", 0, 10, None)],
}  # fmt: skip
SAID = {
    "bracket_false.edl": ["Joy = happy", "[sand] (did you mean [sad]?)"],
    "brackets_names.edl": ["[angy] (did you mean [angry]?)"],
    "cli_disabled.fcpxml": ["disabled, and left out: 1 clip"],
    "disabled_marker.fcpxml": ["disabled, and left out: 1 clip, 1 marker"],
    "emotion_col.csv": ["column emotion is read as intended"],
    "fcm_drop_25.edl": ["FCM says drop-frame, which does not exist at 25"],
    "h70.edl": ["1:00:00.000 was subtracted", "--timecode-start 00:00:00:00"],
    "hour_ambiguous.csv": ["1:00:00.000 was subtracted", "--timecode-start 00:00:00:00"],
    "latin1.edl": ["read as Windows-1252"],
    "o_all_markers_lost.otio": ["outside what is seen of their clips: 2 markers"],
    "o_clip_marker_lost.otio": ["outside what is seen of its clip: 1 marker"],
    "o_disabled_track.otio": ["disabled, and left out: 1 track"],
    "x7_disabled.xml": ["disabled, and left out: 1 clip"],
}
REFUSED = {
    "badquote.csv": 'row 2: not CSV .*written twice, "Scene ""1"""',
    "excel_day_fraction.csv": r"fractions of a day.*format \[h\]:mm:ss",
    "flash.csv": r"row 3 \(flash\): 0:00:03.000 to 0:00:03.010 is shorter than a frame",
}


@pytest.fixture(scope="module")
def lists(films: Path) -> Path:
    folder = films / "hunted" / "lists"
    if not folder.is_dir():
        pytest.skip(f"the lists are not at {folder}")
    return folder


def film(name: str) -> Film:
    long = {"h70.edl": 4200.0, "hour_ambiguous.csv": 4200.0}
    return Film(Path("film.mp4"), "0" * 16, 1280, 720, long.get(name, 300.0), Fraction(25))


@pytest.mark.parametrize("name", RIGHT)
def test_a_list_is_read_as_a_careful_person_would(name: str, lists: Path):
    table, notices = read_sheet(lists / name, film(name))
    found = table[["scene", "start", "end", "intended"]].round(6).itertuples(index=False, name=None)
    assert [*found] == RIGHT[name]
    assert [said for said in SAID.get(name, ()) if said not in "\n".join(notices)] == []


@pytest.mark.parametrize("name", REFUSED)
def test_a_list_that_means_nothing_is_refused_with_the_place(name: str, lists: Path):
    with pytest.raises(SheetError, match=REFUSED[name]):
        read_sheet(lists / name, film(name))


def test_the_edit_list_of_pyscenedetect_counts_seconds_of_the_clock_through_an_hour(lists: Path):
    rate = Fraction(24000, 1001)
    long = Film(Path("film.mp4"), "0" * 16, 1280, 720, 2400.0, rate)
    table, _ = read_sheet(lists / "pyscenedetect072_23976.edl", long, every_clip=True)
    assert len(table) == 790
    frames = table["start"] * float(rate)
    assert abs(frames - frames.round()).max() < 1e-6
    # 00:38:06:06 is 2286 s of the clock and six frames; as a timecode it would lie 2.3 s later.
    assert table["start"].iloc[-1] == pytest.approx(2286 + 6 / float(rate), abs=float(1 / rate))


def test_every_list_of_the_folder_has_its_right_value_here(lists: Path):
    known = {*RIGHT, *REFUSED, "pyscenedetect072_23976.edl"}
    assert {path.name for path in lists.iterdir()} <= known
