"""Compare the strongest detected expression with the annotated one, per segment and per face."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.scoring import Truth
from scenefer.core.schema import EMOTIONS

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

LEAST = 0.4  # minimum face-seconds, two samples at 5 per second: less is not enough to judge a segment
OVERLAP = 0.3  # minimum intersection over union for a box to be the annotated person's


class Portrayed(NamedTuple):
    """What was read where an annotator saw ``emotion``; ``read`` is empty if nothing usable was found."""

    clip: str
    start: int  # frame
    end: int  # frame, exclusive
    person: str
    emotion: str
    accepted: frozenset[str]
    read: str
    share: float  # of the strongest emotion, 0 to 1
    truth_share: float  # sum over the accepted emotions, 0 to 1
    face_seconds: float
    right_seconds: float  # face-seconds whose own strongest emotion is accepted
    exact_seconds: float  # the same for the annotated emotion only, without accepted alternatives
    confidence: float  # mean probability of each face's strongest emotion
    loss: float  # mean over faces of −log of the total probability of the accepted emotions
    tracks: tuple[int, ...]
    why: str  # the reason if nothing is usable

    @property
    def label(self) -> str:
        """The reading for the confusion matrix: an accepted alternative counts as the annotated emotion."""
        return self.emotion if self.read in self.accepted else self.read


def segment_readings(truth: Truth, expressions: pd.DataFrame, frames: np.ndarray) -> list[Portrayed]:
    """Read every segment that shows a face, all its faces together.

    Args:
        expressions: table EXPRESSIONS of the clip.
        frames: the frame number of every row of it.
    """
    rows = []
    for segment in truth.segments:
        if segment.shows_face and segment.emotion in EMOTIONS:
            inside = expressions[(frames >= segment.start) & (frames < segment.end)]
            rows.append(_portrayed(truth.clip, segment, "", segment.emotion, segment.accepted, inside))
    return rows


def people_readings(
    truth: Truth, expressions: pd.DataFrame, frames: np.ndarray, faces: pd.DataFrame
) -> list[Portrayed]:
    """Read every annotated person of every segment: the track whose box overlaps the annotated one most.

    The box is compared with the track's face nearest in time to the annotated frame, within the segment.
    """
    import numpy as np

    from scenefer.core import geometry

    box_of = faces.set_index("face")[["x0", "y0", "x1", "y1"]]
    rows = []
    for segment in truth.segments:
        inside = (frames >= segment.start) & (frames < segment.end)
        for person, box in segment.boxes.items():
            best, best_overlap = -1, OVERLAP
            for track in expressions.loc[inside, "track"].unique():
                members = np.flatnonzero(inside & (expressions["track"] == track).to_numpy())
                nearest = members[np.argmin(np.abs(frames[members] - (segment.box_frame or 0)))]
                found = box_of.loc[[expressions["face"].iloc[nearest]]].to_numpy(float)
                overlap = float(geometry.iou(np.array([box], float), found)[0, 0])
                if overlap >= best_overlap:
                    best, best_overlap = int(track), overlap
            emotion = segment.per_person.get(person, segment.emotion)
            accepted = frozenset([emotion]) if person in segment.per_person else segment.accepted
            chosen = expressions[inside & (expressions["track"] == best).to_numpy()]
            rows.append(_portrayed(truth.clip, segment, person, emotion, accepted, chosen))
    return rows


def confusion(readings: Iterable[Portrayed], *, by_time: bool) -> dict[str, dict[str, float]]:
    """Count segments, or their face-seconds, by true and detected emotion; omit segments with too few faces."""
    table: dict[str, dict[str, float]] = {}
    for one in readings:
        if one.face_seconds >= LEAST:
            row = table.setdefault(one.emotion, {})
            row[one.label] = row.get(one.label, 0.0) + (one.face_seconds if by_time else 1)
    return {emotion: table[emotion] for emotion in EMOTIONS if emotion in table}


def _portrayed(
    clip: str, segment, person: str, emotion: str, accepted: frozenset[str], rows: pd.DataFrame
) -> Portrayed:
    usable = rows[rows["usable"]]
    seconds = float(usable["weight"].sum())
    shares = _shares(usable) if seconds else {str(name): 0.0 for name in EMOTIONS}
    strongest = max(EMOTIONS, key=lambda name: shares[name])
    return Portrayed(
        clip,
        segment.start,
        segment.end,
        person,
        emotion,
        accepted,
        strongest if seconds else "",
        shares[strongest],
        sum(shares[name] for name in accepted & set(EMOTIONS)),
        seconds,
        *_face_by_face(usable, emotion, accepted),
        tuple(sorted(int(track) for track in rows["track"].unique())),
        "" if seconds else _reasons(rows["why"].dropna().tolist()),
    )


def _face_by_face(usable: pd.DataFrame, emotion: str, accepted: frozenset[str]) -> tuple[float, float, float, float]:
    """Return the seconds read as accepted and as annotated, and the mean confidence and loss; zeros without a face."""
    import numpy as np

    weights = usable["weight"].to_numpy()
    if not weights.sum():
        return 0.0, 0.0, 0.0, 0.0
    shares = usable[list(EMOTIONS)].to_numpy(float)
    accepts = np.array([emotion in accepted for emotion in EMOTIONS])
    strongest = shares.argmax(axis=1)
    loss = -np.log(np.maximum(shares[:, accepts].sum(axis=1), 1e-12))
    return (
        float(weights[accepts[strongest]].sum()),
        float(weights[strongest == EMOTIONS.index(emotion)].sum()),
        float(np.average(shares.max(axis=1), weights=weights)),
        float(np.average(loss, weights=weights)),
    )


def _shares(usable: pd.DataFrame) -> dict[str, float]:
    weighted = usable[list(EMOTIONS)].mul(usable["weight"], axis=0).sum()
    return {name: float(weighted[name] / usable["weight"].sum()) for name in EMOTIONS}


def _reasons(reasons: Sequence[str]) -> str:
    if not reasons:
        return "no face found"
    return ", ".join(f"{reason} {reasons.count(reason)}x" for reason in sorted(set(reasons), key=reasons.count))
