"""The books of a library are right again after runs that were killed."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pandas as pd
import pytest

from scenefer.core import run_folder
from scenefer.library.bookkeeping import Ledger
from scenefer.pipeline import locks
from tests.reports import save

NOBODY = {"host": "here", "machine": locks._machine(), "pid": 2**22 + 1, "began": "0"}


def left_behind(place: Path) -> Path:
    """Leave a claim as a process does that was killed."""
    place.mkdir(parents=True)
    (place / "owner.json").write_text(json.dumps(NOBODY), encoding="utf-8")
    return place


def listed(reports: Path) -> list[str]:
    return pd.read_parquet(reports / "library" / "films.parquet")["folder"].tolist()


@pytest.mark.parametrize("place", ["library/tables.claim-1", "library/tables.claim-7", ".claims/a.claim-1"])
def test_a_claim_of_a_run_that_was_killed_does_not_stay(tmp_path: Path, place: str):
    Ledger(tmp_path).close()
    left_behind(tmp_path / place)
    Ledger(tmp_path).close()
    assert not list(tmp_path.rglob("*.claim-*"))
    assert not (tmp_path / run_folder.CLAIMS).exists()


def test_tables_that_a_killed_run_was_writing_are_written_again(tmp_path: Path):
    save(tmp_path, "alpha", 1)
    Ledger(tmp_path).close()
    (tmp_path / "library.html").write_text("half a page", encoding="utf-8")
    left_behind(tmp_path / "library" / "tables.claim-1")
    Ledger(tmp_path).close()
    assert "alpha" in (tmp_path / "library.html").read_text(encoding="utf-8")


def test_a_report_that_a_killed_run_did_not_list_is_listed_by_the_next(tmp_path: Path):
    save(tmp_path, "alpha", 1)
    Ledger(tmp_path).close()
    later = (tmp_path / "library.html").stat().st_mtime_ns + 10**9
    os.utime(save(tmp_path, "beta", 2) / "run.json", ns=(later, later))
    Ledger(tmp_path).close()
    assert listed(tmp_path) == ["alpha", "beta"]


def test_books_that_are_right_are_left_alone(tmp_path: Path):
    save(tmp_path, "alpha", 1)
    Ledger(tmp_path).close()
    before = (tmp_path / "library.html").stat().st_mtime_ns
    Ledger(tmp_path).close()
    assert (tmp_path / "library.html").stat().st_mtime_ns == before


def test_a_claim_of_a_run_that_lives_is_waited_for_and_stays_its_own(tmp_path: Path):
    Ledger(tmp_path).close()
    with locks.claim(tmp_path / "library" / "tables") as staging:
        Ledger(tmp_path).close()
        assert locks.still_held(staging)
