"""What a batch writes down while it works: which films failed and why, their logs, the tables of the library."""

from __future__ import annotations

import time
from pathlib import Path

from scenefer import claims, copies, exchange, failures, files, library, run
from scenefer.agenda import Task
from scenefer.errors import printable
from scenefer.film import path_id
from scenefer.language import ENGLISH, Language

_EVERY = 60.0  # seconds between updates of the library's tables, or longer where they take long
_SHARE = 20  # at most one twentieth of the time goes into them
_TRIES = 240  # half seconds, for another run's update to end


class Ledger:
    """The books of a library.

    Its methods raise OutputError where the folder of the reports cannot be written.
    """

    def __init__(self, out: Path, copy_to: str = "", language: Language = ENGLISH) -> None:
        self._out, self._copy_to, self._language = out, copy_to, language
        self._changed = False
        self._updated = time.monotonic()
        self._took = 0.0  # seconds, the last update of the tables

    def note(self, task: Task) -> None:
        """Keep why a film failed, or could be read in part; and of one that failed what befell it until then."""
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
        """Write the tables for the last time; another run that does at this moment may have read before, and is waited
        for.
        """
        if self._changed or not (self._out / "library" / "failures.parquet").is_file():
            self._write_tables(tries=_TRIES)
        if self._copy_to:
            copies.copy_library(self._out, self._copy_to)

    def _write_tables(self, tries: int) -> None:
        began = time.monotonic()
        for _ in range(tries):
            try:
                with claims.claim(self._out / "library" / "tables"):
                    self._changed = False
                    failures.write_tables(self._out, failures.read(self._out))
                    library.write(self._out, self._language)
                break
            except claims.Elsewhere:
                time.sleep(0.5)
        self._updated = time.monotonic()
        self._took = self._updated - began

    def _log(self, task: Task) -> None:
        """Write the log of a film that has no new report: beside its earlier one, if it has one."""
        name = f"{run.folder_name(task.path)}-{path_id(task.path)[:6]}.txt"
        place = self._out / "library" / "logs" / name if task.folder is None else task.folder / exchange.LOG
        content = "".join(f"{printable(line)}\n" for line in task.log).encode()
        files.write_result(place, content, "free space or choose another --out")
