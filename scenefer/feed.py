"""Jobs in the order in which executors take them, where some wait for others, or for another process."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

from scenefer import claims, executors

_LATER = 1.0  # seconds until a job that another process is at is asked for again
_END = object()


class Feed:
    """Jobs in order, as executors take them; those that another process is at come again later."""

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
        """Have a job done before all others that wait."""
        self._first.append(job)

    def settle(self, outcome: executors.Outcome) -> bool:
        """Take note that a job has ended; whether for good."""
        self.n_running -= 1
        if isinstance(outcome.error, claims.Elsewhere):
            self._later.append((time.monotonic() + _LATER, outcome.job))
            return False
        return True

    def stop(self) -> None:
        """Give out nothing more; what runs goes on."""
        self._jobs = iter(())
        self._first.clear()
        self._later.clear()
