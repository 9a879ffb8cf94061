"""Comparison of the intended with the detected emotions of each scene.

Four concepts must be distinguished: intended (by director, script, actor), portrayed (what people see), detected (what
the network reads), induced (what the audience feels). This module compares only detected with intended.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from scenefer.analysis.scene_views import EQUAL_ACTOR, EQUAL_TRACK, OWN_BASELINE, SCREEN_TIME, character_view, views_of
from scenefer.comparison import resampled_shares
from scenefer.comparison.agreement import RAW, VALIDATED, Agreement, agreements, in_view, preferred
from scenefer.comparison.corrected_verdicts import with_corrected
from scenefer.comparison.intentions import parse_intention
from scenefer.comparison.verdicts import CLASSES, VERDICTS, ComparisonSettings, judge
from scenefer.core.errors import SheetError
from scenefer.core.film import clock
from scenefer.core.language import marked
from scenefer.core.run_record import ComparisonRecord
from scenefer.core.scene import names_of, scenes_of
from scenefer.core.schema import EMOTIONS, TABLES
from scenefer.core.tables import conform
from scenefer.core.text import did_you_mean, listed, looked_up

if TYPE_CHECKING:
    import pandas as pd

    from scenefer.analysis.result import Analysis
    from scenefer.comparison.resampled_shares import Evidence, Reading

# Notices for readers: stored in English, and translated into the language of a report.
MANY_VERDICTS = marked("{n} verdicts are given: among so many, some are wrong by chance alone")
OTHER_TIMES = marked(
    "scene {name}: the sheet says {start} to {end}, what is compared is {own_start} to {own_end}, as in the run"
)
NO_CHARACTERS = marked(
    "intentions for a character are compared with all faces of the scene: people are not told apart in this run"
)
NO_NAMES = marked(
    "intentions for a character are compared with all faces of the scene: nobody has a name in this run; people get "
    "names by Edit in the report, or by --cast"
)
NOBODY_NAMED = marked(
    "intentions for a character are compared with all faces of the scene: no person of this run is named {names}"
)
NOT_IN_VIEW = marked("intentions for {names} are not judged: the view {view} is of another person")
EVERY_PERSON = marked("people are told apart in this run: every person counts alike instead of every track")
NO_PEOPLE = marked("the view {view} needs people, who are not told apart in this run; {shown} is shown instead")
NO_SUCH_PERSON = marked("the view {view} needs a name that no person of this run has; {shown} is shown instead")
NO_BASELINE = marked(
    'the view {view} needs baseline = "person" under [emotions] of the plan that the film is analysed with; {shown} is '
    "shown instead"
)
CORRECTED = marked(
    "verdicts on {n} of {all} judged scenes use shares that judged faces have corrected; the others, of which too few "
    "faces were judged, use what was read"
)
NOT_JUDGED_YET = marked(
    "verdicts use what was read: shares corrected by judged faces were asked for, and nobody has judged faces of this "
    "run (scenefer validate)"
)
EDITED_SINCE = marked(
    "verdicts use what was read: scenes or moments were edited by hand since faces of this run were judged, which "
    "scenefer validate reads again"
)
NO_VIEW = marked(
    "verdicts use what was read: judged faces correct shares by screen time, and the view {view} was asked for"
)
NOTICES = (
    *(CORRECTED, NOT_JUDGED_YET, EDITED_SINCE, NO_VIEW),
    *(MANY_VERDICTS, OTHER_TIMES, NO_CHARACTERS, NO_NAMES, NOBODY_NAMED),
    *(NOT_IN_VIEW, EVERY_PERSON, NO_PEOPLE, NO_SUCH_PERSON, NO_BASELINE),
)

_SHEET = ("scene", "start", "end", "intended", "character")  # the columns that are used
_APART = 0.5  # seconds by which the times of the same scene may differ, because lists are rounded
_COLUMNS = {column.name: None for column in TABLES["comparison"]}


@dataclass(frozen=True)
class Comparison:
    """Intended and detected emotions, scene by scene and over the film."""

    table: pd.DataFrame  # table COMPARISON
    agreements: tuple[Agreement, ...]  # one per view and set of classes
    counts: dict[str, int]  # rows in the headline: all, compared, each verdict, and each reason for not judging
    notices: tuple[str, ...]  # sentences that a reader must know
    settings: ComparisonSettings  # with the view that was available


class _Intention(NamedTuple):
    character: str | None
    text: str | None
    shares: np.ndarray | None  # (7,), sum 1; None if nothing is intended
    view: str | None = None  # view of the person that it is about; None = it is about the scene


_NOTHING_INTENDED = _Intention(None, None, None)


def compare(analysis: Analysis, sheet: pd.DataFrame, settings: ComparisonSettings = ComparisonSettings()) -> Comparison:
    """Compare the detected emotions of a film with a sheet of intentions.

    Args:
        sheet: from ``scene_lists.read_sheet``; its scenes are matched to the run's by name. Several rows of a scene,
            one per character, are compared separately: only with the faces of the person of that name, if the run has
            one.

    Returns:
        One row per scene, intention, view and set of classes; scenes without an intention also have rows. An intention
        for a person of the cast has only that person's view. Percentages have the intervals of the table
        SCENE_EMOTIONS, from the same resamples.

    Raises:
        SheetError: a scene of the sheet is not in the run.
    """

    notices: list[str] = []
    known = views_of(analysis.tracks, resampled_shares.bootstrap_of(analysis))
    settings = replace(settings, view=_view(settings.view, known, analysis.tracks, notices))
    intentions = _intentions(analysis, sheet, settings.view, notices)
    names = names_of(analysis.scenes)
    alike = tuple(dict.fromkeys((*known, settings.view)))
    rows: list[dict[str, Any]] = []
    for scene, group in groupby(resampled_shares.read(analysis), key=lambda read: read[0]):
        seen = {view: (evidence, reading) for _, view, evidence, reading in group}
        head = {"scene": scene, "name": names[scene], "estimate": RAW}
        rows += [row | head for row in _rows(seen, intentions[scene], alike, settings)]
    if settings.estimate == VALIDATED:
        rows = _corrected(analysis, rows, settings, notices)
    table = conform({name: [row[name] for row in rows] for name in _COLUMNS}, "comparison")
    counts = _counts(_headline(table, settings))
    if counts["compared"] > 1:
        notices.append(MANY_VERDICTS.format(n=counts["compared"]))
    found = agreements(table, settings, resampled_shares.bootstrap_of(analysis).seed)
    return Comparison(table, found, counts, tuple(notices), settings)


def _rows(
    seen: dict[str, tuple[Evidence, Reading | None]],
    intentions: Sequence[_Intention],
    alike: Sequence[str],
    settings: ComparisonSettings,
) -> Iterator[dict[str, Any]]:
    """Judge the intentions for a scene in every view: ``alike`` are the views of all people, the others of one each."""
    of_people = {meant.view: None for meant in intentions if meant.view}
    for view in dict.fromkeys((*alike, *of_people)):
        evidence, reading = seen.get(view, (resampled_shares.NOTHING, None))
        of_one = view.startswith(character_view(""))  # whose faces say nothing of what was intended for another
        own = [
            meant
            for meant in intentions
            if view == meant.view or (meant.view is None and view in alike and not (of_one and meant.character))
        ]
        for meant in own or ([] if of_people else [_NOTHING_INTENDED]):
            about = {"character": meant.character, "intended": meant.text, **evidence._asdict()}
            for classes in CLASSES:
                verdict = judge(meant.shares, reading, classes, settings)
                yield {**_COLUMNS, "view": view, **about, "classes": classes.name, **verdict}


def _corrected(
    analysis: Analysis, rows: list[dict[str, Any]], settings: ComparisonSettings, notices: list[str]
) -> list[dict[str, Any]]:
    """Add rows with shares that were corrected by judged faces, and a notice on the number of such scenes."""
    if analysis.validated is None:
        notices.append(NOT_JUDGED_YET)
        return rows
    if analysis.run.get("validation", {}).get("edits") != analysis.run.get("edits", {}).get("shares"):
        notices.append(EDITED_SINCE)
        return rows
    if settings.view != SCREEN_TIME:
        notices.append(NO_VIEW.format(view=settings.view))
        return rows
    found = with_corrected(rows, analysis.validated, settings)
    n_corrected = len({row["scene"] for row in found if row["estimate"] == VALIDATED})
    n_judged = len({row["scene"] for row in rows if row["verdict"] is not None})
    notices.append(CORRECTED.format(n=n_corrected, all=n_judged))
    return found


def of_run(analysis: Analysis, settings: ComparisonSettings = ComparisonSettings()) -> Comparison | None:
    """Compare a film with the intentions in its own sheet; None if it has no sheet, or a sheet without intentions.

    Raises:
        SheetError: as ``compare``.
    """
    sheet = analysis.sheet
    return None if sheet is None or not sheet["intended"].notna().any() else compare(analysis, sheet, settings)


def furthest_first(verdict: str, js: float) -> tuple[bool, float]:
    """Return the key by which scenes are sorted that do not show what was intended: mismatches first, then by gap."""
    return verdict != "mismatch", -js


def about_estimate(comparison: Comparison) -> str | None:
    """Return the notice on whether verdicts use corrected shares; None if these were not requested."""
    return next((notice for notice in comparison.notices if notice.startswith("verdicts ")), None)


def record(comparison: Comparison) -> ComparisonRecord:
    """Return the record of a comparison for ``run.json``: counts, notices, and the measures over the film."""
    return {
        "counts": comparison.counts,
        "notices": list(comparison.notices),
        "agreement": [found._asdict() for found in comparison.agreements],
    }


def headline(comparison: Comparison) -> tuple[pd.DataFrame, Agreement]:
    """Return the headline rows and measures: shares of the seven emotions, in the view of the settings."""
    first = (comparison.settings.view, CLASSES[0].name)
    figures = next(found for found in comparison.agreements if (found.view, found.classes) == first)
    return _headline(comparison.table, comparison.settings), figures


def _headline(table: pd.DataFrame, settings: ComparisonSettings) -> pd.DataFrame:
    table = preferred(table)
    leads = in_view(table, settings.view) & (table["classes"] == CLASSES[0].name)
    return table.loc[leads].reset_index(drop=True)


def _intentions(analysis: Analysis, sheet: pd.DataFrame, view: str, notices: list[str]) -> dict[int, list[_Intention]]:
    """Collect the intentions for each scene of the run; a scene without any gets one empty intention."""
    people = _people(analysis.tracks)
    runs = {scene.name: scene for scene in scenes_of(analysis.scenes)}
    found: dict[int, list[_Intention]] = {scene.id: [] for scene in runs.values()}
    for name, start, end, text, character in sheet[list(_SHEET)].itertuples(index=False):
        if str(name) not in runs:
            near = did_you_mean(str(name), runs, otherwise="")
            hint = f"{near} Else" if near else "to take its scenes from the sheet"
            raise SheetError(f"the run has no scene {str(name)!r}: {hint} analyse the film again with this sheet")
        own = runs[str(name)]
        if max(abs(start - own.start), abs(end - own.end)) > _APART:
            times = {"start": start, "end": end, "own_start": own.start, "own_end": own.end}
            notices.append(OTHER_TIMES.format(name=name, **{which: clock(time) for which, time in times.items()}))
        meant = parse_intention(_text(text) or "")
        if meant:
            shares = np.array([meant.get(emotion, 0.0) for emotion in EMOTIONS])
            of_person = people.get(looked_up(_text(character) or ""))
            found[own.id].append(_Intention(_text(character), _text(text), shares, of_person))
    meant_for = [meant for of_scene in found.values() for meant in of_scene if meant.character and not meant.view]
    if meant_for:
        characters = sorted({str(meant.character) for meant in meant_for})
        others = NOT_IN_VIEW.format(names=listed(characters), view=view)
        notices.append(others if view.startswith(character_view("")) else _unnamed(characters, analysis.tracks))
    return {scene: of_scene or [_NOTHING_INTENDED] for scene, of_scene in found.items()}


def _text(cell: Any) -> str | None:
    return cell.strip() or None if isinstance(cell, str) else None


def _people(tracks: pd.DataFrame) -> dict[str, str]:
    """Return the view of every named person of a run, by normalised name."""
    return {looked_up(str(name)): character_view(str(name)) for name in tracks["actor_name"].dropna().unique()}


def _unnamed(characters: list[str], tracks: pd.DataFrame) -> str:
    """Return the notice why intentions for characters are compared with the whole scene."""
    if tracks["actor"].isna().all():
        return NO_CHARACTERS
    if tracks["actor_name"].isna().all():
        return NO_NAMES
    return NOBODY_NAMED.format(names=" or ".join(characters))


def _view(view: str, known: Sequence[str], tracks: pd.DataFrame, notices: list[str]) -> str:
    """Return ``view``, or its replacement (with a notice) if it is not available: views of people need people."""
    if view in (*known, *_people(tracks).values()):
        return view
    if view == EQUAL_TRACK:
        notices.append(EVERY_PERSON)
        return EQUAL_ACTOR
    lacking = NO_PEOPLE if tracks["actor"].isna().all() else NO_BASELINE if view == OWN_BASELINE else NO_SUCH_PERSON
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
