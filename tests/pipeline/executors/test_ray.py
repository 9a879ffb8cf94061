"""Ray as it is: of one machine, and a cluster of two nodes, each a process tree of its own with one task at a time."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.batches import SMALL, batch, ended, failed
from tests.faults import expect_same, left_by, outcome, running, wait_for, workers_at_a_chunk
from tests.program import environment_of, make_film, scenefer

pytest.importorskip("ray", reason="ray is not installed: pip install 'scenefer[ray]'")

CLUSTER = """
import sys
from ray.cluster_utils import Cluster
here = {"num_cpus": 1, "include_dashboard": False, "node_ip_address": "127.0.0.1"}
cluster = Cluster(initialize_head=True, head_node_args=here)
try:
    cluster.add_node(num_cpus=1, node_ip_address="127.0.0.1")
    cluster.wait_for_nodes()
    print("address", cluster.address, flush=True)
    sys.stdin.readline()
finally:
    cluster.shutdown()
"""


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    make_film(folder / "long.mkv", 20.0, size=SMALL)
    make_film(folder / "short.mkv", 2.0, size=(128, 72))
    (folder / "text.mp4").write_text("no film")
    return folder


@pytest.fixture
def scratch() -> Iterator[Path]:
    """A folder for Ray, near the root: the path of a socket has at most 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="r") as folder:
        yield Path(folder)


@pytest.fixture
def cluster(scratch: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a cluster that ends with the test; it listens on the loopback address."""
    monkeypatch.setenv("RAY_TMPDIR", str(scratch))
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    monkeypatch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(32))
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    with (scratch / "stderr").open("w") as said, subprocess.Popen(
        [sys.executable, "-c", CLUSTER],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, text=True, env=environment_of({}),
    ) as process:  # fmt: skip
        assert process.stdout
        assert process.stdin
        address = next((line.split()[1] for line in process.stdout if line.startswith("address")), None)
        family = psutil.Process(process.pid).children(recursive=True) if address else []
        try:
            assert address, (scratch / "stderr").read_text()
            yield address
        finally:
            if process.poll() is None:
                process.communicate("\n", timeout=60)
            for one in family:  # nothing of it, whatever went wrong
                if one.is_running():
                    one.kill()


@pytest.mark.slow
def test_a_cluster_leaves_what_processes_leave_although_a_worker_is_killed(films: Path, cluster: str, tmp_path: Path):
    (tmp_path / "here").mkdir()
    batch(films, cwd=tmp_path / "here", code=1)
    (tmp_path / "there").mkdir()
    with running(films, "--executor", "ray", "--address", cluster, cwd=tmp_path / "there") as process:
        os.kill(wait_for(lambda: workers_at_a_chunk(tmp_path / "there"), process)[0], signal.SIGKILL)
        code, events = outcome(process)
    assert code == 1
    assert ended(events) == {"long.mkv": "done", "short.mkv": "done", "text.mp4": "failed"}
    expect_same(left_by(tmp_path / "there"), left_by(tmp_path / "here"))
    assert failed(tmp_path / "there")["text.mp4"]["stage"] == "look"
    assert not list((tmp_path / "there").rglob("*.claim-*"))

    # Processes go on where the cluster stopped.
    shutil.rmtree(tmp_path / "there" / "reports")
    batch(films, cwd=tmp_path / "there", code=1)
    expect_same(left_by(tmp_path / "there"), left_by(tmp_path / "here"))


@pytest.mark.slow
def test_a_ray_of_this_machine_alone_listens_to_nobody_else_and_leaves_nothing(
    films: Path, scratch: Path, tmp_path: Path
):
    (home := tmp_path / "home").mkdir()
    own = {"HOME": str(home), "TMPDIR": str(scratch)}
    with running(films, "--executor", "ray", cwd=tmp_path, **own) as process:
        wait_for(lambda: workers_at_a_chunk(tmp_path), process)
        family = psutil.Process(process.pid).children(recursive=True)
        assert len(family) > 2
        heard = {
            socket.laddr.ip.removeprefix("::ffff:")
            for one in family
            for socket in one.net_connections("inet")
            if socket.status == psutil.CONN_LISTEN
        }
        code, events = outcome(process)
    assert code == 1
    assert ended(events) == {"long.mkv": "done", "short.mkv": "done", "text.mp4": "failed"}
    assert heard
    assert heard <= {"127.0.0.1", "::1"}
    assert psutil.wait_procs(family, timeout=20)[1] == []
    assert list(scratch.iterdir()) == []
    assert not (home / ".ray").exists()


HANGING = """
import threading
from scenefer.pipeline.executors.ray import _do
def hang(job, report):
    report(1.0)
    held = threading.Lock()
    held.acquire()
    held.acquire()
_do(hang, None, 1.0)
print("never")
"""


def test_a_task_that_hangs_ends_its_worker():
    """So Ray takes it for killed, tries it again, and names it at last."""
    done = subprocess.run(
        [sys.executable, "-c", HANGING], env=environment_of({}), capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")


def test_a_cluster_that_is_not_there_is_said_in_one_line(films: Path, tmp_path: Path):
    done = scenefer("batch", films, "--executor", "ray", "--address", "127.0.0.1:1", cwd=tmp_path)
    assert done.returncode == 2
    assert "127.0.0.1:1" in done.stderr.splitlines()[-1]
