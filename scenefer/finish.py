"""The last job of a film in a batch: its pieces, all in the cache by now, become its report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from scenefer import analysis, claims, copies, exchange, run
from scenefer.film import Film, Span
from scenefer.pieces import pieces_of
from scenefer.plan import Plan
from scenefer.sighting import join

if TYPE_CHECKING:
    import numpy as np

    from scenefer.cast import Cast
    from scenefer.models import IdentityModel

_AT_ONCE = 512  # faces between two signs of life, seconds on a slow core


@dataclass(frozen=True)
class Finish:
    """A film whose pieces are all in the cache, to be analysed and reported: a job, its result a folder."""

    film: Film
    span: Span
    plan: Plan
    data: Path
    out: Path
    scenes: Path | None
    intended: Path | None
    every_clip: bool  # see sheets.read_sheet
    made_of: dict[str, str]  # what the result depends on, by part, see agenda.py
    cast: Cast | None = None  # names for people
    folder: Path | None = None  # of the film's earlier report, which is exchanged
    second: bool = False  # another film of the library has this film's name
    always: bool = False  # also where the report is there already
    threads: int = 1  # that may work on it
    never: bool = False  # it is there, and only to be copied
    copy_to: str = ""  # URL to which the report is copied too
    n_resumed: int = 0
    seconds: float = 0.0  # that the pixel pass took
    log: tuple[str, ...] = ()  # what befell the film until now

    @property
    def path(self) -> Path:
        """Return the film's path."""
        return self.film.path


def finish(job: Finish, report: Callable[[float], None]) -> None:
    """Analyse a film whose pieces are in the cache, and write its report.

    Raises:
        DamagedPiece: a piece has to be made again first.
        Elsewhere: another process is at this report.
        SheetError, OutputError: as ``run.analyze`` and ``run.write``.
    """
    held = job.out / exchange.CLAIMS
    try:
        # By name, not by content: of two films of one name, the second to come must see the first one's folder.
        with claims.claim(held / run.folder_name(job.path)):
            folder = job.folder or run.report_folder(job.film, job.out, second=job.second)
            exchange.restore(folder)
            if job.always or not (job.never or made_of(folder) == job.made_of or _is_forgotten(folder)):
                _report(job, folder, report)
            if job.copy_to and not copies.is_copied(folder, job.out, job.copy_to):
                copies.copy(folder, job.out, job.copy_to, report)
    finally:
        with suppress(OSError):  # another film is being reported
            held.rmdir()


class Telling:
    """A network that tells people apart, and gives signs of life meanwhile: a crowd is not taken for a hung decoder."""

    def __init__(self, model: IdentityModel, tell: Callable[[float], None]) -> None:
        self._model, self._tell = model, tell
        self.sha256 = model.sha256

    def vectors(self, crops: Sequence[np.ndarray], landmarks: np.ndarray) -> np.ndarray:
        """Turn N faces into vectors; see ``IdentityModel.vectors``."""
        import numpy as np

        parts = []
        for start in range(0, max(len(crops), 1), _AT_ONCE):
            parts.append(self._model.vectors(crops[start : start + _AT_ONCE], landmarks[start : start + _AT_ONCE]))
            self._tell(0.0)
        return np.concatenate(parts)


def made_of(folder: Path) -> dict[str, str] | None:
    """Read what a report was made of; None where there is no whole report."""
    try:
        return analysis.read_record(folder)["made_of"] if (folder / "report.html").is_file() else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _is_forgotten(folder: Path) -> bool:
    """Tell whether the people of a report were forgotten, perhaps since its film was planned."""
    try:
        return "forgotten" in analysis.read_record(folder)
    except (OSError, ValueError):
        return False


def stamped(text: str) -> str:
    """Write a line of a film's log: the time of day, and what happened."""
    return f"{datetime.now(UTC).isoformat(timespec='seconds')} {text}"


def _report(job: Finish, folder: Path, tell: Callable[[float], None]) -> None:
    from scenefer import sheets

    pieces = pieces_of(job.film, job.plan, job.span, job.data)
    claims.sweep(pieces[0].folder.parent)
    sighting = join(pieces, job.n_resumed, threads=job.threads)
    tell(0.0)  # a sign of life
    if sighting.identity is not None:
        sighting = sighting._replace(identity=Telling(sighting.identity, tell))
    lists = sheets.read_lists(job.film, job.scenes, job.intended, every_clip=job.every_clip)
    found = run.analyse_sighting(job.film, sighting, job.plan, lists, job.span, job.data, job.cast, job.seconds)
    found = replace(found, run={**found.run, "made_of": job.made_of})
    tell(0.0)
    notes = [f"note: {warning}" for warning in found.run["warnings"]]
    run.write(found, folder, [*job.log, *notes, stamped("analysed")])
