"""Connections of the HTTP protocol without a network: what is written, and a clock that the test sets."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gateway.http.answers import takes_whole_answers, whole_answer
from gateway.http.connection_watch import ConnectionLimits, ConnectionWatch
from gateway.http.lean_protocol import LeanHttpProtocol
from gateway.http.server import DEFAULT_LIMITS, make_server

GET = b"GET /a%20b?c=d HTTP/1.1\r\nHost: here\r\n\r\n"


class Wire(asyncio.Transport):
    """A transport that remembers what it was told."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)})
        self.pieces: list[bytes] = []
        self.is_closed = False
        self.is_aborted = False
        self.is_read = True

    def write(self, data: Any) -> None:
        assert not self.is_closed
        self.pieces.append(bytes(data))

    def close(self) -> None:
        self.is_closed = True

    def abort(self) -> None:
        self.is_closed = self.is_aborted = True

    def is_closing(self) -> bool:
        return self.is_closed

    def pause_reading(self) -> None:
        self.is_read = False

    def resume_reading(self) -> None:
        self.is_read = True


class Clock:
    """A time that the test sets, and the watch that goes by it."""

    def __init__(self, limits: ConnectionLimits = DEFAULT_LIMITS) -> None:
        self.now = 0.0
        self.watch = ConnectionWatch(limits, lambda: self.now)

    def advance(self, seconds: float) -> None:
        """Let time pass, and sweep as the server does."""
        self.now += seconds
        self.watch.sweep()


async def answer(scope: Scope, send: Send, status: int, body: bytes) -> None:
    """Answer whole where that is possible, else in ASGI's two messages."""
    headers = [(b"Content-Type", b"text/plain"), (b"content-length", b"%d" % len(body))]
    if takes_whole_answers(scope):
        lines = b"".join(b"%b: %b\r\n" % (name.lower(), value) for name, value in headers)
        await send(whole_answer(status, lines, body))
    else:
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


async def read_body(receive: Receive) -> bytes:
    body = b""
    while (message := await receive()).get("more_body", False):
        body += message["body"]
    return body + bytes(message.get("body", b""))


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Say what was asked; the first of two requests takes longer than the second."""
    body = await read_body(receive)
    for _ in range(3 if scope["path"] == "/" else 30):
        await asyncio.sleep(0)
    said = b"%b %b %b" % (scope["method"].encode(), scope["path"].encode(), body)
    await answer(scope, send, 200, said)


async def hang_on(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer while a task waits for the client to go; the end of the answer wakes it too."""
    await read_body(receive)
    waiting = asyncio.ensure_future(receive())
    await asyncio.sleep(0)
    await answer(scope, send, 200, b"hello")
    assert (await waiting)["type"] == "http.disconnect"


async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer without having read the body, which is not to be had afterwards."""
    await answer(scope, send, 405, b"no")
    assert (await receive())["type"] == "http.disconnect"


def connect(
    application: ASGIApp,
    protocol: type[HttpToolsProtocol] | None = None,
    clock: Clock | None = None,
) -> tuple[HttpToolsProtocol, Wire]:
    """Open a connection to an application that nobody serves but the protocol: ours, watched by a clock, if none is given."""
    server = make_server(application)
    server.config.load()
    server.server_state.default_headers = [(b"date", b"Thu, 01 Jan 1970 00:00:00 GMT")]
    make = protocol or partial(LeanHttpProtocol, watch=(clock or Clock()).watch)
    connection = make(
        config=server.config,
        server_state=server.server_state,
        app_state={},
        _loop=asyncio.get_running_loop(),
    )
    wire = Wire()
    connection.connection_made(wire)
    return connection, wire


async def turn(count: int = 200) -> None:
    """Let the event loop go round until all that can happen has."""
    for _ in range(count):
        await asyncio.sleep(0)
