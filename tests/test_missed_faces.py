"""Stretches in which faces are missed or invented, and the reasons that stay with them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pandas as pd

from benchmarks import missed_faces, scoring
from benchmarks.missed_faces import Stretch
from scenefer.analysis.result import Analysis
from tests.builders import expressions_table, frames_table, samples_table

TIMES = [0.2 * k for k in range(20)]  # of five frames a second, all sampled


def annotated(*segments: tuple[int, int, str, int]) -> scoring.Truth:
    """A clip without cuts; begin, end, emotion and people of each segment."""
    made = tuple(scoring.Segment(a, b, emotion, n, frozenset(), {}, {}, None) for a, b, emotion, n in segments)
    return scoring.Truth("clip.mp4", ((),), (), (), made, len(TIMES))


def run(found: dict[int, int], why: Any = None) -> Analysis:
    """A run in which so many faces are found in these frames."""
    times = [TIMES[frame] for frame, n in found.items() for _ in range(n)]
    made = SimpleNamespace(
        frames=frames_table(time=TIMES), samples=samples_table(time=TIMES), expressions=expressions_table(time=times)
    )
    if why is not None:
        made.expressions["why"] = pd.Series([why] * len(times), dtype=object)
    return cast("Analysis", made)


def test_a_face_that_is_missed_for_more_than_a_second_is_listed_and_a_shorter_miss_is_not():
    one = annotated((0, 20, "happy", 1))
    listed = missed_faces.stretches(one, run({frame: 1 for frame in range(20) if not 4 <= frame < 12 and frame != 15}))
    assert listed == [Stretch("clip.mp4", 0.8, 2.4, "missed", "0 found of 1")]


def test_faces_where_nobody_is_are_invented_and_those_that_are_not_believed_are_none():
    one = annotated((0, 20, "none", 0))
    found = {frame: 1 for frame in range(10)}
    assert [s.kind for s in missed_faces.stretches(one, run(found))] == ["invented"]
    assert missed_faces.stretches(one, run(found, "low score")) == []


def test_unclear_faces_are_compared_too_and_a_stretch_ends_with_its_segment():
    one = annotated((0, 10, "unclear", 2), (10, 20, "sad", 1))
    listed = missed_faces.stretches(one, run({frame: 1 for frame in range(5)}))
    assert [(s.start, s.end, s.what) for s in listed] == [
        (0.0, 2.0, "0 or 1 found of 2, annotated as unclear"),
        (2.0, 4.0, "0 found of 1"),
    ]


def test_a_reason_stays_with_the_stretch_that_it_overlaps_most():
    known = [Stretch("clip.mp4", 0.0, 2.0, "missed", "", "dark"), Stretch("clip.mp4", 2.0, 9.0, "missed", "", "small")]
    found = [
        Stretch("clip.mp4", 1.8, 4.0, "missed", "0 found of 1"),
        Stretch("clip.mp4", 1.8, 4.0, "invented", "1 found of 0"),
        Stretch("other.mp4", 0.0, 2.0, "missed", "0 found of 1"),
    ]
    told = missed_faces.with_reasons(found, known)
    assert [one.reason for one in told] == ["small", missed_faces.UNKNOWN, missed_faces.UNKNOWN]
    assert "None is invented" not in missed_faces.table(told)
    assert "None is invented" in missed_faces.table(known)
