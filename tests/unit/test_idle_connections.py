"""A connection is closed when it owes something for too long, and never in the middle of what is ours to do."""

from __future__ import annotations

import asyncio

import pytest
from starlette.types import Receive, Scope, Send

from gateway.http.connection_watch import ConnectionLimits, Owed
from gateway.http.server import DEFAULT_LIMITS
from tests.connections import GET, Clock, Wire, answer, connect, echo, refuse, turn

IDLE_SECONDS = DEFAULT_LIMITS.seconds_for(Owed.NEXT_REQUEST)
HEAD_SECONDS = DEFAULT_LIMITS.seconds_for(Owed.HEAD)
BODY_SECONDS = DEFAULT_LIMITS.seconds_for(Owed.BODY)
READING_SECONDS = DEFAULT_LIMITS.seconds_for(Owed.READING)
POST_HEAD = b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 100000\r\n\r\n"


async def test_idle_connection_is_closed_when_its_time_is_up() -> None:
    clock = Clock()
    connection, wire = connect(echo, clock=clock)
    connection.data_received(GET)
    await turn()
    clock.advance(IDLE_SECONDS - 1)
    assert not wire.is_closed
    clock.advance(1)
    assert wire.is_closed
    # It waited for nothing: it is told nothing.
    assert len(wire.pieces) == 1
    connection.connection_lost(None)


async def test_time_begins_anew_with_each_answer() -> None:
    clock = Clock()
    connection, wire = connect(echo, clock=clock)
    for _ in range(6):
        connection.data_received(GET)
        await turn()
        clock.advance(IDLE_SECONDS * 0.6)
        assert not wire.is_closed
    assert len(wire.pieces) == 6
    clock.advance(IDLE_SECONDS * 0.4 - 1)
    assert not wire.is_closed
    clock.advance(1)
    assert wire.is_closed
    connection.connection_lost(None)


async def test_request_under_way_is_not_idle() -> None:
    goes_on = asyncio.Event()

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await goes_on.wait()
        await answer(scope, send, 200, b"")

    clock = Clock()
    connection, wire = connect(application, clock=clock)
    connection.data_received(GET)
    await turn()
    clock.advance(10 * IDLE_SECONDS)
    assert not wire.is_closed
    goes_on.set()
    await turn()
    assert len(wire.pieces) == 1
    clock.advance(IDLE_SECONDS - 1)
    assert not wire.is_closed
    clock.advance(1)
    assert wire.is_closed
    connection.connection_lost(None)


@pytest.mark.parametrize("begun", [b"", b"GET /slow HT", GET + b"GET /slow HT"])
async def test_head_that_does_not_come_is_not_waited_for(begun: bytes) -> None:
    clock = Clock()
    connection, wire = connect(echo, clock=clock)
    if begun:
        connection.data_received(begun)
    await turn()
    clock.advance(HEAD_SECONDS - 1)
    assert not wire.is_closed
    clock.advance(1)
    assert wire.is_closed
    assert wire.pieces[-1].startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert b'"code":"REQUEST_TIMEOUT"' in wire.pieces[-1]
    connection.connection_lost(None)
    assert len(clock.watch) == 0


async def test_head_that_comes_a_byte_at_a_time_gets_no_more_time() -> None:
    clock = Clock()
    connection, wire = connect(echo, clock=clock)
    for number in range(int(HEAD_SECONDS)):
        assert not wire.is_closed
        connection.data_received(GET[number : number + 1])
        clock.advance(1)
    assert wire.is_closed
    connection.connection_lost(None)


async def test_next_request_may_come_slowly_while_one_is_under_way() -> None:
    goes_on = asyncio.Event()

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await goes_on.wait()
        await answer(scope, send, 200, b"")

    clock = Clock()
    connection, wire = connect(application, clock=clock)
    connection.data_received(GET + b"GET /slow HT")
    await turn()
    for _ in range(10):
        clock.advance(HEAD_SECONDS)
    assert not wire.is_closed
    goes_on.set()
    await turn()
    assert len(wire.pieces) == 1
    clock.advance(HEAD_SECONDS)
    assert wire.is_closed
    connection.connection_lost(None)


@pytest.mark.parametrize("application", [echo, refuse])
async def test_body_that_does_not_come_is_not_waited_for(application: object) -> None:
    """Nor one that comes a byte at a time, nor one that nobody reads because its request is answered already."""
    clock = Clock()
    connection, wire = connect(application, clock=clock)  # type: ignore[arg-type]
    connection.data_received(POST_HEAD)
    await turn()
    for _ in range(int(BODY_SECONDS)):
        assert not wire.is_closed
        connection.data_received(b"x")
        clock.advance(1)
    assert wire.is_closed
    connection.connection_lost(None)
    await turn()
    assert not connection.tasks


async def test_body_that_we_do_not_read_is_not_late() -> None:
    goes_on = asyncio.Event()

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await goes_on.wait()
        await echo(scope, receive, send)

    clock = Clock()
    connection, wire = connect(application, clock=clock)
    connection.data_received(POST_HEAD + b"x" * 80_000)
    assert not wire.is_read
    for _ in range(10):
        clock.advance(BODY_SECONDS)
    assert not wire.is_closed
    goes_on.set()
    await turn()
    connection.data_received(b"x" * 20_000)
    await turn()
    assert len(wire.pieces) == 1
    connection.connection_lost(None)


async def test_body_that_comes_after_its_answer_leaves_the_connection_idle() -> None:
    clock = Clock()
    connection, wire = connect(refuse, clock=clock)
    connection.data_received(POST_HEAD)
    await turn()
    connection.data_received(b"x" * 100_000)
    clock.advance(IDLE_SECONDS - 1)
    assert not wire.is_closed
    clock.advance(1)
    assert wire.is_closed
    connection.connection_lost(None)


async def test_answer_that_is_not_read_is_not_kept() -> None:
    clock = Clock()
    connection, wire = connect(echo, clock=clock)
    connection.pause_writing()
    connection.data_received(GET)
    await turn()
    clock.advance(READING_SECONDS - 1)
    assert not wire.is_closed
    connection.resume_writing()
    await turn()
    connection.pause_writing()
    clock.advance(READING_SECONDS - 1)
    assert not wire.is_closed
    clock.advance(1)
    assert wire.is_aborted
    connection.connection_lost(None)


async def test_idle_connections_make_room_for_new_ones_then_those_that_are_late() -> None:
    goes_on = asyncio.Event()

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/slow":
            await goes_on.wait()
        await answer(scope, send, 200, b"")

    clock = Clock(ConnectionLimits(connections_max=3))
    opened: list[tuple[object, Wire]] = [connect(application, clock=clock) for _ in range(3)]
    connections = [connection for connection, _ in opened]
    wires = [wire for _, wire in opened]
    slow = b"GET /slow HTTP/1.1\r\nHost: here\r\n\r\n"
    for connection, asked in zip(connections, (slow, b"GET /", GET), strict=True):
        clock.advance(1)
        connection.data_received(asked)  # type: ignore[attr-defined]
    await turn()
    for closed in ([False, False, True], [False, True, True]):
        connection, wire = connect(application, clock=clock)
        assert not wire.is_closed
        connection.data_received(slow)
        assert [wire.is_closed for wire in wires] == closed
        assert len(clock.watch) == 3
    # All have a request under way: none is given up for a new connection.
    _, refused = connect(application, clock=clock)
    assert refused.is_closed
    assert refused.pieces[0].startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
    assert b"retry-after: 1\r\n" in refused.pieces[0]
    assert len(clock.watch) == 3
    goes_on.set()
    await turn()


@pytest.mark.parametrize("reason", [None, ConnectionResetError()])
async def test_connection_that_has_gone_is_watched_no_longer(reason: Exception | None) -> None:
    """The watch would keep it in memory."""
    clock = Clock()
    connection, _ = connect(echo, clock=clock)
    connection.data_received(GET)
    await turn()
    assert len(clock.watch) == 1
    connection.connection_lost(reason)
    assert len(clock.watch) == 0


@pytest.mark.parametrize("is_idle", [True, False])
async def test_connection_ends_with_the_server(is_idle: bool) -> None:
    connection, wire = connect(echo)
    connection.data_received(GET)
    if is_idle:
        await turn()
    else:
        await asyncio.sleep(0)
    connection.shutdown()
    assert wire.is_closed == is_idle
    await turn()
    assert wire.is_closed
    assert (b"connection: close" in b"".join(wire.pieces)) != is_idle
    connection.connection_lost(None)
