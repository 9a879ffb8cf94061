from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenefer.analysis.scene_views import VIEWS
from scenefer.comparison.agreement import agree
from scenefer.comparison.resampled_shares import apart, intervals
from scenefer.comparison.run_differences import compare_runs
from scenefer.comparison.run_differences import summary as summary_of_runs
from scenefer.comparison.scene_comparison import Comparison, compare, headline
from scenefer.comparison.verdicts import CLASSES, ComparisonSettings, fold, judge_label, judge_mixture, leader, rule
from scenefer.core.errors import PlanError, SheetError
from scenefer.core.schema import EMOTIONS
from scenefer.core.tables import check
from tests.comparisons import ANGRY, FILM, Scene, analysis_of, sheet_of

SEVEN = CLASSES[0]


def only(comparison: Comparison, classes: str = "seven", view: str = "screen_time") -> pd.Series:
    table = check(comparison.table, "comparison")
    chosen = table.query("classes == @classes and view == @view")
    assert len(chosen) == 1
    return chosen.iloc[0]


def verdict(intended: str, *shots: Sequence[dict[str, float]]) -> str | None:
    analysis = analysis_of(shots)
    return only(compare(analysis, sheet_of(analysis, intended)))["verdict"]


ANGRY_OR_SAD = [{"angry": 0.9, "sad": 0.1}, {"angry": 0.15, "sad": 0.85}]  # 0.525 and 0.475


@pytest.mark.parametrize(
    ("intended", "shots", "expected"),
    [
        pytest.param("angry", [[ANGRY] * 4], "match", id="first and surely ahead"),
        pytest.param("angry", [ANGRY_OR_SAD * 2], "partial", id="first, but not surely"),
        pytest.param("sad", [ANGRY_OR_SAD * 2], "partial", id="second, but not surely"),
        pytest.param("sad", [[ANGRY] * 4], "mismatch", id="second and surely behind"),
        pytest.param("fear", [[ANGRY] * 4], "mismatch", id="last"),
        pytest.param("angry", [[{"angry": 0.3, "neutral": 0.7}] * 4], "partial", id="second behind neutral"),
        pytest.param("sad", [[{"angry": 0.3, "sad": 0.1, "neutral": 0.6}] * 4], "mismatch", id="third behind neutral"),
        pytest.param("fear", [[{"neutral": 1.0}] * 4], "mismatch", id="nothing but neutral"),
        pytest.param("neutral", [[{"angry": 0.6, "neutral": 0.4}] * 4], "mismatch", id="neutral surely behind"),
        pytest.param("neutral", [[{"angry": 0.4, "neutral": 0.6}] * 4], "match", id="neutral ahead"),
        pytest.param("angry", [[{"angry": 0.5, "sad": 0.5}] * 4], "partial", id="two first"),
        pytest.param("happy:3;neutral:1", [[{"happy": 0.5, "neutral": 0.5}] * 4], "match", id="25 points misplaced"),
        pytest.param("happy:3;neutral:1", [[{"happy": 0.49, "neutral": 0.51}] * 4], "partial", id="26 points"),
        pytest.param("happy:3;neutral:1", [[{"happy": 0.25, "neutral": 0.75}] * 4], "partial", id="50 points"),
        pytest.param("happy:3;neutral:1", [[{"happy": 0.24, "neutral": 0.76}] * 4], "mismatch", id="51 points"),
        pytest.param("happy:1;sad:1", [[{"happy": 0.5, "sad": 0.5}] * 4], "match", id="a mixture of equals"),
    ],
)
def test_the_verdict_on_typed_faces(intended: str, shots: Scene, expected: str):
    assert verdict(intended, *shots) == expected


def test_rage_joy_and_shock_match_and_a_grief_that_reads_as_angry_does_not():
    """What a person annotated of the test film, as a network without error would read it."""
    faces = {
        "rage": {"angry": 0.8, "disgust": 0.1, "neutral": 0.1},
        "joy": {"happy": 0.9, "neutral": 0.1},
        "shock": {"surprise": 0.7, "fear": 0.2, "neutral": 0.1},
        "grief": {"angry": 0.6, "sad": 0.2, "neutral": 0.2},
    }
    takes = [[[shares] * 3] for shares in faces.values()]
    analysis = analysis_of(*takes)
    sheet = sheet_of(analysis, "angry", "happy", "surprise", "sad")
    comparison = compare(analysis, sheet)
    rows = headline(comparison)[0]
    assert dict(zip(faces, rows["verdict"], strict=True)) == {
        "rage": "match", "joy": "match", "shock": "match", "grief": "mismatch",
    }  # fmt: skip
    assert rows["rank"].tolist() == [1, 1, 1, 2]
    assert set(rows["within"]) == {"one take"}
    clustered = comparison.table.query("classes == 'clustered' and view == 'screen_time'")
    assert clustered["verdict"].tolist() == ["match"] * 4  # angry and sad are one cluster


@pytest.mark.parametrize(
    ("rank", "low", "high", "behind_neutral", "expected"),
    [
        (1, 0.1, 5.0, False, "match"),
        (1, 0.0, 5.0, False, "partial"),
        (1, -2.0, 5.0, False, "partial"),
        (2, -5.0, 0.0, False, "partial"),
        (2, -5.0, -0.1, False, "mismatch"),
        (2, -50.0, -30.0, True, "partial"),
        (3, -50.0, -30.0, False, "mismatch"),
        (5, -9.0, 1.0, False, "partial"),
    ],
)
def test_the_rule_for_one_emotion(rank: int, low: float, high: float, behind_neutral: bool, expected: str):
    assert judge_label(rank, low, high, behind_neutral=behind_neutral) == expected


def test_the_numbers_of_the_rule_are_settings_and_are_printed():
    strict = ComparisonSettings(match_misplaced=0.1, partial_misplaced=0.2)
    assert [judge_mixture(tv, tv, tv, strict) for tv in (0.1, 0.11, 0.2, 0.21)] == [
        "match", "partial", "partial", "mismatch",
    ]  # fmt: skip
    assert "as intended = at most 10 % of what is detected lies elsewhere" in rule(strict)
    assert "stays within 20 %; worth a look = more than 20 %" in rule(strict)
    assert "as intended = at most 25 %" in rule()


def test_a_mixture_whose_interval_reaches_the_other_verdict_is_in_doubt():
    rows = [
        (0.2, 0.1, 0.4, "match"),
        (0.2, 0.0, 1.0, "partial"),
        (0.6, 0.3, 0.9, "mismatch"),
        (0.6, 0.1, 1.0, "partial"),
    ]
    assert [judge_mixture(tv, low, high, ComparisonSettings()) for tv, low, high, _ in rows] == [row[3] for row in rows]


def test_a_row_by_hand():
    analysis = analysis_of([[{"angry": 0.5, "sad": 0.25, "neutral": 0.25}] * 4])
    row = only(compare(analysis, sheet_of(analysis, "sad")))
    expected: dict[str, Any] = {
        "scene": 0, "name": "a", "character": None, "coverage": 1.0, "n_tracks": 1, "n_shots": 1,
        "intended": "sad", "label": "sad", "detected": "angry", "verdict": "mismatch", "why": None,
        "evidence": "one take", "within": "one take",
        "mass": 25, "mass_low": 25, "mass_high": 25, "rank": 2, "top1": False, "top2": True,
        "lead": -25, "lead_low": -25, "lead_high": -25, "tv": 0.75, "tv_low": 0.75, "tv_high": 0.75,
        "brier": 0.5**2 + 0.75**2 + 0.25**2, "log_score": 2, "intended_sad": 100, "intended_angry": 0,
        "detected_angry": 50, "low_angry": 50, "high_angry": 50, "detected_fear": 0,
        # M = (0.25, 0.625, 0.125): (log2(1 / 0.625) + 0.5 + 0.25 * log2(0.25 / 0.625) + 0.25) / 2
        "js": np.sqrt((np.log2(1.6) + 0.5 + 0.25 * np.log2(0.4) + 0.25) / 2),
    }  # fmt: skip
    for name, value in expected.items():
        assert row[name] == (pytest.approx(value, abs=1e-5) if isinstance(value, float | int) else value), name
    assert row[["detected_positive", "low_negative"]].isna().all()


def test_the_classes_fold_seven_shares_up():
    shares = np.array([0.1, 0.1, 0.0, 0.2, 0.1, 0.1, 0.4])
    by_name = {classes.name: dict(zip(classes.labels, fold(shares, classes), strict=True)) for classes in CLASSES}
    assert list(by_name) == ["seven", "seven without neutral", "clustered", "clustered without neutral"]
    assert by_name["seven"] == pytest.approx(dict(zip(EMOTIONS, shares, strict=True)))
    assert by_name["seven without neutral"]["happy"] == pytest.approx(1 / 3)
    clustered = {"positive": 0.2, "negative": 0.3, "surprise": 0.1, "neutral": 0.4}
    assert by_name["clustered"] == pytest.approx(clustered)
    assert by_name["clustered without neutral"]["negative"] == pytest.approx(0.5)
    assert np.isnan(fold(np.eye(7)[6], CLASSES[1])).all()


def test_the_leader_of_a_tie_is_nobody():
    assert leader(np.array([0.2, 0.5, 0.3])) == 1
    assert leader(np.array([0.4, 0.4, 0.2])) is None
    assert leader(np.array([0.1 + 0.2, 0.3, 0.4 - 1e-17])) == 2


def test_confused_negatives_match_in_clusters_and_neutral_left_out_no_longer_leads():
    analysis = analysis_of([[{"angry": 0.2, "sad": 0.3, "neutral": 0.4, "happy": 0.1}] * 4])
    comparison = compare(analysis, sheet_of(analysis, "angry"))
    assert only(comparison)["verdict"] == "mismatch"
    assert only(comparison, "clustered")["verdict"] == "match"
    assert only(comparison, "seven without neutral")["detected_sad"] == pytest.approx(50)
    comparison = compare(analysis, sheet_of(analysis, "sad"))
    assert only(comparison)["verdict"] == "partial"
    assert only(comparison, "seven without neutral")["verdict"] == "match"
    mixture = only(compare(analysis, sheet_of(analysis, "sad:0.5;neutral:0.5")), "seven without neutral")
    assert mixture["lead"] == pytest.approx(50 - 100 / 3)  # one emotion is left of the mixture, and is judged as one


def test_what_is_not_judged_says_why():
    happy, neutral = {"happy": 1.0}, {"neutral": 1.0}
    analysis = analysis_of([[happy] * 4], [[happy]], [[happy] * 4], [[neutral] * 4])
    comparison = compare(analysis, sheet_of(analysis, None, "happy", "neutral", "happy"))
    rows = headline(comparison)[0]
    assert rows["why"].tolist() == ["nothing intended", "too few faces", None, None]
    assert rows["verdict"].tolist() == [None, None, "mismatch", "mismatch"]
    assert rows["detected_happy"].tolist() == pytest.approx([100, np.nan, 100, 0], nan_ok=True)
    assert rows["js"].isna().tolist() == [True, True, False, False]
    bare = comparison.table.query("view == 'screen_time' and classes == 'seven without neutral'")
    assert bare["why"].tolist()[2:] == [
        "neutral intended, which these classes leave out",
        "nothing but neutral detected, which these classes leave out",
    ]
    assert comparison.counts == {
        "scenes": 4, "compared": 2, "match": 0, "partial": 0, "mismatch": 2,
        "nothing intended": 1, "too few faces": 1,
    }  # fmt: skip


def test_a_scene_that_the_sheet_leaves_out_is_shown_and_not_compared():
    analysis = analysis_of([[ANGRY] * 4], [[ANGRY] * 4])
    rows = headline(compare(analysis, sheet_of(analysis, "angry", "angry").iloc[:1]))[0]
    assert rows["verdict"].tolist() == ["match", None]
    assert rows["why"].tolist() == [None, "nothing intended"]


def test_a_scene_that_the_run_has_not_is_an_error_that_names_the_nearest():
    analysis = analysis_of([[ANGRY] * 4])
    sheet = sheet_of(analysis, "angry", scene=["aa"])
    with pytest.raises(SheetError, match=r"the run has no scene 'aa': did you mean 'a'\? Else analyse the film again"):
        compare(analysis, sheet)


def test_times_that_differ_from_the_runs_are_said():
    analysis = analysis_of([[ANGRY] * 4])
    said = compare(analysis, sheet_of(analysis, "angry", end=[12.0])).notices
    assert said == (
        "scene a: the sheet says 0:00:00.000 to 0:00:12.000, what is compared is 0:00:00.000 to 0:00:10.000, "
        "as in the run",
    )
    assert compare(analysis, sheet_of(analysis, "angry", end=[10.4])).notices == ()


def test_characters_are_compared_with_the_picture_until_there_are_people():
    analysis = analysis_of([[ANGRY] * 4])
    one = sheet_of(analysis, "angry", character=["Ann"])
    comparison = compare(analysis, pd.concat([one, one.assign(intended="fear", character="Bob")]))
    rows = headline(comparison)[0]
    assert rows[["character", "view", "verdict"]].values.tolist() == [
        ["Ann", "screen_time", "match"],
        ["Bob", "screen_time", "mismatch"],
    ]
    assert "people are not told apart in this run" in comparison.notices[0]
    assert comparison.counts["scenes"] == 1
    assert comparison.counts["compared"] == 2


@pytest.mark.parametrize("view", ["equal_actor", "own_baseline", "character:Ann"])
def test_views_of_people_fall_back_to_screen_time_and_say_so(view: str):
    analysis = analysis_of([[ANGRY] * 4])
    comparison = compare(analysis, sheet_of(analysis, "angry"), ComparisonSettings(view=view))
    assert comparison.settings.view == "screen_time"
    assert f"the view {view} needs people" in comparison.notices[0]
    with pytest.raises(PlanError, match="unknown view 'actor'; known: equal_actor, equal_track, own_baseline"):
        ComparisonSettings(view="actor")


def test_equal_track_is_the_headline_where_it_is_asked_for():
    analysis = analysis_of([[{"happy": 1.0}] * 6, [{"sad": 1.0}] * 2, [{"sad": 1.0}] * 2])
    sheet = sheet_of(analysis, "happy")
    seconds, tracks = (headline(compare(analysis, sheet, ComparisonSettings(view=view)))[0].iloc[0] for view in VIEWS)
    assert (seconds["mass"], tracks["mass"]) == pytest.approx((60, 100 / 3))


def test_percentages_and_intervals_are_those_of_the_scene():
    rng = np.random.default_rng(0)
    analysis = analysis_of(*random_scenes(rng, 3))
    table = compare(analysis, sheet_of(analysis, "happy", None, "sad")).table
    known = analysis.scene_emotions
    for (scene, view), rows in table.query("classes == 'seven'").groupby(["scene", "view"]):
        own = known.loc[(known["scene"] == scene) & (known["view"] == view)]
        for column, prefix in {"percent": "detected", "low": "low", "high": "high"}.items():
            values = rows[[f"{prefix}_{emotion}" for emotion in EMOTIONS]].to_numpy()[0]
            np.testing.assert_allclose(values, own[column], atol=1e-9)


def test_fewer_than_three_shots_are_within_one_take():
    three = [[ANGRY] * 2] * 3
    for shots, within in ((three[:2], "one take"), (three, "shots")):
        analysis = analysis_of(shots)
        assert only(compare(analysis, sheet_of(analysis, "angry")))["within"] == within


def test_the_mean_excess_of_resamples_is_taken_off_before_the_interval():
    even = np.array([[0.5, 0.5]])
    biased = np.concatenate([even, [[0.6, 0.4], [0.4, 0.6]] * 100])  # every resample lies 0.1 away
    assert intervals(apart(even, biased), 1.0)["tv"] == (0, 0, 0)
    spread = np.concatenate([even, [[0.5, 0.5], [0.7, 0.3]] * 100])  # 0 or 0.2 away, of which 0.1 is bias
    assert intervals(apart(even, spread), 1.0)["tv"] == pytest.approx((0, 0, 0.1))


# The film as a whole.


def shares(*labels: str) -> np.ndarray:
    return np.eye(7)[[EMOTIONS.index(label) for label in labels]]


def test_figures_of_a_film_by_hand():
    meant = shares("angry", "angry", "sad", "sad", "happy", "happy")
    seen = shares("angry", "sad", "sad", "sad", "happy", "neutral")
    found = agree(meant, seen, 6, SEVEN)
    assert found.js == pytest.approx(2 / 6)
    assert found.recall == {**dict.fromkeys(EMOTIONS), "angry": 0.5, "sad": 1.0, "happy": 0.5}
    by_chance = (2 * 1 + 2 * 3 + 2 * 1) / 36
    assert found.kappa == pytest.approx((4 / 6 - by_chance) / (1 - by_chance))
    assert found.macro_f1 == pytest.approx((2 / 3 + 4 / 5 + 2 / 3 + 0) / 4)
    assert found.confusion[EMOTIONS.index("angry")] == (1, 0, 0, 0, 1, 0, 0)
    assert found.n_labelled == 6
    # A random pairing agrees with chance 10 / 36 at each scene.
    assert found.js_shuffled == pytest.approx(26 / 36, abs=0.01)
    assert found.skill == pytest.approx(1 - 12 / 26, abs=0.01)
    marginal = np.array([1, 0, 0, 1, 3, 0, 1]) / 6
    distances = [metrics_js(row, marginal) for row in meant]
    assert found.js_marginal == pytest.approx(np.mean(distances))


def metrics_js(p: np.ndarray, q: np.ndarray) -> float:
    middle = (p + q) / 2
    parts = [x * np.log2(x / m) for shares in (p, q) for x, m in zip(shares, middle, strict=True) if x > 0]
    return float(np.sqrt(sum(parts) / 2))


def test_perfect_agreement_is_as_rare_as_its_permutations():
    meant = shares(*EMOTIONS)
    found = agree(meant, meant, 7, SEVEN)
    assert (found.kappa, found.macro_f1, found.js, found.skill) == pytest.approx((1, 1, 0, 1))
    assert found.p == pytest.approx(1 / 2001, abs=2 / 2001)


def test_ties_are_left_out_of_the_confusion_and_count_in_the_distance():
    meant = np.concatenate([shares("angry", "sad", "sad", "angry", "sad", "angry"), [[0.5, 0, 0, 0, 0.5, 0, 0]]])
    found = agree(meant, meant, 7, SEVEN)
    assert found.n_labelled == 6
    assert sum(map(sum, found.confusion)) == 6
    assert found.js == 0


@pytest.mark.parametrize(
    ("labels", "enough"),
    [
        (["angry", "sad"] * 3, True),
        (["angry", "sad"] * 2 + ["sad"], False),
        (["angry"] * 6, False),
        ([], False),
    ],
    ids=["six scenes", "five scenes", "one intention", "nothing"],
)
def test_no_kappa_and_no_p_under_six_scenes_or_two_intentions(labels: list[str], enough: bool):
    meant = shares(*labels).reshape(-1, 7)
    found = agree(meant, meant, len(meant), SEVEN)
    defined = {name: getattr(found, name) is not None for name in ("kappa", "skill", "p", "js_shuffled")}
    assert defined == dict.fromkeys(defined, enough)
    assert (found.js is None) == (not labels)


def random_scenes(rng: np.random.Generator, n: int) -> list[Scene]:
    """Draw scenes of two or three shots of three seconds, whose faces lean towards a mood of their own."""
    scenes: list[Scene] = []
    for _ in range(n):
        mood = rng.dirichlet([0.3] * 7)
        draws = rng.dirichlet(8 * mood + 0.1, (rng.integers(2, 4), 3))
        scenes.append([[dict(zip(EMOTIONS, second, strict=True)) for second in shot] for shot in draws])
    return scenes


def test_shuffled_sheets_have_no_skill_on_average_and_p_is_small_as_often_as_it_says():
    skills, ps = [], []
    for film in range(4):
        rng = np.random.default_rng(film)
        analysis = analysis_of(*random_scenes(rng, 14), resamples=20)
        rows, first = headline(compare(analysis, sheet_of(analysis, *EMOTIONS, *EMOTIONS)))
        assert first.n_scenes == 14
        intended, detected = (
            rows[[f"{kind}_{emotion}" for emotion in EMOTIONS]].to_numpy() / 100 for kind in ("intended", "detected")
        )
        for seed in range(50):
            found = agree(rng.permutation(intended), detected, 14, SEVEN, seed=seed)
            skills.append(found.skill)
            ps.append(found.p)
    assert np.mean(skills) == pytest.approx(0, abs=0.02)
    assert 0.01 <= np.mean(np.array(ps) < 0.05) <= 0.10


# What holds for any film.

few = settings(deadline=None, max_examples=6)
labels = st.lists(st.sampled_from([*EMOTIONS, "happy:2;sad:1", "fear:1;angry:1", None]), min_size=2, max_size=4)


@few
@given(labels, st.integers(0, 100), st.randoms(use_true_random=False))
def test_the_order_of_faces_and_of_the_sheet_does_not_matter(labels: list[str | None], seed: int, random):
    analysis = analysis_of(*random_scenes(np.random.default_rng(seed), len(labels)), resamples=20)
    sheet = sheet_of(analysis, *labels)
    faces, lines = list(range(len(analysis.expressions))), list(range(len(sheet)))
    random.shuffle(faces)
    random.shuffle(lines)
    shuffled = replace(analysis, expressions=analysis.expressions.iloc[faces])
    one, other = compare(analysis, sheet), compare(shuffled, sheet.iloc[lines])
    pd.testing.assert_frame_equal(one.table, other.table)
    assert one.agreements == other.agreements


@few
@given(labels, st.integers(0, 100))
def test_values_lie_in_their_ranges_and_in_their_intervals(labels: list[str | None], seed: int):
    analysis = analysis_of(*random_scenes(np.random.default_rng(seed), len(labels)), resamples=20)
    table = compare(analysis, sheet_of(analysis, *labels)).table
    judged = table.loc[table["verdict"].notna()]
    for name, least, most in (("js", 0, 1), ("tv", 0, 1), ("mass", 0, 100), ("lead", -100, 100)):
        value, low, high = (judged[name + end].to_numpy() for end in ("", "_low", "_high"))
        known = ~np.isnan(value)
        assert (known == ~np.isnan(low)).all()
        inside = (least <= low) & (low <= value + 1e-9) & (value <= high + 1e-9) & (high <= most)
        assert inside[known].all()
    for classes in CLASSES:
        rows = judged.loc[judged["classes"] == classes.name]
        for kind in ("intended", "detected"):
            total = rows[[f"{kind}_{label}" for label in classes.labels]].sum(axis=1)
            np.testing.assert_allclose(total, 100)
    alone = judged.loc[judged["lead"].notna()]
    np.testing.assert_allclose(alone["mass"], 100 * (1 - alone["tv"]), atol=1e-6)


@few
@given(st.integers(0, 100), st.integers(1, 3))
def test_a_scene_cut_in_two_and_joined_again_shows_the_same(seed: int, first: int):
    shots = [*random_scenes(np.random.default_rng(seed), 1)[0], [ANGRY] * 3, [{"sad": 1.0}] * 3]
    halves = analysis_of(shots[:first], shots[first:], resamples=20)
    joined = analysis_of(shots, resamples=20)
    detected = [f"detected_{emotion}" for emotion in EMOTIONS]
    parts = headline(compare(halves, sheet_of(halves, "sad", "sad")))[0]
    seconds = [sum(map(len, part)) for part in (shots[:first], shots[first:])]
    whole = only(compare(joined, sheet_of(joined, "sad")))[detected].to_numpy(float)
    np.testing.assert_allclose(np.average(parts[detected], axis=0, weights=seconds), whole, atol=1e-4)


# Two runs.


def test_two_runs_differ_where_their_faces_do():
    here = analysis_of([[ANGRY] * 4], [[{"happy": 1.0}] * 4], [[ANGRY] * 4])
    there = analysis_of([[{"angry": 0.4, "sad": 0.5, "neutral": 0.1}] * 4], [[{"happy": 1.0}]], [[ANGRY] * 4])
    there = replace(
        there, scenes=there.scenes.assign(name=["a", "b", "z"], start=[0.0, 10.0, 40.0], end=[10.0, 20.0, 50.0])
    )
    differences = compare_runs(here, there)
    table = check(differences.table, "differences").query("view == 'screen_time'")
    assert (differences.only, differences.only_other) == (("c",), ("z",))
    angry = table.query("name == 'a' and emotion == 'angry'").iloc[0]
    nothing = table.query("name == 'b' and emotion == 'happy'").iloc[0]
    assert angry[["percent", "other_percent", "difference", "difference_low", "difference_high"]].tolist() == (
        pytest.approx([60, 40, -20, -20, -20])
    )
    assert (angry["tv"], angry["evidence"], angry["within"]) == (pytest.approx(0.2), "one take", "one take")
    assert nothing["percent"] == pytest.approx(100)
    assert nothing[["other_percent", "difference", "js"]].isna().all()
    assert nothing["evidence"] == "insufficient"
    assert summary_of_runs(differences).splitlines()[:4] == [
        "a: angry -20 points (-20 to -20), sad +20 points (+20 to +20); Jensen-Shannon distance 0.18, one take",
        "b: not compared, too few faces",
        "Only in this run: c.",
        "Only in the other run: z.",
    ]


def test_a_run_does_not_differ_from_itself_and_other_takes_are_resampled_by_themselves():
    analysis = analysis_of(*random_scenes(np.random.default_rng(1), 2))
    same = compare_runs(analysis, analysis).table
    assert (same[["difference", "difference_low", "difference_high", "js", "tv_high"]] == 0).all(axis=None)
    take = replace(analysis, film=replace(FILM, id="1" * 16))
    other = compare_runs(analysis, take).table
    assert (other["difference"] == 0).all()
    assert (other["difference_high"] - other["difference_low"]).mean() > 1


def test_runs_without_a_scene_in_common_say_so():
    analysis = analysis_of(*random_scenes(np.random.default_rng(1), 2))
    moved = analysis.scenes.assign(name=["x", "y"], start=[70.0, 80.0], end=[80.0, 90.0])
    lines = summary_of_runs(compare_runs(analysis, replace(analysis, scenes=moved))).splitlines()
    assert lines[0] == "Nothing is compared: no scene of one run has the name or the time of one of the other."


def test_the_interval_of_a_difference_is_wider_than_that_of_either_take():
    drawn = iter(random_scenes(np.random.default_rng(2), 18))
    analysis = analysis_of(*(a + b + c for a, b, c in zip(drawn, drawn, drawn, strict=True)), resamples=1000)
    take = replace(analysis, film=replace(FILM, id="1" * 16))
    both = compare_runs(analysis, take).table
    one = analysis.scene_emotions
    ratio = (both["difference_high"] - both["difference_low"]).mean() / (one["high"] - one["low"]).mean()
    assert 1.2 < ratio < 1.8  # √2 where nothing is clipped
