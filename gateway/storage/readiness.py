"""Whether a gateway can serve: it can write, in the schema that it knows, with the rights and the keys that it needs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeAlias

import asyncpg

from gateway.errors import RewardsError
from gateway.storage.connecting import NoServer
from gateway.storage.database import Database
from gateway.storage.database_errors import ERRORS
from gateway.storage.migrate import migration_ids
from gateway.storage.readiness_store import fetch_migrations, fetch_state, try_to_write

# Whoever asks more often gets the same answer.
KEPT_SECONDS: Final = 1.0
# The words for errors of the database, by the first class that fits.
WORDS: Final[tuple[tuple[type[BaseException], str], ...]] = (
    (asyncpg.TargetServerAttributeNotMatched, "read_only"),
    (NoServer, "database_unreachable"),
    (asyncpg.TooManyConnectionsError, "database_full"),
    (asyncpg.DiskFullError, "disk_full"),
    (asyncpg.InsufficientPrivilegeError, "missing_rights"),
    (asyncpg.InvalidAuthorizationSpecificationError, "login_refused"),
    (asyncpg.InvalidCatalogNameError, "no_database"),
    (asyncpg.ReadOnlySQLTransactionError, "read_only"),
    (asyncpg.PostgresSystemError, "disk_fault"),
)
OTHER: Final = "database_unusable"

# Returns a reason against, in one word, or None.
Check: TypeAlias = Callable[[Database], Awaitable[str | None]]


class Readiness:
    """Asks on connections of its own, so that no load on the others makes it say no."""

    def __init__(self, database: Database, checks: Sequence[Check] = ()) -> None:
        """Take a pool that nobody else uses, and further checks, such as of keys, made when all else is well."""
        self._database = database
        self._checks = checks
        self._expected = migration_ids()
        # Set once the schema was exactly the one that this gateway knows.
        self._was_current = False
        self._asking: asyncio.Task[tuple[str, ...]] | None = None
        self._asked_at = float("-inf")

    async def find_reasons(self) -> tuple[str, ...]:
        """Return the reasons why nothing can be served, in words without internals; none if it can.

        At most one question is under way, and its answer holds for a second. Round trips: three, and two for each check.
        """
        loop = asyncio.get_running_loop()
        if self._asking is None or (
            self._asking.done() and loop.time() - self._asked_at >= KEPT_SECONDS
        ):
            self._asked_at = loop.time()
            self._asking = loop.create_task(self._ask())
        return await asyncio.shield(self._asking)

    async def _ask(self) -> tuple[str, ...]:
        try:
            reason = await self._find_reason()
            if reason == "read_only":
                # Another server may have taken over.
                await self._database.leave_server()
        except RewardsError as error:
            reason = _word_for(error.__cause__)
        except (asyncpg.PostgresError, OSError) as error:
            reason = _word_for(error)
        return () if reason is None else (reason,)

    async def _find_reason(self) -> str | None:
        async with self._database.connection() as connection:
            state = await fetch_state(connection)
            if state["is_read_only"]:
                return "read_only"
            if state["missing_tables"]:
                return "schema_older" if self._was_current else "no_schema"
            if state["missing_rights"]:
                return "missing_rights"
            ran = await fetch_migrations(connection)
        if reason := self._judge(ran):
            return reason
        if ERRORS.is_unwritable:
            async with self._database.transaction() as connection:
                await try_to_write(connection)
            ERRORS.is_unwritable = False
        for check in self._checks:
            if reason := await check(self._database):
                return reason
        return None

    def _judge(self, ran: set[str]) -> str | None:
        """Compare migrations. Who has served before may go on while a newer gateway takes over; nobody starts so."""
        if self._expected - ran:
            return "schema_older"
        if ran == self._expected:
            self._was_current = True
        return None if self._was_current else "schema_newer"


def _word_for(error: BaseException | None) -> str:
    chain = []
    while error is not None:
        chain.append(error)
        error = error.__cause__
    fitting = (word for kind, word in WORDS if any(isinstance(one, kind) for one in chain))
    return next(fitting, OTHER)
