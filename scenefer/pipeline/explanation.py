"""Where the network looked, for one face of a picture or of a run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from scenefer import video
from scenefer.analysis import result
from scenefer.analysis.face_search import search_once
from scenefer.analysis.observation import ObservationSettings
from scenefer.core import geometry, jpeg
from scenefer.core.errors import SceneferError, WeightsError
from scenefer.core.text import printable
from scenefer.models import DEFAULT_WEIGHTS, calibration, framing, registry, weight_files
from scenefer.models.expression import predictor
from scenefer.models.expression.grad_cam import SIDE, explain
from scenefer.pipeline import plans
from scenefer.report import explained_figure


def explain_face(source: Path, number: int, weights: str | None = None) -> tuple[str, np.ndarray, str]:
    """Explain a face of a picture or of a run as a drawing; see ``explain``.

    Args:
        number: of a picture, 0 is the most certain face; of a run, the number in table FACES.
        weights: None uses those of the run, or the shipped ones for a picture.

    Returns:
        The emotion, the drawing, and the name of the weights.

    Raises:
        SceneferError: the picture or the run cannot be read, has no such face, or keeps no pictures of faces.
        WeightsError: the weights cannot be read.
    """
    if source.is_dir():
        run = result.load(source)
        crop, square = _of_run(run, source, number)
        file, name = _weights_of(run.run, source) if weights is None else (registry.find_expression(weights), weights)
    else:
        crop, square = _of_picture(source, number)
        name = weights or DEFAULT_WEIGHTS
        file = registry.find_expression(name)
    network, metadata = predictor.load_network(file)
    (face,) = predictor.cut([crop], square, network.size)
    emotion, drawn = explain(network, face, calibration(metadata))
    about = f"face {number} of {printable(source.name)}, by the weights {name}"
    return emotion, explained_figure.figure(drawn, SIDE, emotion, about), name


def _weights_of(run: Mapping[str, Any], folder: Path) -> tuple[Path, str]:
    """Find the weights that a run used; other weights would explain different results."""
    try:
        name, sha256 = (run["weights"]["expression"][key] for key in ("name", "sha256"))
        file = registry.find_expression(name)
    except (KeyError, TypeError, WeightsError) as error:
        raise WeightsError(f"the weights that {folder} was read with are not here; give some with --weights") from error
    if weight_files.sha256_of(file) != sha256:
        raise WeightsError(f"{name} is not what {folder} was read with, but was exchanged since; give --weights {name}")
    return file, name


def _of_run(run: result.Analysis, folder: Path, number: int) -> tuple[np.ndarray, np.ndarray]:
    faces = run.faces
    row = faces[faces["face"] == number]
    if not len(row) or row["crop"].isna().any():
        numbers = f"its faces are numbered 0 to {len(faces) - 1}" if len(faces) else "it has no faces"
        said = "its pictures of faces were not kept" if len(row) else numbers
        raise SceneferError(f"{folder} cannot show face {number}: {said}")
    detector = plans.from_record(run.run.get("settings", {})).observation.detector
    framed, _ = geometry.in_crop(*geometry.boxes_landmarks_turns(row))
    return jpeg.decode(row["crop"].iloc[0]), framing.squares(framed, detector)


def _of_picture(path: Path, number: int) -> tuple[np.ndarray, np.ndarray]:
    film = video.probe(path)
    if film.kind != "still":
        raise SceneferError(f"{path} is a film; analyse it, then explain a face of its run")
    (frame,) = video.frames(film, sample_rate=1.0)
    if frame.pixels is None:
        raise SceneferError(f"{path} cannot be read as a picture")
    detector = registry.load_detector(ObservationSettings().detector, smallest_face=24, device="cpu")
    found = search_once(frame.picture, detector, ObservationSettings().detection_pixels)
    if number >= len(found.scores):
        raise SceneferError(f"{path} has {len(found.scores)} faces, so none is number {number}; count from 0")
    only = slice(number, number + 1)
    crops, framed, _ = geometry.cut_out(frame.pixels, found.boxes[only], found.landmarks[only])
    return crops[0], framing.squares(framed, detector.name)
