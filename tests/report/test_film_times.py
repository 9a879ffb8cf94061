"""The page reads and writes times as the program does: plain, with units, and the film's timecode."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from scenefer.core.film import Film
from scenefer.core.timecode import exact_rate, first_frame, has_timecode, seconds_of, timecode_of
from scenefer.report.film_times import film_times
from scenefer.report.html import part

FILM = Film(Path("film.mp4"), "0123456789abcdef", 1280, 720, 60.0, Fraction(25))
TEXTS = (
    *("93.5", "93,5", "+5", ".5", "5.", "1:33.5", "1:02:03,25", "0:01:33.500", "99:59", "0h00m52.000s", "1h02m03.5s"),
    *("1H 2M 3S", "2m", "90s", "90m", "1h", "00:00:52:00", "00:01:00:02", "10:00:00:24", "123:00:00:00", "00:10:00:00"),
    *("", " ", "soon", "-1", "1:75", "1:60:00", "1h60m", "1m60s", "130:00", "1:2:3:4:5", "00:00:60:00", "00:61:00:00"),
    *("00:00:00:75", "1e3", "0x10", "1" * 33, "h", "s", "12 s", "1::2", "00:00:52;00", "00:01:00;00", "00:01:00;02"),
)
FILMS = [
    (Fraction(24), "00:00:00:00"),
    (Fraction(25), "01:00:00:00"),
    (Fraction(24000, 1001), "01:00:00:00"),
    (Fraction(30000, 1001), "00:59:58;12"),
    (Fraction(60000, 1001), "00:08:57;00"),
    (Fraction(120), "00:00:10:007"),
]


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    made = browser.new_page()
    made.add_script_tag(content=part("film_times.js"))
    yield made
    made.close()


@pytest.mark.parametrize("rate", [Fraction(25), Fraction(24000, 1001), Fraction(30000, 1001), Fraction(120)])
def test_a_text_is_the_time_that_the_program_reads(page: Any, rate: Fraction):
    def expected(text: str) -> float | None:
        try:
            return round(seconds_of(text, rate), 3)
        except ValueError:
            return None

    given = film_times(replace(FILM, frame_rate=rate))
    read = "([film, texts]) => texts.map((text) => filmTimes(film).read(text).time ?? null)"
    found = page.evaluate(read, [given, TEXTS])
    wanted = [expected(text) for text in TEXTS]
    for text, own, time in zip(TEXTS, found, wanted, strict=True):
        assert own == (None if time is None else pytest.approx(time, abs=1.1e-3)), text


@pytest.mark.parametrize(("rate", "start"), FILMS)
def test_the_timecode_of_every_frame_is_written_and_read_back(page: Any, rate: Fraction, start: str):
    film = replace(FILM, frame_rate=rate, timecode=start)
    assert film_times(film)["start"] == start
    frames = [*range(200), *range(1700, 1900), *range(17_900, 18_100), *range(107_000, 109_000, 7)]
    written, read = page.evaluate(
        "([film, frames]) => { const times = filmTimes(film), codes = frames.map(times.timecodeOf);"
        " return [codes, codes.map((code) => times.read(code).time)]; }",
        [film_times(film), frames],
    )
    drop = ";" in start
    assert written == [timecode_of(first_frame(film) + frame, rate, drop=drop) for frame in frames]
    assert read == [pytest.approx(frame / float(exact_rate(rate)), abs=6e-4) for frame in frames]
    colons = [code.replace(";", ":") for code in written]
    assert read == page.evaluate(
        "([film, codes]) => codes.map((code) => filmTimes(film).read(code).time)", [film_times(film), colons]
    ), "of a film that counts drop-frame, colons do as well"


def test_what_is_wrong_with_a_timecode_is_told(page: Any):
    given = film_times(replace(FILM, timecode="01:00:00:00"))
    read = "([film, text]) => filmTimes(film).read(text)"
    assert page.evaluate(read, [given, "00:59:59:24"]) == {"no": "early"}
    assert page.evaluate(read, [given, "01:00:00:25"]) == {"no": "number"}
    assert page.evaluate(read, [given, "01:00:00;00"]) == {"no": "number"}
    assert page.evaluate(read, [given, "noon"]) == {"no": "time"}


def test_a_timecode_that_does_not_exist_at_the_rate_is_none():
    assert has_timecode(replace(FILM, timecode="01:00:00:00"))
    for code in (None, "", "01:00:00;00", "01:00:00:29", "start"):
        assert not has_timecode(replace(FILM, timecode=code))
        assert film_times(replace(FILM, timecode=code))["start"] == "00:00:00:00"
