"""Options about a film: where its timecode starts, which part of it to read, and on which device."""

from __future__ import annotations

import math
from pathlib import Path

from scenefer import video
from scenefer.core.errors import PlanError
from scenefer.core.film import Film, Span
from scenefer.core.text import printable
from scenefer.core.timecode import seconds_of, with_timecode
from scenefer.models import registry
from scenefer.pipeline.executors import EXECUTORS
from scenefer.pipeline.plans import Plan


def open_film(path: Path, timecode_start: str | None = None, named: str = "--timecode-start") -> Film:
    """Probe a film, and set the start of its timecode as ``from_timecode`` does.

    Raises:
        FilmError: it is not a film.
        PlanError: the timecode is invalid.
    """
    return from_timecode(video.probe(path), timecode_start, named)


def from_timecode(film: Film, start: str | None, named: str = "--timecode-start") -> Film:
    """Set the timecode of a film's first frame to the one that the user states.

    Args:
        named: the option's name, for the error message.

    Raises:
        PlanError: it is not a timecode.
    """
    if start is None:
        return film
    try:
        return with_timecode(film, start)
    except ValueError as error:
        raise PlanError(f"{named} {start!r} is no timecode: {error}") from error


def span_of(start: str | None, end: str | None, film: Film) -> Span:
    """Parse the options that select a part of a film.

    Raises:
        PlanError: they are no times, or name no part of the film.
    """
    first = _seconds("start", start, film) if start is not None else 0.0
    last = _seconds("end", end, film) if end is not None else None
    return part_of(film, first, last)


def part_of(film: Film, start: float, end: float | None) -> Span:
    """Choose a part of a film.

    Args:
        start, end: seconds of film time; an end of None, or an infinite one, is that of the film.

    Raises:
        PlanError: they name no part of the film.
    """
    last = math.inf if end is None else end
    if not start >= 0:  # nor NaN
        raise PlanError(f"the start {start!r} is no film time: a film begins at 0")
    if not last > start:
        raise PlanError(f"the end {last:g} s is not after the start {start:g} s")
    if film.duration is not None and start >= film.duration:
        name = printable(film.path.name)
        raise PlanError(f"the start {start:g} s lies beyond the end of {name}, which is {film.duration:.3f} s long")
    return Span(float(start), float(last))


def require_device(plan: Plan) -> None:
    """Check that the device exists before a film is read; devices of remote workers cannot be checked here.

    Raises:
        WeightsError: torch finds no such device.
    """
    # "cpu" and "auto" always work, and checking would load torch, which a finished library does not need.
    if plan.models.device == "cuda" and not EXECUTORS.find(plan.run.executor).is_remote:
        registry.choose_device("cuda")


def _seconds(option: str, text: str, film: Film) -> float:
    try:
        return seconds_of(text, film.frame_rate)
    except ValueError as error:
        raise PlanError(f"--{option} {text!r} is no time: {error}") from error
