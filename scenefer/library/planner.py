"""Decide what to do for each film of a library, and why, from the files on disk, so that nothing is done twice.

Sources: ``pipeline/probe_cache.py`` for the film, ``pipeline/observation_cache.py`` for its existing chunks,
``catalogue.py`` for what its report was made from, ``failures.py`` for why it failed. Only a few values per film are
kept in memory until its turn comes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from scenefer.core import run_folder
from scenefer.core.errors import PlanError, SheetError
from scenefer.core.film import Film, path_id
from scenefer.core.version import __version__
from scenefer.interchange import scene_lists, timelines
from scenefer.library import catalogue, failures, upload
from scenefer.library.failures import Failure
from scenefer.library.orders import Order
from scenefer.models import known_weights
from scenefer.pipeline import chunks, observation_cache, plans, probe_cache
from scenefer.pipeline.inputs import from_timecode
from scenefer.pipeline.plans import Plan

_CHANGED = {
    "observation": "read with other settings or by an older reader",
    "expression": "read with other weights",
    "analysis": "settings changed",
    "sheets": "its sheet changed",
    "span": "another part of the film",
    "cast": "the cast changed",
}
_FORGOTTEN = "its people were forgotten, and are read anew by `scenefer analyze` alone"


@dataclass(slots=True, eq=False)
class Task:
    """A film of the library; ``state`` is one of: to look at, to do, done, partial, failed, left out."""

    path: Path
    state: str = "to look at"
    why: str = ""  # reason for doing or skipping it
    id: str | None = None
    duration: float = 0.0  # seconds; 0 = unknown
    longest: float = 0.0  # seconds of its longest chunk
    left: float = 0.0  # seconds that are not read yet
    n_chunks: int = 0
    n_missing: int = 0
    folder: Path | None = None  # of its report
    reported: bool = False  # its report is up to date; at most it has to be copied
    skipped: bool = False  # nothing to do in this run: done before, or failed permanently
    failure: Failure | None = None
    log: list[str] = field(default_factory=list)  # its log lines from this run

    def fail(self, stage: str, message: str, **more: Any) -> None:
        """Mark the film as failed; ``more`` as for ``failures.describe``."""
        self.state = "failed"
        self.failure = failures.describe(self.path, self.id, stage, message, **more)


class WorkQueue:
    """The films of an order, each with the work it needs."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.tasks = {path: Task(path) for path in order.films}
        self.failures = failures.read(order.out)  # as they were before this run
        self.read_by = chunks.reader(order.plan)
        self._reports = {} if order.again else catalogue.find_reports(order.out)
        # Depends on the plan only, so it is the same for all films.
        self._used = chunks.networks(order.plan)
        self._settings_id = _settings_id(order.plan)
        self._names: dict[str, list[Task]] = {}
        for task in self.tasks.values():
            self._names.setdefault(run_folder.folder_name(task.path), []).append(task)

    def count(self, *states: str) -> int:
        """Count films by state."""
        return sum(task.state in states for task in self.tasks.values())

    def n_copies(self) -> int:
        """Count the films that share the report of an earlier film with the same content."""
        folders = [task.folder for task in self.tasks.values() if task.state in ("done", "partial")]
        return len(folders) - len(set(folders))

    def to_look_at(self) -> list[Task]:
        """List the films that have not been probed yet."""
        return [task for task in self.tasks.values() if task.state == "to look at"]

    def to_do(self) -> list[Task]:
        """List the films to work on, longest first, so that cores do not sit idle at the end waiting for one film."""
        todo = [task for task in self.tasks.values() if task.state == "to do"]
        return sorted(todo, key=lambda task: (-task.longest, -task.duration))

    def original(self, task: Task, before: Mapping[str, Task]) -> Task | None:
        """Return the earlier film with the same content, whose report this film will share.

        Return None if there is none, if their sheets differ, or if the films were asked for by name.

        Args:
            before: earlier films, by id.
        """
        same = None if self.order.again or task.id is None else before.get(task.id)
        return same if same is not None and self.made_of(same) == self.made_of(task) else None

    def place(self, task: Task) -> bool:
        """Decide what to do with a film that was probed; return False if it was not.

        Raises:
            SheetError: a sheet is wrong and the films were asked for by name; this is checked before decoding.
        """
        known = self._known(task)
        if known is None:
            return False
        task.id = known.id
        earlier = self.failures.get(path_id(task.path))
        given_up = earlier if earlier and earlier.state == "failed" and not self.order.again else None
        if self.order.only_failed and given_up is None:
            task.state = "left out"
        elif given_up and given_up.permanent and (given_up.id, given_up.read_by) == (known.id, self.read_by):
            task.state, task.failure, task.skipped = "failed", given_up, True
        elif known.film is None:
            task.fail("look", known.error or "", permanent=known.permanent, read_by=self.read_by)
        else:
            self._plan(task, known.film)
        return True

    def film(self, task: Task) -> Film | None:
        """Return a film as it was when its task was made; None if the file was changed since."""
        known = self._known(task)
        return known.film if known and known.id == task.id else None

    def has_failed(self, task: Task) -> bool:
        """Tell whether a film failed or was only partly readable before this run."""
        return bool(self.failures) and path_id(task.path) in self.failures

    def has_namesake(self, task: Task) -> bool:
        """Tell whether another film of the same name comes first and therefore gets the folder of that name."""
        same = self._names[run_folder.folder_name(task.path)]
        return any(other.id != task.id and other.state != "failed" for other in same[: same.index(task)])

    def made_of(self, task: Task) -> dict[str, str]:
        """Return ids of everything a film's report depends on, by part."""
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

    def _known(self, task: Task) -> probe_cache.Known | None:
        known = probe_cache.recall(task.path, self.order.data)
        if known is None and task.path.is_dir():  # a folder of stills
            known = probe_cache.look(task.path, self.order.data)
        if known is not None and known.film is not None:
            with suppress(PlanError):  # raised again and reported when its sheets are checked
                known = replace(known, film=from_timecode(known.film, self.order.timecode_start))
        return known

    def _plan(self, task: Task, film: Film) -> None:
        order = self.order
        made_of = self.made_of(task)
        task.state, task.duration = "to do", film.duration or 0.0
        report = catalogue.choose_report(task.path, self._reports.get(film.id, []), made_of)
        if report is not None:
            task.folder = report.folder
        if report is not None and (report.forgotten or report.made_of == made_of):
            task.reported, task.why = True, _FORGOTTEN if report.forgotten else ""
            if order.copy_to and not upload.is_copied(report.folder, order.out, order.copy_to):
                task.why = "not copied yet"
            else:
                task.state, task.skipped = report.state, True
            return
        if order.again or observation_cache.is_begun(order.data, film.id, self._used.observe_id):
            self._divide(task, film)
        else:  # divided when its turn comes: dividing takes 0.1 ms a film, ten seconds for 100,000 films
            task.left = task.duration
            task.longest = min(task.duration, order.plan.run.longest_chunk) if film.key_frames else task.duration
        task.why = "asked for" if order.again else _why(report, made_of, task)
        self._check_sheets(task, film)

    def _divide(self, task: Task, film: Film) -> None:
        """Find out which chunks of a film are missing."""
        every = chunks.chunks_of(film, self.order.plan, self.order.span(task.path), self.order.data)
        left = [chunks.length(chunk.span, film.duration) for chunk in every if not chunks.is_done(chunk)]
        task.n_chunks, task.n_missing = len(every), len(left)
        task.longest, task.left = max(left, default=0.0), sum(left)

    def _check_sheets(self, task: Task, film: Film) -> None:
        """Read a film's sheets before anything of it is decoded."""
        try:
            from_timecode(film, self.order.timecode_start)
        except PlanError as error:
            task.fail("sheet", str(error))
            return
        scenes, intended = self.order.scenes.get(task.path), self.order.intended.get(task.path)
        if scenes is None and intended is None:
            return

        try:
            scene_lists.read_lists(
                film, scenes, intended, every_clip=self.order.every_clip, words=self.order.plan.words
            )
        except SheetError as error:
            if self.order.again:
                raise
            task.fail("sheet", str(error))


def _settings_id(plan: Plan) -> str:
    """Identify what the stages after the pixel pass depend on."""
    settings = asdict(plan)
    del settings["run"], settings["observation"], settings["models"]
    who = plan.models.identity
    dense = [known_weights.LANDMARKS["dense_landmarks"].sha256] if plan.models.landmarks == "dense" else []
    return plans.identity(settings, known_weights.IDENTITY[who].sha256 if who else None, *dense, __version__)


def _why(report: catalogue.Report | None, made_of: Mapping[str, str], task: Task) -> str:
    if report is None:
        return "begun before" if task.n_missing < task.n_chunks else "not reported yet"
    changed = [words for part, words in _CHANGED.items() if report.made_of.get(part) != made_of[part]]
    return changed[0] if changed else "made by another version"


def _digest(sheet: Path | None) -> str:
    try:
        return "None" if sheet is None else hashlib.sha256(timelines.file_of(sheet).read_bytes()).hexdigest()
    except OSError:
        return "unreadable"  # said when it is read
