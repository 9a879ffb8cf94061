"""Shared by all executors: the types of jobs and outcomes, and the conversion of a job's error into a message."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Generator, Iterable
from typing import Any, NamedTuple, Protocol

from scenefer.core.errors import SceneferError, WorkerError
from scenefer.core.text import printable

Work = Callable[[Any, Callable[[float], None]], None]
Progress = Callable[[Any, float], None]  # job, film time reached within it
Executor = Callable[[Work, Iterable[Any], int, Progress], Generator["Outcome"]]

PATIENCE = 300.0  # seconds without progress after which a worker hangs
NAP = 0.2  # seconds between two checks of the workers

_WITHOUT_MEMORY = ("allocate memory", "insufficient memory", "start new thread", "failed to map")  # as libraries say it


class ExecutorSettings(Protocol):
    """The settings of a plan's [run] that an executor may use; see ``plans.RunSettings``."""

    @property
    def executor(self) -> str: ...

    @property
    def address(self) -> str: ...

    @property
    def gpus(self) -> float: ...

    @property
    def patience(self) -> float: ...


class Outcome(NamedTuple):
    """A job that has ended; it succeeded if ``error`` is None."""

    job: Any
    error: SceneferError | None


def attempt(work: Work, job: Any, report: Callable[[float], None]) -> SceneferError | None:
    """Do a job; return its error, or None."""
    try:
        work(job, report)
    except Exception as error:
        return answerable(error, job)
    return None


def answerable(error: Exception, job: Any) -> SceneferError:
    """Convert any exception of a job into an error that says what to do; the traceback is attached as a note."""
    if isinstance(error, SceneferError):
        return error
    if isinstance(error, MemoryError) or any(words in str(error).lower() for words in _WITHOUT_MEMORY):
        found = worker_error(job, "a worker ran out of memory", "run again with fewer --workers, or with --max-memory")
    else:
        said = f"a mistake of scenefer: {type(error).__name__}: {printable(str(error))}"
        found = worker_error(job, said, "please report it with the film's log.txt")
    found.add_note("".join(traceback.format_exception(error)))
    return found


def worker_error(job: Any, why: str, remedy: str) -> WorkerError:
    """Make an error from the film, what happened to the worker, and what to do."""
    return WorkerError(f"{printable(job.path)}: {why}; {remedy}")
