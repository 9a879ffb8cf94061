"""Recipes: the settings of training runs, as TOML files.

Recipes ship in ``pipelines/recipes``; a file states only the differences from the defaults.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from scenefer.core import config
from scenefer.core.errors import PlanError
from scenefer.core.text import did_you_mean
from scenefer.models.expression.features import FEATURES
from scenefer.models.expression.network import ExpressionNetwork, GroupedNetwork, ScaledNetwork, learning_class
from scenefer.training import datasets
from scenefer.training.augment import AugmentSettings

LARGEST = 224  # px, the side that networks learn at at most
START = "start"  # as a teacher: the weights that the run starts from, or is to be read together with
_SHIPPED = config.SHIPPED / "recipes"
_ALIASES = {"rmn_compact": "rmn_pair", "rmn_compact_fer": "rmn_face_fer"}  # former names of recipes
_PROBABILITIES = ("flip", "side_light", "exposure", "blur", "small", "compression", "noise", "erasing")


@dataclass(frozen=True)
class Recipe:
    """What a run does; a TOML file states what differs."""

    network: str = "rmn_face"  # of models/expression/network.py
    trunk: str = "face_identity"  # weights that the trunk starts from: a known name or a path; "" = from scratch
    start: str = ""  # weights of the same network to start from, a name or a path
    after: str = ""  # recipe that is trained first, in the folder "before"; this one starts from its best weights
    pair: bool = False  # start from the trunk nevertheless, and be read with the network of ``after``, as rmn_pair
    also: tuple[str, ...] = ()  # further data sets, of ``datasets.ALIGNED``: each has a head of its own
    votes: float = 1.0  # weight of the FER+ head's loss beside the FER2013 head's; 0 = FER2013 alone
    soften: float = 0.0  # share of the FER2013 head's target that is what the voters let one expect of the label
    smoothing: float = 0.1
    teachers: tuple[str, ...] = ()  # weights that read what each step sees: names, paths, or START
    follow: float = 0.0  # share of both heads' targets that is the mean of the teachers' probabilities
    views: int = 1  # of each picture in a batch, each changed in its own way, every other one mirrored
    frozen: int = 0  # groups of the network, from the first on, that stay as they are, with what lies before them
    mixup: float = 0.0  # alpha of the Beta distribution; 0 = off
    mixed: float = 1.0  # share of the pictures that mixup blends
    class_weights: str = ""  # root: by the inverse root of the class counts; inverse: largest count / count
    features: str = ""  # what the network sees of a face: "" = itself, edges or log_gabor
    stage_noise: float = 0.0  # deviation of the Gaussian noise that is added to what each stage gives
    public: float = 0.0  # share of PublicTest that is learned too; what is left calibrates, and selects nothing
    seed: int = 0
    seeds: int = 1  # runs, each by a seed of its own from ``seed`` on, whose weights are averaged in the end
    epochs: int = 20
    batch: int = 96  # pictures; times views, faces
    sides: tuple[tuple[int, int], ...] = ((0, 112),)  # (from this epoch, side of the input in px)
    optimiser: str = "adamw"  # adamw, sgd or radam
    rate: float = 5e-4
    schedule: str = "cosine"  # cosine or plateau
    warm_up: float = 0.5  # epochs
    patience: int = 0  # for plateau: tolerated epochs without improvement; after one more the rate is divided by 10
    stop_after: int = 0  # stop the run after this many epochs without improvement; 0 = never
    weight_decay: float = 0.01  # only on matrices
    clip: float = 2.0  # maximum norm of the gradient; 0 = off
    average: float = 0.998  # decay per step of the exponential moving average of the weights
    dropout: float = 0.3
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
    augment = config.changed(AugmentSettings(), changes, f"{path}, [augment]", {"scale": _pair, "magnitude": _pair})
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
    """Refuse invalid values before hours of training are spent on them."""
    shares = {
        "smoothing": recipe.smoothing,
        "soften": recipe.soften,
        "follow": recipe.follow,
        "average": recipe.average,
        "dropout": recipe.dropout,
        "mixed": recipe.mixed,
    }
    augment = recipe.augment
    shares |= {entry.name: getattr(augment, entry.name) for entry in fields(augment) if entry.name in _PROBABILITIES}
    counts = {"epochs": recipe.epochs, "batch": recipe.batch, "views": recipe.views, "seeds": recipe.seeds}
    rest = (
        "rate",
        "votes",
        "mixup",
        "warm_up",
        "weight_decay",
        "clip",
        "patience",
        "stop_after",
        "subset",
        "frozen",
        "stage_noise",
    )
    for values, low, high in (
        (shares, 0, 1),
        (counts, 1, math.inf),
        ({"public": recipe.public}, 0, 0.9),  # the rest is needed for calibration
        ({name: getattr(recipe, name) for name in rest}, 0, math.inf),
        ({"scale": min(augment.scale)}, 0.1, 10),
        ({"scale": max(augment.scale)}, 0.1, 10),
    ):
        for name, value in values.items():
            if not low <= value <= high:
                raise PlanError(f"{path}: {name} must lie between {low:g} and {high:g}, not {value:g}")
    try:
        network = learning_class(recipe.network)
    except PlanError as error:
        raise PlanError(f"{path}: {error}") from error
    for name, value, known in (
        ("optimiser", recipe.optimiser, ("adamw", "radam", "sgd")),
        ("schedule", recipe.schedule, ("cosine", "plateau")),
        ("features", recipe.features, tuple(FEATURES)),
    ):
        if value not in known:
            raise PlanError(f"{path}: unknown {name} {value!r}; {did_you_mean(value, known)}")
    if bool(recipe.teachers) != bool(recipe.follow):
        raise PlanError(
            f"{path}: teachers and follow go together: weights, and the share of the targets that is theirs"
        )
    if not recipe.selects and (recipe.stop_after or recipe.schedule == "plateau"):
        raise PlanError(
            f"{path}: public goes with neither plateau nor stop_after: what is left of PublicTest is too little to be "
            "patient by; set a number of epochs"
        )
    if recipe.views > 1 and recipe.mixup:
        raise PlanError(f"{path}: views and mixup do not go together: views of a picture blended with others are none")
    if recipe.trunk and network.start_from is ExpressionNetwork.start_from:
        raise PlanError(f'{path}: {recipe.network} has no trunk that {recipe.trunk!r} could be: set trunk = ""')
    if recipe.features and not issubclass(network, ScaledNetwork):
        raise PlanError(f'{path}: {recipe.network} sees faces as they are: set features = ""')
    if recipe.stage_noise and recipe.network.startswith("rmn"):
        raise PlanError(f"{path}: noise between stages is for the networks of published systems: set stage_noise = 0")
    if recipe.frozen and not issubclass(network, GroupedNetwork):
        raise PlanError(f"{path}: {recipe.network} has no groups that can be frozen; rmn_face and rmn_lite have some")
    if recipe.pair and (recipe.network != "rmn_lite" or not recipe.after):
        raise PlanError(f"{path}: a pair is an rmn_lite and the rmn_face of the recipe that it comes 'after'")
    if len(set(recipe.also)) != len(recipe.also) or (recipe.also and recipe.network != "rmn_face"):
        raise PlanError(f"{path}: further data sets are learned by rmn_face, each once: also = {list(recipe.also)}")
    for name in recipe.also:
        if name not in datasets.ALIGNED:
            raise PlanError(f"{path}: how {name!r} frames a face is unknown; also knows {', '.join(datasets.ALIGNED)}")
    if START in recipe.teachers and not (recipe.start or recipe.after):
        raise PlanError(f"{path}: the teacher {START!r} is what the run starts from: set 'start' or 'after'")
    _refuse_sides(recipe, path)


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
