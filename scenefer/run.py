"""A film from its file to its report: missing pieces → executor → analyse → write."""

from __future__ import annotations

import logging
import platform
import re
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from os import cpu_count
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from scenefer import executors, library, store
from scenefer import plan as plans
from scenefer.errors import PlanError, SceneferError, WeightsError, printable
from scenefer.film import Film, Span, chunks
from scenefer.language import Language
from scenefer.models import calibration, zoo
from scenefer.plan import Plan

if TYPE_CHECKING:
    import pandas as pd

    from scenefer.analysis import Analysis, Division
    from scenefer.cast import Cast
    from scenefer.comparison import Comparison
    from scenefer.models import IdentityModel
    from scenefer.observation import Models, Observation
    from scenefer.sheets import Lists

DATA = Path("data")
NO_CROPS = "pictures of faces are off (--no-crops): people are not told apart, since that needs the pictures"
_WHOLE = Span(0.0, float("inf"))
_PACKAGES = ("scenefer", "av", "numpy", "opencv-python-headless", "pandas", "pyarrow", "torch")

Progress = Callable[[str, float, float | None], None]  # stage, film time done, film time in all

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """A piece of a film to be observed, or to be read again by other weights: small, picklable, its result a folder."""

    film: Film
    span: Span
    folder: Path
    plan: Plan
    weights: Path
    expression_id: str
    threads: int  # of the decoder; 0 = one a core


class Sighting(NamedTuple):
    """A film once its pixels are gone: what was found, and how well it could be read."""

    observation: Observation
    notes: dict[str, Any]
    n_pieces: int
    n_resumed: int


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
        every_clip: take every clip of a timeline without markers as a scene, however many there are.
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
    from scenefer import analysis
    from scenefer.sheets import Lists
    from scenefer.video import ReaderNotes

    lists = lists or Lists()

    told = progress or (lambda stage, done, total: None)
    began = time.perf_counter()
    weights = zoo.find_expression(plan.models.expression)
    if plan.models.identity:
        zoo.find_identity(plan.models.identity)
    sighting, identity = observe_film(film, plan, span, data, weights, executor, told)
    observed = time.perf_counter()
    told("analyse", 0.0, None)
    result = analysis.analyse(
        film,
        sighting.observation,
        calibration(zoo.describe(weights)),
        plan,
        span,
        lists.scenes,
        identity=identity,
        cast=cast,
    )
    notes = ReaderNotes(**sighting.notes)
    without = [NO_CROPS] if plan.models.identity and not plan.observation.crops else []
    run = {
        **result.run,
        "state": "partial" if notes.partial else "done",
        "warnings": [*film.warnings, *notes.warnings(), *lists.notices, *without, *result.run["warnings"]],
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "cache": printable(data.resolve()),
        "span": [span.start, None if span.end == float("inf") else span.end],
        "versions": versions(),
        "settings": asdict(plan),
        "plan": plans.identity(plan),
        "weights": _weights_record(plan, weights),
        "timings": {
            "observe_s": round(observed - began, 3),
            "analyse_s": round(time.perf_counter() - observed, 3),
            "pieces": sighting.n_pieces,
            "pieces_resumed": sighting.n_resumed,
        },
    }
    return replace(result, run=run, sheet=lists.intended if lists.intended is not None else lists.scenes)


def divide_film(
    film: Film,
    plan: Plan,
    lists: Lists,
    *,
    data: Path = DATA,
    executor: executors.Executor = executors.serial,
    progress: Progress | None = None,
) -> tuple[Division, pd.DataFrame]:
    """Divide a film into shots and scenes and read no expression: seconds where the film is in the cache.

    Returns:
        Shots, tracks and scenes, and the table PICTURES.
    """
    from scenefer import analysis

    weights = zoo.find_expression(plan.models.expression)
    told = progress or (lambda stage, done, total: None)
    sighting, identity = observe_film(film, plan, _WHOLE, data, weights, executor, told)
    divided = analysis.divide(film, sighting.observation, plan, lists.scenes, identity=identity)
    return divided, sighting.observation.pictures


def reclassify(folder: Path, weights: str, device: str = "auto") -> Analysis:
    """Read the stored faces of a run again, with other weights.

    Raises:
        SceneferError: the folder holds no run, or a run without pictures of its faces.
        WeightsError: the weights are unknown or damaged.
    """
    from scenefer import analysis
    from scenefer import observation as seen

    began = time.perf_counter()
    earlier = analysis.load(folder)
    if "forgotten" in earlier.run:
        raise SceneferError(
            f"`scenefer forget` deleted the pictures of faces in {folder} on {earlier.run['forgotten']}, so that other "
            f"weights have nothing to read; analyse the film again with --weights {weights}"
        )
    if earlier.faces["crop"].isna().any():
        raise SceneferError(f"{folder} keeps no pictures of faces; analyse the film again with --weights {weights}")
    plan = plans.from_record(earlier.run["settings"])
    plan = replace(plan, models=replace(plan.models, expression=weights, device=device))
    path = zoo.find_expression(weights)
    faces = seen.reclassify(earlier.faces, _load_models(plan, path).expression)
    observed = seen.Observation(earlier.frames, faces, earlier.pictures)
    start, end = earlier.run["span"]
    span = Span(start, float("inf") if end is None else end)
    result = analysis.analyse(
        earlier.film,
        observed,
        calibration(zoo.describe(path)),
        plan,
        span,
        known_scenes=earlier.scenes,
        known_tracks=earlier.tracks,
    )
    run = {
        **earlier.run,
        "coverage": result.run["coverage"],
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": versions(),
        "settings": asdict(plan),
        "plan": plans.identity(plan),
        "weights": _weights_record(plan, path),
        "timings": {"reclassify_s": round(time.perf_counter() - began, 3)},
    }
    return replace(result, run=run, sheet=earlier.sheet, vectors=earlier.vectors)


def observe_film(
    film: Film, plan: Plan, span: Span, data: Path, weights: Path, executor: executors.Executor, progress: Progress
) -> tuple[Sighting, IdentityModel | None]:
    """Do the pixel pass of every piece of a film that is not in the cache, join the pieces, and load who tells people.

    Raises:
        SceneferError: the error of the first piece that failed; the pieces that were done are kept.
        WeightsError: the identity network cannot be loaded.
    """
    expression_id = plans.expression_id(plan, zoo.sha256_of(weights))
    detector = zoo.verify(plan.observation.detector)
    observe_id = plans.observe_id(plan, zoo.sha256_of(detector), expression_id)
    # decord cannot enter a film in its middle without decoding all before it
    whole = replace(film, key_frames=()) if plan.observation.reader == "decord" else film
    spans = chunks(whole, span, longest=plan.run.longest_chunk)
    workers = min(plan.run.workers or cpu_count() or 1, len(spans))
    jobs = [
        Job(
            film,
            piece,
            store.piece_folder(data, film.id, observe_id, piece),
            plan,
            weights,
            expression_id,
            int(workers > 1),
        )
        for piece in spans
    ]
    missing = [job for job in jobs if not store.is_done(job.folder, expression_id)]
    _run_jobs(film, jobs, missing, workers, executor, progress)
    with ThreadPoolExecutor(1) as beside:  # loading takes seconds, as reading does; before, the workers' memory is full
        identity = beside.submit(_load_identity, plan)
        sighting = _join(jobs, len(jobs) - len(missing))
    return sighting, identity.result()


def _join(jobs: Sequence[Job], n_resumed: int) -> Sighting:
    from scenefer.observation import combine
    from scenefer.video import ReaderNotes

    notes = ReaderNotes()
    for job in jobs:
        notes.merge(ReaderNotes(**store.read_manifest(job.folder)["notes"]))
    pieces = [store.read_piece(job.folder, job.expression_id) for job in jobs]
    return Sighting(combine(pieces), asdict(notes), len(jobs), n_resumed)


def observe_piece(job: Job, report: Callable[[float], None]) -> None:
    """Observe a piece of a film and write it; or, where only the weights are new, read its stored crops again."""
    from scenefer.observation import observe, reclassify
    from scenefer.video import ReaderNotes, frames

    models = _load_models(job.plan, job.weights)
    if (job.folder / "manifest.json").is_file():
        earlier = store.read_manifest(job.folder)["expression_id"]
        faces = store.read_piece(job.folder, earlier).faces
        store.write_logits(job.folder, reclassify(faces, models.expression), job.expression_id)
        return
    seen = job.plan.observation
    notes = ReaderNotes()
    reader = "decord" if seen.reader == "decord" else "pyav"
    decoded = frames(job.film, job.span, sample_rate=seen.sample_rate, reader=reader, threads=job.threads, notes=notes)
    observation = observe(decoded, models, seen, lambda reached: report(reached - job.span.start))
    store.write_piece(
        job.folder,
        observation,
        {
            "film_id": job.film.id,
            "film": str(job.film.path).encode("utf-8", "backslashreplace").decode(),
            "span": [job.span.start, None if job.span.end == float("inf") else job.span.end],
            "settings": asdict(seen),
            "expression": job.plan.models.expression,
            "expression_id": job.expression_id,
            "notes": asdict(notes),
            "versions": versions(),
        },
    )


def report_folder(film: Film, out: Path) -> Path:
    """Name the folder of a film's run: the film's name, and six digits of its id where that name is taken."""
    name = re.sub(r'[\x00-\x1f\x7f/\\:*?"<>|\ud800-\udfff]', "_", film.path.stem).strip(" .") or "film"
    folder = out / name
    record = folder / "run.json"
    if name.lower() in library.NAMES:
        return out / f"{name}-{film.id[:6]}"
    if record.is_file() and f'"id": "{film.id}"' not in record.read_text(encoding="utf-8", errors="replace"):
        return out / f"{name}-{film.id[:6]}"
    return folder


def write(analysis: Analysis, folder: Path) -> None:
    """Write a run: tables, record and report, and the comparison where its sheet says what was intended.

    Raises:
        OutputError: it cannot be written; an earlier run there is left as it was.
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
    save(replace(analysis, run=run), folder, build(analysis, compared, language_of(analysis)), more)


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


@cache
def versions() -> dict[str, str]:
    """Tell which versions made a result."""
    return {"python": platform.python_version(), **{name: metadata.version(name) for name in _PACKAGES}}


def _run_jobs(
    film: Film,
    jobs: Sequence[Job],
    missing: Sequence[Job],
    workers: int,
    executor: executors.Executor,
    progress: Progress,
) -> None:
    total = film.duration
    reached = {
        job.folder: _length(job.span, total) for job in jobs if job not in missing
    }  # what is in the cache is done

    def tell(job: Job, seconds: float) -> None:
        reached[job.folder] = seconds
        progress("observe", sum(reached.values()), total)

    progress("observe", sum(reached.values()), total)
    failures: list[SceneferError] = []
    if missing:
        chosen = executor if workers > 1 else executors.serial
        for job, error in chosen(observe_piece, missing, workers, tell):
            if error is not None:
                failures.append(error)
            else:
                tell(job, _length(job.span, total))
    if failures:
        raise failures[0]


def _length(span: Span, duration: float | None) -> float:
    end = min(span.end, duration if duration is not None else span.end)
    return 0.0 if end == float("inf") else max(0.0, end - span.start)


@cache
def _load_models(plan: Plan, weights: Path) -> Models:
    """Load the networks of the pixel pass, once a process."""
    from scenefer.observation import Models

    device = _device(plan)
    seen = plan.observation
    pyramid = "exact" if seen.pyramid == "exact" else "fast"
    return Models(
        zoo.load_detector(seen.detector, smallest_face=seen.smallest_face, device=device, pyramid=pyramid),
        zoo.load_expression(weights, device, mirrored=seen.mirrored),
    )


def read_cast(folder: Path, plan: Plan) -> Cast:
    """Read a cast folder by the detector and the identity network of a plan.

    Raises:
        PlanError: the folder is no cast, or people are off in the plan.
        WeightsError: a network's weights are absent or damaged.
    """
    from scenefer import cast

    detector = zoo.load_detector(plan.observation.detector, smallest_face=plan.observation.smallest_face)
    identity = _load_identity(plan)
    if identity is None:
        raise PlanError("--cast names people, who are off with --no-identity and --no-crops; leave these out")
    return cast.read_cast(folder, detector, identity)


@cache
def _load_identity(plan: Plan) -> IdentityModel | None:
    if not plan.models.identity or not plan.observation.crops:
        return None
    return zoo.load_identity(plan.models.identity, _device(plan))


def _device(plan: Plan) -> str:
    import torch

    device = plan.models.device
    if device == "cuda" and not torch.cuda.is_available():
        raise WeightsError("--device cuda: torch finds no CUDA device; use --device auto")
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return device


def _weights_record(plan: Plan, weights: Path) -> dict[str, dict[str, str]]:
    detector = zoo.DETECTORS[plan.observation.detector]
    record = {
        "detector": {"name": detector.name, "sha256": detector.sha256, "licence": detector.licence},
        "expression": {"name": plan.models.expression, "sha256": zoo.sha256_of(weights), **zoo.describe(weights)},
    }
    if plan.models.identity:
        identity = zoo.IDENTITY[plan.models.identity]
        record["identity"] = {"name": identity.name, "sha256": identity.sha256, "licence": identity.licence}
    return record
