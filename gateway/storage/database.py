"""The only way to a PostgreSQL connection: the pool, database transactions, and which faults are tried again."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import asyncpg
import orjson
from piccolo.query.base import Query

from gateway.database_address import DatabaseAddress
from gateway.errors import Overloaded
from gateway.keys.model import Keys
from gateway.storage.array_codecs import use_codecs
from gateway.storage.connecting import SERVER_KEEPALIVES, Connector
from gateway.storage.connection import Connection, PipeliningConnection, require
from gateway.storage.database_errors import PASSING, TOO_BUSY, UNUSABLE
from gateway.storage.kept_connections import KeptConnections
from gateway.storage.lending import (
    AWAY,
    LongReadLending,
    ReadLending,
    Transaction,
    to_overloaded,
)
from gateway.storage.privileges import APPLICATION_ROLE, OPERATOR_ROLE
from gateway.storage.session_store import check_session
from gateway.storage.shares import Share
from gateway.storage.silence import SilenceWatch
from gateway.storage.slots import Slots

__all__ = ["Connection", "Database", "column", "run", "to_json"]

Result = TypeVar("Result")

ATTEMPTS_MAX = 5
RETRY_DELAY_SECONDS = 0.02
# Prepared statements of a connection: more than there are texts, so that none is forgotten only to be prepared again.
STATEMENTS_KEPT_MAX = 400
# Of a transaction, which may be a long distribution.
STATEMENT_TIMEOUT_SECONDS = 60.0
# Of all connections, what one tenant may hold at one time: some are left for others, however long its work takes.
TENANT_TENTHS = 6
# Reads that may take long, at one time: of each tenant one, so that another's need not wait for it.
LONG_READS_MAX = 2
LONG_READS_OF_TENANT_MAX = 1
# Tenants that are remembered: more than are at work at one time.
TENANTS_MAX = 10_000


class OperatorNeeded(Exception):
    """The login may not do what only the operator does; the message is one line for a person."""


class _RollBack(Exception):
    """Leaves a transaction block without keeping what was done in it."""


@dataclass(frozen=True, slots=True)
class _Common:
    """What all tenants use together."""

    connections: KeptConnections
    acquire_timeout_seconds: float
    # None where reads and transactions have the same time-out.
    transaction_timeout_seconds: float | None
    keys: Keys | None
    long_reads: Slots = field(default_factory=lambda: Slots(LONG_READS_MAX))
    tenants: dict[Hashable, Database] = field(default_factory=dict)


class Database:
    """A pool of connections to one database, as the application's ordinary role; or one tenant's share of it."""

    def __init__(self, common: _Common, share: Share, long_reads: Share) -> None:
        """Take what all use together, and this one's shares of the connections and of the long reads; use `open`."""
        self._common = common
        self._connections = common.connections
        self._share = share
        self._long_reads = long_reads

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        pool_size_max: int = 10,
        connects_first: bool = True,
        lock_timeout_seconds: float = 5.0,
        read_timeout_seconds: float = STATEMENT_TIMEOUT_SECONDS,
        acquire_timeout_seconds: float = 30.0,
        keys: Keys | None = None,
    ) -> Database:
        """Connect, and drop to the application's role whoever logged in.

        `read_timeout_seconds` is for each statement outside a database transaction; in one it may take a minute. Without
        `connects_first` nothing is raised here: whoever borrows a connection finds out.
        `keys` are what values of this database are sealed with; work that opens and seals nothing needs none.

        Raises:
            NoServer: no server of the address can be used.
            asyncpg.PostgresError: the login is refused.
        """
        connect: Any = _connect_with(Connector(DatabaseAddress.parse(url)), keys)
        pool = await asyncpg.create_pool(
            connect=connect,
            # No least number: the driver would log a traceback again and again while there is no server.
            min_size=0,
            init_size=int(connects_first),
            max_size=pool_size_max,
            statement_cache_size=STATEMENTS_KEPT_MAX,
            connection_class=PipeliningConnection,
            # No session state is kept, so the reset query would be a wasted round trip per use.
            reset=_discard_nothing,
            server_settings={
                **SERVER_KEEPALIVES,
                "role": APPLICATION_ROLE,
                "lock_timeout": f"{int(lock_timeout_seconds * 1000)}",
                "statement_timeout": f"{int(read_timeout_seconds * 1000)}",
                "idle_in_transaction_session_timeout": "60000",
                "timezone": "UTC",
                "application_name": "rewards-gateway",
                # Our statements are short: compiling them costs more than it gives.
                "jit": "off",
                # So are they planned once for each connection: planning one anew takes longer than running it, and
                # PostgreSQL would do so whenever arrays are parameters (decision 0042).
                "plan_cache_mode": "force_generic_plan",
                # One statement takes one core: with parallel workers, one tenant's sums take all of them.
                "max_parallel_workers_per_gather": "0",
            },
        )
        common = _Common(
            KeptConnections(pool, acquire_timeout_seconds),
            acquire_timeout_seconds,
            None
            if read_timeout_seconds == STATEMENT_TIMEOUT_SECONDS
            else STATEMENT_TIMEOUT_SECONDS,
            keys,
        )
        # Whoever acts for no tenant may have everything.
        return cls(common, Share(pool_size_max), Share(LONG_READS_MAX))

    def on_behalf_of(self, tenant: Hashable) -> Database:
        """Return the same database for the work of one tenant: it waits in turn with others, and holds its share at most."""
        tenants = self._common.tenants
        database = tenants.get(tenant)
        if database is None:
            if len(tenants) >= TENANTS_MAX:
                for name in [name for name, other in tenants.items() if other.is_idle]:
                    del tenants[name]
            share = Share(max(1, self._connections.size_max * TENANT_TENTHS // 10))
            long_reads = Share(LONG_READS_OF_TENANT_MAX)
            database = tenants[tenant] = Database(self._common, share, long_reads)
        return database

    @property
    def is_idle(self) -> bool:
        """Tell whether nothing is done, and nobody waits, on behalf of this tenant."""
        return self._share.is_idle and self._long_reads.is_idle

    @property
    def keys(self) -> Keys:
        """Return the keys that values of this database are sealed with."""
        return require(self._common.keys)

    async def close(self) -> None:
        """Wait for borrowed connections to come back, then close them all."""
        await self._connections.close()

    def connection(self) -> ReadLending:
        """Lend a connection for reads outside a database transaction, for the time of an `async with` block.

        Raises:
            DeadlineExceeded: in the block, a statement took longer than reads may.
            Overloaded: in the block, none came free in time, or the server is too busy or went away.
        """
        return ReadLending(self._connections, self._share)

    def long_reading(self) -> LongReadLending:
        """Lend a connection for reads that may take long, such as sums over a history: few at one time, tenants in turn.

        Raises:
            DeadlineExceeded: as `connection` does.
            Overloaded: as `connection` does, or it was not this one's turn in time.
        """
        common = self._common
        return LongReadLending(
            self._connections,
            self._share,
            common.long_reads,
            self._long_reads,
            common.acquire_timeout_seconds,
        )

    def transaction(self, lock_timeout_seconds: float | None = None) -> Transaction:
        """Lend a connection inside one READ COMMITTED database transaction: commit on success, else roll back.

        Neither beginning nor a lock time-out of its own costs a round trip; committing costs none if the last statement was
        given to `write`.
        """
        return Transaction(
            self._connections,
            self._share,
            lock_timeout_seconds,
            self._common.transaction_timeout_seconds,
        )

    @asynccontextmanager
    async def operator_transaction(self) -> AsyncIterator[Connection]:
        """Lend a connection inside one database transaction as the operator's role, which a process that serves cannot take.

        One round trip more than `transaction`.

        Raises:
            OperatorNeeded: whoever logged in may not take it either.
        """
        async with self.transaction() as connection:
            try:
                await connection.execute(f"SET LOCAL ROLE {OPERATOR_ROLE}")
            except asyncpg.InsufficientPrivilegeError as error:
                raise OperatorNeeded(
                    f"MIGRATION_DATABASE_URL must name a login that may take the role {OPERATOR_ROLE}."
                ) from error
            yield connection

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
            except (*TOO_BUSY, *UNUSABLE) as error:
                raise to_overloaded(error) from error
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

    async def leave_server(self) -> None:
        """Use none of the present connections again: their server cannot be written to."""
        await self._connections.leave_server()


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


def _connect_with(connector: Connector, keys: Keys | None) -> Callable[..., Awaitable[Any]]:
    """Return how the pool makes a connection, of which it names the driver's options."""
    watch = SilenceWatch(connector)

    async def connect(_: object, **options: Any) -> Any:
        async def prepare(connection: PipeliningConnection) -> None:
            connection.own_keys = keys
            await use_codecs(connection)
            await check_session(connection, options["server_settings"])

        connection = await connector.connect(prepare, **options)
        watch.add(connection)
        return connection

    return connect


async def _discard_nothing(_: object) -> None:
    return
