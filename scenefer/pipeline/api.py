"""The Python API on films and runs; ``scenefer`` exports it.

A film is given by its path, a run as an ``Analysis`` or as the folder of a saved one. Paths are ``str`` or
``os.PathLike``.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from scenefer.analysis import result
from scenefer.comparison import run_differences
from scenefer.comparison.intentions import read_words
from scenefer.core.errors import PlanError
from scenefer.core.film import WHOLE
from scenefer.core.language import Language
from scenefer.core.run_folder import REPORT, report_folder, run_of
from scenefer.interchange import scene_lists
from scenefer.interchange.export import write_run
from scenefer.pipeline import edited_runs, film_analysis, locks
from scenefer.pipeline.executors import make_executor
from scenefer.pipeline.inputs import from_timecode, open_film, part_of
from scenefer.pipeline.kept_judgements import with_judgements
from scenefer.pipeline.notebook import Analysis, shown
from scenefer.pipeline.plans import Plan, make_plan
from scenefer.pipeline.run_comparison import compared_with_intentions, with_comparison, with_sheet

if TYPE_CHECKING:
    from scenefer.comparison.run_differences import Differences
    from scenefer.comparison.scene_comparison import Comparison
    from scenefer.pipeline.executors.base import Executor
    from scenefer.pipeline.film_observation import Progress

AnyPath = str | os.PathLike[str]
Run = result.Analysis | AnyPath

_DATA = Path("data")
_REPORTS = Path("reports")


def analyze(
    path: AnyPath,
    plan: Plan | AnyPath | None = None,
    *,
    profile: str | None = None,
    scenes: AnyPath | None = None,
    intended: AnyPath | None = None,
    words: AnyPath | None = None,
    every_clip: bool = False,
    timecode_start: str | None = None,
    span: tuple[float, float | None] = WHOLE,
    cast: AnyPath | None = None,
    data: AnyPath = _DATA,
    executor: Executor | str = "serial",
    progress: Progress | None = None,
) -> Analysis:
    """Analyse a film, a still or a folder of stills.

    Args:
        plan: settings, or a TOML file of settings that deviate from the profile.
        profile: ``"fast"``, ``"standard"`` or ``"thorough"``; must be None if ``plan`` is a ``Plan`` object.
        scenes: a list of scenes, a sheet or a timeline; without it, and without ``intended``, scenes are guessed.
        intended: a list with the emotion that each scene is meant to show; without ``scenes``, it also defines the
            scenes.
        words: TOML file of words that lists use, each with the emotion meant.
        every_clip: take every clip of a timeline without markers as a scene.
        timecode_start: HH:MM:SS:FF of the film's first frame; overrides the timecode in the file.
        span: start and end of the part to read, s; an end of None is that of the film.
        cast: a folder with one subfolder of pictures per person, which gives people their names; obtain their consent.
        data: folder of the cache of observed chunks; an interrupted analysis resumes from it.
        executor: ``"serial"``, ``"processes"`` or ``"ray"``, or a function with the same signature. ``"processes"``
            needs a script guarded by ``if __name__ == "__main__"``, or a notebook.
        progress: called with the stage, the film time done, and the total film time, s.

    Returns:
        The film's tables; they include ``comparison`` if something is intended.

    Raises:
        FilmError: the file is not a film, or cannot be read.
        SheetError, PlanError: a list or a setting cannot be used.
        WeightsError: weights are absent or damaged.
        OutputError: the folder ``data`` cannot be written.
    """
    chosen = _plan_of(plan, profile, words)
    film = open_film(Path(path), timecode_start, "timecode_start")
    named = (Path(place) if place else None for place in (scenes, intended))
    lists = scene_lists.read_lists(film, *named, every_clip=every_clip, words=chosen.words)
    if isinstance(executor, str):
        executor = make_executor(replace(chosen.run, executor=executor))
    analysed = film_analysis.analyze_film(
        film,
        chosen,
        lists,
        span=part_of(film, *span),
        data=Path(data),
        cast=film_analysis.read_cast(Path(cast), chosen) if cast else None,
        executor=executor,
        progress=progress,
    )
    return shown(with_comparison(analysed, compared_with_intentions(analysed)))


def load(run: AnyPath) -> Analysis:
    """Load a saved run, including its comparison; neither the film nor the cache is needed.

    What was corrected by hand (``scenefer report RUN --edits``) is so in its tables; ``measured`` is the run before.

    Args:
        run: the folder of a run, or its ``report.html``.

    Raises:
        SceneferError: the folder holds no run, or one of another version; or the corrections kept with it do not fit.
    """
    return shown(edited_runs.load(run_of(Path(run))))


def compare(
    run: Run,
    intended: AnyPath | None = None,
    *,
    words: AnyPath | None = None,
    every_clip: bool = False,
    timecode_start: str | None = None,
) -> Comparison:
    """Compare what the scenes of a run were meant to show with what their faces show; nothing is written.

    Args:
        intended: a list of scenes; default: the run's own.
        words, every_clip, timecode_start: how to read the list, see ``analyze``.

    Raises:
        SheetError: the list cannot be read, or names scenes that the run does not have.
        PlanError: nothing is intended.
    """
    analysis = _analysis_of(run)
    if intended is not None:
        known = read_words(Path(words)) if words else {}
        film = from_timecode(analysis.film, timecode_start, "timecode_start")
        analysis = with_sheet(analysis, Path(intended), film, known, every_clip=every_clip)
    compared = compared_with_intentions(analysis)
    if compared is None:
        raise PlanError("nothing says what the scenes of the run were meant to show; give intended=SHEET")
    return compared


def compare_runs(run: Run, other: Run) -> Differences:
    """Compute the difference between the detected expressions of two runs: two cuts, takes or weights.

    Raises:
        SceneferError: a folder holds no run.
    """
    return run_differences.compare_runs(_analysis_of(run), _analysis_of(other))


def export(run: Run, to: AnyPath, *, rejected: bool = False) -> Path:
    """Export a run for another program, in the format given by the suffix of ``to``.

    Args:
        rejected: in a table of faces, with those that do not count.

    Returns:
        The file.

    Raises:
        PlanError: the suffix is not supported; the message lists those that are.
        OutputError: the file cannot be written.
    """
    analysis = _analysis_of(run)
    write_run(analysis, compared_with_intentions(analysis), Path(to), rejected=rejected)
    return Path(to)


def report(run: Run, to: AnyPath | None = None, *, language: str | None = None) -> Path:
    """Write a run with its report: tables, ``run.json``, ``report.html``.

    Args:
        to: folder to write; default: the run's own folder or, for an ``Analysis``, ``reports/<film>``.
        language: of the report; default: as in the run's settings.

    Returns:
        The page.

    Raises:
        OutputError: the folder cannot be written, or holds something other than a run.
        PlanError: the language is unknown.
    """
    analysis = _analysis_of(run)
    if language is not None:
        analysis = film_analysis.in_language(analysis, Language(language))
    if to is None:
        to = report_folder(analysis.film, _REPORTS) if isinstance(run, result.Analysis) else run_of(Path(run))
    with locks.rewriting(Path(to)):
        if isinstance(run, result.Analysis) and analysis.edits is None:  # a new analysis: what people did stays
            if analysis.validation_sample is None and "judged" not in analysis.run:
                analysis = with_judgements(analysis, Path(to))
            analysis = edited_runs.with_kept(analysis, Path(to))
        film_analysis.write(analysis, Path(to))
    return Path(to) / REPORT


def _plan_of(plan: Plan | AnyPath | None, profile: str | None, words: AnyPath | None) -> Plan:
    if not isinstance(plan, Plan):
        return make_plan(profile or "standard", plan, words=words)
    if profile is not None:
        raise PlanError(f"a plan that is built has all settings; build it by make_plan({profile!r}), or leave one out")
    return replace(plan, words={**plan.words, **read_words(Path(words))}) if words else plan


def _analysis_of(run: Run) -> result.Analysis:
    return run if isinstance(run, result.Analysis) else load(run)
