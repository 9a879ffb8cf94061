"""Weights that do not ship are downloaded, from a server on this machine, and verified."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from scenefer.core.errors import WeightsError
from scenefer.models import known_weights, weight_download, weight_files

CONTENT = bytes(range(256)) * 9000  # 2.3 MB, three blocks


class Server(ThreadingHTTPServer):
    """Serves CONTENT, or other bytes, and notes which ranges were asked for."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content = CONTENT
        self.ranges: list[str | None] = []
        self.knows_ranges = True
        self.stops_after: int | None = None
        self.status = 200


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        server = self.server
        assert isinstance(server, Server)
        asked = self.headers.get("Range")
        server.ranges.append(asked)
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and server.knows_ranges else 0
        self.send_response(206 if start else server.status)
        self.send_header("Content-Length", str(len(server.content) - start))
        self.end_headers()
        self.wfile.write(server.content[start : server.stops_after])

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def folder(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of weights, and a record ``served`` of CONTENT on the server."""
    record = replace(
        known_weights.DETECTORS["mtcnn"],
        name="served",
        file="served.onnx",
        sha256=hashlib.sha256(CONTENT).hexdigest(),
        n_bytes=len(CONTENT),
        url=f"http://127.0.0.1:{server.server_port}/served.onnx",
    )
    monkeypatch.setitem(known_weights.DETECTORS, "served", record)
    monkeypatch.setenv("SCENEFER_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.delenv("SCENEFER_OFFLINE", raising=False)
    return tmp_path / "weights"


def test_pulled_weights_are_verified_and_stay(server: Server, folder: Path):
    seen: list[tuple[int, int]] = []
    path = weight_download.pull("served", lambda *count: seen.append(count))
    assert path == folder / "served.onnx"
    assert path.read_bytes() == CONTENT
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert [file.name for file in folder.iterdir()] == ["served.onnx"]
    assert weight_download.pull("served") == weight_files.verify("served") == path
    assert len(server.ranges) == 1, "a file that is here is not fetched again"


def test_a_download_goes_on_where_it_stopped(server: Server, folder: Path):
    server.stops_after = 1_500_000
    with pytest.raises(WeightsError, match=f"stopped after 1500000 of {len(CONTENT)} bytes; run the command again"):
        weight_download.pull("served")
    assert not (folder / "served.onnx").exists()
    server.stops_after = None
    assert weight_download.pull("served").read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=1500000-"]


def test_a_server_without_ranges_sends_the_whole_again(server: Server, folder: Path):
    folder.mkdir()
    (folder / "served.onnx.tmp").write_bytes(b"x" * 1000)
    server.knows_ranges = False
    assert weight_download.pull("served").read_bytes() == CONTENT


@pytest.mark.parametrize("content", [CONTENT[:-1] + b"x", CONTENT + b"more"], ids=["other", "longer"])
def test_another_file_is_refused_and_discarded(server: Server, folder: Path, content: bytes):
    server.content = content
    with pytest.raises(WeightsError, match="gave another file"):
        weight_download.pull("served")
    assert list(folder.iterdir()) == []


def test_a_refusal_of_the_server_is_one_line_that_names_the_address(server: Server, folder: Path):
    server.status = 404
    with pytest.raises(WeightsError, match=r"served\.onnx cannot be fetched: HTTP Error 404") as raised:
        weight_download.pull("served")
    assert "\n" not in str(raised.value)


def test_offline_nothing_is_asked_of_the_network(server: Server, folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SCENEFER_OFFLINE", "1")
    with pytest.raises(WeightsError, match="SCENEFER_OFFLINE=1 forbids"):
        weight_download.pull("served")
    assert server.ranges == []


def test_a_folder_that_cannot_be_made_is_named(server: Server, folder: Path):
    folder.write_text("a file where the folder should be")
    with pytest.raises(WeightsError, match="cannot be written"):
        weight_download.pull("served")


def test_a_damaged_file_is_refused_with_the_remedy(folder: Path):
    folder.mkdir()
    (folder / "served.onnx").write_bytes(b"damaged")
    with pytest.raises(WeightsError, match="delete it and run: scenefer weights pull served"):
        weight_files.verify("served")
