"""Database transactions: begun with the first statement, committed with the last, and what becomes of errors in either."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest

from gateway.access import Caller
from gateway.errors import Overloaded
from gateway.ids import new_id
from gateway.operations.groups import Failed, Groups
from gateway.operations.model import OperationKind, Request
from gateway.storage.connection import NotCommitted
from gateway.storage.database import Connection, Database
from gateway.storage.database_errors import PASSING
from tests.catalog import Shop
from tests.use_cases import counting


@dataclass(frozen=True, slots=True)
class KeyedJob:
    """A job of a group that does nothing."""

    key: str
    line_count: int = 1

    @property
    def keys(self) -> frozenset[str]:
        """Return its key."""
        return frozenset({self.key})


ADD = "INSERT INTO tried (number) VALUES ($1)"
# Fails at the statement's end.
ADD_TWICE = "INSERT INTO tried (number) SELECT $1::int FROM generate_series(1, 2)"


async def within(database: Database, work: Callable[[Connection], Awaitable[None]]) -> None:
    """Do the work in a database transaction."""
    async with database.transaction() as connection:
        await work(connection)


@pytest.fixture
async def owner(owner_database_url: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    connection = await asyncpg.connect(owner_database_url)
    yield connection
    await connection.close()


@pytest.fixture
async def numbers(owner: asyncpg.Connection[asyncpg.Record]) -> Any:
    """Make a table whose numbers are unique, and another that notices at the commit only; return how to read the first."""
    await owner.execute("""
        CREATE TABLE tried (number integer PRIMARY KEY);
        CREATE TABLE checked_late (number integer UNIQUE DEFERRABLE INITIALLY DEFERRED);
        GRANT ALL ON tried, checked_late TO rewards_gateway
    """)

    async def read() -> list[int]:
        return [row[0] for row in await owner.fetch("SELECT number FROM tried ORDER BY number")]

    yield read
    await owner.execute("DROP TABLE tried, checked_late")


async def is_usable(database: Database) -> bool:
    return [row[0] for row in await database.fetch("SELECT 1")] == [1]


async def test_what_is_done_in_a_block_is_there_after_it_and_not_before(
    database: Database, numbers: Any
):
    async with database.transaction() as connection:
        await connection.execute(ADD, 1)
        await connection.write(ADD, 2)
        assert await numbers() == []
    assert await numbers() == [1, 2]


@pytest.mark.parametrize("lock_timeout_seconds", [None, 0.25])
async def test_round_trips(database_url: str, numbers: Any, lock_timeout_seconds: float | None):
    async with counting(database_url) as (database, statements):
        for number in range(2):
            await asyncio.sleep(0)
            statements.clear()
            async with database.transaction(lock_timeout_seconds) as connection:
                await connection.fetch("SELECT 1")
                await connection.write(ADD, number)
            await asyncio.sleep(0)
            assert statements == ["SELECT 1", ADD]
    assert await numbers() == [0, 1]


async def test_a_lock_time_out_lasts_as_long_as_its_transaction(database: Database):
    async with database.transaction(0.123) as connection:
        assert await connection.fetchval("SHOW lock_timeout") == "123ms"
        assert await connection.fetchval("SHOW transaction_isolation") == "read committed"
    async with database.transaction() as connection:
        assert await connection.fetchval("SHOW lock_timeout") == "5s"
    assert (await database.fetch("SHOW lock_timeout"))[0][0] == "5s"


async def test_what_is_written_is_seen_by_what_follows(database: Database, numbers: Any):
    def rows() -> list[tuple[int]]:
        return [(4,), (5,)]

    async with database.transaction() as connection:
        await connection.write(ADD, 1)
        assert await connection.fetchval("SELECT count(*) FROM tried") == 1
        await connection.write(ADD, 2)
        await connection.write(ADD, 3)
        await connection.copy_records_to_table("tried", columns=["number"], records=rows())
        await connection.write("UPDATE tried SET number = number + $1", 10)
        await connection.executemany(ADD, [(6,), (7,)])
        await connection.write("UPDATE tried SET number = number + $1", 100)
        # Without parameters it goes another way.
        await connection.execute("DELETE FROM tried WHERE number < 110")
    assert await numbers() == [111, 112, 113, 114, 115]


async def test_what_is_written_is_seen_by_a_read_that_is_prepared(database: Database, numbers: Any):
    """Prepared statements go a shorter way."""
    higher = "SELECT number FROM tried WHERE number > $1"
    async with database.transaction() as connection:
        assert [row[0] for row in await connection.fetch(higher, 0)] == []
        await connection.write(ADD, 1)
        assert [row[0] for row in await connection.fetch(higher, 0)] == [1]


@pytest.mark.parametrize("ending", ["fails", "is refused", "is cancelled"])
async def test_what_is_written_is_forgotten_with_the_rest(
    database: Database, numbers: Any, ending: str
):
    async def work(connection: Connection) -> None:
        await connection.write(ADD, 1)
        if ending == "fails":
            raise ZeroDivisionError
        if ending == "is refused":
            await connection.fetch("SELECT 1 / 0")
        asyncio.get_running_loop().call_later(0.05, task.cancel)
        await connection.fetch("SELECT pg_sleep(5)")

    task = asyncio.ensure_future(within(database, work))
    with pytest.raises((ZeroDivisionError, asyncpg.DivisionByZeroError, asyncio.CancelledError)):
        await task
    assert await numbers() == []
    async with database.transaction() as connection:
        await connection.execute(ADD, 9)
    assert await numbers() == [9]


async def test_an_error_in_what_is_written_last_undoes_everything(database: Database, numbers: Any):
    async def work(connection: Connection) -> None:
        await connection.execute(ADD, 1)
        await connection.write(ADD_TWICE, 2)

    with pytest.raises(asyncpg.UniqueViolationError, match="tried_pkey"):
        await within(database, work)
    assert await numbers() == []
    assert await is_usable(database)


@pytest.mark.parametrize("is_written", [True, False])
async def test_an_error_of_the_commit_undoes_everything(
    database: Database, numbers: Any, is_written: bool
):
    async def work(connection: Connection) -> None:
        await connection.execute(ADD, 1)
        twice = "INSERT INTO checked_late SELECT $1::int FROM generate_series(1, 2)"
        await (connection.write if is_written else connection.execute)(twice, 2)

    with pytest.raises(asyncpg.UniqueViolationError, match="checked_late"):
        await within(database, work)
    assert await numbers() == []
    assert await is_usable(database)


async def test_an_argument_that_cannot_be_encoded_undoes_everything(
    database: Database, numbers: Any
):
    async def work(connection: Connection) -> None:
        await connection.execute(ADD, 1)
        await connection.write(ADD, "one")

    with pytest.raises(asyncpg.DataError):
        await within(database, work)
    assert await numbers() == []
    assert await is_usable(database)


@pytest.mark.parametrize("is_something_written", [True, False])
async def test_an_error_that_was_overheard_is_no_success(
    database: Database, numbers: Any, is_something_written: bool
):
    async def work(connection: Connection) -> None:
        await connection.execute(ADD, 1)
        with pytest.raises(asyncpg.DivisionByZeroError):
            await connection.fetch("SELECT 1 / 0")
        if is_something_written:
            await connection.write(ADD, 2)

    with pytest.raises((NotCommitted, asyncpg.InFailedSQLTransactionError)):
        await within(database, work)
    assert await numbers() == []
    assert await is_usable(database)


async def test_a_statement_that_is_not_prepared_yet_goes_before_its_commit(
    database: Database, numbers: Any
):
    async with database.transaction() as connection:
        await connection.execute(ADD, 1)
        # Never seen before on any connection, as the first of all and as the last.
        await connection.write("INSERT INTO tried (number) VALUES ($1 + 100)", 2)
    assert await numbers() == [1, 102]

    async def work(connection: Connection) -> None:
        await connection.execute(ADD, 3)
        await connection.write("INSERT INTO nowhere (number) VALUES ($1)", 4)

    with pytest.raises(asyncpg.UndefinedTableError):
        await within(database, work)
    assert await numbers() == [1, 102]


async def test_a_plan_that_is_no_longer_valid_undoes_everything(
    database: Database, numbers: Any, owner: asyncpg.Connection[asyncpg.Record]
):
    """The driver would send such a statement again where no transaction is open, so after it was rolled back."""
    returning = "INSERT INTO tried VALUES ($1) RETURNING *"

    async def write(number: int) -> None:
        async with database.transaction() as connection:
            await connection.execute(ADD, number)
            await connection.write(returning, number + 1)

    await write(1)
    await owner.execute("ALTER TABLE tried ADD COLUMN more integer")
    with pytest.raises(asyncpg.FeatureNotSupportedError):
        await write(3)
    assert await numbers() == [1, 2]


async def test_a_read_whose_plan_is_no_longer_valid_is_planned_anew(
    database: Database, numbers: Any, owner: asyncpg.Connection[asyncpg.Record]
):
    everything = "SELECT * FROM tried"

    async def read(connection: Connection) -> None:
        await connection.fetch(everything)

    async with database.transaction() as connection:
        await connection.write(ADD, 1)
    assert [tuple(row) for row in await database.fetch(everything)] == [(1,)]
    await owner.execute("ALTER TABLE tried ADD COLUMN more integer")
    assert [tuple(row) for row in await database.fetch(everything)] == [(1, None)]
    await owner.execute("ALTER TABLE tried ADD COLUMN most integer")
    # Within a database transaction the server goes on no more.
    with pytest.raises(asyncpg.InvalidCachedStatementError):
        await within(database, read)
    await within(database, read)


async def test_a_block_that_does_nothing(database: Database):
    async with database.transaction():
        pass
    with pytest.raises(ZeroDivisionError):
        async with database.transaction(0.5):
            raise ZeroDivisionError
    assert await is_usable(database)


async def test_a_dry_run_does_what_it_leaves_behind_nowhere(database: Database, numbers: Any):
    async def work(connection: Connection) -> None:
        await connection.write(ADD_TWICE, 1)

    with pytest.raises(asyncpg.UniqueViolationError):
        await database.run_transaction(work, dry_run=True)

    async def other_work(connection: Connection) -> None:
        await connection.write(ADD, 1)

    await database.run_transaction(other_work, dry_run=True)
    assert await numbers() == []


async def test_a_cursor_does_not_overlook_what_is_written(database: Database, numbers: Any):
    async def work(connection: Connection) -> None:
        await connection.write(ADD, 1)
        async for _ in connection.cursor("SELECT number FROM tried"):
            pass

    with pytest.raises(asyncpg.InterfaceError, match="still to be written"):
        await within(database, work)
    assert await numbers() == []


async def test_a_server_that_goes_away_before_the_first_statement(
    database: Database, owner: asyncpg.Connection[asyncpg.Record]
):
    async def work(connection: Connection) -> None:
        backend = connection.get_server_pid()
        await owner.fetchval("SELECT pg_terminate_backend($1, 5000)", backend)
        await connection.fetch("SELECT 1")

    with pytest.raises(
        (ConnectionError, asyncpg.PostgresConnectionError, asyncpg.AdminShutdownError)
    ):
        await within(database, work)
    assert await is_usable(database)


@pytest.mark.parametrize("then", ["fetch", "execute", "write", "send_written", "nothing"])
async def test_a_server_that_goes_away_in_the_middle_is_found_gone(
    database: Database, owner: asyncpg.Connection[asyncpg.Record], then: str
):
    async def work(connection: Connection) -> None:
        await connection.fetch("SELECT 1")
        await lose(connection)
        if then == "send_written":
            await connection.send_written()
        elif then != "nothing":
            await getattr(connection, then)("SELECT $1::int", 1)

    async def lose(connection: Connection) -> None:
        await owner.fetchval("SELECT pg_terminate_backend($1, 5000)", connection.get_server_pid())
        # So that this end has noticed.
        await asyncio.sleep(0.05)

    with pytest.raises(PASSING):
        await within(database, work)
    assert await is_usable(database)


async def test_work_is_done_again_where_the_server_went_away_before_a_write(
    database: Database, numbers: Any, owner: asyncpg.Connection[asyncpg.Record]
):
    attempts = 0

    async def work(connection: Connection) -> None:
        nonlocal attempts
        attempts += 1
        await connection.fetch("SELECT 1")
        if attempts == 1:
            backend = connection.get_server_pid()
            await owner.fetchval("SELECT pg_terminate_backend($1, 5000)", backend)
            await asyncio.sleep(0.05)
        await connection.write(ADD, attempts)

    await database.run_transaction(work)
    assert await numbers() == [2]


async def test_cancelled_commits_are_whole_or_not_at_all(database: Database, numbers: Any):
    """Whenever the caller gives up, two numbers are there or none, and the connection is of use to the next."""

    async def write(number: int) -> None:
        async with database.transaction() as connection:
            await connection.execute(ADD, number)
            await connection.write(ADD, -number)

    await write(1)
    for number in range(2, 60):
        task = asyncio.create_task(write(number))
        for _ in range(number % 12):
            await asyncio.sleep(0)
        await asyncio.sleep(0.0002 * (number % 5))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert await is_usable(database)
    found = await numbers()
    assert sorted(found) == sorted({-number for number in found})
    assert 1 in found


async def test_session_keeps_to_its_role_and_time_outs(database_url: str) -> None:
    """What is waited for without end would be waited for by everybody."""
    database = await Database.open(database_url, lock_timeout_seconds=1.5, read_timeout_seconds=2.5)
    try:
        (row,) = await database.fetch("""
            SELECT current_user, current_setting('lock_timeout'), current_setting('statement_timeout'),
                current_setting('idle_in_transaction_session_timeout')
        """)
        assert tuple(row) == ("rewards_gateway", "1500ms", "2500ms", "1min")
        async with database.transaction() as connection:
            assert await connection.fetchval("SHOW statement_timeout") == "1min"
    finally:
        await database.close()


async def test_work_that_deadlocks_is_done_again(
    database: Database, numbers: Any, owner: asyncpg.Connection[asyncpg.Record]
) -> None:
    """Two that lock the same rows in opposite order: one is broken off by the server and begins anew."""
    await owner.execute("INSERT INTO tried VALUES (1), (2)")
    both = asyncio.Barrier(2)
    attempts: list[int] = []

    async def lock(first: int, second: int) -> None:
        has_met = False

        async def work(connection: Connection) -> None:
            nonlocal has_met
            attempts.append(first)
            await connection.execute("SELECT FROM tried WHERE number = $1 FOR UPDATE", first)
            if not has_met:
                has_met = True
                await both.wait()
            await connection.execute("SELECT FROM tried WHERE number = $1 FOR UPDATE", second)

        await database.run_transaction(work)

    await asyncio.gather(lock(1, 2), lock(2, 1))
    assert len(attempts) == 3


async def test_server_without_room_is_busy_and_nothing_is_tried_again(database: Database) -> None:
    attempts: list[None] = []

    async def work(connection: Connection) -> None:
        attempts.append(None)
        await connection.execute("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '53200'; END $$")

    with pytest.raises(Overloaded):
        await database.run_transaction(work)
    assert len(attempts) == 1
    with pytest.raises(Overloaded):
        async with database.connection() as connection:
            await work(connection)


async def test_group_waits_for_a_lock_only_briefly(shop: Shop) -> None:
    """The others of a group wait with whoever waits; alone, a job waits as long as any other."""

    async def batch(
        connection: Connection, caller: Caller, jobs: Sequence[KeyedJob]
    ) -> list[tuple[int, str]]:
        return [(len(jobs), await connection.fetchval("SHOW lock_timeout")) for _ in jobs]

    groups = Groups(shop.database, batch)
    answers = await asyncio.gather(
        *(groups.run(shop.caller, KeyedJob(f"k{number}")) for number in range(8))
    )
    assert {is_group: timeout for size, timeout in answers for is_group in [size > 1]} == {
        False: "5s",
        True: "250ms",
    }


async def test_what_fails_in_a_group_is_done_again_alone(shop: Shop) -> None:
    """It may have failed for what others of the group did; whose key was decided before fails for good."""

    async def batch(
        connection: Connection, caller: Caller, jobs: Sequence[KeyedJob]
    ) -> list[str | Failed]:
        return [
            Failed(ZeroDivisionError(job.key), [to_request(job)] if job.key == "again" else [])
            if len(jobs) > 1 and job.key in {"again", "decided"}
            else f"{job.key} of {len(jobs)}"
            for job in jobs
        ]

    def to_request(job: KeyedJob) -> Request:
        return Request(OperationKind.GRANT_REWARD, job.key, {}, new_id())

    groups = Groups(shop.database, batch)
    keys = ["first", "second", "again", "decided", "fifth", "sixth"]
    answers = await asyncio.gather(
        *(groups.run(shop.caller, KeyedJob(key)) for key in keys), return_exceptions=True
    )
    assert answers[2] == "again of 1"
    assert isinstance(answers[3], ZeroDivisionError)
    assert not {"fifth of 1", "sixth of 1"} >= set(map(str, answers[4:]))
