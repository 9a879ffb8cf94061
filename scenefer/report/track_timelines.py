"""Tracks over time: a face's position and expression at any moment, interpolated between samples. For drawing only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from scenefer.analysis.expressions import smooth
from scenefer.core.schema import EMOTIONS
from scenefer.core.tables import rows_of

if TYPE_CHECKING:
    from scenefer.analysis.result import Analysis

_BOX = ["x0", "y0", "x1", "y1"]


class Now(NamedTuple):
    """The state of a track at one moment."""

    box: np.ndarray  # (4,) float64 xyxy, pixels of the film as displayed
    shares: np.ndarray | None  # (7,) smoothed probabilities; None where its face does not count
    why: str | None  # the reason if it does not count


@dataclass(frozen=True)
class Course:
    """One track over time."""

    track: int
    person: int | None  # number of the person it was assigned to, from 0
    name: str | None  # that person's name in the cast
    start: float  # seconds; half a sample before its first face, but within its shot
    end: float
    times: np.ndarray  # (N,) of its faces, rising
    boxes: np.ndarray  # (N, 4)
    why: tuple[str | None, ...]  # per face, why it does not count; None = it counts
    read: np.ndarray  # (M,) times of the faces that count
    shares: np.ndarray  # (M, 7) smoothed probabilities of those faces

    def at(self, time: float) -> Now:
        """Return the state at a time, interpolated between the two samples around it."""
        box = np.array([np.interp(time, self.times, edge) for edge in self.boxes.T])
        why = self.why[int(np.abs(self.times - time).argmin())]
        if why is not None or not len(self.read):
            return Now(box, None, why)
        return Now(box, np.array([np.interp(time, self.read, share) for share in self.shares.T]), None)


def courses(analysis: Analysis) -> list[Course]:
    """Make a course for every track, in order of start."""
    faces = analysis.expressions[["face", "track", "time", "usable", "why"]].merge(
        analysis.faces[["face", *_BOX]], on="face", how="left"
    )
    faces = faces.sort_values("time", kind="stable")
    smoothed = smooth(analysis.expressions)
    rows, read = faces.groupby("track").indices, smoothed.groupby("track").indices
    shots = dict(
        zip(analysis.shots["shot"], zip(analysis.shots["start"], analysis.shots["end"], strict=True), strict=True)
    )
    step = float(np.median(analysis.samples["weight"])) if len(analysis.samples) else 0.2
    found = []
    for track in rows_of(analysis.tracks):
        own = faces.iloc[rows.get(track["track"], [])]
        counted = smoothed.iloc[read.get(track["track"], [])]
        if not len(own):
            continue
        times = own["time"].to_numpy()
        begin, end = shots[track["shot"]]
        found.append(
            Course(
                track=track["track"],
                person=track["actor"],
                name=track["actor_name"],
                start=max(begin, times[0] - step / 2),
                end=min(end, times[-1] + step),
                times=times,
                boxes=own[_BOX].to_numpy(np.float64),
                why=tuple(None if usable else why for usable, why in zip(own["usable"], own["why"], strict=True)),
                read=counted["time"].to_numpy(),
                shares=counted[list(EMOTIONS)].to_numpy(np.float64),
            )
        )
    return sorted(found, key=lambda course: course.start)


class Shares:
    """The cumulative percentages within a scene; at its end they equal those of the report."""

    def __init__(self, analysis: Analysis):
        usable = analysis.expressions.loc[analysis.expressions["usable"] & analysis.expressions["scene"].notna()]
        self._known: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        for scene, faces in usable.sort_values("time", kind="stable").groupby("scene"):
            mass = faces[list(EMOTIONS)].to_numpy(np.float64) * faces["weight"].to_numpy()[:, None]
            self._known[int(scene)] = faces["time"].to_numpy(), np.cumsum(mass, axis=0)  # pyright: ignore[reportArgumentType]

    def until(self, time: float, scene: int) -> np.ndarray | None:
        """Return the seven shares (7,) of a scene's face-seconds up to a time; None before its first usable face."""
        if scene not in self._known:
            return None
        times, mass = self._known[scene]
        n_faces = int(np.searchsorted(times, time, side="right"))
        if n_faces == 0 or not mass[n_faces - 1].sum() > 0:
            return None
        return mass[n_faces - 1] / mass[n_faces - 1].sum()
