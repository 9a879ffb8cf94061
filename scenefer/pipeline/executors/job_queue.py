"""The job queue of executors; some jobs wait for other jobs, or for another process."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

from scenefer.pipeline import locks
from scenefer.pipeline.executors.base import Outcome

_LATER = 1.0  # seconds until a job that another process holds is tried again
_END = object()


class JobQueue:
    """An iterator of jobs for executors; a job that another process holds is given out again later."""

    def __init__(self, jobs: Iterable[Any]) -> None:
        self._jobs = iter(jobs)
        self._first: deque[Any] = deque()
        self._later: deque[tuple[float, Any]] = deque()
        self.n_running = 0

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        if self._first:
            job = self._first.popleft()
        elif self._later and self._later[0][0] <= time.monotonic():
            job = self._later.popleft()[1]
        else:
            job = next(self._jobs, _END)
            if job is _END and (self._later or self.n_running):
                return None
            if job is _END:
                raise StopIteration
        self.n_running += job is not None
        return job

    def put_first(self, job: Any) -> None:
        """Queue a job before all other waiting jobs."""
        self._first.append(job)

    def settle(self, outcome: Outcome) -> bool:
        """Record that a job has ended; return False if it will be tried again."""
        self.n_running -= 1
        if isinstance(outcome.error, locks.Elsewhere):
            self._later.append((time.monotonic() + _LATER, outcome.job))
            return False
        return True

    def stop(self) -> None:
        """Give out no more jobs; running ones continue."""
        self._jobs = iter(())
        self._first.clear()
        self._later.clear()
