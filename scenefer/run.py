"""A film from its file to its report: missing pieces → executor → analyse → write."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from scenefer import exchange, executors, library
from scenefer import plan as plans
from scenefer.errors import PlanError, printable
from scenefer.film import Film, Span, clock
from scenefer.language import Language
from scenefer.models import calibration, records, zoo
from scenefer.pieces import networks, versions
from scenefer.plan import Plan
from scenefer.sighting import Progress, Sighting, load_identity, observe_film

if TYPE_CHECKING:
    import pandas as pd

    from scenefer.analysis import Analysis, Division
    from scenefer.cast import Cast
    from scenefer.comparison import Comparison
    from scenefer.sheets import Lists

DATA = Path("data")
NO_CROPS = "pictures of faces are off (--no-crops): people are not told apart, since that needs the pictures"
_WHOLE = Span(0.0, float("inf"))
LONGEST_NAME = 180  # bytes; file systems allow 255, and claims, logs and exchanges are named after a film too
_NOT_IN_NAMES = r'[\x00-\x1f\x7f/\\:*?"<>|\ud800-\udfff]'


def analyze(
    path: str | Path,
    plan: Plan = Plan(),
    *,
    scenes: str | Path | None = None,
    intended: str | Path | None = None,
    every_clip: bool = False,
    span: Span = _WHOLE,
    data: Path = DATA,
    cast: str | Path | None = None,
    executor: executors.Executor = executors.serial,
    progress: Progress | None = None,
) -> Analysis:
    """Analyse a film, a still or a folder of stills.

    Args:
        scenes: a list of scenes, a sheet or a timeline; without it, and without ``intended``, scenes are guessed.
        intended: a list that also says what each scene is meant to show; its times count where ``scenes`` is absent.
        every_clip: see ``sheets.read_sheet``.
        data: where the observed pieces are kept; an interrupted analysis goes on there.
        cast: a folder with a folder of pictures a person, who get these names; have their consent.
        executor: ``executors.serial``, or ``executors.processes`` from a script whose main part is guarded by
            ``if __name__ == "__main__"``.

    Raises:
        FilmError, SheetError, PlanError, WeightsError, OutputError: see errors.py.
    """
    from scenefer import sheets, video

    film = video.probe(Path(path))
    named = (Path(place) if place else None for place in (scenes, intended))
    lists = sheets.read_lists(film, *named, every_clip=every_clip)
    names = read_cast(Path(cast), plan) if cast else None
    return analyze_film(film, plan, lists, span=span, data=data, cast=names, executor=executor, progress=progress)


def analyze_film(
    film: Film,
    plan: Plan,
    lists: Lists | None = None,
    *,
    span: Span = _WHOLE,
    data: Path = DATA,
    cast: Cast | None = None,
    executor: executors.Executor = executors.serial,
    progress: Progress | None = None,
) -> Analysis:
    """Analyse a film that has been probed, with sheets that have been read: ``analyze`` without the checks."""
    from scenefer.sheets import Lists

    told = progress or (lambda stage, done, total: None)
    began = time.perf_counter()
    sighting = observe_film(film, plan, span, data, executor, told)
    observed = time.perf_counter()
    told("analyse", 0.0, None)
    return analyse_sighting(film, sighting, plan, lists or Lists(), span, data, cast, observed - began)


def analyse_sighting(
    film: Film,
    sighting: Sighting,
    plan: Plan,
    lists: Lists,
    span: Span,
    data: Path,
    cast: Cast | None,
    seconds: float,
) -> Analysis:
    """Analyse a film that was observed.

    Args:
        seconds: that observing it took.
    """
    from scenefer import analysis
    from scenefer.video import ReaderNotes

    began = time.perf_counter()
    weights = networks(plan).weights
    result = analysis.analyse(
        film,
        sighting.observation,
        calibration(zoo.describe(weights)),
        plan,
        span,
        lists.scenes,
        identity=sighting.identity,
        cast=cast,
    )
    notes = ReaderNotes(**sighting.notes)
    part = [] if span == _WHOLE else [_part(span, film)]
    without = [NO_CROPS] if plan.models.identity and not plan.observation.crops else []
    run = {
        **result.run,
        "state": "partial" if notes.partial else "done",
        "warnings": [*part, *film.warnings, *notes.warnings(), *lists.notices, *without, *result.run["warnings"]],
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "cache": str(data.resolve()),
        "span": [span.start, None if span.end == float("inf") else span.end],
        "versions": versions(),
        "settings": asdict(plan),
        "plan": plans.identity(plan),
        "weights": weights_record(plan, weights),
        "timings": {
            "observe_s": round(seconds, 3),
            "analyse_s": round(time.perf_counter() - began, 3),
            "pieces": sighting.n_pieces,
            "pieces_resumed": sighting.n_resumed,
        },
    }
    return replace(result, run=run, sheet=lists.intended if lists.intended is not None else lists.scenes)


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
    executor: executors.Executor = executors.serial,
    progress: Progress | None = None,
) -> tuple[Division, pd.DataFrame]:
    """Divide a film into shots and scenes, without percentages: seconds where the film is in the cache.

    Returns:
        Shots, tracks and scenes, and the table PICTURES.
    """
    from scenefer import analysis

    told = progress or (lambda stage, done, total: None)
    sighting = observe_film(film, plan, _WHOLE, data, executor, told)
    divided = analysis.divide(film, sighting.observation, plan, lists.scenes, identity=sighting.identity)
    return divided, sighting.observation.pictures


def folder_name(path: Path) -> str:
    """Name a film as its folder is named; short enough for what is written beside it, and no name of what is swept."""
    name = os.fsencode(re.sub(_NOT_IN_NAMES, "_", path.stem).strip(" ."))[:LONGEST_NAME]
    name = name.decode("utf-8", "ignore").strip(" .") or "film"
    return f"{name}_" if name.endswith(".tmp") else name


def report_folder(film: Film, out: Path, *, second: bool = False) -> Path:
    """Name the folder of a film's run: the film's name, and six digits of its id where that place is not free."""
    name = folder_name(film.path)
    folder = out / name
    record = folder / "run.json"
    if record.is_file() and f'"id": "{film.id}"' not in record.read_text(encoding="utf-8", errors="replace"):
        second = True
    if not exchange.may_replace(folder):  # such as the folder of stills itself
        second = True
    if second or name.lower() in library.NAMES:
        return out / f"{name}-{film.id[:6]}"
    return folder


def write(analysis: Analysis, folder: Path, log: Sequence[str] | None = None, *, keep_others: bool = True) -> None:
    """Write a run: tables, record and report, and the comparison where its sheet says what was intended.

    Args:
        log: lines of the film's ``log.txt``; None keeps the one that is there.
        keep_others: what else lies in the folder of an earlier run stays there.

    Raises:
        OutputError: it cannot be written, or what is there is no run; that is left as it was.
        SheetError: the sheet speaks of scenes that the run has not.
    """
    from scenefer import comparison
    from scenefer.analysis import save
    from scenefer.report import build

    compared = compared_with_intentions(analysis)
    run = {name: value for name, value in analysis.run.items() if name != "comparison"}
    more = {}
    if compared is not None:
        more["comparison"] = compared.table
        run["comparison"] = comparison.record(compared)
    pages = build(analysis, compared, language_of(analysis))
    if log is not None:
        pages = {**pages, exchange.LOG: "".join(f"{printable(line)}\n" for line in log)}
    elif (folder / exchange.LOG).is_file():
        pages = {**pages, exchange.LOG: (folder / exchange.LOG).read_bytes()}
    save(replace(analysis, run=run), folder, pages, more, keep_others=keep_others)


def in_language(analysis: Analysis, language: Language) -> Analysis:
    """Return a run whose report is written in another language."""
    settings = {**analysis.run.get("settings", {}), "report": {"language": language.code}}
    return replace(analysis, run={**analysis.run, "settings": settings})


def language_of(analysis: Analysis) -> Language:
    """Return the language in which the report of a run is written."""
    return Language(plans.from_record(analysis.run.get("settings", {})).report.language)


def compared_with_intentions(analysis: Analysis) -> Comparison | None:
    """Compare a film with the intentions in its sheet, by the settings of its run; None where it has none.

    Raises:
        SheetError: the sheet speaks of scenes that the run has not.
    """
    from scenefer import comparison

    return comparison.of_run(analysis, plans.from_record(analysis.run.get("settings", {})).comparison)


def read_cast(folder: Path, plan: Plan) -> Cast:
    """Read a cast folder by the detector and the identity network of a plan.

    Raises:
        PlanError: the folder is no cast, or people are off in the plan.
        WeightsError: a network's weights are absent or damaged.
    """
    from scenefer import cast

    detector = zoo.load_detector(plan.observation.detector, smallest_face=plan.observation.smallest_face)
    identity = load_identity(plan, os.cpu_count() or 1)
    if identity is None:
        raise PlanError("--cast names people, who are off with --no-identity and --no-crops; leave these out")
    return cast.read_cast(folder, detector, identity)


def weights_record(plan: Plan, weights: Path) -> dict[str, dict[str, str]]:
    """Note which networks read a film; ``weights``: the expression network's file."""
    detector = records.DETECTORS[plan.observation.detector]
    record = {
        "detector": {"name": detector.name, "sha256": detector.sha256, "licence": detector.licence},
        "expression": {"name": plan.models.expression, "sha256": records.sha256_of(weights), **zoo.describe(weights)},
    }
    if plan.models.identity:
        identity = records.IDENTITY[plan.models.identity]
        record["identity"] = {"name": identity.name, "sha256": identity.sha256, "licence": identity.licence}
    return record
