"""What people judged of a run stays with the film when it is analysed or reported again and its faces are the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from scenefer.analysis import result
from scenefer.core.errors import SceneferError
from scenefer.core.schema import EMOTIONS
from scenefer.pipeline import edited_runs

if TYPE_CHECKING:
    from scenefer.analysis.result import Analysis
    from scenefer.core.run_record import RunRecord

# Warnings of a run, in English; ``report/warnings.py`` translates them.
NO_SAMPLE = (
    "the sample of faces that was drawn to be judged is not kept, since other faces were found: scenefer validate "
    "draws one anew"
)
NOT_COUNTED = (
    "what people judged of the sample of faces is not counted, since faces are read otherwise or scenes differ now: "
    "give the judgements to scenefer validate once more"
)
NOT_JUDGED = "faces that were judged in the report are not counted as judged, since they are read otherwise now"


def with_judgements(analysis: Analysis, folder: Path) -> Analysis:
    """Take over what people judged of the run whose place a new analysis takes.

    Args:
        analysis: as it was measured; nobody has judged it.
        folder: of the run before; there may be none.

    Returns:
        The analysis with the sample that was drawn, if it has the same faces; with the shares that judgements of it
        corrected, if they are also read alike and lie in the same scenes; and with the faces judged in the report, if
        they are read alike. What does not fit is left out, and the warnings of the run say so.
    """
    has_sample = (folder / "tables" / "validation_sample.parquet").is_file()
    try:
        has_judged = "judged" in result.read_record(folder)
    except (OSError, ValueError):
        has_judged = False
    if not has_sample and not has_judged:
        return analysis
    try:
        before = edited_runs.measured(folder, pictures=False)
    except SceneferError:  # it is damaged, or of another version
        return _warned(analysis, [NO_SAMPLE] * has_sample + [NOT_JUDGED] * has_judged)
    if analysis.film.id != before.film.id:
        return analysis
    has_same_faces = _same(before, analysis, "face", "time", "usable")
    is_read_alike = has_same_faces and _same(before, analysis, *EMOTIONS)
    is_counted = is_read_alike and _same(before, analysis, "scene") and before.scenes.equals(analysis.scenes)
    run, warnings = analysis.run.copy(), []
    if "judged" in before.run and is_read_alike:
        run["judged"] = before.run["judged"]
    elif "judged" in before.run:
        warnings.append(NOT_JUDGED)
    if has_sample and not has_same_faces:
        warnings.append(NO_SAMPLE)
    elif "validation" in before.run and is_counted:
        run["validation"] = before.run["validation"]
    elif "validation" in before.run:
        warnings.append(NOT_COUNTED)
    kept = replace(
        analysis,
        validation_sample=before.validation_sample if has_same_faces else None,
        validated=before.validated if is_counted else None,
        run=run,
    )
    return _warned(kept, warnings)


def without_warnings(run: RunRecord, *settled: str) -> RunRecord:
    """Return the record of a run without these of its warnings."""
    kept = run.copy()
    kept["warnings"] = [warning for warning in run["warnings"] if warning not in settled]
    return kept


def _warned(analysis: Analysis, warnings: list[str]) -> Analysis:
    run = analysis.run.copy()
    run["warnings"] = [*run["warnings"], *warnings]
    return replace(analysis, run=run)


def _same(before: Analysis, now: Analysis, *columns: str) -> bool:
    one, other = (analysis.expressions[list(columns)].reset_index(drop=True) for analysis in (before, now))
    return one.equals(other)
