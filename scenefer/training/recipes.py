"""Recipes: the settings of training runs, as TOML files.

Recipes ship in ``pipelines/recipes``; a file states only the differences from the defaults.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scenefer.core import config
from scenefer.core.errors import PlanError
from scenefer.core.settings import bounded, one_of
from scenefer.models.expression.features import FEATURES
from scenefer.models.expression.network import ExpressionNetwork, GroupedNetwork, ScaledNetwork, learning_class
from scenefer.training import labelled_faces
from scenefer.training.augment import AugmentSettings

LARGEST = 224  # px, the side that networks learn at at most
START = "start"  # as a teacher: the weights that the run starts from, or is to be read together with
_SHIPPED = config.SHIPPED / "recipes"
_ALIASES = {"rmn_compact": "rmn_pair", "rmn_compact_fer": "rmn_face_fer"}  # former names of recipes


@dataclass(frozen=True)
class Recipe:
    """What a run does; a TOML file states what differs. A number without bounds is 0 or more."""

    network: str = "rmn_face"  # of models/expression/network.py
    trunk: str = "face_identity"  # weights that the trunk starts from: a known name or a path; "" = from scratch
    start: str = ""  # weights of the same network to start from, a name or a path
    after: str = ""  # recipe that is trained first, in the folder "before"; this one starts from its best weights
    pair: bool = False  # start from the trunk nevertheless, and be read with the network of ``after``, as rmn_pair
    also: tuple[str, ...] = ()  # further data sets, of ``labelled_faces.ALIGNED``: each has a head of its own
    votes: float = 1.0  # weight of the FER+ head's loss beside the FER2013 head's; 0 = FER2013 alone
    soften: float = bounded(0.0, 0, 1)  # share of the FER2013 head's target that the voters let one expect of the label
    smoothing: float = bounded(0.1, 0, 1)
    teachers: tuple[str, ...] = ()  # weights that read what each step sees: names, paths, or START
    follow: float = bounded(0.0, 0, 1)  # share of both heads' targets that is the mean of the teachers' probabilities
    views: int = bounded(1, 1, math.inf)  # of a picture in a batch, each changed in its own way, every other mirrored
    frozen: int = 0  # groups of the network, from the first on, that stay as they are, with what lies before them
    mixup: float = 0.0  # alpha of the Beta distribution; 0 = off
    mixed: float = bounded(1.0, 0, 1)  # share of the pictures that mixup blends
    class_weights: str = ""  # root: by the inverse root of the class counts; inverse: largest count / count
    features: str = one_of("", FEATURES)  # what the network sees of a face: "" = itself, edges or log_gabor
    stage_noise: float = 0.0  # deviation of the Gaussian noise that is added to what each stage gives
    public: float = bounded(0.0, 0, 0.9)  # share of PublicTest that is learned too; the rest calibrates, no more
    seed: int = 0
    seeds: int = bounded(1, 1, math.inf)  # runs, by the seeds from ``seed`` on, whose weights are averaged in the end
    epochs: int = bounded(20, 1, math.inf)
    batch: int = bounded(96, 1, math.inf)  # pictures; times views, faces
    sides: tuple[tuple[int, int], ...] = ((0, 112),)  # (from this epoch, side of the input in px)
    optimiser: str = one_of("adamw", ("adamw", "radam", "sgd"))
    rate: float = 5e-4
    schedule: str = one_of("cosine", ("cosine", "plateau"))
    warm_up: float = 0.5  # epochs
    patience: int = 0  # for plateau: tolerated epochs without improvement; after one more the rate is divided by 10
    stop_after: int = 0  # stop the run after this many epochs without improvement; 0 = never
    weight_decay: float = 0.01  # only on matrices
    clip: float = 2.0  # maximum norm of the gradient; 0 = off
    average: float = bounded(0.998, 0, 1)  # decay per step of the exponential moving average of the weights
    dropout: float = bounded(0.3, 0, 1)
    subset: int = 0  # number of pictures to train on; 0 = all
    augment: AugmentSettings = field(default_factory=AugmentSettings)

    @property
    def selects(self) -> bool:
        """Whether PublicTest selects epochs and seeds; not if trained on, as the rest is too small to compare them."""
        return not self.public

    @property
    def heads(self) -> dict[str, tuple[int, int]]:
        """The range [a, b) of logits of each head: seven, but eight (with contempt) for the FER+ head."""
        heads = {"fer2013": (0, 7), "ferplus": (7, 15)} if self.votes else {"fer2013": (0, 7)}
        for name in self.also:
            last = max(stop for _, stop in heads.values())
            heads[name] = (last, last + 7)
        return heads

    @property
    def n_labels(self) -> int:
        """The number of logits of all heads together."""
        return max(stop for _, stop in self.heads.values())


def find_recipe(name: str) -> Path:
    """Find a recipe by path or, if it ships with scenefer, by its bare name.

    Raises:
        PlanError: no such recipe exists.
    """
    return config.find(_ALIASES.get(name, name), _SHIPPED, "recipe")


def read_recipe(path: Path, *, _later: tuple[Path, ...] = ()) -> Recipe:
    """Read a recipe, and check that the recipe in ``after`` can be read.

    Raises:
        PlanError: the file is missing or not valid TOML, has an unknown key or an invalid value, or refers to itself
            through ``after``.
    """
    if path.resolve() in _later:
        raise PlanError(f"{path} comes after itself; follow its key 'after'")
    recipe = parse(config.read(path), path)
    if recipe.after:
        read_recipe(find_recipe(recipe.after), _later=(*_later, path.resolve()))
    return recipe


def parse(stated: dict[str, Any], path: Path) -> Recipe:
    """Make a recipe of what a file states.

    Raises:
        PlanError: a key does not exist, or nothing can be done with a value.
    """
    stated = dict(stated)
    # The default trunk is rmn_face's; other networks start from scratch where their recipe names none.
    if stated.get("network", Recipe.network) != Recipe.network:
        stated.setdefault("trunk", "")
    changes = stated.pop("augment", {})
    if not isinstance(changes, dict):
        raise PlanError(f"{path}: augment must be a section: [augment]")
    augment = config.changed(AugmentSettings(), changes, f"{path}, [augment]", {"scale": _scale, "magnitude": _pair})
    recipe = config.changed(
        Recipe(augment=augment),
        stated,
        str(path),
        {"sides": _pairs, "teachers": _names, "also": _names, "class_weights": _weighting},
    )
    _refuse_senseless(recipe, path)
    return recipe


def _pairs(value: Any, where: str) -> tuple[tuple[Any, Any], ...]:
    """Parse a list of pairs, such as [[0, 96], [7, 112]]."""
    is_list = isinstance(value, list) and bool(value)
    if not is_list or not all(
        isinstance(pair, list) and [type(n) in (int, float) for n in pair] == [True] * 2 for pair in value
    ):
        raise PlanError(f"{where} must be pairs of numbers, not {value!r}")
    return tuple((first, second) for first, second in value)


def _pair(value: Any, where: str) -> tuple[Any, Any]:
    return _pairs([value], where)[0]


def _scale(value: Any, where: str) -> tuple[Any, Any]:
    low, high = _pair(value, where)
    if not 0.1 <= low <= 10 or not 0.1 <= high <= 10:
        raise PlanError(f"{where} must be between 0.1 and 10, not {value!r}")
    return low, high


def _weighting(value: Any, where: str) -> str:
    """Read how classes are weighted; true and false are what recipes said before there were two ways."""
    value = {True: "root", False: ""}.get(value, value) if isinstance(value, bool) else value
    if value not in ("", "root", "inverse"):
        raise PlanError(f'{where} must be "root" or "inverse", not {value!r}')
    return value


def _names(value: Any, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise PlanError(f"{where} must be a list of names, not {value!r}")
    return tuple(value)


def _refuse_senseless(recipe: Recipe, path: Path) -> None:
    """Refuse keys that no run could follow together, before hours of training are spent on them."""
    try:
        network = learning_class(recipe.network)
    except PlanError as error:
        raise PlanError(f"{path}: {error}") from error
    for contradiction in (*_against_each_other(recipe), *_against_network(recipe, network), *_against_sets(recipe)):
        raise PlanError(f"{path}: {contradiction}")
    _refuse_sides(recipe, path)


def _against_each_other(recipe: Recipe) -> Iterator[str]:
    """Say which keys do not go together, whatever the network."""
    if bool(recipe.teachers) != bool(recipe.follow):
        yield "teachers and follow go together: weights, and the share of the targets that is theirs"
    if not recipe.selects and (recipe.stop_after or recipe.schedule == "plateau"):
        yield (
            "public goes with neither plateau nor stop_after: what is left of PublicTest is too little to be patient "
            "by; set a number of epochs"
        )
    if recipe.views > 1 and recipe.mixup:
        yield "views and mixup do not go together: views of a picture blended with others are none"
    if START in recipe.teachers and not (recipe.start or recipe.after):
        yield f"the teacher {START!r} is what the run starts from: set 'start' or 'after'"


def _against_network(recipe: Recipe, network: type[ExpressionNetwork]) -> Iterator[str]:
    """Say which keys the network of a recipe has no use for."""
    if recipe.trunk and network.start_from is ExpressionNetwork.start_from:
        yield f'{recipe.network} has no trunk that {recipe.trunk!r} could be: set trunk = ""'
    if recipe.features and not issubclass(network, ScaledNetwork):
        yield f'{recipe.network} sees faces as they are: set features = ""'
    if recipe.stage_noise and recipe.network.startswith("rmn"):
        yield "noise between stages is for the networks of published systems: set stage_noise = 0"
    if recipe.frozen and not issubclass(network, GroupedNetwork):
        yield f"{recipe.network} has no groups that can be frozen; rmn_face and rmn_lite have some"
    if recipe.pair and (recipe.network != "rmn_lite" or not recipe.after):
        yield "a pair is an rmn_lite and the rmn_face of the recipe that it comes 'after'"


def _against_sets(recipe: Recipe) -> Iterator[str]:
    """Say which of the further data sets cannot be learned."""
    if len(set(recipe.also)) != len(recipe.also) or (recipe.also and recipe.network != "rmn_face"):
        yield f"further data sets are learned by rmn_face, each once: also = {list(recipe.also)}"
    for name in recipe.also:
        if name not in labelled_faces.ALIGNED:
            yield f"how {name!r} frames a face is unknown; also knows {', '.join(labelled_faces.ALIGNED)}"


def _refuse_sides(recipe: Recipe, path: Path) -> None:
    """Refuse sides that the network is not used at, because weights trained at one side must be used at that side."""
    epochs, sides = zip(*recipe.sides, strict=True)
    if epochs[0] != 0 or list(epochs) != sorted(set(epochs)) or any(type(n) is not int for n in (*epochs, *sides)):
        raise PlanError(f"{path}: sides must be whole numbers, [epoch, px], from epoch 0 on")
    network = learning_class(recipe.network)
    fixed: int | None = getattr(network, "side", None)  # None for rmn_face: not fixed
    if fixed is not None and set(sides) != {fixed}:
        raise PlanError(f"{path}: {recipe.network} reads faces of {fixed} px: sides = [[0, {fixed}]]")
    if recipe.also and len(set(sides)) > 1:
        raise PlanError(f"{path}: faces of further data sets are cut at one side: sides = [[0, {sides[-1]}]]")
    if fixed is None and not all(network.smallest <= side <= LARGEST for side in sides):
        raise PlanError(f"{path}: {recipe.network} reads faces of {network.smallest} to {LARGEST} px")


def side(settings: Recipe, epoch: int) -> int:
    """Return the side of the input at an epoch, px."""
    return [side for first, side in settings.sides if first <= epoch][-1]


def rate(settings: Recipe, epoch: float, drops: int) -> float:
    """Return the learning rate at a (fractional) epoch, after a number of drops at plateaus."""
    warm = min(1.0, (epoch + 0.01) / settings.warm_up) if settings.warm_up else 1.0
    if settings.schedule == "plateau":
        return settings.rate * warm * 0.1**drops
    return settings.rate * warm * (1 + math.cos(math.pi * min(epoch / settings.epochs, 1))) / 2
