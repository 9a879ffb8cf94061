"""What a run over a library shows while it works: a live table for people, JSON lines for machines."""

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

from scenefer.errors import printable
from scenefer.film import clock

if TYPE_CHECKING:
    from scenefer.agenda import Task
    from scenefer.batch import Batch

_SMOOTHING = 120.0  # seconds over which the speed is averaged
_EVERY = 5.0  # seconds between lines of progress for machines
_AT_WORK, _ENDED = 8, 6  # rows of films at work, and of films that ended last


class Speed:
    """Film seconds read a second of the clock, and what is left at that speed."""

    def __init__(self) -> None:
        self._marks: deque[tuple[float, float]] = deque([(time.monotonic(), 0.0)])

    def measure(self, batch: Batch) -> tuple[float | None, float | None]:
        """Return the speed as a multiple of real time, and the seconds left; None while it is too early to say."""
        now, read = time.monotonic(), batch.seconds_read + sum(batch.reached.values())
        if now - self._marks[-1][0] > 0.5:
            self._marks.append((now, read))
        while now - self._marks[0][0] > _SMOOTHING:
            self._marks.popleft()
        elapsed, covered = now - self._marks[0][0], read - self._marks[0][1]
        if elapsed < 1 or covered <= 0:
            return None, None
        speed = covered / elapsed
        return speed, max(0.0, batch.seconds_left() - sum(batch.reached.values())) / speed


class Board:
    """The live table of a batch."""

    def __init__(self) -> None:
        self.batch: Batch | None = None
        self._speed = Speed()
        self._ended: deque[Task] = deque(maxlen=_ENDED)

    def tell(self, what: str, task: Task | None) -> None:
        """Take note of what happened."""
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
        for work in [work for work in self.batch.in_work.values() if work.task.state == "to do"][:_AT_WORK]:
            task = work.task
            read = max(0.0, task.duration - task.left)
            words = f"{clock(read)[:-4]} of {clock(task.duration)[:-4]}" if work.n_open else "analysing"
            table.add_row(Text(printable(task.path.name)), Text(words))
        return table

    def _counts(self) -> Text | None:
        batch = self.batch
        if batch is None:
            return None
        if n := batch.agenda.count("to look at"):
            return Text(f"looking at the films: {n} of {len(batch.agenda.tasks)} left")
        speed, left = self._speed.measure(batch)
        words = counted(batch)
        if speed is not None and left is not None:
            words += f" · {speed:.1f} × real time · {clock(left)[:-4]} left"
        return Text(words + (f" · stopping: {batch.stopped}" if batch.stopped else ""))


class Lines:
    """The events of a batch as JSON, one object a line on stdout."""

    def __init__(self) -> None:
        self.batch: Batch | None = None
        self._speed = Speed()
        self._told = 0.0

    def tell(self, what: str, task: Task | None) -> None:
        """Print what happened; progress every few seconds."""
        if what == "progress":
            if time.monotonic() - self._told < _EVERY or self.batch is None:
                return
            self._told = time.monotonic()
            speed, left = self._speed.measure(self.batch)
            emit({"event": "progress", **numbers(self.batch), "speed": speed, "seconds_left": left})
        elif task is not None:
            emit({"event": what, **record(task)})


def record(task: Task) -> dict[str, Any]:
    """Describe a film of a library for a machine."""
    failure = task.failure
    return {
        "film": printable(task.path),
        "id": task.id,
        "state": task.state,
        "skipped": task.skipped,
        "why": task.why or None,
        "duration": task.duration or None,
        "pieces": task.n_pieces or None,
        "pieces_missing": task.n_missing if task.n_pieces else None,
        "run": printable(task.folder) if task.folder else None,
        "stage": failure.stage if failure else None,
        "time": failure.time if failure else None,
        "error": failure.error if failure else None,
        "remedy": failure.remedy if failure else None,
    }


def numbers(batch: Batch) -> dict[str, int]:
    """Count the films of a batch by what became of them."""
    agenda = batch.agenda
    at_work = sum(work.task.state == "to do" for work in batch.in_work.values())
    return {
        "films": len(agenda.tasks) - agenda.count("left out"),
        "done": agenda.count("done"),
        "partial": agenda.count("partial"),
        "copies": agenda.n_copies(),
        "failed": agenda.count("failed"),
        "running": at_work,
        "waiting": agenda.count("to do", "to look at") - at_work,
    }


def counted(batch: Batch) -> str:
    """Count the films of a batch in words."""
    counts = numbers(batch)
    words = [f"{counts['done'] + counts['partial']} of {counts['films']} films done"]
    if counts["partial"]:
        words.append(f"{counts['partial']} of them in part")
    if counts["copies"]:
        words.append(f"{counts['copies']} of them the same film as another: one report")
    words += [f"{counts[name]} {name}" for name in ("running", "waiting", "failed") if counts[name]]
    return " · ".join(words)


def emit(event: dict[str, Any]) -> None:
    """Print an event as a line, on the program's own output whatever else is said meanwhile."""
    print(json.dumps(event), file=sys.__stdout__, flush=True)


@contextmanager
def shown(board: Board, console: Console) -> Iterator[None]:
    """Draw a board while the batch works, where there is a terminal to draw it on."""
    if not console.is_terminal:
        yield
        return
    with Live(board, console=console, refresh_per_second=2, transient=True):
        yield
