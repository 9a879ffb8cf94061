"""`scenefer live` as it is called: a film as the camera, what it says, how it ends."""

from __future__ import annotations

import http.server
import os
import pty
import select
import signal
import socket
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from scenefer.analysis import result
from scenefer.cli import live_panel
from scenefer.core.errors import AccessError, OutputError
from scenefer.live.meter import Pace
from scenefer.live.reading import Face
from scenefer.live.recording import Recording
from scenefer.live.session import Session, View
from tests.clips import moving, write_clip
from tests.live.scenes import FILM, RATE, Camera, frame, plan, reader
from tests.program import command, complaints, environment_of, heed_interrupts, scenefer

FILMS = Path(os.environ.get("SCENEFER_FILMS", "nowhere"))


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of noise."""
    return write_clip(tmp_path_factory.mktemp("film") / "noise.mp4", moving(50, 320, 180))


def test_a_film_is_played_to_its_end_and_kept_as_a_run_of_it(film: Path, tmp_path: Path):
    done = scenefer("live", film, "--no-page", "--intended", "tense", "--record", "take", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "pictures read" in done.stdout
    assert "ms late, 95 % within" in done.stdout
    assert "report: take/report.html" in done.stdout
    kept = result.load(tmp_path / "take")
    assert kept.film.path.name == "noise.mp4"
    assert kept.sheet is not None
    assert kept.sheet["intended"].tolist() == ["fear:0.5;angry:0.5"]
    assert kept.run.get("settings", {})["observation"]["search_every"] == 0.01  # all of each picture
    again = scenefer("report", "take", cwd=tmp_path)
    assert (again.returncode, again.stderr) == (0, "")


def test_without_a_terminal_lines_are_written(film: Path, tmp_path: Path):
    done = scenefer("live", film, "--loop", "--seconds", "5", "--no-page", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if "pictures/s" in line]
    assert 1 <= len(lines) <= 4
    assert all("no face" in line for line in lines)


@pytest.mark.parametrize("signalled", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_ends_it_with_a_summary_and_the_record(film: Path, tmp_path: Path, signalled: signal.Signals):
    called = command(["live", film, "--loop", "--record", "take"])
    session = subprocess.Popen(
        called,
        cwd=tmp_path,
        env=environment_of({}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed_interrupts,
    )
    assert session.stdout is not None
    for line in session.stdout:
        if "pictures/s" in line:
            break
    session.send_signal(signalled)
    said, complained = session.communicate(timeout=120)
    assert session.returncode == 0, complained
    assert complained == ""
    assert "pictures read" in said
    assert (tmp_path / "take" / "report.html").is_file()


@pytest.mark.parametrize(
    ("arguments", "code", "named"),
    [
        (["nowhere.mp4"], 2, "there is no such film"),
        (["rtsp://me:secret@127.0.0.1:9/cam"], 3, "does not answer"),
        (["film.txt"], 3, "is not a film"),
        (["rtsp://me:secret@[cam/stream"], 3, "rtsp://[cam/stream does not answer"),
        (["noise.mp4", "--intended", "hapy"], 2, "happy"),
        (["noise.mp4", "--scene", "rage"], 2, "--intended SHEET"),
        (["noise.mp4", "--size", "big"], 2, "1280x720"),
        (["noise.mp4", "--rate", "0"], 2, "--rate"),
        (["noise.mp4", "--weights", "nowhere"], 2, "nowhere"),
        (["noise.mp4", "--record", "."], 3, "choose another --record"),
        (["0", "--loop"], 2, "--loop is for films"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_what_is_wrong_is_one_line(film: Path, tmp_path: Path, arguments: list[str], code: int, named: str):
    (tmp_path / "film.txt").write_text("no film")
    (tmp_path / "noise.mp4").write_bytes(film.read_bytes())
    done = scenefer("live", *arguments, "--no-page", cwd=tmp_path)
    assert done.returncode == code
    assert len(complaints(done)) == 1
    assert named in done.stderr
    assert "secret" not in done.stderr


@pytest.mark.skipif(any(Path("/dev").glob("video*")), reason="a camera is connected")
def test_no_camera_is_said_with_what_to_do_instead(tmp_path: Path):
    done = scenefer("live", cwd=tmp_path)
    assert done.returncode == 3
    (line,) = complaints(done)
    assert "no camera is connected" in line
    assert "scenefer live FILM" in line


def test_a_stream_that_vanishes_is_said_and_its_record_kept(tmp_path: Path):
    write_clip(tmp_path / "clip.mkv", moving(100, 320, 180))
    handler = type("Quiet", (http.server.SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
    with http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), lambda *given: handler(*given, directory=str(tmp_path))
    ) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        address = f"http://127.0.0.1:{server.server_address[1]}/clip.mkv"
        done = scenefer("live", address, "--no-page", "--record", "take", "--rate", "60", cwd=tmp_path)
        server.shutdown()
        thread.join()
    assert done.returncode == 3
    (line,) = complaints(done)
    assert "vanished after" in line
    assert "report: take/report.html" in done.stdout
    assert len(result.load(tmp_path / "take").frames) >= 1


def test_a_stream_that_vanishes_before_its_first_picture_leaves_nothing(tmp_path: Path):
    """The address gives the head of a clip and no more."""
    whole = write_clip(tmp_path / "clip.mkv", moving(50, 320, 180)).read_bytes()
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()

        def answer() -> None:
            with suppress(OSError):
                while True:
                    with server.accept()[0] as connection:
                        connection.recv(65_536)
                        connection.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 9999999\r\n\r\n" + whole[:700])

        threading.Thread(target=answer, daemon=True).start()
        address = f"http://127.0.0.1:{server.getsockname()[1]}/"
        done = scenefer("live", address, "--no-page", "--record", "take", cwd=tmp_path)
        server.close()
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "take").exists()


def test_a_session_that_does_not_begin_may_be_recorded_to_the_same_folder_then(film: Path, tmp_path: Path):
    pytest.importorskip("uvicorn")
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        called = ("live", film, "--record", "take", "--port", str(other.getsockname()[1]))
        for _ in range(2):
            done = scenefer(*called, cwd=tmp_path)
            assert done.returncode == 2
            assert "choose another, or leave it out" in complaints(done)[0]
    assert not (tmp_path / "take").exists()


@pytest.mark.parametrize("read", [0, 60])
def test_what_ended_a_recording_is_said_once(
    read: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """The disk is full, from the beginning or after the first five seconds."""
    from scenefer.cli import live
    from scenefer.pipeline import observation_cache

    def full(*_: object) -> None:
        raise OutputError("the disk is full")

    pictures = reader()
    with Recording(tmp_path / "take", FILM, plan()) as recording:
        for k in range(read + 60):
            if k == read:
                recording.flush()
                monkeypatch.setattr(observation_cache, "write_chunk", full)
            recording.add(pictures.read(frame(k)).observation)
        session = Session(Camera([]), pictures, RATE, recording=recording)
        kept = live._keep(recording)
        assert kept == bool(read)
        said = "recorded in part alone" if read else "nothing was recorded"
        with pytest.raises(OutputError, match=f"^{said}: the disk is full$"):
            live._require_sound(session, kept)
        session.error = AccessError("the camera vanished")
        with pytest.raises(AccessError, match="vanished"):
            live._require_sound(session, kept)
    assert capsys.readouterr().err.count("the disk is full") == 1
    assert (tmp_path / "take").exists() == bool(read)


def test_the_page_needs_an_extra_and_the_terminal_does_not(film: Path, tmp_path: Path):
    (tmp_path / "uvicorn.py").write_text("raise ImportError('not installed')")
    asked = scenefer("live", film, "--page", cwd=tmp_path, PYTHONPATH=str(tmp_path))
    assert asked.returncode == 2
    assert complaints(asked) == [
        "scenefer: the page needs starlette and uvicorn: pip install 'scenefer[live]'; or leave it out: --no-page"
    ]
    done = scenefer("live", film, "--seconds", "1", cwd=tmp_path, PYTHONPATH=str(tmp_path))
    assert done.returncode == 0
    assert complaints(done) == ["scenefer: no page is shown: it needs pip install 'scenefer[live]'"]
    assert "pictures read" in done.stdout


def test_a_terminal_gets_a_panel_and_ctrl_c_ends_it(film: Path, tmp_path: Path):
    pid, terminal = pty.fork()
    if pid == 0:  # pragma: no cover - the program itself
        os.chdir(tmp_path)
        heed_interrupts()
        called = [os.fsdecode(part) for part in command(["live", film, "--loop", "--no-page", "--intended", "happy"])]
        os.execve(called[0], called, environment_of({"TERM": "xterm-256color", "COLUMNS": "90", "LINES": "40"}))
    shown, interrupted, end = b"", False, time.monotonic() + 120
    while time.monotonic() < end:
        if not select.select([terminal], [], [], 1)[0]:
            continue
        try:
            shown += os.read(terminal, 65_536)
        except OSError:
            break
        if b"pictures/s" in shown and not interrupted:
            os.write(terminal, b"\x03")
            interrupted = True
    else:
        os.kill(pid, signal.SIGKILL)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    for said in ("scenefer live", "the last ten seconds", "intended 100%", "no face is seen", "pictures read"):
        assert said.encode() in shown


def test_the_panel_says_who_is_seen_and_why_a_face_does_not_count():
    import numpy as np
    from rich.console import Console

    shares = np.array([0, 0, 0, 0.6, 0, 0, 0.4])
    session = Session(Camera([]), reader(), RATE, intended=np.eye(7)[3])
    faces = (
        Face(2, (0.0, 0.0, 9.0, 9.0), (0, 0, 0, 0.8, 0, 0, 0.2), None),
        Face(5, (0.0, 0.0, 9.0, 9.0), (0.9, 0, 0, 0, 0, 0, 0.1), "blurred"),
    )
    picture = np.zeros((9, 9, 3), np.uint8)
    view = View(1, 61.25, picture, faces, shares, 8.0, 0.4, Pace(11.8, 23.6, 0.084, 0.14), 3)
    session.board.put(view)
    for width in (40, 100):
        console = Console(width=width, record=True, file=open(os.devnull, "w"))  # noqa: SIM115 - ends with the test
        with console.file:
            console.print(live_panel.panel(session, "camera 0", width=width, meant="happy"))
            said = console.export_text()
        assert max(map(len, said.splitlines())) <= width
        for part in ("11.8 pictures/s", "happy", "60%", "80%"):
            assert part in said
    assert "does not count: blurred" in said
    assert "intended 100%" in said
    assert live_panel.line(view, "happy") == (
        "0:01:01.2  11.8 pictures/s  84 ms late  3 left out | 2 happy 80% · 5 blurred | "
        "10 s: happy 60% · neutral 40% · angry 0% | 40% not as intended (happy)"
    )


@pytest.mark.skipif(not FILMS.is_dir(), reason="SCENEFER_FILMS names no folder")
def test_a_real_face_is_read_as_it_acts(tmp_path: Path):
    clip = FILMS / "acted_happy_ai.mp4"
    done = scenefer("live", clip, "--no-page", "--intended", "happy", "--record", "take", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    expressions = result.load(tmp_path / "take").expressions
    usable = expressions.loc[expressions["usable"]]
    assert len(usable) >= 5
    assert usable["happy"].mean() > 0.6
