"""A small Residual Masking Network: 6.5 million parameters, grey faces of 48×48.

After each stage of a residual network, a small U-Net (encoder and decoder over the feature map) scores every element of
the map, and the map is multiplied by 1 + score (Pham, Vu, Tran, "Facial Expression Recognition using Residual Masking
Network", ICPR 2020). Here the U-Net works on half the channels and ends in a sigmoid.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from scenefer.models.expression.convolution import Conv3x3
from scenefer.models.expression.network import SIZE, ExpressionNetwork

STAGES = ((64, 2, 3), (128, 2, 2), (256, 2, 2), (384, 1, 1))  # channels, blocks, depth of the U-Net


class Unit(nn.Module):
    """A convolution without bias and its batch normalisation."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 3, stride: int = 1, padding: int | None = None) -> None:
        super().__init__()
        padding = kernel // 2 if padding is None else padding
        if kernel == 3:
            self.conv: nn.Conv2d = Conv3x3(inputs, outputs, stride, padding, bias=False)
        else:
            self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False)
        self.bn: nn.Module = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.bn(self.conv(x))

    def fuse(self) -> None:
        """Fuse the batch normalisation into the convolution; for inference only."""
        self.conv = nn.utils.fuse_conv_bn_eval(self.conv, cast(nn.BatchNorm2d, self.bn))
        self.bn = nn.Identity()


class Block(nn.Module):
    """ReLU(shortcut + two units)."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.unit1 = Unit(inputs, outputs, stride=stride)
        self.unit2 = Unit(outputs, outputs)
        same = inputs == outputs and stride == 1
        self.shortcut = nn.Identity() if same else Unit(inputs, outputs, kernel=1, stride=stride)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu_(self.shortcut(x) + self.unit2(torch.relu_(self.unit1(x))))


class Mask(nn.Module):
    """Score every element of a feature map from 0 to 1, with a U-Net of ``depth`` levels on half the channels."""

    def __init__(self, channels: int, depth: int) -> None:
        super().__init__()
        inner = max(32, channels // 2)
        self.reduce = Unit(channels, inner, kernel=1)
        self.encode = nn.ModuleList(Unit(inner, inner) for _ in range(depth))
        self.decode = nn.ModuleList(Unit(2 * inner, inner) for _ in range(depth - 1))
        self.score = nn.Conv2d(inner, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu_(self.reduce(x))
        levels: list[Tensor] = []
        for level, encode in enumerate(self.encode):
            x = torch.relu_(encode(functional.max_pool2d(x, 2) if level else x))
            levels.append(x)
        for decode, wider in zip(self.decode, reversed(levels[:-1]), strict=True):
            up = functional.interpolate(x, size=wider.shape[-2:], mode="nearest")
            x = torch.relu_(decode(torch.cat([up, wider], dim=1)))
        return torch.sigmoid(self.score(x))

    def weigh(self, x: Tensor) -> Tensor:
        """Return x · (1 + mask) / 1.5, so that an untrained mask, which scores 0.5, is the identity."""
        return torch.addcmul(x, x, self(x)).div_(1.5)

    def begin(self) -> None:
        """Initialise the mask to score 0.5 everywhere."""
        nn.init.zeros_(self.score.weight)
        nn.init.zeros_(cast(nn.Parameter, self.score.bias))


class RmnCompact(ExpressionNetwork):
    """Two heads on one trunk: logits 0 to 6 for FER2013's labels, 7 to 14 for the FER+ votes (the 8th is contempt)."""

    paper = "scenefer, after Pham, Vu and Tran 2020"
    size = SIZE
    side = SIZE

    def __init__(self, n_labels: int = 15, dropout: float = 0.3) -> None:
        super().__init__()
        self.stem = nn.ModuleList([Unit(1, 32), Unit(32, 64, stride=2)])
        self.stages, self.masks = nn.ModuleList(), nn.ModuleList()
        inputs = 64
        for stage, (channels, n_blocks, depth) in enumerate(STAGES):
            first = Block(inputs, channels, stride=2 if stage else 1)
            rest = [Block(channels, channels, stride=1) for _ in range(n_blocks - 1)]
            self.stages.append(nn.Sequential(first, *rest))
            self.masks.append(Mask(channels, depth))
            inputs = channels
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(inputs, n_labels)

    def forward(self, grey: Tensor) -> Tensor:
        """Compute logits (N, L) float32 of grey faces (N, 1, 48, 48), values 0 to 255."""
        x = normalise(grey).to(next(self.stem.parameters()).dtype)
        for unit in self.stem:
            x = torch.relu_(unit(x))
        for stage, mask in zip(self.stages, self.masks, strict=True):
            x = stage(x)
            x = torch.addcmul(x, x, mask(x))  # x · (1 + mask)
        return self.head(self.dropout(x.float().mean(dim=(2, 3))))


def normalise(grey: Tensor) -> Tensor:
    """Subtract each picture's mean and divide by its standard deviation + 8; the 8 limits noise in flat pictures."""
    deviation, mean = torch.std_mean(grey, dim=(1, 2, 3), keepdim=True, correction=0)
    return (grey - mean) / (deviation + 8)
