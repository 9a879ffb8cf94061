"""The file of corrections: what a person may write in it, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from scenefer.analysis.edits import Boundary, Exclusion, Merge, Rename, Split
from scenefer.core.errors import SheetError
from scenefer.interchange.edits_file import read_edits
from tests.edits import BOUNDARY, EVERY, EXCLUDE, RENAME, SPLIT, content, told_apart, write_edits


def test_every_kind_is_read_in_order_and_what_it_says_is_not(tmp_path: Path):
    path = write_edits(tmp_path / "my edits.json", told_apart(), *({**entry, "says": "…"} for entry in EVERY))
    edits = read_edits(path)
    assert edits.edits == (
        Rename(2, "Anna"),
        Merge(4, 2),
        Split(0, 5),
        Boundary("joy", "start", 12.5),
        Exclusion(2.0, 4.0),
    )
    assert (edits.film, edits.source) == ("0123456789abcdef", "my edits.json")
    assert edits.content == path.read_bytes()


def test_a_byte_order_mark_and_spaces_around_a_name_do_not_matter(tmp_path: Path):
    path = tmp_path / "edits.json"
    path.write_text(content(told_apart(), {**RENAME, "name": "  Zoe\u0308 "}), encoding="utf-8-sig")
    assert read_edits(path).edits == (Rename(2, "Zo\u00eb"),)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("face,judgement\n", "is no JSON .*; give the file that the report saved"),
        ("[" * 100_000, "is no JSON"),
        ("[]", "holds no edits of a report"),
        ('{"format": "other"}', "holds no edits of a report"),
        (
            content(told_apart(), RENAME, version=2),
            "its edits are of version 2, this scenefer reads 1; update scenefer",
        ),
        ('{"format": "scenefer edits", "version": 1, "edits": []}', "lacks film, analysis"),
        (content(told_apart()), "there is no edit in it; --no-edits takes the edits of a run off"),
        (content(told_apart(), "rename"), "edit 1: an edit is written"),
        (content(told_apart(), RENAME, {"edit": "renam"}), "edit 2: unknown edit 'renam'; did you mean 'rename'"),
        (content(told_apart(), {"edit": "rename", "person": 2}), r"edit 1 \(rename\): it lacks name"),
        (content(told_apart(), {**RENAME, "nme": "x"}), "unknown key 'nme'; did you mean 'name'"),
        (content(told_apart(), {**RENAME, "person": 0}), "person must be a person's number, from 1, not 0"),
        (content(told_apart(), {**RENAME, "person": True}), "person must be a number as the report shows it, not true"),
        (content(told_apart(), {**RENAME, "person": 10**30}), "person must be a number"),
        (content(told_apart(), {**RENAME, "name": "a\nb"}), "name must be one line of at most 100 characters"),
        (content(told_apart(), {**RENAME, "name": "\ud800"}), "name must be one line"),
        (content(told_apart(), {**RENAME, "name": "x" * 101}), "name must be one line of at most 100 characters"),
        (content(told_apart(), {**SPLIT, "track": "7"}), 'track must be a number as the report shows it, not "7"'),
        (content(told_apart(), {**BOUNDARY, "edge": "begin"}), 'edge must be start or end, not "begin"'),
        (content(told_apart(), {**BOUNDARY, "scene": 3}), "scene must be text, not 3"),
        (content(told_apart(), {**BOUNDARY, "time": float("nan")}), "time must be seconds of film time, not NaN"),
        (content(told_apart(), {**BOUNDARY, "time": 10**400}), "time must be seconds of film time"),
        (content(told_apart(), {**BOUNDARY, "time": 1e308}), "time must be seconds of film time"),
        (content(told_apart(), {**EXCLUDE, "end": None}), "end must be seconds of film time, not null"),
    ],
)
def test_what_is_not_written_as_it_should_be_is_refused_in_one_line(tmp_path: Path, text: str, complaint: str):
    path = tmp_path / "edits.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SheetError, match=complaint) as refused:
        read_edits(path)
    assert "\n" not in str(refused.value)
    assert "edits.json" in str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(SheetError, match=r"nothing.json cannot be read: No such file"):
        read_edits(tmp_path / "nothing.json")


def test_the_example_in_the_documents_is_such_a_file(tmp_path: Path):
    text = (Path(__file__).parents[2] / "docs" / "report.md").read_text(encoding="utf-8")
    example: Any = text[text.index('{"format"') : text.index("]}", text.index('{"format"')) + 2]
    path = tmp_path / "edits.json"
    path.write_text(example, encoding="utf-8")
    assert {type(edit) for edit in read_edits(path).edits} == {Rename, Merge, Split, Boundary, Exclusion}
    assert json.loads(example)["version"] == 1
