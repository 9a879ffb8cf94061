"""Augmentation is repeatable, stays in range, and does nothing when everything is off."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from scenefer.models import selftest
from scenefer.training.augment import AugmentSettings, augment

OFF = AugmentSettings(0, (1, 1), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)


@pytest.fixture
def faces() -> torch.Tensor:
    return torch.from_numpy(selftest.generated()).float()[:, None]


def _seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_everything_off_changes_nothing(faces: torch.Tensor):
    torch.testing.assert_close(augment(faces, 48, OFF, _seeded()), faces, atol=0.02, rtol=0)


def test_the_same_seed_gives_the_same_batch_another_another(faces: torch.Tensor):
    first, again, other = (augment(faces, 96, AugmentSettings(), _seeded(seed)) for seed in (3, 3, 4))
    assert first.shape == (4, 1, 96, 96)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("change", ["side_light", "exposure", "blur", "small", "compression", "noise", "erasing"])
def test_each_change_changes_every_face_and_stays_in_range(faces: torch.Tensor, change: str):
    faces = faces.repeat(8, 1, 1, 1)
    changed = augment(faces, 48, replace(OFF, **{change: 1.0}), _seeded())
    assert ((changed - faces).abs().amax(dim=(1, 2, 3)) > 0.1).all()
    assert changed.min() >= 0
    assert changed.max() <= 255


def test_flipping_mirrors(faces: torch.Tensor):
    flipped = augment(faces, 48, replace(OFF, flip=1.0), _seeded())
    torch.testing.assert_close(flipped, faces.flip(3), atol=0.02, rtol=0)


def test_a_larger_scale_enlarges_the_middle(faces: torch.Tensor):
    """At scale 2 the output's corner shows what lay half way to the corner."""
    enlarged = augment(faces, 48, replace(OFF, scale=(2.0, 2.0)), _seeded())
    middle = torch.nn.functional.interpolate(faces[:, :, 12:36, 12:36], size=48, mode="bilinear")
    assert (enlarged - middle)[:, :, 4:-4, 4:-4].abs().max() < 8
