"""Whatever a file contains, the reader ends: with frames or with an error that has a name, in time and within memory.

The mutations are seeded; a file that failed is written again by its seed.
"""

from __future__ import annotations

import json
import os
import queue
import random
import signal
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.clips import moving, write_clip

LONGEST = 20.0  # seconds
LARGEST = 1_500_000_000  # bytes
ADDRESSES = 6_000_000_000  # bytes; libraries and thread stacks are mapped too
FIRST = list(range(25))
ALL = list(range(500))


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three small films: an MP4 with B-frames, a Matroska of VP9, an AVI of MPEG-4."""
    folder = tmp_path_factory.mktemp("originals")
    pictures = moving(30)
    return [
        write_clip(folder / "a.mp4", pictures, b_frames=2, rotation=90),
        write_clip(folder / "b.mkv", pictures, codec="libvpx-vp9", options={"deadline": "realtime"}),
        write_clip(folder / "c.avi", pictures, codec="mpeg4", options={}),
    ]


def boxes(content: bytes, start: int = 0, end: int | None = None) -> Iterator[tuple[int, int]]:
    """Yield begin and end of the boxes of an MP4, those inside others too; of other files, of pieces of 64 bytes."""
    end = len(content) if end is None else end
    if content[4:8] != b"ftyp":
        yield from ((at, min(at + 64, end)) for at in range(0, end, 64))
        return
    while start + 8 <= end:
        size = struct.unpack_from(">I", content, start)[0]
        if not 8 <= size <= end - start:
            return
        yield start, start + size
        if content[start + 4 : start + 8] in (b"moov", b"trak", b"mdia", b"minf", b"stbl"):
            yield from boxes(content, start + 8, start + size)
        start += size


def mutated(content: bytes, seed: int) -> bytes:
    """Flip bytes, most often in the first and last kilobytes, where structure is; cut; swap, repeat or drop boxes."""
    chance = random.Random(seed)
    changed = bytearray(content)
    kind = seed // 3 % 5  # the films take turns too
    if kind in (0, 1):
        for _ in range(chance.choice((1, 4, 16, 64))):
            near = chance.choice((64, 1024, len(changed)))
            place = chance.randrange(min(near, len(changed)))
            place = place if chance.random() < 0.5 else len(changed) - 1 - place
            changed[place] = chance.choice(
                (0, 0xFF, 0x7F, 0x80, chance.randrange(256), changed[place] ^ (1 << chance.randrange(8)))
            )
    elif kind == 2:
        del changed[chance.randrange(1, len(changed)) :]
    elif kind == 3:
        first, second = sorted(chance.sample(list(boxes(content)), 2))
        if first[1] <= second[0]:
            parts = content[: first[0]], content[slice(*second)], content[first[1] : second[0]], content[slice(*first)]
            return b"".join((*parts, content[second[1] :]))
        del changed[slice(*second)]  # one lies in the other
    else:
        start, end = chance.choice(list(boxes(content)))
        changed[start:end] = changed[start:end] * chance.choice((0, 2, 50))
        if chance.random() < 0.5:
            place = chance.randrange(len(changed) - 8)
            changed[place : place + 4] = struct.pack(">I", chance.choice((0, 1, 0x7FFFFFFF, 0xFFFFFFFF, 0x10000000)))
    return bytes(changed)


class Reader:
    """A process that reads films, begun again where it crashed or was killed."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        command = [sys.executable, "-m", "tests.reading", str(ADDRESSES)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._listen, args=(self.process.stdout, self._lines), daemon=True).start()

    @staticmethod
    def _listen(stream: Any, lines: queue.Queue[str]) -> None:
        for line in stream:
            lines.put(line)
        lines.put("")
        stream.close()

    def ask(self, path: Path, patience: float = LONGEST) -> dict[str, Any]:
        """Have a film read; a crash and a hang are said like a result."""
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):  # it has crashed, as is noticed below
            self.process.stdin.write(f"{path}\n")
            self.process.stdin.flush()
        try:
            if line := self._lines.get(timeout=patience):
                return json.loads(line)
            said = f"the process ended with {self.end()}"
        except queue.Empty:
            self.process.kill()
            self.end()
            said = f"it hung for {patience} s"
        self._begin()
        return {"unnamed": said}

    def end(self) -> int:
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):
            self.process.stdin.close()
        return self.process.wait()


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    process = Reader()
    yield process
    process.end()


def trouble_with(reader: Reader, originals: list[Path], seeds: list[int], folder: Path) -> tuple[list[str], int]:
    """Read mutations; what went wrong, by seed, and how many could be read."""
    trouble, n_read = [], 0
    for seed in seeds:
        original = originals[seed % 3]
        path = folder / f"{seed}{original.suffix}"
        path.write_bytes(mutated(original.read_bytes(), seed))
        said = reader.ask(path)
        path.unlink()
        n_read += "frames" in said
        if "unnamed" in said:
            trouble.append(f"seed {seed}: {said['unnamed']}")
        elif said["seconds"] > LONGEST or said["peak"] > LARGEST:
            trouble.append(f"seed {seed}: {said['seconds']:.0f} s, {said['peak'] / 1e6:.0f} MB")
        elif "error" in said and path.name not in said["error"]:
            trouble.append(f"seed {seed}: the error does not name the film: {said['error']}")
    return trouble, n_read


def test_the_originals_are_read_whole(reader: Reader, originals: list[Path]):
    reader.ask(originals[0], patience=120)  # imports
    assert [reader.ask(path).get("frames") for path in originals] == [30, 30, 30]


def test_mutations_differ_and_are_the_same_for_the_same_seed(originals: list[Path]):
    contents = [path.read_bytes() for path in originals]
    made = [mutated(contents[seed % 3], seed) for seed in FIRST]
    assert made == [mutated(contents[seed % 3], seed) for seed in FIRST]
    assert len(set(made)) == len(made)
    assert sum(content not in contents for content in made) >= 23


def test_a_hang_and_a_crash_are_noticed(reader: Reader, tmp_path: Path):
    os.kill(reader.process.pid, signal.SIGSTOP)
    assert reader.ask(tmp_path / "film.mp4", patience=0.5) == {"unnamed": "it hung for 0.5 s"}
    os.kill(reader.process.pid, signal.SIGSEGV)
    assert reader.ask(tmp_path / "film.mp4") == {"unnamed": "the process ended with -11"}
    assert "does not exist" in reader.ask(tmp_path / "film.mp4", patience=120)["error"]


def test_damaged_films_end_in_frames_or_in_an_error_with_a_name(reader: Reader, originals: list[Path], tmp_path: Path):
    trouble, n_read = trouble_with(reader, originals, FIRST, tmp_path)
    assert trouble == []
    assert 0 < n_read < len(FIRST)


@pytest.mark.slow
def test_five_hundred_damaged_films_end_so_too(reader: Reader, originals: list[Path], tmp_path: Path):
    trouble, n_read = trouble_with(reader, originals, ALL, tmp_path)
    assert trouble == []
    assert 100 < n_read < 450
