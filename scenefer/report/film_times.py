"""A film's timecode for the page, to read what is typed and to show where the film stands: ``film_times.js``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scenefer.core.timecode import counts_drop, exact_rate, first_frame, timecode_of

if TYPE_CHECKING:
    from scenefer.core.film import Film


def film_times(film: Film) -> dict[str, Any]:
    """Return the exact ``rate`` (frames, seconds), the ``first`` frame's number, ``drop`` and ``start``, its timecode.

    Without a timecode, or with one that does not exist at its rate, a film counts from 00:00:00:00.
    """
    rate, first, drop = exact_rate(film.frame_rate), first_frame(film), counts_drop(film)
    return {
        "rate": [rate.numerator, rate.denominator],
        "first": first,
        "drop": drop,
        "start": timecode_of(first, rate, drop=drop),
    }
