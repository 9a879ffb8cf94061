"""Process many films in one run: probe and plan them, read their chunks (longest first), analyse and report them.

    probe ─▶ plan ─▶ chunks ─▶ finish

A run resumes where an earlier one stopped, wherever that was. Several runs may work on one library at the same time:
before anything is made, the planner checks whether it exists (``planner.py``), and it is made under a claim.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial

from scenefer.analysis import result
from scenefer.core import run_folder
from scenefer.core.errors import FilmError, OutputError
from scenefer.core.film import Film
from scenefer.core.language import Language
from scenefer.core.text import printable
from scenefer.library import failures, jobs
from scenefer.library.bookkeeping import Ledger
from scenefer.library.jobs import Finish, Job, Probe, finish_of
from scenefer.library.orders import Order
from scenefer.library.planner import Task, WorkQueue
from scenefer.pipeline.chunks import Chunk, chunks_of
from scenefer.pipeline.executors import make_executor
from scenefer.pipeline.executors.base import Executor, Outcome
from scenefer.pipeline.film_observation import Progress
from scenefer.pipeline.film_work import FilmWork, Trouble, lines_of, stamped
from scenefer.pipeline.scheduler import Crew, Scheduler, crew_for

Tell = Callable[[str, "Task | None"], None]  # what happened, and to which film


class Batch:
    """A run over a library: ``queue`` says what there is to do, ``work`` does it."""

    def __init__(self, order: Order, tell: Tell | None = None) -> None:
        self.order = order
        self.queue = WorkQueue(order)
        self.seconds_settled = 0.0  # of film read in this run, in whole chunks
        self._tell = tell or (lambda what, task: None)
        self._scheduler = Scheduler(order.plan.run, (order.data, order.out))
        self._threads = 1
        # Results of films that were asked for by name are shown to the user, not stored.
        language = Language(order.plan.report.language)
        self._ledger = None if order.again else Ledger(order.out, order.copy_to, language)
        for task in self.queue.tasks.values():
            self.queue.place(task)

    @property
    def stopped(self) -> str:
        """Return why the run was stopped; "" if it was not."""
        return self._scheduler.stopped

    @property
    def in_work(self) -> list[tuple[Task, FilmWork]]:
        """List the films that are being worked on now."""
        return [(self.queue.tasks[path], film) for path, film in list(self._scheduler.in_work.items())]

    def work(self, executor: Executor, workers: int, threads: int = 1) -> None:
        """Do all the work; each chunk is decoded with ``threads`` threads, 0 = one per core.

        Raises:
            KeyboardInterrupt: immediately; running jobs are abandoned, finished ones are kept.
        """
        self._threads = threads
        for task in self.queue.tasks.values():
            self._placed(task)
        crew = Crew(executor, workers, threads)
        try:
            with closing(self._scheduler.run(self._jobs(), jobs.work, crew, self._progress)) as outcomes:
                for outcome, film in outcomes:
                    self._settle(outcome, film)
                    self._write(Ledger.update_tables)
        finally:
            self._write(Ledger.close)

    def stop(self, why: str) -> None:
        """Start nothing new; running jobs are finished."""
        self._scheduler.stop(why)

    def exit_code(self) -> int:
        """Return 0 for all done, 1 for some film failed, 3 for no film succeeded, 130 for interrupted."""
        if self.stopped == "interrupted":
            return 130
        if not self.queue.count("failed") and not self.stopped:
            return 0
        return 1 if self.queue.count("done", "partial") else 3

    def seconds_read(self) -> float:
        """Sum up the film time that was read in this run."""
        return self.seconds_settled + self._running()

    def seconds_left(self) -> float:
        """Sum up the film time that is not read yet."""
        return sum(task.left for task in self.queue.tasks.values() if task.state == "to do") - self._running()

    def read_of(self) -> tuple[float, float]:
        """Return the film time read and the film time of all films, in seconds, including what earlier runs read."""
        tasks = self.queue.tasks.values()
        whole = sum(task.duration for task in tasks)
        return whole - sum(task.left for task in tasks) + self._running(), whole

    def n_jobs(self) -> int:
        """Return how many jobs could be done at the same time, at least 1."""
        return max(1, sum(max(1, task.n_missing) for task in self.queue.tasks.values()))

    def _running(self) -> float:
        return sum(film.running for film in list(self._scheduler.in_work.values()))

    def _jobs(self) -> Iterator[Job | None]:
        for task in self.queue.to_look_at():
            yield Probe(task.path, self.order.data)
        while self.queue.count("to look at"):
            yield None
        self._tell("planned", None)
        begun: dict[str, Task] = {}
        shared = []
        for task in self.queue.to_do():
            if (original := self.queue.original(task, begun)) is None:
                begun.setdefault(str(task.id), task)
                yield from self._begin(task)
            else:
                shared.append((task, original))
        for task, original in shared:
            while original.state == "to do":
                yield None
            yield from self._share(task, original)

    def _begin(self, task: Task) -> Iterator[Job | None]:
        film = self.queue.film(task)
        if film is None:
            self._fail(task, "look", f"{printable(task.path)} was changed since it was looked at; run again")
            return
        work = FilmWork(film, self._chunks_of(task, film), partial(finish_of, self.queue, task), task.log)
        task.n_chunks, task.n_missing, task.left = len(work.chunks), work.n_open, work.left
        task.log.append(stamped(f"{task.n_missing} of {task.n_chunks} chunks to be read: {task.why}"))
        self._tell("begun", task)
        yield from self._scheduler.begin(work)

    def _share(self, task: Task, original: Task) -> Iterator[Job | None]:
        """Give a copy of a film the original's report; if the original failed, try the copy, which may be readable."""
        if original.state == "failed":
            yield from self._begin(task)
            return
        task.state, task.folder, task.left = original.state, original.folder, 0.0
        if original.failure is not None:  # only a part could be read
            task.failure = replace(original.failure, film=printable(task.path))
        self._done(task)

    def _chunks_of(self, task: Task, film: Film) -> list[Chunk]:
        order = self.order
        if task.reported:
            return []
        return chunks_of(film, order.plan, order.span(task.path), order.data, threads=self._threads)

    def _progress(self, job: Job) -> None:
        self._tell("progress", self.queue.tasks[job.path])

    def _settle(self, outcome: Outcome, film: FilmWork | None) -> None:
        job = outcome.job
        task = self.queue.tasks[job.path]
        if isinstance(job, Probe):
            self._looked(task, outcome)
        elif film is None:
            return  # another chunk of it has failed
        elif film.trouble is not None:
            self._give_up(task, film.trouble)
        elif film.state == "done":
            self._succeed(task, job)
        else:
            self.seconds_settled += max(0.0, task.left - film.left)
            task.left = film.left
            self._tell("progress", task)

    def _looked(self, task: Task, outcome: Outcome) -> None:
        if self.queue.place(task):
            self._placed(task)
            return
        said = outcome.error or FilmError(f"{printable(task.path)} was changed while it was looked at; run again")
        task.log += lines_of(said)
        self._give_up(task, Trouble(outcome.job, said))

    def _placed(self, task: Task) -> None:
        """Record the result of probing a film."""
        if task.state == "failed" and not task.skipped:
            self._done(task)
        elif task.state == "done" and self.queue.has_failed(task):  # it has been analysed since it failed
            self._write(lambda ledger: ledger.forget(task))

    def _succeed(self, task: Task, job: Finish) -> None:
        folder = job.folder or run_folder.report_folder(job.film, job.out, second=job.second)
        try:
            record = result.read_record(folder)
        except (OSError, ValueError):  # it was removed in the meantime
            self._fail(task, "write", f"{printable(folder)} is gone or damaged; run again")
            return
        task.state, task.folder = record["state"], folder
        if task.state == "partial":
            lost = [said for said in record["warnings"] if said.startswith(("damaged", "partly"))]
            said = f"{', '.join(lost)}; what could be read is reported: copy the film again if you have it whole"
            task.failure = failures.describe(
                task.path, task.id, "observe", said, permanent=True, state="partial", read_by=self.queue.read_by
            )
        self._done(task)

    def _done(self, task: Task) -> None:
        """Record how a film ended: store why it failed or was only partly readable, or forget an earlier failure."""
        self._write(lambda ledger: ledger.forget(task) if task.state == "done" else ledger.note(task))
        task.log = []
        self._tell(task.state, task)

    def _give_up(self, task: Task, trouble: Trouble) -> None:
        stage = jobs.stage_of(trouble.job, trouble.error)
        self._fail(task, stage, str(trouble.error), trouble.time, permanent=trouble.permanent)

    def _fail(
        self, task: Task, stage: str, message: str, time: float | None = None, *, permanent: bool = False
    ) -> None:
        task.fail(stage, message, time=time, permanent=permanent, read_by=self.queue.read_by)
        self._done(task)

    def _write(self, write: Callable[[Ledger], None]) -> None:
        """Write to the ledger; if that fails, stop the run: every further film would fail for the same reason."""
        if self._ledger is None:
            return
        try:
            write(self._ledger)
        except OutputError as error:
            self.stop(str(error))


def analyze(order: Order, progress: Progress) -> Batch:
    """Analyse films that were asked for by name; the queue of the result holds the outcome of each."""
    batch = Batch(order, lambda what, task: progress("observe", *batch.read_of()))
    batch.work(*crew_for(make_executor(order.plan.run), order.plan.run, batch.n_jobs()))
    return batch
