"""The loop that reads and finishes films, a single one or a library, through any executor."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from os import cpu_count
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from scenefer.pipeline import resources
from scenefer.pipeline.executors.base import Executor, Outcome, Work
from scenefer.pipeline.executors.job_queue import JobQueue
from scenefer.pipeline.executors.serial import serial
from scenefer.pipeline.film_work import FilmWork

if TYPE_CHECKING:
    from scenefer.pipeline.plans import RunSettings

_DISK_EVERY = 2.0  # seconds between two checks of the free space


class Crew(NamedTuple):
    """The executor that does the jobs, with its number of workers."""

    executor: Executor
    workers: int
    threads: int = 1  # of a chunk's decoder; 0 = one per core


def crew_for(executor: Executor, settings: RunSettings, n_jobs: int) -> Crew:
    """Choose the executor for films that were asked for by name.

    Chunks that are read one after the other in this process, because that was asked for, or the film cannot be divided,
    or only one is left, are decoded with all cores.
    """
    workers = min(settings.workers or cpu_count() or 1, n_jobs)
    return Crew(serial, 1, threads=0) if workers <= 1 or executor is serial else Crew(executor, workers)


class Scheduler:
    """The films being processed, and the queue from which an executor takes their jobs.

    Args:
        folders: that are written; if their disks have too little space, no new job starts.
    """

    def __init__(self, settings: RunSettings, folders: Sequence[Path]) -> None:
        self.in_work: dict[Path, FilmWork] = {}
        self.stopped = ""  # why no new job starts
        self._settings, self._folders = settings, folders
        self._queue = JobQueue(())
        self._disk_looked = time.monotonic() - _DISK_EVERY

    def run(
        self, jobs: Iterable[Any], do: Work, crew: Crew, tell: Callable[[Any], None]
    ) -> Generator[tuple[Outcome, FilmWork | None]]:
        """Run jobs and all jobs that follow from them: those of films (see ``begin``) and others.

        Close the generator to abandon running jobs and end the workers.

        Args:
            do: does a job.
            tell: called with every job that makes progress.

        Yields:
            Each ended job and its film; None for jobs without one, and if the film has failed meanwhile.
        """
        self._queue = JobQueue(jobs)
        if self.stopped:
            self._queue.stop()

        def reach(job: Any, seconds: float) -> None:
            if film := self.in_work.get(job.path):
                film.reach(job, seconds)
            tell(job)

        outcomes = crew.executor(do, self._queue, crew.workers, reach)
        try:
            for outcome in outcomes:
                film = self.in_work.get(outcome.job.path)
                if self._queue.settle(outcome) and film is not None:
                    self._settle(film, outcome)
                yield outcome, film
        finally:
            outcomes.close()  # ends its workers at once
            self.in_work.clear()

    def begin(self, film: FilmWork) -> Iterator[Any]:
        """Give out the first jobs of a film; None among them means: ask again once another job has ended."""
        self.in_work[film.film.path] = film
        if not film.missing:
            yield from film.first_jobs()
            return
        for chunk in film.missing:
            while self._queue.n_running and resources.too_little_memory(self._settings.max_memory, film.film):
                yield None
            if film.has_ended or self._disk_is_full():
                return
            yield chunk

    def stop(self, why: str) -> None:
        """Start no new jobs; running ones are finished."""
        self.stopped = self.stopped or why
        self._queue.stop()

    def _settle(self, film: FilmWork, outcome: Outcome) -> None:
        following = film.settle(outcome)
        if film.has_ended:
            del self.in_work[film.film.path]
        for job in () if self.stopped else following:
            self._queue.put_first(job)

    def _disk_is_full(self) -> bool:
        now = time.monotonic()
        if not self.stopped and now - self._disk_looked >= _DISK_EVERY:
            self._disk_looked = now
            for folder in self._folders:
                if said := resources.too_little_disk(folder, self._settings.least_free):
                    self.stop(said)
        return bool(self.stopped)
