"""Requests as they go over the wire: a client that costs little, so that it does not measure itself."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Mapping
from typing import NamedTuple

HEAD_END = b"\r\n\r\n"
RECEIVED_MAX = 65_536
TIMEOUT_SECONDS = 60.0
# Replaced in each request by something as long that was never sent before.
REFERENCE = b"REFERENCE-REFERENCE-REFERENCE-32"


class Question(NamedTuple):
    """A request, and what stands in its answer if that is a success."""

    request: bytes
    marker: bytes


def to_request(
    query: str, token: str | None, variables: Mapping[str, object] | None = None
) -> bytes:
    """Return the bytes of one operation's request."""
    body = json.dumps({"query": query, "variables": variables}).encode()
    head = [
        "POST /graphql HTTP/1.1",
        "Host: localhost",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    ]
    if token is not None:
        head.append(f"Authorization: Bearer {token}")
    return "\r\n".join(head).encode() + HEAD_END + body


def body_length(head: bytes) -> int:
    """Return how long the body behind an answer's head is."""
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


class Caller:
    """Asks over one connection, one request after the other, and waits for each answer."""

    def __init__(self, port: int) -> None:
        """Connect."""
        self._socket = socket.create_connection(("127.0.0.1", port), TIMEOUT_SECONDS)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, request: bytes) -> tuple[int, bytes]:
        """Return an answer's status and body.

        Raises:
            ConnectionError: the connection ended before.
        """
        self._socket.sendall(request)
        received = b""
        while HEAD_END not in received:
            received += self._receive()
        head, _, body = received.partition(HEAD_END)
        missing = body_length(head) - len(body)
        while missing > 0:
            piece = self._receive()
            body += piece
            missing -= len(piece)
        return int(head.split(b" ", 2)[1]), body

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def _receive(self) -> bytes:
        piece = self._socket.recv(RECEIVED_MAX)
        if not piece:
            raise ConnectionResetError("The gateway closed the connection.")
        return piece


async def read_status(reader: asyncio.StreamReader) -> int:
    """Read an answer to its end, and return its status.

    Raises:
        asyncio.IncompleteReadError: the connection ended before.
    """
    head = await reader.readuntil(HEAD_END)
    await reader.readexactly(body_length(head))
    return int(head.split(b" ", 2)[1])
