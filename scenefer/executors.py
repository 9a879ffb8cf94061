"""Where jobs run: functions with one signature. A job is small and picklable, what it makes is a file; its ``path`` is
the film's.

``work(job, report)`` does a job and calls ``report(seconds)`` with the film time that it has reached. What goes wrong
in one job does not stop the others: it comes back as the error of its outcome. Jobs are taken one by one, when there is
room for them; ``None`` among them means that there is nothing to do until another job has ended, or some time has
passed.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
import traceback
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing import connection, get_context, parent_process, resource_tracker
from typing import TYPE_CHECKING, Any, NamedTuple

from scenefer.errors import SceneferError, WorkerError, printable

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess

Work = Callable[[Any, Callable[[float], None]], None]
Progress = Callable[[Any, float], None]  # job, film time reached within it
Executor = Callable[[Work, Iterable[Any], int, Progress], Generator["Outcome"]]

PATIENCE = 300.0  # seconds without progress after which a worker hangs
_RETRIES = 1  # of a job whose worker was killed: perhaps it was not the job's fault
_NAP = 0.2  # seconds
_IDLE = 3.0  # seconds after which a worker without a job is let go: it holds networks, whose memory others need

_WITHOUT_MEMORY = ("allocate memory", "insufficient memory", "start new thread", "failed to map")  # as libraries say it

_log = logging.getLogger(__name__)
_END = object()


class Outcome(NamedTuple):
    """A job that has ended, well where ``error`` is None."""

    job: Any
    error: SceneferError | None


def serial(work: Work, jobs: Iterable[Any], workers: int, progress: Progress) -> Generator[Outcome]:
    """Do the jobs in this process, one after the other, whatever ``workers`` says."""
    for job in jobs:
        if job is None:
            time.sleep(_NAP)
            continue
        try:
            work(job, lambda seconds, job=job: progress(job, seconds))
        except Exception as error:
            yield Outcome(job, answerable(error, job))
        else:
            yield Outcome(job, None)


def processes(
    work: Work, jobs: Iterable[Any], workers: int, progress: Progress, patience: float = PATIENCE
) -> Generator[Outcome]:
    """Do the jobs in ``workers`` processes of one thread each: two of one beat one of two for these networks.

    Spawned, not forked: threads of decoders and of torch do not survive a fork. A worker that is killed, or that hangs
    (no progress for ``patience`` seconds) and is killed therefore, is replaced; the job of a killed one is tried again
    once, that of a hanging one is not.
    """
    source = iter(jobs)
    crew: list[_Worker] = []
    again: list[tuple[Any, int]] = []  # jobs whose workers were killed, and how often
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
                time.sleep(_NAP)
            connection.wait([end for worker in busy for end in (worker.pipe, worker.process.sentinel)], _NAP)
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
    finally:  # also on Ctrl-C: what runs is given up, what is done is kept
        for worker in crew:
            worker.dismiss()


@dataclass
class _Worker:
    """A process that does one job at a time."""

    process: SpawnProcess
    pipe: Connection
    job: Any = None
    n_killed: int = 0  # workers that were killed at this job before
    killed: bool = False
    hung: bool = False
    heard: float = field(default_factory=time.monotonic)  # a clock that nobody can set

    def give(self, job: Any, n_killed: int) -> None:
        self.job, self.n_killed, self.heard = job, n_killed, time.monotonic()
        with suppress(OSError):  # it was killed meanwhile, which ``look`` finds
            self.pipe.send(job)

    def is_idle(self, seconds: float) -> bool:
        return self.job is None and time.monotonic() - self.heard > seconds

    def look(self, progress: Progress, patience: float) -> Outcome | None:
        """Take in what the process has said; its outcome, if it has ended or has to be ended."""
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
    """Return a worker that has nothing to do, a new one if there is none."""
    for worker in [worker for worker in crew if worker.job is None]:
        if worker.process.is_alive():
            return worker
        crew.remove(worker)  # killed while it had nothing to do
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
    """Keep Ctrl-C back: a process that is started meanwhile is born deaf to it, and the parent hears it afterwards."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    resource_tracker.ensure_running()  # which would lift the mask when the first process is started
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(pipe: Connection, work: Work) -> None:
    """Do jobs until there are no more: the life of a worker process."""
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


def attempt(work: Work, job: Any, report: Callable[[float], None]) -> SceneferError | None:
    """Do a job; return what went wrong."""
    try:
        work(job, report)
    except Exception as error:
        return answerable(error, job)
    return None


def answerable(error: Exception, job: Any) -> SceneferError:
    """Turn whatever ended a job into an error that says what to do; the traceback goes along as a note."""
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
    """Name the film, what befell the worker, and what to do."""
    return WorkerError(f"{printable(job.path)}: {why}; {remedy}")


def _cause(code: int | None) -> str:
    if code is not None and code < 0:
        try:
            return signal.Signals(-code).name
        except ValueError:
            return f"signal {-code}"
    return f"exit code {code}"
