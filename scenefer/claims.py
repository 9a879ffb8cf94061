"""Who works on what, where several processes and machines share a folder: claims, which nobody holds twice or for ever.

    <place>.claim-1/             made by mkdir, which succeeds for one process only
      owner.json                 who holds it
      <random>/                  where the result is put together; publishing renames it to <place>
    <place>.claim-2/             of the process that took an abandoned claim over

A claim is abandoned when its process is gone, or when nobody has touched it for ``PATIENCE`` seconds by the clock of
the file system: machines need not agree on the time. Who takes over renames the older claim away first. So a late
owner, suspended or cut off for a while, finds the folder gone from which it would publish, however far it had come.
"""

from __future__ import annotations

import glob
import json
import os
import shutil
import socket
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from scenefer.errors import OutputError, SceneferError, unwritable

PATIENCE = 60.0  # seconds after which a claim that nobody has touched is abandoned
_BEATS = 6  # times that a living owner touches its claim within that time
_TRIES = 5  # at making a folder that another process, which has done with it, finds empty and removes


class Elsewhere(SceneferError):
    """Another process is at it, or has taken it over; ask again later."""


@contextmanager
def claim(place: Path, patience: float | None = None) -> Iterator[Path]:
    """Hold a place, a file or a folder to be made, against every other process that asks for it.

    Once it is held, look whether another process made the place in the meantime.

    Yields:
        An empty folder beside the place; what is put together there becomes the place by ``publish``.

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
            _fence(mine)  # renamed first: killed in the middle of it, a process leaves nothing that looks held


def publish(staging: Path, place: Path) -> None:
    """Make a finished staging folder the place; where the place exists already, it stays as it is.

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
    """Tell whether a claim was not taken over so far."""
    return staging.is_dir()


def sweep(folder: Path, patience: float = PATIENCE) -> None:
    """Remove the claims in a folder that were left by processes that were killed."""
    with suppress(OSError):
        _remove_fenced(folder, "*")
        for claimed in folder.glob("*.claim-*"):
            if _abandoned(claimed, patience):
                _fence(claimed)


def _make(folder: Path) -> None:
    for tries_left in reversed(range(_TRIES)):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            return
        except (FileNotFoundError, FileExistsError):  # a parent was there, or it itself, and is gone
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
            continue  # another was quicker: look again
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
    """Take away the folder from which a late owner would publish."""
    away = claimed.with_name(f"{claimed.name}.{uuid.uuid4().hex}.tmp")
    with suppress(FileNotFoundError):  # its owner ended after all
        os.rename(claimed, away)
    shutil.rmtree(away, ignore_errors=True)


def _remove_fenced(folder: Path, name: str) -> None:
    """Remove what was fenced by a process that was killed before it had removed it; nobody looks for it there."""
    for fenced in folder.glob(f"{name}.claim-*.tmp"):
        shutil.rmtree(fenced, ignore_errors=True)


def _abandoned(claimed: Path, patience: float) -> bool:
    try:
        owner = json.loads((claimed / "owner.json").read_text(encoding="utf-8"))
        if owner["machine"] == _machine() and _began(owner["pid"]) != owner["began"]:
            return True
    except (OSError, ValueError, KeyError, TypeError):
        pass  # made this moment, or by a process that died in it: its age tells
    try:
        touched = claimed.stat().st_mtime
    except OSError:
        return False  # it has just ended; the next look will tell
    # A clock that jumped back leaves claims of the future behind. Both ways a living owner's next beat mends it, and
    # until then the fence keeps a claim that was taken over too early from being published.
    return abs(_now(claimed.parent) - touched) > patience


def _now(folder: Path) -> float:
    """Ask the file system for the time: seconds, as its modification times count."""
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
            return  # taken over; publishing will find out
        except OSError:
            continue  # a share that is away for a moment


@cache
def _machine() -> str:
    """Name the running system whose process numbers mean the same: containers of one host are several."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return uuid.uuid4().hex  # not known here: claims are left to their age


def _began(pid: int) -> str | None:
    """Return when a process began, as the kernel counts, so that a number used again is not taken for it; or None."""
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
