"""What `explain` draws is put into words, and the pictures stay what they are."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

import scenefer
from scenefer.models.expression.grad_cam import SIDE
from scenefer.pipeline import explanation
from scenefer.pipeline.explanation import explain_face
from scenefer.report.explained_figure import figure

PORTRAIT = Path(scenefer.__file__).parent / "assets" / "portrait.jpg"


def test_the_pictures_stand_in_the_figure_as_they_are_below_their_names():
    drawn = np.random.default_rng(0).integers(0, 256, (2 * SIDE, 4 * SIDE, 3), np.uint8)
    page = figure(drawn, SIDE, "surprise", "face 0 of a.png")
    places = [
        (row, column)
        for row in range(page.shape[0] - drawn.shape[0])
        for column in range(page.shape[1] - drawn.shape[1] + 1)
        if (page[row, column : column + 8] == drawn[0, :8]).all()
    ]
    ((row, column),) = places
    assert (page[row : row + drawn.shape[0], column : column + drawn.shape[1]] == drawn).all()
    for k in range(4):  # something is written over every column
        named = page[row - 22 : row, column + k * SIDE : column + (k + 1) * SIDE]
        assert (named < 200).any()
    assert (figure(drawn, SIDE, "fear", "face 0 of a.png") != page).any()


def test_a_picture_is_explained():
    emotion, drawn, _ = explain_face(PORTRAIT, 0)
    assert emotion == "happy"
    assert drawn.shape[1] == 6 * SIDE + 32
    assert drawn.shape[0] > SIDE + 90


def test_a_large_photograph_is_explained_by_the_face_that_its_small_copy_shows(tmp_path: Path):
    """A face of 2,000 px is larger than any that a detector is made for, unless the picture is reduced."""
    small = cv2.imread(str(PORTRAIT))
    large = cv2.resize(small, (4000, 4000 * small.shape[0] // small.shape[1]), interpolation=cv2.INTER_CUBIC)
    cv2.imwrite(str(tmp_path / "large.png"), large)
    (crop, square), (of_small, as_small) = (explanation._of_picture(p, 0) for p in (tmp_path / "large.png", PORTRAIT))
    np.testing.assert_allclose(square, as_small, atol=0.02)
    crop = cv2.resize(crop, of_small.shape[:2], interpolation=cv2.INTER_AREA)
    assert np.abs(crop.astype(int) - of_small).mean() < 12
