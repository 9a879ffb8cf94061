"""What a training run does: a recipe, TOML.

Recipes ship in ``pipelines/recipes``; a file states what differs from the defaults.
"""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from scenefer.errors import PlanError
from scenefer.models import reader
from scenefer.plan import SHIPPED
from scenefer.training.augment import AugmentSettings

_SHIPPED = SHIPPED / "recipes"


@dataclass(frozen=True)
class Recipe:
    """What a run does; a TOML file states what differs."""

    network: str = "rmn_face"  # one of reader.NETWORKS
    trunk: str = "face_identity"  # weights that the trunk starts from: a shipped name or a path; "" = from scratch
    start: str = ""  # weights of the same network to start from
    after: str = ""  # recipe that is trained first, in the folder "before"; this one starts from its best weights
    votes: float = 1.0  # weight of the FER+ head's loss beside the FER2013 head's; 0 = FER2013 alone
    soften: float = 0.0  # share of the FER2013 head's target that is what the voters let one expect of the label
    smoothing: float = 0.1
    mixup: float = 0.0  # alpha of the Beta distribution; 0 = off
    class_weights: bool = False  # by the inverse root of the class counts
    seed: int = 0
    epochs: int = 20
    batch: int = 96
    sides: tuple[tuple[int, int], ...] = ((0, 112),)  # (from this epoch, side of the input in px)
    optimiser: str = "adamw"  # adamw, sgd or radam
    rate: float = 5e-4
    schedule: str = "cosine"  # cosine or plateau
    warm_up: float = 0.5  # epochs
    patience: int = 0  # plateau: epochs without gain before the rate is divided by 10
    stop_after: int = 0  # epochs without gain before the run ends; 0 = never
    weight_decay: float = 0.01  # on matrices
    clip: float = 2.0  # largest norm of the gradient; 0 = off
    average: float = 0.998  # of the weights, per step
    dropout: float = 0.3
    subset: int = 0  # train on so many pictures; 0 = all
    augment: AugmentSettings = field(default_factory=AugmentSettings)


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


def read_recipe(path: Path) -> Recipe:
    """Read a recipe.

    Raises:
        PlanError: the file is absent, is no TOML, or has a key that does not exist.
    """
    try:
        stated = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise PlanError(f"{path} cannot be read as a recipe: {error}") from error
    changes = stated.pop("augment", {})
    _refuse_unknown(path, changes, AugmentSettings)
    _refuse_unknown(path, stated, Recipe)
    if "scale" in changes:
        changes["scale"] = tuple(changes["scale"])
    if "sides" in stated:
        stated["sides"] = tuple((int(epoch), int(side)) for epoch, side in stated["sides"])
    recipe = Recipe(**stated, augment=AugmentSettings(**changes))
    if recipe.network not in reader.NETWORKS:
        raise PlanError(f"{path}: unknown network {recipe.network!r}; known: {', '.join(reader.NETWORKS)}")
    return recipe


def _refuse_unknown(path: Path, stated: dict[str, Any], settings: type) -> None:
    known = [entry.name for entry in fields(settings)]
    for key in stated:
        if key not in known:
            near = get_close_matches(key, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
            raise PlanError(f"{path}: unknown key {key!r}; {hint}")


def side(settings: Recipe, epoch: int) -> int:
    """Return the side of the input at an epoch, px."""
    return [side for first, side in settings.sides if first <= epoch][-1]


def rate(settings: Recipe, epoch: float, drops: int) -> float:
    """Return the learning rate at an epoch, fractions counting, after so many drops of a plateau."""
    warm = min(1.0, (epoch + 0.01) / settings.warm_up) if settings.warm_up else 1.0
    if settings.schedule == "plateau":
        return settings.rate * warm * 0.1**drops
    if settings.schedule == "cosine":
        return settings.rate * warm * (1 + math.cos(math.pi * min(epoch / settings.epochs, 1))) / 2
    raise PlanError(f"unknown schedule {settings.schedule!r}; known: cosine, plateau")
