"""The full Residual Masking Network, exactly as published, so that the authors' weights can be loaded.

Pham, Vu, Tran, "Facial Expression Recognition using Residual Masking Network", ICPR 2020: a ResNet-34 on grey faces of
224×224. After each of its four stages, a U-Net of residual blocks computes a mask, a softmax over the channels, and the
stage's output is multiplied by 1 + mask. It has 137,796,423 parameters; the published 142.9 million counts the masks'
shortcuts twice.
"""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor, nn
from torch.nn import functional

from scenefer.core.errors import WeightsError
from scenefer.models.expression.network import ExpressionNetwork

STAGES = ((64, 3, 4), (128, 4, 3), (256, 6, 2), (512, 3, 1))  # channels, blocks, depth of the mask
UNREADABLE = (OSError, RuntimeError, EOFError, pickle.UnpicklingError, SafetensorError)  # errors of torch.load
ALIAS = re.compile(r"^(mask[1-4])\.downsample(\d+)\.(.+)$")


class Block(nn.Module):
    """A basic residual block; its shortcut is a convolution if ``shortcut`` is set or the shape changes."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1, *, shortcut: bool = False) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample: nn.Module | None = None
        if shortcut or stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
        return torch.relu(y + (x if self.downsample is None else self.downsample(x)))


class Masking(nn.Module):
    """A U-Net of ``depth`` levels, each with twice the channels of the one before, and a softmax over its channels."""

    def __init__(self, channels: int, depth: int) -> None:
        super().__init__()
        self.depth = depth
        for level in range(1, depth + 1):
            inputs = channels * 2 ** (level - 1)
            setattr(self, f"conv{level}", Block(inputs, 2 * inputs, shortcut=True))
        for level in range(depth + 1, 2 * depth):
            inputs = channels * 2 ** (2 * depth + 1 - level)
            up = nn.Sequential(nn.ConvTranspose2d(inputs, inputs // 2, 2, 2), nn.BatchNorm2d(inputs // 2), nn.ReLU())
            setattr(self, f"up_pool{level}", up)
            setattr(self, f"conv{level}", Block(inputs, inputs // 2, shortcut=True))
        setattr(self, f"conv{2 * depth}", Block(2 * channels, channels, shortcut=True))

    def forward(self, x: Tensor) -> Tensor:
        levels: list[Tensor] = []
        for level in range(1, self.depth + 1):
            x = getattr(self, f"conv{level}")(functional.max_pool2d(x, 2) if levels else x)
            levels.append(x)
        for level in range(self.depth + 1, 2 * self.depth):
            up = getattr(self, f"up_pool{level}")(x)
            x = getattr(self, f"conv{level}")(torch.cat([up, levels[2 * self.depth - level - 1]], dim=1))
        return torch.softmax(getattr(self, f"conv{2 * self.depth}")(x), dim=1)


class Rmn(ExpressionNetwork):
    """One head of seven, in the order of EMOTIONS."""

    paper = "Pham, Vu and Tran 2020"
    size = 224  # px; other than multiples of 32 break the concatenations
    side = 224

    def __init__(self, n_labels: int = 7, dropout: float = 0.4) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        inputs = 64
        for stage, (channels, n_blocks, depth) in enumerate(STAGES, start=1):
            first = Block(inputs, channels, stride=1 if stage == 1 else 2)
            rest = [Block(channels, channels) for _ in range(n_blocks - 1)]
            setattr(self, f"layer{stage}", nn.Sequential(first, *rest))
            setattr(self, f"mask{stage}", Masking(channels, depth))
            inputs = channels
        self.fc = nn.Sequential(nn.Dropout(dropout), nn.Linear(inputs, n_labels))

    def forward(self, grey: Tensor) -> Tensor:
        """Compute logits (N, 7) float32 of grey faces (N, 1, H, W), values 0 to 255, resized to 224 if necessary."""
        if grey.shape[-1] != self.size:
            grey = functional.interpolate(grey, size=(self.size, self.size), mode="bilinear", align_corners=False)
        x = (grey / 255).expand(-1, 3, -1, -1).to(self.conv1.weight.dtype)
        x = functional.max_pool2d(torch.relu(self.bn1(self.conv1(x))), 3, 2, padding=1)
        for stage in range(1, len(STAGES) + 1):
            x = getattr(self, f"layer{stage}")(x)
            x = x * (1 + getattr(self, f"mask{stage}")(x))
        return self.fc(x.float().mean(dim=(2, 3)))

    def start_from(self, trunk: Path, enlarged: Callable[[], Tensor]) -> None:
        """Initialise from a pretrained ResNet-34, see the function ``start_from``."""
        start_from(self, trunk)


def read_checkpoint(path: Path) -> dict[str, Tensor]:
    """Read the authors' checkpoint safely, without running code in it: 620 tensors that ``Rmn`` loads strictly.

    Each mask registers its shortcuts twice. The second copy must equal the first, and is dropped.

    Raises:
        WeightsError: the file is not such a checkpoint.
    """
    container = _load(path)
    stored = container.get("net", container) if isinstance(container, dict) else {}
    weights: dict[str, Tensor] = {}
    for key, tensor in stored.items():
        if alias := ALIAS.match(key):
            mask, number, rest = alias.groups()
            twin = stored.get(f"{mask}.conv{number}.downsample.{rest}")
            if twin is None or not torch.equal(twin, tensor):
                raise WeightsError(f"{path}: {key} differs from its twin in {mask}.conv{number}; the file is damaged")
        else:
            weights[key] = tensor
    with torch.device("meta"):
        expected = Rmn().state_dict()
    wrong = sorted(expected.keys() ^ weights.keys())
    wrong += [key for key in expected.keys() & weights.keys() if expected[key].shape != weights[key].shape]
    if wrong:
        raise WeightsError(f"{path} is not the published network: {len(wrong)} tensors differ, first {wrong[0]!r}")
    return weights


def start_from(network: Rmn, path: Path) -> None:
    """Copy a ResNet-34 in torchvision's layout (ImageNet) into the trunk, without its classifier.

    Raises:
        WeightsError: the file does not hold such a network.
    """
    stored = _load(path)
    trunk = (
        {key: value for key, value in stored.items() if not key.startswith("fc.")} if isinstance(stored, dict) else {}
    )
    try:
        missing, unexpected = network.load_state_dict(trunk, strict=False)
    except RuntimeError as error:  # shapes differ
        raise WeightsError(f"{path} is no ResNet-34 in torchvision's layout") from error
    if unexpected or any(not key.startswith(("mask", "fc.")) for key in missing):
        raise WeightsError(f"{path} is no ResNet-34 in torchvision's layout")


def refuse_misfits(stored: Mapping[str, Any], wanted: Mapping[str, torch.Size], refusal: str) -> None:
    """Refuse a trunk that lacks a wanted tensor or has it in another shape; ignore extra tensors.

    Raises:
        WeightsError: with the text ``refusal`` and the tensor's name.
    """
    if wrong := [name for name, shape in wanted.items() if getattr(stored.get(name), "shape", None) != shape]:
        raise WeightsError(f"{refusal}: {min(wrong)} is absent or of another shape")


def _load(path: Path) -> Any:
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except UNREADABLE as error:
        # torch's own message is pages long and recommends letting the file run code.
        why = error.strerror if isinstance(error, OSError) else "it is none, is damaged, or holds more than tensors"
        raise WeightsError(f"{path} cannot be read as a checkpoint of tensors: {why}") from error
