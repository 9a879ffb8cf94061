"""The folder of a run: its contents, its name, and how a new run replaces an older one.

<name>.<pid>.tmp        a run that is being written
<name>.<pid>.old.tmp    the previous run during the replacement; other files in its folder move to the new one
.claims/                locks: who writes which run; holds nothing else, so any process may remove it when empty
"""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from scenefer.core.errors import OutputError
from scenefer.core.film import Film
from scenefer.core.text import printable

RECORD = "run.json"  # a folder with this file is a run
REPORT = "report.html"
LOG = "log.txt"
PROXY = "proxy.mp4"  # a small copy of the film, if requested
CODING_PAGE = "validation.html"  # faces for people to judge
LIVE = "live.json"  # what is being recorded before a camera; gone once it is a run
RECORDED = "recorded"  # the chunks of it so far
EDITS = "edits.json"  # what somebody corrected by hand; it applies to the tables whenever they are read
FORMER_EDITS = "edits-before.json"  # those that it took the place of
_OWN = {"tables", "pictures", REPORT, RECORD, LOG, LIVE, RECORDED, EDITS}  # what a run writes into its folder

# Other entries in a folder of reports, next to the runs; no run may have these names.
LIBRARY = "library"
LIBRARY_PAGE = "library.html"
CLAIMS = ".claims"  # cannot clash with a run: names of run folders never begin with a dot
RESERVED = (LIBRARY, LIBRARY_PAGE)

LONGEST_NAME = 180  # bytes; file systems allow 255, and names of locks, logs and temporary folders extend a film's name
_NOT_IN_NAMES = r'[\x00-\x1f\x7f/\\:*?"<>|\ud800-\udfff]'
_ASIDE = re.compile(r"(?P<name>.+)\.\d+\.old\.tmp")
_TRIES = 3


def folder_name(path: Path) -> str:
    """Make a safe folder name from a film's name: short enough to be extended, and never ending in .tmp."""
    name = os.fsencode(re.sub(_NOT_IN_NAMES, "_", path.stem).strip(" ."))[:LONGEST_NAME]
    name = name.decode("utf-8", "ignore").strip(" .") or "film"
    return f"{name}_" if name.endswith(".tmp") else name


def report_folder(film: Film, out: Path, *, second: bool = False) -> Path:
    """Return the folder for a film's run: the film's name, plus six digits of its id if that folder is taken.

    Args:
        second: always add the digits.
    """
    name = folder_name(film.path)
    folder = out / name
    record = folder / RECORD
    if record.is_file():
        said = record.read_text(encoding="utf-8", errors="replace")
        # A session in which the film was played cannot be made again, as a report can.
        second = second or f'"id": "{film.id}"' not in said or '"recorded_live": ' in said
    if not may_replace(folder):  # such as the folder of stills itself
        second = True
    if second or name.lower() in RESERVED:
        return out / f"{name}-{film.id[:6]}"
    return folder


def run_of(path: Path) -> Path:
    """Return the run's folder, given it or its report or ``run.json``."""
    return path.parent if path.name in (REPORT, RECORD) and path.is_file() else path


def require_not_of_a_run(path: Path) -> None:
    """Refuse to write a file or a folder over what a run consists of: the run would be damaged, or the file lost.

    Raises:
        OutputError: it is such a part, or lies in one.
    """
    path = Path(os.path.realpath(path))
    for place in (path, *path.parents):
        if place.name in _OWN and (place.parent / RECORD).is_file():
            raise OutputError(f"{printable(path)} belongs to the run {printable(place.parent)}; choose another --to")


def runs_in(reports: Path) -> Iterator[Path]:
    """Yield the folders of finished runs in a folder of reports, sorted by name; nothing if it does not exist."""
    try:
        with os.scandir(reports) as entries:
            names = sorted(entry.name for entry in entries if entry.is_dir())
    except OSError:
        return
    for name in names:
        if name != LIBRARY and not name.endswith(".tmp") and (reports / name / RECORD).is_file():
            yield reports / name


def stamp_of(folder: Path) -> str:
    """Return a stamp of the run in a folder; it changes every time the run is written.

    Raises:
        OSError: the folder holds no run.
    """
    seen = (folder / RECORD).stat()
    return f"{seen.st_size}-{seen.st_mtime_ns}-{seen.st_ino}"


def may_replace(folder: Path) -> bool:
    """Tell whether a run may take a place: there is nothing, an empty folder, a run, or what is recorded to be one."""
    if not folder.is_dir():
        return not folder.exists()
    return any((folder / name).is_file() for name in (RECORD, LIVE)) or not any(folder.iterdir())


def exchange(beside: Path, folder: Path, *, keep_others: bool = True) -> None:
    """Replace an older run with a finished one.

    Args:
        beside: the finished run, in the same parent folder.
        folder: where the run belongs.
        keep_others: move files that are not part of a run, such as figures and notes, from the older folder to the new.

    Raises:
        OutputError: ``folder`` exists and is not a run; it is left unchanged.
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
        except OSError as error:  # another process thought we were killed and restored the old run
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST) or not tries_left:
                raise
    if keep_others:
        _carry(old, folder)
    shutil.rmtree(old, ignore_errors=True)


def leftovers(folder: Path) -> tuple[list[Path], list[Path]]:
    """List what killed processes left next to a folder: previous runs that were renamed aside, and unfinished runs."""
    named = re.compile(re.escape(folder.name) + r"\.\d+(?P<old>\.old)?\.tmp")
    found = [(path, match) for path in sorted(folder.parent.glob("*.tmp")) if (match := named.fullmatch(path.name))]
    return [path for path, match in found if match["old"]], [path for path, match in found if not match["old"]]


def restore(folder: Path) -> None:
    """Clean up after a process that was killed while it wrote a run: restore the old run, delete unfinished ones.

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
    """Restore every run that a killed process left renamed aside, unless a new run has taken its place."""
    for old in sorted(out.glob("*.old.tmp")):
        if (match := _ASIDE.fullmatch(old.name)) and not (folder := out / match["name"]).exists():
            with suppress(OSError):  # a replacement is in progress, or the folder is not writable
                os.rename(old, folder)


def _carry(old: Path, folder: Path) -> None:
    """Move files that are not part of a run to the new folder; existing files there are kept."""
    with suppress(FileNotFoundError):  # there was no old one
        for path in sorted(old.iterdir()):
            if path.name not in _OWN and not (folder / path.name).exists():
                os.rename(path, folder / path.name)
