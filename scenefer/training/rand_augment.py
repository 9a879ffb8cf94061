"""RandAugment: a few operations a face, drawn from a list, all of about one strength (Cubuk et al., NeurIPS 2020).

Operations are those of grey pictures; turning, shearing and shifting are in ``augment`` already.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Generator, Tensor
from torch.nn import functional

Operation = Callable[[Tensor, Tensor], Tensor]  # faces (N, 1, S, S), 0 to 255, and strengths (N, 1, 1, 1), −1 to 1


def _contrast(x: Tensor, strength: Tensor) -> Tensor:
    mean = x.mean(dim=(2, 3), keepdim=True)
    return mean + (x - mean) * (1 + 0.9 * strength)


def _sharpness(x: Tensor, strength: Tensor) -> Tensor:
    smooth = functional.avg_pool2d(functional.pad(x, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    return x + (x - smooth) * 0.9 * strength


def _posterised(x: Tensor, strength: Tensor) -> Tensor:
    step = 2 ** torch.round(4 * strength.abs())
    return torch.floor(x / step) * step


def _stretched(x: Tensor, strength: Tensor) -> Tensor:
    low, high = x.amin(dim=(2, 3), keepdim=True), x.amax(dim=(2, 3), keepdim=True)
    return (x - low) * 255 / (high - low).clamp(min=1)


def _equalised(x: Tensor, strength: Tensor) -> Tensor:
    """Give every grey level its rank among the face's."""
    flat = x.flatten(1)
    ranks = flat.argsort(dim=1, stable=True).argsort(dim=1, stable=True)
    return (ranks * 255 / (flat.shape[1] - 1)).reshape(x.shape).to(x.dtype)


OPERATIONS: tuple[Operation, ...] = (
    lambda x, strength: x * (1 + 0.9 * strength),  # brightness
    _contrast,
    _sharpness,
    _posterised,
    lambda x, strength: torch.where(x > 255 * (1 - strength.abs()), 255 - x, x),  # solarise
    _stretched,
    _equalised,
)


def changed(x: Tensor, most: int, magnitude: tuple[float, float], generator: Generator) -> Tensor:
    """Change faces (N, 1, S, S), 0 to 255, by 0 to ``most`` operations each.

    Args:
        magnitude: least and largest, of 10; the sign is drawn.
    """
    n = len(x)
    counts = torch.randint(0, most + 1, (n,), generator=generator)
    for turn in range(most):
        chosen = torch.randint(0, len(OPERATIONS), (n,), generator=generator)
        low, high = magnitude
        strength = (low + (high - low) * torch.rand(n, generator=generator)) / 10
        strength = strength * (1 - 2 * (torch.rand(n, generator=generator) < 0.5).float())
        for number, operation in enumerate(OPERATIONS):
            rows = ((chosen == number) & (counts > turn)).nonzero()[:, 0]
            if len(rows):
                x = x.index_copy(0, rows, operation(x[rows], strength[rows, None, None, None]).clamp(0, 255))
    return x
