from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from scenefer.analysis.observation import ObservationSettings
from scenefer.analysis.scene_views import EmotionSettings
from scenefer.comparison.verdicts import ComparisonSettings
from scenefer.core.errors import PlanError
from scenefer.pipeline import plans as plans
from scenefer.pipeline.plans import PROFILES, Plan, expression_id, identity, make_plan, observe_id, plan_id


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
        ("[emotions]\nblock = nan\n", "[emotions]: block must be between 0.01 and 3600, not nan"),
        ("[emotions]\nseed = -1\n", "[emotions]: seed must be a number from 0 on"),
        ("[shots]\nlongest = -1.0\n", "[shots]: longest must be between 0 and 3600"),
        ("[comparison]\nmatch_misplaced = inf\n", "[comparison]: match_misplaced must be a number from 0 on"),
        ("[comparison]\nview = 'equal_actors'\n", "did you mean 'equal_actor'?"),
    ],
)
def test_an_error_names_the_file_and_the_nearest_valid_word(tmp_path: Path, text: str, said: str):
    file = tmp_path / "mine.toml"
    file.write_text(text)
    with pytest.raises(PlanError, match=r".") as caught:
        make_plan(file=file)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        ("observation.sample_rat", "did you mean 'sample_rate'?"),
        ("observation", "unknown key"),
        ("sample_rate", "unknown section [sample_rate]"),
    ],
)
def test_an_option_of_python_that_does_not_exist_is_an_error_too(stated: str, said: str):
    with pytest.raises(PlanError) as caught:
        make_plan(options={stated: 1})
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: ObservationSettings(sample_rate=0.0), "sample_rate must be between 0.01 and 240, not 0"),
        (lambda: replace(Plan().run, patience=math.inf), "patience must be between 1 and 86400, not inf"),
        (lambda: EmotionSettings(seed=-1), "seed must be a number from 0 on, not -1"),
        (
            lambda: ObservationSettings(detector="mtcn"),
            "unknown detector 'mtcn'; known: haar, mtcnn, yunet; did you mean",
        ),
        (lambda: ComparisonSettings(view="screen"), "unknown view 'screen'; known:"),
        (lambda: ObservationSettings(sample_rate="often"), "sample_rate must be of type float, not 'often'"),
        (lambda: ObservationSettings(smallest_face=24.5), "smallest_face must be of type int, not 24.5"),
        (lambda: ObservationSettings(crops=1), "crops must be of type bool, not 1"),
        (lambda: Plan(observation={"sample_rate": 2}), "observation must be of type ObservationSettings"),
        (lambda: Plan(words={"tense": "fearful of"}), "words: tense = 'fearful of' is no intention"),
    ],
)
def test_settings_built_in_python_are_checked_as_those_of_a_file(make: Callable[[], object], said: str):
    with pytest.raises(PlanError) as caught:
        make()
    assert said in str(caught.value)


def test_a_whole_number_is_the_same_setting_as_its_float_whoever_writes_it():
    plans = [Plan(observation=ObservationSettings(sample_rate=rate)) for rate in (10, 10.0, np.int64(10))]
    assert {identity(plan) for plan in plans} == {identity(make_plan(options={"observation.sample_rate": 10}))}


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


def test_a_mended_reader_reads_films_again(monkeypatch: pytest.MonkeyPatch):
    before = observe_id(make_plan(), "d", "a")
    monkeypatch.setattr(plans, "OBSERVATION_VERSION", plans.OBSERVATION_VERSION + 1)
    assert observe_id(make_plan(), "d", "a") != before


def test_without_crops_other_weights_need_the_film_again():
    bare = make_plan(options={"observation.crops": False})
    assert observe_id(bare, "d", "a") != observe_id(bare, "d", "b")


def test_mirroring_asks_for_new_logits_but_not_for_new_pixels():
    mirrored = make_plan(options={"observation.mirrored": True})
    assert observe_id(mirrored, "d", "a") == observe_id(make_plan(), "d", "a")
    assert expression_id(mirrored, "a") != expression_id(make_plan(), "a")


def test_an_identity_is_the_same_on_every_machine():
    assert identity({"b": 1, "a": [1.5]}) == "8776134cd0f8"


def test_where_and_how_a_result_is_made_does_not_change_the_plans_id():
    plain = plan_id(make_plan())
    assert {plan_id(make_plan(options=one)) for one in ({"run.workers": 3}, {"run.longest_chunk": 7.0})} == {plain}
    assert plan_id(make_plan(options={"emotions.resamples": 70})) != plain


def test_a_plan_that_notepad_saved_is_read(tmp_path: Path):
    file = tmp_path / "mine.toml"
    file.write_bytes(b"\xef\xbb\xbf[observation]\nsample_rate = 3\n")
    assert make_plan(file=file).observation.sample_rate == 3.0


@pytest.mark.parametrize("text", [f"x = {'9' * 6000}\n", f"[words]\nx = {'[' * 5000}\n"])
def test_a_plan_beyond_all_measure_is_refused_in_one_line(text: str, tmp_path: Path):
    file = tmp_path / "mine.toml"
    file.write_text(text)
    with pytest.raises(PlanError, match=r"mine.toml cannot be read as TOML"):
        make_plan(file=file)
