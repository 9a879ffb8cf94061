"""Reads films whose paths come in on stdin, in a process of its own, and says on stdout what came of each.

A process that reads damaged files may crash, hang or eat memory: here it takes nobody with it.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

from tests.memory_used import peak


def read(path: Path, threads: int) -> dict[str, object]:
    """Read a film to its end: the number of frames, or the error that a user would see."""
    from scenefer.core.errors import SceneferError
    from scenefer.video import ReaderNotes, frames, probe

    notes = ReaderNotes()
    try:
        n_frames = sum(1 for _ in frames(probe(path), sample_rate=5, threads=threads, notes=notes))
    except SceneferError as error:
        return {"error": str(error)}
    notes.warnings()
    return {"frames": n_frames, "damaged": notes.n_damaged}


def main() -> None:
    """Answer each line, a path, by a line of JSON with the time and the memory that it took."""
    most = int(sys.argv[1])  # bytes of address space: a guard for the machine, above what a test allows
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    for number, line in enumerate(sys.stdin):
        began = time.monotonic()
        try:
            said = read(Path(line.rstrip("\n")), threads=number % 2)
        except BaseException as error:  # not named: the test fails by it, and goes on with the next file
            said = {"unnamed": f"{type(error).__name__}: {error}"}
        print(json.dumps({**said, "seconds": time.monotonic() - began, "peak": peak()}), flush=True)


if __name__ == "__main__":
    main()
