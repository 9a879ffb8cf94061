"""A cast: a folder with one subfolder of pictures per person, used to name people.

    cast/
      Anna/      one.jpg  two.jpg        the folder's name is the person's
      Budi/      still.png

Naming people by their faces is biometric identification: everybody in the folder should have consented to it.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from scenefer.analysis.face_search import search_once
from scenefer.core import geometry
from scenefer.core.errors import FilmError, PlanError
from scenefer.core.text import printable

if TYPE_CHECKING:
    from scenefer.models import FaceDetector, IdentityModel

_SEARCHED = 230_400  # maximum pixels of the picture given to the detector

CONSENT = (
    "--cast names people by their faces, which is biometric identification (GDPR art. 9): have the consent of everyone "
    "in the folder; `scenefer forget` deletes pictures and vectors again, an analysis without --cast the names"
)


class Cast(NamedTuple):
    """The people of a cast folder."""

    names: tuple[str, ...]  # (C,), sorted alphabetically
    vectors: np.ndarray  # (C, D) float32: the mean of each person's pictures
    notices: tuple[str, ...] = ()  # skipped pictures, and why
    id: str = ""  # hash of the folder's content, which decides how people are named


def read_cast(folder: Path, detector: FaceDetector, model: IdentityModel) -> Cast:
    """Read a cast folder; only the largest face in each picture counts.

    Raises:
        PlanError: the folder does not exist or has no subfolders, or a person has no picture with a face.
    """
    if not folder.is_dir():
        raise PlanError(f"{printable(folder)}: there is no such folder; give one with a folder of pictures a person")
    people = sorted(entry for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    if not people:
        raise PlanError(f"{printable(folder)} holds no folder of a person; put each person's pictures into one")
    names, vectors, notices = [], [], []
    for person in people:
        found, left_out = _vectors(person, detector, model)
        notices += left_out
        if not len(found):
            raise PlanError(f"{printable(person)}: no face was found in a picture of it; add a frontal one")
        names.append(printable(person.name).strip())
        vectors.append(found.mean(axis=0))
    return Cast(tuple(names), np.stack(vectors).astype(np.float32), tuple(notices), _id(people))


def _vectors(person: Path, detector: FaceDetector, model: IdentityModel) -> tuple[np.ndarray, list[str]]:
    """Compute the vector of the largest face in each picture of a folder (N, D), and notices on skipped pictures."""
    from scenefer import video

    crops, points, left_out = [], [], []
    for path in _files(person):
        try:
            (frame,) = video.frames(video.probe(path), sample_rate=1.0)
            pixels = frame.pixels
        except (FilmError, ValueError):
            frame = pixels = None
        if frame is None or pixels is None:
            left_out.append(f"cast: {printable(path)} is no picture and was left out")
            continue
        found = search_once(frame.picture, detector, _SEARCHED)
        if not len(found.scores):
            left_out.append(f"cast: no face was found in {printable(path)}")
            continue
        largest = int(np.argmax((found.boxes[:, 2:] - found.boxes[:, :2]).prod(axis=1)))
        box, landmarks = found.boxes[largest : largest + 1], found.landmarks[largest : largest + 1]
        crops += geometry.crop_faces(pixels, box)
        points.append(geometry.in_crop(box, landmarks)[1])
    return model.vectors(crops, np.concatenate(points)) if crops else np.empty((0, 0), np.float32), left_out


def _files(person: Path) -> list[Path]:
    return sorted(entry for entry in person.iterdir() if entry.is_file() and not entry.name.startswith("."))


def _id(people: list[Path]) -> str:
    """Hash the pictures of a cast with their names: 12 hexadecimal digits, the same on every machine."""
    whole = hashlib.sha256()
    for path in (path for person in people for path in _files(person)):
        whole.update(f"{path.parent.name}/{path.name}/".encode("utf-8", "surrogateescape"))
        with suppress(OSError):  # unreadable pictures were skipped
            whole.update(hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()[:12]
