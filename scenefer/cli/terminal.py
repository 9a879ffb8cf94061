"""Terminal output: the progress bar and the tables."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
from rich.table import Column, Table
from rich.text import Text

from scenefer.core.film import clock
from scenefer.core.schema import TABLES
from scenefer.core.text import printable

if TYPE_CHECKING:
    from scenefer.library.cache_pruning import Kept
    from scenefer.library.status import Status
    from scenefer.pipeline.film_observation import Progress as Tell

_STAGES = {
    "observe": "reading",
    "analyse": "analysing",
    "report": "writing the report",
    "overlay": "drawing",
    "proxy": "copying",
}
_MOVING = ("observe", "overlay", "proxy")  # stages whose progress is film time
# Terminal widths in characters with room for everything, for every column, for most, and for the largest percentages.
SPACIOUS, WIDE, ROOMY, CLOSE = 120, 106, 72, 60
_SMOOTHING = 30.0  # seconds over which the speed is averaged


class _FilmTime(ProgressColumn):
    """Film time done and total, speed as a multiple of real time, time left; shortened if there is no room."""

    def __init__(self, console: Console) -> None:
        self._console = console
        super().__init__(Column(no_wrap=True, overflow="ellipsis"))

    def render(self, task: Task) -> Text:
        done = clock(task.completed)[:-4]
        if task.total is None:
            return Text(done)
        parts = [f"{done} of {clock(task.total)[:-4]}"]
        if speed := task.fields.get("speed"):
            parts += [f"{speed:.1f} × real time"] if self._console.width >= ROOMY else []
            parts += [f"{_left((task.total - task.completed) / speed)} left"]
        return Text(" · ".join(parts))


def progress_of(console: Console) -> Progress:
    """Make a progress display that fits on one line, even on a narrow terminal."""
    name = TextColumn(
        "{task.description}", markup=False, table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis")
    )
    bar = [BarColumn(bar_width=30)] if console.width >= WIDE else []
    return Progress(
        name, *bar, _FilmTime(console),
        console=console, transient=True, expand=True, disable=not console.is_terminal,
    )  # fmt: skip


@contextmanager
def progress_bar(name: str, console: Console) -> Iterator[Tell]:
    """Draw the progress of a film while it is analysed; yields the callback that ``run`` reports to."""
    with progress_of(console) as bar:
        task = bar.add_task(printable(name), total=None)
        marks: list[tuple[float, float]] = []  # (wall, film) seconds; the speed is their slope

        def tell(stage: str, done: float, total: float | None) -> None:
            now = time.monotonic()
            marks.append((now, done))
            while now - marks[0][0] > _SMOOTHING:
                marks.pop(0)
            elapsed, covered = now - marks[0][0], done - marks[0][1]
            speed = covered / elapsed if elapsed > 1 and covered > 0 and stage in _MOVING else None
            bar.update(
                task, description=f"{_STAGES[stage]} {printable(name)}", completed=done, total=total, speed=speed
            )

        yield tell


def status_table(found: Status) -> Table:
    """Draw the number of films of a library in each state, the films being read, and the failures."""
    table = Table(box=SIMPLE_HEAD)
    table.add_column("state")
    table.add_column("films", justify="right")
    table.add_column("")
    table.add_row("done", str(len(found.done)))
    if found.partial:
        table.add_row("partial", str(len(found.partial)), Text(", ".join(found.partial)))
    lines = [
        f"{film.name}: {clock(film.seconds)[:-4]}{f' of {clock(film.duration)[:-4]}' if film.duration else ''} done, "
        f"{film.n_running} chunk{'s' * (film.n_running != 1)} being read"
        for film in found.running
    ]
    table.add_row("running", str(len(found.running)), Text("\n".join(lines)))
    table.add_row("failed", str(len(found.failed)), Text("\n".join(_named(*failure) for failure in found.failed)))
    if found.waiting is not None:
        table.add_row("waiting", str(len(found.waiting)))
    return table


def status_record(found: Status) -> dict[str, Any]:
    """Return the same as a record for JSON; ``waiting`` is null if the folder of the films is not known."""
    return {
        "done": list(found.done),
        "partial": list(found.partial),
        "running": [asdict(film) for film in found.running],
        "failed": [{"film": name, "error": why} for name, why in found.failed],
        "waiting": None if found.waiting is None else list(found.waiting),
    }


def cache_table(kept: Sequence[Kept], folder: Path) -> Table:
    """Draw the contents of the cache: one row per film and set of settings, and which parts no report refers to."""
    total, spare = sum(part.size for part in kept), sum(part.freed for part in kept)
    known = all(part.used is not None for part in kept)
    title = f"{folder}: {bytes_in_words(total)}" + f", of which {bytes_in_words(spare)} no report refers to" * known
    table = Table(title=Text(printable(title)), title_justify="left", box=SIMPLE_HEAD)
    table.add_column("film")
    table.add_column("read by")
    for heading in ("film time", "size"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("")
    for part in kept:
        state = "being read" if part.running else "no report" if part.used is False else ""
        if part.used and part.spare:
            state = f"other weights: {bytes_in_words(part.spare_size)}"
        time = f"{clock(part.seconds)[:-4]}"
        table.add_row(Text(part.name), Text(part.settings), time, bytes_in_words(part.size), state)
    return table


def cache_record(kept: Sequence[Kept]) -> dict[str, Any]:
    """Return the same as a record for JSON; sizes in bytes."""
    parts = [
        {
            "film": part.film,
            "name": part.name,
            "settings": part.settings,
            "pieces": part.n_chunks,
            "seconds": round(part.seconds, 3),
            "bytes": part.size,
            "used": part.used,
            "running": part.running,
            "superfluous_bytes": part.freed,
            "folder": printable(part.folder),
        }
        for part in kept
    ]
    return {"bytes": sum(part.size for part in kept), "parts": parts}


def bytes_in_words(n: int) -> str:
    """Write a size: 12 kB, 3.4 MB."""
    size, unit = float(n), "B"
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if size < 1000 or unit == "TB":
            break
        size /= 1000
    return f"{size:.0f} {unit}" if unit in ("B", "kB") or size >= 100 else f"{size:.1f} {unit}"


def schema_tables() -> Iterator[Table]:
    """Draw every table's schema."""
    for name, columns in TABLES.items():
        table = Table(title=name, title_justify="left")
        for heading in ("column", "type", "unit", "meaning"):
            table.add_column(heading)
        for column in columns:
            table.add_row(column.name, column.type, column.unit, column.meaning)
        yield table


def _named(name: str, why: str) -> str:
    return why if name in why else f"{name}: {why}"


def _left(seconds: float) -> str:
    return clock(max(0.0, seconds))[:-4]
