"""Many films in one run: looked at, planned, read in pieces, longest first, analysed and reported.

    look ─▶ plan ─▶ pieces ─▶ finish

A run goes on where another stopped, wherever that one was stopped, and several may work on one library at the same
time: whatever is made is made under a claim, and asked for before it is made (``agenda.py``).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from os import cpu_count
from pathlib import Path

from scenefer import analysis, executors, failures, jobs, pieces, resources, run, store, survey
from scenefer.agenda import Agenda, Order, Task
from scenefer.errors import FilmError, OutputError, SceneferError, printable
from scenefer.feed import Feed
from scenefer.film import Film, clock
from scenefer.finish import Finish, stamped
from scenefer.jobs import Job, Look
from scenefer.language import Language
from scenefer.ledger import Ledger
from scenefer.pieces import Piece

_TRIES = 3  # at a film with damaged pieces
_DISK_EVERY = 2.0  # seconds between looks at the free space

Tell = Callable[[str, "Task | None"], None]  # what happened, and to which film


@dataclass
class Work:
    """A film in work."""

    task: Task
    film: Film
    n_open: int  # pieces of it that are not settled
    n_resumed: int
    began: float
    n_tries: int = 0


class Batch:
    """A run over a library: ``agenda`` says what there is to do, ``work`` does it."""

    def __init__(self, order: Order, tell: Tell | None = None) -> None:
        self.order = order
        self.agenda = Agenda(order)
        self.stopped = ""  # why it was stopped
        self.in_work: dict[Path, Work] = {}
        self.seconds_read = 0.0  # of film, in this run
        self.reached: dict[Path, float] = {}  # seconds that running pieces have reached, by folder
        self._tell = tell or (lambda what, task: None)
        self._feed = Feed(())
        self._workers = 1
        # Of films that were asked for by name all is told, and nothing kept.
        language = Language(order.plan.report.language)
        self._ledger = None if order.again else Ledger(order.out, order.copy_to, language)
        self._disk_looked = time.monotonic() - _DISK_EVERY
        for task in self.agenda.tasks.values():
            self.agenda.place(task)

    def work(self, executor: executors.Executor, workers: int) -> None:
        """Do what is to be done.

        Raises:
            KeyboardInterrupt: at once; what runs is given up, what is done is kept.
        """
        self._workers = workers
        self._feed = Feed(self._jobs())
        if self.stopped:
            self._feed.stop()
        for task in self.agenda.tasks.values():
            self._placed(task)
        outcomes = executor(jobs.work, self._feed, workers, self._progress)
        try:
            for outcome in outcomes:
                if self._feed.settle(outcome):
                    self._settle(outcome)
                self._write(Ledger.update_tables)
        finally:
            outcomes.close()  # ends its workers at once
            self.in_work.clear()
            self._write(Ledger.close)

    def stop(self, why: str) -> None:
        """Begin nothing more; what runs is finished."""
        self.stopped = self.stopped or why
        self._feed.stop()

    def exit_code(self) -> int:
        """Return 0 for all done, 1 for some film failed, 3 for no film succeeded, 130 for interrupted."""
        if self.stopped == "interrupted":
            return 130
        if not self.agenda.count("failed") and not self.stopped:
            return 0
        return 1 if self.agenda.count("done", "partial") else 3

    def seconds_left(self) -> float:
        """Sum up the film time that is not read yet."""
        return sum(task.left for task in self.agenda.tasks.values() if task.state == "to do")

    def read_of(self) -> tuple[float, float]:
        """Return the film time that is read, and that of all films, seconds; what was read before included."""
        tasks = self.agenda.tasks.values()
        whole = sum(task.duration for task in tasks)
        return whole - sum(task.left for task in tasks) + sum(self.reached.values()), whole

    def n_jobs(self) -> int:
        """Return how many jobs could be done at the same time, at least 1."""
        return max(1, sum(max(1, task.n_missing) for task in self.agenda.tasks.values()))

    def _jobs(self) -> Iterator[Job | None]:
        for task in self.agenda.to_look_at():
            yield Look(task.path, self.order.data)
        while self.agenda.count("to look at"):
            yield None
        self._tell("planned", None)
        begun: dict[str, Task] = {}
        shared = []
        for task in self.agenda.to_do():
            if (original := self.agenda.original(task, begun)) is None:
                begun.setdefault(str(task.id), task)
                yield from self._begin(task)
            else:
                shared.append((task, original))
        for task, original in shared:
            while original.state == "to do":
                yield None
            yield from self._share(task, original)

    def _begin(self, task: Task) -> Iterator[Job | None]:
        film = self.agenda.film(task)
        if film is None:
            self._fail(task, "look", f"{printable(task.path)} was changed since it was looked at; run again")
            return
        every = [] if task.reported else self._pieces_of(task, film)
        missing = [piece for piece in every if not pieces.is_done(piece)]
        task.n_pieces, task.n_missing = len(every), len(missing)
        task.left = sum(pieces.length(piece.span, film.duration) for piece in missing)
        work = Work(task, film, len(missing), len(every) - len(missing), time.monotonic())
        self.in_work[task.path] = work
        task.log.append(stamped(f"{len(missing)} of {len(every)} pieces to be read: {task.why}"))
        self._tell("begun", task)
        if not missing:
            yield self._finish(work)
        for piece in missing:
            while self._feed.n_running and resources.too_little_memory(self.order.plan.run.max_memory, film):
                yield None
            if task.state == "failed" or self._disk_is_full():
                return
            self.reached[piece.folder] = 0.0
            yield piece

    def _share(self, task: Task, original: Task) -> Iterator[Job | None]:
        """Give a copy of a film its report; where there is none, the copy may be readable still."""
        if original.state == "failed":
            yield from self._begin(task)
            return
        task.state, task.folder, task.left = original.state, original.folder, 0.0
        if original.failure is not None:  # could be read in part
            task.failure = replace(original.failure, film=printable(task.path))
        self._done(task)

    def _pieces_of(self, task: Task, film: Film) -> list[Piece]:
        # A film that is read by one worker alone is decoded with all cores: it may not be divisible.
        threads = 0 if self.order.again and self._workers == 1 else 1
        return pieces.pieces_of(film, self.order.plan, self.order.span(task.path), self.order.data, threads=threads)

    def _finish(self, work: Work) -> Finish:
        order, task = self.order, work.task
        cores = order.plan.run.workers or cpu_count() or 1
        alone = self.agenda.count("to do") == 1 and order.plan.run.executor != "ray"  # whose tasks have a core each
        return Finish(
            film=work.film,
            span=order.span(task.path),
            plan=order.plan,
            data=order.data,
            out=order.out,
            scenes=order.scenes.get(task.path),
            intended=order.intended.get(task.path),
            every_clip=order.every_clip,
            made_of=self.agenda.made_of(task),
            cast=order.cast,
            folder=task.folder,
            second=self.agenda.has_namesake(task),
            always=order.again,
            threads=cores if alone else 1,
            never=task.reported,
            copy_to=order.copy_to,
            n_resumed=work.n_resumed,
            seconds=time.monotonic() - work.began,
            log=tuple(task.log),
        )

    def _progress(self, job: Job, seconds: float) -> None:
        if isinstance(job, Piece) and job.folder in self.reached:
            self.reached[job.folder] = seconds
        self._tell("progress", self.agenda.tasks[job.path])

    def _settle(self, outcome: executors.Outcome) -> None:
        job, error = outcome
        task = self.agenda.tasks[job.path]
        if isinstance(job, Look):
            if self.agenda.place(task):
                self._placed(task)
            else:
                said = error or FilmError(f"{printable(task.path)} was changed while it was looked at; run again")
                self._give_up(task, job, said)
        elif isinstance(job, Piece):
            self._settle_piece(task, job, error)
        elif isinstance(error, store.DamagedPiece) and self.in_work[job.path].n_tries < _TRIES:
            self._make_again(self.in_work[job.path], error)
        elif error is not None:
            self._give_up(task, job, error)
        else:
            self._succeed(task, job)

    def _placed(self, task: Task) -> None:
        """Write down what the look at a film has shown."""
        if task.state == "failed" and not task.skipped:
            self._done(task)
        elif task.state == "done" and self.agenda.has_failed(task):  # somebody has analysed it since
            self._write(lambda ledger: ledger.forget(task))

    def _settle_piece(self, task: Task, piece: Piece, error: SceneferError | None) -> None:
        seconds = pieces.length(piece.span, piece.film.duration)
        reached = self.reached.pop(piece.folder, 0.0)
        work = self.in_work.get(task.path)
        if work is None:
            return  # another piece of it has failed
        work.n_open -= 1
        if error is not None:
            same_bytes = piece.stamp is not None and survey.stamp_of(task.path) == piece.stamp
            self._give_up(task, piece, error, piece.span.start + reached, type(error) is FilmError and same_bytes)
            return
        task.log.append(stamped(f"read from {clock(piece.span.start)}: {seconds:.1f} s of film"))
        task.left -= seconds
        self.seconds_read += seconds
        self._tell("progress", task)
        if work.n_open == 0 and not self.stopped:
            self._feed.put_first(self._finish(work))

    def _make_again(self, work: Work, error: SceneferError) -> None:
        """Read the pieces once more that were found damaged, and are thrown away by now."""
        work.n_tries += 1
        work.task.log.append(stamped(str(error)))
        missing = [piece for piece in self._pieces_of(work.task, work.film) if not pieces.is_done(piece)]
        work.n_open = len(missing)
        work.task.left += sum(pieces.length(piece.span, piece.film.duration) for piece in missing)
        for job in missing or [self._finish(work)]:
            self._feed.put_first(job)

    def _succeed(self, task: Task, job: Finish) -> None:
        folder = job.folder or run.report_folder(job.film, job.out, second=job.second)
        try:
            record = analysis.read_record(folder)
        except (OSError, ValueError):  # somebody has removed it meanwhile
            self._fail(task, "write", f"{printable(folder)} is gone or damaged; run again")
            return
        task.state, task.folder = record["state"], folder
        if task.state == "partial":
            lost = [said for said in record["warnings"] if said.startswith(("damaged", "partly"))]
            said = f"{', '.join(lost)}; what could be read is reported: copy the film again if you have it whole"
            task.failure = failures.describe(task.path, task.id, "observe", said, permanent=True, state="partial")
        self._done(task)

    def _done(self, task: Task) -> None:
        """Write down how a film ended: what is lost of one that failed, or could be read in part alone."""
        self._write(lambda ledger: ledger.forget(task) if task.state == "done" else ledger.note(task))
        self.in_work.pop(task.path, None)
        task.log = []
        self._tell(task.state, task)

    def _give_up(
        self, task: Task, job: Job, error: SceneferError, time: float | None = None, permanent: bool = False
    ) -> None:
        task.log += [stamped(str(error)), *"".join(getattr(error, "__notes__", [])).splitlines()]
        self._fail(task, jobs.stage_of(job, error), str(error), time, permanent)

    def _fail(self, task: Task, stage: str, message: str, time: float | None = None, permanent: bool = False) -> None:
        task.fail(stage, message, time=time, permanent=permanent)
        self._done(task)

    def _write(self, write: Callable[[Ledger], None]) -> None:
        """Write into the library's books; where that fails every further film would, for the same reason."""
        if self._ledger is None:
            return
        try:
            write(self._ledger)
        except OutputError as error:
            self.stop(str(error))

    def _disk_is_full(self) -> bool:
        now = time.monotonic()
        if not self.stopped and now - self._disk_looked >= _DISK_EVERY:
            self._disk_looked = now
            for folder in (self.order.data, self.order.out):
                if said := resources.too_little_disk(folder, self.order.plan.run.least_free):
                    self.stop(said)
        return bool(self.stopped)
