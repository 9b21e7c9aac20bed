"""Connections, lent for the time of a block: what becomes of them, and of the faults of the server's end.

These are classes and not generators: every request passes here, and a generator's block costs several times as much.
"""

from __future__ import annotations

from types import TracebackType

import asyncpg

from gateway.errors import Overloaded
from gateway.storage.kept_connections import BUSY, Connection, KeptConnections, is_closed

AWAY = (
    "The database is not answering. Send the same request with the same key again: it is done once."
)
# Serialization failure, deadlock, and a server that went away: the work as a whole may be done again, because
# every operation first claims its idempotency key and a commit whose reply was lost is then seen as done.
PASSING = (
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.PostgresConnectionError,
    ConnectionError,
)
# Waiting longer is the caller's choice: nothing was done.
TOO_BUSY = (
    asyncpg.LockNotAvailableError,
    asyncpg.QueryCanceledError,
    asyncpg.InsufficientResourcesError,
)


class Lending:
    """Lends a connection for the time of an `async with` block."""

    __slots__ = ("_connection", "_connections")

    _connection: Connection

    def __init__(self, connections: KeptConnections) -> None:
        """Take where connections are."""
        self._connections = connections

    async def __aenter__(self) -> Connection:
        """Borrow a connection.

        Raises:
            Overloaded: none came free in time.
            ConnectionError: the server is not there.
        """
        self._connection = connection = await self._connections.take()
        return connection

    async def __aexit__(
        self,
        _: type[BaseException] | None,
        error: BaseException | None,
        __: TracebackType | None,
    ) -> None:
        """Give the connection back, whatever happened, and say of an error if it means that the server is gone.

        Raises:
            ConnectionResetError: it does.
        """
        connection = self._connection
        if error is None:
            await self._connections.give_back(connection, has_failed=False)
            return
        try:
            _raise_if_gone(connection, error)
        finally:
            await self._connections.give_back(connection, has_failed=True)


class ReadLending(Lending):
    """Lends a connection for reads: nobody tries them again, so that faults are told as what callers may see."""

    __slots__ = ()

    async def __aenter__(self) -> Connection:
        """Borrow a connection.

        Raises:
            Overloaded: none came free in time, or the server is not there.
        """
        try:
            self._connection = connection = await self._connections.take()
        except PASSING as error:
            raise Overloaded(AWAY) from error
        return connection

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Give the connection back.

        Raises:
            Overloaded: the server is too busy, or went away.
        """
        if error is None:
            await self._connections.give_back(self._connection, has_failed=False)
            return
        try:
            await super().__aexit__(kind, error, traceback)
        except PASSING as gone:
            raise Overloaded(AWAY) from gone
        if isinstance(error, TOO_BUSY):
            raise Overloaded(BUSY) from error
        if isinstance(error, PASSING):
            raise Overloaded(AWAY) from error


def _raise_if_gone(connection: Connection, error: BaseException) -> None:
    if _has_lost_track(error):
        if not is_closed(connection):
            connection.terminate()
        raise ConnectionResetError(str(error)) from error
    # Also raised for wrong use, which must show; on a closed connection it says that the server is gone.
    if isinstance(error, asyncpg.InterfaceError) and is_closed(connection):
        raise ConnectionResetError(str(error)) from error


def _has_lost_track(error: BaseException) -> bool:
    """Tell whether asyncpg has lost track of an exchange that the server's end cut short (its issue 784).

    A roll-back that is tried then fails in turn, by an error that looks like wrong use and hides the first one.
    """
    cause: BaseException | None = error
    while isinstance(cause, asyncpg.InterfaceError):
        cause = cause.__context__
    return isinstance(cause, asyncpg.InternalClientError)
