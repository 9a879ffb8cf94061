"""A session is kept as a run, also one whose process was killed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scenefer.analysis import result
from scenefer.analysis.observation import combine
from scenefer.core.errors import OutputError, SceneferError
from scenefer.core.film import as_record
from scenefer.core.language import Language
from scenefer.core.run_folder import LIVE, RECORDED, report_folder
from scenefer.library import catalogue
from scenefer.live.recording import Recording, finish, is_unfinished
from scenefer.pipeline import locks, observation_cache
from scenefer.report import warnings
from tests.live.scenes import FILM, frame, plan, reader
from tests.program import environment_of


def record(folder: Path, n: int, intended: str | None = None) -> list:
    """Record ``n`` pictures, ten a second, of one face."""
    live, read = reader(), []
    with Recording(folder, FILM, plan(), intended) as recording:
        for k in range(n):
            read.append(live.read(frame(k)).observation)
            recording.add(read[-1])
    return read


def test_a_session_becomes_a_run_with_the_tables_of_a_film(tmp_path: Path):
    folder = tmp_path / "take"
    read = record(folder, 120, "happy:0.6;neutral:0.4")
    assert is_unfinished(folder)
    finish(folder)
    assert not is_unfinished(folder)
    assert sorted(path.name for path in folder.iterdir()) == ["pictures", "report.html", "run.json", "tables"]
    loaded = result.load(folder)
    whole = combine(read)
    assert loaded.faces["time"].tolist() == whole.faces["time"].tolist()
    assert loaded.faces["crop"].tolist() == whole.faces["crop"].tolist()
    assert loaded.frames["signature"].tolist() == whole.frames["signature"].tolist()
    assert loaded.film.duration == pytest.approx(12.0)
    assert (loaded.scenes["start"].tolist(), loaded.scenes["end"].tolist()) == ([0.0], [pytest.approx(12.0)])
    assert loaded.sheet is not None
    assert loaded.sheet["intended"].tolist() == ["happy:0.6;neutral:0.4"]
    assert loaded.comparison is not None
    (warning,) = (said for said in loaded.run["warnings"] if "read live, 10.0 pictures a second" in said)
    assert Language("id").retell(warning, warnings.SHAPES).startswith("dibaca langsung, 10.0 gambar per detik")
    assert loaded.run["weights"]["expression"]["name"] == plan().models.expression


def test_a_film_that_was_played_is_the_runs_film_until_it_is_played_again(tmp_path: Path):
    live = reader()
    for name, seconds in (("once", 4.0), ("twice", 1.0)):
        film = replace(FILM, duration=seconds)
        with Recording(tmp_path / name, film, plan()) as recording:
            for k in range(20):
                recording.add(live.read(frame(k)).observation)
    once, twice = finish(tmp_path / "once"), finish(tmp_path / "twice")
    assert (once.film.id, once.film.duration, once.run["span"]) == (FILM.id, 4.0, [0.0, pytest.approx(2.0)])
    assert twice.film.id != FILM.id
    assert twice.film.duration == pytest.approx(2.0)


def test_a_batch_of_the_film_leaves_the_session_alone(tmp_path: Path):
    film, live = replace(FILM, path=Path("take.mp4"), duration=1.0), reader()
    with Recording(tmp_path / "take", film, plan()) as recording:
        for k in range(10):
            recording.add(live.read(frame(k)).observation)
    run = finish(tmp_path / "take").run
    assert run.get("recorded_live", "").startswith("20")
    assert catalogue.find_reports(tmp_path) == {}
    assert report_folder(film, tmp_path) == tmp_path / f"take-{film.id[:6]}"


def test_chunks_are_written_while_a_session_lasts(tmp_path: Path):
    live = reader()
    with Recording(tmp_path / "take", FILM, plan()) as recording:
        for k in range(60):
            recording.add(live.read(frame(k)).observation)
        recording._writer.submit(int).result()
        assert [place.name for place in (tmp_path / "take" / RECORDED).iterdir()] == ["0.000-5.000"]


def test_what_was_recorded_until_the_process_was_killed_can_be_opened(tmp_path: Path):
    folder = tmp_path / "take"
    script = """
        import time
        from pathlib import Path
        from scenefer.live.recording import Recording
        from tests.live.scenes import FILM, frame, plan, reader
        live, recording = reader(), Recording(Path("take"), FILM, plan())
        for k in range(130):
            recording.add(live.read(frame(k)).observation)
        recording._writer.submit(int).result()
        print("recorded", flush=True)
        time.sleep(600)
    """
    environment = environment_of({"PYTHONPATH": os.getcwd()})
    session = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert session.stdout is not None
    assert session.stdout.readline() == "recorded\n"
    with pytest.raises(locks.Elsewhere), locks.claim(folder):
        pass  # it goes on: nobody may make a report of it
    session.send_signal(signal.SIGKILL)
    session.wait()
    session.stdout.close()
    assert is_unfinished(folder)
    done = subprocess.run(
        [sys.executable, "-m", "scenefer", "report", "take"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert (folder / "report.html").is_file()
    assert not (folder / LIVE).exists()
    assert result.load(folder).faces["time"].iloc[-1] == pytest.approx(10.1)  # two chunks of five seconds


def test_a_chunk_that_is_damaged_is_left_out(tmp_path: Path):
    folder = tmp_path / "take"
    record(folder, 120)
    (folder / RECORDED / "5.100-10.100" / "faces.parquet").write_bytes(b"half")
    times = finish(folder).faces["time"]
    assert len(times) == 51 + 18
    assert not times.between(5.05, 10.15).any()


def test_nothing_recorded_is_no_run(tmp_path: Path):
    with Recording(tmp_path / "take", FILM, plan()):
        pass
    with pytest.raises(OutputError, match="nothing was recorded"):
        finish(tmp_path / "take")


def test_of_a_session_without_a_picture_nothing_is_left(tmp_path: Path):
    with Recording(tmp_path / "take", FILM, plan()) as recording:
        assert recording.discard_empty()
    assert list(tmp_path.iterdir()) == []
    with Recording(tmp_path / "take", FILM, plan()) as recording:
        recording.add(reader().read(frame(0)).observation)
        assert not recording.discard_empty()
    assert is_unfinished(tmp_path / "take")


def test_a_session_that_does_not_begin_leaves_the_folder_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for _ in range(2):
        with pytest.raises(SceneferError, match="port"), Recording(tmp_path / "take", FILM, plan()):
            raise SceneferError("the port is taken")
    assert list(tmp_path.iterdir()) == []

    def full(*_: object) -> None:
        raise OutputError("live.json cannot be written")

    with monkeypatch.context() as patched:
        patched.setattr("scenefer.core.atomic.write_result", full)
        with pytest.raises(OutputError, match=r"live\.json"):
            Recording(tmp_path / "take", FILM, plan())
    assert list(tmp_path.iterdir()) == []
    observation = reader().read(frame(0)).observation
    with suppress(KeyboardInterrupt), Recording(tmp_path / "take", FILM, plan()) as recording:
        recording.add(observation)
        raise KeyboardInterrupt
    assert is_unfinished(tmp_path / "take"), "what came is kept"


def test_a_folder_that_holds_something_is_not_recorded_over(tmp_path: Path):
    record(tmp_path / "take", 10)
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "mine.txt").write_text("mine")
    for name in ("take", "notes"):
        with pytest.raises(OutputError, match="holds something already; choose another --record"):
            Recording(tmp_path / name, FILM, plan())
    finish(tmp_path / "take")
    with pytest.raises(OutputError, match="holds something already"):
        Recording(tmp_path / "take", FILM, plan())


def test_two_sessions_do_not_record_to_one_folder(tmp_path: Path):
    with Recording(tmp_path / "take", FILM, plan()), pytest.raises((OutputError, locks.Elsewhere)):
        Recording(tmp_path / "take", FILM, plan())


def test_a_disk_that_is_full_ends_the_recording_and_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(*_: object) -> None:
        raise OutputError("take cannot be written: No space left on device")

    live = reader()
    with Recording(tmp_path / "take", FILM, plan()) as recording:
        for k in range(60):
            recording.add(live.read(frame(k)).observation)
        recording._writer.submit(int).result()
        monkeypatch.setattr(observation_cache, "write_chunk", full)
        for k in range(60, 120):
            recording.add(live.read(frame(k)).observation)
        recording.flush()
        assert isinstance(recording.failed, SceneferError)
        assert "No space left" in str(recording.failed)
    assert finish(tmp_path / "take").faces["time"].iloc[-1] == pytest.approx(5.0)


def test_what_fails_in_the_writing_thread_is_the_recordings_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def broken(*_: object) -> None:
        raise ValueError("no such column")

    live = reader()
    monkeypatch.setattr(observation_cache, "write_chunk", broken)
    with Recording(tmp_path / "take", FILM, plan()) as recording:
        for k in range(60):
            recording.add(live.read(frame(k)).observation)
        recording._writer.submit(int).result()
        for k in range(60, 120):
            recording.add(live.read(frame(k)).observation)
        recording.flush()
        assert isinstance(recording.failed, OutputError)
        assert "cannot be written: ValueError: no such column" in str(recording.failed)
        assert recording.discard_empty()
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A second of a session, of which no run was made; nobody writes into it."""
    folder = tmp_path_factory.mktemp("recorded") / "take"
    record(folder, 10)
    return folder


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"settings": None}, "no whole record of a session: 'settings' is missing"),
        ({"film": None}, "'film' is missing"),
        ({"expression_id": None}, "'expression_id' is missing"),
        ({"version": 2}, "another version"),
        ({"film": {"path": "x"}}, "'frame_rate' is missing"),
        ({"film": {**as_record(FILM), "frame_rate": "fast"}}, "is damaged"),
        ({"film": {**as_record(FILM), "frame_rate": "1/0"}}, "is damaged"),
        ({"film": {**as_record(FILM), "duration": "long"}}, "is damaged"),
        ({"film": {**as_record(FILM), "width": "wide"}}, "is damaged"),
        ({"film": [1]}, "is damaged"),
        ({"settings": [1]}, "is damaged"),
        ({"settings": {"observation": {"sample_rate": "often"}}}, "sample_rate"),
        ({"intended": "hapy"}, "hapy"),
        ({"intended": 5}, "is damaged"),
    ],
    ids=lambda value: None if isinstance(value, str) else " ".join(f"{key}={value[key]}"[:40] for key in value),
)
def test_a_damaged_record_is_one_clear_error(recorded: Path, tmp_path: Path, changed: dict[str, Any], said: str):
    folder = Path(shutil.copytree(recorded, tmp_path / "take"))
    stated = {**json.loads((folder / LIVE).read_text()), **changed}
    kept = {name: value for name, value in stated.items() if value is not None or name not in changed}
    (folder / LIVE).write_text(json.dumps(kept, default=str))
    with pytest.raises(SceneferError) as caught:
        finish(folder)
    assert str(folder / LIVE) in str(caught.value)
    assert said in str(caught.value)
    assert is_unfinished(folder)


def test_chunks_that_were_removed_are_said(recorded: Path, tmp_path: Path):
    folder = Path(shutil.copytree(recorded, tmp_path / "take"))
    shutil.rmtree(folder / RECORDED)
    with pytest.raises(OutputError, match=r"nothing was recorded in .* or it is damaged"):
        finish(folder)
