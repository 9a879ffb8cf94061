"""A real Ray cluster of two nodes on this machine, each a process tree of its own with one task at a time."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.test_batch import SMALL, ended, failed
from tests.test_cli import environment_of, make_film, scenefer
from tests.test_faults import batch, expect_same, left_by, outcome, running, wait_for, workers_at_a_piece

pytest.importorskip("ray", reason="ray is not installed: pip install 'scenefer[ray]'")

CLUSTER = """
import sys
from ray.cluster_utils import Cluster
cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
cluster.add_node(num_cpus=1)
cluster.wait_for_nodes()
print("address", cluster.address, flush=True)
sys.stdin.readline()
cluster.shutdown()
"""


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    make_film(folder / "long.mkv", 20.0, size=SMALL)
    make_film(folder / "short.mkv", 2.0, size=(128, 72))
    (folder / "text.mp4").write_text("no film")
    return folder


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """The address of a cluster that ends with the tests."""
    with subprocess.Popen(
        [sys.executable, "-c", CLUSTER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        text=True, env=environment_of({}),
    ) as process:  # fmt: skip
        assert process.stdout
        assert process.stdin
        address = next((line.split()[1] for line in process.stdout if line.startswith("address")), None)
        assert address, "no cluster was started"
        yield address
        process.stdin.write("\n")
        process.stdin.flush()


@pytest.mark.slow
def test_a_cluster_leaves_what_processes_leave_although_a_worker_is_killed(films: Path, cluster: str, tmp_path: Path):
    (tmp_path / "here").mkdir()
    batch(films, cwd=tmp_path / "here", code=1)
    (tmp_path / "there").mkdir()
    with running(films, "--executor", "ray", "--address", cluster, cwd=tmp_path / "there") as process:
        os.kill(wait_for(lambda: workers_at_a_piece(tmp_path / "there"), process)[0], signal.SIGKILL)
        code, events = outcome(process)
    assert code == 1
    assert ended(events) == {"long.mkv": "done", "short.mkv": "done", "text.mp4": "failed"}
    expect_same(left_by(tmp_path / "there"), left_by(tmp_path / "here"))
    assert failed(tmp_path / "there")["text.mp4"]["stage"] == "look"
    assert not list((tmp_path / "there").rglob("*.claim-*"))

    # Processes go on where the cluster stopped, and the other way round.
    shutil.rmtree(tmp_path / "there" / "reports")
    batch(films, cwd=tmp_path / "there", code=1)
    expect_same(left_by(tmp_path / "there"), left_by(tmp_path / "here"))


def test_a_cluster_that_is_not_there_is_said_in_one_line(films: Path, tmp_path: Path):
    done = scenefer("batch", films, "--executor", "ray", "--address", "127.0.0.1:1", cwd=tmp_path)
    assert done.returncode == 2
    assert "127.0.0.1:1" in done.stderr.splitlines()[-1]
