"""Where the network looked, for one face of a picture or of a run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from scenefer import analysis, geometry, observation, video
from scenefer.errors import SceneferError, WeightsError
from scenefer.models import calibration, reader, records, zoo
from scenefer.models.explain import explain

if TYPE_CHECKING:
    import pandas as pd


def explain_face(source: Path, number: int, weights: str | None = None) -> tuple[str, np.ndarray, str]:
    """Draw a face of a picture, or of a run, as ``explain`` does.

    Args:
        number: of a picture, 0 is the most certain face; of a run, the number in table FACES.
        weights: None takes those that the run was read with, and for a picture the shipped ones.

    Returns:
        The emotion, the drawing, and the name of the weights.

    Raises:
        SceneferError: the picture or the run cannot be read, has no such face, or keeps no pictures of faces.
        WeightsError: the weights cannot be read.
    """
    if source.is_dir():
        run = analysis.load(source)
        crop, box = _of_run(run.faces, source, number)
        file, name = _weights_of(run.run, source) if weights is None else (zoo.find_expression(weights), weights)
    else:
        crop, box = _of_picture(source, number)
        name = weights or "rmn_compact"
        file = zoo.find_expression(name)
    network, metadata = reader.load_network(file)
    (face,) = reader.cut([crop], box, network.size, network.framing)
    return *explain(network, face, calibration(metadata).head[0]), name


def _weights_of(run: Mapping[str, Any], folder: Path) -> tuple[Path, str]:
    """Find the weights that a run was read with; others would explain what nobody has seen."""
    try:
        name, sha256 = (run["weights"]["expression"][key] for key in ("name", "sha256"))
        file = zoo.find_expression(name)
    except (KeyError, TypeError, WeightsError) as error:
        raise WeightsError(f"the weights that {folder} was read with are not here; give some with --weights") from error
    if records.sha256_of(file) != sha256:
        raise WeightsError(f"{name} is not what {folder} was read with, but was exchanged since; give --weights {name}")
    return file, name


def _of_run(faces: pd.DataFrame, folder: Path, number: int) -> tuple[np.ndarray, np.ndarray]:
    row = faces[faces["face"] == number]
    if not len(row) or row["crop"].isna().any():
        numbers = f"its faces are numbered 0 to {len(faces) - 1}" if len(faces) else "it has no faces"
        said = "its pictures of faces were not kept" if len(row) else numbers
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
