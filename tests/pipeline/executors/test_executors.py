from __future__ import annotations

import os
import resource
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest

from scenefer.core.errors import FilmError, WorkerError
from scenefer.pipeline.executors.base import Executor
from scenefer.pipeline.executors.processes import processes
from scenefer.pipeline.executors.serial import serial
from scenefer.pipeline.plans import RunSettings
from scenefer.pipeline.scheduler import Crew, crew_for


class Job(NamedTuple):
    path: str
    file: Path


def touch(job: Job, report: Callable[[float], None]) -> None:
    report(1.0)
    if job.path == "bad":
        raise FilmError("bad cannot be decoded")
    if job.path == "mistaken":
        raise ZeroDivisionError("in the middle")
    if job.path == "killer":
        os.kill(os.getpid(), signal.SIGKILL)
    if job.path == "hanging":
        while True:
            time.sleep(60)
    if job.path == "greedy":
        resource.setrlimit(resource.RLIMIT_AS, (1 << 30, resource.RLIM_INFINITY))
        try:
            bytearray(1 << 40)
        finally:
            resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    if job.path == "killer once" and not job.file.with_suffix(".tried").exists():
        job.file.with_suffix(".tried").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    job.file.write_text(str(os.getpid()))


def jobs(folder: Path, *names: str) -> list[Job]:
    return [Job(name, folder / f"{place}.txt") for place, name in enumerate(names)]


def nothing(job: object, seconds: float) -> None:
    pass


@pytest.mark.parametrize("executor", [serial, processes])
def test_one_failure_does_not_stop_the_others(tmp_path: Path, executor: Executor):
    work = jobs(tmp_path, "good", "bad", "good", "mistaken", "good")
    told: list[tuple[str, float]] = []
    outcomes = list(executor(touch, work, 2, lambda job, seconds: told.append((job.path, seconds))))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.txt", "2.txt", "4.txt"]
    errors = {job.path: str(error) for job, error in outcomes if error}
    assert errors["bad"] == "bad cannot be decoded"
    assert errors["mistaken"].startswith("mistaken: a mistake of scenefer: ZeroDivisionError: in the middle; ")
    assert len(outcomes) == 5
    assert sorted(told) == [("bad", 1.0), ("good", 1.0), ("good", 1.0), ("good", 1.0), ("mistaken", 1.0)]


@pytest.mark.parametrize("executor", [serial, processes])
def test_jobs_are_taken_when_there_is_room_and_may_wait_for_others(tmp_path: Path, executor: Executor):
    first, second = jobs(tmp_path, "first", "second")

    def dependent() -> Iterator[Job | None]:
        yield first
        while not first.file.exists():
            yield None
        yield second

    assert [job.path for job, _ in executor(touch, dependent(), 2, nothing)] == ["first", "second"]


def test_a_worker_that_is_killed_while_it_is_idle_is_replaced(tmp_path: Path):
    first, second = jobs(tmp_path, "first", "second")

    def later() -> Iterator[Job | None]:
        yield first
        while not first.file.exists():
            yield None
        for _ in range(3):  # rounds in which the outcome is taken in
            yield None
        os.kill(int(first.file.read_text()), signal.SIGKILL)
        time.sleep(0.5)
        yield second

    assert [(job.path, error) for job, error in processes(touch, later(), 1, nothing)] == [
        ("first", None),
        ("second", None),
    ]
    assert first.file.read_text() != second.file.read_text()


def test_processes_are_others_than_this_one_and_few(tmp_path: Path):
    list(processes(touch, jobs(tmp_path, *"abcdef"), 2, nothing))
    workers = {path.read_text() for path in tmp_path.iterdir()}
    assert str(os.getpid()) not in workers
    assert len(workers) <= 2


def test_a_worker_without_a_job_is_let_go_and_its_memory_with_it(tmp_path: Path):
    first, second = jobs(tmp_path, "first", "second")
    deadline = time.monotonic() + 60

    def much_later() -> Iterator[Job | None]:
        yield first
        while time.monotonic() < deadline:
            worker = first.file.read_text() if first.file.exists() else ""
            if worker and not psutil.pid_exists(int(worker)):
                break
            yield None
        yield second

    list(processes(touch, much_later(), 1, nothing))
    assert first.file.read_text() != second.file.read_text()


def test_a_killed_worker_is_replaced_and_its_job_is_tried_again(tmp_path: Path):
    outcomes = list(processes(touch, jobs(tmp_path, "killer once", "good", "good"), 2, nothing))
    assert [error for _, error in outcomes] == [None] * 3
    assert {path.name for path in tmp_path.glob("*.txt")} == {"0.txt", "1.txt", "2.txt"}


def test_a_job_that_kills_its_workers_is_named_and_the_others_are_done(tmp_path: Path):
    outcomes = list(processes(touch, jobs(tmp_path, "killer", "good", "killer", "good"), 2, nothing))
    assert len(outcomes) == 4
    errors = [error for job, error in outcomes if job.path == "killer"]
    assert all(isinstance(error, WorkerError) for error in errors)
    assert all("SIGKILL" in str(error) and "run again" in str(error) for error in errors)
    assert {path.name for path in tmp_path.iterdir()} == {"1.txt", "3.txt"}


def test_a_hanging_worker_is_killed_and_named_and_the_others_are_done(tmp_path: Path):
    begin = time.monotonic()
    outcomes = list(processes(touch, jobs(tmp_path, "hanging", "good", "good"), 2, nothing, patience=10.0))
    assert time.monotonic() - begin < 60
    assert [(job.path, "no progress for 10 s" in str(error)) for job, error in outcomes if error] == [("hanging", True)]
    assert {path.name for path in tmp_path.iterdir()} == {"1.txt", "2.txt"}


def test_a_worker_without_memory_says_so_and_goes_on(tmp_path: Path):
    outcomes = list(processes(touch, jobs(tmp_path, "greedy", "good"), 1, nothing))
    assert "greedy: a worker ran out of memory; run again with fewer --workers" in str(outcomes[0].error)
    assert outcomes[1].error is None


def test_workers_end_with_who_stops_listening(tmp_path: Path):
    outcomes = processes(touch, jobs(tmp_path, "good", "hanging", "hanging"), 3, nothing)
    next(outcomes)
    begin = time.monotonic()
    outcomes.close()
    assert time.monotonic() - begin < 10


@pytest.mark.parametrize(
    ("executor", "n_jobs", "crew"),
    [
        pytest.param(processes, 5, Crew(processes, 3, threads=1), id="a worker a chunk"),
        pytest.param(processes, 1, Crew(serial, 1, threads=0), id="a single chunk"),
        pytest.param(serial, 5, Crew(serial, 1, threads=0), id="one after the other"),
    ],
)
def test_chunks_that_are_read_one_after_the_other_are_decoded_with_all_cores(
    executor: Executor, n_jobs: int, crew: Crew
):
    assert crew_for(executor, RunSettings(workers=3), n_jobs) == crew
