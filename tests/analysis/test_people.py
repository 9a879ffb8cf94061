"""Tracks of one person come together, those of two never where both are seen at once."""

from __future__ import annotations

import time
import tracemalloc

import cv2
import numpy as np
import pandas as pd
import pytest

from scenefer.analysis.cast import Cast
from scenefer.analysis.face_vectors import FaceVectors
from scenefer.analysis.people import ActorSettings, group, group_tracks, silhouettes
from tests.builders import faces_table, shots_table, tracks_table
from tests.toy_models import ColourAsVector

NOBODY = np.empty((0, 2), np.int64)


def as_sets(groups: np.ndarray) -> set[frozenset[int]]:
    return {frozenset(np.flatnonzero(groups == one).tolist()) for one in np.unique(groups)}


def by_hand(vectors: np.ndarray, apart: np.ndarray, farthest: float) -> set[frozenset[int]]:
    """Average linkage as its definition says, every mean taken anew."""
    groups = [frozenset([k]) for k in range(len(vectors))]
    banned = {frozenset(pair) for pair in apart.tolist()}

    def mean(a: frozenset[int], b: frozenset[int]) -> float:
        if any(frozenset([i, j]) in banned for i in a for j in b):
            return np.inf
        return float(np.mean([np.linalg.norm(vectors[i] - vectors[j]) for i in a for j in b]))

    while len(groups) > 1:
        gap, i, j = min((mean(a, b), i, j) for i, a in enumerate(groups) for j, b in enumerate(groups) if i < j)
        if gap > farthest:
            break
        groups = [one for k, one in enumerate(groups) if k not in (i, j)] + [groups[i] | groups[j]]
    return set(groups)


@pytest.mark.parametrize("seed", range(20))
def test_groups_are_those_of_average_linkage_by_definition(seed: int):
    rng = np.random.default_rng(seed)
    vectors = (rng.normal(size=(5, 4))[rng.integers(0, 5, 24)] + rng.normal(0, 0.25, (24, 4))).astype(np.float32)
    apart = rng.integers(0, 24, (10, 2))
    apart = apart[apart[:, 0] != apart[:, 1]]
    found = group(vectors, apart, 1.0)
    assert as_sets(found) == by_hand(vectors, apart, 1.0)
    assert (found[apart[:, 0]] != found[apart[:, 1]]).all()


def test_twins_seen_at_once_stay_two():
    vectors = np.zeros((4, 8), np.float32)
    assert len(np.unique(group(vectors, NOBODY, 0.5))) == 1
    assert len(np.unique(group(vectors, np.array([[0, 3]]), 0.5))) == 2


def test_nobody_is_no_group():
    assert group(np.empty((0, 8), np.float32), NOBODY, 0.5).tolist() == []


def actors_of(faces: pd.DataFrame, tracks: pd.DataFrame) -> list[int | None]:
    told = group_tracks(faces, tracks, shots_table(start=[0.0], end=[100.0]), FaceVectors(ColourAsVector())).tracks[
        "actor"
    ]
    return told.astype(object).where(told.notna(), None).tolist()


def coloured(*colour: int) -> bytes:
    return cv2.imencode(".png", np.full((40, 40, 3), colour[::-1], np.uint8))[1].tobytes()


def test_tracks_are_numbered_by_first_appearance_and_poor_ones_are_unknown():
    red, blue = coloured(250, 0, 0), coloured(0, 0, 250)
    faces = faces_table(
        time=[0.0, 0.2, 2.0, 2.2, 4.0, 6.0, 8.0],
        crop=[blue, blue, red, red, blue, red, red],
        yaw=[0, 0, 0, 0, 0, 80, 0],
        x1=[200, 200, 200, 200, 200, 200, 110],
    ).assign(track=[0, 0, 1, 1, 2, 3, 4])
    tracks = tracks_table(track=[0, 1, 2, 3, 4], start=[0.0, 2.0, 4.0, 6.0, 8.0])
    assert actors_of(faces, tracks) == [0, 1, 0, None, None]


def test_two_faces_in_one_picture_are_two_people():
    red = coloured(250, 0, 0)
    faces = faces_table(time=[0.0, 0.0, 5.0], crop=[red] * 3).assign(track=[0, 1, 2])
    first, second, third = actors_of(faces, tracks_table(track=[0, 1, 2], start=[0.0, 0.0, 5.0]))
    assert first != second
    assert third in (first, second)


def test_faces_inside_a_dissolve_are_not_looked_at():
    red, blue, blend = coloured(250, 0, 0), coloured(0, 0, 250), coloured(125, 0, 125)
    faces = faces_table(time=[0.0, 1.8, 2.2, 4.0], crop=[red, blend, blend, blue], sharpness=[100, 900, 900, 100])
    shots = shots_table(start=[0.0, 2.0], end=[2.0, 5.0], transition_start=[None, 1.5], transition_end=[None, 2.5])
    people = group_tracks(
        faces.assign(track=[0, 0, 1, 1]),
        tracks_table(track=[0, 1], start=[0.0, 2.2]),
        shots,
        FaceVectors(ColourAsVector()),
    )
    assert people.tracks["actor"].tolist() == [0, 1]
    assert people.vectors["face"].tolist() == [0, 3]


def test_without_crops_nobody_is_known():
    faces = faces_table(time=[0.0], crop=None).assign(track=[0])
    assert actors_of(faces, tracks_table(track=[0], start=[0.0])) == [None]


def test_a_lone_track_far_from_the_others_is_sure_and_one_between_two_people_is_not():
    vectors = np.array([[0, 0], [0.2, 0], [1, 0], [1.2, 0], [0.55, 0]], np.float32)
    groups = np.array([0, 0, 2, 2, 0])
    sure = silhouettes(vectors, groups, 0.5)
    assert sure[0] == pytest.approx((1.1 - (0.2 + 0.55) / 2) / 1.1)
    assert sure[4] == pytest.approx((0.55 - 0.45) / 0.55)
    alone = silhouettes(np.array([[0.0], [4.0]], np.float32), np.array([0, 1]), 1.0)
    assert alone.tolist() == [0.75, 0.75]
    assert np.isnan(silhouettes(vectors, np.zeros(5, int), 0.5)).all()


def test_confidence_belongs_to_the_track_that_it_speaks_of():
    red, purple, blue = coloured(250, 0, 0), coloured(180, 0, 70), coloured(0, 0, 250)
    faces = faces_table(time=[0.0, 2.0, 4.0, 6.0, 8.0], crop=[blue, red, red, purple, None])
    tracks = tracks_table(track=range(5), start=[0.0, 2.0, 4.0, 6.0, 8.0])
    told = group_tracks(
        faces.assign(track=range(5)), tracks, shots_table(start=[0.0], end=[9.0]), FaceVectors(ColourAsVector())
    )
    sure = told.tracks["actor_confidence"]
    assert told.tracks["actor"].astype(object).where(sure.notna(), None).tolist() == [0, 1, 1, 1, None]
    assert sure[3] < sure[1] == sure[2]


RED_AND_BLUE = Cast(("Ana", "Budi"), np.array([[1, 0, 0], [0, 0, 1]], np.float32))


def test_a_cast_names_the_nearest_people_and_joins_those_of_one_name():
    red, dark, green = coloured(250, 0, 0), coloured(150, 0, 0), coloured(0, 250, 0)
    faces = faces_table(time=[0.0, 2.0, 4.0], crop=[green, dark, red]).assign(track=[0, 1, 2])
    tracks = tracks_table(track=[0, 1, 2], start=[0.0, 2.0, 4.0])
    shots = shots_table(start=[0.0], end=[5.0])
    near = ActorSettings(farthest=0.3, farthest_name=0.56)
    apart = group_tracks(faces, tracks, shots, FaceVectors(ColourAsVector()), near).tracks
    assert apart["actor"].tolist() == [0, 1, 2]
    named = group_tracks(faces, tracks, shots, FaceVectors(ColourAsVector()), near, RED_AND_BLUE).tracks
    assert named["actor"].tolist() == [0, 1, 1]
    assert named["actor_name"].tolist() == [None, "Ana", "Ana"]


def test_of_two_faces_in_one_picture_only_the_nearer_gets_the_name():
    red, dark = coloured(250, 0, 0), coloured(150, 0, 0)
    faces = faces_table(time=[0.0, 0.0], crop=[dark, red]).assign(track=[0, 1])
    tracks = tracks_table(track=[0, 1], start=[0.0, 0.0])
    told = group_tracks(
        faces, tracks, shots_table(start=[0.0], end=[1.0]), FaceVectors(ColourAsVector()), cast=RED_AND_BLUE
    ).tracks
    assert told["actor_name"].tolist() == [None, "Ana"]


def test_two_thousand_tracks_take_no_more_than_five_seconds_and_one_small_matrix():
    """200 people of ten tracks each, as far from each other as the network puts them: 16 MB are 2,000 x 2,000 x 4."""
    rng = np.random.default_rng(0)
    people = rng.normal(0, 0.07, (200, 128))
    vectors = (np.repeat(people, 10, axis=0) + rng.normal(0, 0.025, (2000, 128))).astype(np.float32)
    apart = rng.integers(0, 2000, (500, 2))
    apart = apart[apart[:, 0] // 10 != apart[:, 1] // 10]
    tracemalloc.start()
    began = time.process_time()
    groups = group(vectors, apart, 0.56)
    silhouettes(vectors, groups, 0.56)
    seconds, (_, peak) = time.process_time() - began, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(np.unique(groups)) == 200
    assert seconds < 5
    assert peak < 60e6


def test_the_same_faces_give_the_same_people_in_whatever_order_they_come():
    rng = np.random.default_rng(1)
    colours = rng.integers(0, 255, (12, 3))
    faces = faces_table(time=[float(k) for k in range(12)], crop=[coloured(*colour) for colour in colours.tolist()])
    faces = faces.assign(track=range(12))
    tracks = tracks_table(track=range(12), start=[float(k) for k in range(12)])
    assert actors_of(faces, tracks) == actors_of(faces.iloc[rng.permutation(12)], tracks)
