"""Make one file of two networks that are read together (``models.rmn_pair``)."""

from __future__ import annotations

from pathlib import Path

from safetensors.torch import load_file

from scenefer.errors import WeightsError
from scenefer.models import eight_bit, public_learned, records, zoo
from scenefer.training import calibrate

MEMBERS = ("rmn_face", "rmn_lite")  # the architectures, in the order of the pair's members


def join(face: Path, picture: Path, best: Path) -> None:
    """Write two weight files as one, in eight bits; temperature and prior are those of no calibration.

    Args:
        face: weights of ``rmn_face``.
        picture: weights of ``rmn_lite`` with the same heads; the pair takes over what they say of themselves.
        best: the file to write.

    Raises:
        WeightsError: one cannot be read, is of another layout, or they have not the same heads.
    """
    described = [zoo.describe(path) for path in (face, picture)]
    for path, metadata, architecture in zip((face, picture), described, MEMBERS, strict=True):
        if metadata["architecture"] != architecture:
            raise WeightsError(f"{path} is {metadata['architecture']}; a pair is made of {' and '.join(MEMBERS)}")
    if described[0]["heads"] != described[1]["heads"]:
        raise WeightsError(f"{face} and {picture} have not the same heads and cannot be read together")
    tensors = {}
    for member, path in (("face", face), ("picture", picture)):
        tensors |= {f"{member}.{key}": value for key, value in load_file(path).items()}
    hashes = " and ".join(records.sha256_of(path)[:12] for path in (face, picture))
    metadata = described[1] | {
        "architecture": "rmn_pair",
        "side": described[0]["side"],
        "picture_side": described[1]["side"],
        "public": f"{max(public_learned(metadata) for metadata in described):g}",
        "started_from": f"weights {hashes}, read together",
        "source": "scenefer train, two networks read together",
    }
    metadata.pop("figures", None)  # they are the second member's
    calibrate.write(best, eight_bit.packed(tensors), metadata)
