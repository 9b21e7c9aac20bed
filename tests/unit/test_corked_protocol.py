"""What is written in one turn of the event loop is sent as one piece, in order, and nothing is lost at the end."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

from gateway.http.corked_protocol import CorkedHttpProtocol, CorkedTransport
from gateway.http.server import make_server


class Recorder(asyncio.Transport):
    """A transport that remembers what it was told."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1)})
        self.pieces: list[bytes] = []
        self.is_closed = False

    def write(self, data: Any) -> None:
        assert not self.is_closed
        self.pieces.append(bytes(data))

    def close(self) -> None:
        self.is_closed = True

    def is_closing(self) -> bool:
        return self.is_closed


async def test_pieces_of_one_turn_are_sent_together() -> None:
    recorder = Recorder()
    corked = CorkedTransport(recorder)
    corked.write(b"head")
    corked.write(b"body")
    assert recorder.pieces == []
    await asyncio.sleep(0)
    assert recorder.pieces == [b"headbody"]


async def test_pieces_of_several_turns_are_sent_in_order() -> None:
    recorder = Recorder()
    corked = CorkedTransport(recorder)
    for piece in (b"one", b"two", b"three"):
        corked.write(piece)
        await asyncio.sleep(0)
    assert recorder.pieces == [b"one", b"two", b"three"]


async def test_closing_sends_what_was_written_before() -> None:
    recorder = Recorder()
    corked = CorkedTransport(recorder)
    corked.write(b"last words")
    corked.close()
    assert recorder.pieces == [b"last words"]
    assert recorder.is_closed
    await asyncio.sleep(0)
    assert recorder.pieces == [b"last words"]


async def test_nothing_is_written_to_a_client_that_has_gone() -> None:
    recorder = Recorder()
    corked = CorkedTransport(recorder)
    corked.write(b"too late")
    recorder.close()
    await asyncio.sleep(0)
    assert recorder.pieces == []


async def test_all_else_is_the_transports_own() -> None:
    recorder = Recorder()
    corked = CorkedTransport(recorder)
    assert corked.get_extra_info("peername") == ("127.0.0.1", 1)
    assert not corked.is_closing()
    recorder.close()
    assert corked.is_closing()


async def test_answers_reach_clients_whole_and_in_order() -> None:
    """A large answer in many pieces, on a real connection, to a client that reads slowly and asks twice."""
    body = bytes(range(256)) * 4_096
    pieces = [body[start : start + 10_000] for start in range(0, len(body), 10_000)]

    async def application(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            for _ in range(2):
                await send({"type": f"{(await receive())['type']}.complete"})
            return
        headers = [(b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for piece in pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    listener = socket.create_server(("127.0.0.1", 0))
    server = make_server(application)
    assert server.config.http is CorkedHttpProtocol
    serving = asyncio.create_task(server._serve([listener]))
    try:
        reader, writer = await asyncio.open_connection(*listener.getsockname(), limit=4_096)
        for _ in range(2):
            writer.write(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
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
