"""EfficientFace (Zhao, Liu, Zhou, AAAI 2021): 1.28 million parameters, 154.18 million multiply-adds at 224×224.

A ShuffleNet V2 (Ma et al., ECCV 2018) of width 1. Beside its first stage, a quarter of the face each goes through
depthwise convolutions of its own (local features), and the stage's output is weighed by channel and by place. How it is
weighed in detail is ours; both counts are met.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from scenefer.models.expression.ghostface import unit
from scenefer.models.expression.network import ScaledNetwork
from scenefer.models.expression.rmn_compact import normalise

STEM = 29
STAGES = ((116, 4), (232, 8), (464, 4))  # channels, units
LAST = 1024  # maps that are averaged


class EfficientFace(ScaledNetwork):
    """One head of seven, in the order of EMOTIONS, or more heads where a recipe has them."""

    paper = "Zhao, Liu and Zhou 2021"

    def __init__(self, n_labels: int = 7, dropout: float = 0.0) -> None:
        super().__init__()
        self.stem = nn.Sequential(unit(3, STEM, stride=2), nn.MaxPool2d(3, 2, padding=1))
        self.stages = nn.ModuleList()
        inputs = STEM
        for channels, n_units in STAGES:
            rest = [ShuffleUnit(channels, channels) for _ in range(n_units - 1)]
            self.stages.append(nn.Sequential(ShuffleUnit(inputs, channels), *rest))
            inputs = channels
        self.stages.append(unit(inputs, LAST, kernel=1))
        self.local = nn.ModuleList(_quarter(STEM, STAGES[0][0]) for _ in range(4))
        self.modulator = Modulator(STAGES[0][0])
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(LAST, n_labels))

    def forward(self, grey: Tensor) -> Tensor:
        """Read grey faces (N, 1, H, W), values 0 to 255, enlarged here if they are 48×48: logits (N, L) float32."""
        x = normalise(self.seen(grey)).expand(-1, 3, -1, -1).to(next(self.stem.parameters()).dtype)
        x = self.stem(x)
        seen = self.modulator(self.stages[0](x))
        x = seen + functional.interpolate(self._locally(x), size=seen.shape[-2:], mode="nearest")
        for stage in self.stages[1:]:
            x = stage(x)
        return self.head(x.float().mean(dim=(2, 3)))

    def _locally(self, x: Tensor) -> Tensor:
        """Read the four quarters of the maps, each by itself."""
        rows = [row.chunk(2, dim=3) for row in x.chunk(2, dim=2)]
        read = [branch(part) for branch, part in zip(self.local, [*rows[0], *rows[1]], strict=True)]
        return torch.cat([torch.cat(read[:2], dim=3), torch.cat(read[2:], dim=3)], dim=2)


def _quarter(inputs: int, outputs: int) -> nn.Sequential:
    down = unit(inputs, outputs, stride=2, groups=inputs)
    return nn.Sequential(down, unit(outputs, outputs, groups=outputs))


class ShuffleUnit(nn.Module):
    """Half of the channels through three convolutions, the other half past them; then both are shuffled."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        half = outputs // 2
        self.down = inputs != outputs
        first = inputs if self.down else half
        stride = 2 if self.down else 1
        self.through = nn.Sequential(
            *(unit(first, half, kernel=1), unit(half, half, stride=stride, groups=half, active=False)),
            unit(half, half, kernel=1),
        )
        self.past: nn.Module = nn.Identity()
        if self.down:
            alone = unit(inputs, inputs, stride=2, groups=inputs, active=False)
            self.past = nn.Sequential(alone, unit(inputs, half, kernel=1))

    def forward(self, x: Tensor) -> Tensor:
        past, through = (x, x) if self.down else x.chunk(2, dim=1)
        return functional.channel_shuffle(torch.cat([self.past(past), self.through(through)], dim=1), 2)


class Modulator(nn.Module):
    """Weigh maps between 0 and 1, by channel, from their means, then element by element, from all channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        narrow = unit(channels, channels // 4, kernel=1)
        self.by_channel = nn.Sequential(narrow, unit(channels // 4, channels, kernel=1, active=False))
        self.by_place = unit(channels, channels, kernel=1, groups=2, active=False)

    def forward(self, x: Tensor) -> Tensor:
        x = x * torch.sigmoid(self.by_channel(x.mean(dim=(2, 3), keepdim=True)))
        return x * torch.sigmoid(self.by_place(x))
