"""Combine the weights of two networks into one file for the ensemble (``models.expression.ensemble``)."""

from __future__ import annotations

from pathlib import Path

from safetensors.torch import load_file

from scenefer.core.errors import WeightsError
from scenefer.models import public_learned, registry, weight_files
from scenefer.models.expression import quantization
from scenefer.training import calibrate

MEMBERS = ("rmn_face", "rmn_lite")  # the architectures, in the order of the ensemble's members


def join(face: Path, picture: Path, best: Path) -> None:
    """Write two weight files as one, quantised to eight bits, with the temperature 1 (uncalibrated).

    Args:
        face: weights of ``rmn_face``.
        picture: weights of ``rmn_lite`` with the same heads; the ensemble takes over their metadata.
        best: the file to write.

    Raises:
        WeightsError: a file cannot be read or has another layout, or the two do not have the same heads.
    """
    described = [registry.describe(path) for path in (face, picture)]
    for path, metadata, architecture in zip((face, picture), described, MEMBERS, strict=True):
        if metadata["architecture"] != architecture:
            raise WeightsError(f"{path} is {metadata['architecture']}; a pair is made of {' and '.join(MEMBERS)}")
    if described[0]["heads"] != described[1]["heads"]:
        raise WeightsError(f"{face} and {picture} have not the same heads and cannot be read together")
    tensors = {}
    for member, path in (("face", face), ("picture", picture)):
        tensors |= {f"{member}.{key}": value for key, value in load_file(path).items()}
    hashes = " and ".join(weight_files.sha256_of(path)[:12] for path in (face, picture))
    metadata = described[1] | {
        "architecture": "rmn_pair",
        "side": described[0]["side"],
        "picture_side": described[1]["side"],
        "public": f"{max(public_learned(metadata) for metadata in described):g}",
        "started_from": f"weights {hashes}, read together",
        "source": "scenefer train, two networks read together",
    }
    metadata.pop("figures", None)  # they belong to the second member only
    calibrate.write(best, quantization.packed(tensors), metadata)
