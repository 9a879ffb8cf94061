"""Averages from a summed-area table against torch's pooling of the same pixels."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from scenefer.models.detection import summed_area


@pytest.mark.parametrize(("height", "width"), [(5, 7), (13, 9), (20, 31)])
def test_levels_and_crops_are_adaptive_averages(height: int, width: int):
    picture = np.random.default_rng(1).integers(0, 256, (13, 29, 4), dtype=np.uint8)
    table = summed_area.summed_area(picture)

    def averages(part: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        planes = torch.from_numpy(part.astype(np.float32)).permute(2, 0, 1)
        return torch.nn.functional.adaptive_avg_pool2d(planes, size).permute(1, 2, 0).numpy()

    np.testing.assert_allclose(summed_area.level(table, height, width), averages(picture, (height, width)), rtol=1e-6)
    squares = np.array([[-3.2, 2.0, 9.9, 15.1], [4.0, 1.0, 11.0, 8.0]], np.float32)  # the first is cut off on two sides
    crops = summed_area.cut(table, squares, height)
    np.testing.assert_allclose(crops[0], averages(picture[1:13, 0:9], (height, height)), rtol=1e-6)
    np.testing.assert_allclose(crops[1], averages(picture[0:8, 3:11], (height, height)), rtol=1e-6)
