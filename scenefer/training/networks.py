"""Networks in training: made as a recipe says, tried on faces held back, written as files that describe themselves."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from scenefer.errors import PlanError, WeightsError
from scenefer.models import public_learned, reader, records, rmn, rmn_face, rmn_lite, zoo
from scenefer.schema import EMOTIONS
from scenefer.training import calibrate, datasets, ferplus, recipes
from scenefer.training.recipes import Recipe

STATISTICS = 512  # pictures whose statistics unfold the trunk's normalisations


def make(settings: Recipe, faces: Tensor) -> reader.Network:
    """Lay out a recipe's network and give it what it starts from.

    Args:
        faces: (N, 48, 48) uint8, some of what will be learned; the trunk's normalisations are unfolded by them.

    Raises:
        PlanError: the trunk is neither known nor a file, or what the recipe starts from has learned more of
            PublicTest than the recipe lets it.
        WeightsError: the trunk is not here, or what the recipe starts from is of another layout.
    """
    n_labels = 15 if settings.votes else 7
    network = reader.NETWORKS[settings.network](n_labels=n_labels, dropout=settings.dropout)
    if isinstance(network, rmn_face.RmnFace) and settings.trunk:
        rmn_face.start_from(
            network, find_trunk(settings.trunk), enlarged(faces[:STATISTICS], recipes.side(settings, 0))
        )
    if isinstance(network, rmn_lite.RmnLite) and settings.trunk:
        rmn_lite.start_from(network, find_trunk(settings.trunk))
    if isinstance(network, rmn.Rmn) and settings.trunk:
        rmn.start_from(network, find_trunk(settings.trunk))
    if settings.start and not settings.pair:
        try:
            network.load_state_dict(_earlier(Path(settings.start), settings)[0].state_dict())
        except RuntimeError as error:
            raise WeightsError(
                f"{settings.start} is no {settings.network} with {n_labels} labels to start from"
            ) from error
    return network


def find_trunk(name: str) -> Path:
    """Find the weights that a trunk starts from, verified.

    Raises:
        PlanError: the name is neither known nor a file.
        WeightsError: the file of a known name is absent or damaged.
    """
    if name in records.known():
        return records.verify(name)
    if not Path(name).is_file():
        raise PlanError(f"trunk = {name!r} is neither known nor a file; leave it empty to train from scratch")
    return Path(name)


def _earlier(path: Path, settings: Recipe) -> tuple[reader.Network, dict[str, str]]:
    """Load what a run starts from or is taught by; it must not know more of the pictures that select than the run."""
    network, metadata = reader.load_network(path)
    if (learned := public_learned(metadata)) > settings.public:
        raise PlanError(f"{path} has learned {learned:.0%} of PublicTest, which would select; set public = {learned:g}")
    return network, metadata


def begin(network: nn.Module, settings: Recipe) -> None:
    """Make a network ready to learn; what a recipe freezes stays as it is, the statistics of normalisation too."""
    network.train()
    if not isinstance(network, rmn_face.RmnFace | rmn_lite.RmnLite) or not settings.frozen:
        return
    unmasked = len(network.groups) - len(network.masks)  # first groups, whose masks would come before those of others
    masks = network.masks[: max(0, settings.frozen - unmasked)]
    for part in (network.stem, *network.groups[: settings.frozen], *masks):
        part.eval().requires_grad_(False)


def teachers(settings: Recipe, device: str) -> list[reader.Network]:
    """Load a recipe's teachers.

    Raises:
        PlanError: one has learned more of PublicTest than the recipe lets it.
        WeightsError: one is unknown, absent or damaged, or has not the heads that are taught.
    """
    loaded: list[reader.Network] = []
    for name in settings.teachers:
        network, metadata = _earlier(_teacher(name, settings), settings)
        if settings.votes and "ferplus" not in metadata["heads"]:
            raise WeightsError(f"{name} cannot teach: it has no head for the FER+ votes; set votes = 0")
        reader.for_inference(network, torch.float32)
        loaded.append(network.to(device))
    return loaded


def reading(teacher: reader.Network, pictures: Tensor) -> Tensor:
    """Let a teacher read pictures (B, 1, S, S), brought to the side that it reads faces at: logits (B, L)."""
    if pictures.shape[-1] != teacher.side:
        side = (teacher.side, teacher.side)
        pictures = functional.interpolate(pictures, size=side, mode="bilinear", align_corners=False)
    return teacher(pictures)


def _teacher(name: str, settings: Recipe) -> Path:
    return Path(settings.start) if name == recipes.START else zoo.find_expression(name)


def optimiser(network: nn.Module, settings: Recipe) -> torch.optim.Optimizer:
    """Make a recipe's optimiser: no weight decay on biases and normalisations."""
    parts = [[p for p in network.parameters() if (p.dim() > 1) == is_matrix] for is_matrix in (True, False)]
    decays = settings.weight_decay, 0.0
    parameters = [{"params": part, "weight_decay": decay} for part, decay in zip(parts, decays, strict=True)]
    if settings.optimiser == "adamw":
        return torch.optim.AdamW(parameters, lr=settings.rate, fused=True)
    if settings.optimiser == "radam":
        return torch.optim.RAdam(parameters, lr=settings.rate)
    return torch.optim.SGD(parameters, lr=settings.rate, momentum=0.9, nesterov=True)


def autocast(device: str) -> AbstractContextManager[Any]:
    """Compute in half precision where that is fast."""
    if device == "cpu" and reader.fastest_precision(torch.device("cpu")) is torch.float32:
        return nullcontext()
    return torch.autocast(device, torch.bfloat16)


def score(network: nn.Module, faces: datasets.Faces, side: int, device: str = "cpu") -> dict[str, float]:
    """Measure accuracy on framed faces: the FER2013 head by label, the FER+ head by the clear majority of votes."""
    logits = forward(network, np.asarray(faces.pictures), side, device)
    seven = len(EMOTIONS)
    found = {"public_fer2013": float((logits[:, :seven].argmax(1) == faces.labels).mean())}
    if faces.votes is not None and logits.shape[1] > seven:
        voted = ferplus.majority(faces.votes)
        known = voted >= 0
        found["public_ferplus"] = float((logits[known, seven : 2 * seven].argmax(1) == voted[known]).mean())
        found["public_ferplus_by_fer2013"] = float((logits[known, :seven].argmax(1) == voted[known]).mean())
    return found


@torch.inference_mode()
def forward(network: nn.Module, pictures: np.ndarray, side: int, device: str = "cpu") -> np.ndarray:
    """Read framed faces (N, 48, 48) uint8 at a side in pixels: logits (N, L) float32."""
    network.eval()
    outputs = []
    for start in range(0, len(pictures), 64):
        faces = enlarged(torch.from_numpy(pictures[start : start + 64]).to(device), side)
        with autocast(device):
            outputs.append(network(faces).float().cpu().numpy())
    return np.concatenate(outputs)


def enlarged(faces: Tensor, side: int) -> Tensor:
    """Enlarge faces (N, 48, 48) to (N, 1, side, side) float32."""
    return functional.interpolate(faces.float()[:, None], size=(side, side), mode="bilinear", align_corners=False)


def export(network: nn.Module, path: Path, settings: Recipe, side: int, figures: dict[str, float]) -> None:
    """Write weights in half precision that describe themselves; temperature and prior are those of no calibration."""
    kept = {
        key: value.float() if key.endswith("running_var") else value.half()
        for key, value in network.state_dict().items()
        if not key.endswith("num_batches_tracked")
    }
    learned = ["FER2013", "FER+"] if settings.votes or settings.soften else ["FER2013"]
    metadata = {
        "architecture": settings.network,
        "emotions": ",".join(EMOTIONS),
        "heads": json.dumps({"fer2013": [0, 7], "ferplus": [7, 15]} if settings.votes else {"fer2013": [0, 7]}),
        "head": "fer2013",
        "side": str(side),
        "licence": f"Apache-2.0; learned from {' and '.join(learned)}, for research",
        "source": "scenefer train",
        "trained_on": _pictures(settings) + ("; FER+ votes" if "FER+" in learned else ""),
        "public": f"{settings.public:g}",
        "started_from": _origin(settings),
        "figures": json.dumps(figures),
    }
    calibrate.write(path, {key: value.contiguous() for key, value in kept.items()}, metadata)


def _pictures(settings: Recipe) -> str:
    """Say what of FER2013 a recipe learns from."""
    if not settings.public:
        return "FER2013 Training without the photographs of PublicTest and PrivateTest"
    share = f"{settings.public:.0%} of PublicTest"
    return f"FER2013 Training and {share}, without the photographs of its rest and of PrivateTest"


def _origin(settings: Recipe) -> str:
    """Say what a network started from, and who taught it; weights are named by their hash."""
    origin = "from scratch"
    if settings.start and not settings.pair:
        origin = f"weights {records.sha256_of(Path(settings.start))[:12]}"
    elif settings.trunk:
        origin = f"trunk {Path(settings.trunk).stem}, {records.sha256_of(find_trunk(settings.trunk))[:12]}"
    teachers = [f"weights {records.sha256_of(_teacher(name, settings))[:12]}" for name in settings.teachers]
    return f"{origin}; taught by {' and '.join(teachers)}" if teachers else origin
