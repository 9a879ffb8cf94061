"""Classical networks as expression networks: trunks of timm, each with the head of the paper that reads faces with it.

They stand beside our own so that published tables can be run again; timm comes with the extra ``studies``.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from scenefer.core.errors import WeightsError
from scenefer.models.expression.network import ScaledNetwork
from scenefer.models.expression.rmn import UNREADABLE

_OPERATORS = ("nms", "qnms")  # of torchvision, which it describes when it is imported
_CLASSIFIERS = ("fc.", "head.", "classifier.", "pre_logits.", "last_linear.")  # of timm's files: of ImageNet's classes


def timm() -> Any:
    """Import timm.

    It imports torchvision, which fails beside a torch of another build (``operator torchvision::nms does not exist``)
    although none of these networks needs its compiled operators. Once they are declared, it can be imported.

    Raises:
        WeightsError: it is not installed.
    """
    try:
        import timm
    except ModuleNotFoundError as error:
        raise WeightsError(f"this network needs {error.name}: pip install 'scenefer[studies]'") from error
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise
        for name in _OPERATORS:
            torch.library.define(f"torchvision::{name}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        import timm
    return timm


class Trunk(nn.Module):
    """The feature maps of a network of timm, the last of them; its classifier is left out."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, name: str, **options: Any) -> None:
        super().__init__()
        body = timm().create_model(name, num_classes=0, global_pool="", **options)
        if hasattr(body, "pre_logits"):  # VGG's dense layers of 100 million parameters
            body.pre_logits = nn.Identity()
        self.body = body
        self.channels: int = body.num_features
        config = body.pretrained_cfg
        for name, values in (("mean", config["mean"]), ("deviation", config["std"])):
            self.register_buffer(name, torch.tensor(values)[:, None, None], persistent=False)

    def forward(self, grey: Tensor) -> Tensor:
        """Read grey faces (N, 1, H, W), 0 to 255, as its pictures of ImageNet: (N, channels, h, w)."""
        colour = ((grey / 255).expand(-1, 3, -1, -1) - self.mean) / self.deviation
        return self.body.forward_features(colour.to(next(self.body.parameters()).dtype))


class TimmNetwork(ScaledNetwork):
    """A trunk, the mean over its maps, dropout and a linear layer."""

    trunk: str  # its name in timm
    options: dict[str, Any] = {}  # noqa: RUF012 - of a class, and never changed

    def __init__(self, n_labels: int = 7, dropout: float = 0.0) -> None:
        super().__init__()
        trunk = Trunk(self.trunk, **self.options)
        self.stages = nn.ModuleList([trunk])
        self.head = self.make_head(trunk.channels, n_labels, dropout)

    def make_head(self, channels: int, n_labels: int, dropout: float) -> nn.Module:
        """Lay out what follows the last maps (N, channels, h, w)."""
        return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(dropout), nn.Linear(channels, n_labels))

    def forward(self, grey: Tensor) -> Tensor:
        """Read grey faces (N, 1, H, W), values 0 to 255, enlarged here if they are 48×48: logits (N, L) float32."""
        return self.head(self.stages[0](self.seen(grey)).float())

    def start_from(self, trunk: Path, enlarged: Callable[[], Tensor]) -> None:
        """Start from weights of ImageNet in timm's layout, .safetensors or a checkpoint; their classifier is left out.

        Raises:
            WeightsError: the file is no such network; what it lacks may be attention alone.
        """
        stored = {key: value for key, value in _read(trunk).items() if not key.startswith(_CLASSIFIERS)}
        try:
            missing, unexpected = cast(Trunk, self.stages[0]).body.load_state_dict(stored, strict=False)
        except RuntimeError as error:  # other shapes
            raise WeightsError(f"{trunk} is no {self.trunk} in timm's layout") from error
        needed = [key for key in missing if ".se." not in key and not key.endswith("num_batches_tracked")]
        if needed or unexpected:
            raise WeightsError(f"{trunk} is no {self.trunk} in timm's layout: {(needed or unexpected)[0]}")


def _read(path: Path) -> dict[str, Tensor]:
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        stored = torch.load(path, map_location="cpu", weights_only=True)
    except (*UNREADABLE, SafetensorError) as error:
        raise WeightsError(f"{path} is absent, damaged, or holds more than tensors") from error
    if not isinstance(stored, dict):
        raise WeightsError(f"{path} holds no tensors by name")
    return stored


class ResNet34(TimmNetwork):
    """The trunk of the RMN, without masks."""

    paper = "He et al. 2016; Nugraha et al. 2025"
    trunk = "resnet34"


class CbamResNet34(TimmNetwork):
    """ResNet-34 with attention over channels and places after each block."""

    paper = "Woo et al. 2018; Nugraha et al. 2025"
    trunk = "resnet34"
    options = {"block_args": {"attn_layer": "cbam"}}  # noqa: RUF012


class Vgg19(TimmNetwork):
    """VGG-19, normalised by batches: without that it learns nothing from scratch."""

    paper = "Simonyan and Zisserman 2015; Nugraha et al. 2025"
    trunk = "vgg19_bn"


class ResNet50(TimmNetwork):
    """The same of 50 layers."""

    paper = "He et al. 2016; Istiqomah et al. 2024"
    trunk = "resnet50"


class PooledNetwork(TimmNetwork):
    """A trunk with the head of Lee and Song 2024: max pooling, global average, dense, dropout, and seven."""

    WIDTH = 256  # of the dense layer; ours

    def make_head(self, channels: int, n_labels: int, dropout: float) -> nn.Module:
        """Lay out what follows the last maps (N, channels, h, w)."""
        return nn.Sequential(
            *(nn.MaxPool2d(2, ceil_mode=True), nn.AdaptiveAvgPool2d(1), nn.Flatten()),
            *(nn.Linear(channels, self.WIDTH), nn.ReLU(), nn.Dropout(dropout), nn.Linear(self.WIDTH, n_labels)),
        )


class MobileNetV2(PooledNetwork):
    """For telephones."""

    paper = "Sandler et al. 2018; Lee and Song 2024"
    trunk = "mobilenetv2_100"


class Xception(PooledNetwork):
    """Of depthwise convolutions."""

    paper = "Chollet 2017; Lee and Song 2024"
    trunk = "legacy_xception"


class Vgg16(PooledNetwork):
    """Without normalisation, as published."""

    paper = "Simonyan and Zisserman 2015; Lee and Song 2024"
    trunk = "vgg16"


class DenseNet121(PooledNetwork):
    """Each layer sees all before it."""

    paper = "Huang et al. 2017; Lee and Song 2024"
    trunk = "densenet121"


class ResNet50V2(PooledNetwork):
    """Normalised before each convolution."""

    paper = "He et al. 2016; Lee and Song 2024"
    trunk = "resnetv2_50"
