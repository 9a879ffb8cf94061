"""FER+: the votes of ten people for each picture of FER2013 (Barsoum et al., ICMI 2016), and targets from them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from scenefer.core.errors import SceneferError
from scenefer.core.schema import EMOTIONS

VOTED = (*EMOTIONS, "contempt", "unknown", "NF")  # the options; NF = no face
NOBODY = -1  # no clear majority for one of the seven
COLUMNS = ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt", "unknown", "NF")
ORDER = [4, 5, 6, 1, 3, 2, 0, 7, 8, 9]  # the columns of VOTED in COLUMNS
WHERE = (
    "FER+ is at https://github.com/microsoft/FERPlus; expected fer2013new.csv with the columns Usage, Image name, "
    "neutral to NF"
)


def read_votes(path: Path, names: list[str]) -> np.ndarray:
    """Read the votes for pictures of these names from ``fer2013new.csv``: (N, 10) float32, in the order of VOTED.

    Rows of the file without a name (removed pictures) are skipped; votes for pictures that are not in it are 0.

    Raises:
        SceneferError: the file is missing or has another format, or has none of the pictures; the message says where
            to get it.
    """
    if not path.is_file():
        raise SceneferError(f"{path} is not there; {WHERE}")
    try:
        table = pd.read_csv(path)
    except (ValueError, OSError) as error:  # pandas' ParserError is a ValueError
        raise SceneferError(f"{path} cannot be read as CSV: {str(error).strip()}; {WHERE}") from error
    if not {"Image name", *COLUMNS} <= set(table.columns):
        raise SceneferError(f"{path} has the columns {', '.join(map(str, table.columns))}; {WHERE}")
    named = table.dropna(subset=["Image name"]).drop_duplicates("Image name").set_index("Image name")[list(COLUMNS)]
    if names and not named.index.isin(names).any():
        raise SceneferError(f"{path} has votes for none of the pictures, such as {names[0]}; it names fer0000000.png")
    try:
        return named.reindex(names).fillna(0).to_numpy(np.float32)[:, ORDER]
    except ValueError as error:
        raise SceneferError(f"{path} has votes that are no numbers: {error}") from error


def targets(votes: np.ndarray) -> np.ndarray:
    """Turn votes (N, 10) into training targets: (N, 8) shares of the seven and contempt, which sum to 1 or are all 0.

    A single vote for an expression is ignored as an outlier (Barsoum et al. 2016). A picture with five or more votes
    for "no face" has no targets.
    """
    kept = np.where(votes[:, :8] > 1, votes[:, :8], 0) * (votes[:, 9:] < 5)
    total = kept.sum(axis=1, keepdims=True)
    return np.divide(kept, total, out=np.zeros_like(kept), where=total > 0).astype(np.float32)


def majority(votes: np.ndarray) -> np.ndarray:
    """Return the emotion with the most votes (N, 10): (N,) index in EMOTIONS, or NOBODY.

    NOBODY if contempt, unknown or no face (NF) leads, if there is a tie, or if nobody voted.
    """
    most = votes.max(axis=1)
    first = votes.argmax(axis=1)
    clear = ((votes == most[:, None]).sum(axis=1) == 1) & (most > 0) & (first < len(EMOTIONS))
    return np.where(clear, first, NOBODY)
