"""A batch as it is called, and what became of its films."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

from tests.program import complaints, scenefer

QUICK = ("--profile", "fast", "--workers", "2")


SMALL = (96, 54)


def batch(*arguments: str | Path, cwd: Path, code: int) -> list[dict[str, Any]]:
    """Run a batch with quick settings; what it printed, line by line."""
    done = scenefer("batch", *arguments, *QUICK, "--json", cwd=cwd)
    complaints(done)
    assert done.returncode == code, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def ended(events: list[dict[str, Any]]) -> dict[str, str]:
    """What became of the films in a run, by name."""
    states = ("done", "partial", "failed")
    return {Path(event["film"]).name: event["event"] for event in events if event["event"] in states}


def failed(cwd: Path) -> dict[str, dict[str, str]]:
    with (cwd / "reports" / "library" / "failures.csv").open(encoding="utf-8", newline="") as file:
        return {Path(row["film"]).name: row for row in csv.DictReader(file)}


def planned(*arguments: str | Path, cwd: Path) -> dict[str, tuple[str, str | None, int]]:
    """What a dry run says of each film: state, why, chunks to be read."""
    events = batch(*arguments, "--dry-run", cwd=cwd, code=0)
    return {Path(one["film"]).name: (one["state"], one["why"], one["pieces_missing"]) for one in events}
