"""Words in which directors say what a scene is meant to show stand for shares of the seven, which is said."""

from __future__ import annotations

import tomllib
from fractions import Fraction
from pathlib import Path

import pytest

from scenefer.comparison.intentions import SYNONYMS, Vocabulary, check_words, parse_intention, read_words, shipped_words
from scenefer.core.errors import PlanError, SheetError
from scenefer.core.film import Film
from scenefer.interchange.scene_lists import read_lists, read_sheet
from scenefer.pipeline.plans import make_plan


def film() -> Film:
    return Film(Path("film.mp4"), "0" * 16, 1280, 720, 60.0, Fraction(25))


def test_every_word_that_ships_stands_for_an_intention_and_is_no_label():
    for word, meaning in shipped_words().items():
        assert parse_intention(meaning), word
        assert word == word.casefold()
        assert word not in SYNONYMS


@pytest.mark.parametrize("word", ["tense", "Tender", "RELIEVED", "joyful", "nervous", "tegang", "gugup", "nervös"])
def test_a_sheet_may_say_what_is_meant_in_the_words_of_a_director(word: str, tmp_path: Path):
    path = tmp_path / "sheet.csv"
    path.write_text(f"scene,start,end,intended\na,0,5,{word}\nb,5,9,sad\n", encoding="utf-8")
    table, notices = read_sheet(path, film())
    meaning = Vocabulary().words[word.casefold()]
    assert table["intended"].tolist() == [meaning, "sad"]
    said = (
        [] if word == "joyful" else [f"sheet.csv: words of directors, which --words FILE replaces: {word} = {meaning}"]
    )
    assert notices == said


def test_a_word_may_have_a_share_in_a_mixture():
    assert Vocabulary({"tense": "fear:0.5;angry:0.5"}).parse("tense:0.5;happy:0.5") == "happy:0.5;fear:0.25;angry:0.25"


def test_words_of_the_user_count_before_those_that_ship_and_may_take_one_out(tmp_path: Path):
    file = tmp_path / "words.toml"
    file.write_text('[words]\ntense = "angry"\n"on edge" = "fear"\ntender = ""\njoy = ""\nhappy = "sad"\n')
    vocabulary = Vocabulary(read_words(file))
    assert [vocabulary.parse(word) for word in ("tense", "On Edge", "happy")] == ["angry", "fear", "happy"]
    for word in ("tender", "joy"):
        with pytest.raises(ValueError, match=f'"{word}": '):
            vocabulary.parse(word)
    file.write_text('tense = "angry"\n')
    assert read_words(file) == {"tense": "angry"}


def test_what_is_printed_is_what_is_read(tmp_path: Path):
    file = tmp_path / "words.toml"
    file.write_text(Vocabulary({"on edge": "fear", 'so "so"': "neutral"}).as_toml(), encoding="utf-8")
    assert read_words(file) == {**shipped_words(), "on edge": "fear", 'so "so"': "neutral"}
    assert tomllib.loads(file.read_text(encoding="utf-8"))["words"]["tense"] == shipped_words()["tense"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("tense = 'thrilled'", "tense = 'thrilled' is no intention"),
        ("tense = 3", "tense = 3 is no intention"),
        ("tense", "cannot be read as TOML"),
        ("words = 3", "words must be lines"),
    ],
)
def test_a_file_of_words_that_means_nothing_is_refused_in_one_line(text: str, why: str, tmp_path: Path):
    (tmp_path / "words.toml").write_text(text)
    with pytest.raises(PlanError, match=why) as error:
        read_words(tmp_path / "words.toml")
    assert "words.toml" in str(error.value)
    assert "\n" not in str(error.value)


def test_a_plan_may_hold_words_and_a_file_of_words_counts_before_it(tmp_path: Path):
    (tmp_path / "plan.toml").write_text('[words]\nTense = "angry"\neerie = "fear"\n')
    (tmp_path / "words.toml").write_text('tense = "sad"\n')
    plan = make_plan(file=tmp_path / "plan.toml", words=tmp_path / "words.toml")
    assert plan.words == {"tense": "sad", "eerie": "fear"}
    (tmp_path / "sheet.csv").write_text("scene,start,end,intended\na,0,5,eerie\nb,5,9,tense\n")
    lists = read_lists(film(), None, tmp_path / "sheet.csv", words=plan.words)
    assert lists.scenes is not None
    assert lists.scenes["intended"].tolist() == ["fear", "sad"]
    (tmp_path / "plan.toml").write_text('[words]\ntense = "x"\n')
    with pytest.raises(PlanError, match=r"plan\.toml, \[words\]: tense = 'x' is no intention"):
        make_plan(file=tmp_path / "plan.toml")
    assert check_words({"A": "sad"}, "x") == {"a": "sad"}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("tence", "did you mean 'tense'"),
        ("xyzzy", "the labels are angry, disgust.*scenefer words.*--words FILE"),
        ("happy/sad", 'write a mixture with its shares, like "happy:0.5;sad:0.5"'),
        ("nervous and tender", 'like "nervous:0.5;tender:0.5"'),
    ],
)
def test_a_word_that_is_none_says_what_to_do(text: str, why: str, tmp_path: Path):
    (tmp_path / "sheet.csv").write_text(f"scene,start,end,intended\na,0,5,{text}\n")
    with pytest.raises(SheetError, match=f"sheet.csv, row 2, column intended, .*{why}"):
        read_sheet(tmp_path / "sheet.csv", film())


@pytest.mark.parametrize("name", ["emotion", "Emotion", "Emosi", "Stimmung"])
def test_a_column_of_emotions_is_read_as_intended_and_said(name: str, tmp_path: Path):
    (tmp_path / "sheet.csv").write_text(f"scene,start,end,{name}\na,0,5,happy\nb,5,9,\n")
    table, notices = read_sheet(tmp_path / "sheet.csv", film())
    assert table["intended"].tolist() == ["happy", None]
    assert any(f"column {name} is read as intended" in notice for notice in notices)


def test_a_column_of_emotions_that_says_something_else_is_kept(tmp_path: Path):
    (tmp_path / "sheet.csv").write_text("scene,start,end,emotion\na,0,5,happy\nb,5,9,4 of 7\n")
    table, notices = read_sheet(tmp_path / "sheet.csv", film())
    assert table["intended"].tolist() == [None, None]
    assert table["emotion"].tolist() == ["happy", "4 of 7"]
    assert "column emotion is not read as intended, since row 3 has '4 of 7'" in notices[0]
    (tmp_path / "sheet.csv").write_text("scene,start,end,intended,emotion\na,0,5,sad,happy\n")
    table, _ = read_sheet(tmp_path / "sheet.csv", film())
    assert (table["intended"].tolist(), table["emotion"].tolist()) == (["sad"], ["happy"])
