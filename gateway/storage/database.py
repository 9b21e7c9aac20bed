"""The only way to a PostgreSQL connection: the pool, database transactions, and which faults are tried again."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar

import asyncpg
import orjson
from piccolo.query.base import Query

from gateway.errors import Overloaded
from gateway.storage.array_codecs import use_codecs
from gateway.storage.connection import Connection, PipeliningConnection
from gateway.storage.kept_connections import BUSY, KeptConnections
from gateway.storage.lending import AWAY, PASSING, TOO_BUSY, ReadLending, Transaction

__all__ = ["Connection", "Database", "column", "run", "to_json"]

Result = TypeVar("Result")

ATTEMPTS_MAX = 5
RETRY_DELAY_SECONDS = 0.02
APPLICATION_ROLE = "rewards_gateway"
# Prepared statements of a connection: more than there are texts, so that none is forgotten only to be prepared again.
STATEMENTS_KEPT_MAX = 400


class _RollBack(Exception):
    """Leaves a transaction block without keeping what was done in it."""


class Database:
    """A pool of connections to one database, as the application's ordinary role."""

    def __init__(self, pool: asyncpg.Pool[asyncpg.Record], acquire_timeout_seconds: float) -> None:
        """Wrap an open pool; use `open`."""
        self._connections = KeptConnections(pool, acquire_timeout_seconds)

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        pool_size_max: int = 10,
        lock_timeout_seconds: float = 5.0,
        statement_timeout_seconds: float = 60.0,
        acquire_timeout_seconds: float = 30.0,
    ) -> Database:
        """Connect, and drop to the application's role whoever logged in.

        Raises:
            OSError: the server cannot be reached.
            asyncpg.PostgresError: the login is refused.
        """
        pool = await asyncpg.create_pool(
            url,
            min_size=1,
            max_size=pool_size_max,
            statement_cache_size=STATEMENTS_KEPT_MAX,
            connection_class=PipeliningConnection,
            init=use_codecs,
            # No session state is kept, so the reset query would be a wasted round trip per use.
            reset=_discard_nothing,
            server_settings={
                "role": APPLICATION_ROLE,
                "lock_timeout": f"{int(lock_timeout_seconds * 1000)}",
                "statement_timeout": f"{int(statement_timeout_seconds * 1000)}",
                "idle_in_transaction_session_timeout": "60000",
                "timezone": "UTC",
                "application_name": "rewards-gateway",
                # Our statements are short: compiling them costs more than it gives.
                "jit": "off",
                # So are they planned once for each connection: planning one anew takes longer than running it, and
                # PostgreSQL would do so whenever arrays are parameters (decision 0042).
                "plan_cache_mode": "force_generic_plan",
            },
        )
        return cls(pool, acquire_timeout_seconds)

    async def close(self) -> None:
        """Wait for borrowed connections to come back, then close them all."""
        await self._connections.close()

    def connection(self) -> ReadLending:
        """Lend a connection for reads outside a database transaction, for the time of an `async with` block.

        Raises:
            Overloaded: in the block, none came free in time, or the server is too busy or went away.
        """
        return ReadLending(self._connections)

    def transaction(self, lock_timeout_seconds: float | None = None) -> Transaction:
        """Lend a connection inside one READ COMMITTED database transaction: commit on success, else roll back.

        Neither beginning nor a lock time-out of its own costs a round trip; committing costs none if the last statement was
        given to `write`.
        """
        return Transaction(self._connections, lock_timeout_seconds)

    async def run_transaction(
        self,
        work: Callable[[Connection], Awaitable[Result]],
        *,
        dry_run: bool = False,
        lock_timeout_seconds: float | None = None,
    ) -> Result:
        """Run `work` in one database transaction, again from its start if the fault is passing.

        `work` must make its ids before it is called, so that every attempt writes the same rows. At most five attempts,
        with a random pause between them. A dry run does all of the work and then rolls it back.

        Raises:
            Overloaded: it never got through, or waited too long for a lock.
        """
        for attempt in range(ATTEMPTS_MAX):
            try:
                async with self.transaction(lock_timeout_seconds) as connection:
                    result = await work(connection)
                    if dry_run:
                        await connection.send_written()
                        raise _RollBack
                return result
            except _RollBack:
                return result
            except TOO_BUSY as error:
                raise Overloaded(BUSY) from error
            except PASSING as error:
                if attempt == ATTEMPTS_MAX - 1:
                    raise Overloaded(AWAY) from error
                # Jitter only spreads the attempts out; it guards nothing.
                await asyncio.sleep(RETRY_DELAY_SECONDS * 2**attempt * (0.5 + random.random()))  # noqa: S311
        raise AssertionError("unreachable: the loop returns or raises")

    async def fetch(self, statement: str, *arguments: object) -> list[asyncpg.Record]:
        """Run one read statement on a connection of its own."""
        async with self.connection() as connection:
            return await connection.fetch(statement, *arguments)

    async def is_ready(self) -> bool:
        """Tell whether a statement can be answered now."""
        try:
            await self.fetch("SELECT 1")
        except (Overloaded, OSError):
            return False
        return True


async def run(connection: Connection, query: Query[Any, Any]) -> list[asyncpg.Record]:
    """Run a Piccolo query on this connection, so inside its database transaction if it has one; one round trip."""
    text, arguments = query.querystrings[0].compile_string()
    return await connection.fetch(text, *arguments)


def to_json(value: object) -> str:
    """Return JSON text for a jsonb parameter."""
    return orjson.dumps(value, default=str).decode()


def column(rows: Iterable[Any], name: str) -> list[Any]:
    """Turn a list of objects into one `unnest` parameter: the named attribute of each."""
    return [getattr(row, name) for row in rows]


async def _discard_nothing(_: object) -> None:
    return
