"""Connections that break on purpose: before a chosen statement, or after COMMIT did its work and before its reply is read."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

import asyncpg

from gateway.storage import database
from gateway.storage.connection import COMMITTED, PipeliningConnection
from gateway.storage.database import Database
from tests.sealing import KEYS


@dataclass(slots=True)
class Breaker:
    """Counts statements, and breaks the connection once: before statement number `at`, or (`at` None) after COMMIT."""

    break_connection: Callable[[Any], Awaitable[None]] | None = None
    at: int | None = 0
    statements: list[str] = field(default_factory=list)
    # Of the database transactions begun: one of its own shows that it is a group's.
    lock_timeouts: list[float | None] = field(default_factory=list)
    is_armed: bool = False
    has_broken: bool = False
    is_dead: bool = False

    async def before(self, connection: Any, statement: str) -> None:
        """Note a statement that is about to be sent; the dead send none."""
        if self.is_dead:
            raise asyncio.CancelledError
        if not self.is_armed:
            return
        self.statements.append(statement)
        if len(self.statements) == self.at and not self.has_broken:
            self.has_broken = True
            await self._break(connection)

    async def after(self, connection: Any, statement: str) -> None:
        """Note a statement that the server has answered."""
        if self.is_armed and self.at is None and statement == COMMITTED and not self.has_broken:
            self.has_broken = True
            await self._break(connection)
            message = "connection was closed in the middle of operation"
            raise asyncpg.ConnectionDoesNotExistError(message)

    async def _break(self, connection: Any) -> None:
        assert self.break_connection is not None
        await self.break_connection(connection)


def breaking_connection_class(breaker: Breaker) -> type[PipeliningConnection]:
    """Return a class of connections that tell the breaker of each statement; it rests on asyncpg's ways of sending one."""

    class BreakingConnection(PipeliningConnection):
        def begin(
            self,
            lock_timeout_seconds: float | None = None,
            statement_timeout_seconds: float | None = None,
        ) -> None:
            if breaker.is_armed:
                breaker.lock_timeouts.append(lock_timeout_seconds)
            super().begin(lock_timeout_seconds, statement_timeout_seconds)

        async def execute(self, query: str, *arguments: Any, **options: Any) -> str:
            if arguments:
                # Goes on through _execute.
                return await super().execute(query, *arguments, **options)
            await breaker.before(self, query)
            status = await super().execute(query, **options)
            await breaker.after(self, query)
            return status

        async def _execute(self, query: str, *arguments: Any, **options: Any) -> Any:
            await breaker.before(self, query)
            return await super()._execute(query, *arguments, **options)

        async def _fetch_prepared(self, prepared: Any, query: str, *arguments: Any) -> list[Any]:
            await breaker.before(self, query)
            return await super()._fetch_prepared(prepared, query, *arguments)

        async def _write_and_commit(self, statement: str, values: tuple[Any, ...]) -> str:
            await breaker.before(self, f"{statement}; {COMMITTED}")
            status = await super()._write_and_commit(statement, values)
            await breaker.after(self, COMMITTED)
            return status

        async def copy_records_to_table(self, table_name: str, **options: Any) -> str:
            await breaker.before(self, f"COPY {table_name}")
            status: str = await super().copy_records_to_table(table_name, **options)
            return status

    return BreakingConnection


async def open_breaking(database_url: str, breaker: Breaker) -> Database:
    """Open a pool of one such connection."""
    connection_class = breaking_connection_class(breaker)
    with patch.object(database, "PipeliningConnection", connection_class):
        return await Database.open(database_url, pool_size_max=1, keys=KEYS)


async def terminate_backend(owner: asyncpg.Connection[asyncpg.Record], connection: Any) -> None:
    """End the connection's server process, and return when it is gone."""
    pid = connection.get_server_pid()
    # With a time to wait it returns when the process has ended.
    assert await owner.fetchval("SELECT pg_terminate_backend($1, 5000)", pid)


async def die(breaker: Breaker, died: asyncio.Event, connection: Any) -> None:
    """Do as the kernel does for a killed process: close the socket, and run nothing more of it."""
    connection.terminate()
    breaker.is_dead = True
    died.set()
    await asyncio.get_running_loop().create_future()
