"""Augmentation is repeatable, stays in range, and does nothing when everything is off."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from scenefer.models import selftest
from scenefer.training import rand_augment
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


def test_larger_faces_are_changed_at_their_own_size(faces: torch.Tensor):
    large = torch.nn.functional.interpolate(faces, size=112, mode="bilinear")
    torch.testing.assert_close(augment(large, 112, OFF, _seeded()), large, atol=0.02, rtol=0)
    tiny = augment(large, 112, replace(OFF, small=1.0), _seeded())
    assert tiny.shape == (4, 1, 112, 112)
    assert ((tiny - large).abs().amax(dim=(1, 2, 3)) > 0.1).all()


def test_flipping_mirrors(faces: torch.Tensor):
    flipped = augment(faces, 48, replace(OFF, flip=1.0), _seeded())
    torch.testing.assert_close(flipped, faces.flip(3), atol=0.02, rtol=0)


def test_a_larger_scale_enlarges_the_middle(faces: torch.Tensor):
    """At scale 2 the output's corner shows what lay half way to the corner."""
    enlarged = augment(faces, 48, replace(OFF, scale=(2.0, 2.0)), _seeded())
    middle = torch.nn.functional.interpolate(faces[:, :, 12:36, 12:36], size=48, mode="bilinear")
    assert (enlarged - middle)[:, :, 4:-4, 4:-4].abs().max() < 8


def test_shear_moves_rows_against_each_other_and_leaves_the_middle(faces: torch.Tensor):
    sheared = augment(faces, 48, replace(OFF, shear=0.5), _seeded())
    assert ((sheared - faces).abs().amax(dim=(1, 2, 3)) > 1).all()
    torch.testing.assert_close(sheared[:, :, 23:25, 12:36], faces[:, :, 23:25, 12:36], atol=25, rtol=0)


def test_rand_augment_changes_by_at_most_its_operations_and_stays_in_range(faces: torch.Tensor):
    many = faces.repeat(32, 1, 1, 1)
    changed = augment(many, 48, replace(OFF, operations=3, magnitude=(2.0, 4.0)), _seeded())
    again = augment(many, 48, replace(OFF, operations=3, magnitude=(2.0, 4.0)), _seeded())
    assert torch.equal(changed, again)
    apart = (changed - many).abs().amax(dim=(1, 2, 3))
    assert (apart < 0.05).any(), "some draw no operation"
    assert (apart > 1).sum() >= 64
    assert (changed.min() >= 0, changed.max() <= 255) == (True, True)


@pytest.mark.parametrize("number", range(len(rand_augment.OPERATIONS)))
def test_each_operation_keeps_the_shape_and_changes_a_face(faces: torch.Tensor, number: int):
    strength = torch.full((len(faces), 1, 1, 1), 0.4)
    grey = faces / 2 + 120
    changed = rand_augment.OPERATIONS[number](grey, strength)
    assert changed.shape == faces.shape
    assert ((changed - grey).abs().amax(dim=(1, 2, 3)) > 1).all()
