"""A tiny FER2013: noise on a shape a class, with votes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

VOTE_COLUMNS = "neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
VOTED_FOR = (4, 5, 6, 1, 3, 2, 0)  # the column of each emotion


def pictures(n: int) -> np.ndarray:
    """Noise, distinct enough that no two pass for the same photograph: (n, 48, 48) uint8."""
    return np.random.default_rng(7).integers(0, 256, (n, 48, 48), dtype=np.uint8)


def write(folder: Path, faces: np.ndarray, splits: list[str], votes: np.ndarray) -> None:
    """Write fer2013.csv and fer2013new.csv.

    Args:
        faces: (N, 48, 48) uint8.
        votes: (N, 10) for the emotions in their order, contempt, unknown and no face; the label is what most voted for.
    """
    rows, lines = ["emotion,pixels,Usage"], [f"Usage,Image name,{VOTE_COLUMNS}"]
    for number, (face, split, tally) in enumerate(zip(faces, splits, votes, strict=True)):
        rows.append(f"{tally.argmax()},{' '.join(map(str, face.ravel()))},{split}")
        columns = [0] * 10
        for voted, column in enumerate((*VOTED_FOR, 7, 8, 9)):
            columns[column] = int(tally[voted])
        lines.append(f"{split},fer{number:07d}.png,{','.join(map(str, columns))}")
    (folder / "fer2013.csv").write_text("\n".join(rows) + "\n")
    # Another order than the pictures': the votes are joined by name.
    (folder / "fer2013new.csv").write_text("\n".join([lines[0], *reversed(lines[1:])]) + "\n")


@pytest.fixture(scope="session")
def fer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """fer2013.csv with 42 Training, 14 PublicTest and 14 PrivateTest rows, and fer2013new.csv beside it."""
    folder = tmp_path_factory.mktemp("fer")
    splits = ["Training"] * 42 + ["PublicTest"] * 14 + ["PrivateTest"] * 14
    votes = np.zeros((70, 10), np.int64)
    votes[np.arange(70), np.arange(70) % 7] = 8
    votes[:, 7] = 2  # contempt
    write(folder, pictures(70), splits, votes)
    return folder
