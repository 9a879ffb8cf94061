"""The program as it is called: short films to call it on, and what it says and leaves behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np

QUICK = ("--profile", "fast", "--workers", "1")


def scenefer(
    *arguments: str | bytes | Path, cwd: Path, limit: float = 240, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run the program in an interpreter of its own; what it prints need not be UTF-8."""
    return subprocess.run(
        command(arguments), cwd=cwd, env=environment_of(environment), capture_output=True, text=True,
        errors="surrogateescape", timeout=limit,
    )  # fmt: skip


def command(arguments: Sequence[str | bytes | Path]) -> list[str | bytes | Path]:
    return [sys.executable, "-m", "scenefer", *arguments]


def environment_of(more: dict[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SCENEFER_")}
    return {**kept, "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1", **more}


def complaints(done: subprocess.CompletedProcess[str]) -> list[str]:
    """The lines on stderr; a traceback is none that a user should see."""
    assert "Traceback" not in done.stderr, done.stderr
    return done.stderr.splitlines()


def make_film(path: Path | bytes, seconds: float, *, rate: int = 10, size: tuple[int, int] = (320, 180)) -> None:
    """Write moving noise with a key frame every second: nothing to see, plenty to look at."""
    noise = np.random.default_rng(3).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    with av.open(os.fsdecode(path), "w", format="matroska") as container:
        stream = container.add_stream("libx264", rate=rate, options={"g": str(rate), "preset": "ultrafast"})
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        for k in range(round(seconds * rate)):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.roll(noise, k, axis=1))))
        container.mux(stream.encode(None))


def finished_chunks(cache: Path) -> dict[Path, tuple[int, int]]:
    """Name every finished chunk, with what would change if it were made again; what is under a claim lies deeper."""
    manifests = cache.glob("observed/*/*/*/manifest.json")
    return {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in manifests}


def heed_interrupts() -> None:
    """Answer Ctrl-C although the tests run in the background of a shell, where children learn to ignore it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
