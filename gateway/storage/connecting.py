"""Connections to whichever of the database's servers can be written to, each server tried for a few seconds."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable
from typing import Any, Final

import asyncpg

from gateway.database_address import DatabaseAddress, to_server
from gateway.storage.session_store import POOLER, Unsuitable

# Of a server that another may stand in for, or that may be back soon: the next one is tried.
UNREACHABLE: Final = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.TargetServerAttributeNotMatched,
)
# A connection without traffic for so long is probed by the kernel, and one whose end does not confirm what was sent is closed.
KEEPALIVE_IDLE_SECONDS: Final = 15
KEEPALIVE_INTERVAL_SECONDS: Final = 5
KEEPALIVE_PROBES: Final = 3
UNCONFIRMED_SECONDS_MAX: Final = 30
# The same of the server's end, so that it soon ends sessions of gateways that vanished; it ignores them for sockets.
SERVER_KEEPALIVES: Final = {
    "tcp_keepalives_idle": f"{KEEPALIVE_IDLE_SECONDS}",
    "tcp_keepalives_interval": f"{KEEPALIVE_INTERVAL_SECONDS}",
    "tcp_keepalives_count": f"{KEEPALIVE_PROBES}",
}


class NoServer(ConnectionError):
    """No server of the address can be used now; the message says of each why, in one line without a password."""


class Connector:
    """Connects to the first of an address's servers that can be used: the one that could be the last time is asked first."""

    def __init__(self, address: DatabaseAddress) -> None:
        """Begin with the servers in the order of the address."""
        self.address = address
        self._servers = list(address.servers)

    @property
    def server(self) -> tuple[str, int]:
        """Return host and port of the server that is asked first."""
        return self._servers[0]

    async def connect(
        self,
        prepare: Callable[[Any], Awaitable[None]] | None = None,
        **options: Any,
    ) -> Any:
        """Return a connection made with the driver's `options`, on which `prepare` has run, within the time for one server.

        Raises:
            NoServer: none can be used.
            asyncpg.PostgresError: a server refuses this user or this database.
        """
        reasons: list[str] = []
        last_error: BaseException | None = None
        for server in tuple(self._servers):
            try:
                connection = await self._connect(server, prepare, options)
            except UNREACHABLE as error:
                reasons.append(f"{_name(server)} {self._explain(error)}")
                self.avoid(server)
                last_error = error
            else:
                self._prefer(server)
                return connection
        raise NoServer("; ".join(reasons)) from last_error

    def options_for_server(self) -> dict[str, Any]:
        """Return the driver's options for the server that is asked first."""
        return self._options_for(self.server)

    async def ask(self, address: str | tuple[str, int]) -> None:
        """Return if the server at the driver's address takes a new connection and answers on it, within the time for one.

        Raises:
            OSError: it does not.
            asyncpg.PostgresError: it refuses.
        """
        connection = await self._connect(to_server(address), _ask_something, {})
        connection.terminate()

    def avoid(self, address: str | tuple[str, int]) -> None:
        """Ask the server at the driver's address last."""
        server = to_server(address)
        if server in self._servers:
            self._servers.remove(server)
            self._servers.append(server)

    def _prefer(self, server: tuple[str, int]) -> None:
        self._servers.remove(server)
        self._servers.insert(0, server)

    def _options_for(self, server: tuple[str, int]) -> dict[str, Any]:
        host, port = server
        return {
            "dsn": self.address.url,
            "host": host,
            "port": port or None,
            "target_session_attrs": self.address.target,
            "timeout": self.address.connect_timeout_seconds,
        }

    async def _connect(
        self,
        server: tuple[str, int],
        prepare: Callable[[Any], Awaitable[None]] | None,
        options: dict[str, Any],
    ) -> Any:
        connection: Any = await asyncpg.connect(**self._options_for(server), **options)
        try:
            _keep_alive(connection)
            if prepare is not None:
                async with asyncio.timeout(self.address.connect_timeout_seconds):
                    await prepare(connection)
        except BaseException:
            connection.terminate()
            raise
        return connection

    def _explain(self, error: BaseException) -> str:
        if isinstance(error, TimeoutError):
            return f"does not answer within {self.address.connect_timeout_seconds} s"
        if isinstance(error, asyncpg.TargetServerAttributeNotMatched):
            return "is a standby or read-only"
        if isinstance(error, Unsuitable):
            return str(error)
        # How pgbouncer refuses settings that it does not know.
        if isinstance(error, asyncpg.ProtocolViolationError) and "startup parameter" in str(error):
            return POOLER
        return explain_error(error)


def explain_error(error: BaseException) -> str:
    """Say in a few words, after the name of a server, why it cannot be used; never empty, and in one line."""
    if isinstance(error, TimeoutError):
        return "does not answer in time"
    if isinstance(error, socket.gaierror):
        return "is not a known host name"
    if isinstance(error, FileNotFoundError):
        return "is not there: no server listens on this socket"
    if isinstance(error, ConnectionRefusedError):
        return "refuses connections: no server listens there"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"shows a certificate that is not trusted: {error.verify_message}"
    text = str(error.strerror or error) if isinstance(error, OSError) else str(error)
    return f"says: {' '.join(text.split()) or type(error).__name__}"


async def _ask_something(connection: Any) -> None:
    await connection.execute("")


def _name(server: tuple[str, int]) -> str:
    host, port = server
    return f"{host}:{port}" if port else host


def _keep_alive(connection: Any) -> None:
    """Let the kernel find out that the server's machine is gone, also of connections that are idle."""
    found = connection._transport.get_extra_info("socket")
    if found is None or found.family == getattr(socket, "AF_UNIX", None):
        return
    found.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (
        ("TCP_KEEPIDLE", KEEPALIVE_IDLE_SECONDS),
        ("TCP_KEEPINTVL", KEEPALIVE_INTERVAL_SECONDS),
        ("TCP_KEEPCNT", KEEPALIVE_PROBES),
        # In milliseconds.
        ("TCP_USER_TIMEOUT", UNCONFIRMED_SECONDS_MAX * 1000),
    ):
        # Not every system has each of them.
        if (option := getattr(socket, name, None)) is not None:
            found.setsockopt(socket.IPPROTO_TCP, option, value)
