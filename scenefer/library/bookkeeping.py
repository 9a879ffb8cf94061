"""What a batch writes down while it works: which films failed and why, their logs, the tables of the library."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

from scenefer.core import atomic, run_folder
from scenefer.core.film import path_id
from scenefer.core.language import ENGLISH, Language
from scenefer.core.text import printable
from scenefer.library import catalogue, failures, upload
from scenefer.library.planner import Task
from scenefer.pipeline import locks

_EVERY = 60.0  # seconds between updates of the library's tables, at least; more if an update takes long
_SHARE = 20  # at most 1/20 of the time is spent on these updates
_TRIES = 240  # waits of 0.5 s for another run's update to end


class Ledger:
    """The failures, logs and tables of a library, kept up to date during a run.

    Its methods raise OutputError where the folder of the reports cannot be written.
    """

    def __init__(self, out: Path, copy_to: str = "", language: Language = ENGLISH) -> None:
        self._out, self._copy_to, self._language = out, copy_to, language
        self._changed = False
        self._updated = time.monotonic()
        self._took = 0.0  # seconds, the last update of the tables

    def note(self, task: Task) -> None:
        """Store why a film failed or was only partly readable; if it failed, also write its log."""
        assert task.failure is not None
        self._changed = True
        failures.note(self._out, task.path, task.failure)
        if task.state == "failed" and task.log:
            self._log(task)

    def forget(self, task: Task) -> None:
        """Forget a film's failure: it succeeded."""
        self._changed = True
        failures.forget(self._out, task.path)

    def update_tables(self) -> None:
        """Write the tables of the whole library, seldom enough that the films do not wait for them."""
        if self._changed and time.monotonic() - self._updated > max(_EVERY, _SHARE * self._took):
            self._write_tables(tries=1)

    def close(self) -> None:
        """Write the final tables; wait for a concurrent writer, which may have read older data.

        Also clean up after killed runs: remove their claims, and rewrite tables that lack the last reports.
        """
        library, held = self._out / run_folder.LIBRARY, self._out / run_folder.CLAIMS
        n_left = locks.sweep(library)
        locks.sweep(held)
        with suppress(OSError):  # another run is reporting a film, or the folder does not exist
            held.rmdir()
        noted = (library / "failures.parquet").is_file()
        if self._changed or n_left or not noted or catalogue.is_behind(self._out):
            self._write_tables(tries=_TRIES)
        if self._copy_to:
            upload.copy_library(self._out, self._copy_to)

    def _write_tables(self, tries: int) -> None:
        began = time.monotonic()
        for _ in range(tries):
            try:
                with locks.claim(self._out / run_folder.LIBRARY / "tables"):
                    self._changed = False
                    failures.write_tables(self._out, failures.read(self._out))
                    catalogue.write(self._out, self._language)
                break
            except locks.Elsewhere:
                time.sleep(0.5)
        self._updated = time.monotonic()
        self._took = self._updated - began

    def _log(self, task: Task) -> None:
        """Write the log of a film that has no new report: into the folder of its earlier report, if it has one."""
        name = f"{run_folder.folder_name(task.path)}-{path_id(task.path)[:6]}.txt"
        place = self._out / run_folder.LIBRARY / "logs" / name if task.folder is None else task.folder / run_folder.LOG
        content = "".join(f"{printable(line)}\n" for line in task.log).encode()
        atomic.write_result(place, content, "free space or choose another --out")
