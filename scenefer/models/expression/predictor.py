"""From the crop of a face to logits: the part that all expression networks share.

The network's input is framed like its training pictures; ``models/framing.py`` computes the square.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from scenefer.core.errors import WeightsError
from scenefer.models import Calibration, calibration, refuse_undescribed
from scenefer.models.expression import quantization
from scenefer.models.expression.network import SIZE, ExpressionNetwork, network_class
from scenefer.models.expression.rmn import Rmn, read_checkpoint
from scenefer.models.weight_files import sha256_of

BATCH = 64  # maximum faces per forward pass, to bound memory in crowd scenes


class ExpressionReader:
    """A network that reads grey squares, as an ``ExpressionModel``.

    Args:
        network: maps (N, 1, size, size), values 0 to 255, to (N, L); has attributes ``size`` and ``side``, the side
            to which it enlarges a face.
        mirrored: also read each face mirrored and average the logits; takes twice the time.
        precision: of the convolutions; None = bfloat16 if the processor supports it natively, else float32.
    """

    def __init__(
        self,
        network: ExpressionNetwork,
        sha256: str,
        calibration: Calibration,
        *,
        device: str = "cpu",
        mirrored: bool = False,
        precision: torch.dtype | None = None,
    ) -> None:
        self.sha256 = sha256
        self.calibration = calibration
        self.mirrored = mirrored
        self.device = torch.device(device)
        self.size = network.size
        self.network = for_inference(network, precision or fastest_precision(self.device)).to(self.device)

    def logits(self, crops: Sequence[np.ndarray], squares: np.ndarray) -> np.ndarray:
        """Read N faces; see ``ExpressionModel.logits``."""
        if len(crops) != len(squares):
            raise ValueError(f"{len(crops)} crops and {len(squares)} squares: must be as many")
        return self.read(cut(crops, squares, self.size))

    def read(self, faces: np.ndarray) -> np.ndarray:
        """Compute logits (N, L) float32 of faces (N, size, size) uint8 grey, framed like the training pictures."""
        outputs = [self._forward(faces[start : start + BATCH]) for start in range(0, len(faces), BATCH)]
        if not outputs:
            return self._forward(np.zeros((1, self.size, self.size), np.uint8))[:0]
        return np.concatenate(outputs)

    @torch.inference_mode()
    def _forward(self, faces: np.ndarray) -> np.ndarray:
        grey = torch.from_numpy(faces).to(self.device).float()[:, None]  # (n, 1, size, size)
        logits: Tensor = self.network(grey)
        if self.mirrored:
            logits = (logits + self.network(grey.flip(3))) / 2
        return logits.float().cpu().numpy()


def cut(crops: Sequence[np.ndarray], squares: np.ndarray, size: int = SIZE) -> np.ndarray:
    """Crop faces as the networks' training pictures frame them.

    Args:
        crops: N squares (S, S, 3) uint8 RGB.
        squares: (N, 3) centre x, centre y and side of the part to crop, fractions of the crop (``framing.squares``).

    Returns:
        (N, size, size) uint8 grey; edges replicated.
    """
    faces = np.empty((len(crops), size, size), np.uint8)
    for number, (crop, framed) in enumerate(zip(crops, squares, strict=True)):
        x, y, side = framed * crop.shape[0]
        faces[number] = square(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), x, y, side, size)
    return faces


def square(picture: np.ndarray, x: float, y: float, side: float, size: int = SIZE) -> np.ndarray:
    """Crop the square with this centre and side, in pixels, and resize it: (size, size) or (size, size, 3) uint8."""
    scale = max(float(side), 1.0) / size
    # The centre of pixel i is at i + 0.5, in both pictures.
    left, top = x - side / 2 + scale / 2 - 0.5, y - side / 2 + scale / 2 - 0.5
    return resample(picture, np.array([[scale, 0, left], [0, scale, top]], np.float64), scale, size)


def resample(picture: np.ndarray, matrix: np.ndarray, scale: float, size: int) -> np.ndarray:
    """Resample a picture to (size, size, …); edges are replicated.

    Args:
        matrix: (2, 3), maps output pixels to input pixels.
        scale: input pixels per output pixel.
    """
    if scale > 1:
        picture = cv2.GaussianBlur(picture, (0, 0), 0.4 * scale)  # bilinear interpolation alone would alias
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(picture, matrix, (size, size), flags=flags, borderMode=cv2.BORDER_REPLICATE)


def load(
    path: Path, *, device: str = "cpu", mirrored: bool = False, precision: torch.dtype | None = None
) -> ExpressionReader:
    """Load a self-describing weight file.

    Raises:
        WeightsError: the file is absent, damaged, or of another layout.
    """
    network, metadata = load_network(path)
    return ExpressionReader(
        network, sha256_of(path), calibration(metadata), device=device, mirrored=mirrored, precision=precision
    )


def load_network(path: Path) -> tuple[ExpressionNetwork, dict[str, str]]:
    """Build the network of a weight file, float32, and return the file's metadata with it.

    Raises:
        WeightsError: the file is absent, damaged, or of another layout.
    """
    if path.suffix != ".safetensors" and path.is_file():  # the authors' checkpoint, which has no metadata
        published = Rmn()
        published.load_state_dict(read_checkpoint(path))
        return published, PUBLISHED
    try:
        with safe_open(path, "pt") as stored:
            metadata = stored.metadata() or {}
            weights = quantization.unpacked({key: stored.get_tensor(key) for key in stored.keys()})  # noqa: SIM118 - no mapping
    except (OSError, SafetensorError, RuntimeError) as error:  # RuntimeError: scales that fit no weights
        raise WeightsError(f"{path} is absent or no safetensors file: {error}") from error
    architecture = metadata.get("architecture", "")
    try:
        make = network_class(architecture)
    except WeightsError as error:
        raise WeightsError(f"{path}: {error}") from error
    refuse_undescribed(path, metadata)
    network = make(n_labels=max(last for _, last in json.loads(metadata["heads"]).values()))
    try:
        # The batch counters of BatchNorm are not stored; inference does not use them.
        missing, unexpected = network.load_state_dict(weights, strict=False)
    except RuntimeError as error:
        raise WeightsError(f"{path} does not have the layout {architecture}: {error}") from error
    missing = [key for key in missing if not key.endswith("num_batches_tracked")]
    if missing or unexpected:
        wrong = f"{len(missing)} tensors missing {missing[:3]}, {len(unexpected)} too many {unexpected[:3]}"
        raise WeightsError(f"{path} does not have the layout {architecture}: {wrong}")
    network.configure(metadata)
    return network, metadata


def fastest_precision(device: torch.device) -> torch.dtype:
    """Return bfloat16 if the CPU supports it natively (AMX, AVX512-BF16), else float32; emulation is slower."""
    names = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")  # not public; if torch lacks them, use float32
    native = any(getattr(torch.cpu, name, bool)() for name in names)
    return torch.bfloat16 if device.type == "cpu" and native else torch.float32


def for_inference(network: nn.Module, precision: torch.dtype) -> nn.Module:
    """Fuse batch normalisation into convolutions, convert these to ``precision``, and use channels-last, in place."""
    network.eval().requires_grad_(False)
    for module in list(network.modules()):
        fuse = getattr(module, "fuse", None)
        if callable(fuse):
            fuse()
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            module.to(precision)
    return network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue] - documented, not in the stub


PUBLISHED = {
    "architecture": "rmn",
    "heads": '{"fer2013": [0, 7]}',
    "reading": '{"fer2013": 1}',
    "temperature": "1.0",
}
