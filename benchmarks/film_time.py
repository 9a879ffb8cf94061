"""The share of face time in film that is read as a viewer reads it, with equal weight for each clip.

Film is mostly calm faces, and the frames of a clip are alike. So figures are by time rather than by picture, and
intervals resample clips. Every figure is given next to that of the constant answer "neutral".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from benchmarks.portrayed import LEAST, Portrayed
from scenefer.core.schema import EMOTIONS

N_RESAMPLES = 2000
CONSTANT = "neutral"  # the trivial answer, which is accepted for most of film time


class Share(NamedTuple):
    """A share, 0 to 1, with its 95 % interval over clips."""

    value: float
    low: float
    high: float


class FilmTime(NamedTuple):
    """How much of the annotated segments was read right; accepted alternatives count as right."""

    n_clips: int
    n_segments: int
    face_seconds: float
    right: Share  # of the face time, the mean over clips
    constant: Share  # the same for the constant answer
    exact: Share  # as ``right``, but only the annotated emotion counts, no alternatives
    constant_exact: Share
    macro_recall: Share  # over annotated emotions; each is the mean over the clips that show it
    constant_recall: float
    segments_right: int
    confidence: float  # probability of the strongest emotion by time, mean over clips


def film_time(readings: Iterable[Portrayed], seed: int = 0) -> FilmTime:
    """Measure read segments, from ``portrayed.segment_readings`` of any number of clips.

    Segments with less than ``LEAST`` face-seconds are left out.

    Raises:
        ValueError: no segment has enough faces.
    """
    told = [one for one in readings if one.face_seconds >= LEAST]
    if not told:
        raise ValueError("no annotated segment shows a face for long enough")
    clips = [[one for one in told if one.clip == clip] for clip in sorted({one.clip for one in told})]
    rows = np.array([_clip_shares(clip) for clip in clips])  # (clips, 5)
    recalls = np.array([_clip_recalls(clip) for clip in clips])  # (clips, 7), NaN if a clip lacks the emotion
    drawn = np.random.default_rng(seed).integers(0, len(clips), (N_RESAMPLES, len(clips)))
    means = rows[drawn].mean(axis=1)
    macros = np.array([_macro(recalls[row]) for row in drawn])
    right, constant, exact, constant_exact = (_share(rows[:, k].mean(), means[:, k]) for k in range(4))
    return FilmTime(
        n_clips=len(clips),
        n_segments=len(told),
        face_seconds=float(sum(one.face_seconds for one in told)),
        right=right,
        constant=constant,
        exact=exact,
        constant_exact=constant_exact,
        macro_recall=_share(_macro(recalls), macros),
        constant_recall=1 / int((~np.isnan(recalls)).any(axis=0).sum()),
        segments_right=sum(one.read in one.accepted for one in told),
        confidence=float(rows[:, 4].mean()),
    )


def _clip_shares(clip: Sequence[Portrayed]) -> tuple[float, ...]:
    """Return right, constant, exact, constant exact, confidence."""
    seconds = sum(one.face_seconds for one in clip)
    constant = sum(one.face_seconds for one in clip if CONSTANT in one.accepted)
    exact = sum(one.exact_seconds for one in clip)
    constant_exact = sum(one.face_seconds for one in clip if one.emotion == CONSTANT)
    confidence = sum(one.confidence * one.face_seconds for one in clip)
    right = sum(one.right_seconds for one in clip)
    return tuple(amount / seconds for amount in (right, constant, exact, constant_exact, confidence))


def _clip_recalls(clip: Sequence[Portrayed]) -> list[float]:
    recalls = []
    for emotion in EMOTIONS:
        shown = [one for one in clip if one.emotion == emotion]
        seconds = sum(one.face_seconds for one in shown)
        recalls.append(sum(one.right_seconds for one in shown) / seconds if shown else np.nan)
    return recalls


def _macro(recalls: np.ndarray) -> float:
    shown = recalls[:, ~np.isnan(recalls).all(axis=0)]
    return float(np.nanmean(shown, axis=0).mean())


def _share(value: float, resampled: np.ndarray) -> Share:
    low, high = np.percentile(resampled, (2.5, 97.5))
    return Share(float(value), float(low), float(high))


def plain(found: FilmTime) -> dict[str, Any]:
    """Return the figures as plain values for JSON."""
    return {key: value._asdict() if isinstance(value, Share) else value for key, value in found._asdict().items()}


def from_plain(kept: dict[str, Any]) -> FilmTime:
    """Restore the figures from the result of ``plain``."""
    values: dict[str, Any] = {key: Share(**value) if isinstance(value, dict) else value for key, value in kept.items()}
    return FilmTime(**values)


def lines(found: FilmTime) -> list[tuple[str, str, str]]:
    """Format the figures: name, scenefer's value, the constant answer's value."""
    return [
        (
            f"face time right, {found.n_clips} clips alike ({found.face_seconds:.0f} s of faces)",
            _percent(found.right),
            _percent(found.constant),
        ),
        ("of the annotated emotion alone, no alternative", _percent(found.exact), _percent(found.constant_exact)),
        ("macro-recall of that time", _percent(found.macro_recall), f"{found.constant_recall:.0%}"),
        (f"segments right, of {found.n_segments}", f"{found.segments_right}", ""),
        ("mean confidence in that time", f"{found.confidence:.0%}", ""),
    ]


def _percent(share: Share) -> str:
    return f"{share.value:.1%} ({share.low:.0%} to {share.high:.0%})"
