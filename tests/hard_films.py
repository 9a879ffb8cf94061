"""The list of difficult and broken films, and what is expected of each."""

from __future__ import annotations

import csv

from tests.conftest import FILMS

HARD = FILMS / "hard"
ROWS: list[dict[str, str]] = []
if HARD.is_dir():
    with (HARD / "hard.csv").open(encoding="utf-8", newline="") as listed:
        ROWS = list(csv.DictReader(listed))
