"""The executor that does the jobs in processes of this machine."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import connection, get_context, parent_process, resource_tracker
from typing import TYPE_CHECKING, Any

from scenefer.pipeline.executors.base import (
    NAP,
    PATIENCE,
    Executor,
    ExecutorSettings,
    Outcome,
    Progress,
    Work,
    attempt,
    worker_error,
)

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess

_RETRIES = 1  # of a job whose worker was killed: the job may not be the cause
_IDLE = 3.0  # seconds after which an idle worker is ended, to free the memory of its networks

_log = logging.getLogger(__name__)
_END = object()


def from_settings(settings: ExecutorSettings) -> Executor:
    """Make this executor from a plan's [run]."""
    return partial(processes, patience=settings.patience)


def processes(
    work: Work, jobs: Iterable[Any], workers: int, progress: Progress, patience: float = PATIENCE
) -> Generator[Outcome]:
    """Do the jobs in ``workers`` processes of one thread each: for these networks, two processes beat two threads.

    Processes are spawned, not forked: the threads of decoders and of torch do not survive a fork. A worker without
    progress for ``patience`` seconds counts as hung and is killed. Killed workers are replaced. A job is retried once
    if its worker was killed from outside, but not if it hung.
    """
    source = iter(jobs)
    crew: list[_Worker] = []
    again: list[tuple[Any, int]] = []  # jobs whose workers were killed, with the number of times
    ended = False
    try:
        while True:
            while sum(worker.job is not None for worker in crew) < workers:
                job, n_killed = again.pop() if again else (_END if ended else next(source, _END), 0)
                ended = ended or job is _END
                if job is None or job is _END:
                    break
                _hire(crew, work).give(job, n_killed)
            for worker in [worker for worker in crew if worker.is_idle(_IDLE)]:
                crew.remove(worker)
                worker.dismiss()
            busy = [worker for worker in crew if worker.job is not None]
            if not busy and ended:
                return
            if not busy:
                time.sleep(NAP)
            connection.wait([end for worker in busy for end in (worker.pipe, worker.process.sentinel)], NAP)
            for worker in busy:
                verdict = worker.look(progress, patience)
                if verdict is None:
                    continue
                job, worker.job = worker.job, None
                if worker.killed:
                    crew.remove(worker)
                    if verdict.error is not None and not worker.hung and worker.n_killed < _RETRIES:
                        _log.warning("%s; it is tried again", verdict.error)
                        again.append((job, worker.n_killed + 1))
                        continue
                yield verdict
    finally:  # also on Ctrl-C: running jobs are abandoned, finished ones are kept
        for worker in crew:
            worker.dismiss()


@dataclass
class _Worker:
    """A process that does one job at a time."""

    process: SpawnProcess
    pipe: Connection
    job: Any = None
    n_killed: int = 0  # how many workers were killed at this job before
    killed: bool = False
    hung: bool = False
    heard: float = field(default_factory=time.monotonic)  # monotonic: changes of the system clock do not matter

    def give(self, job: Any, n_killed: int) -> None:
        self.job, self.n_killed, self.heard = job, n_killed, time.monotonic()
        with suppress(OSError):  # it was killed meanwhile; ``look`` will notice
            self.pipe.send(job)

    def is_idle(self, seconds: float) -> bool:
        return self.job is None and time.monotonic() - self.heard > seconds

    def look(self, progress: Progress, patience: float) -> Outcome | None:
        """Read the process's messages; return an outcome if its job has ended or has to be aborted."""
        try:
            while self.pipe.poll():
                kind, said = self.pipe.recv()
                self.heard = time.monotonic()
                if kind == "ended":
                    return Outcome(self.job, said)
                progress(self.job, said)
        except (EOFError, OSError):
            self.process.join()
        if not self.process.is_alive():
            self.killed = True
            why = f"a worker was killed at it ({_cause(self.process.exitcode)}), perhaps for want of memory"
            return Outcome(self.job, worker_error(self.job, why, "run again, with fewer --workers if it happens twice"))
        if time.monotonic() - self.heard > patience:
            self.killed = self.hung = True
            self.dismiss()
            why = f"no progress for {patience:g} s, so its worker was killed"
            remedy = "re-mux it: ffmpeg -i in.mkv -c copy out.mkv; if it is only slow, raise patience in a plan's [run]"
            return Outcome(self.job, worker_error(self.job, why, remedy))
        return None

    def dismiss(self) -> None:
        self.process.kill()
        self.process.join()
        self.process.close()
        self.pipe.close()


def _hire(crew: list[_Worker], work: Work) -> _Worker:
    """Return an idle worker; start one if there is none."""
    for worker in [worker for worker in crew if worker.job is None]:
        if worker.process.is_alive():
            return worker
        crew.remove(worker)  # killed while it was idle
        worker.dismiss()
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, work), daemon=True)
    with _interrupts_held():
        process.start()
    theirs.close()
    crew.append(_Worker(process, ours))
    return crew[-1]


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Block SIGINT while a process starts: the child inherits the block, and the parent gets the signal afterwards."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    resource_tracker.ensure_running()  # otherwise it would start with the first process and lift the mask
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(pipe: Connection, work: Work) -> None:
    """Run the main loop of a worker process: do jobs until there are no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent answers Ctrl-C
    threading.Thread(target=_die_with_parent, daemon=True).start()
    # Read by torch and by OpenCV when they are loaded, which in a spawned process is later than here.
    os.environ.update(OMP_NUM_THREADS="1", OPENCV_FOR_THREADS_NUM="1")
    while True:
        try:
            job = pipe.recv()
        except EOFError:
            return
        pipe.send(("ended", attempt(work, job, lambda seconds: pipe.send(("reached", seconds)))))


def _die_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _cause(code: int | None) -> str:
    if code is not None and code < 0:
        try:
            return signal.Signals(-code).name
        except ValueError:
            return f"signal {-code}"
    return f"exit code {code}"
