"""GhostFace (Tang and Kok): a light network of 1.28 million parameters and 134.66 million multiply-adds at 224×224.

Fused mobile blocks (Tan and Le, ICML 2021) where maps are large, ghost bottlenecks (Han et al., CVPR 2020), which make
half of their maps from the other half by cheap convolutions, and triplet attention (Misra et al., WACV 2021), which
weighs a map along each of its three axes. The paper states these parts and both counts; the widths below meet them.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from scenefer.models.expression.network import ScaledNetwork
from scenefer.models.expression.rmn_compact import normalise

STEM = 16
FUSED = ((24, 2, 2), (32, 2, 2))  # channels, stride, times that the inner maps are more
GHOST = (  # inner channels, channels, stride
    *((120, 40, 1), (240, 80, 2), (200, 80, 1), (184, 80, 1), (480, 112, 1), (672, 112, 1), (672, 160, 2)),
    *[(960, 160, 1)] * 5,
)
LAST = 768  # maps that are averaged


class GhostFace(ScaledNetwork):
    """One head of seven, in the order of EMOTIONS, or more heads where a recipe has them."""

    paper = "Tang and Kok"

    def __init__(self, n_labels: int = 7, dropout: float = 0.2) -> None:
        super().__init__()
        self.stem = unit(1, STEM, stride=2)
        channels, fused, ghosts = STEM, [], []
        for outputs, stride, factor in FUSED:
            fused.append(FusedBlock(channels, outputs, stride, factor))
            channels = outputs
        for inner, outputs, stride in GHOST:
            ghosts += [GhostBlock(channels, inner, outputs, stride), TripletAttention()]
            channels = outputs
        self.stages = nn.ModuleList([nn.Sequential(*fused), nn.Sequential(*ghosts), unit(channels, LAST, kernel=1)])
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(LAST, n_labels))

    def forward(self, grey: Tensor) -> Tensor:
        """Read grey faces (N, 1, H, W), values 0 to 255, enlarged here if they are 48×48: logits (N, L) float32."""
        x = self.stem(normalise(self.seen(grey)).to(next(self.stem.parameters()).dtype))
        for stage in self.stages:
            x = stage(x)
        return self.head(x.float().mean(dim=(2, 3)))


def unit(
    inputs: int, outputs: int, kernel: int = 3, stride: int = 1, *, groups: int = 1, active: bool = True
) -> nn.Sequential:
    """Lay out a convolution, its normalisation and, unless told otherwise, a ReLU."""
    convolution = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), *([nn.ReLU()] if active else []))


class FusedBlock(nn.Module):
    """A full 3×3 convolution to more maps and a 1×1 back; the input is added where shapes allow."""

    def __init__(self, inputs: int, outputs: int, stride: int, factor: int) -> None:
        super().__init__()
        self.adds = inputs == outputs and stride == 1
        inner = inputs * factor
        self.body = nn.Sequential(unit(inputs, inner, stride=stride), unit(inner, outputs, kernel=1, active=False))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x) if self.adds else self.body(x)


class Ghost(nn.Module):
    """Half of the maps by a 1×1 convolution, the other half from these by a 3×3 on each alone."""

    def __init__(self, inputs: int, outputs: int, *, active: bool) -> None:
        super().__init__()
        half = outputs // 2
        self.primary = unit(inputs, half, kernel=1, active=active)
        self.cheap = unit(half, half, groups=half, active=active)

    def forward(self, x: Tensor) -> Tensor:
        x = self.primary(x)
        return torch.cat([x, self.cheap(x)], dim=1)


class GhostBlock(nn.Module):
    """Ghost maps wide, a stride on each alone, ghost maps narrow; and a shortcut."""

    def __init__(self, inputs: int, inner: int, outputs: int, stride: int) -> None:
        super().__init__()
        between = [unit(inner, inner, stride=stride, groups=inner, active=False)] if stride > 1 else []
        self.body = nn.Sequential(Ghost(inputs, inner, active=True), *between, Ghost(inner, outputs, active=False))
        self.shortcut: nn.Module = nn.Identity()
        if inputs != outputs or stride > 1:
            alone = unit(inputs, inputs, stride=stride, groups=inputs, active=False)
            self.shortcut = nn.Sequential(alone, unit(inputs, outputs, kernel=1, active=False))

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x) + self.shortcut(x)


class TripletAttention(nn.Module):
    """Weigh a map between 0 and 1 by place, by height and by width, each seen along the rest; the mean of three."""

    KERNEL = 7

    def __init__(self) -> None:
        super().__init__()
        self.gates = nn.ModuleList(unit(2, 1, kernel=self.KERNEL, active=False) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        first, second, third = self.gates
        by_place = self._weigh(x, first)
        by_height = self._weigh(x.transpose(1, 2), second).transpose(1, 2)
        by_width = self._weigh(x.transpose(1, 3), third).transpose(1, 3)
        return (by_place + by_height + by_width) / 3

    @staticmethod
    def _weigh(x: Tensor, gate: nn.Module) -> Tensor:
        """Squeeze the first axis of maps to its largest and mean value, and weigh the others' places by them."""
        squeezed = torch.cat([x.amax(dim=1, keepdim=True), x.mean(dim=1, keepdim=True)], dim=1)
        return x * torch.sigmoid(gate(squeezed))
