"""The command that analyses a library of films."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from scenefer.cli import options
from scenefer.cli.output import complain, err, require_places, say
from scenefer.core.errors import PlanError
from scenefer.core.run_folder import LIBRARY_PAGE, REPORT
from scenefer.core.text import printable
from scenefer.pipeline.executors import make_executor

if TYPE_CHECKING:
    from scenefer.library.batch import Batch
    from scenefer.library.orders import Order


def batch(
    library: options.Library = None,
    intended: options.IntendedFolder = None,
    scenes: options.ScenesFolder = None,
    every_clip: options.EveryClip = False,
    timecode_start: options.TimecodeStart = None,
    words: options.Words = None,
    cast: options.Cast = None,
    no_identity: options.NoIdentity = False,
    lang: options.ReportsLanguage = None,
    out: options.Reports = Path("reports"),
    data: options.CacheBeside = None,
    profile: options.Profile = "standard",
    plan: options.LibraryPlan = None,
    executor: options.ExecutorName = None,
    workers: options.WorkersOrTasks = None,
    address: options.Address = None,
    copy_to: options.CopyTo = "",
    shard: options.Shard = None,
    input_list: options.InputList = None,
    max_memory: options.MaxMemory = None,
    only_failed: options.OnlyFailed = False,
    dry_run: options.DryRun = False,
    as_json: options.AsEvents = False,
) -> None:
    """Analyse a library of films; finished work is not repeated."""
    from scenefer.library import orders
    from scenefer.pipeline.plans import make_plan

    stated = {
        "models.identity": "" if no_identity else None,
        "report.language": lang,
        "run.executor": executor,
        "run.workers": workers,
        "run.address": address,
        "run.max_memory": max_memory,
    }
    settings = make_plan(profile, plan, stated, words)
    orders.require_models(settings)
    if not library and input_list is None:
        raise PlanError("give a folder, films, or --input-list FILE")
    data = data or out.parent / "data"
    require_places(out, data)
    order = orders.of_library(
        library or [], settings, data, out, orders.Beside(scenes, intended, every_clip, timecode_start, cast),
        input_list=input_list, shard=shard, only_failed=only_failed, copy_to=copy_to, say=complain,
    )  # fmt: skip
    raise typer.Exit(_work(order, dry_run=dry_run, as_json=as_json))


def _work(order: Order, *, dry_run: bool, as_json: bool) -> int:
    """Process a library and report what becomes of its films; return the exit code."""
    from scenefer.cli import progress
    from scenefer.library.batch import Batch

    told = progress.Lines() if as_json else progress.Board()
    run = told.batch = Batch(order, _teller(told, as_json))
    if dry_run:
        _tell_plan(run, as_json)
        return 0
    settings = order.plan.run
    with _interruptible(run), progress.shown(told, err):
        run.work(make_executor(settings), settings.workers or os.cpu_count() or 1)
    _tell_end(run, as_json)
    if run.stopped == "interrupted":
        raise KeyboardInterrupt
    if run.stopped:
        complain(run.stopped)
    return run.exit_code()


def _tell_end(run: Batch, as_json: bool) -> None:
    """Print how many films succeeded and failed, and where the details are."""
    from scenefer.cli import progress

    if as_json:
        progress.emit(
            {"event": "end", **progress.numbers(run), "stopped": run.stopped or None, "exit": run.exit_code()}
        )
        return
    out = run.order.out
    say(progress.counted(run))
    if (page := out / LIBRARY_PAGE).is_file():
        say(f"library: {page}")
    if run.queue.count("failed", "partial"):
        say(f"what failed, and what to do: {out / 'library' / 'failures.csv'}")


def _teller(told: Any, as_json: bool) -> Any:
    """Return a callback that prints one line per film if there is no live table, and forwards every event."""

    def tell(what: str, task: Any) -> None:
        told.tell(what, task)
        if as_json or task is None or what not in ("done", "partial", "failed"):
            return
        if what == "failed":
            complain(task.failure.message)
        elif not err.is_terminal:
            say(f"{what}: {printable(task.path)}: {task.folder / REPORT}")

    return tell


def _tell_plan(run: Batch, as_json: bool) -> None:
    """Print for every film what would be done and why."""
    from scenefer.cli import progress

    for task in run.queue.tasks.values():
        if as_json:
            progress.emit({"event": "plan", **progress.record(task)})
            continue
        if task.state == "to do":
            chunks = f"{task.n_missing} of {task.n_chunks} chunks to read" if task.n_missing else "nothing to read"
            chunks = chunks if task.n_chunks else "all of it to read"
            say(f"run: {printable(task.path)}: {task.why}; {chunks}")
        elif task.state == "to look at":
            say(f"run: {printable(task.path)}: not looked at yet")
        elif task.state == "failed" and task.failure:
            say(f"skip: {printable(task.path)}: failed for good: {task.failure.error}")
        elif task.state != "left out":
            say(f"skip: {printable(task.path)}: {task.why or task.state}: {task.folder}")
    if not as_json:
        say(progress.counted(run))


@contextmanager
def _interruptible(run: Batch) -> Iterator[None]:
    """Finish running jobs on the first Ctrl-C or SIGTERM, stop at once on the second."""

    def answer(number: int, frame: object) -> None:
        if run.stopped == "interrupted":
            raise KeyboardInterrupt
        run.stop("interrupted")
        complain("finishing what runs; press Ctrl-C again to stop at once")

    before = {number: signal.signal(number, answer) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
