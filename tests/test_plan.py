from __future__ import annotations

from pathlib import Path

import pytest

from scenefer.errors import PlanError
from scenefer.plan import PROFILES, Plan, expression_id, identity, make_plan, observe_id


def test_without_anything_stated_the_plan_is_the_defaults():
    assert make_plan() == Plan()
    assert make_plan(file="film") == Plan()


def test_an_option_goes_before_a_file_and_a_file_before_a_profile(tmp_path: Path):
    file = tmp_path / "mine.toml"
    file.write_text("[observation]\nsample_rate = 3\n")
    assert make_plan("fast").observation.sample_rate == 2.0
    assert make_plan("fast", file).observation.sample_rate == 3.0
    assert make_plan("fast", file).observation.smallest_face == 40
    assert make_plan("fast", file, {"observation.sample_rate": 4.0}).observation.sample_rate == 4.0
    assert make_plan("fast", file, {"observation.sample_rate": None}).observation.sample_rate == 3.0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[observation]\nsample_rat = 3\n", "did you mean 'sample_rate'?"),
        ("[observations]\n", "did you mean 'observation'?"),
        ("observation = 3\n", "must be a section"),
        ("[observation]\nsample_rate = 'often'\n", "must be of type float"),
        ("[observation]\nsample_rate = 0\n", "between 0.01 and 240"),
        ("[observation]\ndetector = 'mtcn'\n", "did you mean 'mtcnn'?"),
        ("[observation\n", "cannot be read as TOML"),
        ("[observation]\ndetection_pixels = 0\n", "detection_pixels must be between"),
        ("[emotions]\nresamples = 0\n", "resamples must be between 20"),
        ("[scenes]\nshortest_mean = 0\n", "shortest_mean must be between 1"),
        ("[scenes]\nlongest_mean = 0\n", "longest_mean must be between 1"),
        ("[emotions]\nblock = nan\n", "emotions.block must be a number from 0 on"),
        ("[emotions]\nseed = -1\n", "emotions.seed must be a number from 0 on"),
        ("[shots]\nlongest = -1.0\n", "shots.longest must be a number from 0 on"),
        ("[comparison]\nmatch_misplaced = inf\n", "comparison.match_misplaced must be a number from 0 on"),
        ("[comparison]\nview = 'equal_actors'\n", "did you mean 'equal_actor'?"),
    ],
)
def test_an_error_names_the_file_and_the_nearest_valid_word(tmp_path: Path, text: str, said: str):
    file = tmp_path / "mine.toml"
    file.write_text(text)
    with pytest.raises(PlanError, match=r".") as caught:
        make_plan(file=file)
    assert said in str(caught.value)


def test_an_unknown_profile_or_plan_lists_the_known_ones():
    with pytest.raises(PlanError, match="did you mean 'thorough'"):
        make_plan("through")
    with pytest.raises(PlanError, match="film"):
        make_plan(file="flim.toml")


def test_every_profile_is_a_valid_plan():
    assert {make_plan(profile).observation.sample_rate for profile in PROFILES} == {2.0, 5.0, 10.0}


def test_the_pixel_pass_is_redone_for_its_own_settings_and_for_no_others():
    plan = make_plan()
    same = make_plan(options={"shots.threshold": plan.shots.threshold / 2} if hasattr(plan.shots, "threshold") else {})
    assert observe_id(plan, "d", "a") == observe_id(same, "d", "b")
    assert observe_id(plan, "d", "a") != observe_id(make_plan("fast"), "d", "a")
    assert observe_id(plan, "d", "a") != observe_id(plan, "other", "a")


def test_without_crops_other_weights_need_the_film_again():
    bare = make_plan(options={"observation.crops": False})
    assert observe_id(bare, "d", "a") != observe_id(bare, "d", "b")


def test_mirroring_asks_for_new_logits_but_not_for_new_pixels():
    mirrored = make_plan(options={"observation.mirrored": True})
    assert observe_id(mirrored, "d", "a") == observe_id(make_plan(), "d", "a")
    assert expression_id(mirrored, "a") != expression_id(make_plan(), "a")


def test_an_identity_is_the_same_on_every_machine():
    assert identity({"b": 1, "a": [1.5]}) == "8776134cd0f8"
