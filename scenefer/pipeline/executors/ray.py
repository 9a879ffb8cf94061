"""The executor that uses a Ray cluster: plain tasks, retried by Ray; they write their results to shared storage."""

from __future__ import annotations

import faulthandler
import os
import secrets
import socket
import sys
import tempfile
import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout
from functools import partial
from typing import Any

from scenefer.core.errors import PlanError
from scenefer.pipeline.executors.base import (
    PATIENCE,
    Executor,
    ExecutorSettings,
    Outcome,
    Progress,
    Work,
    attempt,
    worker_error,
)

_RETRIES = 2  # of a task whose worker was killed
_NAP = 0.5  # seconds
_STORE = 100_000_000  # bytes of Ray's object store; can be small, because tasks write files and return almost nothing
_END = object()
# For a Ray on this machine only; Ray reads these when it is imported. With our own token, Ray writes none into the home
# directory. Without clusters (third setting), its processes listen on the loopback address.
_ALONE = {"RAY_AUTH_MODE": "token", "RAY_USAGE_STATS_ENABLED": "0", "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}


def from_settings(settings: ExecutorSettings) -> Executor:
    """Make this executor from a plan's [run]."""
    return partial(ray_cluster, address=settings.address, gpus=settings.gpus, patience=settings.patience)


def ray_cluster(
    work: Work,
    jobs: Iterable[Any],
    workers: int,
    progress: Progress,
    address: str = "",
    gpus: float = 0.0,
    patience: float = PATIENCE,
) -> Generator[Outcome]:
    """Do the jobs as tasks on a Ray cluster, at most ``workers`` at a time; nothing is said of them until they end.

    Tasks are used instead of actors, because a set of actors larger than the cluster can place waits forever. A worker
    process runs many tasks, so it loads the networks only once.

    Args:
        address: of the cluster, "auto" for the one of this machine; "" starts one here.
        gpus: share of a GPU per task.

    Raises:
        PlanError: ray is not installed, or the cluster does not answer.
    """
    # Ray's messages about its workers belong on stderr.
    with redirect_stdout(sys.stderr), _connected(address, workers) as ray:
        options = {"num_cpus": 1, "num_gpus": gpus, "max_retries": _RETRIES}
        task = ray.remote(**options)(_do)
        running: dict[Any, Any] = {}
        source = iter(jobs)
        ended = False
        try:
            while True:
                while len(running) < workers and not ended:
                    job = next(source, _END)
                    ended = job is _END
                    if job is None or ended:
                        break
                    running[task.remote(work, job, patience)] = job
                if not running and ended:
                    return
                if not running:
                    time.sleep(_NAP)
                    continue
                ready, _ = ray.wait(list(running), num_returns=1, timeout=_NAP)
                for reference in ready:
                    job = running.pop(reference)
                    yield Outcome(job, _error_of(ray, reference, job))
        finally:
            for reference in running:  # Ctrl-C: running jobs are abandoned, finished ones are kept
                ray.cancel(reference, force=True)


@contextmanager
def _connected(address: str, workers: int) -> Iterator[Any]:
    """Connect to a cluster, or start one on this machine only, which leaves no files behind."""
    _require_answer(address)
    with ExitStack() as stack:
        if not address:
            os.environ.update(_ALONE, RAY_AUTH_TOKEN=secrets.token_hex(32))
        try:
            import ray
            from ray.exceptions import RayError
        except ImportError as error:
            raise PlanError("--executor ray needs ray: pip install 'scenefer[ray]'") from error
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True))
        stack.callback(ray.shutdown)
        try:
            if address:
                ray.init(address, log_to_driver=False)
            else:
                ray.init(
                    "local", num_cpus=workers, object_store_memory=_STORE, include_dashboard=False,
                    log_to_driver=False, _node_ip_address="127.0.0.1", _temp_dir=folder,
                )  # fmt: skip
        except (ConnectionError, RuntimeError, ValueError, RayError) as error:
            raise PlanError(f"there is no Ray cluster at {address or 'this machine'}: {error}") from error
        yield ray


def _require_answer(address: str) -> None:
    """Check that something answers at an address; Ray itself would try for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdecimal():
        try:
            socket.create_connection((host, int(port)), timeout=10).close()
        except OSError as error:
            raise PlanError(f"there is no Ray cluster at {address}: {error.strerror or error}") from error


def _do(work: Work, job: Any, patience: float) -> Any:
    """Do a job on a worker; without progress the worker ends itself, even if it hangs outside Python."""
    # Read by torch and by OpenCV when they are loaded, which in a worker is later than here.
    os.environ.update(OMP_NUM_THREADS="1", OPENCV_FOR_THREADS_NUM="1")
    silent = open(os.devnull, "w")  # noqa: SIM115 - must outlive this frame: faulthandler writes to its descriptor
    faulthandler.dump_traceback_later(patience, exit=True, file=silent)

    def report(seconds: float) -> None:
        faulthandler.dump_traceback_later(patience, exit=True, file=silent)

    try:
        return attempt(work, job, report)
    finally:
        faulthandler.cancel_dump_traceback_later()
        silent.close()


def _error_of(ray: Any, reference: Any, job: Any) -> Any:
    try:
        return ray.get(reference)
    except ray.exceptions.OutOfMemoryError:
        return worker_error(job, "Ray ended its worker for want of memory", "give it fewer tasks a node")
    except ray.exceptions.RayError as error:
        why = f"its worker was killed or hung {_RETRIES + 1} times ({type(error).__name__})"
        return worker_error(job, why, "run again; look into the film's log and Ray's")
