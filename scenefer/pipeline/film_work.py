"""The state of a film being processed: which chunks are still to be read, which are made again, and when it is done.

    reading ─▶ finishing ─▶ done
       ╰───────────┴──────▶ failed

It is independent of executors: it lists jobs, and ``scheduler.py`` reports how they ended.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from scenefer.core.errors import FilmError, SceneferError
from scenefer.core.film import Film, clock
from scenefer.pipeline import probe_cache
from scenefer.pipeline.chunks import Chunk, is_done, length
from scenefer.pipeline.executors.base import Outcome
from scenefer.pipeline.observation_cache import DamagedChunk

_TRIES = 3  # attempts at making chunks again that turn out to be damaged when they are joined


class Trouble(NamedTuple):
    """Why a film failed."""

    job: Any
    error: SceneferError
    time: float | None = None  # film time that was reached, seconds
    permanent: bool = False  # the file itself is damaged, so trying again would fail too


class FilmWork:
    """The chunks of a film, each a job, and the last job, which makes a result from them.

    Args:
        chunks: all chunks of the film; those in the cache are not read again.
        finish: makes the last job, once all chunks are in the cache; None: the film is done with its last chunk.
        log: events of the film are appended to it as lines.
    """

    def __init__(
        self,
        film: Film,
        chunks: Sequence[Chunk],
        finish: Callable[[FilmWork], Any] | None = None,
        log: list[str] | None = None,
    ) -> None:
        self.film = film
        self.chunks = chunks
        self.log: list[str] = [] if log is None else log
        self.state = "reading"
        self.trouble: Trouble | None = None
        self.began = time.monotonic()
        self.missing: list[Chunk] = []  # chunks to be read, as of the last check of the cache
        self.n_open = 0  # chunks not finished yet
        self.left = 0.0  # seconds of film in those chunks
        self._reached: dict[Path, float] = {}  # film time read of running chunks, seconds, by folder
        self._finish = finish
        self._n_tries = 0
        self._look_for_missing()
        self.n_resumed = len(chunks) - self.n_open
        if not self.missing and finish is None:
            self.state = "done"

    @property
    def has_ended(self) -> bool:
        """Tell whether the film is done or has failed."""
        return self.state in ("done", "failed")

    @property
    def running(self) -> float:
        """Return the seconds of film that running chunks have read so far."""
        return sum(self._reached.values())

    @property
    def read(self) -> float:
        """Return the seconds of film read, including what was in the cache."""
        return sum(length(chunk.span, self.film.duration) for chunk in self.chunks) - self.left + self.running

    def first_jobs(self) -> list[Any]:
        """List the first jobs: the missing chunks, or the last job if none is missing."""
        return [*self.missing] if self.missing else self._last_jobs()

    def reach(self, job: Any, seconds: float) -> None:
        """Record how far a running chunk has got."""
        if isinstance(job, Chunk):
            self._reached[job.folder] = seconds

    def settle(self, outcome: Outcome) -> list[Any]:
        """Record that a job has ended and will not be retried; return the jobs that follow from it."""
        job, error = outcome
        if isinstance(job, Chunk):
            return self._settle_chunk(job, error)
        if isinstance(error, DamagedChunk) and self.make_again(error):
            return self.first_jobs()
        if error is not None:
            self._fail(Trouble(job, error))
        else:
            self.state = "done"
        return []

    def make_again(self, error: DamagedChunk) -> bool:
        """Read damaged chunks, which are deleted by now, once more; return False after too many attempts."""
        if self._n_tries == _TRIES:
            return False
        self._n_tries += 1
        self.log.append(stamped(str(error)))
        self.state = "reading"
        self._look_for_missing()
        return True

    def _look_for_missing(self) -> None:
        self.missing = [chunk for chunk in self.chunks if not is_done(chunk)]
        self.n_open = len(self.missing)
        self.left = sum(length(chunk.span, self.film.duration) for chunk in self.missing)

    def _settle_chunk(self, chunk: Chunk, error: SceneferError | None) -> list[Any]:
        reached = self._reached.pop(chunk.folder, 0.0)
        if error is not None:
            same_bytes = chunk.stamp is not None and probe_cache.stamp_of(chunk.path) == chunk.stamp
            permanent = type(error) is FilmError and same_bytes
            self._fail(Trouble(chunk, error, chunk.span.start + reached, permanent))
            return []
        seconds = length(chunk.span, self.film.duration)
        self.n_open -= 1
        self.left -= seconds
        self.log.append(stamped(f"read from {clock(chunk.span.start)}: {seconds:.1f} s of film"))
        return [] if self.n_open else self._last_jobs()

    def _last_jobs(self) -> list[Any]:
        if self._finish is None:
            self.state = "done"
            return []
        self.state = "finishing"
        return [self._finish(self)]

    def _fail(self, trouble: Trouble) -> None:
        self.state, self.trouble = "failed", trouble
        self._reached.clear()
        self.log += lines_of(trouble.error)


def stamped(text: str) -> str:
    """Format a line of a film's log: the UTC time, and what happened."""
    return f"{datetime.now(UTC).isoformat(timespec='seconds')} {text}"


def lines_of(error: SceneferError) -> list[str]:
    """Format an error as lines of a film's log, with the traceback if it is a bug in scenefer."""
    return [stamped(str(error)), *"".join(getattr(error, "__notes__", [])).splitlines()]
