"""The jobs of a batch's workers: probe a file, read a chunk of a film, finish a film.

The last job of a film makes its report from its chunks, which are all in the cache by then.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from os import cpu_count
from pathlib import Path
from typing import TYPE_CHECKING

from scenefer.analysis import result
from scenefer.core import run_folder
from scenefer.core.errors import FilmError, OutputError, SceneferError, SheetError
from scenefer.core.film import Film, Span
from scenefer.core.text import printable
from scenefer.interchange import scene_lists
from scenefer.library import upload
from scenefer.pipeline import edited_runs, film_analysis, locks, probe_cache
from scenefer.pipeline.chunks import Chunk, chunks_of, observe_chunk
from scenefer.pipeline.executors import EXECUTORS
from scenefer.pipeline.film_observation import join
from scenefer.pipeline.film_work import FilmWork, stamped
from scenefer.pipeline.kept_judgements import with_judgements
from scenefer.pipeline.plans import Plan

if TYPE_CHECKING:
    from scenefer.analysis.cast import Cast
    from scenefer.library.planner import Task, WorkQueue


@dataclass(frozen=True)
class Probe:
    """Job: probe a file."""

    path: Path
    data: Path


@dataclass(frozen=True)
class Finish:
    """Job: analyse and report a film whose chunks are all in the cache; the result is a folder."""

    film: Film
    span: Span
    plan: Plan
    data: Path
    out: Path
    scenes: Path | None
    intended: Path | None
    every_clip: bool  # see scene_lists.read_sheet
    made_of: dict[str, str]  # what the result depends on, by part, see planner.py
    cast: Cast | None = None  # names for people
    folder: Path | None = None  # of the film's earlier report, which is exchanged
    second: bool = False  # another film of the library with the same name comes first
    always: bool = False  # also where the report is there already
    threads: int = 1  # threads for this job
    never: bool = False  # it is there, and only to be copied
    copy_to: str = ""  # URL to which the report is copied too
    n_resumed: int = 0
    seconds: float = 0.0  # that the pixel pass took
    log: tuple[str, ...] = ()  # lines of the film's log so far

    @property
    def path(self) -> Path:
        """Return the film's path."""
        return self.film.path


Job = Probe | Chunk | Finish


def finish_of(queue: WorkQueue, task: Task, work: FilmWork) -> Finish:
    """Make the last job of a film."""
    order = queue.order
    # A remote task has only one core.
    alone = queue.count("to do") == 1 and not EXECUTORS.find(order.plan.run.executor).is_remote
    return Finish(
        film=work.film,
        span=order.span(task.path),
        plan=order.plan,
        data=order.data,
        out=order.out,
        scenes=order.scenes.get(task.path),
        intended=order.intended.get(task.path),
        every_clip=order.every_clip,
        made_of=queue.made_of(task),
        cast=order.cast,
        folder=task.folder,
        second=queue.has_namesake(task),
        always=order.again,
        threads=(order.plan.run.workers or cpu_count() or 1) if alone else 1,
        never=task.reported,
        copy_to=order.copy_to,
        n_resumed=work.n_resumed,
        seconds=time.monotonic() - work.began,
        log=tuple(work.log),
    )


def work(job: Job, report: Callable[[float], None]) -> None:
    """Do any of the jobs of a batch.

    Raises:
        SceneferError: the job failed.
    """
    if isinstance(job, Probe):
        known = probe_cache.look(job.path, job.data)
        if known.film is None:
            raise FilmError(known.error or f"{printable(job.path)} is not a film")
    elif isinstance(job, Chunk):
        observe_chunk(job, report)
    else:
        finish(job, report)


def stage_of(job: Job, error: SceneferError) -> str:
    """Name the stage at which a job failed, as table FAILURES has it."""
    if isinstance(error, SheetError):
        return "sheet"
    if isinstance(error, OutputError):
        return "write"
    return "look" if isinstance(job, Probe) else "observe" if isinstance(job, Chunk) else "analyse"


def finish(job: Finish, report: Callable[[float], None]) -> None:
    """Analyse a film whose chunks are in the cache, and write its report.

    Raises:
        DamagedChunk: a chunk has to be made again first.
        Elsewhere: another process is writing this report.
        SheetError, OutputError: as ``film_analysis.analyze`` and ``film_analysis.write``.
    """
    held = job.out / run_folder.CLAIMS
    try:
        # Claim the name, not the content: if two films share a name, the second must see the first one's folder.
        named = held / run_folder.folder_name(job.path)
        with locks.claim(named):
            folder = job.folder or run_folder.report_folder(job.film, job.out, second=job.second)
            run_folder.restore(folder)
            with locks.rewriting(folder, holding=named):
                if job.always or not (job.never or made_of(folder) == job.made_of or _is_forgotten(folder)):
                    _report(job, folder, report)
            if job.copy_to and not upload.is_copied(folder, job.out, job.copy_to):
                upload.copy(folder, job.out, job.copy_to, report)
    finally:
        with suppress(OSError):  # another film is being reported
            held.rmdir()


def made_of(folder: Path) -> dict[str, str] | None:
    """Read the ids of what a report was made from; None if there is no complete report."""
    try:
        return result.read_record(folder)["made_of"] if (folder / run_folder.REPORT).is_file() else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _is_forgotten(folder: Path) -> bool:
    """Tell whether the people of a report were forgotten, perhaps since its film was planned."""
    try:
        return "forgotten" in result.read_record(folder)
    except (OSError, ValueError):
        return False


def _report(job: Finish, folder: Path, tell: Callable[[float], None]) -> None:

    chunks = chunks_of(job.film, job.plan, job.span, job.data)
    locks.sweep(chunks[0].folder.parent)
    observed_film = join(chunks, job.n_resumed, threads=job.threads, spool=job.out)
    tell(0.0)  # heartbeat
    lists = scene_lists.read_lists(job.film, job.scenes, job.intended, every_clip=job.every_clip, words=job.plan.words)
    found = film_analysis.analyse_observed(
        job.film, observed_film, job.plan, lists, job.span, job.data, job.cast, job.seconds, lambda: tell(0.0)
    )
    found = with_judgements(replace(found, run={**found.run, "made_of": job.made_of}), folder)
    found = edited_runs.with_kept(found, folder)
    tell(0.0)
    notes = [f"note: {warning}" for warning in found.run["warnings"]]
    film_analysis.write(found, folder, [*job.log, *notes, stamped("analysed")])
