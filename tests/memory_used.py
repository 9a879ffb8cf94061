"""How much memory a process has taken at most.

``getrusage`` does not say: its figure is never reset, and a process inherits that of the one that started it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def peak() -> int:
    """Return the most memory that this process has held since it began, or since its ``at_most``, bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) * 1024


@contextmanager
def at_most(megabytes: float) -> Iterator[None]:
    """Hold that what is done within takes no more memory than this above what is held already."""
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew from what is held now
    before = peak()
    yield
    assert (peak() - before) / 1e6 < megabytes
