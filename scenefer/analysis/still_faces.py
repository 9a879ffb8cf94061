"""Faces and expressions in single pictures, without a film."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from scenefer.analysis.observation import FaceReader, Models, ObservationSettings
from scenefer.core.errors import FilmError
from scenefer.core.schema import EMOTIONS
from scenefer.core.text import printable
from scenefer.models import DEFAULT_WEIGHTS, registry
from scenefer.models.expression.blending import probabilities

_KEPT = ("x0", "y0", "x1", "y1", "landmarks", "confidence", "sharpness", "yaw")


def read_faces(
    images: np.ndarray | str | os.PathLike[str] | Iterable[np.ndarray | str | os.PathLike[str]],
    weights: str | os.PathLike[str] = DEFAULT_WEIGHTS,
    settings: ObservationSettings = ObservationSettings(),
    *,
    device: str = "auto",
) -> pd.DataFrame:
    """Find the faces in pictures and read the expression of each; the table has every detected face.

    Args:
        images: one or more pictures: paths, or arrays (H, W, 3) uint8 RGB or (H, W) uint8 grey.
        weights: name or file of the expression network.
        settings: detector settings, including the size of the smallest face.

    Returns:
        One row per face, ordered by picture, then by decreasing confidence: ``image``, index of the picture from 0;
        ``file``, its path, None for arrays; ``x0`` to ``y1``, the box in pixels; ``landmarks``, (5, 2) pixels: left
        eye, right eye, nose, left and right mouth corner, as seen; ``confidence``, ``sharpness`` and ``yaw`` as in
        table FACES; ``expression``, the most probable one; and the seven calibrated probabilities.

    Raises:
        ValueError: an array is not a picture.
        FilmError, PlanError: a file is not a picture, or does not exist.
        WeightsError: the weights are unknown, missing or damaged.
    """
    from scenefer.video import ArrayPicture, Frame

    several = [images] if isinstance(images, str | os.PathLike | np.ndarray) else list(images)
    where = registry.choose_device(device)
    expression = registry.load_expression(os.fspath(weights), where, mirrored=settings.mirrored)
    detector = registry.load_detector(
        settings.detector,
        smallest_face=settings.smallest_face,
        device=where,
        pyramid="exact" if settings.pyramid == "exact" else "fast",
    )
    reader = FaceReader(Models(detector, expression), settings)
    for place, pixels in enumerate(_pictures(several)):
        reader.add(
            Frame(place, float(place), pixels, ArrayPicture(pixels)), change=1.0
        )  # nothing follows from the one before
    faces = reader.table()
    logits = np.stack(faces["logits"].tolist()) if len(faces) else None
    shares = np.empty((0, len(EMOTIONS))) if logits is None else probabilities(logits, expression.calibration)
    place = faces["time"].astype("int64")
    files = [None if isinstance(image, np.ndarray) else os.fspath(image) for image in several]
    named = pd.Series([files[at] for at in place], faces.index, dtype=object)
    read = pd.DataFrame({"image": place, "file": named, **{name: faces[name] for name in _KEPT}})
    read["landmarks"] = pd.Series([points.reshape(5, 2) for points in read["landmarks"]], read.index, dtype=object)
    read["expression"] = np.array(EMOTIONS, object)[shares.argmax(axis=1)]
    read[list(EMOTIONS)] = shares
    return read


def _pictures(images: Iterable[np.ndarray | str | os.PathLike[str]]) -> Iterator[np.ndarray]:
    """Yield each image as (H, W, 3) uint8 RGB."""
    from scenefer import video

    for image in images:
        if not isinstance(image, np.ndarray):
            film = video.probe(Path(image))
            if film.kind != "still":
                raise FilmError(f"{printable(image)} is no single picture; analyze it with scenefer.analyze")
            (frame,) = video.frames(film, sample_rate=1.0)
            if frame.pixels is None:
                raise FilmError(f"{printable(image)} cannot be read as a picture; save it again as JPEG or PNG")
            yield frame.pixels
            continue
        if image.dtype != np.uint8 or image.ndim not in (2, 3) or image.shape[2:] not in ((), (3,)) or not image.size:
            raise ValueError(f"images must have shape (H, W, 3) or (H, W), uint8, got {image.shape} {image.dtype}")
        yield np.ascontiguousarray(np.repeat(image[:, :, None], 3, axis=2) if image.ndim == 2 else image)
