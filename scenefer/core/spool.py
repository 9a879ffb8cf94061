"""Pictures that lie in a file instead of in memory, where those of a long film would fill hundreds of megabytes."""

from __future__ import annotations

import tempfile
import threading
import weakref
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import IO

from scenefer.core.errors import OutputError, unwritable


class Spooled:
    """A picture in a spool; ``bytes`` reads it."""

    __slots__ = ("_n", "_spool", "_start")

    def __init__(self, spool: Spool, start: int, n: int) -> None:
        self._spool, self._start, self._n = spool, start, n

    def __bytes__(self) -> bytes:
        return self._spool.read(self._start, self._n)

    def __len__(self) -> int:
        return self._n


class Spool:
    """An unnamed file, which is gone with the process, or once nothing in it is referred to.

    Args:
        folder: on the disk that takes it.

    Raises:
        OutputError: the folder cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed when nothing refers to it
        except OSError as error:
            raise self._unwritable(error) from error
        weakref.finalize(self, _close, self._file)
        self._end = 0
        self._lock = threading.Lock()

    def put(self, pictures: Iterable[bytes | None]) -> list[Spooled | None]:
        """Store pictures; None stays None.

        Raises:
            OutputError: the disk is full.
        """
        places: list[Spooled | None] = []
        try:
            with self._lock:
                self._file.seek(self._end)
                for picture in pictures:
                    places.append(None if picture is None else Spooled(self, self._end, len(picture)))
                    if picture is not None:
                        self._file.write(picture)
                        self._end += len(picture)
                self._file.flush()
        except OSError as error:
            raise self._unwritable(error) from error
        return places

    def read(self, start: int, n: int) -> bytes:
        """Read ``n`` bytes."""
        with self._lock:
            self._file.seek(start)
            return self._file.read(n)

    def _unwritable(self, error: OSError) -> OutputError:
        return unwritable(self._folder, error, "free space or choose another --out")


def _close(file: IO[bytes]) -> None:
    with suppress(OSError):  # a full disk does not take what is left to write either
        file.close()
