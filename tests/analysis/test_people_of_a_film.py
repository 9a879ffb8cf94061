"""The people of the annotated film, and how pairs of tracks are counted."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks import people, scoring
from scenefer.analysis.result import Analysis
from scenefer.pipeline import api
from scenefer.pipeline.plans import make_plan


def test_pairs_are_right_wrong_or_missed():
    assert people.pairs("AABB", [0, 0, 0, 1]) == (1, 2, 1)
    assert people.pairs("AABB", [0, 0, 0, 1]).f1 == pytest.approx(2 / 5)
    assert people.pairs("AAB", [None, None, None]) == (0, 0, 1)
    assert people.pairs("A", [0]).f1 == 0


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def found(films: Path, cache: Path) -> Analysis:
    import torch

    torch.set_num_threads(1)
    return api.analyze(films / "testfilm_720p25.mp4", data=cache)


def test_tracks_of_the_annotated_film_are_grouped_as_a_person_would(films: Path, found: Analysis):
    truth = scoring.read_truth(films / "truth" / "testfilm_720p25.json")
    matched, counted = people.of_film(truth, found)
    assert matched.n_matched / matched.n_boxes >= people.LEAST_MATCHED
    assert len(matched.person_of) >= 20
    assert counted.f1 >= people.LEAST_F1


def test_no_two_faces_of_one_picture_are_one_person(found: Analysis):
    seen = found.expressions[["time", "track"]].merge(found.tracks[["track", "actor"]], on="track").dropna()
    assert len(seen) > 300
    assert not seen.duplicated(["time", "actor"]).any()


def test_people_are_the_same_however_the_film_is_divided(films: Path, found: Analysis, cache: Path):
    """Also between two runs: nothing is taken from the cache, but everything is decoded anew."""
    shorter = make_plan(options={"run.longest_chunk": 11.0})
    again = api.analyze(films / "testfilm_720p25.mp4", shorter, data=cache / "shorter")
    assert again.run["timings"]["pieces"] > found.run["timings"]["pieces"]
    # A detector's boxes differ by 1e-4 px with the pictures that it sees together, and bfloat16 makes that visible.
    pd.testing.assert_frame_equal(found.tracks, again.tracks, check_exact=False, rtol=0, atol=0.01)
    assert found.tracks["actor"].equals(again.tracks["actor"])


def test_a_cast_names_its_people_and_nobody_else(films: Path, found: Analysis, cache: Path):
    import cv2

    faces = found.faces.merge(found.expressions[["face", "track"]], on="face")
    cast = cache / "cast"
    for name, time in {"Barley": 9.2, "Speaker": 21.0}.items():
        crop = faces.iloc[(faces["time"] - time).abs().argmin()]["crop"]
        picture = cv2.imdecode(np.frombuffer(crop, np.uint8), cv2.IMREAD_COLOR)
        assert picture is not None
        (cast / name).mkdir(parents=True)
        framed = cv2.copyMakeBorder(picture, 40, 40, 40, 40, cv2.BORDER_REPLICATE)
        cv2.imwrite(os.fspath(cast / name / "still.png"), framed)
    (cast / "Barley" / "notes.txt").write_text("no picture")
    named = api.analyze(films / "testfilm_720p25.mp4", data=cache, cast=cast)
    told = named.tracks.dropna(subset=["actor_name"])
    assert dict(zip(told["track"], told["actor_name"], strict=True)) == {3: "Barley", 7: "Speaker", 20: "Speaker"}
    views = set(named.scene_emotions["view"])
    assert views == {"screen_time", "equal_actor", "character:Barley", "character:Speaker"}
    assert any("notes.txt is no picture" in warning for warning in named.run["warnings"])


def test_two_actors_who_look_alike_to_the_network_stay_two(hunted: Path):
    """Their tracks lie 0.53 apart."""
    assert api.analyze(hunted / "three_actors.mp4").tracks["actor"].tolist() == [0, 1, 2]
