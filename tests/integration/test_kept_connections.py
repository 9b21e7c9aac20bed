"""Connections that are kept ready between two uses: which are, which are not, and who gets them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gateway.errors import Overloaded
from gateway.storage import kept_connections
from gateway.storage.database import Database

BACKEND = "SELECT pg_backend_pid()"
# As PostgreSQL's protocol has it: E, the length, the fields, each ended by a zero.
_FIELDS = b"SFATAL\0VFATAL\0C57P01\0Mterminating connection due to administrator command\0\0"
ENDS = b"E" + (4 + len(_FIELDS)).to_bytes(4, "big") + _FIELDS


async def backend_of(database: Database) -> int:
    backend: int = (await database.fetch(BACKEND))[0][0]
    return backend


def count_connections(database: Database) -> int:
    return database._connections._pool.get_size()


@pytest.fixture
async def narrow(database_url: str):
    """Open a pool of one connection, for which nobody waits long."""
    database = await Database.open(database_url, pool_size_max=1, acquire_timeout_seconds=0.2)
    yield database
    await asyncio.wait_for(database.close(), 10)


@pytest.fixture
async def wide(database_url: str):
    """Open a pool of three connections."""
    database = await Database.open(database_url, pool_size_max=3, acquire_timeout_seconds=5)
    yield database
    await asyncio.wait_for(database.close(), 10)


async def test_a_connection_is_used_again(wide: Database):
    first = await backend_of(wide)
    assert [await backend_of(wide) for _ in range(3)] == [first] * 3
    async with wide.transaction() as connection:
        assert await connection.fetchval(BACKEND) == first


async def test_no_two_have_the_same_connection(wide: Database):
    await backend_of(wide)
    in_use: set[int] = set()

    async def use() -> None:
        async with wide.connection() as connection:
            backend = await connection.fetchval(BACKEND)
            assert backend not in in_use
            in_use.add(backend)
            await connection.fetchval("SELECT pg_sleep(0.001)")
            in_use.remove(backend)

    await asyncio.gather(*(use() for _ in range(200)))
    assert count_connections(wide) == 3


async def test_who_waits_gets_what_comes_back(narrow: Database):
    entered = asyncio.Event()

    async def hold() -> None:
        async with narrow.connection():
            entered.set()
            await asyncio.sleep(0.05)

    holder = asyncio.create_task(hold())
    await entered.wait()
    backends = await asyncio.gather(*(backend_of(narrow) for _ in range(5)))
    await holder
    assert len(set(backends)) == 1


async def test_connections_go_to_those_who_wait_in_their_order(narrow: Database):
    order: list[int] = []

    async def use(number: int) -> None:
        async with narrow.connection() as connection:
            order.append(number)
            await connection.fetchval("SELECT pg_sleep(0.001)")

    await asyncio.gather(*(use(number) for number in range(20)))
    assert order == list(range(20))


async def test_who_waits_for_a_connection_that_breaks_gets_another(narrow: Database):
    async def hold(entered: asyncio.Event) -> None:
        async with narrow.connection() as connection:
            entered.set()
            await asyncio.sleep(0.05)
            connection.terminate()

    for _ in range(3):
        entered = asyncio.Event()
        holder = asyncio.create_task(hold(entered))
        await entered.wait()
        backends = await asyncio.gather(*(backend_of(narrow) for _ in range(3)))
        await holder
        assert len(set(backends)) == 1


async def test_a_connection_that_breaks_on_its_way_to_who_waits_is_not_missed(narrow: Database):
    """It is whole when it is handed on, and lost before the one who waits has gone on."""

    async def use() -> None:
        async with narrow.transaction() as connection:
            await connection.fetchval("SELECT 1")

    for _ in range(3):
        async with narrow.connection() as connection:
            waiting = asyncio.create_task(use())
            await asyncio.sleep(0.01)
            inner: Any = connection
            protocol = inner._con._protocol
        protocol.connection_lost(ConnectionResetError())
        await waiting
    assert narrow._connections._borrowed == 1
    assert await backend_of(narrow)


async def test_who_gives_up_as_its_turn_comes_takes_nothing_away(narrow: Database):
    """Whenever callers leave, the one connection remains for the others."""
    for pause in range(30):
        tasks = [asyncio.create_task(backend_of(narrow)) for _ in range(6)]
        for _ in range(pause):
            await asyncio.sleep(0)
        for task in tasks[::2]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert [task.cancelled() for task in tasks[1::2]] == [False] * 3
        assert await backend_of(narrow)
    assert narrow._connections._borrowed == 1


async def test_waiting_ends_in_time_and_leaves_nothing_behind(narrow: Database):
    async with narrow.connection():
        with pytest.raises(Overloaded):
            await backend_of(narrow)
    first = await backend_of(narrow)
    assert await backend_of(narrow) == first


async def test_a_connection_that_was_lost_while_it_was_kept_is_not_lent(wide: Database):
    async with wide.connection() as outer:
        kept = await backend_of(wide)
        await outer.fetchval("SELECT pg_terminate_backend($1, 5000)", kept)
    for _ in range(3):
        assert await backend_of(wide) != kept


@pytest.mark.parametrize("is_failing", [False, True])
async def test_a_connection_with_an_open_transaction_is_closed(narrow: Database, is_failing: bool):
    first = await backend_of(narrow)

    async def leave_open() -> None:
        async with narrow.connection() as connection:
            await connection.execute("BEGIN")
            if is_failing:
                raise asyncio.CancelledError

    if is_failing:
        with pytest.raises(asyncio.CancelledError):
            await leave_open()
    else:
        await leave_open()
    assert await backend_of(narrow) != first


async def test_a_cancelled_statement_does_not_disturb_the_next_use(narrow: Database):
    for _ in range(5):
        task = asyncio.create_task(narrow.fetch("SELECT pg_sleep(5)"))
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert [row[0] for row in await narrow.fetch("SELECT 1")] == [1]


async def test_idle_connections_go_back_to_the_pool(
    wide: Database, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(kept_connections, "KEPT_SECONDS", 0.05)
    pool = wide._connections._pool
    await backend_of(wide)
    assert pool.get_idle_size() == 0
    await asyncio.sleep(0.2)
    assert pool.get_idle_size() == 1
    await backend_of(wide)
    assert pool.get_idle_size() == 0


async def test_a_busy_connection_goes_back_now_and_then(
    narrow: Database, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(kept_connections, "USES_BETWEEN_RETURNS", 3)
    pool = narrow._connections._pool
    idle = []
    for _ in range(6):
        await backend_of(narrow)
        idle.append(pool.get_idle_size())
    assert idle == [0, 0, 1, 0, 0, 1]


async def test_closing_waits_for_what_is_in_use(database_url: str):
    database = await Database.open(database_url, pool_size_max=2)
    await backend_of(database)
    entered, ended = asyncio.Event(), False

    async def use() -> None:
        nonlocal ended
        async with database.connection() as connection:
            entered.set()
            await asyncio.sleep(0.05)
            await connection.fetchval("SELECT 1")
        ended = True

    user = asyncio.create_task(use())
    await entered.wait()
    await asyncio.wait_for(database.close(), 10)
    assert ended
    await user


async def test_a_pool_closes_though_what_gave_connections_back_was_cancelled(wide: Database):
    await backend_of(wide)
    connections = wide._connections
    connections._return_kept_soon()
    assert connections._returning is not None
    connections._returning.cancel()
    await wide.close()
    assert count_connections(wide) == 0


@pytest.mark.parametrize("lock_timeout_seconds", [None, 1.0])
async def test_work_is_done_again_if_the_end_of_the_server_is_read_before_it_is_felt(
    narrow: Database, lock_timeout_seconds: float | None
):
    """A server process says that it ends, and closes the connection a moment later: rows may be sent in between."""
    attempts = 0

    async def work(connection: Any) -> int:
        nonlocal attempts
        attempts += 1
        await connection.execute("CREATE TEMPORARY TABLE numbers (number int) ON COMMIT DROP")
        await connection.copy_records_to_table("numbers", records=[(1,)])
        if attempts == 1:
            connection._con._protocol.data_received(ENDS)
        await connection.copy_records_to_table("numbers", records=[(2,)])
        return int(await connection.fetchval(BACKEND))

    first = await backend_of(narrow)
    second = await narrow.run_transaction(work, lock_timeout_seconds=lock_timeout_seconds)
    assert (attempts, second != first) == (2, True)
    assert await backend_of(narrow) == second
