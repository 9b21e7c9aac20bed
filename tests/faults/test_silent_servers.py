"""A server that freezes without closing anything is left within seconds, for another or for itself when it is back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import asyncpg
import pytest

from gateway.errors import Overloaded
from gateway.storage import silence
from gateway.storage.connection import Connection
from gateway.storage.database import Database
from gateway.verifying.verify import verify
from tests.faults.test_servers import address_of
from tests.forwarder import Forwarder
from tests.sealing import KEYS
from tests.world import open_world

LOOK_SECONDS = 0.05


@pytest.fixture(autouse=True)
def quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(silence, "LOOK_SECONDS", LOOK_SECONDS)


@pytest.fixture
async def open_pool(
    pristine_database_url: str, first: Forwarder
) -> AsyncIterator[Callable[..., Awaitable[Database]]]:
    """Return a function that opens a pool on the first server, or on several."""
    opened: list[Database] = []

    async def open_one(*servers: Forwarder) -> Database:
        url = address_of(pristine_database_url, *(servers or (first,)))
        opened.append(await Database.open(url, pool_size_max=3, keys=KEYS))
        return opened[-1]

    yield open_one
    first.thaw()
    for database in opened:
        await database.close()


async def test_another_server_takes_over_from_one_that_is_frozen(
    pristine_database_url: str,
    first: Forwarder,
    second: Forwarder,
    open_pool: Callable[..., Awaitable[Database]],
    caplog: pytest.LogCaptureFixture,
):
    """A write is under way and others wait, when it freezes; each is done once, at the other server."""
    direct = await Database.open(pristine_database_url, keys=KEYS)
    world = await open_world(direct)
    database = await open_pool(first, second)
    through = replace(world, database=database)
    member = world.members[0]
    await through.distribute("before", [(member, 1, 0)])
    first.freeze()
    async with asyncio.timeout(20):
        await asyncio.gather(
            *(through.distribute(f"key-{number}", [(member, 1, 0)]) for number in range(8))
        )
    assert await world.points_of(member) == 9
    assert second.connection_count > 0
    assert await verify(direct) == []
    assert [
        line.__dict__["facts"]["server"] for line in caplog.records if line.msg == "database silent"
    ] == [f"('127.0.0.1', {first.port})"]
    await direct.close()


@pytest.mark.parametrize("frozen_before", ["read", "transaction", "commit"])
async def test_only_server_is_refused_while_frozen_and_used_again_afterwards(
    first: Forwarder, open_pool: Callable[..., Awaitable[Database]], frozen_before: str
):
    database = await open_pool()
    await database.fetch("SELECT 1")

    async def write(connection: Connection) -> None:
        if frozen_before == "transaction":
            first.freeze()
        await connection.fetch("SELECT 1")
        await connection.write("SELECT $1::int", 1)
        first.freeze()

    if frozen_before == "read":
        first.freeze()
        call: asyncio.Task[Any] = asyncio.create_task(database.fetch("SELECT 1"))
    else:
        call = asyncio.create_task(database.run_transaction(write))
    await asyncio.wait([call], timeout=30)
    assert isinstance(call.exception(), Overloaded)
    first.thaw()
    assert (await database.fetch("SELECT 1"))[0][0] == 1


async def test_statement_that_takes_long_is_waited_for(
    first: Forwarder, open_pool: Callable[..., Awaitable[Database]]
):
    """Nobody else asks anything meanwhile: the server is asked, answers, and is not left."""
    database = await open_pool()
    seconds = LOOK_SECONDS * silence.SILENT_LOOKS_MAX * 6
    before = first.connection_count
    await database.fetch("SELECT pg_sleep($1)", seconds)
    assert first.connection_count > before + 1


async def test_answer_that_was_lost_is_not_waited_for(
    first: Forwarder,
    second: Forwarder,
    open_pool: Callable[..., Awaitable[Database]],
    monkeypatch: pytest.MonkeyPatch,
):
    """One connection is dead and its server answers others: time alone tells."""
    monkeypatch.setattr(silence, "OVERDUE_LOOKS_MAX", 4 * silence.SILENT_LOOKS_MAX)
    database = await open_pool()
    asked = 0

    async def answer(_: object, address: object) -> None:
        nonlocal asked
        asked += 1

    monkeypatch.setattr("gateway.storage.connecting.Connector.ask", answer)
    await database.fetch("SELECT 1")
    first.freeze()
    with pytest.raises(Overloaded):
        async with asyncio.timeout(20):
            await database.fetch("SELECT 1")
    assert asked > 0


@pytest.mark.parametrize("is_writing", [True, False])
async def test_whoever_gives_up_on_a_frozen_server_is_let_go(
    first: Forwarder,
    open_pool: Callable[..., Awaitable[Database]],
    monkeypatch: pytest.MonkeyPatch,
    is_writing: bool,
):
    """As a request at its deadline does: its connection is cut off, not waited for, and never lent again."""
    monkeypatch.setattr(silence, "SILENT_LOOKS_MAX", 1_000_000)
    monkeypatch.setattr(silence, "OVERDUE_LOOKS_MAX", 1_000_000)
    monkeypatch.setattr("gateway.storage.lending.ROLL_BACK_SECONDS_MAX", 0.1)
    monkeypatch.setattr("gateway.storage.kept_connections.RETURN_SECONDS_MAX", 0.1)
    database = await open_pool()
    lent: list[Connection] = []
    is_frozen = asyncio.Event()

    async def work(connection: Connection) -> None:
        lent.append(connection)
        await connection.fetch("SELECT 1")
        first.freeze()
        is_frozen.set()
        await connection.fetch("SELECT 2")

    async def read() -> None:
        async with database.connection() as connection:
            await work(connection)

    task = asyncio.create_task(database.run_transaction(work) if is_writing else read())
    await is_frozen.wait()
    await asyncio.sleep(0.1)
    task.cancel()
    await asyncio.wait([task], timeout=10)
    assert task.cancelled()
    assert len(lent) == 1
    first.thaw()
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT 3") == 3
    with pytest.raises((asyncpg.InterfaceError, AttributeError)):
        await lent[0].fetch("SELECT 4")


async def test_closing_does_not_wait_for_a_frozen_server(
    pristine_database_url: str, first: Forwarder, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("gateway.storage.kept_connections.CLOSE_SECONDS_MAX", 0.2)
    database = await Database.open(address_of(pristine_database_url, first))
    await database.fetch("SELECT 1")
    first.freeze()
    async with asyncio.timeout(10):
        await database.close()
