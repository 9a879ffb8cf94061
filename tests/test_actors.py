"""Tracks of one person come together, those of two never where both are seen at once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

import scenefer
from scenefer import geometry
from scenefer.actors import ActorSettings, group, group_tracks
from scenefer.models import identity, zoo
from tests.builders import faces_table, tracks_table

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


class ColourAsVector:
    sha256 = "0" * 64

    def vectors(self, crops: Sequence[np.ndarray], landmarks: np.ndarray) -> np.ndarray:
        return np.array([crop.mean(axis=(0, 1)) / 255 for crop in crops], np.float32)


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
    actors = group_tracks(faces, tracks, ColourAsVector())["actor"]
    assert actors.astype(object).where(actors.notna(), None).tolist() == [0, 1, 0, None, None]


def test_two_faces_in_one_picture_are_two_people():
    red = coloured(250, 0, 0)
    faces = faces_table(time=[0.0, 0.0, 5.0], crop=[red] * 3).assign(track=[0, 1, 2])
    actors = group_tracks(faces, tracks_table(track=[0, 1, 2], start=[0.0, 0.0, 5.0]), ColourAsVector())["actor"]
    assert actors[0] != actors[1]
    assert actors[2] in (actors[0], actors[1])


def test_without_crops_nobody_is_known():
    faces = faces_table(time=[0.0], crop=None).assign(track=[0])
    assert group_tracks(faces, tracks_table(track=[0], start=[0.0]), ColourAsVector())["actor"].isna().all()


def test_the_network_keeps_a_face_near_its_darker_smaller_mirrored_copies():
    path = Path(scenefer.__file__).parent / "assets" / "portrait.jpg"
    picture = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
    half = cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    pictures = [picture, (picture * 0.5).astype(np.uint8), half, np.ascontiguousarray(picture[:, ::-1])]
    detector = zoo.load_detector("mtcnn", smallest_face=24)
    crops, points = [], []
    for found, seen in zip(detector.detect(pictures), pictures, strict=True):
        crops += geometry.crop_faces([seen], found.boxes[:1])
        points.append(geometry.in_crop(found.boxes[:1], found.landmarks[:1])[1])
    reader = identity.load(path.parents[1] / "weights" / "face_identity.safetensors")
    vectors = reader.vectors(crops, np.concatenate(points))
    assert vectors.shape == (4, 128)
    assert np.linalg.norm(vectors - vectors[0], axis=1).max() < 0.35
    noise = np.random.default_rng(0).integers(0, 255, (150, 150, 3), np.uint8)
    assert np.linalg.norm(reader.vectors([noise], points[0]) - vectors[0]) > ActorSettings().farthest
