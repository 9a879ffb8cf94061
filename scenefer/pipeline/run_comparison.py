"""Compare a run with what its scenes were meant to show, by its own sheet or by one that replaces it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from scenefer.comparison import scene_comparison
from scenefer.comparison.agreement import VALIDATED
from scenefer.core.errors import PlanError
from scenefer.interchange import scene_lists
from scenefer.pipeline import plans

if TYPE_CHECKING:
    from scenefer.analysis.result import Analysis
    from scenefer.comparison.scene_comparison import Comparison
    from scenefer.core.film import Film


def compared_with_intentions(analysis: Analysis) -> Comparison | None:
    """Compare a film with the intentions in its sheet, using the settings of its run; None if it has none.

    Raises:
        SheetError: the sheet names scenes that the run does not have.
    """
    return scene_comparison.of_run(analysis, plans.from_record(analysis.run.get("settings", {})).comparison)


def with_estimate(analysis: Analysis, estimate: str) -> Analysis:
    """Return a run whose verdicts use the shares as read (``raw``) or as corrected by judged faces (``validated``).

    Raises:
        PlanError: there is no such estimate, or nobody has judged faces of the run.
    """
    settings = analysis.run.get("settings", {})
    chosen = {**settings, "comparison": {**settings.get("comparison", {}), "estimate": estimate}}
    plans.from_record(chosen)
    if estimate == VALIDATED and analysis.validated is None:
        raise PlanError(
            "nobody has judged faces of this run: scenefer validate RUN lets people do so; else --estimate raw"
        )
    return replace(analysis, run={**analysis.run, "settings": chosen})


def with_comparison(analysis: Analysis, compared: Comparison | None) -> Analysis:
    """Add a comparison to the tables and the record of an analysis; None removes an earlier one."""
    run = analysis.run.copy()
    run.pop("comparison", None)
    if compared is not None:
        run["comparison"] = scene_comparison.record(compared)
    return replace(analysis, run=run, comparison=None if compared is None else compared.table)


def with_sheet(
    analysis: Analysis, sheet: Path, film: Film, words: Mapping[str, str], *, every_clip: bool = False
) -> Analysis:
    """Replace a run's list of intentions, and add the notices from reading the list to its warnings.

    Args:
        film: the run's film, with the timecode that the list uses.
        words: that the list may use, in addition to those of the run.
        every_clip: see ``scene_lists.read_sheet``.

    Raises:
        SheetError: as ``scene_lists.read_sheet``.
    """
    settings = analysis.run.get("settings", {})
    meanings = {**settings.get("words", {}), **words}
    read, notices = scene_lists.read_sheet(sheet, film, every_clip=every_clip, words=meanings)
    before = set(analysis.run.get("compare_notices", []))  # notices about the sheet of an earlier comparison
    warnings = [said for said in analysis.run.get("warnings", []) if said not in before]
    run = analysis.run.copy()
    run["compare_notices"] = [notice for notice in notices if notice not in warnings]
    run["warnings"] = [*warnings, *run["compare_notices"]]
    run["settings"] = {**settings, "words": meanings}
    if "made_of" in run:  # so a batch with the earlier sheets makes the report again
        run["made_of"] = {**run["made_of"], "sheets": "those of scenefer compare"}
    return replace(analysis, sheet=read, run=run)
