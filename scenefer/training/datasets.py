"""Labelled faces: read the data sets as people have them, into one form; leave out what would leak.

FER2013 (``fer2013.csv``, a folder split/class/picture, or a Parquet file of pictures) and FER+ (votes of ten people,
joined by name) teach the networks. CK+, JAFFE, film stills and any folder of class folders serve to measure them.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError

from scenefer.errors import SceneferError
from scenefer.tables import EMOTIONS

if TYPE_CHECKING:
    import pandas as pd

VOTED = (*EMOTIONS, "contempt", "unknown", "NF")  # what FER+ votes for; NF: no face
OTHER = -1  # a label outside the seven
NEAR = 48  # of 255 bits: perceptual hashes this close show the same photograph (looked at by eye up to there)

# Every data set has its own words.
_WORDS = {
    **{word: number for number, word in enumerate(EMOTIONS)},
    **{"anger": 0, "angry": 0, "an": 0, "disgusted": 1, "di": 1, "afraid": 2, "fearful": 2, "fe": 2},
    **{"happiness": 3, "happy": 3, "ha": 3, "sadness": 4, "sa": 4, "surprised": 5, "su": 5, "ne": 6},
    **{"contempt": OTHER},
}
_FERPLUS = ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt", "unknown", "NF")
_FERPLUS_ORDER = [4, 5, 6, 1, 3, 2, 0, 7, 8, 9]  # the columns of VOTED in those of the file
_SPLITS = {"train": "Training", "test": "PrivateTest", "val": "PublicTest", "validation": "PublicTest"}
_WHERE = {
    "fer2013": "FER2013 (Goodfellow et al. 2013) is at https://www.kaggle.com/c/challenges-in-representation-learning-"
    "facial-expression-recognition-challenge/data; expected fer2013.csv with the columns emotion, pixels, Usage",
    "ferplus": "FER+ is at https://github.com/microsoft/FERPlus; expected fer2013new.csv with the columns Usage, "
    "Image name, neutral to NF",
}


@dataclass(frozen=True)
class Faces:
    """Labelled pictures of faces."""

    name: str
    pictures: (
        np.ndarray | list[np.ndarray]
    )  # N uint8: (48, 48) grey already framed as FER2013, or (H, W, 3) RGB to look into
    labels: np.ndarray  # (N,) int64, index in EMOTIONS, OTHER outside them
    split: np.ndarray  # (N,) str: Training, PublicTest, PrivateTest, or "" where the set has none
    votes: np.ndarray | None = None  # (N, 10) float32, votes for VOTED; all 0 where nobody voted
    group: np.ndarray | None = None  # (N,) str: the film, the person; pictures of one group repeat each other
    broken: list[str] = field(default_factory=list)  # names of pictures that could not be read

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def framed(self) -> bool:
        """Whether the pictures are 48×48 grey squares framed as in FER2013, so that nothing need be detected."""
        return isinstance(self.pictures, np.ndarray)

    def take(self, rows: np.ndarray) -> Faces:
        """Return the faces of these rows: indices, or a mask."""
        indices = np.flatnonzero(rows) if rows.dtype == bool else rows
        if isinstance(self.pictures, np.ndarray):
            pictures: np.ndarray | list[np.ndarray] = self.pictures[indices]
        else:
            pictures = [self.pictures[int(row)] for row in indices]
        votes, group = (None if column is None else column[indices] for column in (self.votes, self.group))
        return Faces(self.name, pictures, self.labels[indices], self.split[indices], votes, group, self.broken)

    def of(self, split: str) -> Faces:
        """Return one split.

        Raises:
            SceneferError: there is none of this name.
        """
        known = sorted(set(self.split.tolist()))
        if split not in known:
            raise SceneferError(f"{self.name} has no split {split!r}; it has {', '.join(known)}")
        return self.take(self.split == split)


def read(path: Path, votes: Path | None = None) -> Faces:
    """Read a data set: a Parquet file, ``fer2013.csv``, or a folder of pictures in class folders.

    Args:
        votes: ``fer2013new.csv`` of FER+, to go with ``fer2013.csv``.

    Raises:
        SceneferError: it is absent or something else; the message says where it is to be had.
    """
    if path.is_dir():
        return _folder(path)
    if not path.is_file():
        raise SceneferError(f"{path} is not there; {_WHERE['fer2013']}")
    if path.suffix == ".csv":
        return _fer2013_csv(path, votes)
    if path.suffix == ".parquet":
        return _parquet(path)
    raise SceneferError(f"{path} is neither .csv nor .parquet nor a folder; {_WHERE['fer2013']}")


def _fer2013_csv(path: Path, votes: Path | None) -> Faces:
    import pandas as pd

    table = pd.read_csv(path)
    if not {"emotion", "pixels", "Usage"} <= set(table.columns):
        raise SceneferError(f"{path} has the columns {', '.join(map(str, table.columns))}; {_WHERE['fer2013']}")
    lines = (np.fromstring(str(line), dtype=np.int64, sep=" ") for line in table["pixels"])
    try:
        pictures = np.stack([line.reshape(48, 48).astype(np.uint8) for line in lines])
    except ValueError as error:
        raise SceneferError(f"{path}: a row does not have 48×48 pixels; {_WHERE['fer2013']}") from error
    names = [f"fer{row:07d}.png" for row in range(len(table))]
    tally = None if votes is None else _ferplus(votes, names)
    return Faces(
        "fer2013", pictures, table["emotion"].to_numpy(np.int64, copy=True), table["Usage"].to_numpy(str), tally
    )


def _ferplus(path: Path, names: list[str]) -> np.ndarray:
    """Read the votes for pictures of these names; rows of the file without a name (removed pictures) are skipped."""
    import pandas as pd

    if not path.is_file():
        raise SceneferError(f"{path} is not there; {_WHERE['ferplus']}")
    table = pd.read_csv(path)
    if not {"Image name", *_FERPLUS} <= set(table.columns):
        raise SceneferError(f"{path} has the columns {', '.join(map(str, table.columns))}; {_WHERE['ferplus']}")
    named = table.dropna(subset=["Image name"]).set_index("Image name")[list(_FERPLUS)]
    return named.reindex(names).fillna(0).to_numpy(np.float32)[:, _FERPLUS_ORDER]


def _parquet(path: Path) -> Faces:
    """Read a table with the columns image (encoded bytes), label, and where it has them usage, votes, film, subject."""
    import pandas as pd

    table = pd.read_parquet(path)
    if not {"image", "label"} <= set(table.columns):
        raise SceneferError(f"{path} has the columns {', '.join(map(str, table.columns))}; expected image and label")
    named = ((f"row {row}", encoded) for row, encoded in enumerate(table["image"]))
    pictures, kept, broken = _decoded(named)
    table = table.iloc[kept]
    return Faces(
        path.stem,
        _framed_or_not(pictures),
        _labels(table["label"], str(path)),
        table["usage"].to_numpy(str) if "usage" in table else np.full(len(table), ""),
        table[[f"fp_{word}" for word in _FERPLUS]].to_numpy(np.float32)[:, _FERPLUS_ORDER]
        if "fp_neutral" in table
        else None,
        next((table[column].to_numpy(str) for column in ("film", "subject") if column in table), None),
        broken,
    )


def _folder(path: Path) -> Faces:
    """Read class/picture or split/class/picture; folders with other names are left alone."""
    found = sorted(
        file
        for pattern in ("*/*", "*/*/*")
        for file in path.glob(pattern)
        if file.is_file() and file.parent.name.lower() in _WORDS and not file.name.startswith(".")
    )
    if not found:
        raise SceneferError(f"{path} has no pictures in folders named {', '.join(EMOTIONS)}; {_WHERE['fer2013']}")
    pictures, kept, broken = _decoded((str(file), file.read_bytes()) for file in found)
    files = [found[row] for row in kept]
    parents = ["" if file.parent.parent == path else file.parent.parent.name for file in files]
    split = np.array([_SPLITS.get(parent.lower(), parent) for parent in parents], dtype=str)
    labels = np.array([_WORDS[file.parent.name.lower()] for file in files], np.int64)
    return Faces(path.name, _framed_or_not(pictures), labels, split, broken=broken)


def _decoded(named: Iterator[tuple[str, bytes]]) -> tuple[list[np.ndarray], list[int], list[str]]:
    pictures: list[np.ndarray] = []
    kept: list[int] = []
    broken: list[str] = []
    for row, (name, encoded) in enumerate(named):
        try:
            picture = Image.open(io.BytesIO(encoded))
            grey = picture.mode in {"L", "I;16", "1"} and picture.size == (48, 48)
            pictures.append(np.asarray(picture.convert("L" if grey else "RGB")))
            kept.append(row)
        except (UnidentifiedImageError, OSError):
            broken.append(name)
    return pictures, kept, broken


def _framed_or_not(pictures: list[np.ndarray]) -> np.ndarray | list[np.ndarray]:
    framed = bool(pictures) and all(picture.shape == (48, 48) for picture in pictures)
    return np.stack(pictures) if framed else pictures


def _labels(column: pd.Series, where: str) -> np.ndarray:
    if column.dtype.kind in "iu":
        return column.to_numpy(np.int64, copy=True)
    words = column.astype(str).str.lower()
    if unknown := sorted(set(words) - set(_WORDS)):
        raise SceneferError(f"{where}: unknown labels {', '.join(unknown)}; known: {', '.join(sorted(_WORDS))}")
    return words.map(_WORDS).to_numpy(np.int64, copy=True)


def targets(votes: np.ndarray) -> np.ndarray:
    """Make shares of votes (N, 10) to learn from: (N, 8) over the seven and contempt, summing to 1, or all 0.

    A single vote for an expression is taken for a slip (Barsoum et al. 2016); a picture that five or more call no face
    teaches nothing.
    """
    kept = np.where(votes[:, :8] > 1, votes[:, :8], 0) * (votes[:, 9:] < 5)
    total = kept.sum(axis=1, keepdims=True)
    return np.divide(kept, total, out=np.zeros_like(kept), where=total > 0).astype(np.float32)


def majority(votes: np.ndarray) -> np.ndarray:
    """Return what most people voted for (N, 10): (N,) index in EMOTIONS, or OTHER.

    OTHER where contempt, unknown or no face (NF) leads, where the lead is tied, and where nobody voted.
    """
    most = votes.max(axis=1)
    first = votes.argmax(axis=1)
    clear = ((votes == most[:, None]).sum(axis=1) == 1) & (most > 0) & (first < len(EMOTIONS))
    return np.where(clear, first, OTHER)


def without_leaks(faces: Faces) -> Faces:
    """Leave out of Training and PublicTest what shows a photograph of PrivateTest; and of Training, one of PublicTest.

    The same photograph: equal pixels, or perceptual hashes of at most ``NEAR`` different bits, mirrored or not.
    """
    keep = np.ones(len(faces), bool)
    hashes = perceptual_hashes(faces.pictures)
    mirrored = perceptual_hashes([picture[:, ::-1] for picture in faces.pictures])
    for split, tests in (("PublicTest", ("PrivateTest",)), ("Training", ("PublicTest", "PrivateTest"))):
        rows = np.flatnonzero(faces.split == split)
        test = hashes[np.isin(faces.split, tests)]
        if len(rows) and len(test):
            nearest = np.minimum(_nearest(hashes[rows], test), _nearest(mirrored[rows], test))
            keep[rows] = nearest > NEAR
    return faces.take(keep)


def perceptual_hashes(pictures: np.ndarray | Sequence[np.ndarray]) -> np.ndarray:
    """Hash grey pictures by the signs of their 255 lowest cosine coefficients about the median: (N, 255) of ±1."""
    hashes = np.empty((len(pictures), 255), np.float32)
    for row, picture in enumerate(pictures):
        small = cv2.resize(np.ascontiguousarray(picture), (32, 32), interpolation=cv2.INTER_AREA)
        low = cv2.dct(small.astype(np.float32))[:16, :16].ravel()[1:]
        hashes[row] = np.where(low > np.median(low), 1, -1)
    return hashes


def _nearest(hashes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Count the bits in which each hash differs from the nearest of the others."""
    blocks = [hashes[start : start + 4096] @ others.T for start in range(0, len(hashes), 4096)]
    return np.concatenate([(hashes.shape[1] - block.max(axis=1)) / 2 for block in blocks])


def summary(faces: Faces) -> str:
    """Describe a data set: pictures a split and class, duplicates, broken files."""
    lines = []
    for split in sorted(set(faces.split.tolist())):
        labels = faces.labels[faces.split == split]
        counts = ", ".join(f"{emotion} {(labels == number).sum()}" for number, emotion in enumerate(EMOTIONS))
        lines.append(f"{faces.name} {split or 'all'}: {len(labels)} pictures: {counts}, other {(labels < 0).sum()}")
    if faces.framed:
        distinct = {picture.tobytes() for picture in faces.pictures}
        lines.append(f"{len(faces) - len(distinct)} pictures repeat another one exactly")
    if faces.broken:
        lines.append(f"{len(faces.broken)} broken: {', '.join(faces.broken[:5])}{' …' * (len(faces.broken) > 5)}")
    return "\n".join(lines)
