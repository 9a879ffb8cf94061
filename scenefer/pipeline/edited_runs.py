"""Runs with what was corrected in them by hand: read as corrected everywhere, and kept as they were measured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from scenefer.analysis import edited, result
from scenefer.core.errors import SheetError, unwritable
from scenefer.core.run_folder import EDITS, FORMER_EDITS
from scenefer.core.text import printable
from scenefer.interchange.edits_file import read_edits
from scenefer.pipeline import plans

if TYPE_CHECKING:
    from scenefer.analysis.edits import Edits
    from scenefer.analysis.result import Analysis

_NOT_APPLIED = "edits by hand are not applied"  # by a new analysis that earlier ones do not fit


def load(folder: Path, *, pictures: bool = True) -> Analysis:
    """Read a run back as it was corrected; neither the film nor the cache is needed.

    Args:
        pictures: as for ``measured``.

    Raises:
        SceneferError: the folder holds no run, or one of another version.
        SheetError: the corrections that are kept with it do not fit it any more.
    """
    return _with_kept(measured(folder, pictures=pictures), folder, strict=True)


def measured(folder: Path, *, pictures: bool = True) -> Analysis:
    """Read a run back as it was measured, whatever was corrected in it.

    Args:
        pictures: whether with them, see ``result.load``.

    Raises:
        SceneferError: the folder holds no run, or one of another version.
    """

    loaded = result.load(folder, pictures=pictures)
    run = loaded.run.copy()
    run.pop("edits", None)
    return replace(loaded, run=run)


def with_edits(analysis: Analysis, edits: Edits) -> Analysis:
    """Correct a run.

    Args:
        analysis: as it was measured.

    Raises:
        SheetError: a correction does not fit; none is applied.
    """

    found = edited.apply(analysis, edits, plans.from_record(analysis.run.get("settings", {})))
    warnings = [said for said in analysis.run.get("warnings", []) if not said.startswith(_NOT_APPLIED)]
    return replace(found, run={**found.run, "warnings": warnings})


def with_kept(analysis: Analysis, folder: Path) -> Analysis:
    """Correct a new analysis by what is kept in the folder of the one that it takes the place of.

    Where that does not fit any more, it is not applied, which the warnings of the run say.
    """
    return _with_kept(analysis, folder, strict=False)


def pages(analysis: Analysis, folder: Path, *, keep_others: bool) -> dict[str, bytes]:
    """Return the files of a run that hold corrections, by name: its own, and those that they take the place of.

    Args:
        folder: of the run before.
        keep_others: also the former ones.
    """
    own = {EDITS: analysis.edits.content} if analysis.edits is not None else {}
    is_kept = keep_others or analysis.edits is None  # what does not fit is put aside, as the warnings of the run say
    try:
        former = (folder / EDITS).read_bytes() if is_kept and (folder / EDITS).is_file() else None
    except OSError as error:
        raise unwritable(folder / EDITS, error, "it must be readable, to be kept") from error
    return own if former in (None, own.get(EDITS)) else {**own, FORMER_EDITS: former}


def _with_kept(analysis: Analysis, folder: Path, *, strict: bool) -> Analysis:

    if not (folder / EDITS).is_file():
        return analysis
    try:
        return with_edits(analysis, read_edits(folder / EDITS, _source(folder)))
    except SheetError as error:
        if strict:
            raise SheetError(
                f"{error}; or scenefer report {printable(folder)} --no-edits takes the edits off"
            ) from error
        warning = f"{_NOT_APPLIED}, and lie in {FORMER_EDITS}: {error}"
        return replace(analysis, run={**analysis.run, "warnings": [*analysis.run["warnings"], warning]})


def _source(folder: Path) -> str | None:
    """Name the file that the kept corrections came from, where they still are those of that file."""
    from hashlib import sha256

    try:
        record = result.read_record(folder).get("edits", {})
        same = record["sha256"] == sha256((folder / EDITS).read_bytes()).hexdigest()
        return printable(record["file"]) if same else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
