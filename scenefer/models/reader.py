"""From the crop of a face to logits: the part that all expression networks share.

The network gets the square that its training pictures show: around the centre of the box, its side a multiple of the
box's width plus one of its height, which the network states (``framing``; FER2013's was measured on 372 of its images
against MTCNN's box).
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

from scenefer.errors import WeightsError
from scenefer.models import Calibration, calibration, eight_bit, refuse_undescribed
from scenefer.models.records import sha256_of
from scenefer.models.rmn import Rmn, read_checkpoint
from scenefer.models.rmn_compact import FRAMING, SIZE, RmnCompact
from scenefer.models.rmn_face import RmnFace
from scenefer.models.rmn_lite import RmnLite
from scenefer.models.rmn_pair import RmnPair

Network = RmnCompact | RmnFace | RmnLite | RmnPair | Rmn
BATCH = 64  # faces a forward pass at most, so that memory stays flat in a crowd


class ExpressionReader:
    """A network that reads grey squares, as an ``ExpressionModel``.

    Args:
        network: takes (N, 1, size, size), values 0 to 255, and gives (N, L); states its ``size``, its ``framing`` and
            the ``side`` that it enlarges a face to.
        mirrored: read each face a second time, mirrored, and average the logits; costs twice the time.
        precision: of the convolutions; None takes bfloat16 where the processor computes in it, else float32.
    """

    def __init__(
        self,
        network: Network,
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
        self.size, self.framing = network.size, network.framing
        self.network = for_inference(network, precision or fastest_precision(self.device)).to(self.device)

    def logits(self, crops: Sequence[np.ndarray], boxes: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
        """Read N faces; see ``ExpressionModel.logits``. The landmarks are not used."""
        if not len(crops) == len(boxes) == len(landmarks):
            raise ValueError(f"{len(crops)} crops, {len(boxes)} boxes and {len(landmarks)} landmarks: must be as many")
        return self.read(cut(crops, boxes, self.size, self.framing))

    def read(self, faces: np.ndarray) -> np.ndarray:
        """Read faces (N, size, size) uint8 grey, framed as the network's training pictures: (N, L) float32."""
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


def cut(
    crops: Sequence[np.ndarray], boxes: np.ndarray, size: int = SIZE, framing: tuple[float, float] = FRAMING
) -> np.ndarray:
    """Cut faces as a network's training pictures frame them.

    Args:
        crops: N squares (S, S, 3) uint8 RGB.
        boxes: (N, 4) fractions of the crop.
        framing: side of the square, as multiples of the box's width and height.

    Returns:
        (N, size, size) uint8 grey; edges replicated.
    """
    faces = np.empty((len(crops), size, size), np.uint8)
    for number, (crop, (x0, y0, x1, y1)) in enumerate(zip(crops, boxes, strict=True)):
        edge = crop.shape[0]
        side = (framing[0] * (x1 - x0) + framing[1] * (y1 - y0)) * edge
        grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
        faces[number] = square(grey, (x0 + x1) / 2 * edge, (y0 + y1) / 2 * edge, side, size)
    return faces


def square(picture: np.ndarray, x: float, y: float, side: float, size: int = SIZE) -> np.ndarray:
    """Cut the square with this centre and side, pixels, out of a picture: (size, size) or (size, size, 3) uint8."""
    scale = max(float(side), 1.0) / size
    # Pixel i's centre lies at i + 0.5, in both pictures.
    left, top = x - side / 2 + scale / 2 - 0.5, y - side / 2 + scale / 2 - 0.5
    return resample(picture, np.array([[scale, 0, left], [0, scale, top]], np.float64), scale, size)


def resample(picture: np.ndarray, matrix: np.ndarray, scale: float, size: int) -> np.ndarray:
    """Resample a picture by the matrix (2, 3) from output to input pixels, ``scale`` of these a pixel: (size, size, …).

    Edges are replicated.
    """
    if scale > 1:
        picture = cv2.GaussianBlur(picture, (0, 0), 0.4 * scale)  # a bilinear step alone would alias
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(picture, matrix, (size, size), flags=flags, borderMode=cv2.BORDER_REPLICATE)


def load(
    path: Path, *, device: str = "cpu", mirrored: bool = False, precision: torch.dtype | None = None
) -> ExpressionReader:
    """Load a weight file that describes itself.

    Raises:
        WeightsError: the file is absent, damaged, or of another layout.
    """
    network, metadata = load_network(path)
    return ExpressionReader(
        network, sha256_of(path), calibration(metadata), device=device, mirrored=mirrored, precision=precision
    )


def load_network(path: Path) -> tuple[Network, dict[str, str]]:
    """Build the network of a weight file, float32, and return the file's metadata with it.

    Raises:
        WeightsError: the file is absent, damaged, or of another layout.
    """
    if path.suffix != ".safetensors" and path.is_file():  # the authors' checkpoint, which says nothing of itself
        published = Rmn()
        published.load_state_dict(read_checkpoint(path))
        return published, PUBLISHED
    try:
        with safe_open(path, "pt") as stored:
            metadata = stored.metadata() or {}
            weights = eight_bit.unpacked({key: stored.get_tensor(key) for key in stored.keys()})  # noqa: SIM118 - no mapping
    except (OSError, SafetensorError, RuntimeError) as error:  # RuntimeError: scales that fit no weights
        raise WeightsError(f"{path} is absent or no safetensors file: {error}") from error
    architecture = metadata.get("architecture", "")
    if architecture not in NETWORKS:
        raise WeightsError(f"{path}: unknown architecture {architecture!r}; known: {', '.join(NETWORKS)}")
    refuse_undescribed(path, metadata)
    n_labels = max(last for _, last in json.loads(metadata["heads"]).values())
    network = NETWORKS[architecture](n_labels=n_labels)
    try:
        # BatchNorm's counters of batches are not stored; they play no part in inference.
        missing, unexpected = network.load_state_dict(weights, strict=False)
    except RuntimeError as error:
        raise WeightsError(f"{path} does not have the layout {architecture}: {error}") from error
    missing = [key for key in missing if not key.endswith("num_batches_tracked")]
    if missing or unexpected:
        wrong = f"{len(missing)} tensors missing {missing[:3]}, {len(unexpected)} too many {unexpected[:3]}"
        raise WeightsError(f"{path} does not have the layout {architecture}: {wrong}")
    if isinstance(network, RmnFace | RmnLite):
        network.side = int(metadata.get("side", network.side))
    if isinstance(network, RmnPair):
        network.face.side = int(metadata.get("side", network.face.side))
        network.picture.side = int(metadata.get("picture_side", network.picture.side))
    return network, metadata


def fastest_precision(device: torch.device) -> torch.dtype:
    """Return bfloat16 on a processor that computes in it (AMX, AVX512-BF16), else float32; emulated, it is slower."""
    native = torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()
    return torch.bfloat16 if device.type == "cpu" and native else torch.float32


def for_inference(network: nn.Module, precision: torch.dtype) -> nn.Module:
    """Fold the normalisations, convert the convolutions to ``precision`` and lay them out channels last, in place."""
    network.eval().requires_grad_(False)
    for module in list(network.modules()):
        fuse = getattr(module, "fuse", None)
        if callable(fuse):
            fuse()
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            module.to(precision)
    return network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue] - documented, not in the stub


NETWORKS: dict[str, type[Network]] = {
    "rmn_compact": RmnCompact,
    "rmn_face": RmnFace,
    "rmn_lite": RmnLite,
    "rmn_pair": RmnPair,
    "rmn": Rmn,
}

PUBLISHED = {
    "architecture": "rmn",
    "heads": '{"fer2013": [0, 7]}',
    "head": "fer2013",
    "temperature": "1.0",
    "prior": json.dumps([1 / 7] * 7),
}
