"""The command on libraries of films."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scenefer.cli.lists import EveryClip
from scenefer.cli.speech import complain, demand_places, err, say
from scenefer.errors import PlanError, printable

if TYPE_CHECKING:
    from scenefer.batch import Batch


def batch(
    library: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[LIBRARY]...", help="Folders, films, patterns like 'films/*.mkv'.", show_default=False),
    ] = None,
    intended: Annotated[Path | None, typer.Option(help="Folder of sheets with intentions, named as the films.")] = None,
    scenes: Annotated[Path | None, typer.Option(help="Folder of sheets of scenes, named as the films.")] = None,
    every_clip: EveryClip = False,
    cast: Annotated[
        Path | None, typer.Option(help="Folder with a folder of pictures a person: people get these names.")
    ] = None,
    no_identity: Annotated[bool, typer.Option("--no-identity", help="Do not group tracks into people.")] = False,
    lang: Annotated[str | None, typer.Option(help="Language of the reports: en or id.")] = None,
    out: Annotated[Path, typer.Option(help="Folder of the reports.")] = Path("reports"),
    data: Annotated[
        Path | None, typer.Option(help="Folder of the cache; else `data` beside --out.", envvar="SCENEFER_DATA")
    ] = None,
    profile: Annotated[str, typer.Option(help="fast, standard or thorough.")] = "standard",
    plan: Annotated[str | None, typer.Option(help="library, library-ray, or a TOML file of settings.")] = None,
    executor: Annotated[str | None, typer.Option(help="processes, serial or ray.")] = None,
    workers: Annotated[
        int | None, typer.Option(help="Processes, or tasks on Ray; 0 = one a core of this machine.", min=0)
    ] = None,
    address: Annotated[str | None, typer.Option(help="Of a Ray cluster; else one is started here.")] = None,
    copy_to: Annotated[
        str, typer.Option(help="URL to which reports are copied too: s3://bucket/reports, say.", show_default=False)
    ] = "",
    shard: Annotated[str | None, typer.Option(help="i/n: the i-th of n parts, by the films' names.")] = None,
    input_list: Annotated[Path | None, typer.Option(help="File with a film a line; - for standard input.")] = None,
    max_memory: Annotated[
        float | None, typer.Option(help="MB of all workers on this machine together; decoding is held back.")
    ] = None,
    only_failed: Annotated[bool, typer.Option("--only-failed", help="Only films that have failed before.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done and why, and do nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print events on stdout, one JSON object a line.")] = False,
) -> None:
    """Analyse a library of films; what is done is not done again."""
    from scenefer import board, copies, inventory, sheets
    from scenefer import run as runs
    from scenefer.agenda import Order
    from scenefer.batch import Batch
    from scenefer.cast import CONSENT
    from scenefer.pieces import networks
    from scenefer.plan import make_plan

    settings = make_plan(
        profile,
        plan,
        {
            "models.identity": "" if no_identity else None,
            "report.language": lang,
            "run.executor": executor,
            "run.workers": workers,
            "run.address": address,
            "run.max_memory": max_memory,
        },
    )
    networks(settings)
    demand_device(settings)
    if not library and input_list is None:
        raise PlanError("give a folder, films, or --input-list FILE")
    data = data or out.parent / "data"
    demand_places(out, data)
    if copy_to:
        copies.demand(copy_to, out)
    if settings.run.executor == "ray":  # whose workers stand in folders of their own
        out, data = out.absolute(), data.absolute()
        scenes, intended = (place and place.absolute() for place in (scenes, intended))
    found = inventory.find_films(library or [], input_list)
    if settings.run.executor == "ray":
        found = [film._replace(path=film.path.absolute()) for film in found]
    films = [film.path for film in (inventory.shard(found, shard) if shard else found)]  # a part may be empty
    if not found:
        raise PlanError("there is no film; give a folder of films")
    for folder in (scenes, intended):
        if folder is not None and not folder.is_dir():
            raise PlanError(f"{folder} is no folder; give a folder of sheets named as the films")
    every = [film.path for film in found]  # a part of the library may have no sheet at all
    scenes_of, intended_of = sheets.match(every, scenes), sheets.match(every, intended)
    names = None
    if cast is not None:
        names = runs.read_cast(cast, settings)
        complain(CONSENT)
    order = Order(
        films, settings, data, out, scenes_of, intended_of, names,
        every_clip=every_clip, only_failed=only_failed, copy_to=copy_to,
    )  # fmt: skip
    told = board.Lines() if as_json else board.Board()
    run = told.batch = Batch(order, _teller(told, as_json))
    if dry_run:
        _tell_plan(run, as_json)
        raise typer.Exit(0)
    with _interruptible(run):
        if isinstance(told, board.Board):
            with board.shown(told, err):
                run.work(executor_of(settings), settings.run.workers or os.cpu_count() or 1)
        else:
            run.work(executor_of(settings), settings.run.workers or os.cpu_count() or 1)
    if as_json:
        board.emit({"event": "end", **board.numbers(run), "stopped": run.stopped or None, "exit": run.exit_code()})
    else:
        say(board.counted(run))
        if run.agenda.count("failed", "partial"):
            say(f"what failed, and what to do: {out / 'library' / 'failures.csv'}")
    if run.stopped == "interrupted":
        raise KeyboardInterrupt
    if run.stopped:
        complain(run.stopped)
    if run.exit_code():
        raise typer.Exit(run.exit_code())


def demand_device(settings: Any) -> None:
    """Refuse a device that is not here, before a film is read for it; that of a Ray cluster is not here anyway.

    Raises:
        WeightsError: torch finds none.
    """
    from scenefer.models import zoo

    # The others always are, and to ask would load torch, which a library that is done does without.
    if settings.models.device == "cuda" and settings.run.executor != "ray":
        zoo.choose_device("cuda")


def executor_of(settings: Any) -> Any:
    """Choose the executor of a plan, and give it what only it needs."""
    from functools import partial

    from scenefer import executors

    if settings.run.executor == "serial":
        return executors.serial
    if settings.run.executor == "ray":
        from scenefer.cluster import ray_cluster

        where = settings.run
        return partial(ray_cluster, address=where.address, gpus=where.gpus, patience=where.patience)
    return partial(executors.processes, patience=settings.run.patience)


def _teller(told: Any, as_json: bool) -> Any:
    """Print a line a film where there is no live table, and pass everything on."""

    def tell(what: str, task: Any) -> None:
        told.tell(what, task)
        if as_json or task is None or what not in ("done", "partial", "failed"):
            return
        if what == "failed":
            complain(task.failure.message)
        elif not err.is_terminal:
            say(f"{what}: {printable(task.path)}: {task.folder / 'report.html'}")

    return tell


def _tell_plan(run: Batch, as_json: bool) -> None:
    """Say of every film what would be done and why."""
    from scenefer import board

    for task in run.agenda.tasks.values():
        if as_json:
            board.emit({"event": "plan", **board.record(task)})
            continue
        if task.state == "to do":
            pieces = f"{task.n_missing} of {task.n_pieces} pieces to read" if task.n_missing else "nothing to read"
            pieces = pieces if task.n_pieces else "all of it to read"
            say(f"run: {printable(task.path)}: {task.why}; {pieces}")
        elif task.state == "to look at":
            say(f"run: {printable(task.path)}: not looked at yet")
        elif task.state == "failed" and task.failure:
            say(f"skip: {printable(task.path)}: failed for good: {task.failure.error}")
        elif task.state != "left out":
            say(f"skip: {printable(task.path)}: {task.why or task.state}: {task.folder}")
    if not as_json:
        say(board.counted(run))


@contextmanager
def _interruptible(run: Batch) -> Iterator[None]:
    """Let the first Ctrl-C finish what runs, and the second stop at once; SIGTERM is a first one."""

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
