"""Claims, held against real processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from scenefer.core.errors import OutputError
from scenefer.pipeline import locks

HOLDER = """
import sys, time
from pathlib import Path
from scenefer.pipeline import locks
place = Path(sys.argv[1])
try:
    with locks.claim(place, float(sys.argv[2])) as staging:
        (staging / "by").write_text("the other")
        print("held", flush=True)
        sys.stdin.readline()
        locks.publish(staging, place)
        print("published", flush=True)
except locks.Elsewhere as error:
    print("elsewhere", flush=True)
"""

RACER = """
import os, sys
from pathlib import Path
from scenefer.pipeline import locks
folder = Path(sys.argv[1])
sys.stdin.readline()
made = 0
for k in range(200):
    place = folder / f"{k:03}"
    try:
        with locks.claim(place) as staging:
            if place.is_dir():
                continue
            (staging / "by").write_text(str(os.getpid()))
            locks.publish(staging, place)
            made += 1
    except locks.Elsewhere:
        pass
print(made)
"""


def start(script: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().strip()


def go_on(process: subprocess.Popen[str]) -> None:
    assert process.stdin
    process.stdin.write("\n")
    process.stdin.flush()


def test_what_was_staged_becomes_the_place_and_nothing_else_is_left(tmp_path: Path):
    place = tmp_path / "below" / "chunk"
    with locks.claim(place) as staging:
        (staging / "table").write_text("rows")
        locks.publish(staging, place)
    assert [path.name for path in place.parent.iterdir()] == ["chunk"]
    assert (place / "table").read_text() == "rows"


def test_a_claim_that_is_given_back_leaves_nothing(tmp_path: Path):
    with pytest.raises(RuntimeError), locks.claim(tmp_path / "chunk"):
        raise RuntimeError
    assert not list(tmp_path.iterdir())


def test_a_living_process_keeps_its_claim_however_long_it_works(tmp_path: Path):
    with start(HOLDER, tmp_path / "chunk", 2.0) as holder:
        assert line(holder) == "held"
        time.sleep(3.0)
        with pytest.raises(locks.Elsewhere), locks.claim(tmp_path / "chunk", 2.0):
            pass
        go_on(holder)
        assert line(holder) == "published"


def test_the_claim_of_a_killed_process_is_free_at_once(tmp_path: Path):
    with start(HOLDER, tmp_path / "chunk", 600.0) as holder:
        assert line(holder) == "held"
        holder.kill()
    with locks.claim(tmp_path / "chunk", 600.0) as staging:
        locks.publish(staging, tmp_path / "chunk")
    assert [path.name for path in tmp_path.iterdir()] == ["chunk"]


def test_a_late_owner_cannot_publish_what_was_taken_over(tmp_path: Path):
    """It sleeps through its patience with everything ready, and goes on while the other one is still at work."""
    place = tmp_path / "chunk"
    with start(HOLDER, place, 0.6) as late:
        assert line(late) == "held"
        os.kill(late.pid, signal.SIGSTOP)
        time.sleep(1.0)
        with locks.claim(place, 0.6) as staging:
            (staging / "by").write_text("this one")
            go_on(late)
            os.kill(late.pid, signal.SIGCONT)
            assert line(late) == "elsewhere"
            assert not place.exists()
            locks.publish(staging, place)
    assert (place / "by").read_text() == "this one"
    assert [path.name for path in tmp_path.iterdir()] == ["chunk"]


def test_two_processes_share_two_hundred_places_and_double_none(tmp_path: Path):
    with start(RACER, tmp_path) as one, start(RACER, tmp_path) as other:
        go_on(one)
        go_on(other)
        made = [int(line(one)), int(line(other))]
    assert (one.returncode, other.returncode) == (0, 0)
    for k in range(200):  # what one of them left to the other is there as well
        with locks.claim(tmp_path / f"{k:03}"):
            assert (tmp_path / f"{k:03}" / "by").is_file()
    assert sum(made) == 200
    assert len(list(tmp_path.iterdir())) == 200


@pytest.mark.parametrize("jump", [-3600.0, 3600.0], ids=["back an hour", "forward an hour"])
def test_a_clock_that_jumped_leaves_no_claim_for_ever(tmp_path: Path, jump: float):
    """A claim from before the jump, of a process on another machine, of which only its age can tell."""
    abandoned = tmp_path / "chunk.claim-1"
    abandoned.mkdir()
    (abandoned / "owner.json").write_text(json.dumps({"machine": "another", "pid": 1, "began": "1"}))
    before = time.time() - jump
    os.utime(abandoned, (before, before))
    with locks.claim(tmp_path / "chunk") as staging:
        locks.publish(staging, tmp_path / "chunk")
    assert [path.name for path in tmp_path.iterdir()] == ["chunk"]


def test_what_killed_processes_left_is_swept_away_and_what_living_ones_hold_is_not(tmp_path: Path):
    with start(HOLDER, tmp_path / "one", 600.0) as dead, start(HOLDER, tmp_path / "other", 600.0) as living:
        assert (line(dead), line(living)) == ("held", "held")
        dead.kill()
        dead.wait()
        locks.sweep(tmp_path)
        assert [path.name for path in tmp_path.iterdir()] == ["other.claim-1"]
        go_on(living)
        assert line(living) == "published"


KILLED_WHILE_IT_REMOVES = """
import os, shutil, signal, sys
from pathlib import Path
from scenefer.pipeline import locks
def remove_half(folder, **_):
    (Path(folder) / "owner.json").unlink()
    os.kill(os.getpid(), signal.SIGKILL)
shutil.rmtree = remove_half
with locks.claim(Path(sys.argv[1])) as staging:
    locks.publish(staging, Path(sys.argv[1]))
"""


@pytest.mark.parametrize("then", ["another makes the place", "the folder is swept"])
def test_a_process_killed_while_it_removes_a_claim_leaves_none_to_wait_for(tmp_path: Path, then: str):
    """Its own, which it gives back, and one that it took over."""
    with start(HOLDER, tmp_path / "one", 600.0) as holder:
        assert line(holder) == "held"
        holder.kill()
    for place in ("one", "other"):
        with start(KILLED_WHILE_IT_REMOVES, tmp_path / place) as killed:
            assert killed.wait() == -signal.SIGKILL
    if then == "the folder is swept":
        locks.sweep(tmp_path)
    else:
        for place in ("one", "other"):
            with locks.claim(tmp_path / place) as staging:
                locks.publish(staging, tmp_path / place)
    assert not list(tmp_path.glob("*.claim-*"))


def test_a_folder_of_claims_that_another_process_finds_empty_and_removes_is_made_again(tmp_path: Path, monkeypatch):
    make = Path.mkdir
    removed = [FileExistsError(17, "File exists"), FileNotFoundError(2, "No such file or directory")]

    def make_beside_another(path: Path, *arguments: Any, **more: Any) -> None:
        if path.name == "claims" and removed:
            raise removed.pop()
        make(path, *arguments, **more)

    monkeypatch.setattr(Path, "mkdir", make_beside_another)
    with locks.claim(tmp_path / "claims" / "film") as staging:
        locks.publish(staging, tmp_path / "claims" / "film")
    assert not removed
    assert [path.name for path in tmp_path.glob("*/*")] == ["film"]


def test_a_fresh_claim_of_another_machine_is_respected(tmp_path: Path):
    held = tmp_path / "chunk.claim-1"
    held.mkdir()
    (held / "owner.json").write_text(json.dumps({"machine": "another", "pid": 1, "began": "1"}))
    with pytest.raises(locks.Elsewhere), locks.claim(tmp_path / "chunk"):
        pass
    assert held.is_dir()


def test_a_place_that_cannot_be_made_is_said_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Some file systems answer "no such file" where a folder cannot be made; that is nobody else's work."""

    def refuse(*_: object, **__: object) -> None:
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(OutputError, match="cannot be written"), locks.claim(tmp_path / "nowhere" / "chunk"):
        pass


def test_a_run_that_is_written_elsewhere_is_not_written_here(tmp_path: Path):
    run = tmp_path / "reports" / "film"
    run.mkdir(parents=True)
    (run / "run.json").write_text("{}")
    link = tmp_path / "linked"
    link.symlink_to(run)
    with (
        locks.rewriting(link),
        pytest.raises(locks.Elsewhere, match="film is being written by another process"),
        locks.rewriting(run),
    ):
        raise AssertionError
    named = tmp_path / "reports" / ".claims" / "film"
    with locks.claim(named), locks.rewriting(run, holding=named):  # as a batch that reports it
        assert list(named.parent.iterdir())
    named.parent.rmdir()
    with locks.rewriting(run):
        assert list(named.parent.iterdir())
    assert sorted(path.name for path in (tmp_path / "reports").iterdir()) == ["film"]


def test_where_there_is_no_run_nothing_is_claimed_nor_made(tmp_path: Path):
    with locks.rewriting(tmp_path / "typo" / "film"):
        pass
    assert list(tmp_path.iterdir()) == []
