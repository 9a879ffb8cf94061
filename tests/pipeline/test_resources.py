from __future__ import annotations

import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import psutil
import pytest

from scenefer.core.film import Film
from scenefer.library.batch import Batch
from scenefer.library.orders import Order
from scenefer.pipeline import resources
from scenefer.pipeline.chunks import Chunk
from scenefer.pipeline.executors.base import Outcome
from scenefer.pipeline.plans import make_plan
from tests.program import make_film

HOLDER = "import sys; held = bytearray(b'x') * (80 << 20); print(flush=True); sys.stdin.readline()"


def film(width: int, height: int) -> Film:
    return Film(Path("film.mp4"), "0" * 16, width, height, 10.0, Fraction(25))


def test_the_memory_of_all_processes_of_a_run_is_counted():
    before = resources.memory_in_use()
    assert before == pytest.approx(psutil.Process(os.getpid()).memory_info().rss / 1e6, rel=0.2)
    with subprocess.Popen([sys.executable, "-c", HOLDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        holder.stdout.readline()
        assert 75 < resources.memory_in_use() - before < 130
        holder.communicate(b"\n")


def test_a_chunk_needs_more_memory_where_its_pictures_are_larger():
    in_use = resources.memory_in_use()
    assert not resources.too_little_memory(0.0, film(3840, 2160))
    assert resources.too_little_memory(in_use, film(640, 360))
    assert not resources.too_little_memory(in_use + 800, film(640, 360))
    assert resources.too_little_memory(in_use + 800, film(3840, 2160))


def test_decoding_is_held_back_while_memory_is_short_and_something_runs(tmp_path: Path):
    make_film(tmp_path / "film.mkv", 20.0, size=(96, 54))
    plan = make_plan(options={"run.max_memory": 1.0})
    taken: list[object] = []

    def patient(work, jobs, workers, progress):
        """Look at the film, take a chunk and ask for another; end the chunk and ask again."""
        jobs = iter(jobs)
        look = next(jobs)
        work(look, lambda seconds: None)
        yield Outcome(look, None)
        chunk = next(jobs)
        taken.extend([chunk, next(jobs), next(jobs)])
        yield Outcome(chunk, None)
        taken.append(next(jobs))

    Batch(Order([tmp_path / "film.mkv"], plan, tmp_path / "data", tmp_path / "out")).work(patient, 2)
    first, held, still_held, second = taken
    assert isinstance(first, Chunk)
    assert held is None
    assert still_held is None
    assert isinstance(second, Chunk)
    assert second.span.start > first.span.start
