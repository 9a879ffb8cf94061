"""Corrections by hand: what they do to people, scenes and shares, and which do not fit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scenefer.analysis import edited, result
from scenefer.analysis.result import EDITED, Analysis
from scenefer.core.errors import SheetError
from scenefer.core.schema import EMOTIONS
from scenefer.pipeline import plans
from tests.edits import BOUNDARY, EVERY, EXCLUDE, MERGE, RENAME, SPLIT, edits_of, told_apart

HAPPY, FIRST, SECOND = 3, "rage", "joy"


@pytest.fixture
def correct(tmp_path: Path) -> Any:
    def correct_(*entries: dict[str, Any], whole: Analysis | None = None) -> Analysis:
        whole = whole or told_apart()
        return edited.apply(whole, edits_of(tmp_path, whole, *entries), plans.from_record(whole.run["settings"]))

    return correct_


def shares(whole: Analysis, scene: int, view: str = "screen_time") -> list[float]:
    rows = whole.scene_emotions.loc[(whole.scene_emotions["scene"] == scene) & (whole.scene_emotions["view"] == view)]
    return rows.set_index("emotion").loc[list(EMOTIONS), "percent"].tolist()


def mean(whole: Analysis, begin: float, end: float, *without: tuple[float, float]) -> list[float]:
    """The shares of the faces from ``begin`` to ``end``, by their seconds, in percent."""
    time = whole.expressions["time"].to_numpy()
    inside = (time >= begin - 1e-6) & (time < end - 1e-6)
    for start, stop in without:
        inside &= ~((time >= start - 1e-6) & (time < stop - 1e-6))
    faces = whole.expressions.loc[inside]
    return (100 * np.average(faces[list(EMOTIONS)], axis=0, weights=faces["weight"])).tolist()


def people(whole: Analysis) -> list[int]:
    return [actor + 1 for actor in whole.tracks["actor"].tolist()]


def test_a_person_who_is_named_has_shares_of_their_own(correct: Any):
    found = correct(RENAME)
    assert found.tracks["actor_name"].tolist() == [None, "Anna", None, "Anna", None, None, None, None]
    assert shares(found, 0, "character:Anna") == pytest.approx(mean(found, 0, 10, (0, 2.5), (5, 7.5)), abs=0.01)
    gone = correct(RENAME, {**RENAME, "name": ""})
    assert gone.tracks["actor_name"].isna().all()


def test_two_people_who_are_merged_count_as_one(correct: Any):
    found = correct(RENAME, {"edit": "merge", "person": 2, "into": 1})
    assert people(found) == [1, 1, 1, 1, 3, 4, 3, 4]
    assert found.tracks["actor_name"].tolist()[:4] == ["Anna"] * 4
    assert found.tracks["actor_confidence"].isna().tolist() == [False, True, False, True, *[False] * 4]
    first = found.scene_emotions.loc[found.scene_emotions["scene"] == 0]
    assert set(first["n_actors"]) == {1}
    assert shares(found, 0, "equal_actor") == pytest.approx(shares(found, 0), abs=0.01)
    assert people(correct(MERGE, {"edit": "merge", "person": 3, "into": 2})) == [1, 2, 1, 2, 2, 2, 2, 2]


def test_a_track_that_is_split_off_is_a_person_of_its_own(correct: Any):
    found = correct(SPLIT, {"edit": "rename", "person": 5, "name": "Bo"}, {"edit": "merge", "person": 5, "into": 4})
    assert people(found) == [4, 2, 1, 2, 3, 4, 3, 4]
    assert found.tracks.loc[0, "actor_name"] == "Bo"
    alone = correct(SPLIT)
    assert people(alone) == [5, 2, 1, 2, 3, 4, 3, 4]
    assert alone.scene_emotions.loc[alone.scene_emotions["scene"] == 0, "n_actors"].iloc[0] == 3


def test_a_track_that_nobody_could_tell_can_be_a_person(correct: Any):
    whole = told_apart()
    whole = replace(whole, tracks=whole.tracks.assign(actor=whole.tracks["actor"].mask(whole.tracks["track"] == 7)))
    assert people(correct({**SPLIT, "track": 7}, whole=whole)) == [1, 2, 1, 2, 3, 4, 3, 5]


def test_a_boundary_changes_both_neighbours_and_no_name(correct: Any):
    whole, found = told_apart(), correct(BOUNDARY)
    assert found.scenes[["scene", "name", "source"]].equals(whole.scenes[["scene", "name", "source"]])
    assert found.scenes["start"].tolist() == [0, 12.5, 20]
    assert found.scenes["end"].tolist() == [12.5, 20, 30]
    assert found.scenes["last_shot"].tolist() == [4, 7, 11]
    for scene, span in ((0, (0, 12.5)), (1, (12.5, 20))):
        assert shares(found, scene) == pytest.approx(mean(whole, *span), abs=0.01)
    assert shares(found, 0)[HAPPY] > shares(whole, 0)[HAPPY] + 5
    assert found.expressions["weight"].sum() == pytest.approx(whole.expressions["weight"].sum())
    by_end = correct({"edit": "boundary", "scene": FIRST, "edge": "end", "time": 12.5})
    assert all(getattr(by_end, name).equals(getattr(found, name)) for name in EDITED)


def test_a_boundary_next_to_a_cut_means_the_cut_and_one_that_stays_changes_nothing(correct: Any):
    assert correct({**BOUNDARY, "time": 12.515}).scenes["start"].tolist() == [0, 12.5, 20]
    whole, same = told_apart(), correct({**BOUNDARY, "time": 10.0})
    for name in ("tracks", "scenes", "scene_emotions"):
        assert getattr(same, name).equals(getattr(whole, name)), name
    assert np.allclose(same.expressions["weight"], whole.expressions["weight"])


def test_scenes_that_do_not_touch_move_alone_up_to_the_neighbour(correct: Any):
    whole = told_apart()
    apart = replace(whole, scenes=whole.scenes.assign(end=[9.0, 20.0, 30.0]))
    found = correct(
        {**BOUNDARY, "time": 9.4}, {"edit": "boundary", "scene": FIRST, "edge": "start", "time": 1.0}, whole=apart
    )
    assert found.scenes["start"].tolist() == [1.0, 9.4, 20.0]
    assert found.scenes["end"].tolist() == [9.0, 20.0, 30.0]
    with pytest.raises(SheetError, match=r"cross into scene 'rage', which ends at 0:00:09.000"):
        correct({**BOUNDARY, "time": 8.0}, whole=apart)
    with pytest.raises(SheetError, match=r"cross into scene 'joy', which begins at 0:00:10.000"):
        correct({"edit": "boundary", "scene": FIRST, "edge": "end", "time": 11.0}, whole=apart)


def test_the_faces_of_an_excluded_moment_count_in_no_share(correct: Any):
    whole, found = told_apart(), correct(EXCLUDE, {"edit": "exclude", "start": 4.0, "end": 5.0})
    assert shares(found, 0) == pytest.approx(mean(whole, 0, 10, (2.0, 5.0)), abs=0.01)
    assert shares(found, 1) == shares(whole, 1)
    out = found.expressions["why"] == "excluded"
    assert found.expressions.loc[out, "time"].agg(["min", "max"]).tolist() == [2.0, 4.8]
    assert not found.expressions.loc[out, "usable"].any()
    row = found.scene_emotions.loc[found.scene_emotions["scene"] == 0].iloc[0]
    assert row["face_seconds"] == pytest.approx(6.9)
    assert row["coverage"] == pytest.approx(1.0), "what is excluded is not asked for a face either"
    assert "excluded" not in found.run["coverage"]
    assert sum(found.run["coverage"].values()) == pytest.approx(1)


def test_pictures_of_an_excluded_moment_are_not_shown_and_stay_in_the_run(correct: Any, tmp_path: Path):
    whole, found = told_apart(), correct(EXCLUDE)
    inside = whole.pictures["time"].between(2.0, 4.0, inclusive="left")
    assert inside.any()
    assert found.pictures["time"].tolist() == whole.pictures.loc[~inside, "time"].tolist()
    result.save(found, tmp_path / "run", {})
    assert len(result.load(tmp_path / "run").pictures) == len(whole.pictures)


def test_a_face_that_did_not_count_keeps_its_reason(correct: Any):
    whole = told_apart()
    small = whole.expressions["time"].to_numpy() == 2.2
    why = np.where(small, "small", None)
    blurred = whole.expressions.assign(usable=whole.expressions["usable"] & ~small, why=why)
    found = correct(EXCLUDE, whole=replace(whole, expressions=blurred))
    assert found.expressions.loc[small, "why"].tolist() == ["small"]


def test_what_was_measured_is_kept_as_it_was(correct: Any):
    whole = told_apart()
    before = {name: getattr(whole, name).copy() for name in EDITED}
    found = correct(*EVERY, whole=whole)
    assert found.measured is whole
    assert all(getattr(whole, name).equals(table) for name, table in before.items())
    assert found.run["edits"]["kinds"] == {"rename": 1, "merge": 1, "split": 1, "boundary": 1, "exclude": 1}
    assert "edits" not in whole.run


@pytest.mark.parametrize(
    ("entries", "complaint"),
    [
        ([{**RENAME, "person": 9}], r"edit 1 \(rename\): the run has no person 9; the last one is person 4"),
        ([RENAME, {"edit": "rename", "person": 1, "name": "ANNA"}], r"edit 2 \(rename\): person 2 is called 'ANNA'"),
        ([{**MERGE, "person": 2}], "person 2 cannot be merged into itself"),
        ([MERGE, {**RENAME, "person": 4}], "person 4 was merged into person 2 by an edit before"),
        ([{**SPLIT, "track": 99}], r"the run has no track 99; its tracks are numbered 0 to 7"),
        ([{**SPLIT, "person": 3}], "person 3 is there already"),
        ([SPLIT, {**SPLIT, "track": 2, "person": 6}], "track 2 is all there is of person 1"),
        ([{**BOUNDARY, "scene": "joi"}], "the run has no scene 'joi'; did you mean 'joy'"),
        ([{**BOUNDARY, "time": 31.0}], "0:00:31.000 lies outside what was read of the film, 0:00:00.000 to 0:00:30"),
        ([{**BOUNDARY, "time": 21.0}], "it would cross scene 'joy', which lasts from 0:00:10.000 to 0:00:20.000"),
        ([{**BOUNDARY, "scene": "empty", "time": 9.0}], "it would cross scene 'joy'"),
        ([{**BOUNDARY, "time": 20.0}], "scene 'joy' would be left without a frame"),
        ([{**BOUNDARY, "time": 0.01}], "scene 'rage' would be left without a frame"),
        ([{**EXCLUDE, "end": 2.0}], "it is empty: it begins at 0:00:02.000 and ends at 0:00:02.000"),
        ([{**EXCLUDE, "start": 2.01, "end": 2.15}], "no sampled moment of the film lies in it"),
        ([{**EXCLUDE, "end": 40.0}], "0:00:40.000 lies outside what was read of the film"),
        ([EXCLUDE, {**EXCLUDE, "start": 3.5, "end": 6.0}], r"edit 2 \(exclude\): 0:00:02.000 to 0:00:04.000 is excl"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_by_name(correct: Any, entries: list[dict[str, Any]], complaint: str):
    with pytest.raises(SheetError, match=complaint) as refused:
        correct(*entries)
    assert str(refused.value).startswith("film-edits.json")
    assert "\n" not in str(refused.value)


def test_edits_of_another_film_or_of_another_analysis_are_refused(tmp_path: Path):
    whole = told_apart()
    edits, settings = edits_of(tmp_path, whole, RENAME), plans.from_record(whole.run["settings"])
    with pytest.raises(SheetError, match="it is of another film"):
        edited.apply(whole, replace(edits, film="f" * 16), settings)
    others = whole.tracks.assign(actor=whole.tracks["actor"].replace({3: 2}))
    with pytest.raises(SheetError, match="it is of another analysis of this film"):
        edited.apply(replace(whole, tracks=others), edits, settings)


def test_of_stills_and_where_nobody_is_told_apart_only_what_is_there_can_be_edited(correct: Any):
    whole = told_apart()
    stills = replace(whole, film=replace(whole.film, kind="stills"))
    for entry in (BOUNDARY, EXCLUDE):
        with pytest.raises(SheetError, match="only people can be edited"):
            correct(entry, whole=stills)
    with pytest.raises(SheetError, match="people are not told apart in this run"):
        correct(
            RENAME,
            whole=replace(
                whole, tracks=whole.tracks.assign(actor=whole.tracks["actor"].mask(whole.tracks["actor"] >= 0))
            ),
        )
