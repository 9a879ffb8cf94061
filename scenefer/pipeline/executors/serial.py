"""The executor that does the jobs in this process, one after the other."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable
from typing import Any

from scenefer.pipeline.executors.base import NAP, Executor, ExecutorSettings, Outcome, Progress, Work, answerable


def from_settings(settings: ExecutorSettings) -> Executor:
    """Make this executor from a plan's [run]."""
    return serial


def serial(work: Work, jobs: Iterable[Any], workers: int, progress: Progress) -> Generator[Outcome]:
    """Do the jobs in this process, one after the other; ``workers`` is ignored."""
    for job in jobs:
        if job is None:
            time.sleep(NAP)
            continue
        try:
            work(job, lambda seconds, job=job: progress(job, seconds))
        except Exception as error:
            yield Outcome(job, answerable(error, job))
        else:
            yield Outcome(job, None)
