"""Parse times into seconds: plain seconds, H:MM:SS.mmm, 1h02m03.5s, and SMPTE timecode.

A timecode counts frames; it is not a clock time. At 24000/1001 frames a second, 01:00:00:00 is frame 86,400, which is
3603.6 seconds after 00:00:00:00. Drop-frame timecode (``;`` before the frames, or between all parts) skips frame
numbers, so that one hour of timecode is one real hour within 3.6 ms (SMPTE ST 12-1).
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scenefer.core.film import Film

# Relative tolerance. A container's average rate is computed from rounded durations; the standard rates are at least
# 1/1000 apart.
_SNAP = 4e-4

_LONGEST = 32  # characters; no real film time is longer
_CLOCK = re.compile(r"(?:(\d+):)?(\d{1,2}):(\d{1,2}(?:[.,]\d+)?)")
_UNITS = re.compile(r"(?:(\d+)h ?)?(?:(\d+)m ?)?(?:(\d+(?:[.,]\d+)?)s)?", re.IGNORECASE)
_TIMECODE = re.compile(r"(\d{1,3})[:;](\d{1,2})[:;](\d{1,2})[:;](\d{1,3})")


def exact_rate(rate: Fraction) -> Fraction:
    """Snap a container's average rate to the standard rate next to it, 23.976 to 24000/1001; keep any other rate."""
    nominal = max(1, round(rate))
    for known in (Fraction(nominal), Fraction(nominal * 1000, 1001)):
        if abs(rate / known - 1) < _SNAP:
            return known
    return rate


def seconds_of(text: str, rate: Fraction) -> float:
    """Read one time.

    Args:
        text: ``93.5``, ``1:33.5``, ``0:01:33.500``, ``1m33.5s``, ``00:01:33:12`` or, drop-frame, ``00:01:33;12``.
        rate: frames a second of the film; only used for the last two forms, which are timecodes.

    Returns:
        Seconds; for a timecode, the start of that frame, counted from 00:00:00:00.

    Raises:
        ValueError: the text is not a time; the message is the reason and completes the sentence "… is no time: ".
    """
    text = text.strip()
    if len(text) > _LONGEST:
        raise ValueError(f"it has {len(text)} characters")
    if _TIMECODE.fullmatch(text):
        return frame_of(text, rate) / float(exact_rate(rate))
    if match := text and (_CLOCK.fullmatch(text) or _UNITS.fullmatch(text)):
        hours, minutes, seconds = int(match[1] or 0), int(match[2] or 0), float((match[3] or "0").replace(",", "."))
        if (match[1] and minutes >= 60) or ((match[1] or match[2]) and seconds >= 60):
            raise ValueError("minutes and seconds end at 59")
        return hours * 3600 + minutes * 60 + seconds
    if re.fullmatch(r"\+?(\d+([.,]\d*)?|[.,]\d+)", text):  # stricter than float(), which takes nan, inf and 1_0
        return float(text.replace(",", "."))
    if text.startswith(("-", "−")):
        raise ValueError("a film begins at 0")
    raise ValueError("write seconds (93.5), H:MM:SS.mmm, or H:MM:SS:FF by frame count")


def whole_hours(text: str, rate: Fraction) -> float:
    """Return the whole-hours part of a time, in seconds; for a timecode, the seconds of HH:00:00:00."""
    if match := _TIMECODE.fullmatch(text.strip()):
        return seconds_of(f"{match[1]}:00:00{';' if ';' in text else ':'}00", rate)
    return seconds_of(text, rate) // 3600 * 3600.0


def is_timecode(text: str) -> bool:
    """Check whether a time is a timecode, which counts frames: ``00:01:33:12`` is, ``0:01:33.480`` is not."""
    return bool(_TIMECODE.fullmatch(text.strip()))


def frame_of(timecode: str, rate: Fraction) -> int:
    """Return the frame number of a timecode, 0 = 00:00:00:00.

    Raises:
        ValueError: the text is not a timecode, or is one that does not exist at this rate.
    """
    match = _TIMECODE.fullmatch(timecode.strip())
    if match is None:
        raise ValueError("write HH:MM:SS:FF by frame count, or HH:MM:SS;FF for drop-frame")
    return _frame_number(match, exact_rate(rate))


def first_frame(film: Film) -> int:
    """Return the frame number of a film's first frame by its timecode; 0 without one that exists at its rate.

    Containers carry timecodes that do not: drop-frame at 25 frames a second, frame 29 of a second of 25, other text.
    """
    return _start_of(film) or 0


def has_timecode(film: Film) -> bool:
    """Check whether a film carries a timecode, or was given one, that exists at its rate."""
    return _start_of(film) is not None


def counts_drop(film: Film) -> bool:
    """Check whether a film's timecode is drop-frame, and exists."""
    return ";" in timecode_of(first_frame(film), film.frame_rate, drop=";" in (film.timecode or ""))


def with_timecode(film: Film, start: str) -> Film:
    """Set the start timecode of a film as the user states it; it overrides the file's.

    Raises:
        ValueError: ``start`` is not a timecode, or does not exist at the film's rate.
    """
    frame_of(start, film.frame_rate)
    return replace(film, timecode=start, timecode_stated=True)


def timecode_of(frame: int, rate: Fraction, *, drop: bool = False) -> str:
    """Format a frame number as a timecode, 0 = 00:00:00:00; the inverse of ``frame_of``, except for whole days.

    Args:
        drop: use drop-frame if it exists for the rate: 29.97 and 59.94 frames a second.
    """
    rate = exact_rate(rate)
    nominal = max(1, round(rate))
    drop = drop and can_drop(rate)
    if drop:
        dropped, ten_minutes = nominal // 15, nominal * 600 - 9 * (nominal // 15)
        tens, rest = divmod(frame, ten_minutes)
        minutes = max(0, rest - dropped) // (nominal * 60 - dropped)  # the first minute of every ten drops nothing
        frame += dropped * (9 * tens + minutes)
    seconds, frames = divmod(frame, nominal)
    digits = max(2, len(str(nominal - 1)))
    clock = f"{seconds // 3600 % 24:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return f"{clock}{';' if drop else ':'}{frames:0{digits}}"


def can_drop(rate: Fraction) -> bool:
    """Check whether drop-frame exists for an exact rate: it does at 29.97 and 59.94 frames a second."""
    return rate.denominator == 1001 and round(rate) % 30 == 0


def _start_of(film: Film) -> int | None:
    with suppress(ValueError):
        return frame_of(film.timecode or "", film.frame_rate)
    return None


def _frame_number(match: re.Match[str], rate: Fraction) -> int:
    hours, minutes, seconds, frames = (int(part) for part in match.groups())
    nominal = max(1, round(rate))
    if minutes >= 60 or seconds >= 60:
        raise ValueError("minutes and seconds end at 59")
    if frames >= nominal:
        raise ValueError(f"at {float(rate):.5g} frames a second the frames end at {nominal - 1}")
    number = ((hours * 60 + minutes) * 60 + seconds) * nominal + frames
    if ";" not in match[0]:
        return number
    if not can_drop(rate):
        raise ValueError(
            f"';' means drop-frame, which exists at 29.97 and 59.94 frames a second, not at {float(rate):.5g}"
        )
    dropped = nominal // 15  # numbers skipped at the start of every minute that is not a multiple of 10
    if seconds == 0 and frames < dropped and minutes % 10:
        raise ValueError(f"drop-frame timecode leaves this number out; the next one is ;{dropped:02}")
    total_minutes = hours * 60 + minutes
    return number - dropped * (total_minutes - total_minutes // 10)
