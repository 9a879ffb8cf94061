"""Comparison of two runs, scene by scene: two cuts, two takes or two sets of weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scenefer.analysis.scene_views import VIEWS
from scenefer.comparison import resampled_shares
from scenefer.comparison.resampled_shares import Quantity
from scenefer.comparison.scene_pairs import pair_scenes
from scenefer.comparison.verdicts import NO_EVIDENCE
from scenefer.comparison.wording import thin
from scenefer.core.language import marked
from scenefer.core.scene import names_of
from scenefer.core.schema import EMOTIONS, TABLES
from scenefer.core.tables import conform, rows_of
from scenefer.core.text import looked_up

if TYPE_CHECKING:
    import pandas as pd

    from scenefer.analysis.result import Analysis
    from scenefer.comparison.resampled_shares import Reading

_COLUMNS = {column.name: None for column in TABLES["differences"]}
_THINNEST_FIRST = ("insufficient", "one take", "enough")
_WORTH_SAYING = 1.0  # percentage points
_DIFFERENCE = ("difference", "difference_low", "difference_high")
_OTHER_SEED = 1_000_003  # added to the seed, for each run before, where a run's faces are not the first one's

# What a reader must know, kept in English and said again in the language of a page.
NOT_CORRECTED = marked(
    "differences are given for many expressions and scenes: among so many, some are there by chance alone"
)
OTHER_WEIGHTS = marked("the two runs were read by different weights: a difference may lie in them, not in the faces")
GUESSED = marked("scenes are paired by name, and some were guessed: 1 of one film need not be 1 of the other")
BY_TIME = marked("scenes with different names are paired by their time: {pairs}")
SAME_FACES = marked("both runs count the same faces, which are resampled together")
NOTICES = (NOT_CORRECTED, OTHER_WEIGHTS, GUESSED, BY_TIME, SAME_FACES)


@dataclass(frozen=True)
class Differences:
    """Differences between the detected shares of two runs, scene by scene."""

    table: pd.DataFrame  # table DIFFERENCES
    only: tuple[str, ...]  # scenes that the other run does not have
    only_other: tuple[str, ...]  # scenes that only the other run has
    notices: tuple[str, ...]  # what a reader must know, in sentences


def compare_runs(analysis: Analysis, other: Analysis, place: int = 1) -> Differences:
    """Subtract the detected shares of one run from those of another, scenes matched by name, else by time.

    Both are resampled independently, except where the same faces were read by other weights: then the resamples hold
    the same faces in both, so that what both have in common is no uncertainty.

    Args:
        place: of the other run among several that are compared with the first, from 1.

    Returns:
        Seven rows a view a scene that both have, in the order of the first; null where either has too little evidence.
        Views of people are compared where both runs tell people apart, those of one person where both name them.
    """

    pairs = pair_scenes(analysis.scenes, other.scenes)
    names = names_of(analysis.scenes)
    names_there = names_of(other.scenes)
    read_there = {
        (scene, looked_up(view)): (seen, there)
        for scene, view, seen, there in resampled_shares.read(other, seed_of(analysis, other, place))
    }
    rows: list[dict[str, Any]] = []
    for scene, view, seen, here in resampled_shares.read(analysis):
        pair = pairs.get(scene)
        if pair is None or (pair.other, looked_up(view)) not in read_there:
            continue
        seen_there, there = read_there[pair.other, looked_up(view)]
        evidence = min(seen.evidence, seen_there.evidence, key=_THINNEST_FIRST.index)
        head = {"scene": scene, "other_scene": pair.other, "name": names[scene], "view": view, "evidence": evidence}
        rows += [{**_COLUMNS, **head, **row} for row in _rows(here, there)]
    told = any(
        row["view"] == VIEWS[0] and row["difference"] is not None and is_beyond(*(row[name] for name in _DIFFERENCE))
        for row in rows
    )
    by_time = [(names[pair.scene], names_there[pair.other]) for pair in pairs.values() if pair.by_time]
    met = {pair.other for pair in pairs.values()}
    return Differences(
        table=conform({name: [row[name] for row in rows] for name in _COLUMNS}, "differences"),
        only=tuple(name for scene, name in names.items() if scene not in pairs),
        only_other=tuple(name for scene, name in names_there.items() if scene not in met),
        notices=_notices(analysis, other, by_time, told),
    )


def summary(differences: Differences, *, notices: bool = True) -> str:
    """Summarise which expressions changed by more than their uncertainty, one line per scene; then missing scenes."""
    table = differences.table.loc[differences.table["view"] == VIEWS[0]]
    lines = [_sentence(str(name), scene) for name, scene in table.groupby("name", sort=False)]
    if not lines:
        lines.append("Nothing is compared: no scene of one run has the name or the time of one of the other.")
    for scenes, where in ((differences.only, "this"), (differences.only_other, "the other")):
        if scenes:
            lines.append(f"Only in {where} run: {', '.join(scenes)}.")
    return "\n".join([*lines, *(f"Note: {notice}." for notice in differences.notices if notices)])


def is_beyond(difference: float, low: float, high: float) -> bool:
    """Tell whether a difference, in points, is worth saying: a point or more, and its interval has not zero in it."""
    return abs(difference) >= _WORTH_SAYING and (low > 0 or high < 0)


def seed_of(analysis: Analysis, other: Analysis, place: int) -> int:
    """Return the seed by which another run is resampled: that of the first run where both count the same faces."""
    seed = resampled_shares.bootstrap_of(other).seed
    return seed if _same_faces(analysis, other) else seed + place * _OTHER_SEED


def _rows(here: Reading | None, there: Reading | None) -> list[dict[str, Any]]:
    """Compute the seven rows of a scene in one view."""
    rows: list[dict[str, Any]] = [{"emotion": emotion} for emotion in EMOTIONS]
    for reading, column in ((here, "percent"), (there, "other_percent")):
        for row, share in zip(rows, reading.shares[0] if reading else [float("nan")] * len(rows), strict=True):
            row[column] = 100 * share
    if here is None or there is None:
        return rows
    n_units = min(here.n_units, there.n_units)
    n = min(len(here.shares), len(there.shares))
    p, q = here.shares[:n], there.shares[:n]
    differences = {emotion: Quantity(100 * (q - p)[:, k], (-100, 100)) for k, emotion in enumerate(EMOTIONS)}
    known = resampled_shares.intervals(resampled_shares.apart(p, q) | differences, max(here.widening, there.widening))
    about = {
        "within": resampled_shares.within(n_units, here.unit),
        **resampled_shares.named("js", known["js"]),
        **resampled_shares.named("tv", known["tv"]),
    }
    return [{**row, **about, **resampled_shares.named("difference", known[row["emotion"]])} for row in rows]


def _same_faces(analysis: Analysis, other: Analysis) -> bool:
    """Check whether both runs count the same faces of the same film, so that only the detected expressions differ."""
    columns = ["time", "track", "shot", "scene", "weight", "usable"]
    people = ["track", "actor", "actor_name"]
    return (
        analysis.film.id == other.film.id
        and analysis.expressions[columns].equals(other.expressions[columns])
        and analysis.tracks[people].equals(other.tracks[people])
        and resampled_shares.bootstrap_of(analysis) == resampled_shares.bootstrap_of(other)
    )


def _notices(analysis: Analysis, other: Analysis, by_time: list[tuple[str, str]], told: bool) -> tuple[str, ...]:
    weights, weights_there = (
        run.run.get("weights", {}).get("expression", {}).get("sha256") for run in (analysis, other)
    )
    notices = [NOT_CORRECTED] if told else []
    if weights != weights_there:
        notices.append(OTHER_WEIGHTS)
    if analysis.film.id != other.film.id and "guessed" in {*analysis.scenes["source"], *other.scenes["source"]}:
        notices.append(GUESSED)
    if by_time:
        notices.append(BY_TIME.format(pairs=", ".join(f"{name} – {there}" for name, there in by_time)))
    if _same_faces(analysis, other):
        notices.append(SAME_FACES)
    return tuple(notices)


def _sentence(name: str, scene: pd.DataFrame) -> str:
    if scene["difference"].isna().all():
        return f"{name}: not compared, {NO_EVIDENCE}"
    told = scene.loc[[is_beyond(*row) for row in scene[list(_DIFFERENCE)].itertuples(index=False)]]
    told = told.reindex(told["difference"].abs().sort_values(ascending=False).index)
    changes = [
        f"{emotion} {value:+.0f} points ({low:+.0f} to {high:+.0f})"
        for emotion, value, low, high in told[["emotion", *_DIFFERENCE]].itertuples(index=False)
    ]
    take = f", {few}" if (few := thin(rows_of(scene)[0])) else ""
    distance = f"Jensen-Shannon distance {scene['js'].iloc[0]:.2f}"
    return (
        f"{name}: {', '.join(changes) or 'no difference of a point or more beyond the uncertainty'}; {distance}{take}"
    )
