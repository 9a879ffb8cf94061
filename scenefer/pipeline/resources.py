"""Resources that a run uses: memory of all its processes together, and free disk space."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from scenefer.core.text import printable

if TYPE_CHECKING:
    from scenefer.core.film import Film

_NETWORKS = 400.0  # MB of a worker before it decodes: interpreter, torch and the networks
_FRAMES = 48  # frames that decoder, queue and batch hold together, at most


def too_little_memory(bound: float, film: Film) -> bool:
    """Tell whether another chunk of a film would raise the run's memory above ``bound`` MB; 0 = no limit."""
    if not bound:
        return False
    picture = film.width * film.height * 3 / 1e6
    return memory_in_use() + _NETWORKS + _FRAMES * picture > bound


def too_little_disk(folder: Path, least: float) -> str:
    """Return a message if a folder's disk has less than ``least`` MB free, else ""; the folder need not exist yet."""
    place = folder.absolute()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free / 1e6
    if free >= least:
        return ""
    return f"{printable(folder)} has {free:.0f} MB left, less than {least:.0f}; free space and run again to go on"


def memory_in_use() -> float:
    """Sum the resident memory of this process and all its descendants, MB; shared pages count once."""
    own = psutil.Process()
    total = own.memory_info().rss
    for process in own.children(recursive=True):
        with suppress(psutil.Error):  # it has just ended
            memory = process.memory_info()
            total += memory.rss - getattr(memory, "shared", 0)  # only Linux reports "shared"
    return total / 1e6
