"""Run and join a film's chunks, and load the identity model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict, replace
from functools import lru_cache
from os import cpu_count
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from scenefer.analysis.observation import combine
from scenefer.core.errors import OutputError
from scenefer.core.film import Film, Span
from scenefer.core.memory import give_back
from scenefer.core.spool import Spool
from scenefer.models import registry
from scenefer.pipeline import observation_cache
from scenefer.pipeline.chunks import Chunk, chunks_of, is_done, observe_chunk
from scenefer.pipeline.executors.base import Executor
from scenefer.pipeline.film_work import FilmWork
from scenefer.pipeline.plans import Plan
from scenefer.pipeline.scheduler import Crew, Scheduler, crew_for

if TYPE_CHECKING:
    from scenefer.analysis.observation import Observation
    from scenefer.models import IdentityModel, LandmarkModel

Progress = Callable[[str, float, float | None], None]  # stage, film time done, film time in all


class ObservedFilm(NamedTuple):
    """What was found in a film, how well it could be read, and the identity network."""

    observation: Observation
    notes: dict[str, Any]
    n_chunks: int
    n_resumed: int
    identity: IdentityModel | None


def observe_film(
    film: Film, plan: Plan, span: Span, data: Path, executor: Executor, progress: Progress
) -> ObservedFilm:
    """Do the pixel pass of every chunk of a film that is not in the cache, and join the chunks.

    Raises:
        SceneferError: the error of the first chunk that failed; the chunks that were done are kept.
        OutputError: too little room is left on the disk of the cache.
    """
    chunks = chunks_of(film, plan, span, data)
    crew = crew_for(executor, plan.run, sum(not is_done(chunk) for chunk in chunks))
    work = FilmWork(film, [replace(chunk, threads=crew.threads) for chunk in chunks])
    while True:
        _read(work, crew, plan, data, lambda: progress("observe", work.read, film.duration))
        try:
            return join(work.chunks, work.n_resumed, threads=plan.run.workers or cpu_count() or 1)
        except observation_cache.DamagedChunk as error:
            if not work.make_again(error):
                raise


def join(chunks: Sequence[Chunk], n_resumed: int, *, threads: int, spool: Path | None = None) -> ObservedFilm:
    """Read and join the chunks of a film, and load the identity network at the same time.

    Both take seconds. The network is not loaded earlier, because until then the workers need the memory.

    Args:
        threads: for the identity network.
        spool: a folder; a file there keeps the pictures, as ``Spooled``, so that memory does not grow with them.

    Raises:
        DamagedChunk: a chunk is damaged; it is deleted, so that it will be made again.
        OutputError: the pictures cannot be kept in the folder.
    """
    give_back()  # what the pixel pass took
    with ThreadPoolExecutor(1) as beside:
        identity = beside.submit(load_identity, chunks[0].plan, threads)
        observation, notes = _joined(chunks, None if spool is None else Spool(spool))
    give_back()  # what reading the chunks took
    return ObservedFilm(observation, notes, len(chunks), n_resumed, identity.result())


def load_identity(plan: Plan, threads: int) -> IdentityModel | None:
    """Load the identity network, once per process; None if the plan does not identify people."""
    if not plan.models.identity or not plan.observation.crops:
        return None
    return _identity(plan.models.identity, registry.choose_device(plan.models.device), threads)


@lru_cache(maxsize=2)
def _identity(name: str, device: str, threads: int) -> IdentityModel:
    return registry.load_identity(name, device, threads)


def load_landmarks(plan: Plan) -> LandmarkModel | None:
    """Load the network that measures mouths; None where that is not asked for, or there are no pictures."""
    if plan.models.landmarks == "five" or not plan.observation.crops:
        return None
    return registry.load_landmarks(registry.choose_device(plan.models.device))


def _joined(chunks: Sequence[Chunk], spool: Spool | None) -> tuple[Observation, dict[str, Any]]:
    from scenefer.video import ReaderNotes

    notes = ReaderNotes()
    observed: list[Observation] = []
    for chunk in chunks:
        try:
            notes.merge(ReaderNotes(**observation_cache.read_manifest(chunk.folder)["notes"]))
            read = observation_cache.read_chunk(chunk.folder, chunk.expression_id)
        except observation_cache.DamagedChunk:
            observation_cache.discard(chunk.folder)
            raise
        observed.append(read if spool is None else _spooled(read, spool))
    return combine(observed), asdict(notes)


def _spooled(read: Observation, spool: Spool) -> Observation:
    crops = pd.Series(spool.put(read.faces["crop"]), index=read.faces.index, dtype=object)
    pictures = pd.Series(spool.put(read.pictures["jpeg"]), index=read.pictures.index, dtype=object)
    return read._replace(faces=read.faces.assign(crop=crops), pictures=read.pictures.assign(jpeg=pictures))


def _read(work: FilmWork, crew: Crew, plan: Plan, data: Path, tell: Callable[[], None]) -> None:
    """Read the missing chunks of a film."""
    tell()
    if not work.missing:
        return
    scheduler = Scheduler(plan.run, [data])
    with closing(scheduler.run(scheduler.begin(work), observe_chunk, crew, lambda job: tell())) as outcomes:
        for _ in outcomes:
            tell()
    if work.trouble is not None:
        raise work.trouble.error
    if scheduler.stopped:
        raise OutputError(scheduler.stopped)
