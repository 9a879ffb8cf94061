"""Where faces are looked for: now and then in all of a picture, in between near where they were.

What is followed is found anew at every multiple of ``every`` seconds of film time, so that a result depends on at most
the time since the last one: a chunk of a film that begins there needs nothing of what was before.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import floor
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from scenefer.core import geometry
from scenefer.models import Detections, FaceDetector, FollowingDetector

if TYPE_CHECKING:
    from scenefer.video.picture import Picture

_BATCH = 4  # samples that a detector which follows nothing is given together
_LONGEST_STEP = 0.6  # seconds between two samples; in more a face goes anywhere
_CHANGED = 0.15  # cut score beyond which a picture is another one, perhaps with other faces
_BARREN = 0.4  # seconds after which a picture without faces is searched again: they often show for moments
_MOST = 10  # faces; to look for more one by one costs as much as to search
_SHARED = 0.3  # intersection over union of two faces that have become one


class Sample(NamedTuple):
    """A picture in which faces are wanted."""

    time: float  # film time, seconds
    picture: np.ndarray  # (H, W, 3) uint8 RGB
    change: float  # highest cut score since the sample before, 0 to 1


class Found(NamedTuple):
    """The faces of a sample."""

    faces: Detections
    before: np.ndarray  # (N,) int64: which of the sample before's each is, -1 of those that were not followed


class FaceSearch:
    """Finds the faces of successive samples.

    A picture is searched as a whole if it is the first at or after a multiple of ``every``, if it changed much or long
    ago, and if a face that was there before is not found near its place; otherwise only known faces are looked for.

    Args:
        detector: a ``FollowingDetector``; any other searches every picture.
        every: seconds of film time.
    """

    def __init__(self, detector: FaceDetector, every: float) -> None:
        self._detector, self._every = detector, every
        self._time = float("-inf")  # of the sample before, and
        self._faces: Detections | None = None  # what was found in it
        self._searched = float("-inf")  # time of the last sample that was searched as a whole

    @property
    def batch(self) -> int:
        """How many samples are best searched together: one after the other where faces are followed."""
        return 1 if isinstance(self._detector, FollowingDetector) else _BATCH

    def find(self, samples: Sequence[Sample]) -> list[Found]:
        """Find the faces of samples that follow, in order of time, those given before."""
        if not samples:  # detectors of others may count on a picture
            return []
        if not isinstance(self._detector, FollowingDetector):
            return [_new(faces) for faces in self._detector.detect([sample.picture for sample in samples])]
        return [self._next(sample, self._detector) for sample in samples]

    def _next(self, sample: Sample, detector: FollowingDetector) -> Found:
        found = self._followed(sample, detector)
        if found is None:
            found = _new(detector.detect([sample.picture])[0])
            self._searched = sample.time
        self._time, self._faces = sample.time, found.faces
        return found

    def _followed(self, sample: Sample, detector: FollowingDetector) -> Found | None:
        if self._faces is None or self._interval(sample.time) > self._interval(self._time):
            return None
        if sample.time - self._time > _LONGEST_STEP or sample.change > _CHANGED or len(self._faces.scores) > _MOST:
            return None
        if not len(self._faces.scores):
            return None if sample.time - self._searched > _BARREN - 1e-6 else _new(self._faces)
        again = detector.look(sample.picture, self._faces)
        shared = np.triu(geometry.iou(again.boxes, again.boxes), 1)
        if (again.scores == 0).any() or (shared > _SHARED).any():
            return None
        order = np.argsort(-again.scores, kind="stable")
        return Found(Detections(*(column[order] for column in again)), order)

    def _interval(self, time: float) -> int:
        return floor((time + 1e-6) / self._every)


def search_once(picture: Picture, detector: FaceDetector, most: int) -> Detections:
    """Search a single picture, reduced to at most so many pixels; faces are in pixels of the picture as it is."""
    reduced = picture.reduced(most)
    (found,) = detector.detect([reduced])
    scale = picture.size[0] / reduced.shape[1]
    return found._replace(boxes=found.boxes * scale, landmarks=found.landmarks * scale)


def _new(faces: Detections) -> Found:
    return Found(faces, np.full(len(faces.scores), -1))
