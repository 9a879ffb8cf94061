"""Where jobs run: executors are functions with one signature.

A job is small and picklable and writes its result to a file; ``job.path`` is the path of its film.

``work(job, report)`` does a job and calls ``report(seconds)`` with the film time reached so far. A failed job does not
stop the others: its error is returned in its outcome. Jobs are taken from the iterator one by one, when a worker is
free. If the iterator yields ``None``, there is nothing to do until another job has ended or some time has passed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from scenefer.core.errors import PlanError
from scenefer.core.registry import Registry, imported
from scenefer.pipeline.executors.base import Executor, ExecutorSettings


class ExecutorKind(NamedTuple):
    """An executor that a plan can name."""

    make: str | Callable[[ExecutorSettings], Executor]  # makes it from a plan's [run]; or "module:function"
    is_remote: bool = False  # workers may run on other machines, without this one's folders, devices and cores


EXECUTORS: Registry[ExecutorKind] = Registry("executor", PlanError, "scenefer.executors", ExecutorKind)
EXECUTORS.add("processes", ExecutorKind("scenefer.pipeline.executors.processes:from_settings"))
EXECUTORS.add("serial", ExecutorKind("scenefer.pipeline.executors.serial:from_settings"))
EXECUTORS.add("ray", ExecutorKind("scenefer.pipeline.executors.ray:from_settings", is_remote=True))


def make_executor(settings: ExecutorSettings) -> Executor:
    """Make the executor that a plan names.

    Raises:
        PlanError: there is no executor of this name.
    """
    return imported(EXECUTORS.find(settings.executor).make)(settings)
