"""Options about lists of scenes, which several commands have."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from scenefer.errors import PlanError

if TYPE_CHECKING:
    from scenefer.film import Film

EveryClip = Annotated[
    bool,
    typer.Option(
        "--every-clip", help="Take every clip of a timeline without markers, or scene of PySceneDetect, as one."
    ),
]
TimecodeStart = Annotated[
    str | None, typer.Option(help="HH:MM:SS:FF of the film's first frame, whatever its file says.")
]


def from_timecode(film: Film, start: str | None) -> Film:
    """Let a film begin at a timecode that the user states.

    Raises:
        PlanError: it is none.
    """
    from scenefer.timecode import frame_of

    if start is None:
        return film
    try:
        frame_of(start, film.frame_rate)
    except ValueError as error:
        raise PlanError(f"--timecode-start {start!r} is no timecode: {error}") from error
    return replace(film, timecode=start)
