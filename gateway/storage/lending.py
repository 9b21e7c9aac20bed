"""Connections of the pool, lent for the time of a block: what becomes of them, and of the faults of the server's end.

These are classes and not generators: every request passes here, and a generator's block costs several times as much.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from types import TracebackType

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from gateway.errors import Overloaded

Connection = PoolConnectionProxy

BUSY = "The gateway is busy; nothing was done, try again shortly."
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

    __slots__ = ("_acquire_timeout_seconds", "_connection", "_pool")

    _connection: Connection

    def __init__(self, pool: asyncpg.Pool[asyncpg.Record], acquire_timeout_seconds: float) -> None:
        """Take where connections are, and how long to wait for one."""
        self._pool = pool
        self._acquire_timeout_seconds = acquire_timeout_seconds

    async def __aenter__(self) -> Connection:
        """Borrow a connection.

        Raises:
            Overloaded: none came free in time.
            ConnectionError: the server is not there.
        """
        try:
            if self._pool.get_idle_size():
                # It is there at once.
                self._connection = await self._pool.acquire()
                return self._connection
            # A timer of the loop: the pool's own time-out starts a task for each connection it lends.
            async with asyncio.timeout(self._acquire_timeout_seconds):
                self._connection = await self._pool.acquire()
        except TimeoutError as error:
            raise Overloaded(BUSY) from error
        except OSError as error:
            # Whatever it is, for example that the socket of a local server that restarts is missing.
            raise ConnectionRefusedError(str(error)) from error
        return self._connection

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
        if error is None and not _is_closed(connection) and not connection.is_in_transaction():
            # What `release` does too, but in a task of its own, so that nobody can break it off. If this is broken off, where
            # there is something to wait for at all, the connection is closed.
            with suppress(asyncpg.InternalClientError):
                await connection._holder.release(self._acquire_timeout_seconds)
            return
        try:
            _raise_if_gone(connection, error)
        finally:
            # A cancelled request may leave a transaction open: such a connection is closed, never lent again.
            if not _is_closed(connection) and connection.is_in_transaction():
                connection.terminate()
            # The pool has a connection back already that breaks while it is given back, and shields giving back from us.
            with suppress(asyncpg.InternalClientError):
                await self._pool.release(connection, timeout=self._acquire_timeout_seconds)


class ReadLending(Lending):
    """Lends a connection for reads: nobody tries them again, so that faults are told as what callers may see."""

    __slots__ = ()

    async def __aenter__(self) -> Connection:
        """Borrow a connection.

        Raises:
            Overloaded: none came free in time, or the server is not there.
        """
        try:
            return await super().__aenter__()
        except PASSING as error:
            raise Overloaded(AWAY) from error

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
        try:
            await super().__aexit__(kind, error, traceback)
        except PASSING as gone:
            raise Overloaded(AWAY) from gone
        if isinstance(error, TOO_BUSY):
            raise Overloaded(BUSY) from error
        if isinstance(error, PASSING):
            raise Overloaded(AWAY) from error


def _raise_if_gone(connection: Connection, error: BaseException | None) -> None:
    if isinstance(error, asyncpg.InternalClientError):
        # asyncpg loses track of an exchange that the server's end cut short (its issue 784).
        if not _is_closed(connection):
            connection.terminate()
        raise ConnectionResetError(str(error)) from error
    # Also raised for wrong use, which must show; on a closed connection it says that the server is gone.
    if isinstance(error, asyncpg.InterfaceError) and _is_closed(connection):
        raise ConnectionResetError(str(error)) from error


def _is_closed(connection: Connection) -> bool:
    try:
        return connection.is_closed()
    except asyncpg.InterfaceError:
        # A connection that broke is taken out of its proxy at once, which then answers nothing.
        return True
