"""Measure the time and memory that a film takes, and how many of its faces are found.

Wall time is compared with the floor: one process that only decodes, with PyAV's automatic threads. Make the films with
``make_long.sh``; nothing else should run on the machine meanwhile.

    python -m benchmarks.film long20.mp4 --long long60.mp4 --only floor,standard,fast
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
PIECES = ("floor", "standard", "fast", "yield", "minute", "long", "startup")
SAMPLED_HZ = 5.0  # how often memory is sampled
LIMITS = {"standard": 2.0, "fast": 1.4}  # wall time as a multiple of the floor
MOST_MEMORY = 1500.0  # MB


@dataclass(frozen=True)
class Cost:
    """The cost of one run of the command."""

    wall: float  # s, from start to exit
    cpu: float  # s, user and system, all processes
    peak: float  # MB, summed proportional set size of the process tree
    film_seconds: float

    @property
    def busy(self) -> float:
        """Share of the machine's cores that was at work, 0 to 1."""
        return self.cpu / self.wall / (os.cpu_count() or 1)


def decode_only(film: Path) -> float:
    """Decode a film in this process, drop every frame, and return the seconds it takes."""
    import av

    begin = time.perf_counter()
    with av.open(str(film)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        for _ in container.decode(stream):
            pass
    return time.perf_counter() - begin


def length(film: Path) -> float:
    """Return the length of a film, in seconds."""
    from scenefer import video

    return video.probe(film).duration or float("nan")


def analyse(film: Path, profile: str, work: Path) -> Cost:
    """Run ``scenefer analyze`` in fresh folders under ``work``, and measure its cost."""
    command = [sys.executable, "-m", "scenefer", "analyze", str(film), "--profile", profile]
    command += ["--out", str(work / "out"), "--data", str(work / "data")]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    peaks: list[float] = []
    watcher = threading.Thread(target=_watch_memory, args=(process, peaks), daemon=True)
    watcher.start()
    if process.wait():
        raise SystemExit(f"scenefer analyze {film} ended with {process.returncode}")
    wall = time.perf_counter() - begin
    watcher.join()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(wall, cpu, max(peaks), length(film))


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


def face_yield(film: Path, run: Path, *, windows: int = 40, seed: int = 1) -> dict[str, Any]:
    """Count how many faces of an unmodified MTCNN (score ≥ 0.9) a run has at IoU ≥ 0.5, in random two-second windows.

    MTCNN sees the frames that were sampled, at the size and with the smallest face of the run. Faces are paired one to
    one.
    """
    import numpy as np

    from benchmarks import others
    from scenefer.analysis import result
    from scenefer.core import geometry

    stored = result.load(run)
    seen = stored.run["settings"]["observation"]
    stock = others.StockMTCNN(seen["smallest_face"])
    total = length(film)
    starts = np.sort(np.random.default_rng(seed).uniform(0, max(total - 2.0, 0.01), windows))
    n_stock = n_found = n_samples = n_ours = 0
    for start in starts:
        span = (float(start), min(float(start) + 2.0, total))
        for at, picture, factor in others.sampled_pictures(film, seen["sample_rate"], span, seen["detection_pixels"]):
            theirs = stock.boxes(picture) * factor
            here = stored.faces[(stored.faces["time"] - at).abs() < 1e-4]
            ours = here[["x0", "y0", "x1", "y1"]].to_numpy(float)
            n_samples, n_stock, n_ours = n_samples + 1, n_stock + len(theirs), n_ours + len(ours)
            n_found += paired(geometry.iou(theirs, ours), 0.5)
    return {"samples": n_samples, "stock_faces": n_stock, "ours": n_ours, "found": n_found, "yield": n_found / n_stock}


def paired(overlaps: Any, least: float) -> int:
    """Count the rows of (N, M) overlaps that can be paired with a column, matching greedily by overlap."""
    import numpy as np

    open_overlaps, n = np.array(overlaps, float), 0
    while open_overlaps.size and open_overlaps.max() >= least:
        row, column = np.unravel_index(open_overlaps.argmax(), open_overlaps.shape)
        open_overlaps[row, :] = open_overlaps[:, column] = 0.0
        n += 1
    return n


def measure(film: Path, long: Path | None, minute: Path, pieces: Sequence[str], work: Path) -> dict[str, Any]:
    """Measure the chosen pieces; measure the floor before, between and after the runs, so that drift is visible."""
    measured: dict[str, Any] = {}
    floor = [decode_only(film)] if "floor" in pieces else []
    for profile in LIMITS:
        if profile in pieces:
            measured[profile] = analyse(film, profile, work / profile)
            floor += [decode_only(film)] if "floor" in pieces else []
    while floor and len(floor) < 3:  # if there were fewer runs in between
        floor.append(decode_only(film))
    if floor:
        measured["floor"] = {"median": statistics.median(floor), "runs": floor}
    if "yield" in pieces:
        run = work / "standard" / "out" / film.stem
        if not run.is_dir():
            raise SystemExit("the yield is counted on the standard run: add it to --only, or keep it with --work")
        measured["yield"] = face_yield(film, run)
    if "minute" in pieces:
        measured["minute"] = analyse(minute, "standard", work / "minute")
    if "long" in pieces and long:
        measured["long"] = analyse(long, "standard", work / "long")
    if "startup" in pieces:
        measured["startup"] = startup.measure()
    return {name: {**asdict(v), "busy": v.busy} if isinstance(v, Cost) else v for name, v in measured.items()}


def verdicts(measured: dict[str, Any]) -> list[tuple[str, str, str, bool | None]]:
    """Return every figure with its limit and whether it is met; None if there is no limit."""
    rows: list[tuple[str, str, str, bool | None]] = []
    floor = measured.get("floor", {}).get("median")
    if floor:
        runs = measured["floor"]["runs"]
        words = f"{floor:.1f} s, median of {min(runs):.1f} to {max(runs):.1f}"
        rows.append(("floor, decode only", words, "", None))
    for profile, limit in LIMITS.items():
        if cost := measured.get(profile):
            if floor:
                ratio = cost["wall"] / floor
                rows.append((f"{profile}, wall time", f"{ratio:.2f} × floor", f"≤ {limit} ×", ratio <= limit))
            rows.append((f"{profile}, wall time", f"{cost['wall']:.1f} s", "", None))
            rows.append((f"{profile}, peak memory", f"{cost['peak']:.0f} MB", "≤ 1500 MB", cost["peak"] <= MOST_MEMORY))
    if found := measured.get("yield"):
        words = f"{found['yield']:.3f} of {found['stock_faces']}"
        rows.append(("yield of MTCNN's faces", words, "≥ 0.95", found["yield"] >= 0.95))
    if cost := measured.get("minute"):
        rows.append(("cores busy, one-minute film", f"{cost['busy']:.0%}", "", None))
    if cost := measured.get("long"):
        rows.append(("long film, peak memory", f"{cost['peak']:.0f} MB", "≤ 1500 MB", cost["peak"] <= MOST_MEMORY))
        if standard := measured.get("standard"):
            change = cost["peak"] / standard["peak"] - 1
            rows.append(("long film, memory against the short", f"{change:+.1%}", "± 10 %", abs(change) <= 0.1))
    if answer := measured.get("startup"):
        words = f"{answer['best']:.2f} s"
        rows.append(("scenefer --help, best of five", words, f"≤ {startup.LIMIT} s", startup.is_quick(answer)))
        rows.append(("heavy modules that it loads", ", ".join(answer["heavy"]) or "none", "", None))
    return rows


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and store the figures along with earlier ones; return 1 if a limit is not met."""
    parser = argparse.ArgumentParser(
        prog="film", description="Measure how long a film takes, what that costs in memory, how many faces are found."
    )
    parser.add_argument("film", type=Path, help="twenty minutes of 1080p, by make_long.sh")
    parser.add_argument("--long", type=Path, help="sixty minutes of the same, for memory")
    parser.add_argument("--minute", type=Path, default=FILMS / "testfilm_720p25.mp4", help="about a minute")
    parser.add_argument("--only", default=",".join(PIECES), help=f"pieces to measure, of: {','.join(PIECES)}")
    parser.add_argument("--work", type=Path, help="keep the runs here; --only yield counts on the standard run in it")
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
    every = {**earlier, **measured, "machine": machine}
    options.results.write_text(json.dumps(every, indent=1) + "\n", encoding="utf-8")
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
