"""Intended against detected: what each scene was meant to show beside what its faces show.

Four things stay apart: intended (director, script, actor), portrayed (what people see), detected (what the network
reads), induced (what the audience feels). This compares the detected with the intended, and says nothing of the others.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from dataclasses import dataclass, replace
from difflib import get_close_matches
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

from scenefer import readings
from scenefer.agreement import Agreement, agreements, in_view
from scenefer.emotions import EQUAL_ACTOR, EQUAL_TRACK, character_view, views_of
from scenefer.errors import PlanError, SheetError
from scenefer.film import clock
from scenefer.intentions import parse_intention
from scenefer.language import marked
from scenefer.schema import EMOTIONS, TABLES
from scenefer.verdicts import CLASSES, VERDICTS, ComparisonSettings, judge

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from scenefer.analysis import Analysis

# What a reader must know, kept in English and said again in the language of a report.
MANY_VERDICTS = marked("{n} verdicts are given; they are not corrected for their number")
OTHER_TIMES = marked(
    "scene {name}: the sheet says {start} to {end}, what is compared is {own_start} to {own_end}, as in the run"
)
NO_CHARACTERS = marked(
    "intentions for a character are compared with all faces of the scene: people are not told apart in this run"
)
NO_NAMES = marked(
    "intentions for a character are compared with all faces of the scene: people have no names in this run, which "
    "--cast would give them"
)
NOBODY_NAMED = marked(
    "intentions for a character are compared with all faces of the scene: no person of this run is named {names}"
)
EVERY_PERSON = marked("people are told apart in this run: every person counts alike instead of every track")
NO_PEOPLE = marked("the view {view} needs people, who are not told apart in this run; {shown} is shown instead")
NO_SUCH_PERSON = marked("the view {view} needs a name that no person of this run has; {shown} is shown instead")
NOTICES = (
    *(MANY_VERDICTS, OTHER_TIMES, NO_CHARACTERS, NO_NAMES, NOBODY_NAMED),
    *(EVERY_PERSON, NO_PEOPLE, NO_SUCH_PERSON),
)

_SHEET = ("scene", "start", "end", "intended", "character")  # the columns that are read
_APART = 0.5  # seconds by which times may differ that name the same scene: lists are rounded
_COLUMNS = {column.name: None for column in TABLES["comparison"]}


@dataclass(frozen=True)
class Comparison:
    """What was intended beside what was detected, scene by scene and over the film."""

    table: pd.DataFrame  # table COMPARISON
    agreements: tuple[Agreement, ...]  # a view, estimate and set of classes each
    counts: dict[str, int]  # rows of the headline: all, compared, each verdict, and why others are not judged
    notices: tuple[str, ...]  # what a reader must know, in sentences
    settings: ComparisonSettings  # its view is the one that could be had


class _Intention(NamedTuple):
    character: str | None
    text: str | None
    shares: np.ndarray | None  # (7,), sum 1; None where nothing is intended
    view: str | None = None  # of the person of the cast that it is about; None = it is about the scene


def compare(analysis: Analysis, sheet: pd.DataFrame, settings: ComparisonSettings = ComparisonSettings()) -> Comparison:
    """Compare what the faces of a film show with a sheet of intentions.

    Args:
        sheet: as ``sheets.read_sheet`` gives it, its scenes found in the run by name. Several rows of a scene, one a
            character, are compared one by one: with the faces of the person of that name alone, where the run has one.

    Returns:
        A row a scene, intention, view, estimate and set of classes; scenes without an intention have one too. An
        intention for a person of the cast has that person's view alone.
        Percentages have the intervals of the table SCENE_EMOTIONS, from the same resamples. Those of corrected shares
        (``emq``) take the correction as given.

    Raises:
        SheetError: a scene of the sheet is not in the run.
        PlanError: the settings name an unknown view.
        SceneferError: shares are to be corrected, and the run does not say what its weights were calibrated on.
    """
    from scenefer.tables import conform

    notices: list[str] = []
    settings = replace(settings, view=_view(settings.view, analysis.tracks, notices))
    intentions = _intentions(analysis, sheet, notices)
    names = dict(zip(analysis.scenes["scene"].tolist(), analysis.scenes["name"], strict=True))
    alike = tuple(dict.fromkeys((*views_of(analysis.tracks), settings.view)))
    rows: list[dict[str, Any]] = []
    for estimate in ("raw", "emq") if settings.emq else ("raw",):
        expressions = analysis.expressions if estimate == "raw" else readings.corrected(analysis, settings.emq_tracks)
        for scene, group in groupby(readings.read(analysis, expressions), key=lambda read: read[0]):
            seen = {view: (evidence, reading) for _, view, evidence, reading in group}
            head = {"scene": scene, "name": names[scene], "estimate": estimate}
            pairs = [
                (view, intention)
                for view in dict.fromkeys((*alike, *(meant.view for meant in intentions[scene] if meant.view)))
                for intention in intentions[scene]
                if view == intention.view or (intention.view is None and view in alike)
            ]
            for view, intention in pairs:
                evidence, reading = seen.get(view, (readings.NOTHING, None))
                about = {"character": intention.character, "intended": intention.text, **evidence._asdict()}
                rows += [
                    {
                        **_COLUMNS,
                        **head,
                        "view": view,
                        **about,
                        "classes": classes.name,
                        **judge(intention.shares, reading, classes, settings),
                    }
                    for classes in CLASSES
                ]
    table = conform({name: [row[name] for row in rows] for name in _COLUMNS}, "comparison")
    counts = _counts(_headline(table, settings))
    if counts["compared"] > 1:
        notices.append(MANY_VERDICTS.format(n=counts["compared"]))
    found = agreements(table, settings, readings.bootstrap_of(analysis).seed)
    return Comparison(table, found, counts, tuple(notices), settings)


def of_run(analysis: Analysis, settings: ComparisonSettings = ComparisonSettings()) -> Comparison | None:
    """Compare a film with the intentions in its own sheet; None where it has no sheet, or one without intentions.

    Raises:
        SheetError, PlanError: as ``compare``.
    """
    sheet = analysis.sheet
    return None if sheet is None or not sheet["intended"].notna().any() else compare(analysis, sheet, settings)


def record(comparison: Comparison) -> dict[str, Any]:
    """Return what ``run.json`` says of a comparison: counts, notices, and the figures over the film."""
    return {
        "counts": comparison.counts,
        "notices": list(comparison.notices),
        "agreement": [found._asdict() for found in comparison.agreements],
    }


def headline(comparison: Comparison) -> tuple[pd.DataFrame, Agreement]:
    """Return the rows and the figures that lead: raw shares of the seven, in the view of the settings."""
    first = (comparison.settings.view, "raw", CLASSES[0].name)
    figures = next(found for found in comparison.agreements if found[:3] == first)
    return _headline(comparison.table, comparison.settings), figures


def _headline(table: pd.DataFrame, settings: ComparisonSettings) -> pd.DataFrame:
    leads = in_view(table, settings.view) & (table["estimate"] == "raw") & (table["classes"] == CLASSES[0].name)
    return table.loc[leads].reset_index(drop=True)


def _intentions(analysis: Analysis, sheet: pd.DataFrame, notices: list[str]) -> dict[int, list[_Intention]]:
    """Find what each scene of the run was meant to show; a scene of which nothing is said was meant to show nothing."""
    import numpy as np

    scenes, people = analysis.scenes, _people(analysis.tracks)
    runs = {str(name): row for name, *row in scenes[["name", "scene", "start", "end"]].itertuples(index=False)}
    found: dict[int, list[_Intention]] = {scene: [] for scene, _, _ in runs.values()}
    for name, start, end, text, character in sheet[list(_SHEET)].itertuples(index=False):
        if str(name) not in runs:
            near = get_close_matches(str(name), runs, n=1)
            hint = f"did you mean {near[0]!r}? Else" if near else "to take its scenes from the sheet"
            raise SheetError(f"the run has no scene {str(name)!r}: {hint} analyse the film again with this sheet")
        scene, *own = runs[str(name)]
        if max(abs(start - own[0]), abs(end - own[1])) > _APART:
            stated, known = (clock(start), clock(end)), (clock(own[0]), clock(own[1]))
            notices.append(
                OTHER_TIMES.format(name=name, start=stated[0], end=stated[1], own_start=known[0], own_end=known[1])
            )
        meant = parse_intention(_text(text) or "")
        if meant:
            shares = np.array([meant.get(emotion, 0.0) for emotion in EMOTIONS])
            view = people.get(_looked_up(_text(character) or ""))
            found[scene].append(_Intention(_text(character), _text(text), shares, view))
    meant_for = [meant for of_scene in found.values() for meant in of_scene if meant.character and not meant.view]
    if meant_for:
        notices.append(_unnamed(sorted({str(meant.character) for meant in meant_for}), analysis.tracks))
    return {scene: of_scene or [_Intention(None, None, None)] for scene, of_scene in found.items()}


def _text(cell: Any) -> str | None:
    return cell.strip() or None if isinstance(cell, str) else None


def _people(tracks: pd.DataFrame) -> dict[str, str]:
    """Return the view of every named person of a run, by the name as it is looked up."""
    return {_looked_up(str(name)): character_view(str(name)) for name in tracks["actor_name"].dropna().unique()}


def _looked_up(name: str) -> str:
    """Write a name as it is looked up: macOS may store ë as two characters, where a sheet has one."""
    return unicodedata.normalize("NFC", name.strip()).casefold()


def _unnamed(characters: list[str], tracks: pd.DataFrame) -> str:
    """Say why intentions for characters are compared with the scene."""
    if tracks["actor"].isna().all():
        return NO_CHARACTERS
    if tracks["actor_name"].isna().all():
        return NO_NAMES
    return NOBODY_NAMED.format(names=" or ".join(characters))


def _view(view: str, tracks: pd.DataFrame, notices: list[str]) -> str:
    """Return the view that can be had: those of people need people."""
    known = views_of(tracks)
    if view in (*known, *_people(tracks).values()):
        return view
    if view == EQUAL_TRACK:
        notices.append(EVERY_PERSON)
        return EQUAL_ACTOR
    if view != EQUAL_ACTOR and not view.startswith(character_view("")):
        raise PlanError(f"unknown view {view!r}; known: {', '.join(known)}")
    lacking = NO_SUCH_PERSON if tracks["actor"].notna().any() else NO_PEOPLE
    notices.append(lacking.format(view=view, shown=known[0]))
    return known[0]


def _counts(rows: pd.DataFrame) -> dict[str, int]:
    verdicts = Counter(rows["verdict"].dropna())
    return {
        "scenes": rows["scene"].nunique(),
        "compared": sum(verdicts.values()),
        **{verdict: verdicts[verdict] for verdict in VERDICTS},
        **Counter(rows["why"].dropna()),
    }
