"""The agreement of single clips and of all clips with the annotation, and the limits that the figures must meet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks import portrayed, scoring


@dataclass(frozen=True)
class Floor:
    """A figure and its limit; ``least``: the limit is a minimum, else a maximum."""

    name: str
    value: float
    limit: float
    least: bool = True

    @property
    def holds(self) -> bool:
        """Whether the figure meets its limit; NaN does not."""
        return self.value >= self.limit if self.least else self.value <= self.limit


@dataclass(frozen=True)
class Clip:
    """What was found in one clip, scored against the annotation."""

    truth: scoring.Truth
    cuts: scoring.Cuts
    gradual: list[tuple[scoring.Gradual, scoring.Transition | None]]
    invented_gradual: list[scoring.Transition]
    presence: scoring.Presence  # of a detected face
    usable: scoring.Presence  # of a face that counts in the percentages
    lone: list[scoring.LoneShot]
    lone_usable: list[scoring.LoneShot]
    segments: list[portrayed.Portrayed]
    people: list[portrayed.Portrayed]


@dataclass(frozen=True)
class Others:
    """What PySceneDetect and an unchanged MTCNN found in the same clip."""

    cuts: scoring.Cuts
    presence: scoring.Presence


def floors(clips: Sequence[Clip]) -> list[Floor]:
    """Compute the figures with limits over all clips together; omit those for which nothing is annotated."""
    presence = [clip.presence for clip in clips]
    face, face_right = sum(p.face for p in presence), sum(p.face_right for p in presence)
    none, none_right = sum(p.no_face for p in presence), sum(p.no_face_right for p in presence)
    gradual = [found is not None for clip in clips for _, found in clip.gradual]
    lone = [shot.tracks for clip in clips for shot in clip.lone]
    flicker = sum(len(clip.cuts.in_flicker) for clip in clips)
    shares = (
        ("dissolves and fades found", sum(gradual), len(gradual), 0.75),
        ("face / no face right, share of time", face_right + none_right, face + none, 0.90),
        ("face right, share of its time", face_right, face, 0.85),
        ("no face right, share of its time", none_right, none, 0.85),
        ("shots of one person with a track", sum(bool(tracks) for tracks in lone), len(lone), 0.90),
    )
    figures = [
        Floor("hard cuts, F1", cut_f1([clip.cuts for clip in clips]), 0.95),
        Floor("boundaries inside a flicker", flicker, 0, least=False),
        *(Floor(name, part / whole, limit) for name, part, whole, limit in shares if whole),
    ]
    if lone:
        figures.append(Floor("tracks in such a shot, mean", sum(map(len, lone)) / len(lone), 1.3, least=False))
    return figures


def cut_f1(scores: Sequence[scoring.Cuts]) -> float:
    """Compute the F1 of hard cuts, pooled over several clips."""
    return scoring.f1(*(sum(len(score[k]) for score in scores) for k in range(3)))


def others_figures(beside: Sequence[Others]) -> dict[str, str]:
    """Pool the other programs' figures, by the names of ours."""
    presence = [one.presence for one in beside]
    face, face_right = sum(p.face for p in presence), sum(p.face_right for p in presence)
    none, none_right = sum(p.no_face for p in presence), sum(p.no_face_right for p in presence)
    return {
        "hard cuts, F1": f"{cut_f1([one.cuts for one in beside]):.3f} PySceneDetect",
        "boundaries inside a flicker": f"{sum(len(one.cuts.in_flicker) for one in beside)} PySceneDetect",
        "face / no face right, share of time": f"{(face_right + none_right) / (face + none):.3f} MTCNN",
        "face right, share of its time": f"{face_right / face:.3f} MTCNN",
        "no face right, share of its time": f"{none_right / none:.3f} MTCNN",
    }
