"""A TCP port in front of the test server's socket: it can stop answering without closing anything, and go on again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

CHUNK_BYTES = 65_536
SOCKET_NAME = ".s.PGSQL.5432"


@dataclass(slots=True)
class Forwarder:
    """Forwards each connection in both directions, unless it is frozen."""

    socket_path: str
    port: int = 0
    connection_count: int = 0
    _goes_on: asyncio.Event = field(default_factory=asyncio.Event)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def freeze(self) -> None:
        """Pass nothing on from now; connections stay open, and new ones are taken and get no answer."""
        self._goes_on.clear()

    def thaw(self) -> None:
        """Pass on again, also what came in meanwhile."""
        self._goes_on.set()

    def url(self, owner_url: str, user: str = "rewards_gateway") -> str:
        """Return the address of a database of the server, through here."""
        return (
            f"postgresql://{user}@127.0.0.1:{self.port}{urlsplit(owner_url).path}?sslmode=disable"
        )

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Forward one connection until either end closes it."""
        self.connection_count += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._goes_on.wait()
            server_reader, server_writer = await asyncio.open_unix_connection(self.socket_path)
            ways = [
                asyncio.create_task(self._pass_on(reader, server_writer)),
                asyncio.create_task(self._pass_on(server_reader, writer)),
            ]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
                server_writer.close()
        except asyncio.CancelledError:
            pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def close_all(self) -> None:
        """Break off every connection."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(CHUNK_BYTES):
                await self._goes_on.wait()
                writer.write(data)
                await writer.drain()


@asynccontextmanager
async def forwarding(owner_url: str) -> AsyncIterator[Forwarder]:
    """Listen on a free loopback port while the block lasts."""
    folder = parse_qs(urlsplit(owner_url).query)["host"][0]
    forwarder = Forwarder(f"{folder}/{SOCKET_NAME}")
    forwarder.thaw()
    # It listens on loopback, and the test server trusts whoever comes by its socket.
    listener = await asyncio.start_server(forwarder.serve, "127.0.0.1", 0)
    forwarder.port = listener.sockets[0].getsockname()[1]
    try:
        yield forwarder
    finally:
        listener.close()
        await forwarder.close_all()
