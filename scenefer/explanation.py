"""Where the network looked, for one face of a picture or of a run."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from scenefer import analysis, geometry, observation, video
from scenefer.errors import SceneferError
from scenefer.models import calibration, reader, zoo
from scenefer.models.explain import explain


def explain_face(source: Path, number: int, weights: str) -> tuple[str, np.ndarray]:
    """Draw a face of a picture, or of a run, as ``explain`` does.

    Args:
        number: of a picture, 0 is the most certain face; of a run, the number in table FACES.

    Raises:
        SceneferError: the picture or the run cannot be read, has no such face, or keeps no pictures of faces.
        WeightsError: the weights cannot be read.
    """
    crop, box = _of_run(source, number) if source.is_dir() else _of_picture(source, number)
    network, metadata = reader.load_network(zoo.find_expression(weights))
    (face,) = reader.cut([crop], box, network.size, network.framing)
    return explain(network, face, calibration(metadata).head[0])


def _of_run(folder: Path, number: int) -> tuple[np.ndarray, np.ndarray]:
    faces = analysis.load(folder).faces
    row = faces[faces["face"] == number]
    if not len(row) or row["crop"].isna().any():
        said = (
            f"its faces are numbered 0 to {len(faces) - 1}" if not len(row) else "its pictures of faces were not kept"
        )
        raise SceneferError(f"{folder} cannot show face {number}: {said}")
    crop = cv2.imdecode(np.frombuffer(row["crop"].iloc[0], np.uint8), cv2.IMREAD_COLOR_RGB)
    return np.asarray(crop), geometry.in_crop(*observation.boxes_and_landmarks(row))[0]


def _of_picture(path: Path, number: int) -> tuple[np.ndarray, np.ndarray]:
    film = video.probe(path)
    if film.kind != "still":
        raise SceneferError(f"{path} is a film; analyse it, then explain a face of its run")
    (frame,) = video.frames(film, sample_rate=1.0)
    if frame.pixels is None:
        raise SceneferError(f"{path} cannot be read as a picture")
    found = zoo.load_detector("mtcnn", smallest_face=24, device="cpu").detect([frame.pixels])[0]
    if number >= len(found.scores):
        raise SceneferError(f"{path} has {len(found.scores)} faces, so none is number {number}; count from 0")
    box = found.boxes[number : number + 1]
    return geometry.crop_faces([frame.pixels], box)[0], geometry.in_crop(box, found.landmarks[number : number + 1])[0]
