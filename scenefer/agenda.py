"""What there is to do of each film of a library, and why: asked of the disk, so that nothing is done twice.

What a film is, ``survey.py`` tells; which pieces are there, ``store.py``; what its report was made of, ``reports.py``;
and why it failed, ``failures.py``. What is kept in memory of a film is a few lines, until its turn comes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from scenefer import __version__, copies, failures, pieces, reports, run, store, survey
from scenefer import plan as plans
from scenefer.errors import SheetError
from scenefer.failures import Failure
from scenefer.film import Film, Span, path_id
from scenefer.models import records
from scenefer.plan import Plan

if TYPE_CHECKING:
    from scenefer.cast import Cast

_WHOLE = Span(0.0, float("inf"))
_CHANGED = {
    "observation": "read with other settings",
    "expression": "read with other weights",
    "analysis": "settings changed",
    "sheets": "its sheet changed",
    "span": "another part of the film",
    "cast": "the cast changed",
}
_FORGOTTEN = "its people were forgotten, and are read anew by `scenefer analyze` alone"


@dataclass(frozen=True)
class Order:
    """What is to be done: films, and by which settings."""

    films: Sequence[Path]
    plan: Plan
    data: Path
    out: Path
    scenes: Mapping[Path, Path] = field(default_factory=dict)  # sheet of scenes, by film
    intended: Mapping[Path, Path] = field(default_factory=dict)  # sheet of intentions, by film
    cast: Cast | None = None  # names for people
    spans: Mapping[Path, Span] = field(default_factory=dict)  # parts of films; the others are read whole
    every_clip: bool = False  # of a timeline without markers, see sheets.read_sheet
    timecode_start: str | None = None  # of each film's first frame, whatever its file says
    again: bool = False  # the films were asked for by name: each is reported anew, a failure is told and not kept
    only_failed: bool = False  # work on films alone that have failed before
    copy_to: str = ""  # URL to which reports are copied too; "" copies none

    def span(self, path: Path) -> Span:
        """Return the part of a film that is to be read."""
        return self.spans.get(path, _WHOLE)


@dataclass(slots=True, eq=False)
class Task:
    """A film of the library; ``state`` is one of: to look at, to do, done, partial, failed, left out."""

    path: Path
    state: str = "to look at"
    why: str = ""  # it has to be done, or must not be
    id: str | None = None
    duration: float = 0.0  # seconds; 0 = not known
    longest: float = 0.0  # seconds of its longest piece
    left: float = 0.0  # seconds that are not read yet
    n_pieces: int = 0
    n_missing: int = 0
    folder: Path | None = None  # of its report
    reported: bool = False  # its report is as it should be, and only to be copied
    skipped: bool = False  # nothing is done in this run: it was done before, or has failed for good
    failure: Failure | None = None
    log: list[str] = field(default_factory=list)  # what befell it in this run

    def fail(self, stage: str, message: str, *, time: float | None = None, permanent: bool = False) -> None:
        """Give the film up."""
        self.state = "failed"
        self.failure = failures.describe(self.path, self.id, stage, message, time=time, permanent=permanent)


class Agenda:
    """The films of an order, each with what is to be done of it."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.tasks = {path: Task(path) for path in order.films}
        self.failures = failures.read(order.out)  # as they were before this run
        self._reports = {} if order.again else reports.find(order.out)
        # Of the plan alone, and so the same for all films.
        self._used = pieces.networks(order.plan)
        self._settings_id = _settings_id(order.plan)
        self._names: dict[str, list[Task]] = {}
        for task in self.tasks.values():
            self._names.setdefault(run.folder_name(task.path), []).append(task)

    def count(self, *states: str) -> int:
        """Count films by state."""
        return sum(task.state in states for task in self.tasks.values())

    def n_copies(self) -> int:
        """Count the films that share the report of an earlier one of the order, for they hold the same."""
        folders = [task.folder for task in self.tasks.values() if task.state in ("done", "partial")]
        return len(folders) - len(set(folders))

    def to_look_at(self) -> list[Task]:
        """List the films of which nothing is known yet."""
        return [task for task in self.tasks.values() if task.state == "to look at"]

    def to_do(self) -> list[Task]:
        """List what is to be done, longest first, so that no core waits for one film at the end."""
        todo = [task for task in self.tasks.values() if task.state == "to do"]
        return sorted(todo, key=lambda task: (-task.longest, -task.duration))

    def original(self, task: Task, before: Mapping[str, Task]) -> Task | None:
        """Return the film of those ``before`` it, by id, whose report will be this one's too, for it holds the same.

        None too if its sheets are others, or if it was asked for by name.
        """
        same = None if self.order.again or task.id is None else before.get(task.id)
        return same if same is not None and self.made_of(same) == self.made_of(task) else None

    def place(self, task: Task) -> bool:
        """Decide what is to be done of a film that was looked at; False if it was not.

        Raises:
            SheetError: of an order to report films anew, whose sheets are checked before anything is decoded.
        """
        known = self._known(task)
        if known is None:
            return False
        task.id = known.id
        earlier = self.failures.get(path_id(task.path))
        given_up = earlier if earlier and earlier.state == "failed" and not self.order.again else None
        if self.order.only_failed and given_up is None:
            task.state = "left out"
        elif given_up and given_up.permanent and given_up.id == known.id:
            task.state, task.failure, task.skipped = "failed", given_up, True
        elif known.film is None:
            task.fail("look", known.error or "", permanent=known.permanent)
        else:
            self._plan(task, known.film)
        return True

    def film(self, task: Task) -> Film | None:
        """Return a film as it was when its task was made; None if the file was changed since."""
        known = self._known(task)
        return known.film if known and known.id == task.id else None

    def has_failed(self, task: Task) -> bool:
        """Tell whether a film failed, or could be read in part, before this run."""
        return bool(self.failures) and path_id(task.path) in self.failures

    def has_namesake(self, task: Task) -> bool:
        """Tell whether another film of this name comes first, and so has the folder of that name."""
        same = self._names[run.folder_name(task.path)]
        return any(other.id != task.id and other.state != "failed" for other in same[: same.index(task)])

    def made_of(self, task: Task) -> dict[str, str]:
        """Say what a film's report depends on, by part; each part is an id."""
        order = self.order
        sheets = [_digest(sheet) for sheet in (order.scenes.get(task.path), order.intended.get(task.path))]
        return {
            "observation": self._used.observe_id,
            "expression": self._used.expression_id,
            "analysis": self._settings_id,
            "sheets": plans.identity(*sheets, order.every_clip, order.timecode_start),
            "span": plans.identity(list(order.span(task.path))),
            "cast": order.cast.id if order.cast else "",
        }

    def _known(self, task: Task) -> survey.Known | None:
        known = survey.recall(task.path, self.order.data)
        if known is None and task.path.is_dir():  # a folder of stills
            known = survey.look(task.path, self.order.data)
        if known is not None and known.film is not None and self.order.timecode_start is not None:
            known = replace(known, film=replace(known.film, timecode=self.order.timecode_start))
        return known

    def _plan(self, task: Task, film: Film) -> None:
        order = self.order
        made_of = self.made_of(task)
        task.state, task.duration = "to do", film.duration or 0.0
        report = reports.choose(task.path, self._reports.get(film.id, []), made_of)
        if report is not None:
            task.folder = report.folder
        if report is not None and (report.forgotten or report.made_of == made_of):
            task.reported, task.why = True, _FORGOTTEN if report.forgotten else ""
            if order.copy_to and not copies.is_copied(report.folder, order.out, order.copy_to):
                task.why = "not copied yet"
            else:
                task.state, task.skipped = report.state, True
            return
        if order.again or store.is_begun(order.data, film.id, self._used.observe_id):
            self._divide(task, film)
        else:  # divided when its turn comes: with a hundred thousand films a tenth of a millisecond each is ten seconds
            task.left = task.duration
            task.longest = min(task.duration, order.plan.run.longest_chunk) if film.key_frames else task.duration
        task.why = "asked for" if order.again else _why(report, made_of, task)
        self._check_sheets(task, film)

    def _divide(self, task: Task, film: Film) -> None:
        """Find out which pieces of a film are missing."""
        every = pieces.pieces_of(film, self.order.plan, self.order.span(task.path), self.order.data)
        left = [pieces.length(piece.span, film.duration) for piece in every if not pieces.is_done(piece)]
        task.n_pieces, task.n_missing = len(every), len(left)
        task.longest, task.left = max(left, default=0.0), sum(left)

    def _check_sheets(self, task: Task, film: Film) -> None:
        """Read a film's sheets before anything of it is decoded."""
        scenes, intended = self.order.scenes.get(task.path), self.order.intended.get(task.path)
        if scenes is None and intended is None:
            return
        from scenefer import sheets

        try:
            sheets.read_lists(film, scenes, intended, every_clip=self.order.every_clip)
        except SheetError as error:
            if self.order.again:
                raise
            task.fail("sheet", str(error))


def _settings_id(plan: Plan) -> str:
    """Identify what the stages after the pixel pass depend on."""
    settings = asdict(plan)
    del settings["run"], settings["observation"], settings["models"]
    who = plan.models.identity
    return plans.identity(settings, records.IDENTITY[who].sha256 if who else None, __version__)


def _why(report: reports.Report | None, made_of: Mapping[str, str], task: Task) -> str:
    if report is None:
        return "begun before" if task.n_missing < task.n_pieces else "not reported yet"
    changed = [words for part, words in _CHANGED.items() if report.made_of.get(part) != made_of[part]]
    return changed[0] if changed else "made by another version"


def _digest(sheet: Path | None) -> str:
    try:
        if sheet is None or sheet.is_dir():  # a package of a timeline is known by its name
            return str(sheet)
        return hashlib.sha256(sheet.read_bytes()).hexdigest()
    except OSError:
        return "unreadable"  # said when it is read
