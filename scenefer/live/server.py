"""The page of a session, for browsers of this machine alone.

It listens on the loopback address, answers to that name alone (a page of elsewhere whose name leads here, DNS
rebinding, is refused), to no page of another origin, and only under an address with a token that is new each time.
A viewer gets the latest picture whenever it can take one; one that stalls gets none, and holds nobody up.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import socket
import threading
from collections.abc import AsyncIterator
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from scenefer.core.errors import PlanError
from scenefer.live import page

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

    from scenefer.live.session import Session

HOST = "127.0.0.1"
MOST_VIEWERS = 8
MISSING = "the page needs starlette and uvicorn: pip install 'scenefer[live]'; or leave it out: --no-page"
_PARTS = {
    "": ("page.html", "text/html"),
    "page.js": ("page.js", "text/javascript"),
    "page.css": ("page.css", "text/css"),
}
_QUIET = 1.0  # seconds without a picture after which viewers are told how the session goes
_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "cache-control": "no-store",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",  # the address holds the token
    "x-content-type-options": "nosniff",
}


class Gate:
    """Refuses who does not know the token, or comes from elsewhere."""

    def __init__(self, app: ASGIApp, *, hosts: frozenset[str], token: str) -> None:
        self._app, self._hosts, self._token = app, hosts, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer that it may not be answered."""
        if scope["type"] == "websocket":
            return  # closed: there is none
        why = self._why_not(scope) if scope["type"] == "http" else None
        if why is None:
            await self._app(scope, receive, send)
            return
        from starlette.responses import PlainTextResponse

        await PlainTextResponse(why, 403, _HEADERS)(scope, receive, send)

    def _why_not(self, scope: Scope) -> str | None:
        given = [(name.lower(), value.decode("latin-1").lower()) for name, value in scope["headers"]]
        hosts = [value for name, value in given if name == b"host"]
        if len(hosts) != 1 or hosts[0] not in self._hosts:
            return "this page answers to the address of this machine alone"
        origins = {value for name, value in given if name == b"origin"}
        sites = {value for name, value in given if name == b"sec-fetch-site"}
        if not origins <= {f"http://{hosts[0]}"} or not sites <= {"same-origin", "none"}:
            return "this page answers to no other page"
        token = f"{scope['path']}/".split("/")[1]  # the path of OPTIONS may be *
        if not secrets.compare_digest(token.encode(), self._token.encode()):
            return "the address is not the one that scenefer live printed; each session has its own"
        return None


class Viewers:
    """Sends the latest picture to whoever looks, encoded once for all of them."""

    def __init__(self, session: Session, about: Any) -> None:
        self._session, self._about = session, about
        self._news = asyncio.Event()
        self._encoding = asyncio.Lock()
        self._message: tuple[int, str] = (0, "")  # of the version that is encoded
        self.n = 0

    def listen(self) -> None:
        """Hear of new pictures; called in the loop that serves."""
        loop = asyncio.get_running_loop()

        def tell() -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._wake)

        self._session.board.listen(tell)

    async def events(self, _request: Request) -> Response:
        """Answer with a stream of events, one a picture; who comes when all places are taken is told so."""
        from starlette.responses import Response, StreamingResponse

        if self.n >= MOST_VIEWERS:  # as an event: of an answer with an error, a page is given no content
            full = _event("full", json.dumps(self._about["words"]["full"]))
            return Response(full, media_type="text/event-stream", headers=_HEADERS)
        return StreamingResponse(self._stream(), media_type="text/event-stream", headers=_HEADERS)

    async def _stream(self) -> AsyncIterator[str]:
        board, seen = self._session.board, 0
        self.n += 1
        try:
            yield _event("about", json.dumps(self._about))
            while True:
                # Taken before the look, so that what comes in between is heard, and is shown before the end.
                news, ended = self._news, board.ended
                if board.version > seen:
                    seen, message = await self._latest()
                    yield message
                elif ended:
                    yield _event("state", json.dumps(page.state(self._session)))
                    return
                else:
                    try:
                        await asyncio.wait_for(news.wait(), _QUIET)
                    except TimeoutError:
                        yield _event("state", json.dumps(page.state(self._session)))
        finally:
            self.n -= 1

    async def _latest(self) -> tuple[int, str]:
        async with self._encoding:
            board = self._session.board
            if self._message[0] != board.version and board.item is not None:
                version, view = board.version, board.item
                self._message = (version, _event("view", json.dumps(await asyncio.to_thread(page.told, view))))
            return self._message

    def _wake(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()


class PageServer:
    """Serves the page in a thread of its own, from when it is made until it is closed.

    Args:
        about: what the page is told once, ``page.about``.
        port: 0 takes any that is free.

    Raises:
        PlanError: starlette or uvicorn is not installed, or the port is taken.
    """

    def __init__(self, session: Session, about: Any, port: int = 0) -> None:
        require_installed()
        import uvicorn

        self._socket = _listening(port)
        port = self._socket.getsockname()[1]
        self.token = secrets.token_urlsafe(16)
        self.address = f"http://{HOST}:{port}/{self.token}/"
        self.viewers: Viewers | None = None
        app = self._app(session, about, _hosts(port))
        self._server = uvicorn.Server(
            uvicorn.Config(
                app, log_config=None, access_log=False, lifespan="on", ws="none", timeout_graceful_shutdown=1,
                server_header=False, limit_concurrency=4 * MOST_VIEWERS,
            )
        )  # fmt: skip
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, name="serve", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Send the viewers away and free the port."""
        self._server.should_exit = True
        self._thread.join(5)
        self._socket.close()

    def _app(self, session: Session, about: Any, hosts: frozenset[str]) -> Starlette:
        from contextlib import asynccontextmanager

        from starlette.applications import Starlette
        from starlette.middleware import Middleware
        from starlette.responses import Response
        from starlette.routing import Route

        @asynccontextmanager
        async def lifespan(_app: Starlette) -> AsyncIterator[None]:
            self.viewers = Viewers(session, about)
            self.viewers.listen()
            yield

        async def part(request: Request) -> Response:
            name, kind = _PARTS[request.url.path.rpartition("/")[2]]
            content = files("scenefer.live").joinpath(name).read_text(encoding="utf-8")
            return Response(content, media_type=kind, headers=_HEADERS)

        async def events(request: Request) -> Response:
            assert self.viewers is not None  # made before the first request is answered
            return await self.viewers.events(request)

        routes = [*(Route("/{token}/" + name, part) for name in _PARTS), Route("/{token}/events", events)]
        return Starlette(routes=routes, lifespan=lifespan, middleware=[Middleware(Gate, hosts=hosts, token=self.token)])


def require_installed() -> None:
    """Refuse to serve without the extra ``live``.

    Raises:
        PlanError: it is not installed.
    """
    try:
        import starlette
        import uvicorn  # noqa: F401 - whether it is there

        del starlette
    except ImportError as error:
        raise PlanError(MISSING) from error


def _hosts(port: int) -> frozenset[str]:
    """Name the server as browsers do, which leave out the port where it is that of HTTP."""
    names = (HOST, "localhost")
    return frozenset({f"{name}:{port}" for name in names} | (set(names) if port == 80 else set()))


def _listening(port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if os.name == "posix":  # elsewhere it would let another program listen beside us
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((HOST, port))
        listening.listen()  # who comes before the server has begun waits for it
    except OSError as error:
        listening.close()
        raise PlanError(f"--port {port} cannot be used: {error.strerror}; choose another, or leave it out") from error
    return listening


def _event(kind: str, content: str) -> str:
    return f"event: {kind}\ndata: {content}\n\n"
