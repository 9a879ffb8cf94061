"""Where jobs run: functions with one signature. A job is small and picklable, what it makes is a file.

``work(job, report)`` does a job and calls ``report(seconds)`` with the film time that it has reached. What goes wrong
in one job does not stop the others: it comes back as the error of its outcome.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from multiprocessing.queues import SimpleQueue
from typing import Any, NamedTuple

from scenefer.errors import FilmError, SceneferError

Work = Callable[[Any, Callable[[float], None]], None]
Progress = Callable[[Any, float], None]  # job, film time reached within it
Executor = Callable[[Work, Sequence[Any], int, Progress], Iterator["Outcome"]]

_log = logging.getLogger(__name__)
_reports: SimpleQueue[tuple[int, float]] | None = None  # set in a worker process by _begin_worker


class Outcome(NamedTuple):
    """A job that has ended, well where ``error`` is None."""

    job: Any
    error: SceneferError | None


def serial(work: Work, jobs: Sequence[Any], workers: int, progress: Progress) -> Iterator[Outcome]:
    """Do the jobs in this process, one after the other, whatever ``workers`` says."""
    for job in jobs:
        try:
            work(job, lambda seconds, job=job: progress(job, seconds))
        except SceneferError as error:
            yield Outcome(job, error)
        else:
            yield Outcome(job, None)


def processes(work: Work, jobs: Sequence[Any], workers: int, progress: Progress) -> Iterator[Outcome]:
    """Do the jobs in ``workers`` processes of one thread each: two of one beat one of two for these networks.

    Spawned, not forked: threads of decoders and of torch do not survive a fork. A killed worker is reported for every
    job that was not done; a pool of ``multiprocessing`` would wait for it for ever.
    """
    context = get_context("spawn")
    reports = context.SimpleQueue()
    pool = ProcessPoolExecutor(min(workers, len(jobs)), context, initializer=_begin_worker, initargs=(reports,))
    listener = threading.Thread(target=_listen, args=(reports, jobs, progress), daemon=True)
    listener.start()
    pending = {pool.submit(_work_and_report, work, place, job): job for place, job in enumerate(jobs)}
    try:
        for future in as_completed(pending):
            yield Outcome(pending[future], _error_of(future.exception(), pending[future]))
    except BaseException:  # Ctrl-C: what runs is given up, what is done is kept
        for process in list((pool._processes or {}).values()):
            process.kill()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        reports.put((-1, 0.0))
        listener.join()
        reports.close()


def _begin_worker(reports: SimpleQueue[tuple[int, float]]) -> None:
    import signal

    global _reports
    _reports = reports
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent answers Ctrl-C
    # Read by torch and by OpenCV when they are loaded, which in a spawned process is later than here.
    os.environ.update(OMP_NUM_THREADS="1", OPENCV_FOR_THREADS_NUM="1")


def _work_and_report(work: Work, place: int, job: Any) -> None:
    queue = _reports
    assert queue is not None
    work(job, lambda seconds: queue.put((place, seconds)))


def _listen(reports: SimpleQueue[tuple[int, float]], jobs: Sequence[Any], progress: Progress) -> None:
    while (report := reports.get())[0] >= 0:
        progress(jobs[report[0]], report[1])


def _error_of(error: BaseException | None, job: Any) -> SceneferError | None:
    if error is None or isinstance(error, SceneferError):
        return error
    if isinstance(error, BrokenProcessPool):
        return FilmError(
            f"{job.film.path}: a worker process was killed, perhaps for want of memory; run again to resume, "
            "with fewer --workers if it happens twice"
        )
    raise error
