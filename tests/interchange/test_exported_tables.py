"""Lists that editing programs, spreadsheets and people of several languages write are read as they are meant."""

from __future__ import annotations

import random
from fractions import Fraction
from pathlib import Path

import pytest

from scenefer.core.errors import SheetError
from scenefer.core.film import Film
from scenefer.interchange.scene_lists import read_sheet


def film(duration: float = 300.0, rate: Fraction = Fraction(25)) -> Film:
    return Film(Path("film.mp4"), "0" * 16, 1280, 720, duration, rate)


def rows(text: str | bytes, folder: Path, name: str = "list.csv") -> list[tuple[str, float, float, str | None]]:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    table, _ = read_sheet(path, film())
    table[["start", "end"]] = table[["start", "end"]].round(6)
    return [*table[["scene", "start", "end", "intended"]].itertuples(index=False, name=None)]


PREMIERE = (
    "Marker Name\tDescription\tIn\tOut\tDuration\tMarker Type\t\n"
    "rage [angry]\tSome\t00:00:02:00\t00:00:05:00\t00:00:03:00\tComment\t\n"
    "home\t\t00:00:05:00\t00:00:09:10\t00:00:04:10\tChapter\t\n"
)
BOTH = [("rage", 2.0, 5.0, "angry"), ("home", 5.0, 9.4, None)]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "utf-8", "utf-16-le", "utf-16-be", "utf-32"])
def test_markers_of_premiere_are_read_in_every_encoding(encoding: str, tmp_path: Path):
    assert rows(PREMIERE.encode(encoding), tmp_path) == BOTH
    assert rows(PREMIERE.replace("\n", "\r\n").encode(encoding), tmp_path, "list.txt") == BOTH


@pytest.mark.parametrize(
    "names",
    [
        "Markername\tBeschreibung\tIn\tOut\tDauer\tMarkertyp",
        "Nom du marqueur\tDescription\tEntrée\tSortie\tDurée\tType",
        "Nombre del marcador\tDescripción\tEntrada\tSalida\tDuración\tTipo",
        "Nome marcatore\tDescrizione\tAttacco\tFine\tDurata\tTipo",
    ],
)
def test_markers_of_premiere_are_read_in_the_language_of_its_user(names: str, tmp_path: Path):
    text = names + "\t\n" + PREMIERE.partition("\n")[2]
    assert rows(text.encode("utf-16"), tmp_path) == BOTH


def test_markers_of_premiere_without_a_length_last_to_the_next(tmp_path: Path):
    text = PREMIERE.replace("00:00:05:00\t00:00:03:00", "00:00:02:00\t00:00:00:00")
    text = text.replace("00:00:09:10\t00:00:04:10", "00:00:05:00\t00:00:00:00")
    assert rows(text, tmp_path) == [("rage", 2.0, 5.0, "angry"), ("home", 5.0, 300.0, None)]


def test_a_marker_without_a_name_is_named_by_its_comment_or_its_number(tmp_path: Path):
    text = PREMIERE.replace("rage [angry]\tSome", "\tthe row [angry]").replace("home", "")
    assert [row[0] for row in rows(text, tmp_path)] == ["the row", "2"]


def test_markers_of_resolve_count_from_their_hour(tmp_path: Path):
    text = (
        "No.,Name,Start,End,Duration,Color,Notes\n"
        "1,rage [angry],01:00:02:00,01:00:05:00,00:00:03:00,Blue,x\n"
        "2,home,01:00:05:00,01:00:09:10,00:00:04:10,Red,\n"
    )
    assert rows(text, tmp_path) == BOTH


EDIT_INDEX = (
    '"#","Reel","Match","V","C","Dur","Source In","Source Out","Record In","Record Out","Name","Comments"\n'
    '"1","","","V1","C","00:00:10:00","00:00:30:00","00:00:40:00","01:00:00:00","01:00:10:00","A.mov",""\n'
    '"2","","","A1","C","00:00:10:00","00:00:00:00","00:00:10:00","01:00:00:00","01:00:10:00","A.wav",""\n'
    '"3","","","V2","C","00:00:02:00","00:00:00:00","00:00:02:00","01:00:04:00","01:00:06:00","title",""\n'
    '"4","","","V1","C","00:00:10:00","00:00:00:00","00:00:10:00","01:00:10:00","01:00:20:00","B.mov",""\n'
)


def test_of_an_edit_index_the_clips_of_the_first_video_track_are_the_scenes(tmp_path: Path):
    assert rows(EDIT_INDEX, tmp_path) == [("A.mov", 0.0, 10.0, None), ("B.mov", 10.0, 20.0, None)]


def test_the_markers_of_an_edit_index_count_before_its_clips(tmp_path: Path):
    marked = EDIT_INDEX + "".join(
        f'"{k}","","","","","00:00:00:01","","","{time}:00","{time}:01","{name}",""\n'
        for k, time, name in ((5, "01:00:02", "rage [angry]"), (6, "01:00:12", "home"))
    )
    assert rows(marked, tmp_path) == [("rage", 2.0, 12.0, "angry"), ("home", 12.0, 20.0, None)]


def test_an_edit_index_of_more_clips_than_scenes_is_shots(tmp_path: Path):
    head, _, one = EDIT_INDEX.partition("\n")
    many = [one.splitlines()[0].replace("01:00:00:00", f"01:00:{k // 25:02}:{k % 25:02}") for k in range(201)]
    with pytest.raises(SheetError, match=r"201 clips, which are shots.*--every-clip"):
        rows("\n".join([head, *many]), tmp_path)


@pytest.mark.parametrize("name", ["markers.txt", "markers.csv"])
def test_markers_of_avid_are_a_text_without_column_names(name: str, tmp_path: Path):
    text = "Anna\t01:00:02:00\tV1\tred\trage [angry]\t75\nBo\t01:00:05:00\tA2\tgreen\thome\t110\t\tGreen\n"
    assert rows(text, tmp_path, name) == BOTH
    without = text.replace("\t75\n", "\t1\n").replace("\t110\t", "\t1\t")
    assert rows(without, tmp_path, name) == [("rage", 2.0, 5.0, "angry"), ("home", 5.0, 300.0, None)]
    with pytest.raises(
        SheetError, match=r"line 2, '01:00:05:30' is no time: at 25 frames a second the frames end at 24"
    ):
        rows(text.replace("01:00:05:00", "01:00:05:30"), tmp_path, name)


@pytest.mark.parametrize(
    "header",
    [
        "Scene,In,Out,Intended",
        "scene,TC In,TC Out,intended",
        "Szene,Anfang,Ende,Absicht",
        "Scène,Début,Fin,Intention",
        "Escena,Inicio,Fin,intended",
        "Adegan,Mulai,Selesai,Maksud",
        "SCENE NAME,Start Time,End Time,Intended Emotion",
        "scene_name,start_time,end_time,intended",
        "Name,From,To,intended",
        "Scene,Start (s),End (s),Intended",
        "Scene,Start [sec],End [sec],Intended",
        "scene,start_s,end_s,intended",
        "scene,startSeconds,endSeconds,intended",
        "Scene,Begin Time - ss.msec,End Time - ss.msec,Intended",
        "scene,begin,end,intended",
        "label,onset,offset,intended",
        "scene_id,t_start,t_end,intended",
        "Séquence,TC début,TC fin,Intention",
        "Scene #,Time In,Time Out,Director's Intention",
        "Scene,Start Timestamp,End Timestamp,Intended",
        "Scene,Start in s,End in s,Intended",
        "Scene,SceneStartSec,SceneEndSec,Intended",
        "Scene,Starts,Ends,Intended",
        "Scene,Start (HH:MM:SS),End (HH:MM:SS),Intended",
    ],
)
def test_columns_are_known_by_the_names_that_people_give_them(header: str, tmp_path: Path):
    assert rows(f"{header}\n1,0,10.5,happy\n", tmp_path) == [("1", 0.0, 10.5, "happy")]


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("scene,start,duration,intended\n1,0,10.5,happy\n", 10.5),
        ("Scene,Start,Dur,Intended\n1,0,00:00:10:12,happy\n", 10.48),
        ("scene,start,length (s),intended\n1,0,10.5,happy\n", 10.5),
        ("scene,start_ms,end_ms,intended\n1,0,10500,happy\n", 10.5),
        ("scene,start (ms),duration (ms),intended\n1,0,10500,happy\n", 10.5),
        ("Scene,Start Frame,End Frame,Intended\n1,0,250,happy\n", 10.0),
        ("Scene,Start Frame,Start Time (s),End Frame,End Time (s),Intended\n1,7,0,250,10.5,happy\n", 10.5),
        ("scene,start (min),end (min),intended\n1,0,1.5,happy\n", 90.0),
        ("scene,start (s),end (s),intended\n1,0:00:00,0:00:10.5,happy\n", 10.5),
        ("scene,start,end,duration,intended\n1,0,10.5,99,happy\n", 10.5),
    ],
)
def test_an_end_is_told_by_a_duration_and_a_unit_by_the_name_of_its_column(text: str, end: float, tmp_path: Path):
    ((scene, start, found, intended),) = rows(text, tmp_path)
    assert (scene, start, intended) == ("1", 0.0, "happy")
    assert found == pytest.approx(end)


@pytest.mark.parametrize(
    "text",
    [
        "sep=;\r\nscene;start;end;intended\r\n1;0;10,5;happy\r\n",
        '"sep=;"\nscene;start;end;intended\n1;0;10,5;happy\n',
        "sep=\t\nscene\tstart\tend\tintended\n1\t0\t10,5\thappy\n",
        "sep=|\nscene|start|end|intended\n1|0|10,5|happy\n",
        "SEP=,\nscene,start,end,intended\n1,0,10.5,happy\n",
        "Scene list of My Film,,,\n,,,\nscene,start,end,intended\n1,0,10.5,happy\n",
        "Scene list; of My Film, v2\n\nscene;start;end;intended\n1;0;10,5;happy\n",
        "Film:,Start\nDate:,2026-01-01\n\nscene,start,end,intended\n1,0,10.5,happy,,,\n",
        "\n\n\nscene,start,end,intended,,\n1,0,10.5,happy,,\n",
    ],
)
def test_what_stands_above_the_column_names_is_passed_over(text: str, tmp_path: Path):
    assert rows(text, tmp_path) == [("1", 0.0, 10.5, "happy")]


@pytest.mark.parametrize(
    ("above", "row"), [("", 2), ("sep=;\n", 3), ("My film\n\n", 4), ("\n\n\n", 5), ("a\nb\nc\nd\ne\n", 7)]
)
def test_rows_are_counted_from_the_first_of_the_file(above: str, row: int, tmp_path: Path):
    with pytest.raises(SheetError, match=f"list.csv, row {row}, column end: 'x' is no time"):
        rows(f"{above}scene;start;end\n1;0;x\n", tmp_path)
    with pytest.raises(SheetError, match=f"list.csv, row {row - 1}: unknown column 'strat': did you mean 'start'"):
        rows(f"{above}scene;strat;end\n1;0;x\n", tmp_path)


def test_a_quote_that_is_not_doubled_is_named_by_its_row(tmp_path: Path):
    with pytest.raises(SheetError, match=r"list.csv, row 3: not CSV .*a quote inside a quoted value is written twice"):
        rows('scene,start,end,intended\na,0,5,\n"Scene "1"",5,10,happy\n', tmp_path)


@pytest.mark.parametrize("name", ["list.csv", "list.txt", "list.edl", "list.otio", "list.xml", "list.xlsx", "list"])
@pytest.mark.parametrize("content", [b"", b"nothing of the kind\n", b"PK\x03\x04", bytes(range(256))])
def test_what_is_no_list_is_refused_by_naming_the_formats_that_are_read(name: str, content: bytes, tmp_path: Path):
    with pytest.raises(SheetError, match=r"lists that are read: CSV or \.xlsx|save it as \.xlsx|Windows-1252") as error:
        rows(content, tmp_path, name)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["list.csv", "list.edl", "list.txt"])
def test_a_list_of_windows_is_read_and_said(name: str, tmp_path: Path):
    event = "001  AX  V  C  00:00:00:00 00:00:10:00 00:00:00:00 00:00:10:00\n* FROM CLIP NAME: Café – Büro\n"
    text = event if name != "list.csv" else "scene,start,end\nCafé – Büro,0,10\n"
    path = tmp_path / name
    path.write_bytes(text.encode("cp1252"))
    table, notices = read_sheet(path, film())
    assert table["scene"].tolist() == ["Café – Büro"]
    assert "it is not UTF-8 (row 2) and was read as Windows-1252" in notices[0]


@pytest.mark.parametrize("encoding", ["ISO-8859-1", "windows-1252", "UTF-16", "UTF-8", "iso-8859-15", "us-ascii"])
def test_xml_is_read_in_the_encoding_that_it_declares(encoding: str, tmp_path: Path):
    name = "Cafe" if encoding == "us-ascii" else "Café"
    text = (
        f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE fcpxml><fcpxml version="1.10"><resources>'
        '<format id="r1" frameDuration="1/25s"/></resources><project name="p"><sequence format="r1"><spine>'
        f'<clip name="{name}" duration="4s"/></spine></sequence></project></fcpxml>'
    )
    assert rows(text.encode(encoding), tmp_path, "p.fcpxml") == [(name, 0.0, 4.0, None)]
    entity = text.replace("<!DOCTYPE fcpxml>", "<!DOCTYPE fcpxml [<!ENTITY a 'b'>]>")
    with pytest.raises(SheetError, match="declares entities"):
        rows(entity.encode(encoding), tmp_path, "p.fcpxml")


def test_xml_of_an_encoding_that_does_not_exist_is_refused(tmp_path: Path):
    with pytest.raises(SheetError, match="declares the unknown encoding 'klingon'"):
        rows('<?xml version="1.0" encoding="klingon"?><fcpxml/>', tmp_path, "p.fcpxml")


@pytest.mark.parametrize("name", ["x.txt", "x.csv", "x"])
def test_a_timeline_is_known_by_what_it_says_whatever_it_is_called(name: str, tmp_path: Path):
    event = "TITLE: x\n001  AX  V  C  00:00:00:00 00:00:10:00 00:00:00:00 00:00:10:00\n* FROM CLIP NAME: A\n"
    assert rows(event, tmp_path, name) == [("A", 0.0, 10.0, None)]
    clip = '<spine><clip name="A" duration="4s"/></spine>'
    text = f'<fcpxml version="1.10"><project><sequence>{clip}</sequence></project></fcpxml>'
    assert rows(text, tmp_path, name) == [("A", 0.0, 4.0, None)]


_EDL = (
    "TITLE: x\nFCM: DROP FRAME\n* LOC: 00:00:02:00 RED a\n"
    "001  AX  V2  C  00:00:00:00 00:00:10:00 00:00:00:00 00:00:10:00\n"
)
_OTIO = (
    '{"OTIO_SCHEMA": "Timeline.1", "tracks": {"OTIO_SCHEMA": "Stack.1", "children": [{"OTIO_SCHEMA": "Track.1", '
    '"kind": "Video", "enabled": true, "children": [{"OTIO_SCHEMA": "Clip.2", "name": "A", '
    '"source_range": {"start_time": '
    '{"value": 0, "rate": 25}, "duration": {"value": 250, "rate": 25}}, "markers": []}]}]}}'
)
_FCPXML = (
    '<fcpxml><project><sequence><spine><clip name="A" enabled="1" duration="4s"/></spine></sequence></project></fcpxml>'
)
_AVID = "Anna\t01:00:02:00\tV1\tred\trage [angry]\t75\n"
_SHEET = "scene;start;end;intended\n1;0;10,5;tense\nb;0:00:11;0:00:20;happy:0,6;neutral:0,4\n"
_PIECES = (
    *(b"\n", b"\t", b",", b";", b'"', b"\0", b"[", b"]", b"<", b">", b"{", b"}", b"\xff", b"\xe9", b"\xff\xfe"),
    *(b"1e999", b"-1", b"99:99:99:99", b"nan", b"enabled", b"Duration", b"(ms)", b"frames", b"9" * 30, b"sad", b"LOC:"),
)


@pytest.mark.parametrize("seed", range(6))
def test_a_damaged_list_is_read_or_refused_in_one_line(seed: int, tmp_path: Path):
    """Twenty mutations of every form, each under a suffix that may be another's."""
    chance = random.Random(seed)
    for _ in range(20):
        for text in (PREMIERE, EDIT_INDEX, _EDL, _OTIO, _FCPXML, _AVID, _SHEET):
            raw = bytearray(text.encode(chance.choice(["utf-8", "utf-8", "utf-16"])))
            for _ in range(chance.randint(1, 6)):
                place = chance.randrange(len(raw) + 1)
                raw[place : place + chance.choice([0, 0, 1, 8, 30])] = chance.choice([b"", *_PIECES])
            path = tmp_path / f"list{chance.choice(['.csv', '.txt', '.edl', '.otio', '.xml', '.fcpxml'])}"
            path.write_bytes(raw)
            said = ""
            try:
                read_sheet(path, film())
            except SheetError as error:
                said = str(error)
            assert len(said.splitlines()) < 2
