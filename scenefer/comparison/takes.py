"""Takes of the same scenes: which one is nearest to what was intended, and which cannot be told apart from it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from scenefer.analysis.scene_views import SCREEN_TIME, character_view
from scenefer.comparison import resampled_shares, run_differences
from scenefer.comparison.intentions import parse_intention, write_intention
from scenefer.comparison.resampled_shares import Quantity
from scenefer.comparison.run_differences import Differences
from scenefer.comparison.scene_pairs import pair_scenes
from scenefer.comparison.verdicts import NO_EVIDENCE
from scenefer.core.language import marked
from scenefer.core.scene import names_of
from scenefer.core.schema import EMOTIONS, TABLES
from scenefer.core.tables import conform, rows_of
from scenefer.core.text import looked_up

if TYPE_CHECKING:
    import pandas as pd

    from scenefer.analysis.result import Analysis
    from scenefer.comparison.resampled_shares import Evidence, Reading

NEAREST, AS_NEAR, FARTHER, ALONE = "nearest", "as near", "farther", "alone"

# What a reader must know, kept in English and said again in the language of a page.
MANY = marked("the nearest take is chosen after looking: with many takes, some lead by chance is likely")
WHOLE_SCENE = marked("what was intended for {character} is compared with all faces: not every take knows the name")
SEVERAL = marked("scene {name}: the lists of the takes differ in what was intended; that of the first counts")
NOT_FOUND = marked("the list's scene {name} is in no take")
AS_READ = marked("runs are compared by screen time as read, while verdicts of a report among them count otherwise")
NOTICES = (AS_READ, MANY, WHOLE_SCENE, SEVERAL, NOT_FOUND)

_COLUMNS = {column.name: None for column in TABLES["takes"]}


@dataclass(frozen=True)
class Takes:
    """Several runs of the same scenes, the first as the one that the others are compared with."""

    differences: tuple[Differences, ...]  # of each other run against the first
    table: pd.DataFrame  # table TAKES: how near each is to what was intended; empty where nothing was
    notices: tuple[str, ...]  # what a reader must know, in sentences


class _Meant(NamedTuple):
    character: str | None
    shares: dict[str, float]  # of the emotions, sum 1


def compare_takes(analyses: Sequence[Analysis], sheet: pd.DataFrame | None = None) -> Takes:
    """Compare runs of the same scenes with the first of them, and each with what was intended.

    Args:
        analyses: two or more.
        sheet: as ``scene_lists.read_sheet`` gives it, its scenes found by name, else by time; None = what the runs'
            own lists say, the first that says something of a scene.

    Returns:
        A take is nearest whose Jensen-Shannon distance to the intention is smallest. Another is as near where the
        interval of how much farther it is contains zero, both resampled: they cannot be told apart.
    """

    first, *others = analyses
    differences = tuple(run_differences.compare_runs(first, other, place) for place, other in enumerate(others, 1))
    notices = dict.fromkeys(notice for found in differences for notice in found.notices)
    intended = _intended(analyses, sheet, notices)
    rows: list[dict[str, Any]] = []
    if intended:
        read = [_readings(first, other, place) for place, other in enumerate(analyses)]
        names = names_of(first.scenes)
        for scene, meant in ((scene, meant) for scene, all_meant in intended.items() for meant in all_meant):
            head = {"scene": scene, "name": names[scene], "character": meant.character}
            head["intended"] = write_intention(meant.shares)
            view = _view(meant.character, scene, read, notices)
            rows += [{**_COLUMNS, **head, **row} for row in _rows(meant, [run.get((scene, view)) for run in read])]
        if len(analyses) > 2:
            notices[MANY] = None
    if any(_counts_otherwise(analysis) for analysis in analyses):
        notices[AS_READ] = None
    table = conform({name: [row[name] for row in rows] for name in _COLUMNS}, "takes")
    return Takes(differences, table, tuple(notices))


def summary(compared: Takes, names: Sequence[str]) -> str:
    """Write how each run differs from the first, then which is nearest to each intention, then what one must know.

    Args:
        names: of the runs, in their order.
    """
    lines = []
    for other, found in zip(names[1:], compared.differences, strict=True):
        if len(names) > 2:
            lines.append(f"{names[0]} and {other}:")
        lines.append(run_differences.summary(found, notices=False))
    for _, rows in compared.table.groupby(["scene", "character", "intended"], sort=False, dropna=False):
        lines.append(_said(rows, names))
    return "\n".join([*lines, *(f"Note: {notice}." for notice in compared.notices)])


def as_json(compared: Takes, *, rows: bool) -> str:
    """Write the tables as JSON.

    Args:
        rows: of two runs, table DIFFERENCES alone; else an object: that table of each other run, and table TAKES.
    """
    tables = [found.table.to_json(orient="records", indent=1) for found in compared.differences]
    if rows:
        return tables[0]
    takes = compared.table.to_json(orient="records")
    return json.dumps({"differences": [json.loads(one) for one in tables], "takes": json.loads(takes)}, indent=1)


def _said(rows: pd.DataFrame, names: Sequence[str]) -> str:
    name, character, intended = rows[["name", "character", "intended"]].iloc[0].tolist()
    about = f"{name} ({character})" if isinstance(character, str) else name
    called: dict[str, list[str]] = {}
    for row in rows_of(rows.loc[rows["standing"].notna(), ["standing", "run"]]):
        called.setdefault(row["standing"], []).append(str(names[row["run"]]))
    if ALONE in called or not called:
        only = f"; only {called[ALONE][0]} shows enough" if ALONE in called else ""
        return f"{about}: {intended} intended; {NO_EVIDENCE} to say which is nearest{only}"
    best = rows.loc[rows["standing"] == NEAREST].iloc[0]
    if AS_NEAR in called:
        near = rows.loc[rows["standing"].isin((NEAREST, AS_NEAR))].sort_values("js", kind="stable")
        told = ", ".join(f"{names[row['run']]} {row['js']:.2f}" for row in rows_of(near))
        return f"{about}: {intended} intended; none is clearly nearest (Jensen-Shannon distance {told})"
    distance = f"Jensen-Shannon distance {best['js']:.2f} ({best['js_low']:.2f} to {best['js_high']:.2f})"
    return f"{about}: {intended} intended; nearest is {called[NEAREST][0]}, {distance}"


def _intended(
    analyses: Sequence[Analysis], sheet: pd.DataFrame | None, notices: dict[str, None]
) -> dict[int, list[_Meant]]:
    """Find what was intended by scene of the first run, in its order."""
    first = analyses[0].scenes
    found: dict[int, list[_Meant]] = {}
    if sheet is not None:
        listed = sheet.drop_duplicates("scene").reset_index(drop=True)
        listed = listed.assign(name=listed["scene"].astype(str), scene=listed.index)
        pairs = pair_scenes(first, listed)
        met = {pair.other for pair in pairs.values()}
        notices.update((NOT_FOUND.format(name=name), None) for name in listed.loc[~listed["scene"].isin(met), "name"])
        found = {scene: _meant(sheet, str(listed["name"].iloc[pair.other])) for scene, pair in pairs.items()}
    for analysis in analyses if sheet is None else ():
        if analysis.sheet is None:
            continue
        names = names_of(analysis.scenes)
        for scene, pair in pair_scenes(first, analysis.scenes).items():
            said = _meant(analysis.sheet, str(names[pair.other]))
            known = found.setdefault(scene, said) or said
            if said and known != said:
                notices[SEVERAL.format(name=first.loc[first["scene"] == scene, "name"].iloc[0])] = None
            found[scene] = known
    return {scene: found[scene] for scene in first["scene"].tolist() if found.get(scene)}


def _meant(sheet: pd.DataFrame, name: str) -> list[_Meant]:
    rows = sheet.loc[sheet["scene"].astype(str) == name, ["intended", "character"]]
    said = [
        (parse_intention(text if isinstance(text, str) else ""), character)
        for text, character in rows.itertuples(index=False)
    ]
    return [_Meant(character if isinstance(character, str) else None, shares) for shares, character in said if shares]


def _readings(
    first: Analysis, other: Analysis, place: int
) -> Mapping[tuple[int, str], tuple[Evidence, Reading | None]]:
    """Read a run's shares by scene of the first run, and by view."""
    seed = run_differences.seed_of(first, other, place) if place else None
    here = {pair.other: scene for scene, pair in pair_scenes(first.scenes, other.scenes).items()}
    return {
        (here[scene], looked_up(view)): (seen, reading)
        for scene, view, seen, reading in resampled_shares.read(other, seed)
        if scene in here
    }


def _counts_otherwise(analysis: Analysis) -> bool:
    settings = analysis.run.get("settings", {}).get("comparison", {})
    return settings.get("view", SCREEN_TIME) != SCREEN_TIME or settings.get("estimate", "raw") != "raw"


def _view(
    character: str | None, scene: int, read: Sequence[Mapping[tuple[int, str], Any]], notices: dict[str, None]
) -> str:
    """Return the view of a person where every take that has the scene knows one of the name, else that of the scene."""
    if character is None:
        return SCREEN_TIME
    having = [run for run in read if (scene, SCREEN_TIME) in run]
    own = looked_up(character_view(character.strip()))
    if all((scene, own) in run for run in having):
        return own
    notices[WHOLE_SCENE.format(character=character)] = None
    return SCREEN_TIME


def _rows(meant: _Meant, seen: Sequence[tuple[Evidence, Reading | None] | None]) -> Iterator[dict[str, Any]]:
    """Measure how far each take is from what was intended, and how much farther than the nearest one."""
    intended = np.array([[meant.shares.get(emotion, 0.0) for emotion in EMOTIONS]])
    far = {
        run: (resampled_shares.apart(intended, entry[1].shares)["js"], entry[1])
        for run, entry in enumerate(seen)
        if entry is not None and entry[1] is not None
    }
    nearest = min(far, key=lambda run: far[run][0].values[0], default=-1)
    for run, entry in enumerate(seen):
        row: dict[str, Any] = {
            "run": run,
            "evidence": entry[0].evidence if entry else resampled_shares.NOTHING.evidence,
        }
        if run in far:
            distance, reading = far[run]
            row |= {"within": resampled_shares.within(reading.n_units, reading.unit)}
            known = resampled_shares.intervals({"js": distance}, reading.widening)
            row |= resampled_shares.named("js", known["js"]) | {"standing": ALONE if len(far) == 1 else NEAREST}
            if run != nearest:
                behind = _behind(far[run], far[nearest])
                row |= resampled_shares.named("behind", behind) | {"standing": AS_NEAR if behind[1] <= 0 else FARTHER}
        yield row


def _behind(this: tuple[Quantity, Reading], best: tuple[Quantity, Reading]) -> tuple[float, float, float]:
    n = min(len(this[0].values), len(best[0].values))
    difference = Quantity(this[0].values[:n] - best[0].values[:n], (-1.0, 1.0))
    widening = max(this[1].widening, best[1].widening)
    return resampled_shares.intervals({"behind": difference}, widening)["behind"]
