"""One picture after the other, by the pixel pass, the tracker and the rules of the analysis of films."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from scenefer.analysis import expressions, tracks
from scenefer.analysis.observation import Models, Observation, observe
from scenefer.core.schema import EMOTIONS
from scenefer.live.numbers import Numbers
from scenefer.video import ArrayPicture, Frame

if TYPE_CHECKING:
    from scenefer.analysis.settings import StageSettings
    from scenefer.core.film import Film
    from scenefer.models import IdentityModel
# cut_score from which the picture is another one: between pictures that are a tenth of a second apart, motion alone
# changes as much as 0.5 (``shots.py`` has the same for slow films). Numbers that change would be worse than one that
# stays across a cut, which a camera on the set has none of.
_CUT = 0.5
_SMOOTHED = 0.6  # seconds of a face's probabilities that its label is the mean of, so that it can be read
_HOLE = 0.5  # seconds between two pictures that nothing is known of, where two steps are less
_REMEMBERED = 60.0  # seconds after which a track that is not seen is forgotten


@dataclass(frozen=True)
class Face:
    """A face in a picture, as it is shown."""

    number: int  # from 1, in order of appearance, see ``Numbers``
    box: tuple[float, float, float, float]  # xyxy, px of the picture
    probabilities: tuple[float, ...]  # of the seven, mean of the last moments
    why: str | None  # why it does not count; None: it does

    @property
    def emotion(self) -> str:
        """Return the most probable of the seven."""
        return EMOTIONS[max(range(len(EMOTIONS)), key=self.probabilities.__getitem__)]

    @property
    def probability(self) -> float:
        """Return the probability of it, 0 to 1."""
        return max(self.probabilities)


class Read(NamedTuple):
    """What was read in a picture."""

    observation: Observation  # of this picture alone, to be recorded
    faces: tuple[Face, ...]
    weight: float  # seconds that the picture stands for
    counted: np.ndarray  # (N, 7) probabilities of the faces that count, as read


class _Track:
    """What is remembered of a track."""

    def __init__(self) -> None:
        self.best, self.seconds, self.seen = 0.0, 0.0, 0.0
        self.recent: deque[tuple[float, np.ndarray]] = deque()


class LiveReader:
    """Reads pictures in order of time.

    Args:
        settings: of the stages; the sample rate among them is the most pictures a second that there will be.
        film: what the pictures are of.
        identity: knows who comes back; without it every track has a number of its own.
    """

    def __init__(
        self, models: Models, settings: StageSettings, film: Film, identity: IdentityModel | None = None
    ) -> None:
        self._models, self._settings = models, settings
        self._identity = identity
        self._numbers = Numbers(identity, settings.actors)
        self._rule = expressions.rule_for(film, settings.expression, settings.observation.detector)
        self._linker = tracks.Linker(settings.observation.sample_rate, settings.tracks)
        self._tracks: dict[int, _Track] = {}
        self._previous: Frame | None = None
        self._shot = 0

    def warm_up(self) -> None:
        """Read a black picture and a black face: whatever is loaded at the first use is loaded before there is one."""
        black = np.zeros((360, 640, 3), np.uint8)
        observe([Frame(0, 0.0, black[::2, ::2], ArrayPicture(black))], self._models, self._settings.observation)
        self._models.expression.logits([black[:64, :64]], np.array([[0.5, 0.5, 1.0]]))
        if self._identity is not None:
            level = np.array([[[0.4, 0.4], [0.6, 0.4], [0.5, 0.5], [0.42, 0.6], [0.58, 0.6]]], np.float32)
            self._identity.vectors([black[:64, :64]], level)

    def read(self, frame: Frame) -> Read:
        """Find and read the faces of a picture."""
        run_up = [] if self._previous is None else [self._previous._replace(run_up=True)]
        observation = observe([*run_up, frame], self._models, self._settings.observation)
        weight = self._weight(frame.time)
        self._previous = frame._replace(sampled=False)
        self._shot += bool((observation.frames["cut_score"] > _CUT).any())
        found = observation.faces
        order = np.lexsort((found["face"], found["y0"], found["x0"]))
        linked = self._linker.link(
            frame.time, self._shot, tracks.points_of(found)[order], found["confidence"].to_numpy()[order]
        )
        track = np.empty(len(found), np.int64)
        track[order] = linked
        known = [self._remembered(number, frame.time) for number in track.tolist()]
        for memory, score in zip(known, found["confidence"].tolist(), strict=True):
            memory.best, memory.seconds = max(memory.best, score), memory.seconds + weight
        best, seconds = (np.array([getattr(memory, name) for memory in known]) for name in ("best", "seconds"))
        doubtful = expressions.is_doubtful(best, seconds, self._rule)
        why = expressions.why_not(found, np.zeros(len(found), bool), doubtful, self._rule)
        calibration = self._models.expression.calibration
        read = expressions.probabilities(expressions.logits_of(found, calibration), calibration)
        usable = np.array([reason is None for reason in why], bool)
        numbers = self._numbers.of(found.assign(track=track), frame.time)
        boxes = found[["x0", "y0", "x1", "y1"]].to_numpy(np.float64).tolist()
        faces = [
            Face(numbers[number], tuple(box), _smoothed(memory, frame.time, probabilities), reason)
            for number, box, memory, probabilities, reason in zip(track.tolist(), boxes, known, read, why, strict=True)
        ]
        return Read(observation, tuple(sorted(faces, key=lambda face: face.number)), weight, read[usable])

    def _weight(self, time: float) -> float:
        """Return the seconds since the picture before, up to what is a hole and no slow machine."""
        step = 1 / self._settings.observation.sample_rate
        return step if self._previous is None else min(time - self._previous.time, max(2 * step, _HOLE))

    def _remembered(self, number: int, time: float) -> _Track:
        for old in [known for known, memory in self._tracks.items() if time - memory.seen > _REMEMBERED]:
            del self._tracks[old]
        memory = self._tracks.setdefault(number, _Track())
        memory.seen = time
        return memory


def _smoothed(memory: _Track, time: float, probabilities: np.ndarray) -> tuple[float, ...]:
    recent = memory.recent
    recent.append((time, probabilities))
    while time - recent[0][0] > _SMOOTHED:
        recent.popleft()
    return tuple(
        float(sum(column) / len(recent)) for column in zip(*(read.tolist() for _, read in recent), strict=True)
    )
