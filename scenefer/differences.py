"""One run against another: two cuts, two takes or two weights, scene by scene."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scenefer import readings
from scenefer.emotions import VIEWS
from scenefer.readings import Quantity
from scenefer.schema import EMOTIONS, TABLES

if TYPE_CHECKING:
    import pandas as pd

    from scenefer.analysis import Analysis
    from scenefer.readings import Reading

_COLUMNS = {column.name: None for column in TABLES["differences"]}
_THINNEST_FIRST = ("insufficient", "one take", "enough")
_WORTH_SAYING = 1.0  # percentage points
_OTHER_SEED = 1_000_003  # added to the seed where the other run's faces are not the same faces


@dataclass(frozen=True)
class Differences:
    """What the faces of two runs show, scene by scene."""

    table: pd.DataFrame  # table DIFFERENCES
    only: tuple[str, ...]  # scenes that the other run has not
    only_other: tuple[str, ...]  # scenes that only the other run has
    notices: tuple[str, ...]  # what a reader must know, in sentences


def compare_runs(analysis: Analysis, other: Analysis) -> Differences:
    """Subtract the detected shares of one run from those of another, scenes matched by name.

    Both are resampled independently, except where the same faces were read by other weights: then the resamples hold
    the same faces in both, so that what both have in common is no uncertainty.

    Returns:
        Seven rows a view a scene that both have, in the order of the first; null where either has too little evidence.
        Views of people are compared where both runs tell people apart, those of one person where both name them.
    """
    from scenefer.tables import conform

    theirs = dict(zip(other.scenes["name"], other.scenes["scene"].tolist(), strict=True))
    names = dict(zip(analysis.scenes["scene"].tolist(), analysis.scenes["name"], strict=True))
    paired = _same_faces(analysis, other)
    seed = readings.bootstrap_of(other).seed + (0 if paired else _OTHER_SEED)
    read_there = {
        (scene, view): (seen, there) for scene, view, seen, there in readings.read(other, other.expressions, seed)
    }
    rows: list[dict[str, Any]] = []
    for scene, view, seen, here in readings.read(analysis, analysis.expressions):
        there_scene = theirs.get(names[scene])
        if there_scene is None or (there_scene, view) not in read_there:
            continue
        seen_there, there = read_there[there_scene, view]
        evidence = min(seen.evidence, seen_there.evidence, key=_THINNEST_FIRST.index)
        head = {"scene": scene, "other_scene": there_scene, "name": names[scene], "view": view, "evidence": evidence}
        rows += [{**_COLUMNS, **head, **row} for row in _rows(here, there)]
    return Differences(
        table=conform({name: [row[name] for row in rows] for name in _COLUMNS}, "differences"),
        only=tuple(name for name in names.values() if name not in theirs),
        only_other=tuple(name for name in theirs if name not in names.values()),
        notices=_notices(analysis, other, paired),
    )


def summary(differences: Differences) -> str:
    """Write in words which expressions changed by more than their uncertainty, a line a scene; then what is missing."""
    table = differences.table.loc[differences.table["view"] == VIEWS[0]]
    lines = [_sentence(str(name), scene) for name, scene in table.groupby("name", sort=False)]
    if not lines:
        lines.append("Nothing is compared: no scene has the same name in both runs.")
    for scenes, where in ((differences.only, "this"), (differences.only_other, "the other")):
        if scenes:
            lines.append(f"Only in {where} run: {', '.join(scenes)}.")
    return "\n".join([*lines, *(f"Note: {notice}." for notice in differences.notices)])


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
    known = readings.intervals(readings.apart(p, q) | differences, n_units)
    about = {"within": readings.within(n_units, here.unit), **_named("js", known["js"]), **_named("tv", known["tv"])}
    return [{**row, **about, **_named("difference", known[row["emotion"]])} for row in rows]


def _named(name: str, ends: tuple[float, float, float]) -> dict[str, float]:
    return dict(zip((name, f"{name}_low", f"{name}_high"), ends, strict=True))


def _same_faces(analysis: Analysis, other: Analysis) -> bool:
    """Tell whether both runs count the same faces of the same film, so that only what was read in them differs."""
    columns = ["time", "track", "shot", "scene", "weight", "usable"]
    people = ["track", "actor", "actor_name"]
    return (
        analysis.film.id == other.film.id
        and analysis.expressions[columns].equals(other.expressions[columns])
        and analysis.tracks[people].equals(other.tracks[people])
        and readings.bootstrap_of(analysis) == readings.bootstrap_of(other)
    )


def _notices(analysis: Analysis, other: Analysis, paired: bool) -> tuple[str, ...]:
    weights, weights_there = (
        run.run.get("weights", {}).get("expression", {}).get("sha256") for run in (analysis, other)
    )
    notices = ["differences are given for many expressions and scenes; they are not corrected for their number"]
    if weights != weights_there:
        notices.append("the two runs were read by different weights: a difference may lie in them, not in the faces")
    if analysis.film.id != other.film.id and "guessed" in {*analysis.scenes["source"], *other.scenes["source"]}:
        notices.append("scenes are paired by name, and some were guessed: 1 of one film need not be 1 of the other")
    if paired:
        notices.append("both runs count the same faces, which are resampled together")
    return tuple(notices)


def _sentence(name: str, scene: pd.DataFrame) -> str:
    if scene["difference"].isna().all():
        return f"{name}: not compared, too little face evidence"
    beyond = (scene["difference_low"] > 0) | (scene["difference_high"] < 0)
    told = scene.loc[beyond & (scene["difference"].abs() >= _WORTH_SAYING)]
    told = told.reindex(told["difference"].abs().sort_values(ascending=False).index)
    changes = [
        f"{emotion} {value:+.0f} points ({low:+.0f} to {high:+.0f})"
        for emotion, value, low, high in told[
            ["emotion", "difference", "difference_low", "difference_high"]
        ].itertuples(index=False)
    ]
    take = ", within one take" if (scene["within"] == "one take").all() else ""
    distance = f"Jensen-Shannon distance {scene['js'].iloc[0]:.2f}"
    return (
        f"{name}: {', '.join(changes) or 'no difference of a point or more beyond the uncertainty'}; {distance}{take}"
    )
