"""The pixel pass as jobs: a film's pieces, which of them are missing, how one is made, how they are joined."""

from __future__ import annotations

import platform
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import cache
from importlib import metadata
from os import cpu_count
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from scenefer import claims, executors, store, survey
from scenefer import plan as plans
from scenefer.errors import FilmError, SceneferError, WeightsError, printable
from scenefer.film import Film, Span, chunks
from scenefer.models import zoo
from scenefer.plan import Plan

if TYPE_CHECKING:
    from scenefer.observation import Models, Observation

Progress = Callable[[str, float, float | None], None]  # stage, film time done, film time in all

_PACKAGES = ("scenefer", "av", "numpy", "opencv-python-headless", "pandas", "pyarrow", "torch")
_TRIES = 3  # at pieces that turn out to be damaged
_LATER = 1.0  # seconds until a job that another process is at is asked for again
_END = object()
_FOR_EVER = float("inf")


class Networks(NamedTuple):
    """Which weights a run reads with, and what depends on them."""

    weights: Path
    expression_id: str
    observe_id: str


@dataclass(frozen=True)
class Piece:
    """A piece of a film to be observed, or to be read again by other weights: small, picklable, its result a folder."""

    film: Film
    span: Span
    folder: Path
    plan: Plan
    weights: Path
    expression_id: str
    threads: int  # of the decoder; 0 = one a core
    stamp: survey.Stamp | None = None  # of the file as it was probed; None = not watched

    @property
    def path(self) -> Path:
        """Return the film's path."""
        return self.film.path


class Sighting(NamedTuple):
    """A film once its pixels are gone: what was found, and how well it could be read."""

    observation: Observation
    notes: dict[str, Any]
    n_pieces: int
    n_resumed: int


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


@cache
def networks(plan: Plan) -> Networks:
    """Find the weights of a plan, and the ids of what depends on them.

    Raises:
        WeightsError: they, or those that tell people apart, are unknown, absent or damaged.
    """
    if plan.models.identity:
        zoo.find_identity(plan.models.identity)
    weights = zoo.find_expression(plan.models.expression)
    expression_id = plans.expression_id(plan, zoo.sha256_of(weights))
    detector = zoo.verify(plan.observation.detector)
    return Networks(weights, expression_id, plans.observe_id(plan, zoo.sha256_of(detector), expression_id))


def spans_of(film: Film, plan: Plan, span: Span) -> list[Span]:
    """Divide a film as a plan says."""
    # decord cannot enter a film in its middle without decoding all before it
    whole = replace(film, key_frames=()) if plan.observation.reader == "decord" else film
    return chunks(whole, span, longest=plan.run.longest_chunk)


def pieces_of(film: Film, plan: Plan, span: Span, data: Path, *, threads: int = 1) -> list[Piece]:
    """Name all pieces of a film, done or not."""
    used = networks(plan)
    stamp = survey.stamp_of(film.path) if film.kind == "video" else None
    return [
        Piece(
            film,
            piece,
            store.piece_folder(data, film.id, used.observe_id, piece),
            plan,
            used.weights,
            used.expression_id,
            threads,
            stamp,
        )
        for piece in spans_of(film, plan, span)
    ]


def is_done(piece: Piece) -> bool:
    """Tell whether a piece is in the cache."""
    return store.is_done(piece.folder, piece.expression_id)


def observe_film(
    film: Film, plan: Plan, span: Span, data: Path, executor: executors.Executor, progress: Progress
) -> Sighting:
    """Do the pixel pass of every piece of a film that is not in the cache, and join the pieces.

    Raises:
        SceneferError: the error of the first piece that failed; the pieces that were done are kept.
    """
    n_pieces = len(spans_of(film, plan, span))
    workers = min(plan.run.workers or cpu_count() or 1, n_pieces)
    pieces = pieces_of(film, plan, span, data, threads=int(workers > 1))
    n_resumed: int | None = None
    for _ in range(_TRIES):
        missing = [piece for piece in pieces if not is_done(piece)]
        n_resumed = len(pieces) - len(missing) if n_resumed is None else n_resumed
        _observe_missing(film, pieces, missing, executor if workers > 1 else executors.serial, workers, progress)
        try:
            return join(pieces, n_resumed)
        except store.DamagedPiece:
            continue
    return join(pieces, n_resumed or 0)


def join(pieces: list[Piece], n_resumed: int) -> Sighting:
    """Read the pieces of a film and put them together.

    Raises:
        DamagedPiece: a piece is not as it was written; it is thrown away, to be made again.
    """
    from scenefer.observation import combine
    from scenefer.video import ReaderNotes

    notes = ReaderNotes()
    observed: list[Observation] = []
    for piece in pieces:
        try:
            notes.merge(ReaderNotes(**store.read_manifest(piece.folder)["notes"]))
            observed.append(store.read_piece(piece.folder, piece.expression_id))
        except store.DamagedPiece:
            store.discard(piece.folder)
            raise
    return Sighting(combine(observed), asdict(notes), len(pieces), n_resumed)


def observe_piece(piece: Piece, report: Callable[[float], None]) -> None:
    """Observe a piece of a film and write it; or, where only the weights are new, read its stored crops again.

    Raises:
        Elsewhere: another process is at it.
        FilmError: it cannot be decoded, or the file was changed meanwhile.
        OutputError: it cannot be written.
    """
    with claims.claim(piece.folder) as staging:
        if is_done(piece) or _reclassify(piece):
            return
        try:
            observation, notes = _observe(piece, report)
        except FilmError:
            _demand_unchanged(piece)  # says what is behind it
            raise
        _demand_unchanged(piece)
        store.write_piece(
            staging,
            piece.folder,
            observation,
            {
                "film_id": piece.film.id,
                "film": str(piece.film.path).encode("utf-8", "backslashreplace").decode(),
                "span": [piece.span.start, None if piece.span.end == float("inf") else piece.span.end],
                "settings": asdict(piece.plan.observation),
                "expression": piece.plan.models.expression,
                "expression_id": piece.expression_id,
                "notes": notes,
                "versions": versions(),
            },
        )


def length(span: Span, duration: float | None) -> float:
    """Return the seconds of film in a span."""
    end = span.end if duration is None or span.end < duration else duration
    return 0.0 if end == _FOR_EVER else max(0.0, end - span.start)


@cache
def versions() -> dict[str, str]:
    """Tell which versions made a result."""
    return {"python": platform.python_version(), **{name: metadata.version(name) for name in _PACKAGES}}


def device_of(plan: Plan) -> str:
    """Choose the device of the networks.

    Raises:
        WeightsError: the one that is asked for is not here.
    """
    import torch

    device = plan.models.device
    if device == "cuda" and not torch.cuda.is_available():
        raise WeightsError("--device cuda: torch finds no CUDA device; use --device auto")
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return device


def _observe(piece: Piece, report: Callable[[float], None]) -> tuple[Observation, dict[str, Any]]:
    from scenefer.observation import observe
    from scenefer.video import ReaderNotes, frames

    seen = piece.plan.observation
    notes = ReaderNotes()
    decoded = frames(
        piece.film,
        piece.span,
        sample_rate=seen.sample_rate,
        reader="decord" if seen.reader == "decord" else "pyav",
        threads=piece.threads,
        notes=notes,
    )
    models = _load_models(piece.plan, piece.weights)
    observation = observe(decoded, models, seen, lambda reached: report(reached - piece.span.start))
    return observation, asdict(notes)


def _reclassify(piece: Piece) -> bool:
    """Read the stored faces by the wanted weights; False if nothing is stored, or what is stored is damaged."""
    from scenefer.observation import reclassify

    if not store.is_observed(piece.folder):
        return False
    try:
        faces = store.read_piece(piece.folder, store.read_manifest(piece.folder)["expression_id"]).faces
    except store.DamagedPiece:
        store.discard(piece.folder)
        return False
    expression = _load_models(piece.plan, piece.weights).expression
    store.write_logits(piece.folder, reclassify(faces, expression), piece.expression_id)
    return True


def _demand_unchanged(piece: Piece) -> None:
    """Refuse what was read of a file that became another one meanwhile: it would be kept under the wrong content."""
    if piece.stamp is None or survey.stamp_of(piece.film.path) == piece.stamp:
        return
    what = "was changed" if piece.film.path.exists() else "was moved or deleted"
    raise FilmError(f"{printable(piece.film.path)} {what} while it was read; run again once it is whole")


def _observe_missing(
    film: Film,
    pieces: list[Piece],
    missing: list[Piece],
    executor: executors.Executor,
    workers: int,
    progress: Progress,
) -> None:
    total = film.duration
    reached = {piece.folder: length(piece.span, total) for piece in pieces if piece not in missing}

    def tell(piece: Piece, seconds: float) -> None:
        reached[piece.folder] = seconds
        progress("observe", sum(reached.values()), total)

    progress("observe", sum(reached.values()), total)
    failures: list[SceneferError] = []
    feed = Feed(missing)
    for outcome in executor(observe_piece, feed, workers, tell) if missing else ():
        if not feed.settle(outcome):
            continue
        if outcome.error is not None:
            failures.append(outcome.error)
        else:
            tell(outcome.job, length(outcome.job.span, total))
    if failures:
        raise failures[0]


@cache
def _load_models(plan: Plan, weights: Path) -> Models:
    """Load the networks of the pixel pass, once a process."""
    from scenefer.observation import Models

    device = device_of(plan)
    seen = plan.observation
    pyramid = "exact" if seen.pyramid == "exact" else "fast"
    return Models(
        zoo.load_detector(seen.detector, smallest_face=seen.smallest_face, device=device, pyramid=pyramid),
        zoo.load_expression(weights, device, mirrored=seen.mirrored),
    )
