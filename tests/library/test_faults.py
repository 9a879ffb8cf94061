"""What may befall a run over a library, each done for real: nothing is lost, nothing doubled, the failure is named."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.batches import SMALL, batch, ended, failed
from tests.faults import QUICK, expect_same, left_by, outcome, running, wait_for, workers_at_a_chunk
from tests.program import finished_chunks, make_film, scenefer

COUNTING = """
import os
from scenefer.pipeline import observation_cache
write = observation_cache.write_chunk
def write_and_count(staging, folder, *rest):
    write(staging, folder, *rest)
    with open(os.environ["COUNTED"], "a") as file:
        file.write(f"{folder.parent.parent.name}/{folder.name}\\n")
observation_cache.write_chunk = write_and_count
"""
STARVING = """
import resource
from pathlib import Path
from scenefer.pipeline import chunks
observe = chunks._observe
def observe_with_little(chunk, report):
    if chunk.path.name != "huge.mkv":
        return observe(chunk, report)
    import scenefer.video
    chunks._load_models(chunk.plan, chunk.weights)
    held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (held + (48 << 20), resource.RLIM_INFINITY))
    try:
        return observe(chunk, lambda reached: bytearray(256 << 20))  # in the midst of its work
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
chunks._observe = observe_with_little
"""
WITHHOLDING = """
from pathlib import Path
from scenefer.core import film
from scenefer.pipeline import chunks
chunks.require_readable = lambda path: film.require_readable(Path("/proc/self/mem"))  # reading it is an error of input
"""


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three films in eight chunks."""
    folder = tmp_path_factory.mktemp("films")
    make_film(folder / "long.mkv", 20.0, size=SMALL)
    make_film(folder / "middle.mkv", 12.0, size=(112, 64))
    make_film(folder / "short.mkv", 2.0, size=(128, 72))
    return folder


@pytest.fixture(scope="module")
def undisturbed(films: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a run leaves that nothing befell."""
    folder = tmp_path_factory.mktemp("undisturbed")
    batch(films, cwd=folder, code=0)
    return left_by(folder)


def test_a_worker_killed_in_the_middle_of_a_chunk_is_replaced_and_nothing_is_lost(films, undisturbed, tmp_path):
    with running(films, cwd=tmp_path) as process:
        victim = wait_for(lambda: workers_at_a_chunk(tmp_path), process)[0]
        os.kill(victim, signal.SIGKILL)
        code, events = outcome(process)
    assert code == 0
    assert len(ended(events)) == 3
    expect_same(left_by(tmp_path), undisturbed)


def killed_and_begun_again(films: Path, folder: Path, delays: list[float]) -> None:
    for delay in delays:
        with running(films, cwd=folder) as process:
            time.sleep(delay)
            os.killpg(process.pid, signal.SIGKILL)
    batch(films, cwd=folder, code=0)
    assert not list(folder.rglob("*.claim-*"))


def test_a_run_that_is_killed_twice_leaves_what_an_undisturbed_one_leaves(films, undisturbed, tmp_path):
    with running(films, cwd=tmp_path) as process:
        wait_for(lambda: workers_at_a_chunk(tmp_path), process)
        os.killpg(process.pid, signal.SIGKILL)
    with running(films, cwd=tmp_path) as process:
        wait_for(lambda: finished_chunks(tmp_path / "data"), process)
        os.killpg(process.pid, signal.SIGKILL)
    killed_and_begun_again(films, tmp_path, [])
    expect_same(left_by(tmp_path), undisturbed)


@pytest.mark.slow
def test_a_run_that_is_killed_twenty_times_leaves_what_an_undisturbed_one_leaves(films, undisturbed, tmp_path):
    begin = time.monotonic()
    batch(films, cwd=tmp_path, code=0)
    whole = time.monotonic() - begin
    shutil.rmtree(tmp_path / "data")
    shutil.rmtree(tmp_path / "reports")
    chance = random.Random(5)
    killed_and_begun_again(films, tmp_path, [chance.uniform(0.3, whole) for _ in range(20)])
    expect_same(left_by(tmp_path), undisturbed)


def with_site(folder: Path, script: str) -> dict[str, str]:
    """An environment in which every process of a run begins with a script."""
    (folder / "site").mkdir()
    (folder / "site" / "sitecustomize.py").write_text(script)
    return {
        "PYTHONPATH": f"{folder / 'site'}:{os.environ.get('PYTHONPATH', '')}",
        "COUNTED": str(folder / "counted"),
    }


def expect_none_doubled(folder: Path) -> None:
    counted = (folder / "counted").read_text().splitlines()
    assert len(counted) == len(set(counted)) == len(finished_chunks(folder / "data")) >= 7


def test_two_runs_at_the_same_time_share_a_library_and_double_no_chunk(films, undisturbed, tmp_path):
    more = with_site(tmp_path, COUNTING)
    with running(films, cwd=tmp_path, **more) as one, running(films, cwd=tmp_path, **more) as other:
        results = [outcome(one), outcome(other)]
    assert [code for code, _ in results] == [0, 0]
    assert all(len(ended(events)) == 3 for _, events in results)
    expect_none_doubled(tmp_path)
    expect_same(left_by(tmp_path), undisturbed)


@pytest.mark.parametrize("jump", [-3600.0, 3600.0], ids=["forward an hour", "back an hour"])
def test_a_clock_that_jumps_while_two_runs_work_doubles_no_chunk(jump, films, undisturbed, tmp_path):
    """Claims look an hour older, or younger, than they are: what is at work is taken over, and comes too late."""
    more = with_site(tmp_path, COUNTING)
    with running(films, cwd=tmp_path, **more) as late:
        # Both: one alone would go on and end a film before the other run has looked at it.
        victims = wait_for(lambda: len(found := set(workers_at_a_chunk(tmp_path))) == 2 and found, late)
        for victim in victims:
            os.kill(victim, signal.SIGSTOP)  # it would be done before anybody could take over
        for claimed in (tmp_path / "data").rglob("*.claim-*"):
            os.utime(claimed, (time.time() + jump,) * 2)
        with running(films, cwd=tmp_path, **more) as other:
            code, events = outcome(other)
        assert code == 0
        assert len(ended(events)) == 3
        for victim in victims:
            os.kill(victim, signal.SIGCONT)
        code, _ = outcome(late)
    assert code == 0
    expect_none_doubled(tmp_path)
    expect_same(left_by(tmp_path), undisturbed)
    assert not list(tmp_path.rglob("*.claim-*"))


def test_the_first_interrupt_finishes_what_runs_and_the_run_goes_on_later(films, undisturbed, tmp_path):
    with running(films, cwd=tmp_path) as process:
        wait_for(lambda: workers_at_a_chunk(tmp_path), process)
        os.kill(process.pid, signal.SIGINT)
        code, events = outcome(process)
    assert code == 130
    assert events[-1]["stopped"] == "interrupted"
    done = finished_chunks(tmp_path / "data")
    assert done, "what ran was finished"
    assert not list(tmp_path.rglob("*.claim-*"))
    batch(films, cwd=tmp_path, code=0)
    assert done.items() <= finished_chunks(tmp_path / "data").items()
    expect_same(left_by(tmp_path), undisturbed)


def test_the_second_interrupt_stops_at_once(films, tmp_path):
    with running(films, cwd=tmp_path) as process:
        victims = wait_for(lambda: workers_at_a_chunk(tmp_path), process)
        for victim in victims:
            os.kill(victim, signal.SIGSTOP)  # what runs would never end
        os.kill(process.pid, signal.SIGINT)
        time.sleep(1.0)
        assert process.poll() is None
        os.kill(process.pid, signal.SIGINT)
        process.communicate(timeout=30)
    assert process.returncode == 130
    assert not any(psutil.pid_exists(victim) for victim in victims)


def test_a_worker_that_hangs_is_killed_and_its_film_named_and_the_others_are_done(films, tmp_path):
    (tmp_path / "plan.toml").write_text("[run]\npatience = 30.0\n")
    with running(films, "--plan", "plan.toml", cwd=tmp_path) as process:
        os.kill(wait_for(lambda: workers_at_a_chunk(tmp_path), process)[0], signal.SIGSTOP)
        code, events = outcome(process)
    assert code == 1
    assert sorted(ended(events).values()) == ["done", "done", "failed"]
    (row,) = failed(tmp_path).values()
    assert "no progress for" in row["error"]
    assert (row["stage"], row["permanent"]) == ("observe", "false")
    batch(films, cwd=tmp_path, code=0)
    assert failed(tmp_path) == {}


def test_a_pipe_named_like_a_film_is_not_waited_for(films, tmp_path):
    shutil.copytree(films, tmp_path / "films")
    os.mkfifo(tmp_path / "films" / "pipe.mkv")
    events = batch("films", cwd=tmp_path, code=1)
    assert ended(events) == {"long.mkv": "done", "middle.mkv": "done", "pipe.mkv": "failed", "short.mkv": "done"}
    assert failed(tmp_path)["pipe.mkv"]["stage"] == "look"


def test_a_worker_that_runs_out_of_memory_names_its_film_and_the_others_are_done(films, tmp_path):
    (tmp_path / "films").mkdir()
    shutil.copy(films / "short.mkv", tmp_path / "films")
    make_film(tmp_path / "films" / "huge.mkv", 1.0, size=(3840, 2160))
    with running("films", cwd=tmp_path, **with_site(tmp_path, STARVING)) as process:
        code, events = outcome(process)
    assert code == 1
    assert ended(events) == {"huge.mkv": "failed", "short.mkv": "done"}
    (row,) = failed(tmp_path).values()
    assert "ran out of memory" in row["error"]
    assert (row["stage"], row["permanent"]) == ("observe", "false")
    assert "fewer --workers" in row["remedy"]
    assert ended(batch("films", cwd=tmp_path, code=0)) == {"huge.mkv": "done"}
    assert failed(tmp_path) == {}


@pytest.mark.parametrize("fault", ["truncated", "deleted"])
def test_a_film_that_changes_while_it_is_read_is_named_and_the_others_are_done(fault, films, undisturbed, tmp_path):
    shutil.copytree(films, tmp_path / "films")
    film = tmp_path / "films" / "long.mkv"
    with running("films", cwd=tmp_path) as process:
        wait_for(lambda: workers_at_a_chunk(tmp_path), process)  # of the longest film, which comes first
        if fault == "deleted":
            film.unlink()
        else:
            os.truncate(film, film.stat().st_size // 2)
        code, events = outcome(process)
    assert code == 1
    assert ended(events) == {"long.mkv": "failed", "middle.mkv": "done", "short.mkv": "done"}
    row = failed(tmp_path)["long.mkv"]
    assert ("changed" if fault == "truncated" else "deleted") in row["error"]
    assert row["permanent"] == "false"
    shutil.copy2(films / "long.mkv", film)
    batch("films", cwd=tmp_path, code=0)
    expect_same(left_by(tmp_path), undisturbed)


def test_what_a_failing_disk_withholds_is_not_taken_for_damage_of_the_film(films, tmp_path):
    (tmp_path / "films").mkdir()
    content = (films / "long.mkv").read_bytes()
    (tmp_path / "films" / "long.mkv").write_bytes(content[: len(content) // 2])  # as if no more of it came
    with running("films", cwd=tmp_path, **with_site(tmp_path, WITHHOLDING)) as process:
        code, events = outcome(process)
    assert code == 3
    assert ended(events) == {"long.mkv": "failed"}
    (row,) = failed(tmp_path).values()
    assert row["error"].endswith("cannot be read: Input/output error")
    assert (row["stage"], row["permanent"]) == ("observe", "false")
    assert ended(batch("films", cwd=tmp_path, code=0)) == {"long.mkv": "partial"}, "the disk gives all of it again"


def test_a_damaged_file_of_the_cache_is_found_and_made_again(films, undisturbed, tmp_path):
    batch(films, cwd=tmp_path, code=0)
    damaged = sorted((tmp_path / "data").rglob("frames.parquet"))[0]
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(content)
    shutil.rmtree(tmp_path / "reports")
    batch(films, cwd=tmp_path, code=0)
    expect_same(left_by(tmp_path), undisturbed)
    logs = " ".join(path.read_text() for path in (tmp_path / "reports").glob("*/log.txt"))
    assert "is not as it was written" in logs


@contextmanager
def mounted(folder: Path, size: str) -> Iterator[Path]:
    """A disk of a given size; skipped where nobody may mount one."""
    folder.mkdir()
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", folder]).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def test_a_full_disk_ends_the_run_with_its_reason_and_freeing_it_goes_on(films, undisturbed, tmp_path):
    (tmp_path / "plan.toml").write_text("[run]\nleast_free = 0.0\n")
    with mounted(tmp_path / "disk", "64m") as disk:
        (disk / "ballast").write_bytes(bytes(shutil.disk_usage(disk).free - (24 << 10)))
        done = scenefer("batch", films, *QUICK, "--plan", "plan.toml", "--data", disk / "data", cwd=tmp_path)
        assert done.returncode == 3, done.stderr
        assert "No space left" in done.stdout
        assert {row["stage"] for row in failed(tmp_path).values()} == {"write"}
        (disk / "ballast").unlink()
        batch(films, "--data", disk / "data", "--plan", "plan.toml", cwd=tmp_path, code=0)
        assert not list(disk.rglob("*.tmp"))
    expect_same(left_by(tmp_path), undisturbed)
    assert failed(tmp_path) == {}


def test_too_little_room_is_said_before_anything_is_read(films, tmp_path):
    with mounted(tmp_path / "disk", "64m") as disk:
        done = scenefer("batch", films, *QUICK, "--data", disk / "data", cwd=tmp_path)
    assert done.returncode == 3
    assert "MB left, less than 200; free space" in done.stderr
    assert not list(tmp_path.rglob("observed"))


def test_an_output_folder_that_turns_read_only_ends_the_run_and_what_was_read_is_kept(films, undisturbed, tmp_path):
    with mounted(tmp_path / "reports", "400m") as out:
        with running(films, cwd=tmp_path) as process:
            wait_for(lambda: workers_at_a_chunk(tmp_path), process)
            subprocess.run(["mount", "-o", "remount,ro", out], check=True)
            stdout, stderr = process.communicate(timeout=200)
        assert process.returncode == 3, stderr
        assert "cannot be written: Read-only file system" in stderr
        assert "Traceback" not in stderr
        assert json.loads(stdout.splitlines()[-1])["exit"] == 3
        kept = finished_chunks(tmp_path / "data")
        assert kept
        subprocess.run(["mount", "-o", "remount,rw", out], check=True)
        batch(films, cwd=tmp_path, code=0)
        assert kept.items() <= finished_chunks(tmp_path / "data").items()
        expect_same(left_by(tmp_path), undisturbed)
