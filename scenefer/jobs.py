"""What the workers of a batch are given to do: look at a file, read a piece of a film, finish a film."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from scenefer import pieces, survey
from scenefer.errors import FilmError, OutputError, SceneferError, SheetError, printable
from scenefer.finish import Finish, finish
from scenefer.pieces import Piece


@dataclass(frozen=True)
class Look:
    """A file to be looked at: a job."""

    path: Path
    data: Path


Job = Look | Piece | Finish


def work(job: Job, report: Callable[[float], None]) -> None:
    """Do any of the jobs of a batch.

    Raises:
        SceneferError: what went wrong.
    """
    if isinstance(job, Look):
        known = survey.look(job.path, job.data)
        if known.film is None:
            raise FilmError(known.error or f"{printable(job.path)} is not a film")
    elif isinstance(job, Piece):
        pieces.observe_piece(job, report)
    else:
        finish(job, report)


def stage_of(job: Job, error: SceneferError) -> str:
    """Name the stage at which a job failed, as table FAILURES has it."""
    if isinstance(error, SheetError):
        return "sheet"
    if isinstance(error, OutputError):
        return "write"
    return "look" if isinstance(job, Look) else "observe" if isinstance(job, Piece) else "analyse"
