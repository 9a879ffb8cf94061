from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from scenefer.analysis.observation import Models, ObservationSettings, combine, observe, reclassify
from scenefer.core import tables
from scenefer.video import ArrayPicture, Frame
from tests.toy_models import BrightnessAsLogit, OneFaceWhereItIsBright

MODELS = Models(OneFaceWhereItIsBright(), BrightnessAsLogit())


def film(n: int = 50, rate: float = 25.0, sampled_every: int = 5) -> list[Frame]:
    """Grey frames that grow brighter; bright ones have a face."""
    shades = np.linspace(60, 200, n).astype(np.uint8)
    frames = []
    for i, shade in enumerate(shades):
        pixels = np.full((90, 160, 3), shade, np.uint8)
        pixels[::2] += 20  # texture, for the sharpness
        frames.append(Frame(i, i / rate, pixels, ArrayPicture(pixels), sampled=i % sampled_every == 0))
    return frames


def test_every_frame_has_a_row_and_every_face_of_a_sampled_one():
    observation = observe(film(), MODELS)
    assert observation.frames["time"].tolist() == [i / 25 for i in range(50)]
    assert observation.frames["sampled"].sum() == 10
    assert observation.frames["cut_score"].isna().tolist() == [True] + [False] * 49
    bright = [frame for frame in film() if frame.pixels is not None and frame.pixels.mean() > 100]
    assert observation.faces["time"].tolist() == [frame.time for frame in bright]
    assert observation.faces["face"].tolist() == list(range(len(bright)))
    for name, table in observation._asdict().items():
        tables.check(table, name)


def test_two_chunks_joined_are_the_whole():
    whole = observe(film(), MODELS)
    for cut in (1, 7, 25, 49):
        frames = film()
        second = [frames[cut - 1]._replace(run_up=True), *frames[cut:]]
        joined = combine([observe(frames[:cut], MODELS), observe(second, MODELS)])
        for expected, got in zip(whole, joined, strict=True):
            pd.testing.assert_frame_equal(expected, got)


def test_boxes_are_in_pixels_of_the_film_whatever_the_detector_saw():
    small = observe(film(), MODELS, ObservationSettings(detection_pixels=90 * 160))
    reduced = observe(film(), MODELS, ObservationSettings(detection_pixels=45 * 80))
    assert small.faces[["x0", "y0", "x1", "y1"]].iloc[0].tolist() == [20, 20, 60, 70]
    assert reduced.faces[["x0", "y0", "x1", "y1"]].iloc[0].tolist() == [40, 40, 120, 140]


def test_no_frames_and_no_faces_are_empty_tables():
    nothing = observe([], MODELS)
    assert [len(table) for table in nothing] == [0, 0, 0]
    dark = observe(film()[:5], MODELS)
    assert len(dark.faces) == 0
    assert dark.faces.dtypes.equals(tables.empty("faces").dtypes)


def test_pictures_are_kept_on_the_grid_and_after_a_change():
    frames = film(n=150)
    frames[70:] = [frame._replace(small=255 - frame.small) for frame in frames[70:]]
    kept = observe(frames, MODELS, ObservationSettings(picture_cut=0.05)).pictures["time"].tolist()
    assert kept == [0.0, 2.0, 70 / 25, 4.0]


def test_crops_are_kept_unless_they_are_unwanted():
    assert observe(film(), MODELS).faces["crop"].notna().all()
    assert observe(film(), MODELS, ObservationSettings(crops=False)).faces["crop"].isna().all()


def test_other_weights_read_the_stored_crops():
    faces = observe(film(), MODELS).faces
    again = reclassify(faces, BrightnessAsLogit(), "mtcnn")
    first = np.array(faces["logits"].tolist())
    second = np.array(again["logits"].tolist())
    np.testing.assert_allclose(first, second, atol=0.2)  # JPEG; a logit is brightness / 10
    with pytest.raises(ValueError, match="crops"):
        reclassify(faces.assign(crop=None), BrightnessAsLogit(), "mtcnn")


def test_many_stored_faces_give_signs_of_life_while_they_are_read():
    faces = pd.concat([observe(film(), MODELS).faces.iloc[:1]] * 100, ignore_index=True)
    beats: list[int] = []
    again = reclassify(faces, BrightnessAsLogit(), "mtcnn", lambda: beats.append(1))
    assert len(again) == 100
    assert len(beats) >= 3
