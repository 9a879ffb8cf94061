"""Takes of one scene: which is nearest to what was intended, and which cannot be told apart."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pandas as pd
import pytest

from scenefer.analysis.result import Analysis
from scenefer.comparison import takes
from scenefer.comparison.scene_pairs import pair_scenes
from scenefer.comparison.takes import compare_takes
from scenefer.core.tables import check
from tests.builders import scenes_table
from tests.comparisons import FILM, Scene, analysis_of, sheet_of

FACES = {"angry": 0.5, "neutral": 0.5}


def take(number: int, *scenes: Scene, intended: str | None = None) -> Analysis:
    """A take with an id of its own; its only scene is called as the take is, unless something was intended."""
    made = analysis_of(*scenes)
    made = replace(made, film=replace(FILM, id=f"{number:016x}"))
    return made if intended is None else replace(made, sheet=sheet_of(made, intended))


def moving(angry: float) -> Scene:
    """Four shots of four seconds in which as much anger as stated is read, more and less by turns."""
    return [[{"angry": angry + by, "neutral": 1 - angry - by} for by in (0.08, -0.08, 0.06, -0.06)] for _ in range(4)]


def test_the_nearest_take_is_told_from_one_far_away_and_not_from_one_just_as_near():
    found = compare_takes(
        [take(1, moving(0.4), intended="angry"), take(2, moving(0.81)), take(3, moving(0.80)), take(4, [])]
    )
    table = check(found.table, "takes").set_index("run")
    assert table["standing"].tolist() == ["farther", "nearest", "as near", None]
    far, near = table.loc[0], table.loc[2]
    assert far["behind"] == pytest.approx(far["js"] - table.loc[1, "js"])
    assert far["behind_low"] > 0 > near["behind_low"]
    assert (table.loc[3, "evidence"], table.loc[1, "within"]) == ("insufficient", "shots")
    said = takes.summary(found, ["one", "two", "three", "four"])
    unclear = r"none is clearly nearest \(Jensen-Shannon distance two 0\.\d\d, three 0\.\d\d\)"
    assert re.search(f"a: angry intended; {unclear}", said)
    assert said.count("among so many, some are there by chance alone") == 1


def test_a_list_counts_in_place_of_those_of_the_takes():
    runs = [take(1, moving(0.2), intended="angry"), take(2, moving(0.8))]
    listed = sheet_of(runs[0], "neutral")
    assert compare_takes(runs).table["standing"].tolist() == ["farther", "nearest"]
    found = compare_takes(runs, listed)
    assert (found.table["standing"].tolist(), set(found.table["intended"])) == (["nearest", "farther"], {"neutral"})
    other = pd.concat([listed, listed.assign(scene="z", start=500.0, end=510.0)])
    assert "the list's scene z is in no take" in compare_takes(runs, other).notices


def test_takes_whose_lists_differ_are_held_against_the_first_list_that_says_something():
    runs = [take(1, moving(0.5)), take(2, moving(0.5), intended="angry"), take(3, moving(0.5), intended="sad")]
    found = compare_takes(runs)
    assert set(found.table["intended"]) == {"angry"}
    assert [notice for notice in found.notices if "differ in what was intended" in notice]


def test_only_a_take_with_enough_faces_has_no_other_to_be_nearer_than():
    found = compare_takes([take(1, moving(0.4), intended="angry"), take(2, [])])
    assert found.table["standing"].tolist() == ["alone", None]
    assert "too few faces to say which is nearest; only one shows enough" in takes.summary(found, ["one", "two"])


def test_the_same_faces_are_as_near_as_themselves():
    run = take(1, moving(0.4), intended="angry")
    found = compare_takes([run, run]).table
    assert found["standing"].tolist() == ["nearest", "as near"]
    assert found.loc[1, ["behind", "behind_low", "behind_high"]].tolist() == [0, 0, 0]


def test_two_runs_are_json_rows_as_they_always_were_and_more_are_an_object():
    compared = compare_takes([take(1, moving(0.4), intended="sad"), take(2, moving(0.5))])
    assert {row["emotion"] for row in json.loads(takes.as_json(compared, rows=True))} >= {"angry", "neutral"}
    whole = json.loads(takes.as_json(compared, rows=False))
    assert (len(whole["differences"]), [row["run"] for row in whole["takes"]]) == (1, [0, 1])


def test_scenes_are_paired_by_name_then_by_time_and_each_once():
    here = scenes_table(name=["a", "b", "c", "d"], start=[0.0, 10.0, 20.0, 30.0])
    there = scenes_table(name=["b", "x", "y", "z"], start=[0.0, 11.0, 21.0, 36.0], end=[11.0, 21.0, 36.0, 50.0])
    pairs = pair_scenes(here, there)
    assert {scene: (pair.other, pair.by_time) for scene, pair in pairs.items()} == {1: (0, False), 2: (2, True)}


def test_a_scene_alone_in_each_run_is_the_same_whatever_it_is_called():
    pairs = pair_scenes(scenes_table(name=["1"], start=[0.0]), scenes_table(name=["take 7"], start=[90.0]))
    assert pairs[0].by_time


def test_verdicts_that_count_otherwise_than_the_comparison_are_said():
    one = take(1, moving(0.4), intended="angry")
    assert takes.AS_READ not in compare_takes([one, take(2, moving(0.8))]).notices
    for chosen in ({"view": "equal_track"}, {"estimate": "validated"}):
        otherwise = replace(one, run={**one.run, "settings": {"comparison": chosen}})
        assert takes.AS_READ in compare_takes([take(2, moving(0.8), intended="angry"), otherwise]).notices
