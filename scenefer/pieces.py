"""The pixel pass as jobs: a film's pieces, which of them are missing, how one is made."""

from __future__ import annotations

import platform
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from scenefer import claims, store, survey
from scenefer import plan as plans
from scenefer.errors import FilmError, printable
from scenefer.film import Film, Span, chunks, demand_readable
from scenefer.models import records, zoo
from scenefer.plan import Plan

if TYPE_CHECKING:
    from scenefer.observation import Models, Observation
    from scenefer.video import ReaderNotes

_PACKAGES = ("scenefer", "av", "numpy", "opencv-python-headless", "pandas", "pyarrow", "torch")
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


@cache
def networks(plan: Plan) -> Networks:
    """Find the weights of a plan, and the ids of what depends on them.

    Raises:
        WeightsError: they, or those that tell people apart, are unknown, absent or damaged.
    """
    if plan.models.identity:
        zoo.find_identity(plan.models.identity)
    weights = zoo.find_expression(plan.models.expression)
    expression_id = plans.expression_id(plan, records.sha256_of(weights))
    detector = records.verify(plan.observation.detector)
    return Networks(weights, expression_id, plans.observe_id(plan, records.sha256_of(detector), expression_id))


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


def observe_piece(piece: Piece, report: Callable[[float], None]) -> None:
    """Observe a piece of a film and write it; or, where only the weights are new, read its stored crops again.

    Raises:
        Elsewhere: another process is at it.
        FilmError: it cannot be decoded, or the file was changed meanwhile.
        AccessError: its disk or network does not give all of the file.
        OutputError: it cannot be written.
    """
    with claims.claim(piece.folder) as staging:
        if is_done(piece) or _reclassify(piece):
            return
        try:
            observation, notes = _observe(piece, report)
        except FilmError:
            _demand_sound(piece, damaged=True)  # says what is behind it
            raise
        _demand_sound(piece, damaged=notes.partial)
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
                "notes": asdict(notes),
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


def _observe(piece: Piece, report: Callable[[float], None]) -> tuple[Observation, ReaderNotes]:
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
    return observation, notes


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


def _demand_sound(piece: Piece, *, damaged: bool) -> None:
    """Refuse what was read of a file that became another one meanwhile, or damage that is its disk's."""
    if piece.stamp is None:
        return
    if survey.stamp_of(piece.path) != piece.stamp:  # it would be kept under the wrong content
        what = "was changed" if piece.path.exists() else "was moved or deleted"
        raise FilmError(f"{printable(piece.path)} {what} while it was read; run again once it is whole")
    if damaged:
        demand_readable(piece.path)


@cache
def _load_models(plan: Plan, weights: Path) -> Models:
    """Load the networks of the pixel pass, once a process."""
    from scenefer.observation import Models

    device = zoo.choose_device(plan.models.device)
    seen = plan.observation
    pyramid = "exact" if seen.pyramid == "exact" else "fast"
    return Models(
        zoo.load_detector(seen.detector, smallest_face=seen.smallest_face, device=device, pyramid=pyramid),
        zoo.load_expression(weights, device, mirrored=seen.mirrored),
    )
