"""The command that reads faces while they are before the camera."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scenefer.cli import options, output
from scenefer.cli.output import complain, say
from scenefer.core.errors import OutputError, PlanError
from scenefer.core.language import Language
from scenefer.core.run_folder import REPORT
from scenefer.core.text import printable
from scenefer.models import DEFAULT_WEIGHTS

if TYPE_CHECKING:
    from scenefer.live.intention import Meant
    from scenefer.live.recording import Recording
    from scenefer.live.session import Session
    from scenefer.pipeline.plans import Plan

_DRAWN = 5.0  # times a second that the panel is drawn
_LINES = 2.0  # seconds between lines, where there is no terminal


@dataclass(frozen=True)
class _Shown:
    """What viewers are told of a session beside what is read."""

    name: str
    meant: Meant | None
    address: str | None


def live(
    source: options.Camera = "",
    intended: options.LiveIntention = None,
    scene: options.LiveScene = None,
    record: options.Record = None,
    page: options.Page = None,
    port: options.Port = 0,
    rate: options.PictureRate = 15.0,
    size: options.PictureSize = "1280x720",
    loop: options.Loop = False,
    seconds: options.Seconds = None,
    weights: Annotated[str, typer.Option(help="Name or file of the expression weights.")] = DEFAULT_WEIGHTS,
    plan: Annotated[str | None, typer.Option(help="TOML file of settings that deviate from the defaults.")] = None,
    lang: Annotated[str, typer.Option(help="en or id: language of the page and of the report.")] = "en",
) -> None:
    """Read faces before a camera as they act: on the set, or in rehearsal."""
    from scenefer.live import server
    from scenefer.live.intention import read_intention
    from scenefer.live.sources import open_source
    from scenefer.pipeline.plans import make_plan

    stated = {"observation.sample_rate": rate, "models.expression": weights, "report.language": lang}
    settings = make_plan("standard", plan, stated)
    meant = read_intention(intended, scene, settings.words)
    _require_size(size)
    if page:
        server.require_installed()
    stopped = threading.Event()
    opened = open_source(source, loop=loop, size=size, stopped=stopped)
    name = opened.film.path.name
    with ExitStack() as stack:
        session, recording = _prepared(opened, settings, meant, record, stack)
        address = None
        if page is not False:
            address = _serve(session, name, meant, record, Language(lang), port, stack, wanted=bool(page))
        try:
            with _interruptible():
                session.start()
                _watch(session, _Shown(name, meant, address), seconds)
        except KeyboardInterrupt:
            pass
        finally:
            stopped.set()
            session.stop()
        _summarise(session)
        kept = recording is not None and _keep(recording)
    _require_sound(session, kept)


def _prepared(
    opened: Any, settings: Plan, meant: Meant | None, record: Path | None, stack: ExitStack
) -> tuple[Session, Recording | None]:
    from scenefer.live.reading import LiveReader
    from scenefer.live.recording import Recording
    from scenefer.live.session import Session
    from scenefer.pipeline.chunks import models_of
    from scenefer.pipeline.film_observation import load_identity

    # A reader is given one picture at a time, which is searched in full: nothing is followed from one to the next.
    settings = replace(settings, observation=replace(settings.observation, search_every=0.01))
    recording = None
    try:
        if record is not None:
            written = None if meant is None else meant.written
            recording = stack.enter_context(Recording(record, opened.film, settings, written))
        with output.err.status("loading the networks") if output.err.is_terminal else ExitStack():
            reader = LiveReader(models_of(settings), settings, opened.film, load_identity(settings, 1))
            reader.warm_up()
    except BaseException:
        opened.close()
        raise
    shares = None if meant is None else meant.shares
    rate = settings.observation.sample_rate
    return Session(opened, reader, rate, intended=shares, recording=recording), recording


def _serve(
    session: Session,
    name: str,
    meant: Meant | None,
    record: Path | None,
    language: Language,
    port: int,
    stack: ExitStack,
    *,
    wanted: bool,
) -> str | None:
    """Serve the page; return its address, None where what it needs is not installed and nobody asked for it."""
    from scenefer.live import server
    from scenefer.live.page import about

    try:
        server.require_installed()
    except PlanError:
        if wanted:
            raise
        complain("no page is shown: it needs pip install 'scenefer[live]'")
        return None
    said = about(printable(name), meant and meant.shares, meant and meant.said, record and printable(record), language)
    serving = server.PageServer(session, said, port)
    stack.callback(serving.close)
    return serving.address


def _watch(session: Session, shown: _Shown, seconds: float | None) -> None:
    """Show a session until it ends."""
    from rich.live import Live

    from scenefer.cli import live_panel

    began, meant = time.monotonic(), shown.meant and shown.meant.said
    console = output.out
    if shown.address is not None:
        say(f"page: {shown.address}")

    def over() -> bool:
        return session.board.ended or (seconds is not None and time.monotonic() - began >= seconds)

    def drawn() -> Any:
        blocks = console.encoding.lower().startswith("utf")
        return live_panel.panel(
            session, shown.name, width=console.width, colours=blocks, address=shown.address, meant=meant
        )

    if console.is_terminal and os.environ.get("TERM") != "dumb":
        with Live(drawn(), console=console, auto_refresh=False, transient=False) as display:
            while not over():
                time.sleep(1 / _DRAWN)
                display.update(drawn(), refresh=True)
        return
    said, last = 0, began
    while not over():
        session.board.wait(said, 0.2)
        if (view := session.board.item) is not None and time.monotonic() - last >= _LINES:
            say(
                live_panel.line(view, meant) if not session.silence() else live_panel.pace_line(view, session.silence())
            )
            last, said = time.monotonic(), session.board.version
        else:
            time.sleep(0.05)


def _summarise(session: Session) -> None:
    meter, whole = session.meter, session.meter.whole()
    if whole.delay is None or whole.late is None:
        return
    say(
        f"{session.film_seconds:.1f} s: {meter.n_pictures} pictures read, {whole.pictures:.1f} a second, "
        f"{session.n_dropped} left out; {meter.n_faces} faces, {whole.faces:.1f} a second; "
        f"{1000 * whole.delay:.0f} ms late, 95 % within {1000 * whole.late:.0f} ms"
    )


def _keep(recording: Recording) -> bool:
    """Make a run of what was recorded, and print its scenes; tell whether there was anything."""
    from scenefer.cli import scene_table
    from scenefer.live.recording import finish

    if recording.discard_empty():
        if recording.failed is None:  # else that is said in the end
            complain("nothing was recorded: no picture came")
        return False
    try:
        analysis = finish(recording.folder)
    except KeyboardInterrupt:
        complain(f"the report is not written; what was recorded is kept: scenefer report {recording.folder}")
        raise
    scene_table.print_scenes(output.out, analysis, recording.folder)
    say(f"report: {recording.folder / REPORT}")
    return True


def _require_sound(session: Session, kept: bool) -> None:
    """Raise what ended a session that nobody ended, or its recording; ``kept``: there is a run of a part of it."""
    failed = None if session.recording is None else session.recording.failed
    said = f"{'recorded in part alone' if kept else 'nothing was recorded'}: {failed}"
    if session.error is not None:
        if failed is not None:
            complain(said)
        raise session.error
    if failed is not None:
        raise OutputError(said) from failed


def _require_size(size: str) -> None:
    sides = size.lower().split("x")
    if len(sides) != 2 or not all(side.isdecimal() and 0 < int(side) <= 16_384 for side in sides):
        raise PlanError(f"--size {size!r} is no size; write it like 1280x720")


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let the end of a terminal or a `kill` end a session as Ctrl-C does."""
    signals = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.signal(number, signal.default_int_handler) for number in signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
