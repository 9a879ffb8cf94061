"""Copy reports to storage that is not a file system: a bucket, a server, anything that fsspec reaches by URL.

<url>/<film>/                                   a report; run.json is copied last and marks it as complete
<url>/library.html, library/films.parquet, library/failures.parquet, library/failures.csv

<out>/library/copies/<hash of the URL>/<film>   which run was copied, so that none is copied twice
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from scenefer.core import run_folder
from scenefer.core.errors import OutputError, PlanError

_FLAT = {"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "oss"}  # no folders: makedirs would create a bucket
_OF_ALL = (
    *(f"{run_folder.LIBRARY}/{name}" for name in ("films.parquet", "failures.parquet", "failures.csv")),
    run_folder.LIBRARY_PAGE,
)


def require_writable(url: str, out: Path) -> None:
    """Refuse a URL that cannot be written to, and the folder of the reports itself.

    Raises:
        PlanError: its protocol is unknown or not installed, the server does not answer, or it is ``out``.
    """
    try:
        storage, root = _storage(url)
    except Exception as error:  # of whichever library speaks the protocol
        said = " ".join(str(error).split()) or type(error).__name__
        raise PlanError(f"--copy-to {url}: {said}; s3:// needs: pip install 'scenefer[s3]'") from error
    if "file" in _protocols(storage) and Path(root).resolve().is_relative_to(out.resolve()):
        raise PlanError(f"--copy-to {url}: the reports lie there already; choose a folder outside --out")


def is_copied(folder: Path, out: Path, url: str) -> bool:
    """Tell whether the current version of a report was copied."""
    try:
        return _note(folder, out, url).read_text(encoding="ascii") == run_folder.stamp_of(folder)
    except OSError:
        return False


def copy(folder: Path, out: Path, url: str, progress: Callable[[float], None]) -> None:
    """Copy a report over an earlier one, and remove files that only the earlier one had.

    Raises:
        OutputError: it cannot be written there.
    """
    with _answered(url):
        stamp = run_folder.stamp_of(folder)
        names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
        storage, root = _storage(url)
        place = f"{root}/{folder.name}/"
        there = {str(name).removeprefix(place) for name in storage.find(place)}
        for name in sorted(there & {run_folder.RECORD}) + sorted(there - names - {run_folder.RECORD}):
            storage.rm_file(f"{place}{name}")
        for name in sorted(names, key=lambda name: (name == run_folder.RECORD, name)):
            _put(storage, folder / name, f"{place}{name}")
            progress(0.0)  # a sign of life
        note = _note(folder, out, url)
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text(stamp, encoding="ascii")


def copy_library(out: Path, url: str) -> None:
    """Copy the page and the tables of the whole library; a run's own tables lie with its report.

    Raises:
        OutputError: they cannot be written there.
    """
    with _answered(url):
        storage, root = _storage(url)
        for name in _OF_ALL:
            if (out / name).is_file():
                _put(storage, out / name, f"{root}/{name}")


@contextmanager
def _answered(url: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # of whichever library speaks the protocol
        said = f"{url} cannot be written: {type(error).__name__}: {error}"
        raise OutputError(f"{said}; see to it that it can be reached, and run again") from error


def _storage(url: str) -> tuple[Any, str]:
    """Return the file system of a URL, and the path in it."""
    from fsspec.core import url_to_fs

    storage, root = url_to_fs(url)
    return storage, root.rstrip("/")


def _protocols(storage: Any) -> set[str]:
    return {storage.protocol} if isinstance(storage.protocol, str) else set(storage.protocol)


def _put(storage: Any, file: Path, place: str) -> None:
    if not _protocols(storage) & _FLAT:
        storage.makedirs(place.rpartition("/")[0], exist_ok=True)
    storage.put_file(str(file), place)


def _note(folder: Path, out: Path, url: str) -> Path:
    return out / run_folder.LIBRARY / "copies" / hashlib.sha256(url.encode()).hexdigest()[:16] / folder.name
