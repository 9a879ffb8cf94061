"""Face recognition with facenet-pytorch's Inception-ResNet v1 (VGGFace2): 23 million parameters, weights downloaded.

Layout and names of the weights are those of facenet-pytorch (Tim Esler, MIT), ported from facenet (David Sandberg,
MIT): https://github.com/timesler/facenet-pytorch. That package is not used, because it imports torchvision, which may
be missing beside a CPU build of torch.
"""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from scenefer.core.errors import WeightsError
from scenefer.models.expression.predictor import square
from scenefer.models.identity.dlib_resnet import IdentityReader
from scenefer.models.threads import one_thread
from scenefer.models.weight_files import sha256_of

SIDE = 160  # px
CROP = 1.4  # side of a crop, as a multiple of the larger side of its box: see geometry.crop_faces
# Unit vectors of one person are closer than 1.04: deepface's threshold on LFW for these weights ("Facenet512",
# Euclidean distance of unit vectors); not measured here. Our threshold between people is about 0.6.
SCALE = 0.6 / 1.04


class Unit(nn.Module):
    """A convolution without bias, its batch normalisation, ReLU."""

    def __init__(self, inputs: int, outputs: int, kernel: int | tuple[int, int], stride: int = 1) -> None:
        super().__init__()
        high, wide = kernel if isinstance(kernel, tuple) else (kernel, kernel)
        # No padding with a stride; _unpadded also removes it from two convolutions of the stem.
        padding = (0, 0) if stride > 1 else (high // 2, wide // 2)
        self.conv = nn.Conv2d(inputs, outputs, (high, wide), stride, padding, bias=False)
        self.bn: nn.Module = nn.BatchNorm2d(outputs, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.bn(self.conv(x)))

    def fuse(self) -> None:
        """Fuse the batch normalisation into the convolution; for inference only."""
        self.conv = nn.utils.fuse_conv_bn_eval(self.conv, cast(nn.BatchNorm2d, self.bn))
        self.bn = nn.Identity()


def _unpadded(unit: Unit) -> Unit:
    unit.conv.padding = (0, 0)
    return unit


class Residual(nn.Module):
    """x plus a scaled residual: the branches' outputs, concatenated and projected to the channels of x."""

    def __init__(
        self, channels: int, width: int, branches: Sequence[nn.Module], scale: float, *, rectify: bool
    ) -> None:
        super().__init__()
        self.n, self.scale, self.rectify = len(branches), scale, rectify
        for k, branch in enumerate(branches):
            self.add_module(f"branch{k}", branch)
        self.conv2d = nn.Conv2d(width, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        said = torch.cat([self.get_submodule(f"branch{k}")(x) for k in range(self.n)], dim=1)
        y = self.conv2d(said) * self.scale + x
        return torch.relu(y) if self.rectify else y


class Reduction(nn.Module):
    """Parallel branches that halve the map, and a max pool; outputs are concatenated."""

    def __init__(self, branches: Sequence[nn.Module]) -> None:
        super().__init__()
        self.n = len(branches)
        for k, branch in enumerate(branches):
            self.add_module(f"branch{k}", branch)

    def forward(self, x: Tensor) -> Tensor:
        said = [self.get_submodule(f"branch{k}")(x) for k in range(self.n)]
        return torch.cat([*said, functional.max_pool2d(x, 3, stride=2)], dim=1)


def _block35() -> Residual:
    three = nn.Sequential(Unit(256, 32, 1), Unit(32, 32, 3), Unit(32, 32, 3))
    branches = [Unit(256, 32, 1), nn.Sequential(Unit(256, 32, 1), Unit(32, 32, 3)), three]
    return Residual(256, 96, branches, 0.17, rectify=True)


def _long(channels: int, inner: int, length: int, scale: float, *, rectify: bool = True) -> Residual:
    """Make a block whose second branch has a 1 × ``length`` and then a ``length`` × 1 convolution."""
    cross = nn.Sequential(Unit(channels, inner, 1), Unit(inner, inner, (1, length)), Unit(inner, inner, (length, 1)))
    return Residual(channels, 2 * inner, [Unit(channels, inner, 1), cross], scale, rectify=rectify)


class InceptionResnet(nn.Module):
    """The network: RGB faces (N, 3, 160, 160), values 0 to 255, to unit vectors (N, 512)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv2d_1a = Unit(3, 32, 3, stride=2)
        self.conv2d_2a = _unpadded(Unit(32, 32, 3))
        self.conv2d_2b = Unit(32, 64, 3)
        self.conv2d_3b = Unit(64, 80, 1)
        self.conv2d_4a = _unpadded(Unit(80, 192, 3))
        self.conv2d_4b = Unit(192, 256, 3, stride=2)
        self.repeat_1 = nn.Sequential(*(_block35() for _ in range(5)))
        self.mixed_6a = Reduction(
            [Unit(256, 384, 3, 2), nn.Sequential(Unit(256, 192, 1), Unit(192, 192, 3), Unit(192, 256, 3, 2))]
        )
        self.repeat_2 = nn.Sequential(*(_long(896, 128, 7, 0.10) for _ in range(10)))
        self.mixed_7a = Reduction(
            [
                nn.Sequential(Unit(896, 256, 1), Unit(256, 384, 3, 2)),
                nn.Sequential(Unit(896, 256, 1), Unit(256, 256, 3, 2)),
                nn.Sequential(Unit(896, 256, 1), Unit(256, 256, 3), Unit(256, 256, 3, 2)),
            ]
        )
        self.repeat_3 = nn.Sequential(*(_long(1792, 192, 3, 0.20) for _ in range(5)))
        self.block8 = _long(1792, 192, 3, 1.0, rectify=False)
        self.last_linear = nn.Linear(1792, 512, bias=False)
        self.last_bn = nn.BatchNorm1d(512, eps=0.001)

    def forward(self, faces: Tensor) -> Tensor:
        x = ((faces - 127.5) / 128).to(self.conv2d_1a.conv.weight.dtype)
        x = self.conv2d_2b(self.conv2d_2a(self.conv2d_1a(x)))
        x = functional.max_pool2d(x, 3, stride=2)
        x = self.conv2d_4b(self.conv2d_4a(self.conv2d_3b(x)))
        x = self.repeat_2(self.mixed_6a(self.repeat_1(x)))
        x = self.block8(self.repeat_3(self.mixed_7a(x)))
        return functional.normalize(self.last_bn(self.last_linear(x.float().mean(dim=(2, 3)))))


def framed(crop: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """Cut the square of the face's box from its crop, as in the network's training pictures; ignores the landmarks.

    Args:
        crop: (S, S, 3) uint8 RGB.

    Returns:
        (160, 160, 3) uint8 RGB.
    """
    edge = crop.shape[0]
    return square(crop, edge / 2, edge / 2, edge / CROP, SIDE)


@one_thread()
def load(path: Path, device: str = "cpu", precision: torch.dtype | None = None, *, threads: int = 0) -> IdentityReader:
    """Load the published weights safely, without running code in the file, and without the training's classifier.

    Raises:
        WeightsError: the file is absent, damaged, or of another layout.
    """
    try:
        stored = torch.load(path, map_location="cpu", weights_only=True)
        network = InceptionResnet()
        weights = {key: value for key, value in stored.items() if not key.startswith("logits.")}
        missing, unexpected = network.load_state_dict(weights, strict=False)
    except (OSError, RuntimeError, AttributeError, EOFError, pickle.UnpicklingError) as error:
        raise WeightsError(f"{path} does not hold the weights of facenet: {error}") from error
    missing = [key for key in missing if not key.endswith("num_batches_tracked")]
    if missing or unexpected:
        wrong = f"{len(missing)} tensors missing {missing[:3]}, {len(unexpected)} too many {unexpected[:3]}"
        raise WeightsError(f"{path} does not have the layout of facenet: {wrong}")
    return IdentityReader(network, framed, sha256_of(path), device, scale=SCALE, precision=precision, threads=threads)
