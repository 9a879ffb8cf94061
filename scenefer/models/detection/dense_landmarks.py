"""Sixty-eight points of a face: its outline, brows, nose, eyes and lips, in the order of the 300-W annotations.

The network is the landmark network of face-api (V. Mühler, MIT): four blocks of depthwise-separable convolutions
(Howard et al. 2017), within each of which every layer sees the sum of all before it, and one linear layer. It learned
faces that stand about upright and fill their square from brow to chin; it gives no score, and points for anything.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from torch.nn import functional

from scenefer.core.errors import WeightsError
from scenefer.models.expression.predictor import resample
from scenefer.models.weight_files import sha256_of

SIDE = 112  # px that the network sees
N_POINTS = 68
MEAN = (122.782, 117.001, 104.298)  # of red, green and blue, subtracted before dividing by 255
CHANNELS = (32, 64, 128, 256)  # of the four blocks
BATCH = 32  # faces a forward pass

# The square that it is shown, by the one that an expression network reads (``framing.squares``), in sides of that: of
# those tried on 476 faces of film the one whose small changes alter the opening of mouths least.
SHIFT, WIDTH = (0.0, 0.05), 1.1


class Separable(nn.Module):
    """A convolution of 3×3 in each channel by itself, and one of 1×1 that mixes them."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.stride = stride
        self.depthwise = nn.Conv2d(inputs, inputs, 3, stride, groups=inputs, bias=False)
        self.pointwise = nn.Conv2d(inputs, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.pointwise(self.depthwise(_padded(x, self.stride)))


class DenseBlock(nn.Module):
    """Four convolutions, the first of which halves the picture; each later one sees the sum of those before it."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        # Three channels of a picture are mixed at once.
        self.first = nn.Conv2d(3, outputs, 3, 2) if inputs == 3 else Separable(inputs, outputs, 2)
        self.others = nn.ModuleList(Separable(outputs, outputs) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        total = torch.relu(self.first(_padded(x, 2) if isinstance(self.first, nn.Conv2d) else x))
        seen = total
        for convolution in self.others:
            total = total + convolution(seen)
            seen = torch.relu(total)
        return seen


class DenseLandmarks(nn.Module):
    """The network: RGB faces (N, 3, 112, 112), values 0 to 255, to points (N, 68, 2), fractions of the picture."""

    def __init__(self) -> None:
        super().__init__()
        inputs = (3, *CHANNELS[:-1])
        self.blocks = nn.ModuleList(DenseBlock(*pair) for pair in zip(inputs, CHANNELS, strict=True))
        self.head = nn.Linear(CHANNELS[-1], 2 * N_POINTS)

    def forward(self, faces: Tensor) -> Tensor:
        x = (faces - faces.new_tensor(MEAN)[:, None, None]) / 255
        for block in self.blocks:
            x = block(x)
        return self.head(x.mean(dim=(2, 3))).reshape(-1, N_POINTS, 2)  # the map is 7×7


def _padded(x: Tensor, stride: int) -> Tensor:
    """Pad as TensorFlow does: a picture of even side that is halved gets its edge on the right and below alone."""
    before = 1 if stride == 1 else 0
    return functional.pad(x, (before, 1, before, 1))


class DenseLandmarkReader:
    """The network as it is asked for the faces of stored crops; see ``models.LandmarkModel``."""

    def __init__(self, network: nn.Module, sha256: str, device: str = "cpu") -> None:
        self.sha256 = sha256
        self._device = torch.device(device)
        self._network = network.eval().to(self._device)

    def points(self, crops: Sequence[np.ndarray], squares: np.ndarray) -> np.ndarray:
        """Find the points of N faces; see ``LandmarkModel.points``."""
        shown = squares.astype(np.float64).reshape(-1, 3).copy()
        shown[:, :2] += np.array(SHIFT) * shown[:, 2:]
        shown[:, 2] *= WIDTH
        found = np.empty((len(crops), N_POINTS, 2), np.float32)
        for begin in range(0, len(crops), BATCH):
            part = slice(begin, begin + BATCH)
            cut = [_cut(crop, square) for crop, square in zip(crops[part], shown[part], strict=True)]
            with torch.inference_mode():
                faces = torch.from_numpy(np.stack(cut)).to(self._device).permute(0, 3, 1, 2).float()
                found[part] = self._network(faces).cpu().numpy()
        corners = shown[:, None, :2] - shown[:, None, 2:] / 2
        return (corners + found * shown[:, None, 2:]).astype(np.float32)


def _cut(crop: np.ndarray, square: np.ndarray) -> np.ndarray:
    """Cut centre x, centre y, side (fractions of the crop) out of it: (112, 112, 3) uint8."""
    x, y, side = square * crop.shape[0]
    scale = side / SIDE
    # Pixel i's centre lies at i + 0.5, in both pictures.
    offset = np.array([x, y]) - side / 2 + scale / 2 - 0.5
    return resample(crop, np.column_stack([np.eye(2) * scale, offset]), scale, SIDE)


def load(path: Path, device: str = "cpu") -> DenseLandmarkReader:
    """Load the weights: whole numbers of 8 bits, which the file's metadata say the scale and the least of.

    Raises:
        WeightsError: the file is absent, damaged, or of another layout.
    """
    try:
        with safe_open(path, "pt") as stored:
            ranges = json.loads((stored.metadata() or {})["ranges"])
            weights = {
                name: (stored.get_tensor(name).double() * scale + least).float()
                for name, (scale, least) in ranges.items()
            }
        network = DenseLandmarks()
        network.load_state_dict(weights)
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise WeightsError(f"{path} does not hold the weights of dense_landmarks: {error}") from error
    return DenseLandmarkReader(network, sha256_of(path), device)
