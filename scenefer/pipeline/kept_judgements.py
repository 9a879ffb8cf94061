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

_VOID = (
    "what people judged of this film's faces is not kept, since faces were found or read otherwise: scenefer validate "
    "draws a sample anew"
)
_AGAIN = (
    "what people judged of a random sample of this film's faces is not counted, since faces or scenes are others now: "
    "give the judgements to scenefer validate once more"
)


def with_judgements(analysis: Analysis, folder: Path) -> Analysis:
    """Take over what people judged of the run whose place a new analysis takes.

    Args:
        analysis: as it was measured.
        folder: of the run before; there may be none.

    Returns:
        The analysis with the sample that was drawn, if it has the same faces; with the shares that judgements of it
        corrected, if they are also read alike and lie in the same scenes; and with the faces judged in the report, if
        they are read alike. What does not fit is left out, and the warnings of the run say so.
    """
    try:
        record = result.read_record(folder)
        if "judged" not in record and not (folder / "tables" / "validation_sample.parquet").is_file():
            return analysis
        before = edited_runs.measured(folder, pictures=False)
    except (OSError, ValueError, SceneferError):  # no run, or one of another version
        return analysis
    if analysis.film.id != before.film.id:
        return analysis
    has_same_faces = _same(before, analysis, "face", "time", "usable")
    is_read_alike = has_same_faces and _same(before, analysis, *EMOTIONS)
    has_same_scenes = _same(before, analysis, "scene") and before.scenes.equals(analysis.scenes)
    is_counted = is_read_alike and has_same_scenes
    run, warnings = analysis.run.copy(), []
    if not has_same_faces or ("judged" in before.run and not is_read_alike):
        warnings.append(_VOID)
    if "judged" in before.run and is_read_alike:
        run["judged"] = before.run["judged"]
    if "validation" in before.run and is_counted:
        run["validation"] = before.run["validation"]
    elif "validation" in before.run and has_same_faces:
        warnings.append(_AGAIN)
    return replace(
        analysis,
        validation_sample=before.validation_sample if has_same_faces else None,
        validated=before.validated if is_counted else None,
        run={**run, "warnings": [*run["warnings"], *warnings]},
    )


def _same(before: Analysis, now: Analysis, *columns: str) -> bool:
    one, other = (analysis.expressions[list(columns)].reset_index(drop=True) for analysis in (before, now))
    return one.equals(other)
