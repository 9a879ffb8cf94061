"""The pixel pass: every frame is looked at once, and what is kept of it fits three small tables.

Nothing carries over from one piece of a film to the next: a piece is entered with a run-up frame that gives its first
frame a predecessor, and the sampling grid stands on absolute film time, so that
``observe(0, T) == combine([observe(0, t), observe(t, T)])``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import floor, sqrt
from typing import TYPE_CHECKING, NamedTuple

from scenefer import geometry, scores, tables
from scenefer.models import Detections, ExpressionModel, FaceDetector
from scenefer.schema import names

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from scenefer.video import Frame

_BATCH = 4  # sampled frames that are given to the detector together
_CROPS = 32  # faces, about, that are given to the expression network together: in smaller batches it is slower
_BATCH_BYTES = 64 << 20  # and fewer where they are large
_PLACES = 64  # of a box's or a landmark's coordinate within a pixel: its last bits depend on the detector's batch
_JPEG_QUALITY = 90
_PICTURE_QUALITY = 80
_FRAME_COLUMNS = names("frames")


@dataclass(frozen=True)
class ObservationSettings:
    """What is looked for, how often and how closely; a change of any of these decodes the film again."""

    sample_rate: float = 5.0  # samples a second of film time
    smallest_face: int = 24  # px in the picture that the detector sees (640 px wide at 16:9)
    detection_pixels: int = 230_400  # size of that picture at most, 640 x 360
    detector: str = "mtcnn"
    pyramid: str = "fast"  # "exact" gives facenet-pytorch's faces, slower
    reader: str = "pyav"
    crops: bool = True  # keep a JPEG of every face, for the report, for other weights, for people
    mirrored: bool = False  # average the expression with that of the mirrored face
    picture_every: float = 2.0  # seconds between the pictures from which keyframes are chosen
    picture_cut: float = 0.3  # cut score above which a frame is kept as a picture too


class Models(NamedTuple):
    """The networks of the pixel pass."""

    detector: FaceDetector
    expression: ExpressionModel


class Observation(NamedTuple):
    """What is left of a film once its pixels are gone."""

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
        frames: in order of time; a first one with ``run_up`` set is only looked back at.
        progress: called now and then with the film time that has been reached.

    Returns:
        Tables FRAMES, FACES and PICTURES, ordered by time.
    """
    rows: list[tuple] = []
    pictures: list[tuple[float, bytes]] = []
    faces = _Faces(models, settings)
    previous: Frame | None = None
    for frame in frames:
        if not frame.run_up:
            score = None if previous is None else scores.compare(previous.small, frame.small)
            rows.append(_frame_row(frame, score))
            if _is_picture(previous, frame, score, settings):
                pictures.append((frame.time, jpeg(frame.small, _PICTURE_QUALITY)))
            if frame.pixels is not None and faces.add(frame.time, frame.pixels) and progress:
                progress(frame.time)
        previous = frame._replace(pixels=None)
    columns = {name: [row[i] for row in rows] for i, name in enumerate(_FRAME_COLUMNS)}
    kept = {"time": [time for time, _ in pictures], "jpeg": [picture for _, picture in pictures]}
    return Observation(tables.conform(columns, "frames"), faces.table(), tables.conform(kept, "pictures"))


def combine(pieces: Sequence[Observation]) -> Observation:
    """Join the observations of successive pieces of a film; faces are numbered through."""
    frames = _concat([piece.frames for piece in pieces], "frames")
    faces = _concat([piece.faces for piece in pieces], "faces")
    faces["face"] = range(len(faces))
    return Observation(frames, faces, _concat([piece.pictures for piece in pieces], "pictures"))


def reclassify(faces: pd.DataFrame, model: ExpressionModel) -> pd.DataFrame:
    """Read the expressions again from the stored crops, with other weights.

    Returns:
        Table FACES with new logits; within 0.02 of the probabilities of the uncompressed crops.

    Raises:
        ValueError: a face has no crop.
    """
    import cv2
    import numpy as np
    import pandas as pd

    if faces["crop"].isna().any():
        raise ValueError("faces must have crops to be read again")
    logits: list[np.ndarray] = []
    for first in range(0, len(faces), 256):
        part = faces.iloc[first : first + 256]
        crops = [np.asarray(cv2.imdecode(np.frombuffer(crop, np.uint8), cv2.IMREAD_COLOR_RGB)) for crop in part["crop"]]
        boxes, landmarks = geometry.in_crop(*boxes_and_landmarks(part))
        logits.extend(model.logits(crops, boxes, landmarks))
    again = faces.copy()
    again["logits"] = pd.Series(logits, dtype=object)
    return again


def boxes_and_landmarks(faces: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Take the boxes (N, 4) and landmarks (N, 5, 2) of a table FACES, pixels, float32."""
    import numpy as np

    boxes = faces[["x0", "y0", "x1", "y1"]].to_numpy(np.float32)
    landmarks = np.array(faces["landmarks"].tolist(), dtype=np.float32).reshape(-1, 5, 2)
    return boxes, landmarks


def jpeg(pixels: np.ndarray, quality: int = _JPEG_QUALITY) -> bytes:
    """Compress a picture (H, W, 3) uint8 RGB."""
    import cv2

    done, encoded = cv2.imencode(".jpg", pixels[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError(f"a picture of shape {pixels.shape} cannot be compressed")
    return encoded.tobytes()


def _frame_row(frame: Frame, score: float | None) -> tuple:
    sampled = frame.pixels is not None
    return (
        frame.time,
        score,
        scores.luma(frame.small),
        scores.signature(frame.small),
        sampled,
        scores.palette(frame.small) if sampled else None,
    )


def _is_picture(previous: Frame | None, frame: Frame, score: float | None, settings: ObservationSettings) -> bool:
    if previous is None or score is None or score > settings.picture_cut:
        return True
    # The first frame at or after each multiple, the rule of the sampling grid.
    return floor(frame.time / settings.picture_every + 1e-9) > floor(previous.time / settings.picture_every + 1e-9)


class _Faces:
    """Finds and reads the faces of sampled frames, several at a time, and gathers what is kept of them."""

    def __init__(self, models: Models, settings: ObservationSettings) -> None:
        self._models, self._settings = models, settings
        self._waiting: list[tuple[float, np.ndarray]] = []  # frames without detections yet
        self._crops: list[np.ndarray] = []  # faces without logits yet, and
        self._framed: list[tuple[np.ndarray, np.ndarray]] = []  # their boxes and landmarks within the crops
        self._times: list[float] = []
        self._found: list[Detections] = []  # of each frame with faces, in pixels of the film
        self._logits: list[np.ndarray] = []
        self._sharpness: list[np.ndarray] = []
        self._jpegs: list[bytes] = []

    def add(self, time: float, pixels: np.ndarray) -> bool:
        """Take a frame; whether the frames up to it have been searched."""
        self._waiting.append((time, pixels))
        if len(self._waiting) < max(1, min(_BATCH, _BATCH_BYTES // pixels.nbytes)):
            return False
        self._search()
        return True

    def table(self) -> pd.DataFrame:
        """Finish what waits; table FACES."""
        import numpy as np

        self._search()
        self._read()
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
                "logits": list(np.concatenate(self._logits)),
                "crop": self._jpegs if self._settings.crops else None,
            },
            "faces",
        )

    def _search(self) -> None:
        import numpy as np

        reduced = [_reduce(pixels, self._settings.detection_pixels) for _, pixels in self._waiting]
        detections = self._models.detector.detect([picture for picture, _ in reduced]) if reduced else []
        for (time, _), (picture, levels), found in zip(self._waiting, reduced, detections, strict=True):
            if not len(found.scores):
                continue
            scale = np.array(levels[0].shape[1::-1], np.float32) / np.array(picture.shape[1::-1], np.float32)
            boxes = _rounded(found.boxes * np.tile(scale, 2))
            landmarks = _rounded(found.landmarks * scale)
            self._times.append(time)
            self._found.append(Detections(boxes, landmarks, found.scores))
            self._framed.append(geometry.in_crop(boxes, landmarks))
            self._crops += geometry.crop_faces(levels, boxes)
        self._waiting = []
        if len(self._crops) >= _CROPS:
            self._read()

    def _read(self) -> None:
        import numpy as np

        if not self._crops:
            return
        framed, points = (np.concatenate(parts) for parts in zip(*self._framed, strict=True))
        self._logits.append(self._models.expression.logits(self._crops, framed, points))
        self._sharpness.append(geometry.sharpness(self._crops, framed))
        if self._settings.crops:
            self._jpegs += [jpeg(crop) for crop in self._crops]
        self._crops, self._framed = [], []


def _reduce(pixels: np.ndarray, most: int) -> tuple[np.ndarray, list[np.ndarray]]:
    """Reduce a picture to ``most`` pixels, never enlarging it; also the picture and the halves made on the way."""
    import cv2

    height, width = pixels.shape[:2]
    factor = min(1.0, sqrt(most / (height * width)))
    width, height = max(1, int(width * factor)), max(1, int(height * factor))
    levels = geometry.halves(pixels, width, height)
    if levels[-1].shape[:2] == (height, width):
        return levels[-1], levels
    return cv2.resize(levels[-1], (width, height), interpolation=cv2.INTER_LINEAR), levels


def _concat(parts: Sequence[pd.DataFrame], table: str) -> pd.DataFrame:
    import pandas as pd

    filled = [part for part in parts if len(part)]  # empty parts would make pandas guess types
    return pd.concat(filled, ignore_index=True) if filled else tables.empty(table)


def _rounded(coordinates: np.ndarray) -> np.ndarray:
    import numpy as np

    return (np.round(coordinates * _PLACES) / _PLACES).astype(np.float32)
