from __future__ import annotations

import cv2
import numpy as np
import pytest

from scenefer.core import geometry
from scenefer.core.geometry import (
    CROP_LARGEST,
    CROP_MARGIN,
    crop_faces,
    crop_squares,
    in_crop,
    iou,
    levelling,
    pitch,
    roll,
    sharpness,
    yaw,
)

# Eyes 60 px apart, the nose tip 20 px below them and 180/7 px (the model's depth) before, the mouth 60 px below.
HEAD = np.array([[-30, 0, 0], [30, 0, 0], [0, 30, 30 * geometry._NOSE_DEPTH], [-22, 60, 0], [22, 60, 0]], np.float64)


def turned(degrees: float, tilt: float = 0.0) -> np.ndarray:
    """Landmarks (1, 5, 2) of the head above turned to the picture's right, then tilted in the picture's plane."""
    angle, roll = np.radians([degrees, tilt])
    x, y = HEAD[:, 0] * np.cos(angle) + HEAD[:, 2] * np.sin(angle), HEAD[:, 1]
    seen = np.stack([x * np.cos(roll) - y * np.sin(roll), x * np.sin(roll) + y * np.cos(roll)], axis=1)
    return (seen + np.array([300, 200]))[None].astype(np.float32)


def test_iou_of_equal_apart_touching_and_half_shared_boxes():
    a = np.array([[0, 0, 10, 10]], float)
    b = np.array([[0, 0, 10, 10], [20, 0, 30, 10], [10, 0, 20, 10], [5, 0, 15, 10], [3, 3, 3, 3]], float)
    np.testing.assert_allclose(iou(a, b), [[1, 0, 0, 1 / 3, 0]])
    np.testing.assert_allclose(iou(b, a), iou(a, b).T)
    assert iou(a[:0], b).shape == (0, 5)


def test_iou_of_empty_boxes_is_0():
    empty = np.array([[5, 5, 5, 5]], float)
    assert iou(empty, empty) == 0


def test_boxes_of_another_shape_are_an_error():
    with pytest.raises(ValueError, match=r"b must have shape \(N, 4\), got \(4,\)"):
        iou(np.zeros((1, 4)), np.zeros(4))


@pytest.mark.parametrize("tilt", [0, 25, -90, 180])
@pytest.mark.parametrize("degrees", [-80, -45, -10, 0, 30, 45, 80])
def test_yaw_is_the_turn_of_the_model_head_however_it_is_tilted(degrees: float, tilt: float):
    np.testing.assert_allclose(yaw(turned(degrees, tilt)), [degrees], atol=1e-3)


def test_yaw_does_not_depend_on_the_size_of_the_face():
    np.testing.assert_allclose(yaw(turned(33) * 4), [33], atol=1e-3)


def test_yaw_of_many_faces_and_of_none():
    many = np.concatenate([turned(20), turned(-20)])
    np.testing.assert_allclose(yaw(many), [20, -20], atol=1e-3)
    assert yaw(many[:0]).shape == (0,)


def test_a_head_turned_further_than_the_profile_counts_as_profile():
    assert yaw(turned(120))[0] == pytest.approx(90)


def test_landmarks_on_one_point_have_some_yaw_and_no_warning():
    assert np.isfinite(yaw(np.full((1, 5, 2), 7.0))).all()


def checkerboard(size: int, period: int) -> np.ndarray:
    y, x = np.mgrid[:size, :size]
    return np.repeat((((x // period + y // period) % 2) * 255).astype(np.uint8)[..., None], 3, axis=2)


def test_blurring_lowers_sharpness_and_a_flat_face_has_none():
    crop = checkerboard(96, 8)
    whole = np.array([[0, 0, 1, 1]] * 4, np.float32)
    blurs = [crop, cv2.GaussianBlur(crop, (0, 0), 2), cv2.GaussianBlur(crop, (0, 0), 6), np.full_like(crop, 90)]
    values = sharpness(blurs, whole)
    assert (np.diff(values) < 0).all()
    assert values[-1] == 0


def test_only_the_box_of_the_crop_counts_towards_sharpness():
    crop = np.full((100, 100, 3), 90, np.uint8)
    crop[:, 50:] = checkerboard(100, 4)[:, 50:]
    sharp, flat = sharpness([crop, crop], np.array([[0.55, 0, 1, 1], [0, 0, 0.45, 1]]))
    assert sharp > 1000
    assert flat == 0


def test_an_enlarged_face_is_less_sharp_than_the_same_face_seen_large():
    large = cv2.resize(checkerboard(12, 2), (96, 96), interpolation=cv2.INTER_NEAREST)
    whole = np.array([[0, 0, 1, 1]] * 2, np.float32)
    small_face, large_face = sharpness([checkerboard(12, 2), large], whole)
    assert small_face < large_face


def test_a_box_without_area_has_a_sharpness_all_the_same():
    assert sharpness([checkerboard(20, 2)], np.array([[0.5, 0.5, 0.5, 0.5]])) == 0
    assert sharpness([], np.zeros((0, 4))).shape == (0,)


def test_a_crop_is_a_square_around_the_box_and_never_enlarged():
    pixels = np.random.default_rng(0).integers(0, 255, (200, 300, 3), np.uint8)
    box = np.array([[100, 80, 120, 120]], np.float32)
    (crop,) = crop_faces(pixels, box)
    side = round(40 * CROP_MARGIN)
    left, top = 110 - side // 2, 100 - side // 2
    np.testing.assert_array_equal(crop, pixels[top : top + side, left : left + side])


def test_a_large_crop_is_reduced():
    pixels = np.zeros((400, 400, 3), np.uint8)
    assert crop_faces(pixels, np.array([[50, 50, 350, 350]]))[0].shape == (CROP_LARGEST, CROP_LARGEST, 3)


def test_edges_are_replicated_where_a_crop_leaves_the_picture():
    pixels = np.zeros((50, 50, 3), np.uint8)
    pixels[:, 0] = 200
    (crop,) = crop_faces(pixels, np.array([[-10, 10, 10, 30]]))
    assert crop.shape == (28, 28, 3)
    assert (crop[:, :15] == 200).all()
    assert (crop[:, 15:] == 0).all()


def test_a_box_beside_the_picture_still_has_a_crop():
    for box in ([-80, -80, -60, -60], [90, 90, 110, 110]):
        assert crop_faces(np.full((50, 50, 3), 7, np.uint8), np.array([box]))[0].shape == (28, 28, 3)


def test_a_box_in_its_crop_is_centred_and_as_large_as_the_margin_leaves_it():
    boxes = np.array([[100, 80, 120, 120], [0, 0, 160, 160]], np.float32)
    landmarks = np.stack([np.full((5, 2), [110, 100]), np.full((5, 2), [0, 160])]).astype(np.float32)
    framed, points = in_crop(boxes, landmarks)
    inner = 0.5 / CROP_MARGIN
    np.testing.assert_allclose(
        framed,
        [
            [0.5 - inner / 2, 0.5 - inner, 0.5 + inner / 2, 0.5 + inner],
            [0.5 - inner, 0.5 - inner, 0.5 + inner, 0.5 + inner],
        ],
        rtol=1e-6,
    )
    np.testing.assert_allclose(points[:, 0], [[0.5, 0.5], [0.5 - inner, 0.5 + inner]], rtol=1e-6)
    np.testing.assert_allclose(crop_squares(boxes)[:, 2], [40 * CROP_MARGIN, 160 * CROP_MARGIN])


def level_face(tilt: float, middle: tuple[float, float], side: float) -> np.ndarray:
    """Five landmarks (1, 5, 2) of a face that tilts clockwise round its middle."""
    unit = np.array([[-0.19, -0.1], [0.19, -0.1], [0, 0.1], [-0.15, 0.28], [0.15, 0.28]])
    angle = np.radians(tilt)
    return ((unit * side) @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) + middle)[None]


@pytest.mark.parametrize("tilt", [-170, -90, -30, 0, 20, 45, 100, 180])
def test_the_tilt_of_a_head_is_told_all_round(tilt: float):
    assert np.cos(np.radians(roll(level_face(tilt, (50, 60), 40))[0] - tilt)) == pytest.approx(1, abs=1e-4)


def test_a_profile_tilts_as_the_way_from_its_eyes_to_its_mouth():
    profile = np.array([[[50, 40], [51, 38], [62, 52], [50, 70], [52, 71]]], float)
    assert abs(roll(profile)[0]) < 8


def test_only_heads_that_tilt_further_than_the_networks_know_are_levelled():
    assert levelling(np.array([5.0, -11.0, 30.0, -90.0, np.nan])).tolist() == [0, 0, 30, -90, 0]


@pytest.mark.parametrize("tilt", [-60.0, 30.0, 90.0, 170.0])
def test_a_turned_crop_shows_the_landmarks_where_in_crop_says(tilt: float):
    pixels = np.zeros((300, 400, 3), np.uint8)
    points = level_face(tilt, (200, 150), 60)
    for x, y in points[0]:
        cv2.circle(pixels, (round(x), round(y)), 3, (255, 255, 255), -1)
    box = np.array([[160, 110, 240, 190]], float)
    (crop,) = crop_faces(pixels, box, np.array([tilt]))
    framed, inside = in_crop(box, points, np.array([tilt]))
    assert crop.shape[0] == pytest.approx(80 * CROP_MARGIN, abs=1)
    assert inside[0, 0, 1] == pytest.approx(inside[0, 1, 1], abs=1e-5), "level eyes"
    for x, y in (inside[0] * crop.shape[0]).astype(int):
        assert crop[y, x].min() > 200
    np.testing.assert_allclose(framed, in_crop(box, points)[0])


def test_a_turned_crop_has_no_black_corners_inside_the_picture_or_at_its_edge():
    pixels = np.full((120, 120, 3), 200, np.uint8)
    for box in ([40, 40, 80, 80], [0, 0, 50, 50]):
        (crop,) = crop_faces(pixels, np.array([box], float), np.array([45.0]))
        assert crop.min() == 200


def test_a_large_turned_crop_is_reduced():
    assert crop_faces(np.zeros((900, 900, 3), np.uint8), np.array([[200, 200, 700, 700]], float), np.array([30.0]))[
        0
    ].shape == (CROP_LARGEST, CROP_LARGEST, 3)


@pytest.mark.parametrize("nod", [-30.0, 0.0, 25.0])
@pytest.mark.parametrize("tilt", [0.0, 40.0])
def test_a_nod_of_a_rigid_head_is_told_at_any_tilt(nod: float, tilt: float):
    eyes_to_mouth, rest, depth = 1.0, 0.54, 0.41
    angle = np.radians(nod)
    nose = rest * np.cos(angle) + depth * np.sin(angle)  # weak perspective
    mouth = eyes_to_mouth * np.cos(angle)
    face = np.array([[-0.5, 0], [0.5, 0], [0, nose], [-0.4, mouth], [0.4, mouth]])
    turn = np.radians(tilt)
    turned = face @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    assert pitch(turned[None] * 50 + 100)[0] == pytest.approx(nod, abs=0.1)
