"""A Residual Masking Network on the trunk of a face recognition network: 5 million parameters, grey faces of 48×48.

The trunk is dlib's (Davis King, ``dlib_face_recognition_resnet_model_v1``, public domain) without its last block. Being
pretrained on faces, it learns expressions from the first epoch. Two things differ from dlib, because faces are aligned
and expressions show in small parts of them: the last group keeps the map's size instead of halving it, and the head
keeps spatial positions instead of averaging over the face. Masks are as in ``rmn_compact`` and start as the identity.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import cast

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from scenefer.core.errors import WeightsError
from scenefer.models.expression.network import SIZE, GroupedNetwork
from scenefer.models.expression.rmn import refuse_misfits
from scenefer.models.expression.rmn_compact import Mask, Unit, normalise

SIDE = 112  # px; faces are enlarged to about the scale that the trunk was trained on (150)
# Channels, blocks, whether the first block halves the map, depth of the U-Net.
GROUPS = ((32, 3, False, 3), (64, 4, True, 2), (128, 3, True, 2), (256, 3, False, 1))
GRID = 6  # positions along a face's side that the head distinguishes; side of the last maps at 112 px
KNOWN_MEAN, KNOWN_DEVIATION = 118.0, 58.0  # grey levels to which normalised pictures are scaled back for the trunk


class Block(nn.Module):
    """ReLU(x + two convolutions); with ``down``, x is average-pooled; channels that x lacks are zero-padded."""

    def __init__(self, inputs: int, outputs: int, down: bool, unit: Callable[..., nn.Module]) -> None:
        super().__init__()
        self.down = down
        stride, padding = (2, 0) if down else (1, 1)
        self.conv1 = unit(inputs, outputs, stride=stride, padding=padding)
        self.conv2 = unit(outputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv2(torch.relu_(self.conv1(x)))
        if self.down:
            x = functional.avg_pool2d(x, 2)
        if x.shape == y.shape:
            return torch.relu_(x + y)
        height, width = max(x.shape[2], y.shape[2]), max(x.shape[3], y.shape[3])
        x = functional.pad(x, (0, width - x.shape[3], 0, height - x.shape[2], 0, y.shape[1] - x.shape[1]))
        return torch.relu_(x + functional.pad(y, (0, width - y.shape[3], 0, height - y.shape[2])))


class RmnFace(GroupedNetwork):
    """Two heads on one trunk: logits 0 to 6 for FER2013's labels, 7 to 14 for the FER+ votes (the 8th is contempt)."""

    paper = "scenefer, after Pham, Vu and Tran 2020; King 2017"

    def __init__(self, n_labels: int = 15, dropout: float = 0.3, side: int = SIDE) -> None:
        super().__init__()
        self.size = SIZE  # px, side of a face's crop; larger for weights that were trained on larger pictures
        self.side = side
        self.stem = Unit(1, 32, kernel=7, stride=2, padding=0)
        self.groups, self.masks = nn.ModuleList(), nn.ModuleList()
        inputs = 32
        for channels, n_blocks, down, depth in GROUPS:
            first = Block(inputs, channels, down, Unit)
            blocks = [first, *(Block(channels, channels, False, Unit) for _ in range(n_blocks - 1))]
            self.groups.append(nn.Sequential(*blocks))
            self.masks.append(Mask(channels, depth))
            inputs = channels
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear((GROUPS[-2][0] + GROUPS[-1][0]) * GRID**2, n_labels)

    def forward(self, grey: Tensor) -> Tensor:
        """Compute logits (N, L) float32 of grey faces (N, 1, H, W), values 0 to 255; faces of 48×48 are enlarged."""
        x = normalise(grey)
        if x.shape[-1] == SIZE:
            x = functional.interpolate(x, size=(self.side, self.side), mode="bilinear", align_corners=False)
        x = torch.relu_(self.stem(x.to(self.stem.conv.weight.dtype)))
        x = functional.max_pool2d(x, 3, stride=2)
        before = x
        for group, mask in zip(self.groups, self.masks, strict=True):
            before, x = x, cast(Mask, mask).weigh(group(x))
        seen = torch.cat([before, x], dim=1).float()
        if seen.shape[-2:] != (GRID, GRID):
            seen = functional.adaptive_avg_pool2d(seen, GRID)
        return self.head(self.dropout(seen.flatten(1)))

    def configure(self, metadata: Mapping[str, str]) -> None:
        """Set ``side`` and ``size`` (px) from the metadata."""
        self.side = int(metadata.get("side", self.side))
        self.size = int(metadata.get("size", self.size))

    def start_from(self, trunk: Path, enlarged: Callable[[], Tensor]) -> None:
        """Initialise from a face recognition network, see the function ``start_from``."""
        start_from(self, trunk, enlarged())


def start_from(network: RmnFace, path: Path, faces: Tensor) -> None:
    """Copy the face recognition trunk (``face_identity.safetensors``) into a network; masks start as the identity.

    In the file, a unit is conv · scale + shift: batch normalisation, folded for inference. It is unfolded into batch
    normalisation with the statistics of ``faces``, so that the network computes the same as the trunk but trains with
    normalisation. The file's stem expects RGB minus a mean, divided by 256; for grey pictures its three channels are
    summed into one.

    Args:
        faces: (N, 1, H, W) grey, 0 to 255, as the network will read them; a few hundred.

    Raises:
        WeightsError: the file does not hold this trunk.
    """
    units = {"stem": network.stem}
    blocks = [cast(Block, block) for group in network.groups for block in cast(nn.Sequential, group)]
    for number, block in enumerate(blocks):
        units[f"blocks.{number}.unit1"] = cast(Unit, block.conv1)
        units[f"blocks.{number}.unit2"] = cast(Unit, block.conv2)
    stored = _read_trunk(path, units)
    weight = stored["stem.conv.weight"]  # (32, 3, 7, 7)
    mean = torch.tensor([122.782, 117.001, 104.298])
    stored["stem.conv.bias"] += (weight.sum(dim=(2, 3)) * (KNOWN_MEAN - mean)).sum(dim=1) / 256
    stored["stem.conv.weight"] = weight.sum(dim=1, keepdim=True) * KNOWN_DEVIATION / 256
    with torch.no_grad():
        for mask in network.masks:
            cast(Mask, mask).begin()
        for name, unit in units.items():
            scale, bias = stored[f"{name}.scale"], stored[f"{name}.conv.bias"]
            unit.conv.weight.copy_(stored[f"{name}.conv.weight"])
            bn = cast(nn.BatchNorm2d, unit.bn)
            _set(bn, scale, bias * scale + stored[f"{name}.shift"], torch.zeros_like(scale), 1 - bn.eps)
        hooks = [
            unit.conv.register_forward_hook(partial(_unfold, cast(nn.BatchNorm2d, unit.bn))) for unit in units.values()
        ]
        network.eval()(faces)
        for hook in hooks:
            hook.remove()


def _read_trunk(path: Path, units: dict[str, Unit]) -> dict[str, Tensor]:
    try:
        stored = {key: tensor.float() for key, tensor in load_file(path).items()}
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"{path} is absent or no safetensors file") from error
    wanted: dict[str, torch.Size] = {}
    for name, unit in units.items():
        shape = unit.conv.weight.shape
        wanted[f"{name}.conv.weight"] = shape
        wanted |= {f"{name}.{part}": shape[:1] for part in ("conv.bias", "scale", "shift")}
    wanted["stem.conv.weight"] = torch.Size((32, 3, 7, 7))  # the file's stem has three colour channels
    refuse_misfits(stored, wanted, f"{path} is no face recognition trunk as face_identity")
    return stored


def _set(bn: nn.BatchNorm2d, weight: Tensor, bias: Tensor, mean: Tensor, variance: Tensor | float) -> None:
    variance = variance + torch.zeros_like(mean)
    state = {"weight": weight, "bias": bias, "running_mean": mean, "running_var": variance}
    bn.load_state_dict({**state, "num_batches_tracked": torch.tensor(0)})


def _unfold(bn: nn.BatchNorm2d, _conv: nn.Module, _inputs: object, output: Tensor) -> None:
    """Set the running statistics to those of this batch, and adjust weight and bias so that the output is unchanged."""
    variance, mean = torch.var_mean(output.float(), dim=(0, 2, 3))
    _set(bn, bn.weight * torch.sqrt(variance + bn.eps), bn.bias + bn.weight * mean, mean, variance)
