"""How far a film as a whole shows what was intended: agreement of labels, and distance against two baselines."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, NamedTuple

from scenefer import metrics
from scenefer.emotions import character_view
from scenefer.verdicts import CLASSES, Classes, ComparisonSettings, leader

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


class Agreement(NamedTuple):
    """Figures over the compared scenes of a film; None where they are not defined or rest on too little."""

    view: str
    estimate: str  # raw or emq
    classes: str
    labels: tuple[str, ...]
    n_scenes: int  # compared
    n_labelled: int  # intentions whose largest part and largest detected share are no tie
    confusion: tuple[tuple[int, ...], ...]  # (K, K): a row an intended label, a column a detected one
    recall: dict[str, float | None]  # of each label
    macro_f1: float | None
    kappa: float | None  # Cohen's
    js: float | None  # mean Jensen-Shannon distance of intended and detected
    js_marginal: float | None  # the same if every scene showed the film's average
    js_shuffled: float | None  # the same over permutations of the intentions
    skill: float | None  # 1 - js / js_shuffled: 0 = no better than permuted, 1 = perfect
    p: float | None  # (1 + permutations that come as close) / (1 + permutations)


def agreements(table: pd.DataFrame, settings: ComparisonSettings, seed: int) -> tuple[Agreement, ...]:
    """Compute the figures of every view, estimate and set of classes in a table COMPARISON.

    Intentions for a person of the cast enter the figures of every view by that person's own view.
    """
    judged = table.loc[table["verdict"].notna()]
    views = [view for view in table["view"].unique() if not view.startswith(character_view(""))]
    found = []
    for view, estimate in product(dict.fromkeys((*views, settings.view)), table["estimate"].unique()):
        for classes in CLASSES:
            chosen = in_view(judged, view) & (judged["estimate"] == estimate) & (judged["classes"] == classes.name)
            rows = judged.loc[chosen]
            intended, detected = (
                rows[[f"{kind}_{label}" for label in classes.labels]].to_numpy() / 100
                for kind in ("intended", "detected")
            )
            figures = agree(intended, detected, rows["scene"].nunique(), classes, settings, seed)
            found.append(figures._replace(view=view, estimate=estimate))
    return tuple(found)


def in_view(table: pd.DataFrame, view: str) -> pd.Series:
    """Choose the rows of a table COMPARISON that a view leads with: its own, and those of intentions for a person."""
    of_person = table["view"].str.startswith(character_view("")) & table["character"].notna()
    return (table["view"] == view) | of_person


def agree(
    intended: np.ndarray,
    detected: np.ndarray,
    n_scenes: int,
    classes: Classes,
    settings: ComparisonSettings = ComparisonSettings(),
    seed: int = 0,
) -> Agreement:
    """Compare intended with detected shares, (N, K) each, over a film.

    Args:
        n_scenes: scenes among the rows; a scene has several where it has several characters.
    """
    import numpy as np

    pairs = [(leader(meant), leader(seen)) for meant, seen in zip(intended, detected, strict=True)]
    labelled = [(meant, seen) for meant, seen in pairs if meant is not None and seen is not None]
    truth, found = np.array(labelled, np.int64).reshape(-1, 2).T
    counts = metrics.confusion(truth, found, len(classes.labels))
    distinct = {meant for meant, _ in pairs if meant is not None}
    enough = n_scenes >= settings.least_scenes and len(distinct) >= settings.least_labels
    distances = metrics.js_distance(intended[:, None], detected[None, :])  # (N, N): row intended, column detected
    js = float(distances.diagonal().mean()) if len(pairs) else None
    marginal = metrics.js_distance(intended, detected.mean(axis=0)).mean() if len(pairs) else None
    skill = metrics.permutation_skill(distances, settings.shuffles, np.random.default_rng(seed)) if enough else None
    return Agreement(
        view="",
        estimate="",
        classes=classes.name,
        labels=classes.labels,
        n_scenes=n_scenes,
        n_labelled=len(labelled),
        confusion=tuple(tuple(row) for row in counts.tolist()),
        recall=dict(zip(classes.labels, map(_known, metrics.recalls(counts)), strict=True)),
        macro_f1=_known(metrics.macro_f1(counts)),
        kappa=_known(metrics.cohen_kappa(counts)) if enough else None,
        js=js,
        js_marginal=_known(marginal),
        js_shuffled=skill.shuffled if skill else None,
        skill=skill.skill if skill else None,
        p=skill.p if skill else None,
    )


def _known(value: float | None) -> float | None:
    return None if value is None or value != value else float(value)
