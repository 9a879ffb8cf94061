"""The command that compares: a run with what was intended, or with other runs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scenefer.cli import options
from scenefer.cli.output import require_paths, say, say_lines
from scenefer.core.errors import PlanError
from scenefer.core.run_folder import REPORT

if TYPE_CHECKING:
    from scenefer.comparison.scene_comparison import Comparison


def compare(
    folder: options.Run,
    others: options.OtherRuns = None,
    intended: Annotated[
        Path | None,
        typer.Option(
            help="List of scenes with the emotion each is meant to show, as for analyze; default: the run's own."
        ),
    ] = None,
    every_clip: options.EveryClip = False,
    timecode_start: options.TimecodeStart = None,
    words: options.Words = None,
    estimate: options.Estimate = None,
    fail_on: Annotated[
        str | None, typer.Option(help="partial or mismatch: exit with code 1 if a scene's verdict is this or worse.")
    ] = None,
    to: Annotated[
        Path | None,
        typer.Option(help="With OTHER, the page to write; else compared-with-<other>.html in the folder of RUN."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one object on stdout.")] = False,
) -> None:
    """Compare what scenes were meant to show with what their faces show; or one run with others, takes say."""
    reading: dict[str, Any] = {"every_clip": every_clip, "timecode_start": timecode_start, "words": words}
    if intended is None and (key := next((key for key, value in reading.items() if value), None)):
        option = f"--{key.replace('_', '-')}"
        raise PlanError(f"{option} says how a list is read, and none is given; give --intended SHEET, or leave it out")
    _require_level(fail_on)
    if others:
        if fail_on:
            raise PlanError("--fail-on is about intentions; leave it out, or OTHER")
        if estimate is not None:
            raise PlanError("OTHER is another run; leave it out, or --estimate")
        if intended is not None:
            require_paths(intended)
        _side_by_side(folder, others, to, as_json=as_json, intended=intended, **reading)
        return
    if to is not None:
        raise PlanError("--to is the page that sets runs side by side; give OTHER too, or leave it out")
    compared = _compared_with_intentions(folder, intended, estimate, **reading)
    _tell_comparison(compared, folder, as_json=as_json)
    if fail_on and _reaches(compared, fail_on):
        raise typer.Exit(1)


def _require_level(fail_on: str | None) -> None:
    from scenefer.comparison.verdicts import VERDICTS

    if fail_on not in (None, *VERDICTS[1:]):
        raise PlanError(f"--fail-on must be {' or '.join(reversed(VERDICTS[1:]))}, not {fail_on!r}")


def _reaches(compared: Comparison, level: str) -> bool:
    """Tell whether the verdict on any scene is this bad, or worse."""
    from scenefer.comparison.verdicts import VERDICTS

    return any(compared.counts[verdict] for verdict in VERDICTS[VERDICTS.index(level) :])


def _compared_with_intentions(
    folder: Path,
    intended: Path | None,
    estimate: str | None,
    *,
    every_clip: bool,
    timecode_start: str | None,
    words: Path | None,
) -> Comparison:
    """Compare a run with what was intended, and write its report anew."""
    from scenefer.comparison.intentions import read_words
    from scenefer.pipeline import edited_runs, film_analysis, locks
    from scenefer.pipeline.inputs import from_timecode
    from scenefer.pipeline.run_comparison import compared_with_intentions, with_estimate, with_sheet

    with locks.rewriting(folder):
        loaded = edited_runs.load(folder)
        if intended is not None:
            require_paths(intended)
            film = from_timecode(loaded.film, timecode_start)
            known = read_words(words) if words else {}
            loaded = with_sheet(loaded, intended, film, known, every_clip=every_clip)
        if estimate is not None:
            loaded = with_estimate(loaded, estimate)
        compared = compared_with_intentions(loaded)
        if compared is None:
            raise PlanError(f"nothing says what the scenes of {folder} were meant to show; give --intended SHEET")
        film_analysis.write(loaded, folder)
    return compared


def _tell_comparison(compared: Comparison, folder: Path, *, as_json: bool) -> None:
    from scenefer.comparison import scene_comparison, wording

    if as_json:
        rows, _ = scene_comparison.headline(compared)
        scenes = json.loads(rows.to_json(orient="records"))
        print(json.dumps({**scene_comparison.record(compared), "scenes": scenes}, indent=1))
        return
    say_lines(wording.summary(compared))
    say(f"report: {folder / REPORT}")


def _side_by_side(folder: Path, others: Sequence[Path], to: Path | None, *, as_json: bool, **listed: Any) -> None:
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
