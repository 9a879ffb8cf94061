"""The page: for this machine alone, for several viewers, held up by none."""

from __future__ import annotations

import asyncio
import base64
import json
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip("uvicorn")

from scenefer.core.errors import PlanError
from scenefer.core.language import Language
from scenefer.live import server
from scenefer.live.meter import Pace
from scenefer.live.page import about
from scenefer.live.reading import Face
from scenefer.live.server import MOST_VIEWERS, Gate, PageServer, Viewers
from scenefer.live.session import Session, View
from scenefer.live.slot import Board
from tests.live.scenes import RATE, Camera, reader

HAPPY = np.array([0, 0, 0, 0.6, 0, 0, 0.4])


def view(number: int, *, size: tuple[int, int] = (720, 1280), noise: bool = False) -> View:
    """A grey picture whose brightness is its number, with a face; noise makes it large."""
    pixels = np.full((*size, 3), number % 200, np.uint8)
    if noise:
        pixels = np.random.default_rng(number).integers(0, 255, (*size, 3), dtype=np.uint8)
    face = Face(3, (128.0, 72.0, 256.0, 216.0), (0.1, 0, 0, 0.8, 0, 0, 0.1), None)
    return View(number, number / 10, pixels, (face,), HAPPY, 4.0, 0.25, Pace(9.96, 9.96, 0.0834, 0.12), 7)


@dataclass
class Served:
    session: Session
    page: PageServer

    @property
    def port(self) -> int:
        return int(self.page.address.split(":")[2].split("/")[0])

    @property
    def path(self) -> str:
        return f"/{self.page.token}/"


@pytest.fixture
def served() -> Iterator[Served]:
    session = Session(Camera([]), reader(), RATE, intended=HAPPY)
    page = PageServer(session, about("camera 0", HAPPY, "happy:0.6;neutral:0.4", None, Language("id")))
    yield Served(session, page)
    session.board.end()
    page.close()


def asked(served: Served, path: str, method: str = "GET", **headers: str) -> socket.socket:
    """Ask for a path, and leave the answer in the socket."""
    given = {"Host": f"127.0.0.1:{served.port}", **{name.replace("_", "-"): value for name, value in headers.items()}}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items()), "", ""]
    connection = socket.create_connection(("127.0.0.1", served.port), timeout=30)
    connection.sendall("\r\n".join(lines).encode())
    return connection


def answer(served: Served, path: str, **headers: str) -> tuple[int, str]:
    """Ask for a path; return the status and the text of the answer."""
    with asked(served, path, Connection="close", **headers) as connection:
        received = b""
        while part := connection.recv(65_536):
            received += part
    head, _, body = received.decode().partition("\r\n\r\n")
    return int(head.split()[1]), head + body


def events(connection: socket.socket) -> Iterator[tuple[str, Any]]:
    """Yield what a stream of events says."""
    with connection.makefile("rb") as lines:
        kind = ""
        for line in lines:
            if line.startswith(b"event: "):
                kind = line[7:].decode().strip()
            elif line.startswith(b"data: "):
                yield kind, json.loads(line[6:])


def seen_of(stream: Iterator[tuple[str, Any]]) -> Iterator[Any]:
    return (told for kind, told in stream if kind == "view")


def test_a_viewer_is_told_what_does_not_change_then_each_picture(served: Served):
    with asked(served, served.path + "events") as connection:
        stream = events(connection)
        kind, told = next(stream)
        assert (kind, told["name"], told["words"]["seen"]) == ("about", "camera 0", "Siapa yang terlihat")
        assert [emotion["intended"] for emotion in told["emotions"]] == HAPPY.tolist()
        served.session.board.put(view(1))
        shown = next(seen_of(stream))
        assert shown["faces"] == [
            {
                "number": 3,
                "box": [0.1, 0.1, 0.2, 0.3],
                "emotion": 3,
                "probabilities": [0.1, 0, 0, 0.8, 0, 0, 0.1],
                "why": None,
            }
        ]
        assert (shown["rate"], shown["delay"], shown["dropped"], shown["misplaced"]) == (10.0, 83, 7, 0.25)
        picture = cv2.imdecode(np.frombuffer(base64.b64decode(shown["picture"]), np.uint8), cv2.IMREAD_COLOR)
        assert picture is not None
        assert picture.shape == (360, 640, 3)
        served.session.board.end()
        assert next(stream) == ("state", {"quiet": 0, "ended": True, "error": None})
        assert list(stream) == []


def test_two_viewers_see_the_same_pictures(served: Served):
    with asked(served, served.path + "events") as one, asked(served, served.path + "events") as other:
        streams = [seen_of(events(connection)) for connection in (one, other)]
        for number in (1, 2, 3):
            served.session.board.put(view(number))
            assert [next(stream)["number"] for stream in streams] == [number, number]


def test_a_viewer_that_stalls_holds_up_neither_the_others_nor_who_writes(served: Served):
    stalled = asked(served, served.path + "events")
    with stalled, asked(served, served.path + "events") as quick:
        stream = seen_of(events(quick))
        longest = 0.0
        for number in range(1, 61):  # 60 pictures of 300 kB, more than buffers hold
            began = time.monotonic()
            served.session.board.put(view(number, noise=True))
            longest = max(longest, time.monotonic() - began)
            assert next(stream)["number"] == number
        assert longest < 0.25
        late = seen_of(events(stalled))
        numbers = [next(late)["number"]]
        while numbers[-1] < 60:
            numbers.append(next(late)["number"])
        assert len(numbers) < 60, "what it could not take is left out"


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/", {}),
        ("/wrong/", {}),
        ("/wrong/events", {}),
        ("{path}", {"Host": "evil.example"}),
        ("{path}", {"Host": "evil.example:80"}),
        ("{path}events", {"Host": "[::1]:80"}),
        ("{path}events", {"Origin": "http://evil.example"}),
        ("{path}events", {"Origin": "null"}),
        ("{path}events", {"Sec_Fetch_Site": "cross-site"}),
        ("{path}events", {"Sec_Fetch_Site": "same-site"}),
    ],
)
def test_who_is_not_of_this_session_is_refused(served: Served, path: str, headers: dict[str, str]):
    status, said = answer(served, path.format(path=served.path), **headers)
    assert status == 403
    assert served.page.token not in said
    assert "access-control" not in said.lower()


def test_a_request_of_no_path_is_refused_too(served: Served):
    with asked(served, "*", method="OPTIONS", Connection="close") as connection:
        assert connection.recv(65_536).startswith(b"HTTP/1.1 403 ")


def test_a_browser_leaves_out_the_port_of_http():
    async def nothing(*_: object) -> None: ...

    def why_not(port: int, host: bytes) -> str | None:
        gate = Gate(nothing, hosts=server._hosts(port), token="t")
        headers = [(b"host", host), (b"origin", b"http://" + host)]
        return gate._why_not({"type": "http", "path": "/t/", "headers": headers})

    assert (why_not(80, b"localhost"), why_not(80, b"127.0.0.1"), why_not(80, b"127.0.0.1:80")) == (None, None, None)
    assert why_not(8080, b"localhost:8080") is None
    assert why_not(8080, b"localhost") is not None
    assert why_not(80, b"evil.example") is not None


class EndsMeanwhile(Board[View]):
    """A board that gets its last picture, and its end, between two looks at it."""

    @property
    def version(self) -> int:
        seen, self._looked = self._version, getattr(self, "_looked", 0) + 1
        if self._looked == 1:
            self._version, self.item, self.ended = 1, view(1), True
        return seen

    @version.setter
    def version(self, version: int) -> None:
        self._version = version


def test_the_last_picture_is_shown_though_the_end_comes_with_it():
    session = Session(Camera([]), reader(), RATE)
    session.board = EndsMeanwhile()

    async def told() -> list[str]:
        return [said.splitlines()[0] async for said in Viewers(session, {})._stream()]

    assert [kind for kind in asyncio.run(told()) if "state" not in kind] == ["event: about", "event: view"]


def test_the_page_and_its_parts_are_given_to_who_knows_the_address(served: Served):
    for name, kind in (("", "text/html"), ("page.js", "text/javascript"), ("page.css", "text/css")):
        status, said = answer(served, served.path + name, Origin=f"http://127.0.0.1:{served.port}")
        assert status == 200
        assert f"content-type: {kind}" in said
        assert "default-src 'none'" in said
        assert "no-referrer" in said
    assert answer(served, served.path, Host=f"localhost:{served.port}")[0] == 200
    assert answer(served, served.path + "server.py")[0] == 404
    assert answer(served, served.path + "../server.py")[0] in (403, 404)


def test_it_listens_on_this_machine_alone(served: Served):
    assert served.page._socket.getsockname()[0] == "127.0.0.1"
    other = PageServer(served.session, {})
    assert other.token != served.page.token
    other.close()


def test_there_are_so_many_viewers_and_no_more(served: Served):
    connections = [asked(served, served.path + "events") for _ in range(MOST_VIEWERS)]
    for connection in connections:
        assert next(events(connection))[0] == "about"
    with asked(served, served.path + "events") as ninth:
        assert list(events(ninth)) == [
            ("full", "Terlalu banyak jendela menampilkan sesi ini; tutup salah satu, lalu muat ulang halaman ini")
        ]
    for connection in connections:
        connection.close()
    end = time.monotonic() + 30
    while served.page.viewers is None or served.page.viewers.n:
        assert time.monotonic() < end, "who has left is counted"
        time.sleep(0.05)


def test_a_port_that_is_taken_is_said(served: Served):
    with pytest.raises(PlanError, match=f"--port {served.port} cannot be used"):
        PageServer(served.session, {}, served.port)


def test_without_the_extra_one_line_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch):
    import sys

    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(PlanError, match=r"pip install 'scenefer\[live\]'"):
        server.require_installed()


@pytest.mark.skipif(not Path("/usr/bin/chromium").exists(), reason="no Chromium")
def test_the_page_in_a_browser(served: Served):
    sync_api = pytest.importorskip("playwright.sync_api")
    options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=options)
        page = browser.new_page()
        wrong: list[str] = []
        page.on("console", lambda message: wrong.append(message.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(served.page.address)
        served.session.board.put(view(1))
        page.wait_for_selector("#boxes text")
        assert page.text_content("#boxes text") == "3 senang 80%"
        assert page.get_attribute("#boxes rect.face", "x") == "64"
        assert page.inner_text("#apart") == "25% tidak sesuai dengan maksud"
        assert page.inner_text("#bars li:nth-child(4) b") == "60%"
        assert "terlambat 83 ms" in page.inner_text("#pace")
        assert page.evaluate("document.querySelector('#picture').naturalWidth") == 640
        others = [asked(served, served.path + "events") for _ in range(MOST_VIEWERS - 1)]
        for other in others:
            assert next(events(other))[0] == "about"
        ninth = browser.new_page()
        ninth.goto(served.page.address)
        ninth.get_by_text("Terlalu banyak jendela").wait_for()
        for other in others:
            other.close()
        served.session.board.end()
        page.get_by_text("Sesi telah berakhir").wait_for()
        assert wrong == []
        browser.close()
