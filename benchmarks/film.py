"""Measure the time and memory that a film takes, beside decoding it alone.

The floor is a process that only decodes, with PyAV's automatic threads; it runs before, between and after the analyses.
Processor seconds are those of all processes of a command. ``make_long.sh`` makes the films; nothing else should run on
the machine meanwhile.

    python -m benchmarks.film long20.mp4 --long long120.mp4 --only standard,fast
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import startup

FILMS = Path(os.environ.get("SCENEFER_FILMS") or Path(__file__).parents[2] / "shared" / "films")
RESULTS = Path(__file__).parent / "results" / "film.json"
CLIP = FILMS / "talk_grid_brbk7n.mpg"  # three seconds
PIECES = ("standard", "fast", "clip", "minute", "long", "startup")
SAMPLED_HZ = 5.0  # how often memory is sampled
BARS = {"standard": 1.7, "fast": 1.35}  # processor seconds as a multiple of the floor's
SHORTEST = 2.5  # s of wall time for the clip
MOST_MEMORY = 1200.0  # MB


@dataclass(frozen=True)
class Cost:
    """The cost of one run of a command."""

    wall: float  # s, from start to exit
    cpu: float  # s, user and system, all processes
    peak: float  # MB, summed proportional set size of the process tree
    film_seconds: float

    @property
    def busy(self) -> float:
        """Share of the machine's cores that was at work, 0 to 1."""
        return self.cpu / self.wall / (os.cpu_count() or 1)


def decode_only(film: Path) -> Cost:
    """Decode a film in a process of its own, which drops every frame."""
    return _run([sys.executable, "-c", DECODE, str(film)], film)


DECODE = """
import sys, av
with av.open(sys.argv[1]) as container:
    stream = container.streams.video[0]
    stream.thread_type = "AUTO"
    for _ in container.decode(stream):
        pass
"""


def length(film: Path) -> float:
    """Return the length of a film, in seconds."""
    from scenefer import video

    return video.probe(film).duration or float("nan")


def analyse(film: Path, profile: str, work: Path) -> Cost:
    """Run ``scenefer analyze`` in fresh folders under ``work``, and measure its cost."""
    command = [sys.executable, "-m", "scenefer", "analyze", str(film), "--profile", profile]
    return _run([*command, "--out", str(work / "out"), "--data", str(work / "data")], film)


def _run(command: list[str], film: Path) -> Cost:
    code, wall, cpu, peak = spend(command, stdout=subprocess.DEVNULL)
    if code:
        raise SystemExit(f"{' '.join(command[1:4])} … ended with {code}")
    return Cost(wall, cpu, peak, length(film))


def spend(command: Sequence[str], **options: Any) -> tuple[int, float, float, float]:
    """Run a command; return its exit code, wall time, processor time of all its processes (s), and peak memory (MB).

    Args:
        options: of ``subprocess.Popen``.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = time.perf_counter()
    process = subprocess.Popen(command, **options)
    peaks = [0.0]
    watcher = threading.Thread(target=_watch_memory, args=(process, peaks), daemon=True)
    watcher.start()
    code = process.wait()
    wall = time.perf_counter() - begin
    watcher.join()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return code, wall, cpu, max(peaks)


def _watch_memory(process: subprocess.Popen[bytes], peaks: list[float]) -> None:
    import psutil

    root = psutil.Process(process.pid)
    while process.poll() is None:
        total = 0
        try:
            for one in [root, *root.children(recursive=True)]:
                total += one.memory_full_info().pss
        except psutil.NoSuchProcess:  # it ended while being sampled; the next sample will do
            pass
        peaks.append(total / 1e6)
        time.sleep(1 / SAMPLED_HZ)


def measure(film: Path, long: Path | None, minute: Path, pieces: Sequence[str], work: Path) -> dict[str, Any]:
    """Measure the chosen pieces; measure the floor before, between and after the runs, so that drift is visible."""
    measured: dict[str, Any] = {}
    profiles = [profile for profile in BARS if profile in pieces]
    if profiles:
        floor = [decode_only(film)]
        for profile in profiles:
            measured[profile] = asdict(analyse(film, profile, work / profile))
            floor.append(decode_only(film))
        measured["floor"] = [asdict(cost) for cost in floor]
    if "clip" in pieces:
        measured["clip"] = [asdict(analyse(CLIP, "standard", work / f"clip-{k}")) for k in range(5)]
    if "minute" in pieces:
        cost = analyse(minute, "standard", work / "minute")
        measured["minute"] = {**asdict(cost), "busy": cost.busy}
    if "long" in pieces and long:
        measured["long"] = asdict(analyse(long, "standard", work / "long"))
    if "startup" in pieces:
        measured["startup"] = startup.measure()
    return measured


Row = tuple[str, str, str, bool | None]  # a figure, its value, its limit, whether it is met; None without a limit


def verdicts(measured: dict[str, Any]) -> list[Row]:
    """Return every figure with its limit and whether it is met."""
    return [*_film_rows(measured), *_long_rows(measured), *_start_rows(measured)]


def _film_rows(measured: dict[str, Any]) -> list[Row]:
    if not (floors := measured.get("floor")):
        return []
    processor_floor, wall_floor = (statistics.median(cost[kind] for cost in floors) for kind in ("cpu", "wall"))
    low, high = (pick(cost["cpu"] for cost in floors) for pick in (min, max))
    words = f"{processor_floor:.0f} processor seconds ({low:.0f} to {high:.0f}), {wall_floor:.0f} s of wall time"
    rows: list[Row] = [("floor, decode only", words, "", None)]
    profiles = [profile for profile in BARS if profile in measured]
    for profile, before, after in zip(profiles, floors, floors[1:], strict=False):
        cost, bar = measured[profile], BARS[profile]
        # Beside the floors right before and after: a shared machine is now faster, now slower.
        ratio, wall = (2 * cost[kind] / (before[kind] + after[kind]) for kind in ("cpu", "wall"))
        rows += [
            (f"{profile}, processor time", f"{ratio:.2f} × floor", f"≤ {bar} ×", ratio <= bar),
            (f"{profile}, wall time", f"{wall:.2f} × floor ({cost['wall']:.0f} s)", "", None),
            _memory_row(profile, cost),
        ]
    return rows


def _long_rows(measured: dict[str, Any]) -> list[Row]:
    if not (cost := measured.get("long")):
        return []
    rows = [_memory_row(f"film of {cost['film_seconds'] / 60:.0f} minutes", cost)]
    if standard := measured.get("standard"):
        for name, change in (
            ("memory against the short film", cost["peak"] / standard["peak"] - 1),
            ("processor time a film second against it", _rate(cost) / _rate(standard) - 1),
        ):
            rows.append((name, f"{change:+.1%}", "≤ +10 %", change <= 0.1))
    return rows


def _start_rows(measured: dict[str, Any]) -> list[Row]:
    rows: list[Row] = []
    if costs := measured.get("clip"):
        wall = statistics.median(cost["wall"] for cost in costs)
        words = f"{wall:.1f} s ({statistics.median(cost['cpu'] for cost in costs):.1f} processor seconds)"
        rows.append((f"a clip of three seconds, median of {len(costs)}", words, f"≤ {SHORTEST} s", wall <= SHORTEST))
    if cost := measured.get("minute"):
        rows.append(("cores busy, one-minute film", f"{cost['busy']:.0%}", "", None))
    if answer := measured.get("startup"):
        words = f"{answer['best']:.2f} s"
        rows.append(("scenefer --help, best of five", words, f"≤ {startup.LIMIT} s", startup.is_quick(answer)))
        rows.append(("heavy modules that it loads", ", ".join(answer["heavy"]) or "none", "", None))
    return rows


def _memory_row(name: str, cost: dict[str, float]) -> Row:
    return (f"{name}, peak memory", f"{cost['peak']:.0f} MB", f"≤ {MOST_MEMORY:.0f} MB", cost["peak"] <= MOST_MEMORY)


def _rate(cost: dict[str, float]) -> float:
    return cost["cpu"] / cost["film_seconds"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and store the figures along with earlier ones; return 1 if a limit is not met."""
    parser = argparse.ArgumentParser(
        prog="film", description="Measure what a film takes of processor, time and memory, beside decoding it alone."
    )
    parser.add_argument("film", type=Path, help="twenty minutes of 1080p, by make_long.sh")
    parser.add_argument("--long", type=Path, help="two hours of the same: does time grow with length, memory not?")
    parser.add_argument("--minute", type=Path, default=FILMS / "testfilm_720p25.mp4", help="about a minute")
    parser.add_argument("--only", default=",".join(PIECES), help=f"pieces to measure, of: {','.join(PIECES)}")
    parser.add_argument("--work", type=Path, help="keep the runs here")
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    pieces = options.only.split(",")
    if unknown := set(pieces) - set(PIECES):
        parser.error(f"no such piece: {', '.join(sorted(unknown))}")
    with tempfile.TemporaryDirectory() as scratch:
        measured = measure(options.film, options.long, options.minute, pieces, options.work or Path(scratch))
    earlier = json.loads(options.results.read_text("utf-8")) if options.results.is_file() else {}
    machine = {
        "cpu": processor(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
    }
    # Of this processor alone: pieces that another machine measured stand beside these, never among them.
    every = {**earlier.get(machine["cpu"], {}), **measured, "machine": machine}
    options.results.write_text(json.dumps({**earlier, machine["cpu"]: every}, indent=1) + "\n", encoding="utf-8")
    table = Table(
        "figure", "measured", "must be", "", title=f"{options.film.name} on {os.cpu_count()} cores", header_style="bold"
    )
    for name, value, limit, holds in verdicts(every):
        table.add_row(name, value, limit, "" if holds is None else "[green]holds" if holds else "[red]not reached")
    Console().print(table)
    return 0 if all(holds is not False for *_, holds in verdicts(every)) else 1


def processor() -> str:
    """Name the processor of this machine."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":")[1].strip()
    return platform.processor()


if __name__ == "__main__":
    sys.exit(main())
