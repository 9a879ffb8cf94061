"""Putting a finished folder in the place of an older one, so that a kill loses neither.

<name>.<pid>.tmp        a run that is being written
<name>.<pid>.old.tmp    the run before, for the moment of the exchange; what else lay in its folder goes over to the new
.claims/                who writes which run; nothing else is in it, so that whoever finds it empty may remove it
"""

from __future__ import annotations

import errno
import os
import re
import shutil
from contextlib import suppress
from pathlib import Path

from scenefer.errors import OutputError, printable

RECORD = "run.json"  # by which a folder is known as a run
LOG = "log.txt"
CLAIMS = ".claims"  # no run is named so
_OWN = {"tables", "pictures", "report.html", RECORD, LOG}  # what a run writes into its folder
_ASIDE = re.compile(r"(?P<name>.+)\.\d+\.old\.tmp")
_TRIES = 3


def may_replace(folder: Path) -> bool:
    """Tell whether a run may take a place: there is nothing, an empty folder, or a run."""
    if not folder.is_dir():
        return not folder.exists()
    return (folder / RECORD).is_file() or not any(folder.iterdir())


def exchange(beside: Path, folder: Path, *, keep_others: bool = True) -> None:
    """Put a finished folder in the place of an older one.

    Args:
        keep_others: what lies in the older one and is no part of a run, figures and notes, goes over.

    Raises:
        OutputError: what is there is no run; it is left alone.
        OSError: something cannot be renamed.
    """
    if not may_replace(folder):
        raise OutputError(f"{printable(folder)} is there and is no report of scenefer; choose another --out")
    old = folder.with_name(f"{folder.name}.{os.getpid()}.old.tmp")
    for tries_left in reversed(range(_TRIES)):
        if folder.exists():
            os.rename(folder, old)
        try:
            os.rename(beside, folder)
            break
        except OSError as error:  # whoever took us for killed has put the old one back
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST) or not tries_left:
                raise
    if keep_others:
        _carry(old, folder)
    shutil.rmtree(old, ignore_errors=True)


def leftovers(folder: Path) -> tuple[list[Path], list[Path]]:
    """List what killed processes left beside a folder: earlier runs that were put aside, and unfinished ones."""
    named = re.compile(re.escape(folder.name) + r"\.\d+(?P<old>\.old)?\.tmp")
    found = [(path, match) for path in sorted(folder.parent.glob("*.tmp")) if (match := named.fullmatch(path.name))]
    return [path for path, match in found if match["old"]], [path for path, match in found if not match["old"]]


def restore(folder: Path) -> None:
    """Put right what a process that was killed while it wrote a run has left beside it.

    Raises:
        OSError: something cannot be renamed.
    """
    aside, unfinished = leftovers(folder)
    for old in aside:
        if not folder.exists():
            os.rename(old, folder)
        else:
            _carry(old, folder)
            shutil.rmtree(old, ignore_errors=True)
    for path in unfinished:
        shutil.rmtree(path, ignore_errors=True)


def restore_all(out: Path) -> None:
    """Put back every run that was put aside when its process was killed, where no new one has taken its place."""
    for old in sorted(out.glob("*.old.tmp")):
        if (match := _ASIDE.fullmatch(old.name)) and not (folder := out / match["name"]).exists():
            with suppress(OSError):  # the exchange goes on, or the folder cannot be written
                os.rename(old, folder)


def _carry(old: Path, folder: Path) -> None:
    """Move over what is no part of a run; what the new folder has stays."""
    with suppress(FileNotFoundError):  # there was no old one
        for path in sorted(old.iterdir()):
            if path.name not in _OWN and not (folder / path.name).exists():
                os.rename(path, folder / path.name)
