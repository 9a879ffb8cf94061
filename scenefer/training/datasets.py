"""Reads data sets of labelled faces in their usual formats.

FER2013 (``fer2013.csv``, a folder split/class/picture, or a Parquet file of pictures) and FER+ (votes of ten people,
joined by file name) are for training. CK+, JAFFE, film stills and any folder of class folders are for evaluation.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from PIL import Image

from scenefer.core.errors import SceneferError
from scenefer.core.schema import EMOTIONS
from scenefer.training import ferplus
from scenefer.training.labelled_faces import OTHER, Faces
from scenefer.video.stills import displayed

# Every data set has its own names for the emotions.
_WORDS = {
    **{word: number for number, word in enumerate(EMOTIONS)},
    **{"anger": 0, "angry": 0, "an": 0, "disgusted": 1, "di": 1, "afraid": 2, "fearful": 2, "fe": 2},
    **{"happiness": 3, "happy": 3, "ha": 3, "sadness": 4, "sa": 4, "surprised": 5, "su": 5, "ne": 6},
    **{"contempt": OTHER},
}
_CK = (6, 0, OTHER, 1, 2, 3, 4, 5)  # the numbers in CK+'s Emotion: neutral, anger, contempt, disgust, fear, happy, …
_SPLITS = {"train": "Training", "test": "PrivateTest", "val": "PublicTest", "validation": "PublicTest"}
_NAMED_SPLIT = re.compile(r"(Training|PublicTest|PrivateTest)_")  # FER2013 as folders: test/ holds both test splits
_JAFFE = re.compile(r"([A-Z]{2})\.(AN|DI|FE|HA|NE|SA|SU)\d+\.\d+\.\w+")  # KA.AN1.39.tiff
_PICTURES = {".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}
_UNREADABLE = (OSError, ValueError, SyntaxError, TypeError, Image.DecompressionBombError)  # errors of Pillow's readers
_FER2013 = (
    "FER2013 (Goodfellow et al. 2013) is at https://www.kaggle.com/c/challenges-in-representation-learning-"
    "facial-expression-recognition-challenge/data; expected fer2013.csv with the columns emotion, pixels, Usage"
)
_FOLDERS = (
    f"expected pictures in folders named {', '.join(EMOTIONS)}, or CK+ (Emotion and cohn-kanade-images) or JAFFE "
    "(KA.AN1.39.tiff, ...) as their makers give them"
)


def read(path: Path, votes: Path | None = None) -> Faces:
    """Read a data set: a Parquet file, ``fer2013.csv``, or a folder of pictures.

    Args:
        votes: ``fer2013new.csv`` of FER+, for ``fer2013.csv`` or for a folder whose pictures have the same names.

    Raises:
        SceneferError: it is missing or has another format, or none of its pictures can be read; the message says what
            was expected and where to get it.
    """
    if path.is_dir():
        faces = _folder(path, votes)
    elif not path.is_file():
        raise SceneferError(f"{path} is not there; {_FER2013}")
    elif path.suffix == ".csv":
        faces = _fer2013_csv(path, votes)
    elif path.suffix == ".parquet":
        faces = _parquet(path, votes)
    else:
        raise SceneferError(f"{path} is neither .csv nor .parquet nor a folder; {_FER2013}")
    if not len(faces):
        raise SceneferError(f"{path}: none of its {len(faces.broken)} pictures can be read")
    return faces


def _fer2013_csv(path: Path, votes: Path | None) -> Faces:
    table = _table(path, pd.read_csv, {"emotion", "pixels", "Usage"}, _FER2013)
    try:
        lines = (np.fromstring(str(line), dtype=np.int64, sep=" ") for line in table["pixels"])
        pictures = np.stack([line.reshape(48, 48).clip(0, 255).astype(np.uint8) for line in lines])
    except ValueError as error:
        raise SceneferError(f"{path}: a row does not have 48×48 pixels; {_FER2013}") from error
    names = [f"fer{row:07d}.png" for row in range(len(table))]
    tally = None if votes is None else ferplus.read_votes(votes, names)
    return Faces("fer2013", pictures, _labels(table["emotion"], path), table["Usage"].to_numpy(str), tally)


def _parquet(path: Path, votes: Path | None) -> Faces:
    """Read a table with the columns image (encoded bytes) and label; optionally usage, votes, film, subject."""
    if votes is not None:
        raise SceneferError(f"{votes}: votes go with fer2013.csv or a folder; a table has its own, fp_neutral to fp_NF")
    table = _table(path, pd.read_parquet, {"image", "label"}, "expected image and label")
    pictures, kept, broken = _decoded((f"row {row}", encoded) for row, encoded in enumerate(table["image"]))
    table = table.iloc[kept]
    tallies = [f"fp_{word}" for word in ferplus.COLUMNS]
    return Faces(
        path.stem,
        _framed_or_not(pictures),
        _labels(table["label"], path),
        _splits(table),
        table[tallies].to_numpy(np.float32)[:, ferplus.ORDER] if set(tallies) <= set(table.columns) else None,
        next((table[column].to_numpy(str) for column in ("film", "subject") if column in table), None),
        broken,
    )


def _splits(table: pd.DataFrame) -> np.ndarray:
    """Return the split of each row; "" if all rows are in the same split."""
    column = next((table[name] for name in ("usage", "split") if name in table and table[name].nunique() > 1), None)
    return np.full(len(table), "") if column is None else column.to_numpy(str)


def _table(path: Path, read_table: Callable[[Path], pd.DataFrame], columns: set[str], expected: str) -> pd.DataFrame:
    try:
        table = read_table(path)
    except (ValueError, OSError) as error:  # ParserError, EmptyDataError and ArrowInvalid are ValueErrors
        raise SceneferError(f"{path} cannot be read: {' '.join(str(error).split())}; {expected}") from error
    if not columns <= set(table.columns):
        raise SceneferError(f"{path} has the columns {', '.join(map(str, table.columns))}; {expected}")
    return table


def _folder(path: Path, votes: Path | None) -> Faces:
    """Read CK+, JAFFE, class/picture or split/class/picture; ignore folders and files with other names."""
    if (path / "Emotion").is_dir():
        found = _ck(path)
    else:
        files = sorted(file for pattern in ("*/*", "*/*/*") for file in path.glob(pattern) if _is_picture(file))
        found = [(file, _WORDS[word], "") for file in files if (word := file.parent.name.lower()) in _WORDS]
        found = found or _jaffe(path)
    if not found:
        raise SceneferError(f"{path} has no labelled pictures; {_FOLDERS}; {_FER2013}")
    pictures, kept, broken = _decoded((str(file), file.read_bytes()) for file, _, _ in found)
    found = [found[row] for row in kept]
    names = [f"{file.stem}.png" for file, _, _ in found]
    return Faces(
        path.name,
        _framed_or_not(pictures),
        np.array([label for _, label, _ in found], np.int64),
        np.array([_split(file, path) for file, _, _ in found], dtype=str),
        None if votes is None else ferplus.read_votes(votes, names),
        np.array([group for _, _, group in found]) if found and found[0][2] else None,
        broken,
    )


def _is_picture(file: Path) -> bool:
    return file.suffix.lower() in _PICTURES and not file.name.startswith(".") and file.is_file()


def _split(file: Path, root: Path) -> str:
    """Get a picture's split from its name, else from the parent of its class folder."""
    if named := _NAMED_SPLIT.match(file.name):
        return named[1]
    parts = file.relative_to(root).parts
    is_by_class = len(parts) == 3 and parts[1].lower() in _WORDS
    return _SPLITS.get(parts[0].lower(), parts[0]) if is_by_class else ""


def _ck(path: Path) -> list[tuple[Path, int, str]]:
    """List CK+ (Lucey et al., CVPRW 2010): first frame (neutral) and peak of each sequence with a known emotion."""
    found = []
    for note in sorted((path / "Emotion").glob("*/*/*_emotion.txt")):
        person, sequence = note.parts[-3:-1]
        frames = sorted(file for file in path.glob(f"*images/{person}/{sequence}/*") if _is_picture(file))
        try:
            emotion = _CK[int(float(note.read_text(encoding="ascii")))]
        except (ValueError, IndexError) as error:
            raise SceneferError(f"{note} must hold a number of 0 to 7") from error
        if frames:
            found += [(frames[0], _CK[0], person), (frames[-1], emotion, person)]
    return found


def _jaffe(path: Path) -> list[tuple[Path, int, str]]:
    """List JAFFE (Lyons et al. 1998), whose file names contain person and expression."""
    named = ((file, _JAFFE.fullmatch(file.name)) for file in sorted(path.iterdir()) if _is_picture(file))
    return [(file, _WORDS[match[2].lower()], match[1]) for file, match in named if match]


def _decoded(named: Iterable[tuple[str, bytes]]) -> tuple[list[np.ndarray], list[int], list[str]]:
    """Decode pictures: (H, W) grey if 48×48, else (H, W, 3) RGB; the rows of decoded ones; names of broken ones."""
    pictures: list[np.ndarray] = []
    kept: list[int] = []
    broken: list[str] = []
    for row, (name, encoded) in enumerate(named):
        try:
            picture = displayed(Image.open(io.BytesIO(encoded)))
            pictures.append(np.asarray(picture.convert("L") if picture.size == (48, 48) else picture))
            kept.append(row)
        except _UNREADABLE:
            broken.append(name)
    return pictures, kept, broken


def _framed_or_not(pictures: list[np.ndarray]) -> np.ndarray | list[np.ndarray]:
    """Stack pictures if all are 48×48, as in FER2013 and similar sets; else return RGB pictures for face detection."""
    if all(picture.shape == (48, 48) for picture in pictures):
        return np.stack(pictures) if pictures else np.empty((0, 48, 48), np.uint8)
    return [cv2.cvtColor(picture, cv2.COLOR_GRAY2RGB) if picture.ndim == 2 else picture for picture in pictures]


def _labels(column: pd.Series, where: Path) -> np.ndarray:
    if n_missing := int(column.isna().sum()):
        raise SceneferError(f"{where}: {n_missing} rows have no label; leave them out")
    if column.dtype.kind in "iu":
        labels = column.to_numpy(np.int64, copy=True)
        if len(labels) and not OTHER <= labels.min() <= labels.max() < len(EMOTIONS):
            found = f"{labels.min()} to {labels.max()}"
            raise SceneferError(f"{where}: labels must be 0 to 6, for {', '.join(EMOTIONS)}; found {found}")
        return labels
    words = column.astype(str).str.lower()
    if unknown := sorted(set(words) - set(_WORDS)):
        raise SceneferError(f"{where}: unknown labels {', '.join(unknown[:9])}; known: {', '.join(sorted(_WORDS))}")
    return words.map(_WORDS).to_numpy(np.int64, copy=True)
