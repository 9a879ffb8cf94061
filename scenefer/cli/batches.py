"""The command that analyses a library of films."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scenefer.cli.output import complain, demand_places, err, say
from scenefer.cli.scene_list_options import Cast, EveryClip, TimecodeStart, Words
from scenefer.core.errors import PlanError
from scenefer.core.run_folder import LIBRARY_PAGE, REPORT
from scenefer.core.text import listed, printable
from scenefer.pipeline.executors import EXECUTORS, make_executor

if TYPE_CHECKING:
    from scenefer.library.batch import Batch
    from scenefer.library.orders import Order


def batch(
    library: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[LIBRARY]...", help="Folders, films, patterns like 'films/*.mkv'.", show_default=False),
    ] = None,
    intended: Annotated[
        Path | None, typer.Option(help="Folder of sheets with intentions, named like the films.")
    ] = None,
    scenes: Annotated[Path | None, typer.Option(help="Folder of sheets of scenes, named like the films.")] = None,
    every_clip: EveryClip = False,
    timecode_start: TimecodeStart = None,
    words: Words = None,
    cast: Cast = None,
    no_identity: Annotated[bool, typer.Option("--no-identity", help="Do not group tracks into people.")] = False,
    lang: Annotated[str | None, typer.Option(help="Language of the reports: en or id.")] = None,
    out: Annotated[Path, typer.Option(help="Folder of the reports.")] = Path("reports"),
    data: Annotated[
        Path | None, typer.Option(help="Folder of the cache; default: `data` next to --out.", envvar="SCENEFER_DATA")
    ] = None,
    profile: Annotated[str, typer.Option(help="fast, standard or thorough.")] = "standard",
    plan: Annotated[str | None, typer.Option(help="library, library-ray, or a TOML file of settings.")] = None,
    executor: Annotated[str | None, typer.Option(help=f"{listed(EXECUTORS)}.")] = None,
    workers: Annotated[
        int | None, typer.Option(help="Processes, or tasks on Ray; 0 = one per core of this machine.", min=0)
    ] = None,
    address: Annotated[str | None, typer.Option(help="Address of a Ray cluster; default: start one here.")] = None,
    copy_to: Annotated[
        str, typer.Option(help="Also copy the reports to this URL, e.g. s3://bucket/reports.", show_default=False)
    ] = "",
    shard: Annotated[str | None, typer.Option(help="i/n: only the i-th of n parts, split by film name.")] = None,
    input_list: Annotated[Path | None, typer.Option(help="File with one film per line; - for standard input.")] = None,
    max_memory: Annotated[
        float | None, typer.Option(help="MB for all workers on this machine together; decoding waits at the limit.")
    ] = None,
    only_failed: Annotated[bool, typer.Option("--only-failed", help="Only films that have failed before.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done and why, but do nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print events on stdout, one JSON object per line.")] = False,
) -> None:
    """Analyse a library of films; finished work is not repeated."""
    from scenefer.library import orders
    from scenefer.pipeline.plans import make_plan

    options = {
        "models.identity": "" if no_identity else None,
        "report.language": lang,
        "run.executor": executor,
        "run.workers": workers,
        "run.address": address,
        "run.max_memory": max_memory,
    }
    settings = make_plan(profile, plan, options, words)
    orders.demand_models(settings)
    if not library and input_list is None:
        raise PlanError("give a folder, films, or --input-list FILE")
    data = data or out.parent / "data"
    demand_places(out, data)
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
