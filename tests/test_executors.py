from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from scenefer import executors
from scenefer.errors import FilmError


class Name(NamedTuple):
    path: str


class Job(NamedTuple):
    film: Name
    file: Path


def touch(job: Job, report: Callable[[float], None]) -> None:
    report(1.0)
    if job.film.path == "bad":
        raise FilmError("bad cannot be decoded")
    if job.film.path == "killer":
        time.sleep(0.5)
        os.kill(os.getpid(), signal.SIGKILL)
    job.file.write_text(str(os.getpid()))


def jobs(folder: Path, *names: str) -> list[Job]:
    return [Job(Name(name), folder / f"{place}.txt") for place, name in enumerate(names)]


@pytest.mark.parametrize("executor", [executors.serial, executors.processes])
def test_one_failure_does_not_stop_the_others(tmp_path: Path, executor: executors.Executor):
    work = jobs(tmp_path, "good", "bad", "good", "good")
    told: list[tuple[str, float]] = []
    outcomes = list(executor(touch, work, 2, lambda job, seconds: told.append((job.film.path, seconds))))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.txt", "2.txt", "3.txt"]
    assert [str(error) for job, error in outcomes if error] == ["bad cannot be decoded"]
    assert {job.film.path for job, _ in outcomes} == {"good", "bad"}
    assert sorted(told) == [("bad", 1.0), ("good", 1.0), ("good", 1.0), ("good", 1.0)]


def test_processes_are_others_than_this_one(tmp_path: Path):
    list(executors.processes(touch, jobs(tmp_path, "a", "b"), 2, lambda job, seconds: None))
    assert str(os.getpid()) not in {path.read_text() for path in tmp_path.iterdir()}


def test_a_killed_worker_is_named_and_the_run_ends(tmp_path: Path):
    outcomes = list(executors.processes(touch, jobs(tmp_path, "killer", "killer"), 2, lambda job, seconds: None))
    assert len(outcomes) == 2
    assert all("was killed" in str(error) and "run again to resume" in str(error) for _, error in outcomes)
