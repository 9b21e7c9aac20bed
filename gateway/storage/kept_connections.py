"""Connections that stay borrowed from the pool between two uses: borrowing and giving back cost 30 microseconds there.

Whoever finds none free waits in a line here, where tenants take turns, and what comes back goes to the first of them. A tenant has at
most its share of the connections, so that some are left for others however long its work takes (decision 0057). What nobody waits for
is kept, but only for a while: then it goes back, so that the pool can close what is idle or has served long.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, cast

import asyncpg

from gateway.errors import Overloaded
from gateway.storage.connection import Connection
from gateway.storage.database_errors import ERRORS
from gateway.storage.shares import Share
from gateway.storage.waiting_line import WaitingLine

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

BUSY = "The gateway is busy; nothing was done, try again shortly."
KEPT_SECONDS = 60
# For a server to break off a statement that nobody wants any more.
RETURN_SECONDS_MAX = 2
CLOSE_SECONDS_MAX = 10
# Between two tries to get one more connection from a server that has none.
FULL_SECONDS = 1.0
# One of so many uses gives its connection back to the pool even if that is never idle.
USES_BETWEEN_RETURNS = 1_000


class KeptConnections:
    """A pool, and those of its connections that are kept ready in front of it."""

    def __init__(self, pool: asyncpg.Pool[asyncpg.Record], acquire_timeout_seconds: float) -> None:
        """Keep none at first."""
        self._pool = pool
        self._acquire_timeout_seconds = acquire_timeout_seconds
        # The one that was used last is used next: the others may become idle.
        self._kept: list[Connection] = []
        # Those of the pool that are kept, in use, or just being borrowed.
        self._borrowed = 0
        # Nothing comes to those for whom the pool has room again: they borrow for themselves.
        self._line: WaitingLine[Connection | None] = WaitingLine(self._pass_on)
        self._uses = 0
        self._timer: asyncio.TimerHandle | None = None
        self._returning: asyncio.Task[None] | None = None
        self._is_closing = False
        # The server has no free slot.
        self._is_full = False

    @property
    def size_max(self) -> int:
        """Return how many connections there are at most."""
        return self._pool.get_max_size()

    async def take(self, share: Share) -> Connection:
        """Borrow a connection, and count it in the share.

        Raises:
            Overloaded: none came free in time.
            ConnectionError: the server is not there.
        """
        until: float | None = None
        while True:
            connection: Connection | None = None
            if share.held < share.most and self._kept:
                share.held += 1
                connection = self._kept.pop()
            elif (
                share.held < share.most
                and self._borrowed < self._pool.get_max_size()
                and not self._is_full
            ):
                share.held += 1
                self._borrowed += 1
            else:
                now = asyncio.get_running_loop().time()
                until = until or now + self._acquire_timeout_seconds
                connection = await self._wait(share, until - now)
            if connection is None:
                connection = await self._borrow(share)
            if connection is None:
                # The server has no more of them: one of those that are there has to come free.
                continue
            if not is_closed(connection):
                return connection
            # It was lost while it was kept, or on its way here.
            share.held -= 1
            await self._return(connection)

    async def give_back(self, connection: Connection, share: Share, *, has_failed: bool) -> None:
        """Take a connection back: if all went well with it, it goes to whoever waits, or is kept ready."""
        # Before it is handed on: the next in line may be of the same tenant.
        share.held -= 1
        self._uses += 1
        if (
            has_failed
            or self._is_closing
            or not self._uses % USES_BETWEEN_RETURNS
            or is_closed(connection)
            or connection.is_in_transaction()
        ):
            await self._return(connection)
            return
        self._pass_on(connection)

    async def close(self) -> None:
        """Wait for borrowed connections to come back, then close them all."""
        self._is_closing = True
        if self._timer is not None:
            self._timer.cancel()
        if self._returning is not None:
            # Whatever became of it: what it left is returned here.
            await asyncio.wait([self._returning])
        await self._return_kept()
        # A server that is silent confirms no end; the pool then cuts its connections off.
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS_MAX):
                await self._pool.close()

    async def _wait(self, share: Share, seconds: float) -> Connection | None:
        """Return the next connection that comes back, or None where there is room for another one; either is counted."""
        try:
            return await self._line.wait(share, seconds)
        except TimeoutError as error:
            raise Overloaded(BUSY) from error

    async def _borrow(self, share: Share) -> Connection | None:
        """Borrow a connection for which there is room, or return None if the server has none; it is counted already."""
        try:
            # A timer of the loop: the pool's own time-out starts a task for each connection it lends.
            async with asyncio.timeout(self._acquire_timeout_seconds):
                return cast("Connection", await self._pool.acquire())
        except asyncpg.TooManyConnectionsError as error:
            ERRORS.note(error)
            share.held -= 1
            self._borrowed -= 1
            self._try_again_later()
            if not self._borrowed:
                raise Overloaded(BUSY) from error
            return None
        except BaseException as error:
            share.held -= 1
            self._make_room()
            if isinstance(error, asyncpg.PostgresError | OSError):
                ERRORS.note(error)
            if isinstance(error, TimeoutError):
                raise Overloaded(BUSY) from error
            if isinstance(error, OSError | asyncpg.InternalClientError):
                # Whatever it is: the socket of a local server that restarts is missing, or the first exchange was cut short.
                raise ConnectionRefusedError(str(error)) from error
            raise

    def _try_again_later(self) -> None:
        """Ask the server for no more connections for a moment, and then let one of those who wait try."""
        if not self._is_full:
            self._is_full = True
            asyncio.get_running_loop().call_later(FULL_SECONDS, self._try_again)

    def _try_again(self) -> None:
        self._is_full = False
        if self._borrowed < self._pool.get_max_size() and self._line.serve(None):
            self._borrowed += 1

    async def leave_server(self) -> None:
        """Lend none of the present connections again: their server cannot be written to."""
        while self._kept:
            connection = self._kept.pop()
            if not is_closed(connection):
                connection.terminate()
            await self._return(connection)
        await self._pool.expire_connections()

    def _pass_on(self, connection: Connection | None) -> None:
        """Hand a connection, or the room for one, to whoever waits; keep it if nobody does."""
        if connection is None:
            self._make_room()
        elif not self._line.serve(connection):
            self._kept.append(connection)
            if self._timer is None:
                seconds = 0 if self._is_closing else KEPT_SECONDS
                loop = asyncio.get_running_loop()
                self._timer = loop.call_later(seconds, self._return_kept_soon)

    def _make_room(self) -> None:
        """Let the first who waits borrow in place of a connection that is borrowed no more."""
        if not self._line.serve(None):
            self._borrowed -= 1

    async def _return(self, connection: Connection) -> None:
        if not is_closed(connection):
            connection.expect_no_answer()
            # A cancelled request may leave a transaction open: such a connection is closed, never lent again.
            if connection.is_in_transaction():
                connection.terminate()
        # It is the proxy that the pool has lent.
        lent = cast("PoolConnectionProxy[asyncpg.Record]", connection)
        try:
            # The pool has a connection back already that breaks while it is given back, and shields giving back from us. It
            # ends one whose cancelled statement is not over in time.
            with suppress(asyncpg.InternalClientError, TimeoutError):
                await self._pool.release(lent, timeout=RETURN_SECONDS_MAX)
        finally:
            self._make_room()

    def _return_kept_soon(self) -> None:
        self._timer = None
        self._returning = asyncio.get_running_loop().create_task(self._return_kept())

    async def _return_kept(self) -> None:
        while self._kept:
            await self._return(self._kept.pop())


def is_closed(connection: Connection) -> bool:
    """Tell whether a connection is of no use any more."""
    try:
        return connection.is_closed()
    except asyncpg.InterfaceError:
        # A connection that broke is taken out of its proxy at once, which then answers nothing.
        return True
