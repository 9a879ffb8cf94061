"""A session kept as a run: written chunk by chunk while it lasts, and made a run when it ends.

    DIR/live.json     what is recorded: the film that it will be, settings, what is intended
    DIR/recorded/     a folder for each five seconds, as the cache of films has them

What was recorded until a crash lies in whole chunks. ``finish`` makes a run of them, then or later, by the same stages
and tables as ``scenefer analyze``; the run takes the folder's place in one step.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from scenefer.analysis.observation import OBSERVATION_VERSION, Observation, combine
from scenefer.comparison.intentions import parse_intention
from scenefer.core import atomic
from scenefer.core.errors import OutputError, PlanError, SceneferError, unwritable
from scenefer.core.film import WHOLE, Film, Span, as_record, of_record
from scenefer.core.run_folder import LIVE, RECORD, RECORDED, may_replace
from scenefer.core.text import natural, printable
from scenefer.interchange.scene_lists import Lists
from scenefer.interchange.scene_row import COLUMNS
from scenefer.pipeline import film_analysis, locks, observation_cache, plans
from scenefer.pipeline.chunks import networks, versions
from scenefer.pipeline.film_observation import ObservedFilm, load_identity
from scenefer.pipeline.plans import Plan

if TYPE_CHECKING:
    from scenefer.analysis.result import Analysis
    from scenefer.interchange.scene_lists import Lists

CHUNK = 5.0  # seconds of a session in a chunk: what a crash may cost, at most
_VERSION = 1  # of live.json
_REMEDY = "free space or choose another --record"


class _Stated(NamedTuple):
    """What ``live.json`` says of a recording."""

    film: Film
    plan: Plan
    intended: str | None
    began: str  # ISO 8601
    expression_id: str


class Recording:
    """Writes what is read, in a thread of its own; use it as a context manager.

    Args:
        folder: of the run that it will be.
        film: what is read.
        intended: what the faces are meant to show, as a sheet says it.

    Raises:
        OutputError: the folder holds something already, or cannot be written.
        Elsewhere: another process records there.
    """

    def __init__(self, folder: Path, film: Film, plan: Plan, intended: str | None = None) -> None:
        if (folder / RECORD).is_file() or (folder / LIVE).is_file() or not may_replace(folder):
            raise OutputError(f"{printable(folder)} holds something already; choose another --record")
        self.folder = folder
        self.failed: SceneferError | None = None  # why it stopped to record
        self._film, self._plan = film, plan
        self._waiting: list[Observation] = []
        self._began = 0.0
        self._written: list[Future[None]] = []
        self._stack = ExitStack()
        self._expression_id = networks(plan).expression_id
        self._stack.enter_context(locks.claim(folder))
        self._writer = self._stack.enter_context(ThreadPoolExecutor(1))
        stated = {
            "version": _VERSION,
            "film": as_record(film),
            "settings": asdict(plan),
            "intended": intended,
            "began": datetime.now(UTC).isoformat(timespec="seconds"),
            "expression_id": self._expression_id,
        }
        try:
            (folder / RECORDED).mkdir(parents=True, exist_ok=True)
            atomic.write_result(folder / LIVE, json.dumps(stated, indent=1, default=str).encode(), _REMEDY)
        except BaseException as error:
            self.discard_empty()
            self._stack.close()
            if isinstance(error, OSError):
                raise unwritable(folder, error, _REMEDY) from error
            raise

    def __enter__(self) -> Recording:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.flush()
        if kind is not None and is_unfinished(self.folder):
            self.discard_empty()  # so that the same command, mended, may record there
        self._stack.close()

    def add(self, observation: Observation) -> None:
        """Keep what was read in a picture; every five seconds they are written, which nobody waits for."""
        if not self._waiting:
            self._began = float(observation.frames["time"].iloc[0])
        self._waiting.append(observation)
        if float(observation.frames["time"].iloc[0]) - self._began >= CHUNK:
            self._write()

    def flush(self) -> None:
        """Write what is left, and wait until it is."""
        self._write()
        for written in self._written:
            written.result()

    def discard_empty(self) -> bool:
        """Remove what was written for a session that no picture came of; tell whether it was so."""
        self.flush()
        recorded = self.folder / RECORDED
        if recorded.is_dir() and any(recorded.iterdir()):
            return False
        with suppress(OSError):  # something else may lie there by now
            (self.folder / LIVE).unlink(missing_ok=True)
            if recorded.is_dir():
                recorded.rmdir()
            self.folder.rmdir()
        return True

    def _write(self) -> None:
        if self._waiting and self.failed is None:
            self._written = [written for written in self._written if not written.done()]
            self._written.append(self._writer.submit(self._write_chunk, self._waiting))
        self._waiting = []

    def _write_chunk(self, read: list[Observation]) -> None:
        whole = combine(read)
        first, last = float(whole.frames["time"].iloc[0]), float(whole.frames["time"].iloc[-1])
        chunk = self.folder / RECORDED / f"{first:.3f}-{last:.3f}"
        manifest = {
            "film_id": self._film.id,
            "film": printable(self._film.path),
            "span": [first, last],
            "observation_version": OBSERVATION_VERSION,
            "settings": asdict(self._plan.observation),
            "expression": self._plan.models.expression,
            "expression_id": self._expression_id,
            "notes": {},
            "versions": versions(),
        }
        try:
            with locks.claim(chunk) as staging:
                observation_cache.write_chunk(staging, chunk, whole, manifest)
        except SceneferError as error:
            self.failed = error  # the session goes on, and says so
        except OSError as error:
            self.failed = unwritable(chunk, error, _REMEDY)
        except Exception as error:  # whatever it is, it is lost in this thread unless it is kept
            self.failed = OutputError(f"{printable(chunk)} cannot be written: {type(error).__name__}: {error}")


def is_unfinished(folder: Path) -> bool:
    """Tell whether a folder holds a recording that no run was made of: it goes on, or its process was killed."""
    return (folder / LIVE).is_file() and not (folder / RECORD).is_file()


def finish(folder: Path) -> Analysis:
    """Make a run of what was recorded, and put it in the recording's place.

    Raises:
        OutputError: nothing was recorded, or the run cannot be written; the recording stays.
        SceneferError: the recording is damaged.
    """
    stated = _read(folder)
    plan = stated.plan
    observation = _recorded(folder, stated.expression_id)
    if observation is None:
        raise OutputError(
            f"nothing was recorded in {printable(folder)}, or it is damaged: no picture is left; remove it, and record "
            "again"
        )
    film, span, end = _as_film(stated.film, observation, plan)
    analysis = film_analysis.analyse_observed(
        film,
        ObservedFilm(observation, {}, 1, 0, load_identity(plan, 1)),
        plan,
        _lists(stated.intended, end),
        span,
        folder,
        None,
        float(observation.frames["time"].iloc[-1]),
    )
    analysis = replace(analysis, run={**analysis.run, "recorded_live": stated.began})
    film_analysis.write(analysis, folder, keep_others=True)
    return analysis


def _read(folder: Path) -> _Stated:
    path = folder / LIVE
    try:
        stated = json.loads(path.read_text(encoding="utf-8"))
        if stated["version"] != _VERSION:
            raise ValueError("it is of another version")
        film, intended = of_record(stated["film"]), stated["intended"]
        if intended is not None:
            parse_intention(intended)
        whole = isinstance(film.id, str) and film.width > 0 and film.height > 0
        if not whole or (film.duration is not None and film.duration <= 0):
            raise ValueError("its film cannot be")
        plan = plans.from_record(stated["settings"])
        return _Stated(film, plan, intended, str(stated["began"]), str(stated["expression_id"]))
    except KeyError as error:
        raise SceneferError(f"{printable(path)} is no whole record of a session: {error} is missing") from error
    except (OSError, ValueError, TypeError, ArithmeticError, AttributeError, PlanError) as error:
        raise SceneferError(f"{printable(path)} is no record of a session, or is damaged: {error}") from error


def _recorded(folder: Path, expression_id: str) -> Observation | None:
    """Join the chunks; one that a crash has damaged is left out."""
    try:
        places = [place for place in (folder / RECORDED).iterdir() if observation_cache.CHUNK.fullmatch(place.name)]
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise SceneferError(f"{printable(folder / RECORDED)} cannot be read: {error.strerror}") from error
    chunks = []
    for place in sorted(places, key=lambda place: natural(place.name)):
        try:
            chunks.append(observation_cache.read_chunk(place, expression_id))
        except observation_cache.DamagedChunk:
            continue
    return combine(chunks) if chunks else None


def _as_film(film: Film, observation: Observation, plan: Plan) -> tuple[Film, Span, float]:
    """Return the film that was recorded, the part of it, and its end: a camera's is where it was switched off."""
    times = observation.frames["time"]
    step = float(times.diff().median()) if len(times) > 1 else 1 / plan.observation.sample_rate
    end = float(times.iloc[-1]) + step
    said = f"read live, {1 / step:.1f} pictures a second: what lies between them was not looked at"
    film = replace(film, warnings=(*film.warnings, said))
    if film.duration is not None and end <= film.duration + step:  # a film that was played, once
        return film, Span(0.0, float("inf") if end > film.duration - 2 * step else end), end
    # One that was played again and again is no longer that film.
    identity = film.id if film.duration is None else secrets.token_hex(8)
    return replace(film, id=identity, duration=end, key_frames=()), WHOLE, end


def _lists(intended: str | None, end: float) -> Lists:

    if intended is None:
        return Lists()
    row: Mapping[str, Any] = {"scene": "live", "start": 0.0, "end": end, "intended": intended}
    sheet = pd.DataFrame([[row.get(column) for column in COLUMNS]], columns=list(COLUMNS), dtype="object")
    return Lists(sheet.astype({"start": "float64", "end": "float64"}))
