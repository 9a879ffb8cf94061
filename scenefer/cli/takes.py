"""``compare`` of one run with others: what is printed, and where the page lies."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scenefer.cli.output import say, say_lines


def side_by_side(folder: Path, others: Sequence[Path], to: Path | None, *, as_json: bool, **listed: Any) -> None:
    """Compare a run with others, write the page, and print what was found.

    Args:
        listed: the list of intentions and how it is read, as of ``pipeline.side_by_side.compare``.

    Raises:
        SceneferError: as that.
    """
    from scenefer.comparison import takes
    from scenefer.pipeline import side_by_side

    compared, page = side_by_side.compare(folder, others, to, **listed)
    if as_json:
        print(takes.as_json(compared, rows=len(others) == 1 and listed["intended"] is None))
        return
    runs = [folder, *others]
    names = [run.resolve().name for run in runs]
    say_lines(takes.summary(compared, names if len(set(names)) == len(names) else [str(run) for run in runs]))
    say(f"comparison: {page}")
