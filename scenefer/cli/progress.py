"""The progress of a run over a library: a live table for people, JSON lines for programs."""

from __future__ import annotations

import json
import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from scenefer.core.film import clock
from scenefer.core.text import printable

if TYPE_CHECKING:
    from scenefer.library.batch import Batch
    from scenefer.library.planner import Task

_SMOOTHING = 120.0  # seconds over which the speed is averaged
_EVERY = 5.0  # seconds between JSON lines of progress
_AT_WORK, _ENDED = 8, 6  # rows for running films, and for films that ended last


class Speed:
    """Reading speed in film seconds per second, and the time left at that speed."""

    def __init__(self) -> None:
        self._marks: deque[tuple[float, float]] = deque([(time.monotonic(), 0.0)])

    def measure(self, batch: Batch) -> tuple[float | None, float | None]:
        """Return the speed as a multiple of real time, and the seconds left; None while it is too early to tell."""
        now, read = time.monotonic(), batch.seconds_read()
        if now - self._marks[-1][0] > 0.5:
            self._marks.append((now, read))
        while now - self._marks[0][0] > _SMOOTHING:
            self._marks.popleft()
        elapsed, covered = now - self._marks[0][0], read - self._marks[0][1]
        if elapsed < 1 or covered <= 0:
            return None, None
        speed = covered / elapsed
        return speed, max(0.0, batch.seconds_left()) / speed


class Board:
    """The live table of a batch."""

    def __init__(self) -> None:
        self.batch: Batch | None = None
        self._speed = Speed()
        self._ended: deque[Task] = deque(maxlen=_ENDED)

    def tell(self, what: str, task: Task | None) -> None:
        """Record an event."""
        if task is not None and what in ("done", "partial", "failed"):
            self._ended.append(task)

    def __rich__(self) -> Group:
        return Group(*(part for part in (self._films(), self._counts()) if part is not None))

    def _films(self) -> Table | None:
        if self.batch is None:
            return None
        table = Table(box=SIMPLE_HEAD, expand=True)
        table.add_column("film", ratio=3, overflow="ellipsis", no_wrap=True)
        table.add_column("state", ratio=4, overflow="ellipsis", no_wrap=True)
        for task in self._ended:
            words = (
                task.failure.error.replace(printable(task.path), task.path.name) if task.failure else str(task.folder)
            )
            style = {"done": "green", "partial": "yellow", "failed": "red"}[task.state]
            table.add_row(Text(printable(task.path.name)), Text(f"{task.state}: {printable(words)}", style=style))
        for task, work in self.batch.in_work[:_AT_WORK]:
            read = max(0.0, task.duration - task.left)
            words = f"{clock(read)[:-4]} of {clock(task.duration)[:-4]}" if work.n_open else "analysing"
            table.add_row(Text(printable(task.path.name)), Text(words))
        return table

    def _counts(self) -> Text | None:
        batch = self.batch
        if batch is None:
            return None
        if n := batch.queue.count("to look at"):
            return Text(f"looking at the films: {n} of {len(batch.queue.tasks)} left")
        speed, left = self._speed.measure(batch)
        words = counted(batch)
        if speed is not None and left is not None:
            words += f" · {speed:.1f} × real time · {clock(left)[:-4]} left"
        return Text(words + (f" · stopping: {batch.stopped}" if batch.stopped else ""))


class Lines:
    """The events of a batch as JSON, one object per line on stdout."""

    def __init__(self) -> None:
        self.batch: Batch | None = None
        self._speed = Speed()
        self._told = 0.0

    def tell(self, what: str, task: Task | None) -> None:
        """Print an event; print progress only every few seconds."""
        if what == "progress":
            if time.monotonic() - self._told < _EVERY or self.batch is None:
                return
            self._told = time.monotonic()
            speed, left = self._speed.measure(self.batch)
            emit({"event": "progress", **numbers(self.batch), "speed": speed, "seconds_left": left})
        elif task is not None:
            emit({"event": what, **record(task)})


def record(task: Task) -> dict[str, Any]:
    """Return a film of a library as a record for JSON."""
    failure = task.failure
    return {
        "film": printable(task.path),
        "id": task.id,
        "state": task.state,
        "skipped": task.skipped,
        "why": task.why or None,
        "duration": task.duration or None,
        "pieces": task.n_chunks or None,
        "pieces_missing": task.n_missing if task.n_chunks else None,
        "run": printable(task.folder) if task.folder else None,
        "stage": failure.stage if failure else None,
        "time": failure.time if failure else None,
        "error": failure.error if failure else None,
        "remedy": failure.remedy if failure else None,
    }


def numbers(batch: Batch) -> dict[str, int]:
    """Count the films of a batch by state."""
    queue = batch.queue
    at_work = len(batch.in_work)
    return {
        "films": len(queue.tasks) - queue.count("left out"),
        "done": queue.count("done"),
        "partial": queue.count("partial"),
        "copies": queue.n_copies(),
        "failed": queue.count("failed"),
        "running": at_work,
        "waiting": queue.count("to do", "to look at") - at_work,
    }


def counted(batch: Batch) -> str:
    """Describe the counts of films of a batch in words."""
    counts = numbers(batch)
    words = [f"{counts['done'] + counts['partial']} of {counts['films']} films done"]
    if counts["partial"]:
        words.append(f"{counts['partial']} of them in part")
    if counts["copies"]:
        words.append(f"{counts['copies']} of them the same film as another: one report")
    words += [f"{counts[name]} {name}" for name in ("running", "waiting", "failed") if counts[name]]
    return " · ".join(words)


def emit(event: dict[str, Any]) -> None:
    """Print an event as one line on the original stdout, even if ``sys.stdout`` is redirected meanwhile."""
    print(json.dumps(event), file=sys.__stdout__, flush=True)


@contextmanager
def shown(told: Board | Lines, console: Console) -> Iterator[None]:
    """Show a live table while the batch works, if the output is a terminal."""
    if not isinstance(told, Board) or not console.is_terminal:
        yield
        return
    with Live(told, console=console, refresh_per_second=2, transient=True):
        yield
