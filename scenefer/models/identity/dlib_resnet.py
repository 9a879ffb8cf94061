"""Face recognition: an embedding vector per face, so that faces of one person are close together.

The network is dlib's (Davis King, ``dlib_face_recognition_resnet_model_v1``, public domain): 29 convolutions, trained
so that two pictures of one person are closer than 0.6, and those of two people farther apart (Euclidean distance).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from os import cpu_count
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from scenefer.core.errors import WeightsError
from scenefer.models.expression.convolution import Conv3x3
from scenefer.models.expression.predictor import fastest_precision, for_inference, resample
from scenefer.models.expression.rmn_face import Block
from scenefer.models.threads import one_thread
from scenefer.models.weight_files import sha256_of

SIDE = 150  # px
N_VALUES = 128  # values in a vector
BATCH = 8  # faces (plus their mirror images) per forward pass; more are not faster
MEAN = (122.782, 117.001, 104.298)  # of red, green and blue, subtracted before dividing by 256
CHANNELS = (32, 32, 32, 64, 64, 64, 64, 128, 128, 128, 256, 256, 256, 256)
DOWN = (3, 7, 10, 13)  # blocks that halve the picture
SPAN = 0.45  # mean distance of the eyes from the middle of the mouth, as a share of the square's side
CENTRE = (0.50, 0.43)  # position of the mean of eyes and mouth in the square


class FaceIdentity(nn.Module):
    """The network: RGB faces (N, 3, 150, 150), values 0 to 255, to vectors (N, 128)."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 32, 7, stride=2)
        inputs = (32, *CHANNELS[:-1])
        self.blocks = nn.ModuleList(Block(inputs[k], outputs, k in DOWN, Conv3x3) for k, outputs in enumerate(CHANNELS))
        self.head = nn.Linear(CHANNELS[-1], N_VALUES, bias=False)

    def forward(self, faces: Tensor) -> Tensor:
        x = (faces - faces.new_tensor(MEAN)[:, None, None]) / 256
        x = torch.relu(self.stem(x.to(self.stem.weight.dtype)))
        x = functional.max_pool2d(x, 3, stride=2)
        for block in self.blocks:
            x = block(x)
        return self.head(x.float().mean(dim=(2, 3)))


class IdentityReader:
    """A network as an ``IdentityModel``: each face is averaged with its mirror image.

    Args:
        network: maps (N, 3, H, W) float32, values 0 to 255, to (N, D).
        prepare: turns a crop and its landmarks into the network's input, (H, W, 3) uint8 RGB.
        scale: factor for the vectors, so that those of one person are closer than about 0.6.
        precision: of the convolutions; None = bfloat16 if the processor supports it natively, else float32. For 63
            faces of film the two vectors were up to 0.014 apart, and distances between faces differed by up to 0.004.
        threads: number of parallel threads; 0 = one per core.
    """

    def __init__(
        self,
        network: nn.Module,
        prepare: Callable[[np.ndarray, np.ndarray], np.ndarray],
        sha256: str,
        device: str = "cpu",
        *,
        scale: float = 1.0,
        precision: torch.dtype | None = None,
        threads: int = 0,
    ) -> None:
        self.sha256 = sha256
        self._prepare, self._scale, self._threads = prepare, scale, threads or cpu_count() or 1
        self._device = torch.device(device)
        self._network = for_inference(network, precision or fastest_precision(self._device)).to(self._device)

    def vectors(self, crops: Sequence[np.ndarray], landmarks: np.ndarray) -> np.ndarray:
        """Turn N faces into vectors; see ``IdentityModel.vectors``."""
        starts = range(0, len(crops), BATCH)
        # One thread per batch: two threads on one batch wait for each other and are not faster than one.
        with ThreadPoolExecutor(self._threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            found = list(pool.map(lambda k: self._some(crops[k : k + BATCH], landmarks[k : k + BATCH]), starts))
        return np.concatenate(found) if found else np.empty((0, N_VALUES), np.float32)

    @torch.inference_mode()
    def _some(self, crops: Sequence[np.ndarray], landmarks: np.ndarray) -> np.ndarray:
        prepared = [self._prepare(crop, points) for crop, points in zip(crops, landmarks, strict=True)]
        faces = torch.from_numpy(np.stack(prepared)).to(self._device).permute(0, 3, 1, 2).float()
        both: Tensor = self._network(torch.cat([faces, faces.flip(3)])) * self._scale
        return ((both[: len(faces)] + both[len(faces) :]) / 2).cpu().numpy()


def aligned(crop: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """Rotate, scale and crop a face as in the network's training pictures.

    Args:
        crop: (S, S, 3) uint8 RGB.
        landmarks: (5, 2) fractions of the crop.

    Returns:
        (150, 150, 3) uint8 RGB, the eyes level; edges replicated.
    """
    left, right, _, mouth_left, mouth_right = landmarks.astype(np.float64) * crop.shape[0]
    mouth = (mouth_left + mouth_right) / 2
    span = (np.linalg.norm(left - mouth) + np.linalg.norm(right - mouth)) / 2
    side = max(float(span) / SPAN, 1.0)
    across = right - left
    angle = np.arctan2(across[1], across[0])
    scale = side / SIDE
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) * scale
    centre = (left + right + mouth) / 3
    # The centre of pixel i is at i + 0.5, in both pictures.
    offset = centre - 0.5 - turn @ (np.array(CENTRE) * SIDE - 0.5)
    return resample(crop, np.column_stack([turn, offset]), scale, SIDE)


@one_thread()
def load(path: Path, device: str = "cpu", precision: torch.dtype | None = None, *, threads: int = 0) -> IdentityReader:
    """Load the weights; in the file a unit is convolution · scale + shift, which is fused into one convolution here.

    Raises:
        WeightsError: the file is absent, damaged, or of another layout.
    """
    try:
        stored = {key: tensor.float() for key, tensor in load_file(path).items()}
        weights = {"head.weight": stored["head.weight"]}
        units = {f"blocks.{k}.unit{unit}": f"blocks.{k}.conv{unit}" for k in range(len(CHANNELS)) for unit in (1, 2)}
        for name, place in {"stem": "stem", **units}.items():
            scale = stored[f"{name}.scale"]
            weights[f"{place}.weight"] = stored[f"{name}.conv.weight"] * scale[:, None, None, None]
            weights[f"{place}.bias"] = stored[f"{name}.conv.bias"] * scale + stored[f"{name}.shift"]
        with torch.device("meta"):  # skip the random initialisation
            network = FaceIdentity()
        network.load_state_dict(weights, assign=True)
    except (OSError, SafetensorError, KeyError, RuntimeError) as error:
        raise WeightsError(f"{path} does not hold the weights of face_identity: {error}") from error
    return IdentityReader(network, aligned, sha256_of(path), device, precision=precision, threads=threads)
