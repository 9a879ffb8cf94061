"""Suppression by a matrix against its definition."""

from __future__ import annotations

import numpy as np

from scenefer.core.geometry import iou
from scenefer.models.detection.nms import BLOCK, suppress


def one_by_one(boxes: np.ndarray, scores: np.ndarray, threshold: float, groups: np.ndarray) -> list[int]:
    kept: list[int] = []
    overlaps = iou(boxes, boxes)
    for k in np.argsort(-scores).tolist():
        if not any(groups[k] == groups[j] and overlaps[j, k] > threshold for j in kept):
            kept.append(k)
    return kept


def test_the_matrix_suppresses_as_the_definition_does():
    random = np.random.default_rng(0)
    n = 2 * BLOCK + 100
    corners = random.integers(0, 60, (n, 2))
    boxes = np.concatenate([corners, corners + random.integers(5, 30, (n, 2))], axis=1).astype(np.float32)
    scores = random.permutation(n).astype(np.float32) / n
    groups = random.integers(0, 3, n)
    threshold = 0.3137  # no overlap of such whole numbers, so that rounding decides nothing
    assert suppress(boxes, scores, threshold, groups=groups).tolist() == one_by_one(boxes, scores, threshold, groups)


def test_a_box_inside_a_better_one_is_suppressed_by_its_own_area():
    boxes = np.array([[0, 0, 99, 99], [10, 10, 29, 29], [90, 90, 129, 129]], np.float32)
    scores = np.array([0.9, 0.8, 0.7], np.float32)
    assert suppress(boxes, scores, 0.7).tolist() == [0, 1, 2]
    assert suppress(boxes, scores, 0.7, within_smaller=True).tolist() == [0, 2]
