"""Score what was found in a clip against its hand annotations: frame numbers in, counts out.

Frames count from 0 in decode order, a cut is the first frame of the new shot, ends of segments are exclusive. Seconds
enter only as weights.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from scenefer.analysis.result import Analysis

TOLERANCE = 1  # maximum distance in frames between a found cut and the annotated one


class Gradual(NamedTuple):
    """A dissolve, a fade or a morph over the frames [start, end]."""

    start: int
    end: int
    kind: str

    @property
    def is_transition(self) -> bool:
        """Whether it leads from one shot to the next, like dissolves and fades; a morph is inside one shot."""
        return "morph" not in self.kind


class Segment(NamedTuple):
    """Frames [start, end) in which one expression is shown."""

    start: int
    end: int
    emotion: str  # one of the seven, "none" (no visible face) or "unclear"
    people: int
    accepted: frozenset[str]  # the emotion, its alternatives, and those of single persons
    per_person: dict[str, str]
    boxes: dict[str, tuple[float, float, float, float]]  # person: xyxy at box_frame
    box_frame: int | None

    @property
    def shows_face(self) -> bool | None:
        """Whether a face is visible; None if the annotator could not tell."""
        if self.emotion == "unclear":
            return None
        return self.people > 0 and self.emotion != "none"


@dataclass(frozen=True)
class Truth:
    """The annotations of a clip by a person."""

    clip: str
    cuts: tuple[tuple[int, ...], ...]  # equally good alternatives, at least one
    gradual: tuple[Gradual, ...]
    not_cuts: tuple[int, ...]  # single frames at which a flicker is not a cut
    segments: tuple[Segment, ...]
    n_frames: int

    def segment_at(self, frame: int) -> Segment | None:
        """Return the segment that contains ``frame``; the later one if two overlap in a dissolve."""
        return next((s for s in reversed(self.segments) if s.start <= frame < s.end), None)

    def shots(self) -> list[tuple[int, int]]:
        """Return the insides [start, end) of the annotated shots, without the frames of dissolves and fades."""
        transitions = [g for g in self.gradual if g.is_transition]
        edges = sorted([(0, 0), *((cut, cut) for cut in self.cuts[0]), *((g.start, g.end + 1) for g in transitions)])
        edges.append((self.n_frames, self.n_frames))
        return [(a[1], b[0]) for a, b in pairwise(edges) if b[0] > a[1]]


def read_truth(path: Path) -> Truth:
    """Read an annotation file."""
    stored = json.loads(path.read_text("utf-8"))
    segments = tuple(
        Segment(
            start=one["start"],
            end=one["end"],
            emotion=one["emotion"],
            people=one["people"],
            accepted=frozenset([one["emotion"], *one.get("alt", []), *one.get("per_person", {}).values()]),
            per_person=one.get("per_person", {}),
            boxes={person: tuple(box) for person, box in one.get("boxes", {}).items()},
            box_frame=one.get("box_frame"),
        )
        for one in stored["segments"]
    )
    return Truth(
        clip=stored["clip"],
        cuts=tuple(tuple(cuts) for cuts in stored.get("accept_cuts") or [stored["cuts"]]),
        gradual=tuple(Gradual(one["start"], one["end"], one["type"]) for one in stored["gradual"]),
        not_cuts=tuple(stored.get("not_cuts", ())),
        segments=segments,
        n_frames=stored["n_frames"],
    )


def read_truths(films: Path) -> list[Truth]:
    """Read the annotations of all clips of a folder, in the order of their files' names."""
    return [read_truth(path) for path in sorted((films / "truth").glob("*.json"))]


class Cuts(NamedTuple):
    """Hard cuts of a clip that were found, missed and invented, as frame numbers."""

    found: list[int]
    missed: list[int]
    invented: list[int]
    in_flicker: list[int]  # boundaries of any kind at a frame annotated as not a cut


def score_cuts(truth: Truth, cuts: Sequence[int], boundaries: Iterable[int]) -> Cuts:
    """Compare found hard cuts with the annotated ones, one to one, ± 1 frame.

    A hard cut found inside an annotated dissolve or fade is neither right nor wrong here, because ``score_gradual``
    counts the transition as missed. One inside a morph counts as invented.

    Args:
        cuts: first frames of shots that begin with a hard cut.
        boundaries: first frames of all shots but the first.
    """
    in_flicker = [frame for frame in boundaries if any(abs(frame - no) <= TOLERANCE for no in truth.not_cuts)]
    scores = [_match(truth, alternative, cuts, in_flicker) for alternative in truth.cuts]
    return min(scores, key=lambda one: len(one.missed) + len(one.invented))


def _match(truth: Truth, annotated: Sequence[int], cuts: Sequence[int], in_flicker: list[int]) -> Cuts:
    open_cuts, found = list(cuts), []
    for frame in annotated:
        near = [cut for cut in open_cuts if abs(cut - frame) <= TOLERANCE]
        if near:
            open_cuts.remove(min(near, key=lambda cut: abs(cut - frame)))
            found.append(frame)
    excused = [g for g in truth.gradual if g.is_transition]
    invented = [c for c in open_cuts if not any(g.start - TOLERANCE <= c <= g.end + TOLERANCE for g in excused)]
    return Cuts(found, [frame for frame in annotated if frame not in found], invented, in_flicker)


def f1(found: int, missed: int, invented: int) -> float:
    """Compute 2 TP / (2 TP + FN + FP); 1 if there was nothing to find and nothing was found."""
    whole = 2 * found + missed + invented
    return 2 * found / whole if whole else 1.0


class Transition(NamedTuple):
    """A found dissolve or fade over the frames [start, end]."""

    kind: str
    start: int
    end: int


def score_gradual(
    truth: Truth, transitions: Sequence[Transition]
) -> tuple[list[tuple[Gradual, Transition | None]], list[Transition]]:
    """Pair each annotated dissolve and fade with a found one whose middle is inside it; also list invented ones.

    A found one that overlaps an annotated one, but has its middle outside, is in neither list.
    """
    annotated = [g for g in truth.gradual if g.is_transition]
    pairs = [
        (g, next((t for t in transitions if g.start - TOLERANCE <= (t.start + t.end) / 2 <= g.end + TOLERANCE), None))
        for g in annotated
    ]
    invented = [t for t in transitions if not any(t.start <= g.end and g.start <= t.end for g in annotated)]
    return pairs, invented


class Presence(NamedTuple):
    """Seconds with and without a visible face, how many of each were right, and the frames that were wrong."""

    face: float
    face_right: float
    no_face: float
    no_face_right: float
    wrong_frames: list[int]

    @property
    def right(self) -> float:
        """Share of the annotated time that was right, 0 to 1."""
        return (self.face_right + self.no_face_right) / max(self.face + self.no_face, 1e-9)


def score_presence(truth: Truth, samples: Iterable[tuple[int, float, bool]]) -> Presence:
    """Compare face / no face with the annotation.

    Args:
        samples: frame number, seconds that the sample stands for, and whether a face was found.
    """
    seconds = {True: [0.0, 0.0], False: [0.0, 0.0]}
    wrong = []
    for frame, weight, found in samples:
        segment = truth.segment_at(frame)
        expected = segment.shows_face if segment else None
        if expected is None:
            continue
        seconds[expected][0] += weight
        seconds[expected][1] += weight * (found == expected)
        if found != expected:
            wrong.append(frame)
    (face, face_right), (no_face, no_face_right) = seconds[True], seconds[False]
    return Presence(face, face_right, no_face, no_face_right, wrong)


class LoneShot(NamedTuple):
    """An annotated shot of one person, with the tracks found in it."""

    start: int
    end: int
    tracks: set[int]


def score_lone_shots(truth: Truth, track_frames: Iterable[tuple[int, int]]) -> list[LoneShot]:
    """List the annotated shots of one person with the tracks seen inside them.

    A shot counts if its maximum number of people is one and at least one of its segments shows the face.

    Args:
        track_frames: track and frame number of every face that counts.
    """
    members = list(track_frames)
    shots = []
    for start, end in truth.shots():
        inside = [s for s in truth.segments if s.start < end and start < s.end and s.emotion != "unclear"]
        if any(s.shows_face for s in inside) and max(s.people for s in inside) == 1:
            shots.append(LoneShot(start, end, {track for track, frame in members if start <= frame < end}))
    return shots


def macro_recall(confusion: dict[str, dict[str, float]]) -> float:
    """Average the recall over the true labels; ``confusion[true][read]`` is an amount."""
    recalls = [row.get(label, 0.0) / sum(row.values()) for label, row in confusion.items() if sum(row.values()) > 0]
    return sum(recalls) / len(recalls) if recalls else float("nan")


def frames_at(run: Analysis, times: ArrayLike) -> np.ndarray:
    """Return the numbers of the frames of a run that begin at given film times in seconds: (N,) int64."""
    return np.searchsorted(run.frames["time"].to_numpy(), np.asarray(times, float) - 1e-6)


def paired(overlaps: np.ndarray, least: float) -> int:
    """Count the rows of (N, M) overlaps that can be paired with a column, matching greedily by overlap."""
    open_overlaps, n = np.array(overlaps, float), 0
    while open_overlaps.size and open_overlaps.max() >= least:
        row, column = np.unravel_index(open_overlaps.argmax(), open_overlaps.shape)
        open_overlaps[row, :] = open_overlaps[:, column] = 0.0
        n += 1
    return n
