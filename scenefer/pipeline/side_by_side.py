"""Runs set side by side: read, compared, and laid out in a page beside the first of them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from scenefer.comparison.intentions import read_words
from scenefer.comparison.takes import Takes, compare_takes
from scenefer.core import atomic
from scenefer.core.run_folder import LONGEST_NAME, REPORT, folder_name
from scenefer.interchange import scene_lists
from scenefer.pipeline import edited_runs
from scenefer.pipeline.film_analysis import language_of
from scenefer.pipeline.inputs import from_timecode

if TYPE_CHECKING:
    import pandas as pd

    from scenefer.analysis.result import Analysis


def compare(
    folder: Path,
    others: Sequence[Path],
    to: Path | None = None,
    *,
    intended: Path | None = None,
    every_clip: bool = False,
    timecode_start: str | None = None,
    words: Path | None = None,
) -> tuple[Takes, Path]:
    """Compare a run with others and write the page, in the language of the first one's report.

    Args:
        others: folders of runs.
        to: the page; None = in the folder of the first run, named after the others.
        intended: list of scenes that counts in place of the runs' own; how it is read as ``run_comparison.with_sheet``.

    Returns:
        What was found, and the page.

    Raises:
        SceneferError: a folder holds no run, the list cannot be read, or the page cannot be written.
    """
    from scenefer.report import comparison_page

    folders = [folder, *others]
    runs = [edited_runs.load(each) for each in folders]
    sheet = None
    if intended is not None:
        sheet = _sheet(runs[0], intended, every_clip, timecode_start, words)
    compared = compare_takes(runs, sheet)
    page = to if to is not None else folder / _name(others)
    shown = [comparison_page.Shown(run, _link(each, page)) for run, each in zip(runs, folders, strict=True)]
    text = comparison_page.render(shown, compared, language_of(runs[0]))
    atomic.write_result(page, text.encode("utf-8", "replace"), "choose another --to")
    return compared, page


def _sheet(run: Analysis, path: Path, every_clip: bool, timecode_start: str | None, words: Path | None) -> pd.DataFrame:
    meanings = {**run.run.get("settings", {}).get("words", {}), **(read_words(words) if words else {})}
    film = from_timecode(run.film, timecode_start)
    return scene_lists.read_sheet(path, film, every_clip=every_clip, words=meanings)[0]


def _name(others: Sequence[Path]) -> str:
    """Name the page after the runs that the first is compared with; no longer than a film may be called."""
    name = f"compared-with-{'-'.join(other.resolve().name for other in others)}"
    return f"{folder_name(Path(f'{name[:LONGEST_NAME]}.x'))}.html"


def _link(folder: Path, page: Path) -> str:
    """Lead from the page to a run's report; nowhere where there is no way, as between two drives of Windows."""
    try:
        way = os.path.relpath((folder / REPORT).resolve(), page.resolve().parent)
    except ValueError:
        return ""
    return quote(os.fsencode(way.replace(os.sep, "/"))) if (folder / REPORT).is_file() else ""
