"""What befalls a batch, and what is left when it has."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.program import command, environment_of

QUICK = ("--profile", "fast", "--workers", "2", "--json")


def left_by(folder: Path) -> dict[str, Any]:
    """All tables of all films, and their records but for what tells of time and place."""
    found: dict[str, Any] = {}
    for path in sorted((folder / "reports").glob("*/tables/*.parquet")):
        found[str(path.relative_to(folder))] = pd.read_parquet(path)
    for path in sorted((folder / "reports").glob("*/run.json")):
        record = json.loads(path.read_text())
        record["film"].pop("path")
        del record["settings"]["run"]  # where and how it ran
        found[str(path.relative_to(folder))] = {
            name: value for name, value in record.items() if name not in ("made", "timings", "cache")
        }
    return found


def expect_same(found: dict[str, Any], expected: dict[str, Any]) -> None:
    assert list(found) == list(expected)
    for name, value in expected.items():
        if isinstance(value, pd.DataFrame):
            pd.testing.assert_frame_equal(found[name], value)
        else:
            assert found[name] == value, name


@contextmanager
def running(*arguments: str | Path, cwd: Path, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """A batch at work in a process group of its own."""
    with subprocess.Popen(
        command(["batch", *arguments, *QUICK]), cwd=cwd, env=environment_of(environment), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def wait_for(what: Callable[[], Any], process: subprocess.Popen[str] | None = None, seconds: float = 200.0) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := what():
            return found
        assert process is None or process.poll() is None, process.communicate()
        time.sleep(0.01)
    pytest.fail("it did not happen")


def workers_at_a_chunk(folder: Path) -> list[int]:
    """Process numbers of those who hold the claim of a chunk at this moment."""
    owners = []
    for file in (folder / "data").rglob("*.claim-*/owner.json"):
        try:
            owners.append(json.loads(file.read_text())["pid"])
        except (OSError, ValueError):
            continue
    return owners


def outcome(process: subprocess.Popen[str]) -> tuple[int, list[dict[str, Any]]]:
    out, err = process.communicate(timeout=300)
    assert "Traceback" not in err, err
    return process.returncode, [json.loads(line) for line in out.splitlines()]
