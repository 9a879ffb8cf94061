"""A cast folder names people, or is refused with a remedy."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

import scenefer
from scenefer.analysis.cast import read_cast
from scenefer.core.errors import PlanError
from scenefer.models import Detections
from scenefer.pipeline import film_analysis
from scenefer.pipeline.plans import make_plan

PORTRAIT = Path(scenefer.__file__).parent / "assets" / "portrait.jpg"


class LeftAndRight:
    """Finds a small face on the left and a large one on the right, unless the picture is black."""

    def detect(self, pictures):
        boxes = np.array([[0, 0, 10, 10], [20, 0, 40, 20]], np.float32)
        landmarks = np.stack([boxes[:, None, :2]] * 5, axis=1)[:, :, 0] + 1
        return [
            Detections(boxes, landmarks.astype(np.float32), np.array([0.9, 0.8], np.float32))
            if picture.max() > 9
            else Detections(np.empty((0, 4)), np.empty((0, 5, 2)), np.empty(0))
            for picture in pictures
        ]


class MeanColour:
    sha256 = "0" * 64

    def vectors(self, crops, landmarks):
        return np.array([crop[crop.shape[0] // 2, crop.shape[1] // 2] / 255 for crop in crops], np.float32)


def picture(path: Path, left: int, right: int) -> None:
    pixels = np.zeros((40, 60, 3), np.uint8)
    pixels[:, :15], pixels[:, 15:] = left, right
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), pixels)


def test_a_person_is_the_mean_of_the_largest_faces_of_the_pictures(tmp_path: Path):
    picture(tmp_path / "Budi" / "1.png", 255, 100)
    picture(tmp_path / "Budi" / "2.png", 255, 50)
    picture(tmp_path / "Ana" / "1.png", 10, 255)
    cast = read_cast(tmp_path, LeftAndRight(), MeanColour())
    assert cast.names == ("Ana", "Budi")
    assert cast.vectors[:, 0] == pytest.approx([1, 75 / 255], abs=0.01)
    assert cast.notices == ()


def test_another_picture_or_another_name_is_another_cast(tmp_path: Path):
    def found() -> str:
        return read_cast(tmp_path, LeftAndRight(), MeanColour()).id

    picture(tmp_path / "Ana" / "1.png", 10, 255)
    ids = [found(), found()]
    assert ids[0] == ids[1]
    picture(tmp_path / "Ana" / "2.png", 10, 200)
    ids.append(found())
    (tmp_path / "Ana").rename(tmp_path / "Budi")
    ids.append(found())
    assert len(set(ids)) == 3


def test_what_is_no_picture_or_shows_no_face_is_named(tmp_path: Path):
    picture(tmp_path / "Ana" / "1.png", 10, 255)
    picture(tmp_path / "Ana" / "black.png", 0, 0)
    (tmp_path / "Ana" / "list.txt").write_text("x")
    (tmp_path / "Ana" / ".DS_Store").write_text("x")
    notices = read_cast(tmp_path, LeftAndRight(), MeanColour()).notices
    assert ["black.png" in notices[0], "list.txt is no picture" in notices[1], len(notices)] == [True, True, 2]


def test_a_folder_that_is_no_cast_is_refused_with_a_remedy(tmp_path: Path):
    with pytest.raises(PlanError, match="there is no such folder; give one"):
        read_cast(tmp_path / "none", LeftAndRight(), MeanColour())
    with pytest.raises(PlanError, match="holds no folder of a person"):
        read_cast(tmp_path, LeftAndRight(), MeanColour())
    picture(tmp_path / "Ana" / "black.png", 0, 0)
    with pytest.raises(PlanError, match="no face was found in a picture of it; add a frontal one"):
        read_cast(tmp_path, LeftAndRight(), MeanColour())


def test_a_cast_without_people_is_refused(tmp_path: Path):
    plan = make_plan(options={"models.identity": ""})
    with pytest.raises(PlanError, match="--cast names people, who are off"):
        film_analysis.read_cast(tmp_path, plan)


def test_a_photograph_is_read_by_the_networks_that_ship(tmp_path: Path):
    (tmp_path / "Astronaut").mkdir()
    shutil.copy(PORTRAIT, tmp_path / "Astronaut" / "portrait.jpg")
    cast = film_analysis.read_cast(tmp_path, make_plan())
    assert cast.names == ("Astronaut",)
    assert cast.vectors.shape == (1, 128)
