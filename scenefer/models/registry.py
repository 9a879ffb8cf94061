"""Builds networks from weights, which are given by a known name, the name of a file that the user added, or a path."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from scenefer.core.errors import PlanError, WeightsError
from scenefer.core.registry import imported
from scenefer.models import DEVICES, refuse_undescribed
from scenefer.models.known_weights import ALIASES, DETECTORS, EXPRESSION, IDENTITY, LANDMARKS, known
from scenefer.models.weight_files import sha256_of, verify
from scenefer.models.weight_record import folder

if TYPE_CHECKING:
    from scenefer.models import ExpressionModel, FaceDetector, IdentityModel, LandmarkModel


def load_detector(
    name: str, *, smallest_face: float, device: str = "cpu", pyramid: Literal["fast", "exact"] = "fast"
) -> FaceDetector:
    """Load a face detector.

    Args:
        smallest_face: side of the smallest face to find, in pixels of the picture given to ``detect``.
        pyramid: how the image pyramid is computed; only used by MTCNN.

    Raises:
        WeightsError: the name is unknown, or its file is missing or damaged.
    """
    record = DETECTORS.find(name)
    return imported(record.load)(verify(name), smallest_face=smallest_face, device=device, pyramid=pyramid)


def load_identity(name: str, device: str = "cpu", threads: int = 0) -> IdentityModel:
    """Load a face recognition network.

    Args:
        threads: maximum number of threads; 0 = one per core.

    Raises:
        WeightsError: the name is unknown, or its file is missing or damaged.
    """
    record = IDENTITY.find(name)
    return imported(record.load)(verify(name), device, threads=threads)


def load_landmarks(device: str = "cpu") -> LandmarkModel:
    """Load the network that finds the 68 points of a face.

    Raises:
        WeightsError: its file is absent or damaged.
    """
    record = LANDMARKS["dense_landmarks"]
    return imported(record.load)(verify(record.name), device)


def find_identity(name: str) -> Path:
    """Return the verified weight file of a face recognition network.

    Raises:
        WeightsError: the name is unknown, or its file is absent or damaged.
    """
    IDENTITY.find(name)
    return verify(name)


def load_expression(
    name_or_path: str | os.PathLike[str], device: str = "cpu", *, mirrored: bool = False
) -> ExpressionModel:
    """Load an expression network by its name, or from a weight file with metadata that describe it.

    Args:
        mirrored: also read each face mirrored and average the logits; takes twice the time.

    Raises:
        WeightsError: the name is unknown, the file is absent or damaged, or its architecture is unknown.
    """
    from scenefer.models.expression import predictor

    return predictor.load(find_expression(name_or_path), device=device, mirrored=mirrored)


def choose_device(name: str) -> str:
    """Choose the device for the networks; "auto" takes a GPU if there is one.

    Raises:
        PlanError: the name of the device is unknown.
        WeightsError: the requested device is not available.
    """
    import torch

    if name not in DEVICES:
        raise PlanError(f"unknown device {name!r}; known: {', '.join(DEVICES)}")
    if name == "cuda" and not torch.cuda.is_available():
        raise WeightsError("--device cuda: torch finds no CUDA device; use --device auto")
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return name


def find_expression(name_or_path: str | os.PathLike[str]) -> Path:
    """Return the weight file of an expression network, given a known name (verified), an added name, or a file.

    A published checkpoint is converted to safetensors once.

    Raises:
        WeightsError: the name is unknown, or the file is absent or damaged.
    """
    name = os.fspath(name_or_path)
    if name in EXPRESSION or name in ALIASES:
        return _converted(verify(name))
    if Path(name).is_file():
        return _converted(Path(name))
    if name in added():
        return added()[name]
    return EXPRESSION.find(name, added()).path  # raises an error that lists the known names


def added() -> dict[str, Path]:
    """Return the weight files that were stored by ``add``, by name."""
    return {path.stem: path for path in sorted(folder().glob("added/*.safetensors"))}


def add(file: Path, name: str) -> Path:
    """Store the weights of an expression network in the user's folder, under a name.

    Raises:
        WeightsError: the name is taken or invalid, the file is damaged or of an unknown layout, or the folder is not
            writable.
    """
    from scenefer.models.expression import predictor

    if name in known() or name in ALIASES or not re.fullmatch(r"\w[\w.-]*", name):
        raise WeightsError(f"{name!r} cannot be a name for weights: it is taken, or not of letters, digits, _ . and -")
    predictor.load_network(file)
    target = folder() / "added" / f"{name}.safetensors"
    part = target.with_suffix(".tmp")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(_converted(file), part)
        part.replace(target)
    except OSError as error:
        raise _unwritable(target, error) from error
    return target


def _converted(path: Path) -> Path:
    """Return a checkpoint as a safetensors file; convert it if that has not been done yet."""
    if path.suffix == ".safetensors":
        return path
    target = folder() / "converted" / f"{sha256_of(path)[:16]}.safetensors"
    if not target.is_file():
        from safetensors import SafetensorError
        from safetensors.torch import save_file

        from scenefer.models.expression import predictor

        network, metadata = predictor.load_network(path)
        part = target.with_suffix(".tmp")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            save_file({key: value.contiguous() for key, value in network.state_dict().items()}, part, metadata)
            part.replace(target)
        except (OSError, SafetensorError) as error:
            raise _unwritable(target, error) from error
    return target


def _unwritable(target: Path, error: Exception) -> WeightsError:
    why = getattr(error, "strerror", None) or error
    return WeightsError(f"{target} cannot be written: {why}; SCENEFER_WEIGHTS names another folder")


def describe(path: Path) -> dict[str, str]:
    """Read the metadata of a weight file, without loading its tensors.

    Raises:
        WeightsError: it is not a safetensors file, or its metadata are incomplete.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "numpy") as stored:
            metadata = stored.metadata() or {}
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"{path} is no safetensors file: {error}") from error
    refuse_undescribed(path, metadata)
    return dict(sorted(metadata.items()))  # sorted, because the file's order is arbitrary and runs store the metadata
