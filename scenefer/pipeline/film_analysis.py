"""A film from its file to its report: missing chunks → executor → analyse → write."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from scenefer.analysis import stages
from scenefer.analysis.cast import read_cast as read_cast_folder
from scenefer.analysis.result import save
from scenefer.core import run_folder
from scenefer.core.errors import PlanError
from scenefer.core.film import WHOLE, Film, Span, clock
from scenefer.core.language import Language
from scenefer.core.text import printable
from scenefer.interchange.scene_lists import Lists
from scenefer.models import calibration, known_weights, registry, weight_files
from scenefer.pipeline import edited_runs, plans
from scenefer.pipeline.chunks import networks, versions
from scenefer.pipeline.executors.base import Executor
from scenefer.pipeline.executors.serial import serial
from scenefer.pipeline.film_observation import ObservedFilm, Progress, load_identity, load_landmarks, observe_film
from scenefer.pipeline.plans import Plan
from scenefer.pipeline.run_comparison import compared_with_intentions, with_comparison

if TYPE_CHECKING:
    import pandas as pd

    from scenefer.analysis.cast import Cast
    from scenefer.analysis.result import Analysis
    from scenefer.analysis.stages import Division

DATA = Path("data")
NO_CROPS = "pictures of faces are off (--no-crops): people are not told apart, since that needs the pictures"


def analyze_film(
    film: Film,
    plan: Plan,
    lists: Lists | None = None,
    *,
    span: Span = WHOLE,
    data: Path = DATA,
    cast: Cast | None = None,
    executor: Executor = serial,
    progress: Progress | None = None,
) -> Analysis:
    """Analyse a film that has been probed, with lists that have been read."""

    told = progress or (lambda stage, done, total: None)
    began = time.perf_counter()
    observed_film = observe_film(film, plan, span, data, executor, told)
    observed = time.perf_counter()
    told("analyse", 0.0, None)
    return analyse_observed(film, observed_film, plan, lists or Lists(), span, data, cast, observed - began)


def analyse_observed(
    film: Film,
    observed_film: ObservedFilm,
    plan: Plan,
    lists: Lists,
    span: Span,
    data: Path,
    cast: Cast | None,
    seconds: float,
    tell: Callable[[], None] | None = None,
) -> Analysis:
    """Analyse an observed film.

    Args:
        seconds: that observing it took.
        tell: called while networks work, after each batch of faces.
    """
    from scenefer.video import ReaderNotes

    began = time.perf_counter()
    weights = networks(plan).weights
    analysed = stages.compute_analysis(
        film,
        observed_film.observation,
        calibration(registry.describe(weights)),
        plan,
        span,
        lists.scenes,
        identity=observed_film.identity,
        cast=cast,
        landmarks=load_landmarks(plan),
        tell=tell,
    )
    notes = ReaderNotes(**observed_film.notes)
    part = [] if span == WHOLE else [_part(span, film)]
    without = [NO_CROPS] if plan.models.identity and not plan.observation.crops else []
    run = {
        **analysed.run,
        "state": "partial" if notes.partial else "done",
        "warnings": [*part, *film.warnings, *notes.warnings(), *lists.notices, *without, *analysed.run["warnings"]],
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "cache": str(data.resolve()),
        "span": [span.start, None if span.end == float("inf") else span.end],
        "versions": versions(),
        "settings": asdict(plan),
        "plan": plans.plan_id(plan),
        "weights": weights_record(plan, weights),
        "timings": {
            "observe_s": round(seconds, 3),
            "analyse_s": round(time.perf_counter() - began, 3),
            "pieces": observed_film.n_chunks,
            "pieces_resumed": observed_film.n_resumed,
        },
    }
    return replace(analysed, run=run, sheet=lists.intended if lists.intended is not None else lists.scenes)


def _part(span: Span, film: Film) -> str:
    end = min(span.end, film.duration or span.end)
    until = clock(end) if end < float("inf") else "…"
    return f"only a part was read, {clock(span.start)} to {until}: percentages and evidence are of it alone"


def divide_film(
    film: Film,
    plan: Plan,
    lists: Lists,
    *,
    data: Path = DATA,
    executor: Executor = serial,
    progress: Progress | None = None,
) -> tuple[Division, pd.DataFrame]:
    """Divide a film into shots and scenes, without percentages; takes only seconds if the film is in the cache.

    Returns:
        Shots, tracks and scenes, and the table PICTURES.
    """

    told = progress or (lambda stage, done, total: None)
    observed_film = observe_film(film, plan, WHOLE, data, executor, told)
    divided = stages.divide(film, observed_film.observation, plan, lists.scenes, identity=observed_film.identity)
    return divided, observed_film.observation.pictures


def write(
    analysis: Analysis, folder: str | os.PathLike[str], log: Sequence[str] | None = None, *, keep_others: bool = True
) -> None:
    """Write a run: tables, record and report, and the comparison where its sheet says what was intended.

    What was corrected by hand lies beside the tables, which stay as they were measured.

    Args:
        log: lines of the film's ``log.txt``; None keeps the existing file.
        keep_others: keep other files in the folder of an earlier run.

    Raises:
        OutputError: it cannot be written, or the existing folder is not a run; then the folder is left unchanged.
        SheetError: the sheet names scenes that the run does not have.
    """
    from scenefer.report import build

    folder = Path(folder)
    compared = compared_with_intentions(analysis)
    pages = build(analysis, compared, language_of(analysis))
    pages = {**pages, **edited_runs.pages(analysis, folder, keep_others=keep_others)}
    if log is not None:
        pages = {**pages, run_folder.LOG: "".join(f"{printable(line)}\n" for line in log)}
    elif (folder / run_folder.LOG).is_file():
        pages = {**pages, run_folder.LOG: (folder / run_folder.LOG).read_bytes()}
    save(with_comparison(analysis, compared), folder, pages, keep_others=keep_others)
    if analysis.validation_sample is None:
        (folder / run_folder.CODING_PAGE).unlink(missing_ok=True)  # of a sample that is no more


def in_language(analysis: Analysis, language: Language) -> Analysis:
    """Return the run with another language for its report."""
    settings = {**analysis.run.get("settings", {}), "report": {"language": language.code}}
    return replace(analysis, run={**analysis.run, "settings": settings})


def language_of(analysis: Analysis) -> Language:
    """Return the language of a run's report."""
    return Language(plans.from_record(analysis.run.get("settings", {})).report.language)


def read_cast(folder: Path, plan: Plan) -> Cast:
    """Read a cast folder by the detector and the identity network of a plan.

    Raises:
        PlanError: the folder is not a cast, or the plan does not identify people.
        WeightsError: a network's weights are absent or damaged.
    """

    detector = registry.load_detector(plan.observation.detector, smallest_face=plan.observation.smallest_face)
    identity = load_identity(plan, os.cpu_count() or 1)
    if identity is None:
        raise PlanError("--cast names people, who are off with --no-identity and --no-crops; leave these out")
    return read_cast_folder(folder, detector, identity)


def weights_record(plan: Plan, weights: Path) -> dict[str, dict[str, str]]:
    """Note which networks read a film; ``weights``: the expression network's file."""
    detector = known_weights.DETECTORS[plan.observation.detector]
    record = {
        "detector": {"name": detector.name, "sha256": detector.sha256, "licence": detector.licence},
        "expression": {
            "name": plan.models.expression,
            "sha256": weight_files.sha256_of(weights),
            **registry.describe(weights),
        },
    }
    if plan.models.identity:
        identity = known_weights.IDENTITY[plan.models.identity]
        record["identity"] = {"name": identity.name, "sha256": identity.sha256, "licence": identity.licence}
    if plan.models.landmarks == "dense":
        points = known_weights.LANDMARKS["dense_landmarks"]
        record["landmarks"] = {"name": points.name, "sha256": points.sha256, "licence": points.licence}
    return record
