"""The base class of expression networks, and the registry of architectures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from torch import Tensor, nn
from torch.nn import functional

from scenefer.core.errors import PlanError, WeightsError
from scenefer.core.registry import Registry, imported
from scenefer.core.text import known_names
from scenefer.models.expression.features import FEATURES

SIZE = 48  # px, the side of FER2013's pictures
PUBLISHED = 224  # px, at which published networks are counted


class ExpressionNetwork(nn.Module):
    """Base of all expression networks: grey faces (N, 1, H, W), values 0 to 255, to logits (N, L) float32.

    A network is made by ``(n_labels=…)`` to be read, by ``(n_labels=…, dropout=…)`` to learn. ``scenefer explain``
    draws the outputs of its modules ``stages.N`` or ``groups.N``, and of ``masks.N``.
    """

    size: int  # px, the side of the square that is cut out of a film
    side: int  # px to which faces are enlarged; of the class, where the network reads no other
    smallest: int = 56  # px, of the sides that a recipe may choose, where the class has none of its own
    learns: bool = True  # by a recipe
    paper: str = ""  # where it was published, authors and year
    licence: str = "Apache-2.0"  # of the code; weight files state their own

    def configure(self, metadata: Mapping[str, str]) -> None:
        """Apply a weight file's metadata that configure the network; by default there are none."""

    def start_from(self, trunk: Path, enlarged: Callable[[], Tensor]) -> None:
        """Initialise from the pretrained trunk of another network; by default do nothing and train from scratch.

        Args:
            trunk: the weight file of the trunk.
            enlarged: returns some training faces (N, 1, H, W), as the network will read them.

        Raises:
            WeightsError: the file does not hold such a trunk.
        """

    def members(self) -> list[ExpressionNetwork]:
        """Return the networks whose logits are averaged; a single network returns itself."""
        return [self]


class ScaledNetwork(ExpressionNetwork):
    """A network that reads faces at the side that its recipe chose, as they are or by features of theirs.

    What is cut at 48 px is enlarged to that side.
    """

    smallest = SIZE

    def __init__(self) -> None:
        super().__init__()
        self.size = SIZE
        self.side = getattr(self, "side", PUBLISHED)  # a class may have one that is fixed
        self.features = ""  # of ``features.FEATURES``

    def configure(self, metadata: Mapping[str, str]) -> None:
        """Take over ``side`` and ``size``, px, and ``features``.

        Raises:
            WeightsError: such features are unknown.
        """
        if not hasattr(type(self), "side"):
            self.side = int(metadata.get("side", self.side))
        self.size = int(metadata.get("size", self.size))
        self.features = metadata.get("features", self.features)
        if self.features not in FEATURES:
            raise WeightsError(f"unknown features {self.features!r}; {known_names(self.features, FEATURES)}")

    def seen(self, grey: Tensor) -> Tensor:
        """Enlarge faces (N, 1, H, W), 0 to 255, of 48 px to ``side``, and show what the network is to see of them."""
        if grey.shape[-1] == SIZE != self.side:
            grey = functional.interpolate(grey, size=(self.side, self.side), mode="bilinear", align_corners=False)
        return FEATURES[self.features](grey)


class GroupedNetwork(ExpressionNetwork):
    """A network of layer groups after ``stem``, of which the last ones have masks; the first groups can be frozen."""

    groups: nn.ModuleList
    masks: nn.ModuleList

    def first(self, n_groups: int) -> list[nn.Module]:
        """Return the stem and the first ``n_groups`` groups with their masks; an empty list for 0."""
        if not n_groups:
            return []
        unmasked = len(self.groups) - len(self.masks)
        return [self.get_submodule("stem"), *self.groups[:n_groups], *self.masks[: max(0, n_groups - unmasked)]]


# An entry is the network's class, or "module:Class". Weight files state its name as their architecture.
NETWORKS: Registry[str | type[ExpressionNetwork]] = Registry(
    "architecture", WeightsError, "scenefer.expression_networks", type
)
NETWORKS.add("rmn", "scenefer.models.expression.rmn:Rmn")
NETWORKS.add("rmn_compact", "scenefer.models.expression.rmn_compact:RmnCompact")
NETWORKS.add("rmn_face", "scenefer.models.expression.rmn_face:RmnFace")
NETWORKS.add("rmn_lite", "scenefer.models.expression.rmn_lite:RmnLite")
NETWORKS.add("rmn_pair", "scenefer.models.expression.ensemble:RmnPair")
# Of published systems, for comparisons: nothing that ships reads with them.
for _name, _class in (
    ("resnet34", "timm_networks:ResNet34"),
    ("cbam_resnet34", "timm_networks:CbamResNet34"),
    ("vgg19", "timm_networks:Vgg19"),
    ("resnet50", "timm_networks:ResNet50"),
    ("mobilenet_v2", "timm_networks:MobileNetV2"),
    ("xception", "timm_networks:Xception"),
    ("vgg16", "timm_networks:Vgg16"),
    ("densenet121", "timm_networks:DenseNet121"),
    ("resnet50_v2", "timm_networks:ResNet50V2"),
    ("cnn_small", "cnn_small:CnnSmall"),
    ("ghostface", "ghostface:GhostFace"),
    ("efficientface", "efficientface:EfficientFace"),
):
    NETWORKS.add(_name, f"scenefer.models.expression.{_class}")


def network_class(architecture: str) -> type[ExpressionNetwork]:
    """Return the class of an architecture.

    Raises:
        WeightsError: it is unknown, or is not an ``ExpressionNetwork``.
    """
    found = imported(NETWORKS.find(architecture))
    if not (isinstance(found, type) and issubclass(found, ExpressionNetwork)):
        raise WeightsError(f"the architecture {architecture!r} is {found!r}, no ExpressionNetwork; register its class")
    return found


def learning_class(architecture: str) -> type[ExpressionNetwork]:
    """Return the class of an architecture that a recipe can train.

    Raises:
        PlanError: it is unknown, or is an ensemble that is not trained itself.
        WeightsError: it is not an ``ExpressionNetwork``.
    """
    if architecture not in NETWORKS:
        raise PlanError(f"unknown network {architecture!r}; {known_names(architecture, NETWORKS.names())}")
    found = network_class(architecture)
    if not found.learns:
        raise PlanError(f"{architecture} does not learn itself, but is made of networks that do; name one of them")
    return found
