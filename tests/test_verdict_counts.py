"""Scenes that a director would list of an annotated clip, and how verdicts on them are counted."""

from __future__ import annotations

from benchmarks.scoring import Segment, Truth
from benchmarks.verdicts import Judged, always_neutral, count, scenes_of


def segment(start: int, end: int, emotion: str, *others: str, people: int = 1) -> Segment:
    return Segment(start, end, emotion, people, frozenset([emotion, *others]), {}, {}, None)


def scenes(*segments: Segment) -> list[tuple[int, int, str, set[str]]]:
    one = Truth("a.mp4", ((),), (), (), segments, 100)
    return [(scene.start, scene.end, scene.emotion, set(scene.accepted)) for scene in scenes_of(one)]


def test_adjacent_segments_of_one_emotion_are_a_scene_that_accepts_what_both_do():
    assert scenes(segment(0, 20, "sad", "neutral", "fear"), segment(20, 50, "sad", "fear"), segment(60, 80, "sad")) == [
        (0, 50, "sad", {"sad", "fear"}),
        (60, 80, "sad", {"sad"}),
    ]


def test_scenes_do_not_overlap_in_a_dissolve_and_show_a_face():
    assert scenes(
        segment(0, 30, "happy"),
        segment(25, 60, "neutral"),
        segment(60, 70, "none", people=0),
        segment(70, 90, "unclear"),
    ) == [(0, 30, "happy", {"happy"}), (30, 60, "neutral", {"neutral"})]


def judged(emotion: str, intended: str, verdict: str, *accepted: str) -> Judged:
    return Judged("a.mp4", emotion, intended, intended in (emotion, *accepted), verdict)


def test_what_a_viewer_accepts_beside_the_annotated_emotion_counts_on_neither_side():
    counted = count(
        [
            judged("neutral", "neutral", "match", "sad"),
            judged("neutral", "sad", "mismatch", "sad"),
            judged("neutral", "angry", "mismatch", "sad"),
            judged("angry", "angry", "partial"),
            judged("angry", "neutral", "match"),
            judged("fear", "fear", ""),
            judged("fear", "happy", ""),
        ]
    )
    assert (counted["scenes"], counted["too_few_faces"], counted["wrong"]) == (2, 1, [])
    assert counted["shown"] == {"match": 1, "partial": 1, "mismatch": 0, "n": 2}
    assert counted["calm"] == {"match": 1, "partial": 0, "mismatch": 0, "n": 1}
    assert counted["other"] == {"match": 1, "partial": 0, "mismatch": 1, "n": 2}


def test_the_constant_answer_is_sure_of_itself_and_says_nothing_without_faces():
    assert always_neutral(judged("angry", "angry", "match")).verdict == "mismatch"
    assert always_neutral(judged("angry", "neutral", "partial")).verdict == "match"
    assert always_neutral(judged("angry", "neutral", "")).verdict == ""
