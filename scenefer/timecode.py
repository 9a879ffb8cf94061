"""Times as people write them, read as seconds: plain seconds, H:MM:SS.mmm, 1h02m03.5s, and SMPTE timecode.

A timecode counts frames, it does not tell the time: at 24000/1001 frames a second 01:00:00:00 is frame 86,400 and lies
3603.6 seconds after 00:00:00:00. Drop-frame timecode (``;`` before the frames, or between all parts) leaves out numbers
so that an hour of it is an hour within 3.6 ms; SMPTE ST 12-1.
"""

from __future__ import annotations

import re
from fractions import Fraction

# A container's average rate comes from its durations, which are rounded; the rates in use lie 1/1000 apart.
_SNAP = 4e-4

_LONGEST = 32  # characters of a time; more digits are no film's
_CLOCK = re.compile(r"(?:(\d+):)?(\d{1,2}):(\d{1,2}(?:[.,]\d+)?)")
_UNITS = re.compile(r"(?:(\d+)h ?)?(?:(\d+)m ?)?(?:(\d+(?:[.,]\d+)?)s)?", re.IGNORECASE)
_TIMECODE = re.compile(r"(\d{1,3})[:;](\d{1,2})[:;](\d{1,2})[:;](\d{1,3})")


def exact_rate(rate: Fraction) -> Fraction:
    """Return the rate in use that a container's average rate stands for: 23.976 is 24000/1001; others are kept."""
    nominal = max(1, round(rate))
    for known in (Fraction(nominal), Fraction(nominal * 1000, 1001)):
        if abs(rate / known - 1) < _SNAP:
            return known
    return rate


def seconds_of(text: str, rate: Fraction) -> float:
    """Read one time.

    Args:
        text: ``93.5``, ``1:33.5``, ``0:01:33.500``, ``1m33.5s``, ``00:01:33:12`` or, drop-frame, ``00:01:33;12``.
        rate: frames a second of the film; matters to the last two alone.

    Returns:
        Seconds; of a timecode, the begin of that frame, counted from 00:00:00:00.

    Raises:
        ValueError: it is no time; the message says why and completes the sentence "… is no time: ".
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
    """Return the seconds of a time that ``seconds_of`` reads which are whole hours of its notation."""
    if match := _TIMECODE.fullmatch(text.strip()):
        return seconds_of(f"{match[1]}:00:00{';' if ';' in text else ':'}00", rate)
    return seconds_of(text, rate) // 3600 * 3600.0


def is_timecode(text: str) -> bool:
    """Tell whether a time counts frames: ``00:01:33:12`` does, ``0:01:33.480`` does not."""
    return bool(_TIMECODE.fullmatch(text.strip()))


def frame_of(timecode: str, rate: Fraction) -> int:
    """Return the number of the frame that a timecode names, 0 = 00:00:00:00.

    Raises:
        ValueError: it is no timecode, or one that does not exist at this rate.
    """
    match = _TIMECODE.fullmatch(timecode.strip())
    if match is None:
        raise ValueError("write HH:MM:SS:FF by frame count, or HH:MM:SS;FF for drop-frame")
    return _frame_number(match, exact_rate(rate))


def timecode_of(frame: int, rate: Fraction, *, drop: bool = False) -> str:
    """Write the number of a frame as a timecode, 0 = 00:00:00:00; ``frame_of`` reads it back, but for whole days.

    Args:
        drop: count drop-frame, where that exists: at 29.97 and 59.94 frames a second.
    """
    rate = exact_rate(rate)
    nominal = max(1, round(rate))
    drop = drop and _can_drop(rate)
    if drop:
        dropped, ten_minutes = nominal // 15, nominal * 600 - 9 * (nominal // 15)
        tens, rest = divmod(frame, ten_minutes)
        minutes = max(0, rest - dropped) // (nominal * 60 - dropped)  # of the ten, the first drops nothing
        frame += dropped * (9 * tens + minutes)
    seconds, frames = divmod(frame, nominal)
    digits = max(2, len(str(nominal - 1)))
    clock = f"{seconds // 3600 % 24:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return f"{clock}{';' if drop else ':'}{frames:0{digits}}"


def _can_drop(rate: Fraction) -> bool:
    return rate.denominator == 1001 and round(rate) % 30 == 0


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
    if not _can_drop(rate):
        raise ValueError(
            f"';' means drop-frame, which exists at 29.97 and 59.94 frames a second, not at {float(rate):.5g}"
        )
    dropped = nominal // 15  # numbers left out at the begin of every minute that 10 does not divide
    if seconds == 0 and frames < dropped and minutes % 10:
        raise ValueError(f"drop-frame timecode leaves this number out; the next one is ;{dropped:02}")
    total_minutes = hours * 60 + minutes
    return number - dropped * (total_minutes - total_minutes // 10)
