"""Measure how runs over a library scale: two workers against one, rerunning a finished library, planning many films."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil

RESULTS = Path(__file__).parent / "results" / "library.json"
PIECES = ("scaling", "finished", "planning")

_PLAN = """
import json, resource, sys, time
from pathlib import Path
from scenefer.library import discovery
from scenefer.library.orders import Order
from scenefer.library.batch import Batch
from scenefer.pipeline.plans import make_plan
begin, busy = time.perf_counter(), time.process_time()
root = Path(sys.argv[1])
found = discovery.find_films([root / "films"])
batch = Batch(Order([film.path for film in found], make_plan(), root / "data", root / "reports"))
todo = batch.queue.to_do()
print(json.dumps({
    "films": len(found), "to_do": len(todo),
    "seconds": time.perf_counter() - begin, "cpu": time.process_time() - busy,
    "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3,
}))
"""


def varied(film: Path, folder: Path, n: int) -> Path:
    """Write ``n`` films with the same pictures but different content: each ends with a "free" box of its number."""
    folder.mkdir(parents=True)
    content = film.read_bytes()
    for k in range(n):
        (folder / f"{k:06}.mp4").write_bytes(content + struct.pack(">I4sQ", 16, b"free", k))
    return folder


def tiny_film(path: Path) -> Path:
    """Write a second of small grey pictures."""
    import av
    import numpy as np

    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=5, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 64, 36, "yuv420p"
        for k in range(5):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((36, 64, 3), 90 + k, np.uint8))))
        container.mux(stream.encode(None))
    return path


def run(library: Path, work: Path, workers: int, cores: int | None = None) -> tuple[float, list[float]]:
    """Run a batch; wall seconds, and the resident memory of its driver, MB, twice a second."""
    before = os.sched_getaffinity(0)
    if cores is not None:
        os.sched_setaffinity(0, sorted(before)[:cores])  # inherited by the batch
    arguments = ["batch", library, "--out", work / "reports", "--workers", str(workers), "--json"]
    begin = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "scenefer", *map(str, arguments)], stdout=subprocess.DEVNULL)
    os.sched_setaffinity(0, before)
    sampled: list[float] = []
    sampler = threading.Thread(target=_sample, args=(process, sampled))
    sampler.start()
    code = process.wait()
    sampler.join()
    if code:
        raise SystemExit(f"the batch ended with {code}")
    return time.perf_counter() - begin, sampled


def scaling(film: Path, work: Path) -> dict[str, Any]:
    """Time four films of equal length with one worker and with two, each with a core.

    The cores are limited because a worker decodes ahead in a second thread, which would use part of an idle second
    core.
    """
    library = varied(film, work / "four", 4)
    walls = {workers: run(library, work / f"by_{workers}", workers, workers)[0] for workers in (1, 2)}
    return {"one": walls[1], "two": walls[2], "ratio": walls[1] / walls[2]}


def finished(work: Path, n: int) -> dict[str, Any]:
    """Run over ``n`` tiny films, sampling the main process's memory, then run over the finished library again."""
    library = varied(tiny_film(work / "tiny.mp4"), work / "many", n)
    wall, sampled = run(library, work / "done", os.cpu_count() or 1)
    again, _ = run(library, work / "done", os.cpu_count() or 1)
    settled = sampled[len(sampled) // 10 :]  # skips the time of imports
    half = len(settled) // 2
    growth = max(settled[half:]) - max(settled[:half])
    return {"films": n, "first": wall, "again": again, "driver_peak_mb": max(sampled), "driver_growth_mb": growth}


def planning(work: Path, n: int) -> dict[str, Any]:
    """Plan ``n`` films of two hours that were probed but not read."""
    from fractions import Fraction

    from scenefer.core.film import Film
    from scenefer.pipeline import probe_cache

    films = work / "films"
    for k in range(n):
        path = films / f"{k // 1000:03}" / f"{k:06}.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(str(k).encode())
        key_frames = tuple(float(second) for second in range(0, 7200, 8))
        film = Film(path, f"{k:016x}", 1920, 1080, 7200.0, Fraction(25), key_frames=key_frames)
        probe_cache.remember(film, work / "data")
    done = subprocess.run([sys.executable, "-c", _PLAN, str(work)], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def verdicts(measured: dict[str, Any]) -> list[tuple[str, str, str, bool]]:
    """Return every figure with its limit and whether it is met."""
    rows = []
    if found := measured.get("scaling"):
        words = f"{found['ratio']:.2f} × ({found['one']:.1f} s, {found['two']:.1f} s)"
        rows.append(
            ("two workers on two cores against one on one, four films", words, "≥ 1.7 ×", found["ratio"] >= 1.7)
        )
    if found := measured.get("finished"):
        limit = 5.0 * max(1.0, found["films"] / 1000)
        words = f"{found['again']:.1f} s"
        rows.append((f"a finished library of {found['films']} films", words, f"≤ {limit:g} s", found["again"] <= limit))
        words = f"{found['driver_growth_mb']:+.1f} MB, peak {found['driver_peak_mb']:.0f} MB"
        rows.append(("driver's memory, second half of the run", words, "≤ 10 MB more", found["driver_growth_mb"] <= 10))
    if found := measured.get("planning"):
        words = f"{found['seconds']:.1f} s ({found['cpu']:.1f} s of a processor), {found['peak_mb']:.0f} MB"
        holds = found["seconds"] <= 60 and found["peak_mb"] <= 1000
        rows.append((f"planning {found['films']} films", words, "≤ 60 s, ≤ 1000 MB", holds))
    return rows


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and store the figures; return 1 if a limit is not met."""
    parser = argparse.ArgumentParser(prog="library", description="Measure how a run over a library scales.")
    parser.add_argument("--film", type=Path, help="for the scaling; else the demo film")
    parser.add_argument("--films", type=int, default=1000, help="tiny films of the finished library")
    parser.add_argument("--planned", type=int, default=100_000, help="films to be planned")
    parser.add_argument("--only", default=",".join(PIECES), help=f"pieces to measure, of: {','.join(PIECES)}")
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    measured: dict[str, Any] = {}
    for piece in options.only.split(","):
        scratch = Path(tempfile.mkdtemp())
        try:
            if piece == "scaling":
                measured[piece] = scaling(options.film or _demo(scratch), scratch)
            elif piece == "finished":
                measured[piece] = finished(scratch, options.films)
            elif piece == "planning":
                measured[piece] = planning(scratch, options.planned)
            else:
                parser.error(f"no such piece: {piece}")
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    earlier = json.loads(options.results.read_text("utf-8")) if options.results.is_file() else {}
    every = {**earlier, **measured, "cores": os.cpu_count()}
    options.results.write_text(json.dumps(every, indent=1) + "\n", encoding="utf-8")
    for name, value, limit, holds in verdicts(measured):
        print(f"{name}: {value} (must be {limit}): {'holds' if holds else 'NOT REACHED'}")
    return 0 if all(holds for *_, holds in verdicts(measured)) else 1


def _demo(folder: Path) -> Path:
    from scenefer.demo import write_demo

    return write_demo(folder / "demo")[0]


def _sample(process: subprocess.Popen[bytes], sampled: list[float]) -> None:
    driver = psutil.Process(process.pid)
    while process.poll() is None:
        try:
            sampled.append(driver.memory_info().rss / 1e6)
        except psutil.NoSuchProcess:
            return
        time.sleep(0.5)


if __name__ == "__main__":
    sys.exit(main())
