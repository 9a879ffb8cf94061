"""Claims on places in a folder that several processes and machines share: each has one holder and can expire.

    <place>.claim-1/             made by mkdir, which succeeds in one process only
      owner.json                 who holds it
      <random>/                  staging: the result is built here; publishing renames it to <place>
    <place>.claim-2/             of the process that took an abandoned claim over

A claim is abandoned if its process is gone, or if it was not touched for ``PATIENCE`` seconds by the clock of the file
system, so machines need not agree on the time. The process that takes over first renames the older claim away. So a
late owner, which was suspended or disconnected for a while, finds its staging folder gone and cannot publish, however
far it had got.
"""

from __future__ import annotations

import glob
import json
import os
import re
import shutil
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from scenefer.core.errors import OutputError, SceneferError, unwritable
from scenefer.core.run_folder import CLAIMS, RECORD
from scenefer.core.text import printable

PATIENCE = 60.0  # seconds after which an untouched claim is abandoned
_BEATS = 6  # times that a living owner touches its claim within that time
_CLAIM = re.compile(r"(?P<place>.+)\.claim(-\d+)?")  # older versions wrote no number
_TRIES = 5  # attempts to create a folder that another process may remove at the same time, because it is empty


class Elsewhere(SceneferError):
    """Another process holds the claim, or has taken it over; try again later."""


@contextmanager
def claim(place: Path, patience: float | None = None) -> Iterator[Path]:
    """Claim a place, a file or folder to be made, so that no other process makes it.

    Once you hold the claim, check whether another process made the place in the meantime.

    Yields:
        An empty staging folder next to the place; ``publish`` renames it to the place.

    Raises:
        Elsewhere: another process holds it, or took it over.
        OutputError: the folder of the place cannot be written.
    """
    patience = PATIENCE if patience is None else patience
    try:
        _make(place.parent)
    except OSError as error:
        raise _unwritable(place, error) from error
    try:
        mine = _acquire(place, patience)
        staging = mine / uuid.uuid4().hex
        staging.mkdir()
    except FileNotFoundError as error:
        raise Elsewhere(f"{place} was taken over by another run") from error
    except OSError as error:
        raise _unwritable(place, error) from error
    ended = threading.Event()
    heart = threading.Thread(target=_beat, args=(mine, patience / _BEATS, ended), daemon=True)
    heart.start()
    try:
        yield staging
    finally:
        ended.set()
        heart.join()
        with suppress(OSError):
            _fence(mine)  # renames before deleting: a process killed in between leaves nothing that looks held


@contextmanager
def rewriting(folder: Path, holding: Path | None = None) -> Iterator[None]:
    """Keep other processes from writing a run from when it is read until it is written again.

    Without a run there is nothing to protect, and whoever reads it says so.

    Args:
        holding: a place that this process has claimed already.

    Raises:
        Elsewhere: another process writes it.
        OutputError: the folder of the run cannot be written.
    """
    folder = Path(os.path.realpath(folder))
    place = folder.parent / CLAIMS / folder.name
    if not (folder / RECORD).is_file() or (holding is not None and Path(os.path.realpath(holding)) == place):
        yield
        return
    try:
        with claim(place):
            yield
    except Elsewhere as error:
        said = f"{printable(folder)} is being written by another process; repeat when that has ended"
        raise Elsewhere(said) from error
    finally:
        with suppress(OSError):  # another run is being written
            place.parent.rmdir()


def publish(staging: Path, place: Path) -> None:
    """Rename a finished staging folder to the place; if the place already exists, leave it unchanged.

    Raises:
        Elsewhere: the claim was taken over.
        OSError: the folder cannot be written.
    """
    try:
        os.rename(staging, place)
    except FileNotFoundError as error:
        raise Elsewhere(f"{place} was taken over by another run") from error
    except OSError:
        if not place.is_dir():
            raise


def still_held(staging: Path) -> bool:
    """Tell whether a claim has not been taken over."""
    return staging.is_dir()


def held(folder: Path, patience: float = PATIENCE) -> Iterator[tuple[str, float]]:
    """Yield the names of claimed places in a folder, and the seconds since their last heartbeat.

    A claim that was not touched for ``patience`` seconds, by this machine's clock, is left out.
    """
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return
    for claimed in filter(None, map(_CLAIM.fullmatch, names)):
        with suppress(OSError):  # it has just ended
            age = time.time() - (folder / claimed[0]).stat().st_mtime
            if age <= patience:
                yield claimed["place"], age


def sweep(folder: Path, patience: float = PATIENCE) -> int:
    """Remove the claims in a folder that killed processes left; return their number."""
    n_left = 0
    with suppress(OSError):
        _remove_fenced(folder, "*")
        for claimed in folder.glob("*.claim-*"):
            if _abandoned(claimed, patience):
                _fence(claimed)
                n_left += 1
    return n_left


def _make(folder: Path) -> None:
    for tries_left in reversed(range(_TRIES)):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            return
        except (FileNotFoundError, FileExistsError):  # the folder or a parent existed a moment ago and was removed
            if not tries_left:
                raise


def _acquire(place: Path, patience: float) -> Path:
    while True:
        older = _claims(place)
        if older and not _abandoned(older[-1][1], patience):
            raise Elsewhere(f"{place} is being made by another run")
        mine = place.with_name(f"{place.name}.claim-{older[-1][0] + 1 if older else 1}")
        try:
            mine.mkdir()
        except FileExistsError:
            continue  # another process was faster: check again
        (mine / "owner.json").write_text(json.dumps(_this_process()), encoding="utf-8")
        for _, claimed in older:
            _fence(claimed)
        _remove_fenced(place.parent, glob.escape(place.name))
        return mine


def _claims(place: Path) -> list[tuple[int, Path]]:
    prefix = f"{place.name}.claim-"
    numbered = []
    with os.scandir(place.parent) as entries:
        for entry in entries:
            number = entry.name.removeprefix(prefix)
            if number != entry.name and number.isdecimal():
                numbered.append((int(number), Path(entry.path)))
    return sorted(numbered)


def _fence(claimed: Path) -> None:
    """Remove a claim, so that a late owner can no longer publish from it."""
    away = claimed.with_name(f"{claimed.name}.{uuid.uuid4().hex}.tmp")
    with suppress(FileNotFoundError):  # its owner has released it in the meantime
        os.rename(claimed, away)
    shutil.rmtree(away, ignore_errors=True)


def _remove_fenced(folder: Path, name: str) -> None:
    """Remove renamed claims left by a process that was killed before it could delete them; nothing uses them."""
    for fenced in folder.glob(f"{name}.claim-*.tmp"):
        shutil.rmtree(fenced, ignore_errors=True)


def _abandoned(claimed: Path, patience: float) -> bool:
    try:
        owner = json.loads((claimed / "owner.json").read_text(encoding="utf-8"))
        if owner["machine"] == _machine() and _began(owner["pid"]) != owner["began"]:
            return True
    except (OSError, ValueError, KeyError, TypeError):
        pass  # just being made, or its process died while making it: its age decides
    try:
        touched = claimed.stat().st_mtime
    except OSError:
        return False  # it has just been released; the next check will see that
    # abs: a clock that jumped back leaves claims dated in the future. Whichever way the clock jumped, a living owner's
    # next touch corrects the age. If the claim is taken over before that, the owner cannot publish, because its claim
    # was renamed.
    return abs(_now(claimed.parent) - touched) > patience


def _now(folder: Path) -> float:
    """Return the current time by the file system's clock, in seconds, comparable to modification times."""
    probe = folder / f"{uuid.uuid4().hex}.tmp"
    probe.touch(exist_ok=False)
    try:
        return probe.stat().st_mtime
    finally:
        probe.unlink(missing_ok=True)


def _beat(mine: Path, every: float, ended: threading.Event) -> None:
    while not ended.wait(every):
        try:
            os.utime(mine)
        except FileNotFoundError:
            return  # taken over; publishing will fail
        except OSError:
            continue  # a network share may be unavailable for a moment


@cache
def _machine() -> str:
    """Return an id of the running system within which process ids are valid; each container has its own."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return uuid.uuid4().hex  # unknown on this system: only the age of claims decides


def _began(pid: int) -> str | None:
    """Return a process's start time in kernel ticks, to detect a reused process id; None if it does not run."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    state, *rest = stat.rpartition(")")[2].split()
    return None if state in "ZX" else rest[18]


def _this_process() -> dict[str, str | int | None]:
    pid = os.getpid()
    return {"host": socket.gethostname(), "machine": _machine(), "pid": pid, "began": _began(pid)}


def _unwritable(place: Path, error: OSError) -> OutputError:
    return unwritable(place, error, "free space or choose another --out and --data")
