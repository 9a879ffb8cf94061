"""The pixel pass: every frame is looked at once, and what is kept of it fits three small tables.

Nothing carries over from one chunk of a film to the next: a chunk is entered with a run-up of frames that gives its
first frame what it may depend on, and the grids of samples and of searches stand on absolute film time, so that
``observe(0, T) == combine([observe(0, t), observe(t, T)])``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import floor
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from scenefer.analysis import frame_features
from scenefer.analysis.face_search import FaceSearch, Found, Sample
from scenefer.analysis.readings import Readings
from scenefer.core import geometry, jpeg, tables
from scenefer.core.schema import names
from scenefer.core.settings import Settings, bounded, one_of
from scenefer.models import Detections, ExpressionModel, FaceDetector, framing
from scenefer.models.known_weights import DETECTORS

if TYPE_CHECKING:
    from scenefer.video import Frame
    from scenefer.video.picture import Picture

# Version of the pixel pass. Increase it when a change in the reader or the scores gives other results for a film: films
# are then read again. Existing reports stay readable, which would not be so with a new schema version.
OBSERVATION_VERSION = 6

_BATCH_BYTES = 64 << 20  # maximum size of the sampled frames that are searched together
_BATCH = 32  # stored faces that are read together; the slowest network takes 20 s for them
_PLACES = 64  # of a box's or a landmark's coordinate within a pixel: its last bits depend on the detector's batch
_CROP_QUALITY = 90
_PICTURE_QUALITY = 80
_PICTURE_WIDTH = 320  # px
_FRAME_COLUMNS = names("frames")


@dataclass(frozen=True)
class ObservationSettings(Settings):
    """Settings of the pixel pass; changing any of them means decoding the film again."""

    sample_rate: float = bounded(5.0, 0.01, 240)  # samples a second of film time
    # Seconds of film time after which all of a picture is searched again, in between known faces are followed where the
    # detector can; 0.01 searches every sample.
    search_every: float = bounded(1.0, 0.01, 10)
    smallest_face: int = bounded(24, 12, 400)  # px in the picture that the detector sees (640 px wide at 16:9)
    detection_pixels: int = bounded(230_400, 1_000, 100_000_000)  # maximum size of that picture, 640 x 360
    detector: str = one_of("yunet", DETECTORS)
    pyramid: str = one_of("fast", ("fast", "exact"))  # "exact" gives facenet-pytorch's faces, slower
    reader: str = one_of("pyav", ("pyav", "decord"))
    crops: bool = True  # keep a JPEG of every face, for the report, other weights and face recognition
    mirrored: bool = False  # average the expression with that of the mirrored face
    picture_every: float = bounded(2.0, 0.1, 3600)  # seconds between pictures that are kept as candidate keyframes
    picture_cut: float = 0.3  # frames with a higher cut score are kept as pictures too


class Models(NamedTuple):
    """The networks of the pixel pass."""

    detector: FaceDetector
    expression: ExpressionModel


class Observation(NamedTuple):
    """What is kept of a film after the pixel pass."""

    frames: pd.DataFrame
    faces: pd.DataFrame
    pictures: pd.DataFrame


def observe(
    frames: Iterable[Frame],
    models: Models,
    settings: ObservationSettings = ObservationSettings(),
    progress: Callable[[float], None] | None = None,
) -> Observation:
    """Score every frame, find and read the faces of the sampled ones.

    Args:
        frames: in order of time; the first ones, with ``run_up`` set, are only looked back at.
        progress: called now and then with the film time that has been reached.

    Returns:
        Tables FRAMES, FACES and PICTURES, ordered by time.
    """
    rows: list[tuple] = []
    pictures: list[tuple[float, bytes]] = []
    faces = FaceReader(models, settings)
    last: float | None = None  # film time of the frame before, and
    before: frame_features.Essence | None = None  # what is compared of it
    change = 0.0  # since the last sample
    for frame in frames:
        essence = frame_features.essence(frame.small)
        score = None if before is None else frame_features.difference(before, essence)
        change = max(change, score or 0.0)
        if not frame.run_up:
            rows.append(_frame_row(frame, essence, score))
            if _is_picture(last, frame.time, score, settings):
                pictures.append((frame.time, jpeg.encode(_kept(frame.picture), _PICTURE_QUALITY)))
        if frame.sampled:
            if faces.add(frame, change) and progress and not frame.run_up:
                progress(frame.time)
            change = 0.0
        last, before = frame.time, essence
    columns = {name: [row[i] for row in rows] for i, name in enumerate(_FRAME_COLUMNS)}
    kept = {"time": [time for time, _ in pictures], "jpeg": [picture for _, picture in pictures]}
    return Observation(tables.conform(columns, "frames"), faces.table(), tables.conform(kept, "pictures"))


def combine(chunks: Sequence[Observation]) -> Observation:
    """Join the observations of successive chunks of a film; faces are renumbered from 0."""
    frames = _concat([chunk.frames for chunk in chunks], "frames")
    faces = _concat([chunk.faces for chunk in chunks], "faces")
    faces["face"] = range(len(faces))
    return Observation(frames, faces, _concat([chunk.pictures for chunk in chunks], "pictures"))


def reclassify(
    faces: pd.DataFrame, model: ExpressionModel, detector: str, tell: Callable[[], None] | None = None
) -> pd.DataFrame:
    """Read the expressions again from the stored crops, with other weights.

    Args:
        detector: name of the detector that found the faces.
        tell: called after each batch, seconds apart even with the slowest network.

    Returns:
        Table FACES with new logits; the probabilities differ by at most 0.02 from those of uncompressed crops.

    Raises:
        ValueError: a face has no crop.
    """
    if faces["crop"].isna().any():
        raise ValueError("faces must have crops to be read again")
    logits: list[np.ndarray] = []
    for first in range(0, len(faces), _BATCH):
        part = faces.iloc[first : first + _BATCH]
        crops = [jpeg.decode(crop) for crop in part["crop"]]
        boxes, _ = geometry.in_crop(*geometry.boxes_landmarks_turns(part))
        logits.extend(model.logits(crops, framing.squares(boxes, detector)))
        if tell is not None:
            tell()
    again = faces.copy()
    again["logits"] = pd.Series(logits, dtype=object)
    return again


def _frame_row(frame: Frame, essence: frame_features.Essence, score: float | None) -> tuple:
    return (
        frame.time,
        score,
        essence.luma,
        essence.signature,
        frame.sampled,
        frame_features.palette(frame.small) if frame.sampled else None,
    )


def _is_picture(last: float | None, time: float, score: float | None, settings: ObservationSettings) -> bool:
    if last is None or score is None or score > settings.picture_cut:
        return True
    # The first frame at or after each multiple, as on the sampling grid.
    return floor(time / settings.picture_every + 1e-9) > floor(last / settings.picture_every + 1e-9)


def _kept(picture: Picture) -> np.ndarray:
    width, height = picture.size
    return picture.reduced(-(-(_PICTURE_WIDTH**2) * height // width))


class FaceReader:
    """Finds and reads the faces in sampled frames, in batches, and collects the results."""

    def __init__(self, models: Models, settings: ObservationSettings) -> None:
        self._settings = settings
        self._search_in = FaceSearch(models.detector, settings.search_every)
        self._readings = Readings(models.expression, models.detector.name)
        self._waiting: list[tuple[Frame, float]] = []  # sampled frames without detections yet
        self._times: list[float] = []
        self._found: list[Detections] = []  # for each frame with faces, in pixels of the film
        self._read: list[int] = []  # of each face: the number of its reading
        self._sharpness: list[np.ndarray] = []
        self._jpegs: list[bytes] = []

    def add(self, frame: Frame, change: float) -> bool:
        """Take a sampled frame; whether the frames up to it have been searched."""
        self._waiting.append((frame, change))
        if len(self._waiting) < min(self._search_in.batch, max(1, _BATCH_BYTES // frame.picture.nbytes)):
            return False
        self._search()
        return True

    def table(self) -> pd.DataFrame:
        """Process the waiting frames and faces, and return table FACES."""
        self._search()
        if not self._times:
            return tables.empty("faces")
        boxes, landmarks, confidence = (np.concatenate(parts) for parts in zip(*self._found, strict=True))
        return tables.conform(
            {
                "face": range(len(boxes)),
                "time": np.repeat(self._times, [len(found.scores) for found in self._found]),
                **dict(zip(("x0", "y0", "x1", "y1"), boxes.T, strict=True)),
                "landmarks": list(landmarks.reshape(-1, 10)),
                "confidence": confidence,
                "sharpness": np.concatenate(self._sharpness),
                "yaw": geometry.yaw(landmarks),
                "pitch": geometry.pitch(landmarks),
                "roll": geometry.roll(landmarks),
                "mouth_open": np.nan,  # measured in the crops, where it is asked for: ``mouths``
                "logits": list(self._readings.logits()[self._read]),
                "crop": self._jpegs if self._settings.crops else None,
            },
            "faces",
        )

    def _search(self) -> None:
        waiting, self._waiting = self._waiting, []
        most = self._settings.detection_pixels
        samples = [Sample(frame.time, frame.picture.reduced(most), change) for frame, change in waiting]
        for (frame, _), sample, found in zip(waiting, samples, self._search_in.find(samples), strict=True):
            self._take(frame, sample.picture, found)

    def _take(self, frame: Frame, seen: np.ndarray, found: Found) -> None:
        """Cut out the faces that were found in the reduced picture ``seen``, have them read, keep what is wanted."""
        if not len(found.faces.scores):
            self._readings.add([], np.empty((0, 4)), found.before)
            return
        height, width = seen.shape[:2]
        scale = np.array(frame.picture.size, np.float32) / np.array([width, height], np.float32)
        boxes = _rounded(found.faces.boxes * np.tile(scale, 2))
        landmarks = _rounded(found.faces.landmarks * scale)
        pixels = _enough(frame.picture, seen, boxes)
        factor = np.array(pixels.shape[1::-1], np.float32) / np.array(frame.picture.size, np.float32)
        crops, framed, _ = geometry.cut_out(pixels, boxes * np.tile(factor, 2), landmarks * factor)
        read = self._readings.add(crops, framed, found.before)
        if frame.run_up:
            return
        self._times.append(frame.time)
        self._found.append(Detections(boxes, landmarks, found.faces.scores))
        self._read += read
        self._sharpness.append(geometry.sharpness(crops, framed))
        if self._settings.crops:
            self._jpegs += [jpeg.encode(crop, _CROP_QUALITY) for crop in crops]


def _enough(picture: Picture, seen: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Give the smallest of three copies of a picture that still has all the pixels that are kept of each face.

    Args:
        seen: the copy in which faces were looked for; the others are one of half the width, and the whole picture.
        boxes: (N, 4) pixels of the whole.
    """
    width, height = picture.size
    smallest = geometry.crop_squares(boxes)[:, 2].min()
    if smallest * seen.shape[1] >= geometry.CROP_LARGEST * width:
        return seen
    return picture.reduced(width * height // 4) if smallest >= 2 * geometry.CROP_LARGEST else picture.full


def _concat(parts: Sequence[pd.DataFrame], table: str) -> pd.DataFrame:
    filled = [part for part in parts if len(part)]  # empty parts would make pandas guess types
    return pd.concat(filled, ignore_index=True) if filled else tables.empty(table)


def _rounded(coordinates: np.ndarray) -> np.ndarray:
    return (np.round(coordinates * _PLACES) / _PLACES).astype(np.float32)
