"""A track is divided where another person suddenly stands in one's place, and nowhere else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from scenefer import video
from scenefer.analysis.face_vectors import FaceVectors
from scenefer.analysis.result import save
from scenefer.analysis.track_splitting import changes
from scenefer.analysis.tracks import divide_tracks
from scenefer.pipeline import api
from scenefer.pipeline.reclassification import reclassify
from tests.builders import faces_table, shots_table
from tests.clips import write_clip
from tests.toy_models import BLUE, RED, ColourAsVector, picture


@pytest.mark.parametrize(
    ("faces", "parts"),
    [
        pytest.param([picture(0, RED)] * 3 + [picture(1, BLUE)] * 3, [0, 0, 0, 1, 1, 1], id="another person"),
        pytest.param([picture(0, RED)] * 3 + [picture(1, RED)] * 3, [0] * 6, id="the same one turns fast"),
        pytest.param([picture(0, RED)] * 3 + [picture(0, BLUE)] * 3, [0] * 6, id="the light changes"),
        pytest.param(
            [picture(0, RED)] * 2 + [picture(1, BLUE)] * 2 + [picture(2, RED)] * 2, [0, 0, 1, 1, 2, 2], id="and back"
        ),
        pytest.param([picture(0, RED)] * 2 + [picture(k, RED) for k in range(1, 5)], [0] * 6, id="unsteady"),
    ],
)
def test_a_change_is_one_of_picture_and_person(faces: list[bytes], parts: list[int]):
    linked = faces_table(time=[0.2 * k for k in range(6)], crop=faces).assign(track=7)
    shuffled = linked.sample(frac=1, random_state=0)
    assert changes(shuffled, FaceVectors(ColourAsVector())).sort_index().tolist() == parts


def test_faces_without_crops_are_left_alone():
    linked = faces_table(time=[0.0, 0.2], crop=[None, None]).assign(track=0)
    assert changes(linked, FaceVectors(ColourAsVector())).tolist() == [0, 0]


def test_parts_are_numbered_by_first_appearance_then_from_left_to_right():
    faces = faces_table(time=[0.0, 0.0, 0.2, 0.2], x0=[10, 300, 10, 300], x1=[90, 380, 90, 380])
    linked = faces.assign(track=[1, 0, 1, 0]).iloc[::-1]
    part = pd.Series([0, 0, 0, 1], index=faces.index).loc[linked.index]
    divided, tracks = divide_tracks(linked, part, shots_table(start=[0.0], end=[1.0]))
    assert divided.sort_index()["track"].tolist() == [0, 1, 0, 2]
    assert tracks["n_faces"].tolist() == [2, 1, 1]
    assert tracks["start"].tolist() == [0.0, 0.0, 0.2]


def test_the_half_that_changes_in_a_split_screen_is_two_people(hunted: Path, tmp_path: Path):
    found = api.analyze(hunted / "split_screen_change.mp4")
    assert found.tracks["actor"].tolist() == [0, 1, 2]
    assert found.tracks["start"].tolist() == pytest.approx([0.0, 0.0, 3.0], abs=0.1)
    assert found.tracks["n_faces"].sum() == len(found.faces)
    save(found, tmp_path / "run", {})
    again = reclassify(tmp_path / "run", "rmn_face")
    pd.testing.assert_frame_equal(again.tracks, found.tracks)
    # A run of other rules keeps what they found: its shots, and so its tracks and people.
    shots = pd.concat([found.shots, found.shots.assign(shot=1, start=3.0)], ignore_index=True)
    shots.loc[0, "end"] = 3.0
    moved = replace(found, shots=shots, tracks=found.tracks.assign(shot=[0, 0, 1]))
    save(moved, tmp_path / "moved", {})
    again = reclassify(tmp_path / "moved", "rmn_face")
    pd.testing.assert_frame_equal(again.tracks, moved.tracks)
    assert again.shots["start"].tolist() == [0.0, 3.0]


def test_a_television_that_changes_the_channel_shows_two_people(films: Path, tmp_path: Path):
    first, second = (_faces_of(films / f"acted_{name}.mp4") for name in ("happy_ai", "sad_to_happy_pexels"))
    found = api.analyze(write_clip(tmp_path / "tv.mp4", _in_a_room([*first, *second])))
    assert len(found.shots) == 1
    assert found.tracks["actor"].nunique() == 2


def test_one_person_on_it_stays_one(films: Path, tmp_path: Path):
    shown = _faces_of(films / "acted_happy_ai.mp4")
    found = api.analyze(write_clip(tmp_path / "tv.mp4", _in_a_room([*shown, *shown[::-1]])))
    assert found.tracks["actor"].nunique() == 1


def _faces_of(clip: Path) -> list[np.ndarray]:
    """The first 50 frames of a clip."""
    found = [
        frame.small for frame, _ in zip(video.frames(video.probe(clip), sample_rate=None), range(50), strict=False)
    ]
    assert len(found) == 50
    return [cv2.resize(one, (320, 180), interpolation=cv2.INTER_AREA) for one in found]


def _in_a_room(pictures: list[np.ndarray]) -> list[np.ndarray]:
    """Show pictures on a screen that takes a ninth of the film's picture."""
    room = cv2.resize(np.random.default_rng(0).integers(0, 255, (9, 16, 3), np.uint8), (960, 540))
    frames = [room.copy() for _ in pictures]
    for frame, one in zip(frames, pictures, strict=True):
        frame[180:360, 320:640] = one
    return frames
