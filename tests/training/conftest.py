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


@pytest.fixture(scope="session")
def fer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """fer2013.csv with 42 Training, 14 PublicTest and 14 PrivateTest rows, and fer2013new.csv beside it."""
    folder = tmp_path_factory.mktemp("fer")
    splits = ["Training"] * 42 + ["PublicTest"] * 14 + ["PrivateTest"] * 14
    rows, votes = ["emotion,pixels,Usage"], [f"Usage,Image name,{VOTE_COLUMNS}"]
    for number, (picture, split) in enumerate(zip(pictures(70), splits, strict=True)):
        label = number % 7
        rows.append(f"{label},{' '.join(map(str, picture.ravel()))},{split}")
        tally = [0] * 10
        tally[VOTED_FOR[label]] = 8
        tally[7] = 2
        votes.append(f"{split},fer{number:07d}.png,{','.join(map(str, tally))}")
    (folder / "fer2013.csv").write_text("\n".join(rows) + "\n")
    # Another order than the pictures': the votes are joined by name.
    (folder / "fer2013new.csv").write_text("\n".join([votes[0], *reversed(votes[1:])]) + "\n")
    return folder
