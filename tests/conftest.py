"""What several tests share: the real clips, where they are at hand."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

FILMS = Path(os.environ.get("SCENEFER_FILMS") or Path(__file__).parents[2] / "shared" / "films")


@pytest.fixture(scope="session")
def films() -> Path:
    """The folder of real clips with hand-made truth; tests that need it are skipped where it is absent."""
    if not FILMS.is_dir():
        pytest.skip(f"the clips are not at {FILMS}; set SCENEFER_FILMS to their folder")
    return FILMS


@pytest.fixture(scope="session")
def hunted(films: Path) -> Path:
    """The folder of files that went wrong with other programs; tests that need it are skipped where it is absent."""
    if not (films / "hunted").is_dir():
        pytest.skip(f"{films} has no hunted/")
    return films / "hunted"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Headless Chromium; tests that need it are skipped where none is installed."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no Chromium is installed")
    playwright = pytest.importorskip("playwright.sync_api")
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with playwright.sync_playwright() as driver:
        launched = driver.chromium.launch(executable_path=chromium, args=arguments)
        yield launched
        launched.close()
