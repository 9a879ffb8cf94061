"""What a training run does: a recipe, TOML.

Recipes ship in ``pipelines/recipes``; a file states what differs from the defaults.
"""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from scenefer.errors import PlanError
from scenefer.models import reader
from scenefer.plan import SHIPPED, changed, nearest
from scenefer.training.augment import AugmentSettings

SMALLEST, LARGEST = 56, 224  # px, the sides that rmn_face can learn at; 48 px are enlarged, whatever a recipe says
START = "start"  # as a teacher: the weights that the run starts from, or is to be read together with
NETWORKS = tuple(name for name in reader.NETWORKS if name != "rmn_pair")  # what learns; a pair is made of two
FREEZABLE = ("rmn_face", "rmn_lite")
_SHIPPED = SHIPPED / "recipes"
_PROBABILITIES = ("flip", "side_light", "exposure", "blur", "small", "compression", "noise", "erasing")


@dataclass(frozen=True)
class Recipe:
    """What a run does; a TOML file states what differs."""

    network: str = "rmn_face"  # of NETWORKS
    trunk: str = "face_identity"  # weights that the trunk starts from: a known name or a path; "" = from scratch
    start: str = ""  # weights of the same network to start from
    after: str = ""  # recipe that is trained first, in the folder "before"; this one starts from its best weights
    pair: bool = False  # start from the trunk nevertheless, and be read with the network of ``after``, as rmn_pair
    votes: float = 1.0  # weight of the FER+ head's loss beside the FER2013 head's; 0 = FER2013 alone
    soften: float = 0.0  # share of the FER2013 head's target that is what the voters let one expect of the label
    smoothing: float = 0.1
    teachers: tuple[str, ...] = ()  # weights that read what each step sees: names, paths, or START
    follow: float = 0.0  # share of both heads' targets that is the mean of the teachers' probabilities
    views: int = 1  # of each picture in a batch, each changed in its own way, every other one mirrored
    frozen: int = 0  # groups of the network, from the first on, that stay as they are, with what lies before them
    mixup: float = 0.0  # alpha of the Beta distribution; 0 = off
    class_weights: bool = False  # by the inverse root of the class counts
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
    patience: int = 0  # plateau: epochs without gain that are borne; at the next the rate is divided by 10
    stop_after: int = 0  # epochs without gain before the run ends; 0 = never
    weight_decay: float = 0.01  # on matrices
    clip: float = 2.0  # largest norm of the gradient; 0 = off
    average: float = 0.998  # of the weights, per step
    dropout: float = 0.3
    subset: int = 0  # train on so many pictures; 0 = all
    augment: AugmentSettings = field(default_factory=AugmentSettings)

    @property
    def selects(self) -> bool:
        """Whether PublicTest chooses among epochs and seeds: what is left of it would tell them apart by chance."""
        return not self.public


def find_recipe(name: str) -> Path:
    """Find a recipe by path or, if it ships with scenefer, by its bare name.

    Raises:
        PlanError: there is none.
    """
    if Path(name).is_file():
        return Path(name)
    shipped = {path.stem: path for path in sorted(_SHIPPED.glob("*.toml"))}
    if name in shipped:
        return shipped[name]
    raise PlanError(f"there is no recipe {name!r}; give a TOML file or one of: {', '.join(shipped)}")


def read_recipe(path: Path, *, _later: tuple[Path, ...] = ()) -> Recipe:
    """Read a recipe, and see that the one before it can be read.

    Raises:
        PlanError: the file is absent, is no TOML, has a key that does not exist or a value that nothing can be done
            with, or comes after itself.
    """
    if path.resolve() in _later:
        raise PlanError(f"{path} comes after itself; follow its key 'after'")
    try:
        stated = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise PlanError(f"{path} cannot be read as a recipe: {error}") from error
    changes = stated.pop("augment", {})
    if not isinstance(changes, dict):
        raise PlanError(f"{path}: augment must be a section: [augment]")
    augment = changed(AugmentSettings(), changes, f"{path}, [augment]", {"scale": _pair})
    recipe = changed(Recipe(augment=augment), stated, str(path), {"sides": _pairs, "teachers": _names})
    _refuse_senseless(recipe, path)
    if recipe.after:
        read_recipe(find_recipe(recipe.after), _later=(*_later, path.resolve()))
    return recipe


def _pairs(value: Any, where: str) -> tuple[tuple[Any, Any], ...]:
    """Read [[0, 96], [7, 112]]."""
    is_list = isinstance(value, list) and bool(value)
    if not is_list or not all(
        isinstance(pair, list) and [type(n) in (int, float) for n in pair] == [True] * 2 for pair in value
    ):
        raise PlanError(f"{where} must be pairs of numbers, not {value!r}")
    return tuple((first, second) for first, second in value)


def _pair(value: Any, where: str) -> tuple[Any, Any]:
    return _pairs([value], where)[0]


def _names(value: Any, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise PlanError(f"{where} must be a list of names or paths of weights, not {value!r}")
    return tuple(value)


def _refuse_senseless(recipe: Recipe, path: Path) -> None:
    """Refuse values that no run could work with, before hours are spent on them."""
    shares = {
        "smoothing": recipe.smoothing,
        "soften": recipe.soften,
        "follow": recipe.follow,
        "average": recipe.average,
        "dropout": recipe.dropout,
    }
    augment = recipe.augment
    shares |= {entry.name: getattr(augment, entry.name) for entry in fields(augment) if entry.name in _PROBABILITIES}
    counts = {"epochs": recipe.epochs, "batch": recipe.batch, "views": recipe.views, "seeds": recipe.seeds}
    rest = ("rate", "votes", "mixup", "warm_up", "weight_decay", "clip", "patience", "stop_after", "subset", "frozen")
    for values, low, high in (
        (shares, 0, 1),
        (counts, 1, math.inf),
        ({"public": recipe.public}, 0, 0.9),  # what is left calibrates
        ({name: getattr(recipe, name) for name in rest}, 0, math.inf),
        ({"scale": min(augment.scale)}, 0.1, 10),
        ({"scale": max(augment.scale)}, 0.1, 10),
    ):
        for name, value in values.items():
            if not low <= value <= high:
                raise PlanError(f"{path}: {name} must lie between {low:g} and {high:g}, not {value:g}")
    for name, value, known in (
        ("network", recipe.network, NETWORKS),
        ("optimiser", recipe.optimiser, ("adamw", "radam", "sgd")),
        ("schedule", recipe.schedule, ("cosine", "plateau")),
    ):
        if value not in known:
            raise PlanError(f"{path}: unknown {name} {value!r}; {nearest(value, known)}")
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
    if recipe.frozen and recipe.network not in FREEZABLE:
        raise PlanError(f"{path}: of {recipe.network} no groups can be frozen; {' and '.join(FREEZABLE)} have some")
    if recipe.pair and (recipe.network != "rmn_lite" or not recipe.after):
        raise PlanError(f"{path}: a pair is an rmn_lite and the rmn_face of the recipe that it comes 'after'")
    if START in recipe.teachers and not (recipe.start or recipe.after):
        raise PlanError(f"{path}: the teacher {START!r} is what the run starts from: set 'start' or 'after'")
    _refuse_sides(recipe, path)


def _refuse_sides(recipe: Recipe, path: Path) -> None:
    """Refuse sides that the network would not be read at: what learned at one side is not to be read at another."""
    epochs, sides = zip(*recipe.sides, strict=True)
    if epochs[0] != 0 or list(epochs) != sorted(set(epochs)) or any(type(n) is not int for n in (*epochs, *sides)):
        raise PlanError(f"{path}: sides must be whole numbers, [epoch, px], from epoch 0 on")
    fixed: int | None = getattr(reader.NETWORKS[recipe.network], "side", None)  # rmn_face: each network its own
    if fixed is not None and set(sides) != {fixed}:
        raise PlanError(f"{path}: {recipe.network} reads faces of {fixed} px: sides = [[0, {fixed}]]")
    if fixed is None and not all(SMALLEST <= side <= LARGEST for side in sides):
        raise PlanError(f"{path}: {recipe.network} reads faces of {SMALLEST} to {LARGEST} px")


def side(settings: Recipe, epoch: int) -> int:
    """Return the side of the input at an epoch, px."""
    return [side for first, side in settings.sides if first <= epoch][-1]


def rate(settings: Recipe, epoch: float, drops: int) -> float:
    """Return the learning rate at an epoch, fractions counting, after so many drops of a plateau."""
    warm = min(1.0, (epoch + 0.01) / settings.warm_up) if settings.warm_up else 1.0
    if settings.schedule == "plateau":
        return settings.rate * warm * 0.1**drops
    return settings.rate * warm * (1 + math.cos(math.pi * min(epoch / settings.epochs, 1))) / 2
