"""What is drawn on a terminal."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console

from scenefer.cli import scene_table, terminal
from scenefer.comparison.agreement import worst_verdicts
from scenefer.interchange.scene_records import summary
from scenefer.pipeline import film_analysis
from tests.reports import analysed, intending, part_of


def drawn(table: terminal.Table, width: int = 140) -> list[str]:
    """The lines of a table on a terminal, without what is blank."""
    terminal = Console(file=io.StringIO(), width=width)
    terminal.print(table)
    return [line.rstrip() for line in terminal.file.getvalue().splitlines() if line.strip()]  # type: ignore[attr-defined]


def test_what_was_intended_stands_beside_what_is_detected():
    sheet = intending(rage="marah", joy="happy:0.6;neutral:0.4", empty=None)
    lines = drawn(scene_table.scenes_table(analysed(sheet=sheet)))
    assert "intended" in lines[1]
    assert lines[1].index("intended") < lines[1].index("detected")
    assert "angry" in lines[3][: lines[3].index("·")]
    assert "happy 60 · neutral 40" in lines[4]
    assert lines[5].split()[-3:] == ["too", "few", "faces"]


def test_intentions_for_several_people_stand_below_each_other():
    sheet = pd.concat([intending(rage="angry"), intending(rage="sad")]).assign(character=["Ana", "Budi"])
    lines = drawn(scene_table.scenes_table(analysed(sheet=sheet)))
    assert "Ana: angry" in lines[3]
    assert lines[4].strip() == "Budi: sad"


def test_without_intentions_there_is_no_column_for_them():
    for sheet in (None, intending(rage=None, joy="", empty=None)):
        assert "intended" not in "\n".join(drawn(scene_table.scenes_table(analysed(sheet=sheet))))


@pytest.mark.parametrize("width", [60, 72, 80, 100, 110, 140])
@pytest.mark.parametrize("long", [False, True])
def test_what_is_detected_is_readable_on_a_narrow_terminal(width: int, long: bool):
    made = analysed(sheet=intending(rage="marah", joy="happy:0.6;neutral:0.4", empty=None))
    if long:
        named = made.scenes.assign(name=[f"{name}: the long quarrel about the house" for name in made.scenes["name"]])
        made = replace(made, scenes=named, sheet=None)
    lines = drawn(scene_table.scenes_table(made, {0: "match", 1: "partial"}, width=width), width)
    assert max(map(len, lines)) <= width
    assert "angry 61 · disgust 7" in lines[3]
    assert "happy 51 · angry 8" in lines[4 if long else next(k for k, line in enumerate(lines) if "joy" in line)]
    assert "✓" in lines[3]
    assert any("too few faces" in line for line in lines)


@pytest.mark.parametrize("width", [60, 72, 80, 100, 110, 140])
def test_nothing_of_what_is_detected_is_cut_off_beside_long_names_and_intentions(width: int):
    names = ("the quarrel about the house", "the long way home", "nobody")
    made = analysed(names, sheet=intending(**{name: "happy:0.6;neutral:0.4" for name in names}))
    shares = made.scene_emotions
    made = replace(made, scene_emotions=shares.assign(evidence=shares["evidence"].replace("enough", "one take")))
    lines = drawn(scene_table.scenes_table(made, {0: "match", 1: "partial"}, width=width), width)
    assert max(map(len, lines)) <= width
    said = "".join(lines)
    assert said.count("(one") == said.count("take)") == 2
    assert re.search(r"happy\s+51", said)


def test_a_verdict_has_a_mark_that_the_terminal_can_show():
    made = analysed(sheet=intending(rage="marah", joy="happy:0.6;neutral:0.4", empty=None))
    verdicts = {0: "match", 1: "mismatch"}
    for encoding, marks in (("utf-8", "✓✗"), ("cp1252", "=x")):
        lines = drawn(scene_table.scenes_table(made, verdicts, encoding=encoding))
        assert [mark in line for mark, line in zip(marks, lines[3:5], strict=True)] == [True, True]


def test_the_worst_verdict_of_a_scene_is_its_mark():
    judged = pd.DataFrame({"scene": [0, 0, 1, 1, 2], "verdict": ["partial", "match", "match", "mismatch", None]})
    assert worst_verdicts(judged) == {0: "partial", 1: "mismatch"}


def test_below_the_table_it_is_said_how_many_scenes_are_as_intended(tmp_path: Path):
    made = analysed(sheet=intending(rage="marah", joy="happy:0.6;neutral:0.4", empty=None))
    film_analysis.write(made, tmp_path / "film")
    drawn_on = Console(file=io.StringIO(), width=60)
    scene_table.print_scenes(drawn_on, made, tmp_path / "film")
    assert "1 of 2 scenes as intended, 1 in doubt" in drawn_on.file.getvalue()  # type: ignore[attr-defined]


@pytest.mark.parametrize("width", [30, 40, 60, 80, 100, 110, 140])
def test_progress_is_one_line_however_narrow_the_terminal(width: int):
    drawn_on = Console(file=io.StringIO(), width=width, force_terminal=True)
    with terminal.progress_of(drawn_on) as bar:
        task = bar.add_task("reading " + "a name like those of archives " * 5, total=5400.0)
        bar.update(task, completed=1234.0, speed=12.3)
        shown = Console(file=io.StringIO(), width=width)
        shown.print(bar.get_renderable())
    (line,) = shown.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert len(line.rstrip()) <= width
    assert ("0:05:38 left" in line) == (width >= 40)


def test_the_duration_for_a_machine_is_of_what_was_read():
    assert summary(part_of(analysed(), 60.0))["duration"] == 30.0


def test_stills_have_no_times():
    made = analysed()
    assert [word for word in drawn(scene_table.scenes_table(made))[1].split() if word in ("from", "to")] == [
        "from",
        "to",
    ]
    still = replace(made, film=replace(made.film, kind="stills"))
    lines = drawn(scene_table.scenes_table(still))
    assert lines[1].split()[:3] == ["scene", "faces", "detected,"]
    assert "0:00" not in "\n".join(lines)
