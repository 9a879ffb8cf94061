"""How weights become networks: by the name of a known file, of one that the user added, or by a path."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from scenefer.errors import PlanError, WeightsError
from scenefer.models import DEVICES, refuse_undescribed
from scenefer.models.records import DETECTORS, EXPRESSION, IDENTITY, find, folder, known, sha256_of, verify

if TYPE_CHECKING:
    from scenefer.models import ExpressionModel, FaceDetector, IdentityModel


def load_detector(
    name: str, *, smallest_face: float, device: str = "cpu", pyramid: Literal["fast", "exact"] = "fast"
) -> FaceDetector:
    """Load a face detector.

    Args:
        smallest_face: side of the smallest face that is looked for, in pixels of the picture given to ``detect``.
        pyramid: of MTCNN alone: how its picture pyramid is made.

    Raises:
        WeightsError: the name is unknown, or its file is absent or damaged.
    """
    path = verify(find(name, DETECTORS, "detector").name)
    if name == "yunet":
        from scenefer.models import yunet

        return yunet.load(path, smallest_face=smallest_face)
    from scenefer.models import mtcnn

    return mtcnn.load(path, smallest_face=smallest_face, device=device, pyramid=pyramid)


def load_identity(name: str, device: str = "cpu", threads: int = 0) -> IdentityModel:
    """Load a network that tells people apart.

    Args:
        threads: that it may take; 0 = one a core.

    Raises:
        WeightsError: the name is unknown, or its file is absent or damaged.
    """
    path = find_identity(name)
    if IDENTITY[name].architecture == "facenet":
        from scenefer.models import facenet

        return facenet.load(path, device, threads=threads)
    from scenefer.models import identity

    return identity.load(path, device, threads=threads)


def find_identity(name: str) -> Path:
    """Return the weight file of a network that tells people apart, verified.

    Raises:
        WeightsError: the name is unknown, or its file is absent or damaged.
    """
    return verify(find(name, IDENTITY, "identity model").name)


def load_expression(name_or_path: str | Path, device: str = "cpu", *, mirrored: bool = False) -> ExpressionModel:
    """Load an expression network by its name, or from a weight file that says in its metadata what it is.

    Args:
        mirrored: read each face a second time, mirrored; costs twice the time.

    Raises:
        WeightsError: the name is unknown, the file is absent or damaged, or its architecture is unknown.
    """
    from scenefer.models import reader

    return reader.load(find_expression(name_or_path), device=device, mirrored=mirrored)


def choose_device(name: str) -> str:
    """Choose where the networks run: "auto" takes a GPU if there is one.

    Raises:
        PlanError: there is no device of this name.
        WeightsError: the one that is asked for is not here.
    """
    import torch

    if name not in DEVICES:
        raise PlanError(f"unknown device {name!r}; known: {', '.join(DEVICES)}")
    if name == "cuda" and not torch.cuda.is_available():
        raise WeightsError("--device cuda: torch finds no CUDA device; use --device auto")
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return name


def find_expression(name_or_path: str | Path) -> Path:
    """Return the weight file of an expression network: of a known name, verified, of an added one, or the file given.

    A published checkpoint is converted to safetensors, once.

    Raises:
        WeightsError: the name is unknown, or the file is absent or damaged.
    """
    name = str(name_or_path)
    if name in EXPRESSION:
        return _converted(verify(name))
    if Path(name).is_file():
        return _converted(Path(name))
    if name in added():
        return added()[name]
    return verify(find(name, EXPRESSION, "expression model", list(added())).name)


def added() -> dict[str, Path]:
    """Return the weight files that ``add`` keeps, by name."""
    return {path.stem: path for path in sorted(folder().glob("added/*.safetensors"))}


def add(file: Path, name: str) -> Path:
    """Keep the weights of an expression network in the user's folder, under a name.

    Raises:
        WeightsError: the name is taken or is none, the file is damaged or of an unknown layout, or the folder cannot be
            written.
    """
    from scenefer.models import reader

    if name in known() or not re.fullmatch(r"\w[\w.-]*", name):
        raise WeightsError(f"{name!r} cannot be a name for weights: it is taken, or not of letters, digits, _ . and -")
    reader.load_network(file)
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
    """Return a checkpoint as safetensors, which it is converted to where it has not been yet."""
    if path.suffix == ".safetensors":
        return path
    target = folder() / "converted" / f"{sha256_of(path)[:16]}.safetensors"
    if not target.is_file():
        from safetensors import SafetensorError
        from safetensors.torch import save_file

        from scenefer.models import reader

        network, metadata = reader.load_network(path)
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
    """Read what a weight file says of itself, without loading its tensors.

    Raises:
        WeightsError: it is no safetensors file, or does not say how it is to be read.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "numpy") as stored:
            metadata = stored.metadata() or {}
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"{path} is no safetensors file: {error}") from error
    refuse_undescribed(path, metadata)
    return dict(sorted(metadata.items()))  # the file has them in any order, and runs keep them
