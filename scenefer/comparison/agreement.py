"""Agreement over a whole film: agreement of labels, and distance compared with two baselines."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from scenefer.analysis.scene_views import EQUAL_ACTOR, EQUAL_TRACK, VIEWS, character_view
from scenefer.comparison.verdicts import CLASSES, VERDICTS, Classes, ComparisonSettings, leader
from scenefer.core import metrics

if TYPE_CHECKING:
    import pandas as pd


RAW = "raw"  # uncorrected; runs of older versions also have rows of the estimate "emq"
VALIDATED = "validated"  # corrected by judged faces; these rows replace raw ones if they exist


class Agreement(NamedTuple):
    """Measures over the compared scenes of a film; None if undefined or if there is too little evidence."""

    view: str
    classes: str
    labels: tuple[str, ...]
    n_scenes: int  # compared
    n_labelled: int  # intentions without a tie in the intended and in the detected shares
    confusion: tuple[tuple[int, ...], ...]  # (K, K): rows are intended labels, columns are detected labels
    recall: dict[str, float | None]  # by label
    macro_f1: float | None
    kappa: float | None  # Cohen's
    js: float | None  # mean Jensen-Shannon distance of intended and detected
    js_marginal: float | None  # the same, with the film's average instead of each scene's detected shares
    js_shuffled: float | None  # the same, averaged over permutations of the intentions
    skill: float | None  # 1 - js / js_shuffled: 0 = no better than permuted, 1 = perfect
    p: float | None  # (1 + permutations at least as close) / (1 + permutations)


def agreements(table: pd.DataFrame, settings: ComparisonSettings, seed: int) -> tuple[Agreement, ...]:
    """Compute the measures for every view and set of classes in a table COMPARISON.

    Intentions for a person of the cast are included in every view, with the detected shares of that person's own view.
    """
    table = preferred(table)
    judged = table.loc[table["verdict"].notna()]
    views = [view for view in table["view"].unique() if not view.startswith(character_view(""))]
    found = []
    for view, classes in product(dict.fromkeys((*views, settings.view)), CLASSES):
        rows = judged.loc[in_view(judged, view) & (judged["classes"] == classes.name)]
        intended, detected = (
            rows[[f"{kind}_{label}" for label in classes.labels]].to_numpy() / 100 for kind in ("intended", "detected")
        )
        figures = agree(intended, detected, rows["scene"].nunique(), classes, settings, seed)
        found.append(figures._replace(view=view))
    return tuple(found)


def leading(table: pd.DataFrame, view: str) -> pd.DataFrame:
    """Return the headline rows of a stored table COMPARISON: shares of the seven emotions in the compared view.

    Args:
        view: as in the settings of the run; if it was not available, the view that replaced it is used.
    """
    wanted = (view, EQUAL_ACTOR) if view == EQUAL_TRACK else (view,)
    shown = next((name for name in wanted if name in set(table["view"])), VIEWS[0])
    table = preferred(table)
    return table.loc[in_view(table, shown) & (table["classes"] == CLASSES[0].name)]


def worst_verdicts(rows: pd.DataFrame) -> dict[int, str]:
    """Return the worst verdict of each scene that was judged, from the rows that lead."""
    found: dict[int, str] = {}
    for scene, verdict in rows.loc[rows["verdict"].notna(), ["scene", "verdict"]].itertuples(index=False):
        found[int(scene)] = max(found.get(int(scene), VERDICTS[0]), str(verdict), key=VERDICTS.index)
    return found


def preferred(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table COMPARISON with one row per intention: corrected by judged faces if available, else raw."""
    known = table.loc[table["estimate"].isin((RAW, VALIDATED))]
    same = [name for name in ("scene", "view", "classes", "character", "intended") if name in known]
    return known.loc[~known.duplicated(same, keep="last")] if (known["estimate"] == VALIDATED).any() else known


def in_view(table: pd.DataFrame, view: str) -> pd.Series:
    """Select the rows of a table COMPARISON for a view: its own rows, and those of intentions for a person."""
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
        n_scenes: number of scenes in the rows; a scene has one row per character.
    """
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
