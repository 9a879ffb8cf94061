"""Augmentation of training faces with changes that occur in films: light, distance, blur, compression, tilt, occlusion.

Input faces are as stored in their data set (FER2013: 48×48 grey); output faces have the side that the network reads.
They are resampled only once. All random numbers come from one generator, so the same seed gives the same batch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Generator, Tensor
from torch.nn import functional

from scenefer.core.settings import bounded
from scenefer.training import rand_augment

_BLOCK = 8  # px, the side of JPEG's blocks


@dataclass(frozen=True)
class AugmentSettings:
    """Strength and probability of the changes, which are drawn independently for each face."""

    rotation: float = 20.0  # maximum, degrees in either direction
    scale: tuple[float, float] = (0.85, 1.2)
    stretch: float = 0.06  # maximum log ratio of width to height, in either direction
    shift: float = 0.08  # maximum, as a share of the side, in either direction
    flip: float = bounded(0.5, 0, 1)  # probability, as are those below with these bounds
    gamma: float = 0.35  # the exponent is e^-gamma to e^gamma
    side_light: float = bounded(0.3, 0, 1)
    exposure: float = bounded(0.2, 0, 1)
    blur: float = bounded(0.2, 0, 1)
    small: float = bounded(0.1, 0, 1)
    compression: float = bounded(0.15, 0, 1)
    noise: float = bounded(0.25, 0, 1)
    erasing: float = bounded(0.33, 0, 1)
    shear: float = 0.0  # across, of the height, either way
    operations: int = 0  # of RandAugment, at most, a face; 0 = off
    magnitude: tuple[float, float] = (2.0, 4.0)  # of its operations, of 10


def augment(faces: Tensor, side: int, settings: AugmentSettings, generator: Generator) -> Tensor:
    """Change faces (N, 1, S, S) float, 0 to 255, S a multiple of 8: (N, 1, side, side), 0 to 255."""
    x = _light(faces, settings, generator)
    x = _blur(x, settings.blur, generator)
    x = _small(x, settings.small, generator)
    x = _compression(x, settings.compression, generator)
    if settings.operations:
        x = rand_augment.changed(x, settings.operations, settings.magnitude, generator)
    x = _warp(x, side, settings, generator)
    return _erasing(x, settings.erasing, generator)


def warp(faces: Tensor, matrix: Tensor, side: int) -> Tensor:
    """Resample faces by matrices (N, 2, 3) from output to input coordinates, both −1 to 1; edges replicated."""
    grid = functional.affine_grid(matrix, [len(faces), 1, side, side], align_corners=False)
    return functional.grid_sample(faces, grid, mode="bilinear", padding_mode="border", align_corners=False)


def _draw(n: int, generator: Generator, low: float = 0.0, high: float = 1.0) -> Tensor:
    return (low + (high - low) * torch.rand(n, generator=generator))[:, None, None, None]


def _hit(n: int, probability: float, generator: Generator) -> Tensor:
    return (torch.rand(n, generator=generator) < probability)[:, None, None, None]


def _light(x: Tensor, settings: AugmentSettings, generator: Generator) -> Tensor:
    n, _, height, width = x.shape
    x = (x / 255) ** torch.exp(_draw(n, generator, -settings.gamma, settings.gamma))
    angle = _draw(n, generator, 0, 2 * math.pi)
    across = torch.linspace(-1, 1, width)
    down = torch.linspace(-1, 1, height)[:, None]
    slope = _draw(n, generator, 0.2, 0.8) * (torch.cos(angle) * across + torch.sin(angle) * down)
    x = torch.where(_hit(n, settings.side_light, generator), x * (1 + slope), x)
    exposed = x * _draw(n, generator, 0.6, 1.7) + _draw(n, generator, -0.15, 0.15)
    x = torch.where(_hit(n, settings.exposure, generator), exposed, x)
    noisy = x + torch.randn(x.shape, generator=generator) * _draw(n, generator, 0, 0.05)
    return torch.where(_hit(n, settings.noise, generator), noisy, x).clamp(0, 1) * 255


def _blur(x: Tensor, probability: float, generator: Generator) -> Tensor:
    n = len(x)
    sigma = torch.where(_hit(n, probability, generator), _draw(n, generator, 0.3, 1.2), torch.tensor(0.05))
    taps = torch.exp(-(torch.arange(-3, 4) ** 2) / (2 * sigma**2))  # (n, 1, 1, 7)
    taps = taps / taps.sum(dim=3, keepdim=True)
    x = functional.pad(x.transpose(0, 1), (3, 3, 3, 3), mode="replicate")  # faces as channels, with one kernel each
    x = functional.conv2d(functional.conv2d(x, taps, groups=n), taps.transpose(2, 3), groups=n)
    return x.transpose(0, 1)


def _small(x: Tensor, probability: float, generator: Generator) -> Tensor:
    chosen = _hit(len(x), probability, generator).flatten().nonzero()[:, 0]
    edge = int(torch.randint(20, x.shape[3] * 3 // 4 + 1, (1,), generator=generator))
    if len(chosen):
        tiny = functional.interpolate(x[chosen], size=(edge, edge), mode="area")
        x = x.index_copy(0, chosen, functional.interpolate(tiny, size=x.shape[2:], mode="bilinear"))
    return x


def _compression(x: Tensor, probability: float, generator: Generator) -> Tensor:
    """Quantise the DCT coefficients of 8×8 blocks, high frequencies more coarsely, as JPEG and video codecs do."""
    n, _, height, width = x.shape
    k = torch.arange(_BLOCK)
    basis = torch.cos(math.pi * (2 * k + 1) * k[:, None] / (2 * _BLOCK)) * math.sqrt(2 / _BLOCK)
    basis[0] /= math.sqrt(2)
    step = _draw(n, generator, 3, 12)[..., None, None] * (1 + 0.5 * (k + k[:, None]))
    blocks = x.reshape(n, 1, height // _BLOCK, _BLOCK, width // _BLOCK, _BLOCK).transpose(3, 4)
    coefficients = basis @ blocks @ basis.T
    rounded = basis.T @ (torch.round(coefficients / step) * step) @ basis
    rounded = rounded.transpose(3, 4).reshape(x.shape).clamp(0, 255)
    return torch.where(_hit(n, probability, generator), rounded, x)


def _warp(x: Tensor, side: int, settings: AugmentSettings, generator: Generator) -> Tensor:
    n = len(x)
    angle = torch.deg2rad(_draw(n, generator, -settings.rotation, settings.rotation)).flatten()
    low, high = (math.log(scale) for scale in settings.scale)
    scale = torch.exp(-_draw(n, generator, low, high)).flatten()  # a larger face samples a smaller square
    stretch = torch.exp(_draw(n, generator, -settings.stretch, settings.stretch) / 2).flatten()
    mirror = 1 - 2 * _hit(n, settings.flip, generator).flatten().float()
    moved = _draw(2 * n, generator, -2 * settings.shift, 2 * settings.shift).reshape(n, 2)
    cosine, sine = torch.cos(angle) * scale, torch.sin(angle) * scale
    left, right = (
        torch.stack([cosine * stretch * mirror, sine * stretch * mirror]),
        torch.stack([-sine, cosine]) / stretch,
    )
    if settings.shear:  # drawn only where it is asked for: other recipes draw what they drew before
        right = right + left * _draw(n, generator, -settings.shear, settings.shear).flatten()
    return warp(x, torch.stack([left, right, moved.T], dim=2).permute(1, 0, 2), side)


def _erasing(x: Tensor, probability: float, generator: Generator) -> Tensor:
    """Cover a rectangle of 3 to 20 % of the face with grey or noise (Zhong et al., AAAI 2020)."""
    n, _, height, width = x.shape
    area, ratio = _draw(n, generator, 0.03, 0.2), torch.exp(_draw(n, generator, -0.7, 0.7))
    half_width, half_height = torch.sqrt(area * ratio) / 2, torch.sqrt(area / ratio) / 2
    across = (torch.arange(width) + 0.5) / width - _draw(n, generator)
    down = ((torch.arange(height) + 0.5) / height)[:, None] - _draw(n, generator)
    covered = (across.abs() < half_width) & (down.abs() < half_height) & _hit(n, probability, generator)
    grain = torch.randn(x.shape, generator=generator) * _draw(n, generator, 0, 60)
    return torch.where(covered, (_draw(n, generator, 0, 255) + grain).clamp(0, 255), x)
