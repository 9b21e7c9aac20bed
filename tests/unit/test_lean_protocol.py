"""Answers sent whole are, byte for byte, what uvicorn makes of the same answer in two messages."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gateway.http.answers import whole_answer
from gateway.http.server import make_server
from tests.connections import GET, answer, connect, echo, hang_on, refuse, turn

BODY = b"x" * 70_000
POST = b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: %d\r\n\r\n%b" % (len(BODY), BODY)
CHUNKED = (
    b"POST / HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n"
)
EXPECTING = b"POST / HTTP/1.1\r\nHost: here\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc"
OLD = b"GET / HTTP/1.0\r\n\r\n"
OLD_THAT_STAYS = b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
LAST = b"GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize("application", [echo, refuse, hang_on])
@pytest.mark.parametrize(
    "arriving",
    [
        [GET],
        [POST],
        [CHUNKED],
        [bytes([byte]) for byte in CHUNKED],
        [EXPECTING],
        [EXPECTING[:-3], EXPECTING[-3:]],
        [b"HEAD / HTTP/1.1\r\nHost: here\r\n\r\n", GET],
        [OLD],
        [OLD_THAT_STAYS],
        [LAST],
        [GET, GET, POST, GET],
        [GET + GET.replace(b"/a%20b", b"/") + GET],
        [GET + LAST],
        [b"nonsense\r\n\r\n"],
        [b"GET / HTTP/1.1\r\nHost: here\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"],
    ],
)
async def test_bytes_are_those_of_uvicorn(application: ASGIApp, arriving: list[bytes]) -> None:
    written = []
    for protocol in (HttpToolsProtocol, None):
        connection, wire = connect(application, protocol)
        for piece in arriving:
            if not wire.is_closed:
                connection.data_received(piece)
            await turn()
        assert not connection.tasks
        written.append((b"".join(wire.pieces), wire.is_closed, wire.is_read))
        connection.connection_lost(None)
    uvicorns, ours = written
    assert uvicorns[0]
    assert ours == uvicorns


async def test_whole_answer_is_one_piece() -> None:
    connection, wire = connect(echo)
    connection.data_received(GET)
    await turn()
    [piece] = wire.pieces
    assert piece.startswith(b"HTTP/1.1 200 OK\r\ndate: Thu, 01 Jan 1970 00:00:00 GMT\r\n")
    assert piece.endswith(b"\r\n\r\nGET /a b ")
    connection.connection_lost(None)


async def test_nothing_is_written_to_a_client_that_has_gone() -> None:
    connection, wire = connect(echo)
    connection.data_received(GET)
    await asyncio.sleep(0)
    connection.connection_lost(ConnectionResetError())
    await turn()
    assert wire.pieces == []
    assert not connection.tasks


async def test_answer_waits_while_the_client_does_not_read() -> None:
    connection, wire = connect(echo)
    connection.pause_writing()
    connection.data_received(GET)
    await turn()
    assert wire.pieces == []
    connection.resume_writing()
    await turn()
    assert len(wire.pieces) == 1
    connection.connection_lost(None)


async def test_client_that_goes_while_its_answer_waits_gets_none() -> None:
    connection, wire = connect(echo)
    connection.pause_writing()
    connection.data_received(GET)
    await turn()
    connection.connection_lost(ConnectionResetError())
    await turn()
    assert wire.pieces == []
    assert not connection.tasks


@pytest.mark.parametrize(
    "messages",
    [
        [
            {"type": "http.response.start", "status": 200, "headers": []},
            whole_answer(200, b"content-length: 0\r\n", b""),
        ],
        [whole_answer(200, b"content-length: 0\r\n", b"")] * 2,
        [
            whole_answer(200, b"content-length: 0\r\n", b""),
            {"type": "http.response.body", "body": b""},
        ],
    ],
)
async def test_nothing_follows_what_was_sent(
    messages: list[Message], caplog: pytest.LogCaptureFixture
) -> None:
    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        for message in messages:
            await send(message)

    connection, wire = connect(application)
    with caplog.at_level(logging.ERROR, "uvicorn.error"):
        connection.data_received(GET)
        await turn()
    [logged] = caplog.records
    assert logged.exc_info is not None
    assert isinstance(logged.exc_info[1], RuntimeError)
    assert len(wire.pieces) == 1
    assert wire.is_closed
    connection.connection_lost(None)


async def test_application_that_fails_gets_uvicorns_answer(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        raise OSError("no database")

    connection, wire = connect(application)
    with caplog.at_level(logging.ERROR, "uvicorn.error"):
        connection.data_received(GET)
        await turn()
    assert b"".join(wire.pieces).startswith(b"HTTP/1.1 500 ")
    assert wire.is_closed
    connection.connection_lost(None)


async def test_requests_are_counted() -> None:
    connection, _ = connect(echo)
    for _ in range(3):
        connection.data_received(GET + GET)
        await turn()
    assert connection.server_state.total_requests == 6
    connection.connection_lost(None)


@pytest.mark.parametrize("make_pieces", [lambda body: [body], lambda body: cut(body, 10_000)])
async def test_answers_reach_clients_complete_and_in_order(
    make_pieces: Callable[[bytes], list[bytes]],
) -> None:
    """A large answer on a real connection, to a client that reads slowly and asks twice."""
    body = bytes(range(256)) * 4_096
    pieces = make_pieces(body)

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            for _ in range(2):
                await send({"type": f"{(await receive())['type']}.complete"})
            return
        if len(pieces) == 1:
            await answer(scope, send, 200, body)
            return
        headers = [(b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for piece in pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    listener = socket.create_server(("127.0.0.1", 0))
    server = make_server(application)
    serving = asyncio.create_task(server._serve([listener]))
    try:
        reader, writer = await asyncio.open_connection(*listener.getsockname(), limit=4_096)
        for _ in range(2):
            writer.write(GET)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200")
            received = b""
            while len(received) < len(body):
                received += await reader.read(3_000)
                await asyncio.sleep(0)
            assert received == body
        writer.close()
        await writer.wait_closed()
    finally:
        server.should_exit = True
        await serving


def cut(body: bytes, size: int) -> list[bytes]:
    return [body[start : start + size] for start in range(0, len(body), size)]
