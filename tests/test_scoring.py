"""The measures that `make truth` holds the program to are right themselves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks import scoring
from benchmarks.scoring import Gradual, Segment, Transition, Truth


def segment(start: int, end: int, emotion: str, people: int) -> Segment:
    return Segment(start, end, emotion, people, frozenset([emotion]), {}, {}, None)


def truth(
    cuts: tuple[tuple[int, ...], ...] = ((),),
    gradual: tuple[Gradual, ...] = (),
    not_cuts: tuple[int, ...] = (),
    segments: tuple[Segment, ...] = (),
) -> Truth:
    return Truth("clip.mp4", cuts, gradual, not_cuts, segments, 100)


def test_a_cut_may_miss_by_one_frame_and_is_counted_once():
    assert scoring.score_cuts(truth(((10, 50),)), [11, 12, 52], [11, 12, 52]) == ([10], [50], [12, 52], [])


def test_of_accepted_alternatives_the_best_counts():
    assert scoring.score_cuts(truth(((72,), (72, 73))), [72, 74], [72, 74]) == ([72, 73], [], [], [])


def test_a_cut_in_a_dissolve_is_left_out_and_one_in_a_morph_is_invented():
    gradual = (Gradual(20, 30, "cross_dissolve"), Gradual(60, 70, "vfx_morph_same_shot"))
    assert scoring.score_cuts(truth(gradual=gradual), [25, 65], [25, 65]) == ([], [], [65], [])


def test_any_boundary_inside_a_flicker_is_named():
    scored = scoring.score_cuts(truth(((5,),), not_cuts=(40, 42, 44)), [5], [5, 41, 45, 46])
    assert scored == ([5], [], [], [41, 45])


@pytest.mark.parametrize(("not_cuts", "named"), [((10, 80), [11, 79]), ((80, 10, 12), [11, 13, 79]), ((50,), [50])])
def test_between_two_flickers_there_may_be_a_cut(not_cuts: tuple[int, ...], named: list[int]):
    assert scoring.score_cuts(truth(((50,),), not_cuts=not_cuts), [50], [11, 13, 50, 79]) == ([50], [], [], named)


@pytest.mark.parametrize(("counts", "expected"), [((0, 0, 0), 1.0), ((1, 1, 0), 2 / 3), ((0, 0, 1), 0.0)])
def test_f1_of_counts(counts, expected):
    assert scoring.f1(*counts) == pytest.approx(expected)


def test_a_gradual_transition_is_found_where_its_middle_lies_in_the_annotated_one():
    gradual = (Gradual(20, 30, "cross_dissolve"), Gradual(60, 80, "fade_through_black"), Gradual(90, 95, "vfx_morph"))
    right, near, wrong = Transition("dissolve", 18, 29), Transition("fade", 40, 61), Transition("fade", 5, 9)
    pairs, invented = scoring.score_gradual(truth(gradual=gradual), [wrong, right, near])
    assert pairs == [(gradual[0], right), (gradual[1], None)]
    assert invented == [wrong]


def test_presence_is_counted_in_seconds_without_the_unclear():
    segments = (segment(0, 10, "happy", 1), segment(10, 20, "none", 0), segment(20, 30, "unclear", 1))
    samples = [(0, 0.2, True), (9, 0.2, False), (10, 0.1, False), (19, 0.3, True), (25, 5.0, True)]
    scored = scoring.score_presence(truth(segments=segments), samples)
    assert scored[:4] == pytest.approx((0.4, 0.2, 0.4, 0.1))
    assert scored.wrong_frames == [9, 19]
    assert scored.right == pytest.approx(0.375)


def test_the_insides_of_shots_leave_out_the_frames_of_a_dissolve():
    marked = truth(((10, 31),), (Gradual(20, 30, "cross_dissolve"), Gradual(50, 60, "vfx_morph_same_shot")))
    assert marked.shots() == [(0, 10), (10, 20), (31, 100)]


def test_a_lone_shot_has_one_person_at_most_and_shows_the_face():
    segments = (
        *(segment(0, 10, "none", 0), segment(10, 20, "sad", 1), segment(20, 40, "happy", 2)),
        *(segment(40, 60, "happy", 1), segment(60, 100, "none", 0)),
    )
    marked = truth(((20, 40, 60),), segments=segments)
    scored = scoring.score_lone_shots(marked, [(0, 12), (1, 19), (2, 30), (3, 41), (3, 59), (4, 60)])
    assert scored == [(0, 20, {0, 1}), (40, 60, {3})]


def test_macro_recall_averages_over_the_true_labels():
    assert scoring.macro_recall({"sad": {"sad": 1, "angry": 3}, "happy": {"happy": 2}}) == pytest.approx(0.625)


def test_each_face_is_found_once():
    assert scoring.paired(np.array([[0.9, 0.6], [0.8, 0.0]]), 0.5) == 1
    assert scoring.paired(np.array([[0.9, 0.6], [0.3, 0.8]]), 0.5) == 2
    assert scoring.paired(np.zeros((2, 0)), 0.5) == 0


def test_annotations_read_back_with_their_alternatives(films: Path):
    read = scoring.read_truth(films / "truth" / "film_tos_couple_bridge_1080p.json")
    both = read.segment_at(90)
    assert both is not None
    assert both.accepted == {"happy", "neutral"}
    assert both.per_person == {"thom": "happy", "celia": "neutral"}
    assert scoring.read_truth(films / "truth" / "acted_face_then_noface.json").cuts == ((72,), (73,), (72, 73))
