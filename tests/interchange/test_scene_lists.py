"""Sheets say what is meant, exactly, or what is wrong with them."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenefer.comparison.intentions import parse_intention, write_intention
from scenefer.core.errors import SheetError
from scenefer.core.film import Film
from scenefer.core.timecode import exact_rate, frame_of, seconds_of, timecode_of, whole_hours
from scenefer.interchange.scene_lists import read_lists, read_sheet

NTSC_FILM = Fraction(24000, 1001)
NTSC = Fraction(30000, 1001)


def film(duration: float | None = 60.0, rate: Fraction = Fraction(25), timecode: str | None = None) -> Film:
    return Film(Path("film.mp4"), "0" * 16, 1280, 720, duration, rate, timecode=timecode)


@pytest.fixture
def sheet(tmp_path: Path):
    """Write a sheet and read it for a film of a minute."""

    def read(text: str | bytes, of: Film | None = None):
        path = tmp_path / "sheet.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_sheet(path, of or film())

    return read


# Times


@pytest.mark.parametrize(
    ("text", "rate", "seconds"),
    [
        ("93.5", Fraction(25), 93.5),
        ("93,5", Fraction(25), 93.5),
        ("1:33.5", Fraction(25), 93.5),
        ("75:10", Fraction(25), 4510.0),
        ("0:01:33.500", Fraction(25), 93.5),
        ("1h01m10.52s", Fraction(25), 3670.52),
        ("0h01m33,500s", Fraction(25), 93.5),
        ("1m 33s", Fraction(25), 93.0),
        ("93.5s", Fraction(25), 93.5),
        ("75m", Fraction(25), 4500.0),
        ("00:01:33:12", Fraction(25), 93.48),
        ("01:00:00:00", NTSC_FILM, 3603.6),
        ("00:00:01:00", Fraction(2997, 125), 1.001),  # a container's 23.976 is 24000/1001
        ("01:00:00:00", NTSC, 3603.6),
        ("01:00:00;00", NTSC, 107892 * 1001 / 30000),
        ("00:01:00;02", NTSC, 1800 * 1001 / 30000),
        ("00;01;00;02", NTSC, 1800 * 1001 / 30000),  # as Premiere shows it
        ("00:10:00;00", NTSC, 17982 * 1001 / 30000),
        ("00:01:00;04", Fraction(60000, 1001), 3600 * 1001 / 60000),
    ],
)
def test_a_time_is_exact(text: str, rate: Fraction, seconds: float):
    assert seconds_of(text, rate) == pytest.approx(seconds, abs=1e-9)


@pytest.mark.parametrize(
    ("text", "rate", "why"),
    [
        ("00:00:01:25", Fraction(25), "end at 24"),
        ("00:00:01;00", Fraction(25), "drop-frame"),
        ("00:00:01;00", NTSC_FILM, "drop-frame"),
        ("00:01:00;00", NTSC, "leaves this number out; the next one is ;02"),
        ("00:61:00.0", Fraction(25), "end at 59"),
        ("-1", Fraction(25), "begins at 0"),
        ("nan", Fraction(25), "write seconds"),
        ("inf", Fraction(25), "write seconds"),
        ("1_0", Fraction(25), "write seconds"),
        ("", Fraction(25), "write seconds"),
        ("soon", Fraction(25), "write seconds"),
    ],
)
def test_what_is_no_time_is_refused_with_the_reason(text: str, rate: Fraction, why: str):
    with pytest.raises(ValueError, match=why):
        seconds_of(text, rate)


@given(st.integers(0, 24 * 60 * 60 * 30 - 1))
def test_drop_frame_numbers_every_frame_once(frame: int):
    """Written from the frame number by the arithmetic of the standard, and read back."""
    tens, rest = divmod(frame, 17982)
    number = frame + 18 * tens + (2 * ((rest - 2) // 1798) if rest >= 2 else 0)
    seconds, frames = divmod(number, 30)
    text = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02};{frames:02}"
    assert round(seconds_of(text, NTSC) * 30000 / 1001) == frame


@given(st.integers(0, 24 * 60 * 60 * 60), st.sampled_from([NTSC_FILM, Fraction(25), NTSC, Fraction(60000, 1001)]))
def test_the_number_of_a_frame_is_written_as_a_timecode_that_is_read_back(frame: int, rate: Fraction):
    for drop in (False, True):
        text = timecode_of(frame, rate, drop=drop)
        assert frame_of(text, rate) == frame % frame_of("24:00:00;00" if ";" in text else "24:00:00:00", rate)
        assert (";" in text) == (drop and rate.numerator in (30000, 60000))


@pytest.mark.parametrize(
    ("frame", "text"),
    [(0, "00:00:00;00"), (1799, "00:00:59;29"), (1800, "00:01:00;02"), (17981, "00:09:59;29"), (17982, "00:10:00;00")],
)
def test_drop_frame_leaves_out_two_numbers_a_minute_but_for_every_tenth(frame: int, text: str):
    assert timecode_of(frame, NTSC, drop=True) == text


def test_timecode_begins_anew_at_midnight():
    assert timecode_of(24 * 3600 * 25 + 5, Fraction(25)) == "00:00:00:05"
    assert timecode_of(frame_of("23:59:59;29", NTSC) + 1, NTSC, drop=True) == "00:00:00;00"


def test_whole_hours_are_hours_of_the_notation():
    assert whole_hours("01:30:00:00", NTSC) == pytest.approx(3603.6)
    assert whole_hours("01:30:00;00", NTSC) == pytest.approx(3599.9964)
    assert whole_hours("01;30;00;00", NTSC) == pytest.approx(3599.9964)
    assert whole_hours("5400", NTSC) == 3600


def test_an_unusual_rate_is_kept():
    assert exact_rate(Fraction(50, 3)) == Fraction(50, 3)
    assert exact_rate(Fraction(24)) == 24


# Intentions


@pytest.mark.parametrize(
    ("text", "shares"),
    [
        ("angry", {"angry": 1.0}),
        ("Marah", {"angry": 1.0}),
        ("terkejut", {"surprise": 1.0}),
        ("sedih:1; netral:3", {"neutral": 0.75, "sad": 0.25}),
        ("happy:60;neutral:40", {"happy": 0.6, "neutral": 0.4}),
        ("happy:60%; neutral: 40 %", {"happy": 0.6, "neutral": 0.4}),
        ("happy:0,6;neutral:0,4", {"happy": 0.6, "neutral": 0.4}),
        ("happy:0,6;neutral:40%", {"happy": 0.6, "neutral": 0.4}),
        ("", {}),
    ],
)
def test_an_intention_is_shares_that_sum_to_one(text: str, shares: dict[str, float]):
    assert parse_intention(text) == pytest.approx(shares)
    assert list(parse_intention(text)) == list(shares)  # largest first


def test_an_intention_is_written_as_it_is_read():
    assert write_intention(parse_intention("netral:2;senang:3")) == "happy:0.6;neutral:0.4"
    assert write_intention(parse_intention("jijik")) == "disgust"
    assert write_intention({}) == ""


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("angre", "\"angre\": did you mean 'angry'\\?"),
        ("sedh", "\"sedh\": did you mean 'sedih'\\?"),
        ("melancholy", "the labels are angry, disgust"),
        ("happy;neutral", "happy has no share"),
        ("happy:0.5;joy:0.5", "happy stands in it twice"),
        ("happy:-1;neutral:2", "write a number above 0"),
        ("happy:nan", "write a number above 0"),
    ],
)
def test_an_intention_not_understood_says_what_was_meant_perhaps(text: str, why: str):
    with pytest.raises(ValueError, match=why):
        parse_intention(text)


# Sheets


def test_the_sheet_of_the_test_film_has_twelve_scenes(films: Path):
    table, notices = read_sheet(films / "testfilm_intended.csv", film(66.28))
    assert notices == []
    assert table["scene"].tolist() == [
        *("bridge", "pressroom", "rage", "dread", "joy", "shock"),
        *("grief", "revulsion", "rest", "home", "readers", "return"),
    ]
    assert table["start"].iloc[10] == 56.4
    assert table["intended"].iloc[9] == "happy:0.6;neutral:0.4"


def test_a_sheet_is_read_by_the_names_of_its_columns(sheet):
    table, notices = sheet("End,Scene,START\n00:00:02:00,one,0\n\n4,two,2.0\n")
    assert notices == []
    assert table.to_dict("list") == {
        "scene": ["one", "two"],
        "start": [0.0, 2.0],
        "end": [2.0, 4.0],
        "intended": [None, None],
        "character": [None, None],
        "note": [None, None],
    }


def test_scenes_are_put_in_order_of_time(sheet):
    table, _ = sheet("scene,start,end\nb,5,9\na,0,5\n")
    assert table["scene"].tolist() == ["a", "b"]


def test_columns_not_known_are_kept_and_named(sheet):
    table, notices = sheet("scene,start,end,camera,INT/EXT\na,0,5,B,INT\n")
    assert table["camera"].tolist() == ["B"]
    assert notices == ["sheet.csv: columns kept but not understood: camera, INT/EXT"]


@pytest.mark.parametrize("sign", [";", "\t"])
def test_columns_may_be_parted_as_the_spreadsheet_of_another_country_parts_them(sheet, sign: str):
    rows = [
        ["Scene", "start", "end", "intended", "note"],
        ["home", "0,5", "12,25", '"happy:0,6;neutral:0,4"', "two men, at a table"],
        ["rage", '"00:00:12;10"', "0:00:20,5", "angry", ""],
    ]
    table, notices = sheet("\n".join(sign.join(row) for row in rows), film(rate=NTSC))
    assert notices == []
    assert table["start"].tolist() == [0.5, pytest.approx(370 * 1001 / 30000)]
    assert table["end"].tolist() == [12.25, 20.5]
    assert table["intended"].tolist() == ["happy:0.6;neutral:0.4", "angry"]
    assert table["note"].tolist() == ["two men, at a table", None]


def test_several_characters_share_the_times_of_a_scene(sheet):
    table, _ = sheet("scene,start,end,intended,character\na,0,5,angry,Ada\na,0,5,sad,Bo\nb,5,6,,\n")
    assert table["character"].tolist() == ["Ada", "Bo", None]


def test_a_byte_order_mark_and_windows_line_ends_are_no_part_of_the_sheet(sheet):
    table, notices = sheet("\ufeffscene,start,end\r\nbüro,0,5\r\n".encode())
    assert table["scene"].tolist() == ["büro"]
    assert notices == []


def test_markup_and_formulas_are_names_like_any_other(sheet):
    table, _ = sheet("scene,start,end\n<script>alert(1)</script>,0,5\n'=HYPERLINK(1),5,6\n")
    assert table["scene"].tolist() == ["<script>alert(1)</script>", "=HYPERLINK(1)"]


HEADER = "scene,start,end\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        (HEADER, "no row follows the column names"),
        ("rage,0,5\n", "row 1: column 'scene' is missing"),
        ("scene,start\nrage,0\n", "row 1: column 'end' is missing"),
        ("scene|start|end\nrage|0|5\n", "column 'scene' is missing, found 'scene|start|end'"),
        (f"scene,start,end\nrage,0,{'9' * 400}\n", "it has 400 characters"),
        ("scene,start,end,intended\nrage,0,5,happy:1e308;sad:1e308\n", "of 1 or of 100"),
        ("scene;start;end\nrage;00:00:00;00;00:00:05;00\n", "row 2: 5 values for 3 columns"),
        (
            "scene;start;end;intended;character\na;0;5;happy:0.6;neutral:0.4\n",
            "row 2, column character: 'neutral:0.4' is a share of what is intended",
        ),
        ("scene,start,end,intented\na,0,1,sad\n", "unknown column 'intented': did you mean 'intended'?"),
        ("scene,begin,end,start,start\na,0,1,0,0\n", "column 'start' stands there 2 times"),
        (HEADER + "a,0,5,sad\n", "row 2: 4 values for 3 columns, the last is 'sad'"),
        (HEADER + "a,0,x\n", "row 2, column end: 'x' is no time"),
        (HEADER + "a,nan,5\n", "row 2, column start: 'nan' is no time"),
        (HEADER + "a,-2,5\n", "row 2, column start: '-2' is no time: a film begins at 0"),
        (HEADER + "a,0\n", "row 2, column end: '' is no time"),
        (HEADER + ",0,5\n", "row 2, column scene: '' is no name"),
        (HEADER + "a,5,5\n", "row 2 (a), column end: 0:00:05.000 is not after the start"),
        (
            HEADER + "a,0,5\n\nb,4.9,8\n",
            "row 4 (b), column start: 0:00:04.900 lies before the end 0:00:05.000 of row 2",
        ),
        (HEADER + "a,0,20\nb,1,2\nc,3,4\n", "row 3 (b), column start"),
        (
            HEADER + "a,0,3\nflash,3,3.01\nb,3.01,6\n",
            "row 3 (flash): 0:00:03.000 to 0:00:03.010 is shorter than",
        ),
        (HEADER + "a,0,5\nb,59.99,61\n", "row 3 (b): 0:00:59.990 to 0:01:00.000 is shorter than a frame, 0.040 s"),
        (HEADER + "a,0.0,0.00004629\nb,0.00004629,0.00009259\n", "fractions of a day"),
        (HEADER + "a,0,0.0003\nb,0.0003,0.00069\n", "(0.00069 is 0:00:59.616); give these cells the format [h]:mm:ss"),
        (HEADER + "a,0,5\na,5,8\n", "row 3 (a): 0:00:05.000 to 0:00:08.000, but row 2 gives the scene 0:00:00.000"),
        (HEADER + "a,0,5\na,0,5\n", "row 3 (a), column character: '' has a row of this scene already"),
        (HEADER + "a,0,61.5\n", "row 2 (a), column end: 0:01:01.500 lies beyond the film, which ends at 0:01:00.000"),
        (HEADER + "a,0,5\nb,60,60.5\n", "row 3 (b), column start: 0:01:00.000 lies beyond the film"),
        (HEADER + "a,0,5\nb,60,60.5\n", "or say its timecode by --timecode-start"),
        (HEADER + "a,100,200\n", "all other times lie beyond the film"),
        (
            "scene,start,end,intended\na,0,5,angre\n",
            "row 2, column intended, 'angre': \"angre\": did you mean 'angry'?",
        ),
        (HEADER.encode() + b"\x83J,0,5\n\x81@,5,9\n", "row 2: byte 0x83 is not UTF-8, nor is all of it Windows-1252"),
        (b"PK\x03\x04....", "is a spreadsheet or an archive"),
        (HEADER + '"a,0,5\n', "not CSV"),
    ],
)
def test_a_sheet_that_cannot_be_read_says_where_and_what_to_do(sheet, text: str | bytes, message: str):
    with pytest.raises(SheetError) as error:
        sheet(text)
    assert message in str(error.value)
    assert "sheet.csv" in str(error.value)
    assert "\n" not in str(error.value)


def test_a_sheet_that_is_not_there_is_an_error(tmp_path: Path):
    with pytest.raises(SheetError, match="No such file"):
        read_sheet(tmp_path / "none.csv", film())
    with pytest.raises(SheetError, match="directory"):
        read_sheet(tmp_path, film())


def test_up_to_a_second_past_the_end_is_clipped(sheet):
    table, notices = sheet(HEADER + "a,0,61\n")
    assert table["end"].tolist() == [60.0]
    assert notices == ["sheet.csv: the end of row 2 (a), 0:01:01.000, was clipped to the film's, 0:01:00.000"]


def test_fractions_of_a_day_are_known_where_each_lasts_some_frames_too(sheet):
    """Three hours in two scenes: in seconds they last a frame and a half each."""
    with pytest.raises(SheetError, match=r"0\.125 is 3:00:00\.000"):
        sheet(HEADER + "a,0,0.0625\nb,0.0625,0.125\n", film(10800.0))
    table, _ = sheet(HEADER + "a,0,0.0625\nb,0.0625,0.125\n", film(60.0))
    assert table["end"].tolist() == [0.0625, 0.125]


def test_a_scene_may_last_a_frame(sheet):
    table, notices = sheet(HEADER + "a,0,0.04\nb,1,1.04\nc,2.00,2.0399\n")
    assert (len(table), notices) == (3, [])


def test_a_frame_past_the_end_is_clipped_without_words(sheet):
    table, notices = sheet(HEADER + "a,0,60.04\n")
    assert (table["end"].tolist(), notices) == ([60.0], [])


def test_a_list_that_counts_from_the_timecode_is_shifted_by_it(sheet):
    table, notices = sheet(
        HEADER + "a,10:02:00:00,10:02:05:00\nb,10:02:10:00,10:03:00:12\n", film(timecode="10:02:00:00")
    )
    assert table["start"].tolist() == pytest.approx([0.0, 10.0])
    assert table["end"].tolist() == pytest.approx([5.0, 60.0])
    assert "10:02:00.000 was subtracted: the film's timecode is 10:02:00:00" in notices[0]


@pytest.mark.parametrize("timecode", [None, "unknown"])
def test_a_list_that_counts_from_an_hour_is_shifted_by_it(sheet, timecode: str | None):
    table, notices = sheet(HEADER + "a,1:00:01,1:00:05\n", film(timecode=timecode))
    assert (table["start"].tolist(), table["end"].tolist()) == ([1.0], [5.0])
    assert "1:00:00.000 was subtracted" in notices[0]


def test_a_list_that_counts_from_an_hour_is_shifted_in_a_film_of_two_hours_too(sheet):
    text = HEADER + "a,01:00:00:00,01:30:00:00\nb,01:30:00:00,03:00:00:00\n"
    table, notices = sheet(text, film(7200.0))
    assert (table["start"].tolist(), table["end"].tolist()) == ([0.0, 1800.0], [1800.0, 7200.0])
    assert "1:00:00.000 was subtracted" in notices[0]
    with_seconds = HEADER + "a,1:00:00,1:30:00\nb,1:30:00,3:00:00\n"
    table, notices = sheet(with_seconds, film(3 * 3600.0))  # seconds are film time where they can be
    assert (table["start"].tolist(), notices) == ([3600.0, 5400.0], [])
    with pytest.raises(SheetError, match="beyond the film"):  # seconds are film time: an end is mistyped
        sheet(HEADER + "a,1:00:00,1:30:00\nb,1:30:00,3:00:00\n", film(7200.0))


@pytest.mark.parametrize("timecode", [None, "00:00:00:00", "unknown"])
@pytest.mark.parametrize("duration", [4200.0, 3 * 3600.0, None])
def test_a_list_of_timecodes_with_nothing_in_the_first_hour_is_taken_to_begin_at_one_and_says_so(
    sheet, duration: float | None, timecode: str | None
):
    """A film of seventy minutes, its list an EDL's or a sheet's: both readings lie inside."""
    of = film(duration, timecode=timecode)
    text = HEADER + "rage,01:00:10:00,01:01:10:00\nhome,01:02:10:00,01:03:00:00\n"
    table, notices = sheet(text, of)
    assert (table["start"].tolist(), table["end"].tolist()) == ([10.0, 130.0], [70.0, 180.0])
    assert "1:00:00.000 was subtracted: the list has nothing before" in notices[0]
    assert "--timecode-start 00:00:00:00" in notices[0]
    table, notices = sheet(text, replace(of, timecode="00:00:00:00", timecode_stated=True))
    assert (table["start"].tolist(), notices) == ([3610.0, 3730.0], [])
    table, notices = sheet(HEADER + "a,00:59:00:00,00:59:30:00\nb,01:02:10:00,01:03:00:00\n", of)
    assert (table["start"].tolist(), notices) == ([3540.0, 3730.0], [])


def test_a_second_reel_and_a_film_that_begins_before_the_hour_are_placed_by_what_is_known(sheet):
    text = HEADER + "a,02:10:00:00,02:10:10:00\n"
    table, notices = sheet(text, film(9000.0))
    assert table["start"].tolist() == [600.0]
    assert "2:00:00.000 was subtracted" in notices[0]
    table, notices = sheet(HEADER + "a,01:00:10:00,01:01:10:00\n", film(4200.0, timecode="00:59:50:00"))
    assert table["start"].tolist() == [20.0]
    assert "the film's timecode is 00:59:50:00" in notices[0]


def test_an_hour_of_timecode_is_longer_than_an_hour_at_23_976(sheet):
    table, _ = sheet(HEADER + "a,01:00:00:00,01:00:10:00\n", film(rate=NTSC_FILM))
    assert table["start"].tolist() == pytest.approx([0.0], abs=1e-6)
    assert table["end"].tolist() == pytest.approx([10.01])


def test_a_film_of_unknown_length_holds_any_list(sheet):
    table, notices = sheet(HEADER + "a,4000,5000\n", film(duration=None))
    assert (table["start"].tolist(), notices) == ([4000.0], [])


# Scenes and intentions in two sheets


def test_intentions_alone_give_the_scenes_too(tmp_path: Path):
    (tmp_path / "meant.csv").write_text("scene,start,end,intended\nday,0,10,happy\n")
    lists = read_lists(film(), None, tmp_path / "meant.csv")
    assert lists.scenes is not None
    assert lists.scenes["intended"].tolist() == ["happy"]
    assert lists.intended is None


def test_intentions_are_found_by_the_names_of_the_scenes(tmp_path: Path):
    (tmp_path / "scenes.csv").write_text("scene,start,end\nday,0,12\nnight,12,30\n")
    (tmp_path / "meant.csv").write_text("scene,start,end,intended\nday,0,10,happy\n")
    lists = read_lists(film(), tmp_path / "scenes.csv", tmp_path / "meant.csv")
    assert lists.scenes is not None
    assert lists.intended is not None
    assert lists.scenes["end"].tolist() == [12, 30]
    assert lists.intended["intended"].tolist() == ["happy"]
    (tmp_path / "meant.csv").write_text("scene,start,end,intended\ndays,0,10,happy\n")
    with pytest.raises(SheetError, match="has no such scene; did you mean 'day'"):
        read_lists(film(), tmp_path / "scenes.csv", tmp_path / "meant.csv")


def test_a_sheet_of_intentions_without_any_is_refused(tmp_path: Path):
    (tmp_path / "meant.csv").write_text("scene,start,end,intended\nday,0,10,\n")
    with pytest.raises(SheetError, match="fill in the column intended"):
        read_lists(film(), None, tmp_path / "meant.csv")


# Tables as programs leave them


def test_commas_that_a_spreadsheet_leaves_behind_are_no_columns(tmp_path: Path):
    path = tmp_path / "scenes.csv"
    path.write_text("scene,start,end,,\nrage,0,5,,\njoy,5,9,,\n")
    rows, notices = read_sheet(path, film())
    assert rows["scene"].tolist() == ["rage", "joy"]
    assert notices == []
