"""Connections, lent for the time of a block: what becomes of them, and of the faults of the server's end.

These are classes and not generators: every request passes here, and a generator's block costs several times as much.
"""

from __future__ import annotations

import asyncio
from types import TracebackType

import asyncpg

from gateway.errors import DeadlineExceeded, Overloaded
from gateway.storage.connection import Connection
from gateway.storage.database_errors import ERRORS, PASSING, TOO_BUSY, UNUSABLE
from gateway.storage.kept_connections import BUSY, RETURN_SECONDS_MAX, KeptConnections, is_closed
from gateway.storage.shares import Share
from gateway.storage.slots import Slots

AWAY = (
    "The database is not answering. Send the same request with the same key again: it is done once."
)
# As long as the server has to break off a statement.
ROLL_BACK_SECONDS_MAX = RETURN_SECONDS_MAX
TOO_LONG = "This takes longer to read than it may: ask for less, such as a shorter period."
OUT_OF_ORDER = "The database cannot be used now; nothing was done. Send the same request with the same key again later."


class Lending:
    """Lends a connection for the time of an `async with` block."""

    __slots__ = ("_connection", "_connections", "_share")

    _connection: Connection

    def __init__(self, connections: KeptConnections, share: Share) -> None:
        """Take where connections are, and in whose share this one is counted."""
        self._connections = connections
        self._share = share

    async def __aenter__(self) -> Connection:
        """Borrow a connection.

        Raises:
            Overloaded: none came free in time.
            ConnectionError: the server is not there.
        """
        self._connection = connection = await self._connections.take(self._share)
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
            await self._connections.give_back(connection, self._share, has_failed=False)
            return
        try:
            if isinstance(error, (*PASSING, *TOO_BUSY, *UNUSABLE)):
                ERRORS.note(error)
            if isinstance(error, asyncpg.ReadOnlySQLTransactionError):
                await self._connections.leave_server()
            _raise_if_gone(connection, error)
        finally:
            await self._connections.give_back(connection, self._share, has_failed=True)


class ReadLending(Lending):
    """Lends a connection for reads: nobody tries them again, so that faults are told as what callers may see."""

    __slots__ = ()

    async def __aenter__(self) -> Connection:
        """Borrow a connection.

        Raises:
            Overloaded: none came free in time, or the server is not there.
        """
        try:
            self._connection = connection = await self._connections.take(self._share)
        except (*PASSING, *TOO_BUSY, *UNUSABLE) as error:
            raise to_overloaded(error) from error
        return connection

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Give the connection back.

        Raises:
            DeadlineExceeded: a statement took longer than one that reads may.
            Overloaded: the server is too busy, or went away.
        """
        if error is None:
            await self._connections.give_back(self._connection, self._share, has_failed=False)
            return
        try:
            await super().__aexit__(kind, error, traceback)
        except PASSING as gone:
            raise Overloaded(AWAY) from gone
        if isinstance(error, asyncpg.QueryCanceledError):
            raise DeadlineExceeded(TOO_LONG) from error
        if isinstance(error, (*PASSING, *TOO_BUSY, *UNUSABLE)):
            raise to_overloaded(error) from error


class LongReadLending(ReadLending):
    """Lends a connection for reads that may take long, to as many at one time as there are slots for."""

    __slots__ = ("_seconds", "_slot_share", "_slots")

    def __init__(
        self,
        connections: KeptConnections,
        share: Share,
        slots: Slots,
        slot_share: Share,
        slot_timeout_seconds: float,
    ) -> None:
        """Take where connections and slots are, in whose shares they are counted, and how long to wait for a slot."""
        super().__init__(connections, share)
        self._slots = slots
        self._slot_share = slot_share
        self._seconds = slot_timeout_seconds

    async def __aenter__(self) -> Connection:
        """Take a slot, then borrow a connection.

        Raises:
            Overloaded: neither came free in time, or the server is not there.
        """
        try:
            await self._slots.take(self._slot_share, self._seconds)
        except TimeoutError as error:
            raise Overloaded(BUSY) from error
        try:
            return await super().__aenter__()
        except BaseException:
            self._slots.give_back(self._slot_share)
            raise

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Give both back; see `ReadLending`."""
        try:
            await super().__aexit__(kind, error, traceback)
        finally:
            self._slots.give_back(self._slot_share)


class Transaction(Lending):
    """Lends a connection inside a database transaction: committed at the block's end, undone if the block raises."""

    __slots__ = ("_lock_timeout_seconds", "_statement_timeout_seconds")

    def __init__(
        self,
        connections: KeptConnections,
        share: Share,
        lock_timeout_seconds: float | None = None,
        statement_timeout_seconds: float | None = None,
    ) -> None:
        """Take where connections are, and how long it waits for a lock and for a statement, if not as long as others."""
        super().__init__(connections, share)
        self._lock_timeout_seconds = lock_timeout_seconds
        self._statement_timeout_seconds = statement_timeout_seconds

    async def __aenter__(self) -> Connection:
        """Borrow a connection; its next statement begins the database transaction.

        Raises:
            Overloaded: none came free in time.
            ConnectionError: the server is not there.
        """
        connection = await super().__aenter__()
        try:
            connection.begin(self._lock_timeout_seconds, self._statement_timeout_seconds)
        except BaseException as failure:
            await super().__aexit__(type(failure), failure, failure.__traceback__)
            raise
        return connection

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Commit or roll back, and give the connection back.

        Raises:
            ConnectionResetError: the server is gone; whether it has committed is not known.
            NotCommitted: a statement had failed, and the block went on.
            asyncpg.PostgresError: what was left to be written with the commit fails, or the commit.
        """
        connection = self._connection
        has_given_up = isinstance(error, asyncio.CancelledError)
        try:
            if error is None:
                await connection.commit()
            elif not is_closed(connection):
                async with asyncio.timeout(ROLL_BACK_SECONDS_MAX if has_given_up else None):
                    await connection.roll_back()
        except BaseException as failure:
            if has_given_up:
                # Whoever gives up hears nothing else; what is not rolled back in time is cut off, never lent again.
                await self._cut_off(connection)
                return
            await super().__aexit__(type(failure), failure, failure.__traceback__)
            raise
        await super().__aexit__(kind, error, traceback)

    async def _cut_off(self, connection: Connection) -> None:
        if not is_closed(connection):
            connection.terminate()
        await self._connections.give_back(connection, self._share, has_failed=True)


def to_overloaded(error: BaseException) -> Overloaded:
    """Return what a caller may see of an error that is in the table."""
    if isinstance(error, TOO_BUSY):
        return Overloaded(BUSY)
    return Overloaded(AWAY if isinstance(error, PASSING) else OUT_OF_ORDER)


def _raise_if_gone(connection: Connection, error: BaseException) -> None:
    # On a server that can only be read, nothing is of use but another connection, to another server if there is one.
    if isinstance(error, asyncpg.ReadOnlySQLTransactionError) or _has_lost_track(error):
        if not is_closed(connection):
            connection.terminate()
        raise ConnectionResetError(str(error)) from error
    # Also raised for wrong use, which must show; on a closed connection it says that the server is gone. A proxy that has lost
    # its connection answers for the driver's own methods with the one, and for those of ours with the other.
    if isinstance(error, asyncpg.InterfaceError | AttributeError) and is_closed(connection):
        raise ConnectionResetError(str(error)) from error


def _has_lost_track(error: BaseException) -> bool:
    """Tell whether asyncpg has lost track of an exchange that the server's end cut short (its issue 784).

    A roll-back that is tried then fails in turn, by an error that looks like wrong use and hides the first one.
    """
    cause: BaseException | None = error
    while isinstance(cause, asyncpg.InterfaceError):
        cause = cause.__context__
    return isinstance(cause, asyncpg.InternalClientError)
