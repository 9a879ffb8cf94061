"""What a viewer sees is counted as the documents say."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from benchmarks import film_time, portrayed, scoring, stills
from benchmarks.scoring import Segment, Truth
from scenefer.core.schema import EMOTIONS
from scenefer.training import evaluate


def told(
    clip: str, emotion: str, right: float, seconds: float, accepted: tuple[str, ...] = (), read: str = ""
) -> portrayed.Portrayed:
    names = frozenset([emotion, *accepted])
    read = read or emotion
    exact = right if read == emotion else 0.0
    return portrayed.Portrayed(
        clip, 0, 10, "", emotion, names, read, 0.6, 0.6, seconds, right, exact, 0.7, 0.5, (0,), ""
    )  # fmt: skip


def test_clips_count_alike_whatever_their_length_and_so_do_emotions():
    readings = [
        told("long", "neutral", 90.0, 100.0),
        told("short", "happy", 1.0, 2.0),
        told("short", "sad", 0.0, 2.0, accepted=("neutral",), read="fear"),
        told("short", "angry", 0.0, 0.3),  # too little to say anything about
    ]
    found = film_time.film_time(readings)
    assert (found.n_clips, found.n_segments, found.segments_right) == (2, 3, 2)
    assert found.right.value == pytest.approx((0.9 + 1 / 4) / 2)
    assert found.constant.value == pytest.approx((1 + 2 / 4) / 2), "neutral is accepted where a viewer accepts it"
    assert found.exact.value == pytest.approx((0.9 + 1 / 4) / 2)
    assert found.constant_exact.value == pytest.approx(1 / 2), "neutral is what was annotated, not what is accepted too"
    assert found.macro_recall.value == pytest.approx((0.9 + 0.5 + 0.0) / 3)
    assert found.constant_recall == pytest.approx(1 / 3)
    assert found.right.low == pytest.approx(0.25), "of two clips the interval reaches from one to the other"
    assert found.right.high == pytest.approx(0.9)
    assert film_time.from_plain(film_time.plain(found)) == found
    with pytest.raises(ValueError, match="no annotated segment"):
        film_time.film_time(readings[3:])


def test_a_segment_is_right_for_the_time_of_the_faces_that_are_read_as_accepted():
    shares = np.full((4, 7), 0.1)
    shares[[0, 1, 2, 3], [6, 6, 3, 4]] = 0.4
    expressions = pd.DataFrame(shares, columns=list(EMOTIONS)).assign(
        track=0, weight=[0.2, 0.2, 0.4, 0.2], usable=[True, True, True, False], why=None
    )
    segment = Segment(0, 4, "neutral", 1, frozenset(["neutral"]), {}, {}, None)
    (one,) = portrayed.segment_readings(Truth("a", ((),), (), (), (segment,), 4), expressions, np.arange(4))
    assert (one.right_seconds, one.face_seconds, one.confidence) == pytest.approx((0.4, 0.8, 0.4))
    assert one.loss == pytest.approx(-(0.4 * np.log(0.4) + 0.4 * np.log(0.1)) / 0.8)


def test_stills_of_a_clip_are_read_together_and_a_face_that_is_not_found_counts_in_all_alone():
    happy, sad = EMOTIONS.index("happy"), EMOTIONS.index("sad")
    found = np.array([True, True, True, False, True])
    located = stills.Located(
        evaluate.Located(found, None, [], np.empty((0, 4))),
        np.array([happy, happy, sad, sad, stills.CONSTANT]),
        np.array(["a", "a", "b", "b", "c"]),
    )
    shares = np.full((4, 7), 0.05)
    shares[0, happy], shares[1, sad], shares[2, sad], shares[3, stills.CONSTANT] = 0.7, 0.4, 0.7, 0.7
    counted = stills.score(shares, located)
    assert counted.found == (3, 4, 1)
    assert counted.all == (3, 5, 1)
    assert counted.tracks == (1, 1, 0), "one clip of two stills found; the mean of its shares is happy"
    assert stills.from_plain(stills.plain(counted)) == counted


def test_every_clip_of_the_truth_files_can_be_read():
    from benchmarks import truth

    if not truth.FILMS.is_dir():
        pytest.skip(f"the annotated clips are not at {truth.FILMS}")
    truths = [scoring.read_truth(path) for path in sorted((truth.FILMS / "truth").glob("*.json"))]
    assert sum(bool(one.shows_face) for each in truths for one in each.segments) >= 60
