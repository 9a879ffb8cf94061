"""What is drawn on a terminal: the progress bar and the tables."""

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
from rich.table import Table
from rich.text import Text

from scenefer.errors import printable
from scenefer.film import clock
from scenefer.intentions import parse_intention
from scenefer.schema import EMOTIONS, TABLES
from scenefer.shots import length_of
from scenefer.tables import rows_of

if TYPE_CHECKING:
    from scenefer.analysis import Analysis
    from scenefer.housekeeping import Kept
    from scenefer.sighting import Progress as Tell
    from scenefer.status import Status

_STAGES = {"observe": "reading", "analyse": "analysing", "report": "writing the report", "overlay": "drawing"}
_MOVING = ("observe", "overlay")  # stages that go along the film
_SMOOTHING = 30.0  # seconds over which the speed is averaged


class _FilmTime(ProgressColumn):
    """Film time done and in all, the speed as a multiple of real time, the time left."""

    def render(self, task: Task) -> Text:
        done = clock(task.completed)[:-4]
        if task.total is None:
            return Text(done)
        speed = task.fields.get("speed")
        left = f" · {speed:.1f} × real time · {_left((task.total - task.completed) / speed)} left" if speed else ""
        return Text(f"{done} of {clock(task.total)[:-4]}{left}")


@contextmanager
def progress_bar(name: str, console: Console) -> Iterator[Tell]:
    """Draw the progress of a film while it is analysed; yields the callback that ``run`` reports to."""
    columns = TextColumn("{task.description}", markup=False), BarColumn(), _FilmTime()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(printable(name), total=None)
        marks: list[tuple[float, float]] = []  # (wall, film) seconds, of which the speed is the slope

        def tell(stage: str, done: float, total: float | None) -> None:
            now = time.monotonic()
            marks.append((now, done))
            while now - marks[0][0] > _SMOOTHING:
                marks.pop(0)
            elapsed, covered = now - marks[0][0], done - marks[0][1]
            speed = covered / elapsed if elapsed > 1 and covered > 0 and stage in _MOVING else None
            bar.update(
                task, description=f"{printable(name)}: {_STAGES[stage]}", completed=done, total=total, speed=speed
            )

        yield tell


def scenes_table(analysis: Analysis) -> Table:
    """Draw a row a scene: its place, its evidence, what was intended if anything was, its three largest percentages."""
    meant, moves = _intended(analysis), analysis.film.kind == "video"
    guessed = bool(len(analysis.scenes)) and (analysis.scenes["source"] == "guessed").all()
    title = f"{analysis.film.path.name}{' · guessed scenes' if guessed else ''}"
    table = Table(title=Text(printable(title)), title_justify="left", box=SIMPLE_HEAD)
    table.add_column("scene")
    for heading in ("from", "to", "faces") if moves else ("faces",):
        table.add_column(heading, justify="right", no_wrap=True)
    if meant:
        table.add_column("intended")
    table.add_column("detected, % of screen time" if moves else "detected, %")
    for scene in summary(analysis)["scenes"]:
        if scene["percent"] is None:
            words = "too little evidence"
        else:
            largest = sorted(scene["percent"].items(), key=lambda item: -item[1])[:3]
            words = " · ".join(f"{emotion} {percent:.0f}" for emotion, percent in largest)
            words += " (one take)" if scene["evidence"] == "one take" else ""
        times = [clock(scene["start"])[:-2], clock(scene["end"])[:-2]] if moves else []
        said = [Text(meant.get(str(scene["name"]), ""))] if meant else []
        table.add_row(Text(printable(scene["name"])), *times, f"{scene['coverage']:.0%}", *said, words)
    return table


def _intended(analysis: Analysis) -> dict[str, str]:
    """Write what the sheet of a film says that each scene was meant to show, by the scene's name."""
    said: dict[str, list[str]] = {}
    if analysis.sheet is not None:
        stated = analysis.sheet.loc[analysis.sheet["intended"].notna()]
        for name, shares, character in stated[["scene", "intended", "character"]].itertuples(index=False, name=None):
            meant = " · ".join(
                emotion if share == 1 else f"{emotion} {100 * share:.0f}"
                for emotion, share in parse_intention(shares).items()
            )
            if meant:
                whose = f"{printable(character)}: " if isinstance(character, str) else ""
                said.setdefault(str(name), []).append(whose + meant)
    return {name: "\n".join(lines) for name, lines in said.items()}


def summary(analysis: Analysis) -> dict[str, Any]:
    """Sum up a film for a machine; percentages are by screen time, null where there is too little evidence.

    Its ``duration`` is of what was read, in seconds: all of the film, or the part that was asked for.
    """
    rows = analysis.scene_emotions[analysis.scene_emotions["view"] == "screen_time"]
    scenes = []
    for scene in rows_of(analysis.scenes):
        own = rows_of(rows[rows["scene"] == scene["scene"]])
        percent = {row["emotion"]: row["percent"] for row in own}
        scenes.append(
            {
                "scene": scene["scene"],
                "name": scene["name"],
                "start": scene["start"],
                "end": scene["end"],
                **{name: own[0][name] for name in ("evidence", "coverage", "face_seconds")},
                "percent": None
                if own[0]["evidence"] == "insufficient"
                else {e: round(percent[e], 4) for e in EMOTIONS},
            }
        )
    return {
        "film": printable(analysis.film.path),
        "id": analysis.film.id,
        "state": analysis.run["state"],
        "duration": length_of(analysis.shots),
        "size": [analysis.film.width, analysis.film.height],
        "n_frames": len(analysis.frames),
        "n_shots": len(analysis.shots),
        "n_faces": len(analysis.faces),
        "n_tracks": len(analysis.tracks),
        "coverage": analysis.run["coverage"],
        "scenes": scenes,
        "warnings": [printable(warning) for warning in analysis.run["warnings"]],
    }


def status_table(found: Status) -> Table:
    """Draw how many films of a library are in which state, which are being read, and what failed."""
    table = Table(box=SIMPLE_HEAD)
    table.add_column("state")
    table.add_column("films", justify="right")
    table.add_column("")
    table.add_row("done", str(len(found.done)))
    if found.partial:
        table.add_row("partial", str(len(found.partial)), Text(", ".join(found.partial)))
    lines = [
        f"{film.name}: {clock(film.seconds)[:-4]}{f' of {clock(film.duration)[:-4]}' if film.duration else ''} done, "
        f"{film.n_running} piece{'s' * (film.n_running != 1)} being read"
        for film in found.running
    ]
    table.add_row("running", str(len(found.running)), Text("\n".join(lines)))
    table.add_row("failed", str(len(found.failed)), Text("\n".join(_named(*failure) for failure in found.failed)))
    if found.waiting is not None:
        table.add_row("waiting", str(len(found.waiting)))
    return table


def status_record(found: Status) -> dict[str, Any]:
    """Say the same to a machine; waiting is null where the folder of the films is not known."""
    return {
        "done": list(found.done),
        "partial": list(found.partial),
        "running": [asdict(film) for film in found.running],
        "failed": [{"film": name, "error": why} for name, why in found.failed],
        "waiting": None if found.waiting is None else list(found.waiting),
    }


def cache_table(kept: Sequence[Kept], folder: Path) -> Table:
    """Draw what the cache holds: a row a film and set of settings, and what of it no report refers to."""
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
    """Say the same to a machine; sizes in bytes."""
    parts = [
        {
            "film": part.film,
            "name": part.name,
            "settings": part.settings,
            "pieces": part.n_pieces,
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
