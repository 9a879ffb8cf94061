"""What is drawn on a terminal."""

from __future__ import annotations

import io
from dataclasses import replace

import pandas as pd
from rich.console import Console

from scenefer import console
from tests.test_report import analysed, intending, part_of


def drawn(table: console.Table) -> list[str]:
    """The lines of a table on a wide terminal, without what is blank."""
    terminal = Console(file=io.StringIO(), width=140)
    terminal.print(table)
    return [line.rstrip() for line in terminal.file.getvalue().splitlines() if line.strip()]  # type: ignore[attr-defined]


def test_what_was_intended_stands_beside_what_is_detected():
    sheet = intending(rage="marah", joy="happy:0.6;neutral:0.4", empty=None)
    lines = drawn(console.scenes_table(analysed(sheet=sheet)))
    assert "intended" in lines[1]
    assert lines[1].index("intended") < lines[1].index("detected")
    assert "angry" in lines[3][: lines[3].index("·")]
    assert "happy 60 · neutral 40" in lines[4]
    assert lines[5].split()[-3:] == ["too", "little", "evidence"]


def test_intentions_for_several_people_stand_below_each_other():
    sheet = pd.concat([intending(rage="angry"), intending(rage="sad")]).assign(character=["Ana", "Budi"])
    lines = drawn(console.scenes_table(analysed(sheet=sheet)))
    assert "Ana: angry" in lines[3]
    assert lines[4].strip() == "Budi: sad"


def test_without_intentions_there_is_no_column_for_them():
    for sheet in (None, intending(rage=None, joy="", empty=None)):
        assert "intended" not in "\n".join(drawn(console.scenes_table(analysed(sheet=sheet))))


def test_the_duration_for_a_machine_is_of_what_was_read():
    assert console.summary(part_of(analysed(), 60.0))["duration"] == 30.0


def test_stills_have_no_times():
    made = analysed()
    assert [word for word in drawn(console.scenes_table(made))[1].split() if word in ("from", "to")] == ["from", "to"]
    still = replace(made, film=replace(made.film, kind="stills"))
    lines = drawn(console.scenes_table(still))
    assert lines[1].split()[:3] == ["scene", "faces", "detected,"]
    assert "0:00" not in "\n".join(lines)
