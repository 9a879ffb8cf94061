"""A report is written in one language from its first word to its last."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Sequence
from datetime import date
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po

import scenefer
from scenefer.analysis import cast
from scenefer.comparison import wording
from scenefer.core import language
from scenefer.core.errors import PlanError
from scenefer.core.film import Film
from scenefer.core.language import ENGLISH, LANGUAGES, Language
from scenefer.core.schema import EMOTIONS
from scenefer.interchange.scene_lists import read_sheet
from scenefer.models import Detections
from scenefer.pipeline.film_analysis import NO_CROPS
from scenefer.report import formatting, render, warnings
from scenefer.video import ReaderNotes
from tests.reports import Page, analysed, compared

PACKAGE = Path(scenefer.__file__).parent
INDONESIAN = Language("id")
PAGES = tuple(sorted(path.name for path in (PACKAGE / "report").glob("*.j2")))
SPOKEN = {"say": None, "marked": None, "_": None, "many": (1, 2)}


def sentences() -> Iterator[tuple[str, ...]]:
    """Every sentence of the code and of the page: one form, or the forms for one and for more."""
    for path in (*PACKAGE.rglob("*.py"), *(PACKAGE / "report" / name for name in PAGES)):
        method = "python" if path.suffix == ".py" else "jinja2.ext:babel_extract"
        with path.open("rb") as source:
            for _, message, _, _ in extract(method, source, keywords=SPOKEN):
                yield message if isinstance(message, tuple) else (message,)


def catalogue(code: str) -> Catalog:
    return read_po(BytesIO((PACKAGE / "languages" / f"{code}.po").read_bytes()), locale=code)


def places(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


def marks(sentence: str) -> list[str]:
    return sorted(re.findall(r"<[^<>]+>", sentence))


@pytest.mark.parametrize("code", [code for code in LANGUAGES if code != "en"])
def test_every_sentence_is_translated_and_none_that_is_no_longer_said(code: str):
    said = set(sentences())
    known = {
        message.id if isinstance(message.id, tuple) else (message.id,) for message in catalogue(code) if message.id
    }
    assert len(said) > 200
    assert said - known == set(), "not in the catalogue"
    assert known - said == set(), "in the catalogue, and said nowhere"


@pytest.mark.parametrize("code", [code for code in LANGUAGES if code != "en"])
def test_translations_have_the_places_and_marks_of_their_sentence(code: str):
    for message in catalogue(code):
        if not message.id:
            continue
        source = message.id if isinstance(message.id, tuple) else (message.id,)
        forms = message.string if isinstance(message.string, tuple) else (message.string,)
        assert not message.fuzzy, source
        for form in forms:
            assert form.strip(), f"{source[-1]!r} is not translated"
            assert places(form) == places(source[-1]), source[-1]
            assert marks(form) == marks(source[-1]), source[-1]


def test_numbers_dates_and_plurals_are_written_as_the_language_does():
    assert [ENGLISH.number(1234.5, 1), INDONESIAN.number(1234.5, 1)] == ["1,234.5", "1.234,5"]
    assert [formatting.percent(61.4), formatting.percent(61.4, INDONESIAN)] == ["61\N{NO-BREAK SPACE}%", "61%"]
    assert [formatting.shots(n) for n in (1, 2, 1200)] == ["1 shot", "2 shots", "1,200 shots"]
    assert [formatting.shots(n, INDONESIAN) for n in (1, 2, 1200)] == ["1 shot", "2 shot", "1.200 shot"]
    assert INDONESIAN.date(date(2026, 8, 17)) == "17 Agustus 2026"
    assert formatting.moment(66.26, True, INDONESIAN) == "1:06,3"
    assert formatting.length(8.44, INDONESIAN) == "8,4 dtk"


def test_the_seven_have_the_words_that_sheets_understand():
    said = [INDONESIAN.emotion(emotion) for emotion in EMOTIONS]
    assert said == ["marah", "jijik", "takut", "senang", "sedih", "terkejut", "netral"]


def test_a_value_is_never_read_as_a_sentence():
    assert INDONESIAN.say("Scene {name}", name="{n} {0.__class__}") == "Adegan {n} {0.__class__}"


def test_an_unknown_language_is_named_with_those_there_are():
    with pytest.raises(PlanError, match="unknown language 'xx'; known: en, id"):
        Language("xx")


def test_what_a_run_has_kept_in_english_is_said_again():
    notes = ReaderNotes(
        n_damaged=2, damaged=[(1.0, "bad {data}")], ended=(2.0, 3.0), n_interpolated=4, n_backward=5,
        first_backward=6.0, n_resized=7, n_too_small=3, first_too_small=2.0, reshaped=1.0, n_deinterlaced=8, hdr="PQ",
    )  # fmt: skip
    for warning in (*notes.warnings(), *ReaderNotes(n_damaged=1, damaged=[(1.0, "bad")]).warnings()):
        said = INDONESIAN.retell(warning, warnings.SHAPES)
        assert said != warning, "of no known shape"
        assert ENGLISH.retell(warning, warnings.SHAPES) == warning
    assert INDONESIAN.retell(notes.warnings()[0], warnings.SHAPES) == (
        "rusak: 2 tempat tidak terbaca, yang pertama pada 0:00:01.000 (bad {data})"
    )
    assert INDONESIAN.retell("something new", warnings.SHAPES) == "something new"


class NobodyFound:
    """A detector that finds no face."""

    def detect(self, pictures: Sequence[np.ndarray]) -> list[Detections]:
        return [Detections(np.empty((0, 4)), np.empty((0, 5, 2)), np.empty(0))] * len(pictures)


def test_what_is_known_of_people_is_said_again(tmp_path: Path):
    (tmp_path / "notes.jpg").write_text("no picture", encoding="utf-8")
    cv2.imwrite(str(tmp_path / "wall.png"), np.full((64, 64, 3), 128, np.uint8))
    _, notices = cast._vectors(tmp_path, NobodyFound(), None)  # type: ignore[arg-type]
    assert [INDONESIAN.retell(notice, warnings.SHAPES) for notice in (NO_CROPS, *notices)] == [
        "gambar wajah dimatikan (--no-crops): orang tidak dibedakan, karena untuk itu gambar diperlukan",
        f"pemeran: {tmp_path}/notes.jpg bukan gambar dan tidak dipakai",
        f"pemeran: tidak ada wajah yang ditemukan dalam {tmp_path}/wall.png",
    ]


def test_what_is_known_of_a_sheet_is_said_again(tmp_path: Path):
    film = Film(Path("film.mov"), "0" * 16, 640, 360, 20.0, Fraction(25), timecode="01:00:00:00")
    sheet = tmp_path / "list.csv"
    sheet.write_text("scene,start,end,camera\na,01:00:00:00,01:00:20:10,B\n", encoding="utf-8")
    _, notices = read_sheet(sheet, film)
    assert [INDONESIAN.retell(notice, warnings.SHAPES) for notice in notices] == [
        "list.csv: kolom disimpan tetapi tidak dipahami: camera",
        "list.csv: 1:00:00.000 dikurangkan: timecode film adalah 01:00:00:00",
        "list.csv: akhir baris 2 (a), 0:00:20.400, dipotong sampai akhir film, 0:00:20.000",
    ]


def echoing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the catalogue of Indonesian answer every sentence in marks, so that what is not said through it shows."""

    class Echo:
        def gettext(self, message: str) -> str:
            return f"⟦{message}⟧"

        def ngettext(self, one: str, more: str, n: int) -> str:
            return f"⟦{one if n == 1 else more}⟧"

    monkeypatch.setattr(language, "_catalogue", lambda code: Echo())


@pytest.mark.parametrize("intended", [True, False])
def test_no_word_of_the_page_is_written_past_the_catalogue(monkeypatch: pytest.MonkeyPatch, intended: bool):
    echoing(monkeypatch)
    whole, found = compared(rage="angry", joy="happy:0.6;sad:0.4", empty="fear") if intended else (analysed(), None)
    whole.scenes["source"] = "guessed"
    page = Page(render(whole, found, INDONESIAN))
    tables = page.text.index("⟦weights⟧"), page.text.rindex("⟦What is detected")  # their names stay English
    text, depth = "", 0
    for character in page.text[: tables[0]] + page.text[tables[1] :]:
        depth += (character == "⟦") - (character == "⟧")
        text += character if depth == 0 and character != "⟧" else " "
    left = set(re.findall(r"[A-Za-z]{3,}", text)) - {"scenefer", "film", "Maret", "min", "rage", "joy", "empty"}
    assert left == set()
    for attribute in ("alt", "aria-label", "title"):
        for said in page.attributes(attribute):
            assert not said or "⟦" in said or said in ("rage", "joy", "empty"), (attribute, said)


def test_the_report_is_in_the_language_that_is_asked_for():
    whole, found = compared(rage="angry", joy="sad", empty="fear")
    html = render(whole, found, INDONESIAN)
    page = Page(html)
    assert '<html lang="id">' in html
    assert "Yang perlu dilihat" in page.text
    assert "Dari 2 adegan yang dinilai: 1 sesuai maksud dan 1 perlu dilihat." in page.text
    assert wording.finding({"intended": None, "why": "nothing intended", "rank": None}, INDONESIAN) == (
        "tidak ada yang dimaksudkan"
    )
    for english in ("intended", "Faces", "scene by scene", "usable", "interval"):
        assert english not in page.text
