"""A connection is closed when it has been idle for as long as it may, and never in the middle of something."""

from __future__ import annotations

import asyncio

import pytest
from starlette.types import Receive, Scope, Send

from tests.connections import GET, IDLE_SECONDS, Clock, answer, connect, echo, turn


async def test_idle_connection_is_closed_when_its_time_is_up() -> None:
    clock = Clock()
    connection, wire = connect(echo, clock=clock)
    connection.data_received(GET)
    await turn()
    clock.advance(IDLE_SECONDS - 1)
    assert not wire.is_closed
    clock.advance(1)
    assert wire.is_closed
    connection.connection_lost(None)


async def test_time_begins_anew_with_each_answer() -> None:
    clock = Clock()
    connection, wire = connect(echo, clock=clock)
    for _ in range(6):
        connection.data_received(GET)
        await turn()
        clock.advance(IDLE_SECONDS * 0.6)
        assert not wire.is_closed
        assert len(clock.timers) == 1
    assert len(wire.pieces) == 6
    clock.advance(IDLE_SECONDS * 0.4 - 1)
    assert not wire.is_closed
    clock.advance(1)
    assert wire.is_closed
    connection.connection_lost(None)


async def test_request_under_way_is_not_idle() -> None:
    """Nor is one of which a part has come; after its answer the connection has its time again."""
    goes_on = asyncio.Event()

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/slow":
            await goes_on.wait()
        await answer(scope, send, 200, b"")

    clock = Clock()
    connection, wire = connect(application, clock=clock)
    connection.data_received(GET)
    await turn()
    connection.data_received(b"GET /slow HT")
    clock.advance(2 * IDLE_SECONDS)
    connection.data_received(b"TP/1.1\r\nHost: here\r\n\r\n")
    await turn()
    clock.advance(2 * IDLE_SECONDS)
    assert not wire.is_closed
    goes_on.set()
    await turn()
    assert len(wire.pieces) == 2
    clock.advance(IDLE_SECONDS - 1)
    assert not wire.is_closed
    clock.advance(1)
    assert wire.is_closed
    connection.connection_lost(None)


@pytest.mark.parametrize("reason", [None, ConnectionResetError()])
async def test_connection_that_has_gone_is_watched_no_longer(reason: Exception | None) -> None:
    """Its timer would keep it in memory."""
    connection, _ = connect(echo)
    connection.data_received(GET)
    await turn()
    timer = connection.timeout_keep_alive_task
    assert timer is not None
    connection.connection_lost(reason)
    assert timer.cancelled()
    assert connection.timeout_keep_alive_task is None


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
