"""The data of studies: which pictures of which set, cut as networks read them, and where to get a set that is absent.

Pictures are named ``SET`` or ``SET:SPLIT``. Beside the splits that a set has, one without splits is divided 80 to 20 by
chance (``random-train``, ``random-test``) or by subject (``subject-train``, ``subject-test``), seeded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from scenefer.core.errors import SceneferError
from scenefer.core.schema import EMOTIONS
from scenefer.models.expression import predictor
from scenefer.models.expression.network import SIZE
from scenefer.training import datasets, evaluate, labelled_faces, leakage
from scenefer.training.labelled_faces import Faces

SHARE = 0.8  # of a set that is divided here, to learn from
WHERE = {
    "fer2013": "kaggle.com/c/challenges-in-representation-learning-facial-expression-recognition-challenge/data",
    "ck48": "CK+ (Lucey et al. 2010), on request: jeffcohn.net/resources",
    "jaffe": "JAFFE (Lyons et al. 1998), on request: zenodo.org/records/3451524",
    "kfe": "Korean facial expressions, on request: aihub.or.kr",
    "rafdb": "RAF-DB (Li, Deng and Du 2017), on request: whdeld.cn/RAF/model1.html",
    "sfew_train": "SFEW 2.0 (Dhall et al. 2011), on request: cs.anu.edu.au/few",
    "vemo": "VEMO (Pham, Vu and Tran 2020): private, of its authors",
    "film_stills": "176 film stills of Nugraha et al. 2025: not published, of its authors",
}


class Cut(NamedTuple):
    """Faces as a network reads them."""

    faces: Faces  # pictures (M, S, S) uint8 grey, of those that were found
    found: np.ndarray  # (N,) bool
    labels: np.ndarray  # (N,) of all


class Shelf:
    """The data sets of a study: files or folders named as the sets, in the folders that the user gives."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self.folders = folders
        self._read: dict[str, Faces] = {}
        self._cut: dict[tuple[str, int], Cut] = {}

    def place(self, name: str) -> Path | None:
        """Find a set: ``NAME.parquet``, ``NAME.csv`` or the folder ``NAME``; None where it is absent."""
        places = [folder / f"{name}{ending}" for folder in self.folders for ending in (".parquet", ".csv", "")]
        return next((place for place in places if place.exists()), None)

    def missing(self, names: Sequence[str]) -> str:
        """Say which of the sets are absent, and where they are to be had; "" where all are here."""
        absent = dict.fromkeys(name.partition(":")[0] for name in names if not self.place(name.partition(":")[0]))
        return "; ".join(f"{name} is not here: {WHERE.get(name, 'of its makers')}" for name in absent)

    def faces(self, name: str) -> Faces:
        """Read the pictures that a name means, those of the seven expressions.

        Raises:
            SceneferError: the set is absent, cannot be read, or has no such split.
        """
        if name not in self._read:
            wanted, _, split = name.partition(":")
            place = self.place(wanted)
            if place is None:
                raise SceneferError(self.missing([name]))
            try:
                faces = datasets.read(place)
            except OSError as error:
                raise SceneferError(f"{place} cannot be read: {error.strerror or error}") from error
            faces = faces.take(faces.labels != labelled_faces.OTHER)
            if split == "Training":
                faces = leakage.without_leaks(faces)
            self._read[name] = _portion(faces, split)
        return self._read[name]

    def cut(self, name: str, size: int) -> Cut:
        """Cut the faces that a name means as FER2013 frames them, at a size in px; what comes so stays at 48 px."""
        if (name, size) not in self._cut:
            self._cut[name, size] = cut(self.faces(name), size)
        return self._cut[name, size]

    def join(self, names: Sequence[str], side: int) -> tuple[Faces, int]:
        """Join sets to learn from; all are cut at the side that is learned, or at 48 px if one comes so.

        Returns:
            The faces that were found, and the size in px that they are cut at.
        """
        size = SIZE if any(self.faces(name).framed for name in names) else side
        parts = [self.cut(name, size).faces for name in names]
        groups = [part.group if part.group is not None else np.arange(len(part)).astype(str) for part in parts]
        named = [np.char.add(f"{name}/", group) for name, group in zip(names, groups, strict=True)]
        pictures = np.concatenate([np.asarray(part.pictures) for part in parts])
        labels = np.concatenate([part.labels for part in parts])
        return Faces("+".join(names), pictures, labels, np.full(len(labels), ""), group=np.concatenate(named)), size


def cut(faces: Faces, size: int) -> Cut:
    """Cut faces as FER2013 frames them, by the set's own alignment, else as a detector finds them.

    Raises:
        SceneferError: there is none.
    """
    if not len(faces):
        raise SceneferError(f"{faces.name}: no picture is left that shows one of {', '.join(EMOTIONS)}")
    if faces.framed:
        return Cut(faces, np.ones(len(faces), bool), faces.labels)
    if faces.name in labelled_faces.ALIGNED:
        return Cut(labelled_faces.framed(faces, size), np.ones(len(faces), bool), faces.labels)
    located = evaluate.locate(faces)
    if not located.found.any():
        raise SceneferError(f"{faces.name}: no face is found in any of its {len(faces)} pictures")
    pictures = predictor.cut(located.crops, located.squares, size)
    return Cut(replace(faces.take(located.found), pictures=pictures), located.found, faces.labels)


def _portion(faces: Faces, split: str) -> Faces:
    """Take a split of a set, its own or one that is drawn here."""
    if not split:
        return faces
    way, _, part = split.partition("-")
    if way not in ("random", "subject") or part not in ("train", "test"):
        return faces.of(split)
    if way == "subject" and faces.group is None:
        raise SceneferError(f"{faces.name} does not say who is who: it cannot be divided by subject")
    units = np.arange(len(faces)).astype(str) if way == "random" or faces.group is None else faces.group
    return faces.take(np.isin(units, held_out(units, 1 - SHARE)) == (part == "test"))


def held_out(units: np.ndarray, share: float, seed: int = 0) -> np.ndarray:
    """Draw a share of the distinct units, at least one: rows of one unit stay together."""
    known = np.unique(units)
    return np.random.default_rng(seed).permutation(known)[: max(1, round(share * len(known)))]
