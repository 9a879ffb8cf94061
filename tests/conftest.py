"""What several tests share: the real clips, where they are at hand."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

FILMS = Path(os.environ.get("SCENEFER_FILMS") or Path(__file__).parents[2] / "shared" / "films")


@pytest.fixture(scope="session")
def films() -> Path:
    """The folder of real clips with hand-made truth; tests that need it are skipped where it is absent."""
    if not FILMS.is_dir():
        pytest.skip(f"the clips are not at {FILMS}; set SCENEFER_FILMS to their folder")
    return FILMS
