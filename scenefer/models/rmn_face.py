"""A Residual Masking Network on the trunk of a face recognition network: 5 million parameters, grey faces of 48×48.

The trunk is dlib's (Davis King, ``dlib_face_recognition_resnet_model_v1``, public domain) without its last block:
having learned faces, it learns expressions from the first epoch. Masks as in ``rmn_compact``, but without batch
normalisation, which the trunk does not have either; they start as the identity. The head sees the last two scales.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from scenefer.models.convolution import Conv3x3
from scenefer.models.rmn_compact import FRAMING, SIZE, normalise

SIDE = 112  # px; what the trunk sees is enlarged to about the scale that it knows (150)
GROUPS = ((32, 3, 3), (64, 4, 2), (128, 3, 2), (256, 3, 1))  # channels, blocks, depth of the U
KNOWN_MEAN, KNOWN_DEVIATION = 118.0, 58.0  # grey levels that a normalised picture is brought back to for the trunk


class Block(nn.Module):
    """ReLU(x + two convolutions); where it goes down, x is pooled and its missing channels are zeros."""

    def __init__(self, inputs: int, outputs: int, down: bool | None = None) -> None:
        super().__init__()
        self.down = inputs != outputs if down is None else down
        stride, padding = (2, 0) if self.down else (1, 1)
        self.conv1 = Conv3x3(inputs, outputs, stride, padding)
        self.conv2 = Conv3x3(outputs, outputs)
        self.keep = 1.0  # probability that the convolutions count while training (stochastic depth)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv2(torch.relu(self.conv1(x)))
        if self.training and self.keep < 1:
            kept = torch.rand(len(x), 1, 1, 1, device=x.device) < self.keep
            y = y * (kept / self.keep).to(y.dtype)
        if not self.down:
            return torch.relu(x + y)
        x = functional.avg_pool2d(x, 2)
        height, width = max(x.shape[2], y.shape[2]), max(x.shape[3], y.shape[3])
        x = functional.pad(x, (0, width - x.shape[3], 0, height - x.shape[2], 0, y.shape[1] - x.shape[1]))
        return torch.relu(x + functional.pad(y, (0, width - y.shape[3], 0, height - y.shape[2])))


class Mask(nn.Module):
    """Score every element of a feature map between 0 and 1, by a U of ``depth`` levels on half the channels."""

    def __init__(self, channels: int, depth: int) -> None:
        super().__init__()
        inner = max(32, channels // 2)
        self.reduce = nn.Conv2d(channels, inner, 1)
        self.encode = nn.ModuleList(Conv3x3(inner, inner) for _ in range(depth))
        self.decode = nn.ModuleList(Conv3x3(2 * inner, inner) for _ in range(depth - 1))
        self.score = nn.Conv2d(inner, channels, 1)
        for name, parameter in self.named_parameters():
            if name.startswith("score") or name.endswith("bias"):
                nn.init.zeros_(parameter)
            else:
                nn.init.kaiming_normal_(parameter, nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.reduce(x))
        levels: list[Tensor] = []
        for level, encode in enumerate(self.encode):
            x = torch.relu(encode(functional.max_pool2d(x, 2) if level else x))
            levels.append(x)
        for decode, wider in zip(self.decode, reversed(levels[:-1]), strict=True):
            up = functional.interpolate(x, size=wider.shape[-2:], mode="nearest")
            x = torch.relu(decode(torch.cat([up, wider], dim=1)))
        return torch.sigmoid(self.score(x))


class RmnFace(nn.Module):
    """Two heads over one trunk: logits 0 to 6 learned FER2013's labels, 7 to 14 the FER+ votes (the 8th: contempt)."""

    size: ClassVar[int] = SIZE
    framing: ClassVar[tuple[float, float]] = FRAMING

    def __init__(self, n_labels: int = 15, dropout: float = 0.3, side: int = SIDE) -> None:
        super().__init__()
        self.side = side
        self.stem = nn.Conv2d(1, 32, 7, stride=2)
        self.groups, self.masks = nn.ModuleList(), nn.ModuleList()
        inputs = 32
        for channels, n_blocks, depth in GROUPS:
            blocks = [Block(inputs, channels), *(Block(channels, channels) for _ in range(n_blocks - 1))]
            self.groups.append(nn.Sequential(*blocks))
            self.masks.append(Mask(channels, depth))
            inputs = channels
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(GROUPS[-2][0] + GROUPS[-1][0], n_labels)

    def set_depth(self, keep: float) -> None:
        """Let the last block's convolutions count with probability ``keep`` in training, earlier ones' more often."""
        blocks = [module for module in self.modules() if isinstance(module, Block)]
        for number, block in enumerate(blocks):
            block.keep = 1 - (1 - keep) * number / (len(blocks) - 1)

    def forward(self, grey: Tensor) -> Tensor:
        """Read grey faces (N, 1, H, W), values 0 to 255, enlarged here if they are smaller: logits (N, L) float32."""
        x = normalise(grey)
        if x.shape[-1] != self.side:
            x = functional.interpolate(x, size=(self.side, self.side), mode="bilinear", align_corners=False)
        x = torch.relu(self.stem(x.to(self.stem.weight.dtype)))
        x = functional.max_pool2d(x, 3, stride=2)
        scales: list[Tensor] = []
        for group, mask in zip(self.groups, self.masks, strict=True):
            x = group(x)
            x = x * (1 + mask(x)) / 1.5  # 1.5: a mask that has learned nothing scores 0.5, and changes nothing
            scales.append(x.float().mean(dim=(2, 3)))
        return self.head(self.dropout(torch.cat(scales[-2:], dim=1)))


def start_from(network: RmnFace, path: Path) -> None:
    """Copy the face recognition trunk (``face_identity.safetensors``) into a network.

    The file's units are conv · scale + shift; both are multiplied into the convolution. Its stem reads RGB minus a
    mean, divided by 256; for a grey picture the three channels are one.
    """
    stored = {key: tensor.float() for key, tensor in load_file(path).items()}

    def folded(unit: str) -> tuple[Tensor, Tensor]:
        scale = stored[f"{unit}.scale"]
        weight = stored[f"{unit}.conv.weight"] * scale[:, None, None, None]
        return weight, stored[f"{unit}.conv.bias"] * scale + stored[f"{unit}.shift"]

    weight, bias = folded("stem")  # (32, 3, 7, 7)
    mean = torch.tensor([122.782, 117.001, 104.298])
    at_zero = (weight.sum(dim=(2, 3)) * (KNOWN_MEAN - mean)).sum(dim=1) / 256  # a picture of mean grey
    weights = network.state_dict()
    weights["stem.weight"] = weight.sum(dim=1, keepdim=True) * KNOWN_DEVIATION / 256
    weights["stem.bias"] = bias + at_zero
    blocks = [f"groups.{group}.{block}" for group, (_, n, _) in enumerate(GROUPS) for block in range(n)]
    for number, block in enumerate(blocks):
        for name in ("1", "2"):
            weight, bias = folded(f"blocks.{number}.unit{name}")
            weights[f"{block}.conv{name}.weight"], weights[f"{block}.conv{name}.bias"] = weight, bias
    network.load_state_dict(weights)
