"""What a run takes of a machine: memory, all its processes together, and room on the disk."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from scenefer.errors import printable

if TYPE_CHECKING:
    from scenefer.film import Film

_NETWORKS = 400.0  # MB of a worker before it decodes: interpreter, torch and the networks
_FRAMES = 48  # pictures of a film that decoder, queue and batch hold together, at most


def too_little_memory(bound: float, film: Film) -> bool:
    """Tell whether another piece of a film would take the run beyond ``bound`` MB; 0 is no bound."""
    if not bound:
        return False
    picture = film.width * film.height * 3 / 1e6
    return memory_in_use() + _NETWORKS + _FRAMES * picture > bound


def too_little_disk(folder: Path, least: float) -> str:
    """Say that a folder, which need not exist yet, has less than ``least`` MB free on its disk; "" where not."""
    place = folder.absolute()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free / 1e6
    if free >= least:
        return ""
    return f"{printable(folder)} has {free:.0f} MB left, less than {least:.0f}; free space and run again to go on"


def memory_in_use() -> float:
    """Sum up the resident memory of this process and of all below it, MB; 0 where the system does not say."""
    parents = _parents()
    family, pages = {os.getpid()}, 0
    for pid in sorted(parents, key=lambda pid: pid != os.getpid()):
        if parents[pid] in family:
            family.add(pid)
    for pid in family:
        with suppress(OSError, ValueError, IndexError):
            resident, shared = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1:3]
            pages += int(resident) - (int(shared) if pid != os.getpid() else 0)
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _parents() -> dict[int, int]:
    found: dict[int, int] = {}
    with suppress(OSError):
        for entry in os.listdir("/proc"):
            if entry.isdecimal():
                with suppress(OSError, ValueError, IndexError):
                    stat = Path(f"/proc/{entry}/stat").read_text(encoding="utf-8", errors="replace")
                    found[int(entry)] = int(stat.rpartition(")")[2].split()[1])
    return found
