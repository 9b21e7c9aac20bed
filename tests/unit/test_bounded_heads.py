"""What a request brings beside its body has a bound: nobody fills the process with a head, or with trailers, that never end."""

from __future__ import annotations

import pytest
from starlette.types import Receive, Scope, Send

from gateway.http.watched_protocol import HEAD_BYTES_MAX
from tests.connections import GET, Clock, answer, connect, turn

REFUSED = b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n"
# As much at a time as comes from a slow network.
PIECE_BYTES = 4_096
PIECES = 2 * HEAD_BYTES_MAX // PIECE_BYTES


async def read_whole(scope: Scope, receive: Receive, send: Send) -> None:
    while (await receive()).get("more_body"):
        pass
    await answer(scope, send, 200, b"read")


@pytest.mark.parametrize(
    ("begun", "piece"),
    [
        (b"GET /", b"a" * PIECE_BYTES),
        (b"GET / HTTP/1.1\r\nX: ", b"a" * PIECE_BYTES),
        (b"GET / HTTP/1.1\r\n", b"x: y\r\n" * (PIECE_BYTES // 6)),
        (CHUNKED + b"1\r\na\r\n0\r\n", b"x: y\r\n" * (PIECE_BYTES // 6)),
        (CHUNKED, b"1\r\na\r\n" * (PIECE_BYTES // 6)),
    ],
)
async def test_head_and_trailers_without_end_are_refused(begun: bytes, piece: bytes) -> None:
    clock = Clock()
    connection, wire = connect(read_whole, clock=clock)
    connection.data_received(begun)
    for _ in range(PIECES):
        if not wire.is_closed:
            connection.data_received(piece)
            await turn()
    assert wire.is_closed
    assert wire.pieces[-1].startswith(REFUSED)
    assert len(wire.pieces) == 1
    connection.connection_lost(None)


async def test_bodies_and_heads_of_many_requests_do_not_add_up() -> None:
    clock = Clock()
    connection, wire = connect(read_whole, clock=clock)
    body = (b"%x\r\n" % PIECE_BYTES) + b"a" * PIECE_BYTES + b"\r\n"
    for piece in (CHUNKED, *[body] * PIECES, b"0\r\n\r\n"):
        connection.data_received(piece)
        await turn()
    for _ in range(PIECES):
        connection.data_received(GET.replace(b"\r\n\r\n", b"\r\nX: " + b"a" * PIECE_BYTES))
        connection.data_received(b"\r\n\r\n")
        await turn()
    assert not wire.is_closed
    assert len(wire.pieces) == 1 + PIECES
    connection.connection_lost(None)


async def test_answer_under_way_is_not_mixed_with_a_refusal() -> None:
    async def begin(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await read_whole(scope, receive, send)

    clock = Clock()
    connection, wire = connect(begin, clock=clock)
    connection.data_received(CHUNKED + b"1\r\na\r\n0\r\n")
    await turn()
    for _ in range(PIECES):
        if not wire.is_closed:
            connection.data_received(b"x: y\r\n" * (PIECE_BYTES // 6))
    assert wire.is_closed
    assert not any(piece.startswith(REFUSED) for piece in wire.pieces)
    connection.connection_lost(None)


async def test_next_head_without_end_waits_for_no_answer_of_its_own() -> None:
    async def never(_: Scope, receive: Receive, __: Send) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    clock = Clock()
    connection, wire = connect(never, clock=clock)
    connection.data_received(GET + b"GET / HTTP/1.1\r\nX: ")
    await turn()
    for _ in range(PIECES):
        if not wire.is_closed:
            connection.data_received(b"a" * PIECE_BYTES)
    assert wire.is_closed
    assert not wire.pieces
    connection.connection_lost(None)
