"""The pixel pass as jobs: a film's chunks, which of them are missing, how one is made."""

from __future__ import annotations

import platform
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from functools import cache, lru_cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from scenefer.analysis.observation import OBSERVATION_VERSION, Models, observe, reclassify
from scenefer.core.errors import FilmError, WeightsError
from scenefer.core.film import Film, Span, chunk_spans, require_readable
from scenefer.core.text import printable
from scenefer.models import registry, weight_files
from scenefer.pipeline import locks, observation_cache, plans, probe_cache
from scenefer.pipeline.plans import Plan

if TYPE_CHECKING:
    from scenefer.analysis.observation import Observation
    from scenefer.video import ReaderNotes

_PACKAGES = ("scenefer", "av", "numpy", "onnxruntime", "opencv-python-headless", "pandas", "pyarrow", "torch")
_FOR_EVER = float("inf")


class Networks(NamedTuple):
    """The weights of a run, and the ids of what depends on them."""

    weights: Path
    expression_id: str
    observe_id: str


@dataclass(frozen=True)
class Chunk:
    """Job: observe a chunk of a film, or classify its faces with other weights; small, picklable, makes a folder."""

    film: Film
    span: Span
    folder: Path
    plan: Plan
    weights: Path
    expression_id: str
    threads: int  # of the decoder; 0 = one per core
    stamp: probe_cache.Stamp | None = None  # of the file when it was probed; None = changes are not checked

    @property
    def path(self) -> Path:
        """Return the film's path."""
        return self.film.path


def networks(plan: Plan) -> Networks:
    """Find the weights of a plan, and the ids of what depends on them.

    Raises:
        WeightsError: they, or those that tell people apart or find 68 points, are unknown, absent or damaged.
    """
    if plan.models.identity:
        registry.find_identity(plan.models.identity)
    if plan.models.landmarks == "dense":
        weight_files.verify("dense_landmarks")
    weights = registry.find_expression(plan.models.expression)
    expression_id = plans.expression_id(plan, weight_files.sha256_of(weights))
    detector = weight_files.verify(plan.observation.detector)
    return Networks(weights, expression_id, plans.observe_id(plan, weight_files.sha256_of(detector), expression_id))


def models_of(plan: Plan) -> Models:
    """Load the networks of the pixel pass, for callers that read single pictures.

    Raises:
        WeightsError: they are unknown, absent or damaged.
    """
    return _load_models(plan, networks(plan).weights)


def spans_of(film: Film, plan: Plan, span: Span) -> list[Span]:
    """Divide a film into spans according to a plan."""
    # decord cannot start in the middle of a film without decoding everything before it
    whole = replace(film, key_frames=()) if plan.observation.reader == "decord" else film
    # A chunk that begins where all of a picture is searched needs nothing of what was found before.
    return chunk_spans(whole, span, longest=plan.run.longest_chunk, step=plan.observation.search_every)


def chunks_of(film: Film, plan: Plan, span: Span, data: Path, *, threads: int = 1) -> list[Chunk]:
    """Name all chunks of a film, done or not."""
    used = networks(plan)
    stamp = probe_cache.stamp_of(film.path) if film.kind == "video" else None
    return [
        Chunk(
            film,
            chunk,
            observation_cache.chunk_folder(data, film.id, used.observe_id, chunk),
            plan,
            used.weights,
            used.expression_id,
            threads,
            stamp,
        )
        for chunk in spans_of(film, plan, span)
    ]


def is_done(chunk: Chunk) -> bool:
    """Tell whether a chunk is in the cache."""
    return observation_cache.is_done(chunk.folder, chunk.expression_id)


def observe_chunk(chunk: Chunk, report: Callable[[float], None]) -> None:
    """Observe a chunk of a film and write it; if only the expression weights are new, classify its stored crops again.

    Raises:
        Elsewhere: another process is working on it.
        WeightsError: the weight file has changed since the chunk was planned.
        FilmError: it cannot be decoded, or the file was changed meanwhile.
        AccessError: the disk or network does not deliver the whole file.
        OutputError: it cannot be written.
    """
    with locks.claim(chunk.folder) as staging:
        _require_weights(chunk)
        if is_done(chunk) or _reclassify(chunk, report):
            return
        try:
            observation, notes = _observe(chunk, report)
        except FilmError:
            _require_sound(chunk, damaged=True)  # raises a better error if the file changed or the disk is at fault
            raise
        _require_sound(chunk, damaged=notes.partial)
        observation_cache.write_chunk(
            staging,
            chunk.folder,
            observation,
            {
                "film_id": chunk.film.id,
                "film": str(chunk.film.path).encode("utf-8", "backslashreplace").decode(),
                "span": [chunk.span.start, None if chunk.span.end == float("inf") else chunk.span.end],
                "observation_version": OBSERVATION_VERSION,
                "settings": asdict(chunk.plan.observation),
                "expression": chunk.plan.models.expression,
                "expression_id": chunk.expression_id,
                "notes": asdict(notes),
                "versions": versions(),
            },
        )


def length(span: Span, duration: float | None) -> float:
    """Return the seconds of film in a span."""
    end = span.end if duration is None or span.end < duration else duration
    return 0.0 if end == _FOR_EVER else max(0.0, end - span.start)


def reader(plan: Plan) -> str:
    """Return the name and the version of what decodes films under a plan."""
    package = "decord" if plan.observation.reader == "decord" else "av"
    with suppress(metadata.PackageNotFoundError):
        return f"{plan.observation.reader} {metadata.version(package)}"
    return plan.observation.reader


@cache
def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that affect results."""
    return {"python": platform.python_version(), **{name: metadata.version(name) for name in _PACKAGES}}


def _observe(chunk: Chunk, report: Callable[[float], None]) -> tuple[Observation, ReaderNotes]:
    from scenefer.models.threads import one_thread
    from scenefer.video import ReaderNotes, frames

    seen = chunk.plan.observation
    notes = ReaderNotes()
    decoded = frames(
        chunk.film,
        chunk.span,
        sample_rate=seen.sample_rate,
        look_back=seen.search_every,
        reader="decord" if seen.reader == "decord" else "pyav",
        threads=chunk.threads,
        notes=notes,
    )
    with one_thread():
        models = _load_models(chunk.plan, chunk.weights)
        observation = observe(decoded, models, seen, lambda reached: report(reached - chunk.span.start))
    return observation, notes


def _reclassify(chunk: Chunk, report: Callable[[float], None]) -> bool:
    """Classify the stored faces with the wanted weights; False if nothing is stored or the stored chunk is damaged."""

    if not observation_cache.is_observed(chunk.folder):
        return False
    try:
        faces = observation_cache.read_chunk(
            chunk.folder, observation_cache.read_manifest(chunk.folder)["expression_id"]
        ).faces
    except observation_cache.DamagedChunk:
        observation_cache.discard(chunk.folder)
        return False
    expression = _load_models(chunk.plan, chunk.weights).expression
    read = reclassify(faces, expression, chunk.plan.observation.detector, lambda: report(0.0))
    observation_cache.write_logits(chunk.folder, read, chunk.expression_id)
    return True


def _require_weights(chunk: Chunk) -> None:
    """Raise if the weights were replaced meanwhile: results would be stored under the hash of the earlier ones."""
    if plans.expression_id(chunk.plan, weight_files.sha256_of(chunk.weights)) != chunk.expression_id:
        raise WeightsError(f"{printable(chunk.weights)} was replaced while a film was read by it; run again")


def _require_sound(chunk: Chunk, *, damaged: bool) -> None:
    """Raise if the file changed while it was read, or if the damage is caused by its disk."""
    if chunk.stamp is None:
        return
    if probe_cache.stamp_of(chunk.path) != chunk.stamp:  # the result would be stored under the id of other content
        what = "was changed" if chunk.path.exists() else "was moved or deleted"
        raise FilmError(f"{printable(chunk.path)} {what} while it was read; run again once it is whole")
    if damaged:
        require_readable(chunk.path)


def _load_models(plan: Plan, weights: Path) -> Models:
    """Load the networks of the pixel pass, once per process; a replaced weight file is loaded anew."""
    return _loaded(plan, weights, weight_files.sha256_of(weights))


@lru_cache(maxsize=2)  # a caller may alternate between two
def _loaded(plan: Plan, weights: Path, _sha256: str) -> Models:

    device = registry.choose_device(plan.models.device)
    seen = plan.observation
    pyramid = "exact" if seen.pyramid == "exact" else "fast"
    return Models(
        registry.load_detector(seen.detector, smallest_face=seen.smallest_face, device=device, pyramid=pyramid),
        registry.load_expression(weights, device, mirrored=seen.mirrored),
    )
