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
from scenefer.models import ExpressionModel, FaceDetector

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from scenefer.video import Frame

_BATCH = 8  # sampled frames that are given to the networks together
_BATCH_BYTES = 64 << 20  # and fewer where they are large
_JPEG_QUALITY = 90
_PICTURE_QUALITY = 80
_FRAME_COLUMNS = tuple(column.name for column in tables.TABLES["frames"])


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
    faces: list[pd.DataFrame] = []
    waiting: list[Frame] = []
    previous: Frame | None = None
    for frame in frames:
        if not frame.run_up:
            score = None if previous is None else scores.compare(previous.small, frame.small)
            rows.append(_frame_row(frame, score))
            if _is_picture(previous, frame, score, settings):
                pictures.append((frame.time, jpeg(frame.small, _PICTURE_QUALITY)))
            if frame.pixels is not None:
                waiting.append(frame)
                if len(waiting) >= max(1, min(_BATCH, _BATCH_BYTES // frame.pixels.nbytes)):
                    faces.append(_read_faces(waiting, models, settings))
                    waiting = []
                    if progress:
                        progress(frame.time)
        previous = frame._replace(pixels=None)
    if waiting:
        faces.append(_read_faces(waiting, models, settings))
    columns = {name: [row[i] for row in rows] for i, name in enumerate(_FRAME_COLUMNS)}
    kept = {"time": [time for time, _ in pictures], "jpeg": [picture for _, picture in pictures]}
    return combine(
        [Observation(tables.conform(columns, "frames"), _concat(faces, "faces"), tables.conform(kept, "pictures"))]
    )


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


def _read_faces(batch: Sequence[Frame], models: Models, settings: ObservationSettings) -> pd.DataFrame:
    import numpy as np

    seen = [_reduce(frame.pixels, settings.detection_pixels) for frame in batch if frame.pixels is not None]
    found = models.detector.detect([picture for picture, _ in seen])
    parts = []
    for frame, (_, scale), detections in zip(batch, seen, found, strict=True):
        if frame.pixels is None or not len(detections.scores):
            continue
        boxes = (detections.boxes * np.tile(scale, 2)).astype(np.float32)
        landmarks = (detections.landmarks * scale).astype(np.float32)
        crops = geometry.crop_faces(frame.pixels, boxes)
        parts.append((frame.time, boxes, landmarks, detections.scores, crops))
    if not parts:
        return tables.empty("faces")
    boxes = np.concatenate([part[1] for part in parts])
    landmarks = np.concatenate([part[2] for part in parts])
    crops = [crop for part in parts for crop in part[4]]
    framed, points = geometry.in_crop(boxes, landmarks)
    return tables.conform(
        {
            "face": range(len(crops)),
            "time": np.repeat([part[0] for part in parts], [len(part[3]) for part in parts]),
            **dict(zip(("x0", "y0", "x1", "y1"), boxes.T, strict=True)),
            "landmarks": list(landmarks.reshape(-1, 10)),
            "confidence": np.concatenate([part[3] for part in parts]),
            "sharpness": geometry.sharpness(crops, framed),
            "yaw": geometry.yaw(landmarks),
            "logits": list(models.expression.logits(crops, framed, points)),
            "crop": [jpeg(crop) for crop in crops] if settings.crops else None,
        },
        "faces",
    )


def _reduce(pixels: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Reduce a picture to ``most`` pixels, never enlarging it; also the factors (x, y) back to the full picture."""
    import numpy as np

    height, width = pixels.shape[:2]
    factor = min(1.0, sqrt(most / (height * width)))
    size = (max(1, int(width * factor)), max(1, int(height * factor)))
    return geometry.shrink(pixels, *size), np.array([width / size[0], height / size[1]], np.float32)


def _concat(parts: Sequence[pd.DataFrame], table: str) -> pd.DataFrame:
    import pandas as pd

    filled = [part for part in parts if len(part)]  # empty parts would make pandas guess types
    return pd.concat(filled, ignore_index=True) if filled else tables.empty(table)
