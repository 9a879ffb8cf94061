"""Networks for training: build them from a recipe, score them on held-out faces, export self-describing files."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from scenefer.core.errors import PlanError, WeightsError
from scenefer.core.schema import EMOTIONS
from scenefer.models import known_weights, public_learned, registry, weight_files
from scenefer.models.expression import predictor
from scenefer.models.expression.network import ExpressionNetwork, GroupedNetwork, learning_class
from scenefer.training import calibrate, ferplus, labelled_faces, recipes
from scenefer.training.recipes import Recipe

STATISTICS = 512  # number of pictures for the statistics with which the trunk's normalisation is unfolded


def make(settings: Recipe, faces: Tensor) -> ExpressionNetwork:
    """Build a recipe's network and initialise its weights.

    Args:
        faces: (N, 48, 48) uint8, some training pictures; their statistics are used to unfold the trunk's normalisation.

    Raises:
        PlanError: the trunk is neither a known name nor a file, or the initial weights were trained on more of
            PublicTest than the recipe allows.
        WeightsError: the trunk is missing, or the initial weights have another layout.
    """
    network = learning_class(settings.network)(n_labels=settings.n_labels, dropout=settings.dropout)
    side = recipes.side(settings, 0)
    # Else what it learns at 48 px would be enlarged.
    network.configure({"side": str(side), "features": settings.features})
    if settings.stage_noise:
        for stage in cast(nn.ModuleList, network.get_submodule("stages")):
            stage.register_forward_hook(partial(_noisy, settings.stage_noise))
    if settings.trunk:
        network.start_from(find_trunk(settings.trunk), lambda: enlarged(faces[:STATISTICS], side))
    if settings.start and not settings.pair:
        try:
            network.load_state_dict(_beginning(settings))
        except (RuntimeError, KeyError) as error:
            raise WeightsError(
                f"{settings.start} is no {settings.network} with {settings.n_labels} labels to start from"
            ) from error
    return network


def _noisy(deviation: float, stage: nn.Module, _inputs: object, output: Tensor) -> Tensor:
    """Add Gaussian noise to what a stage gives while it learns."""
    return output + deviation * torch.randn_like(output) if stage.training else output


def _beginning(settings: Recipe) -> dict[str, Tensor]:
    """Return the initial weights of a run; missing heads are initialised as copies of the FER2013 head."""
    earlier, metadata = _earlier(registry.find_expression(settings.start), settings)
    state = earlier.state_dict()
    lacking = [name for name in settings.also if name not in json.loads(metadata["heads"])]
    for part in ("head.weight", "head.bias") if lacking else ():
        state[part] = torch.cat([state[part], *[state[part][: len(EMOTIONS)]] * len(lacking)])
    return state


def find_trunk(name: str) -> Path:
    """Find and verify the pretrained weights of a trunk.

    Raises:
        PlanError: the name is neither known nor a file.
        WeightsError: the file of a known name is missing or damaged.
    """
    if name in known_weights.known():
        return weight_files.verify(name)
    if not Path(name).is_file():
        raise PlanError(f"trunk = {name!r} is neither known nor a file; leave it empty to train from scratch")
    return Path(name)


def _earlier(path: Path, settings: Recipe) -> tuple[ExpressionNetwork, dict[str, str]]:
    """Load initial or teacher weights; refuse any trained on more of PublicTest than the run, as it selects models."""
    network, metadata = predictor.load_network(path)
    if (learned := public_learned(metadata)) > settings.public:
        raise PlanError(f"{path} has learned {learned:.0%} of PublicTest, which would select; set public = {learned:g}")
    return network, metadata


def begin(network: nn.Module, settings: Recipe) -> None:
    """Switch a network to training mode; freeze the groups that the recipe freezes, with normalisation statistics."""
    network.train()
    frozen = network.first(settings.frozen) if isinstance(network, GroupedNetwork) else []
    for part in frozen:
        part.eval().requires_grad_(False)


def teachers(settings: Recipe, device: str) -> list[ExpressionNetwork]:
    """Load a recipe's teachers.

    Raises:
        PlanError: a teacher was trained on more of PublicTest than the recipe allows.
        WeightsError: a teacher is unknown, missing or damaged, or lacks the heads that are trained.
    """
    loaded: list[ExpressionNetwork] = []
    for name in settings.teachers:
        network, metadata = _earlier(_teacher(name, settings), settings)
        if settings.votes and "ferplus" not in metadata["heads"]:
            raise WeightsError(f"{name} cannot teach: it has no head for the FER+ votes; set votes = 0")
        predictor.for_inference(network, torch.float32)
        loaded.append(network.to(device))
    return loaded


def reading(teacher: ExpressionNetwork, pictures: Tensor) -> Tensor:
    """Compute a teacher's logits (B, L) of pictures (B, 1, S, S), resized to the teacher's side if necessary."""
    if pictures.shape[-1] != teacher.side:
        side = (teacher.side, teacher.side)
        pictures = functional.interpolate(pictures, size=side, mode="bilinear", align_corners=False)
    return teacher(pictures)


def _teacher(name: str, settings: Recipe) -> Path:
    return registry.find_expression(settings.start if name == recipes.START else name)


def optimiser(network: nn.Module, settings: Recipe) -> torch.optim.Optimizer:
    """Make a recipe's optimiser, without weight decay on biases and normalisation."""
    parts = [[p for p in network.parameters() if (p.dim() > 1) == is_matrix] for is_matrix in (True, False)]
    decays = settings.weight_decay, 0.0
    parameters = [{"params": part, "weight_decay": decay} for part, decay in zip(parts, decays, strict=True)]
    if settings.optimiser == "adamw":
        return torch.optim.AdamW(parameters, lr=settings.rate, fused=True)
    if settings.optimiser == "radam":
        return torch.optim.RAdam(parameters, lr=settings.rate)
    return torch.optim.SGD(parameters, lr=settings.rate, momentum=0.9, nesterov=True)


def autocast(device: str) -> AbstractContextManager[Any]:
    """Return a context that computes in bfloat16 if the device is fast at it."""
    if device == "cpu" and predictor.fastest_precision(torch.device("cpu")) is torch.float32:
        return nullcontext()
    return torch.autocast(device, torch.bfloat16)


def score(network: nn.Module, faces: labelled_faces.Faces, side: int, device: str = "cpu") -> dict[str, float]:
    """Compute accuracies on framed faces: of the FER2013 head by label, of the FER+ head by the majority of votes."""
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
    """Compute logits (N, L) float32 of framed faces (N, 48, 48) uint8, enlarged to a side in pixels."""
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
    """Write self-describing weights in half precision, with the temperature 1 (uncalibrated)."""
    kept = {
        key: value.float() if key.endswith("running_var") else value.half()
        for key, value in network.state_dict().items()
        if not key.endswith("num_batches_tracked")
    }
    learned = ["FER2013", *(["FER+"] if settings.votes or settings.soften else [])]
    learned += [labelled_faces.ALIGNED[name].written for name in settings.also]
    licence = f"Apache-2.0; learned from {_enumerated(learned)}, for research"
    if settings.also:
        licence = f"research, non-commercial; learned from {_enumerated(learned)}"
    metadata = {
        "architecture": settings.network,
        "emotions": ",".join(EMOTIONS),
        "heads": json.dumps(settings.heads),
        "reading": json.dumps({head: 1 / len(settings.heads) for head in settings.heads}),
        "side": str(side),
        "licence": licence,
        "source": "scenefer train",
        "trained_on": "; ".join(
            [_pictures(settings), *("FER+ votes" if name == "FER+" else name for name in learned[1:])]
        ),
        "public": f"{settings.public:g}",
        "started_from": _origin(settings),
        "figures": json.dumps(figures),
    }
    if settings.features:
        metadata["features"] = settings.features
    if settings.also:
        metadata["size"] = str(side)  # px, size of face crops: the side at which further data sets are trained
    calibrate.write(path, {key: value.contiguous() for key, value in kept.items()}, metadata)


def _enumerated(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _pictures(settings: Recipe) -> str:
    """Describe the part of FER2013 that a recipe trains on."""
    if not settings.public:
        return "FER2013 Training without the photographs of PublicTest and PrivateTest"
    share = f"{settings.public:.0%} of PublicTest"
    return f"FER2013 Training and {share}, without the photographs of its rest and of PrivateTest"


def _origin(settings: Recipe) -> str:
    """Describe the initial weights and the teachers of a network; weights are named by their hash."""
    origin = "from scratch"
    if settings.start and not settings.pair:
        origin = f"weights {weight_files.sha256_of(registry.find_expression(settings.start))[:12]}"
    elif settings.trunk:
        origin = f"trunk {Path(settings.trunk).stem}, {weight_files.sha256_of(find_trunk(settings.trunk))[:12]}"
    teachers = [f"weights {weight_files.sha256_of(_teacher(name, settings))[:12]}" for name in settings.teachers]
    return f"{origin}; taught by {' and '.join(teachers)}" if teachers else origin
