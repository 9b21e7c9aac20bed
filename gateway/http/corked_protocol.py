"""uvicorn's HTTP protocol, with the pieces of an answer sent together.

uvicorn writes an answer's headers and its body one after the other, each a system call and, on the wire, a packet. Here they are
kept until the event loop's next turn: one of each.
"""

from __future__ import annotations

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class CorkedTransport:
    """A transport that sends what is written to it in one turn of the event loop as one piece."""

    def __init__(self, transport: asyncio.Transport) -> None:
        """Wrap a transport; all but writing and closing is its own."""
        self._transport = transport
        self._call_soon = asyncio.get_running_loop().call_soon
        self._pieces: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Keep the data until the event loop has its next turn."""
        if not self._pieces:
            self._call_soon(self._flush)
        self._pieces.append(data)

    def close(self) -> None:
        """Send what has been kept, then close."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        pieces, self._pieces = self._pieces, []
        # A client that has gone meanwhile needs no answer, and its transport would warn.
        if pieces and not self._transport.is_closing():
            self._transport.write(b"".join(pieces))


class CorkedHttpProtocol(HttpToolsProtocol):
    """The protocol on such a transport."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin a connection."""
        corked = CorkedTransport(cast(asyncio.Transport, transport))
        super().connection_made(cast(asyncio.Transport, corked))
