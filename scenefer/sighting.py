"""A film once its pixels are gone: its pieces made, put together, and handed to who tells its people apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import cache
from os import cpu_count
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from scenefer import executors, store
from scenefer.errors import SceneferError
from scenefer.feed import Feed
from scenefer.film import Film, Span
from scenefer.models import zoo
from scenefer.pieces import Piece, is_done, length, observe_piece, pieces_of, spans_of
from scenefer.plan import Plan

if TYPE_CHECKING:
    from scenefer.models import IdentityModel
    from scenefer.observation import Observation

Progress = Callable[[str, float, float | None], None]  # stage, film time done, film time in all

_TRIES = 3  # at pieces that turn out to be damaged


class Sighting(NamedTuple):
    """What was found in a film, how well it could be read, and the network that tells people apart."""

    observation: Observation
    notes: dict[str, Any]
    n_pieces: int
    n_resumed: int
    identity: IdentityModel | None


def observe_film(
    film: Film, plan: Plan, span: Span, data: Path, executor: executors.Executor, progress: Progress
) -> Sighting:
    """Do the pixel pass of every piece of a film that is not in the cache, and join the pieces.

    Raises:
        SceneferError: the error of the first piece that failed; the pieces that were done are kept.
    """
    cores = plan.run.workers or cpu_count() or 1
    workers = min(cores, len(spans_of(film, plan, span)))
    pieces = pieces_of(film, plan, span, data, threads=int(workers > 1))
    n_resumed = sum(map(is_done, pieces))
    n_tries = 0
    while True:
        _observe_missing(film, pieces, executor if workers > 1 else executors.serial, workers, progress)
        try:
            return join(pieces, n_resumed, threads=cores)
        except store.DamagedPiece:
            if (n_tries := n_tries + 1) == _TRIES:
                raise


def join(pieces: Sequence[Piece], n_resumed: int, *, threads: int) -> Sighting:
    """Read the pieces of a film and put them together, while the network that tells people apart is loaded.

    Both take seconds; before, the memory is full of those who read the pieces.

    Args:
        threads: that the network may take.

    Raises:
        DamagedPiece: a piece is not as it was written; it is thrown away, to be made again.
    """
    with ThreadPoolExecutor(1) as beside:
        identity = beside.submit(load_identity, pieces[0].plan, threads)
        observation, notes = _joined(pieces)
    return Sighting(observation, notes, len(pieces), n_resumed, identity.result())


@cache
def load_identity(plan: Plan, threads: int) -> IdentityModel | None:
    """Load the network that tells people apart, once a process; None where people are off."""
    if not plan.models.identity or not plan.observation.crops:
        return None
    return zoo.load_identity(plan.models.identity, zoo.choose_device(plan.models.device), threads)


def _joined(pieces: Sequence[Piece]) -> tuple[Observation, dict[str, Any]]:
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
    return combine(observed), asdict(notes)


def _observe_missing(
    film: Film, pieces: Sequence[Piece], executor: executors.Executor, workers: int, progress: Progress
) -> None:
    total = film.duration
    missing = [piece for piece in pieces if not is_done(piece)]
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
