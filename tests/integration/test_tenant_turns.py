"""Tenants take turns for connections, none can hold all of them, and what must not wait has its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.app import create_application
from gateway.errors import DeadlineExceeded, ErrorCode, Overloaded
from gateway.ids import new_id
from gateway.settings import Settings
from gateway.storage.count_store import COUNTED_MAX, count_each_up_to_max, count_up_to_max
from gateway.storage.database import Database
from tests.api.toy_http import started
from tests.world import open_world


@pytest.fixture
async def narrow(database_url: str) -> AsyncIterator[Database]:
    """Open a pool of one connection."""
    database = await Database.open(database_url, pool_size_max=1, acquire_timeout_seconds=5)
    yield database
    await asyncio.wait_for(database.close(), 10)


@pytest.fixture
async def hasty(database_url: str) -> AsyncIterator[Database]:
    """Open a pool of ten in which nobody waits long, and reads take at most a tenth of a second."""
    database = await Database.open(
        database_url, pool_size_max=10, acquire_timeout_seconds=0.1, read_timeout_seconds=0.1
    )
    yield database
    await asyncio.wait_for(database.close(), 10)


async def test_tenants_take_turns_for_connections(narrow: Database) -> None:
    order: list[str] = []

    async def use(tenant: str) -> None:
        async with narrow.on_behalf_of(tenant).connection() as connection:
            order.append(tenant)
            await connection.fetchval("SELECT pg_sleep(0.001)")

    async def write(tenant: str) -> None:
        async with narrow.on_behalf_of(tenant).transaction() as connection:
            order.append(tenant)
            await connection.fetchval("SELECT pg_sleep(0.001)")

    async with narrow.connection():
        tasks = [asyncio.create_task(use("busy")) for _ in range(20)]
        await asyncio.sleep(0)
        tasks += [asyncio.create_task(work("other")) for work in (use, write)]
        await asyncio.sleep(0)
    await asyncio.gather(*tasks)
    assert order == ["busy", "other", "busy", "other", *["busy"] * 18]


async def test_a_tenant_leaves_connections_for_others(hasty: Database) -> None:
    busy, other = hasty.on_behalf_of("busy"), hasty.on_behalf_of("other")
    async with AsyncExitStack() as stack:
        for number in range(6):
            lending = busy.transaction() if number % 2 else busy.connection()
            await stack.enter_async_context(lending)
        with pytest.raises(Overloaded):
            await busy.fetch("SELECT 1")
        for _ in range(4):
            await stack.enter_async_context(other.connection())
    assert (busy.is_idle, other.is_idle) == (True, True)
    assert [row[0] for row in await busy.fetch("SELECT 1")] == [1]


async def test_connections_that_are_kept_ready_are_left_for_others_too(hasty: Database) -> None:
    busy = hasty.on_behalf_of("busy")
    async with AsyncExitStack() as stack:
        for _ in range(10):
            await stack.enter_async_context(hasty.connection())
    async with AsyncExitStack() as stack:
        for _ in range(6):
            await stack.enter_async_context(busy.connection())
        with pytest.raises(Overloaded):
            await busy.fetch("SELECT 1")


async def test_grants_that_share_a_commit_are_counted_in_their_tenants_share(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = (await open_world(database)).grouped()
    used: list[Database] = []
    run_transaction = Database.run_transaction

    def note(self: Database, *arguments: Any, **named: Any) -> Any:
        used.append(self)
        return run_transaction(self, *arguments, **named)

    monkeypatch.setattr(Database, "run_transaction", note)
    await asyncio.gather(*(world.grant_cash(f"g{number}", world.members[0]) for number in range(6)))
    # Some alone, the others in groups.
    assert 1 < len(used) < 6
    assert set(used) == {database.on_behalf_of(world.caller.tenant_id)}


async def test_a_tenant_of_a_pool_of_one_may_have_it(narrow: Database) -> None:
    assert [row[0] for row in await narrow.on_behalf_of("any").fetch("SELECT 1")] == [1]


async def test_a_share_is_free_again_whatever_became_of_its_connections(hasty: Database) -> None:
    busy = hasty.on_behalf_of("busy")

    async def fail() -> None:
        async with busy.connection() as connection:
            connection.terminate()
            raise ValueError

    async def leave() -> None:
        async with busy.connection():
            await asyncio.sleep(10)

    for _ in range(4):
        with pytest.raises(ValueError, match=r"^$"):
            await fail()
        tasks = [asyncio.create_task(leave()) for _ in range(9)]
        await asyncio.sleep(0.02)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    assert busy._share.held == 0
    async with AsyncExitStack() as stack:
        for _ in range(6):
            await stack.enter_async_context(busy.connection())


async def test_a_read_that_takes_too_long_is_told_so_and_a_transaction_may_take_longer(
    hasty: Database,
) -> None:
    with pytest.raises(DeadlineExceeded) as told:
        await hasty.fetch("SELECT pg_sleep(5)")
    assert told.value.code is ErrorCode.DEADLINE_EXCEEDED
    async with hasty.transaction() as connection:
        await connection.fetchval("SELECT pg_sleep(0.2)")
    # What the transaction was allowed has ended with it.
    with pytest.raises(DeadlineExceeded):
        await hasty.fetch("SELECT pg_sleep(5)")


async def test_long_reads_of_a_tenant_run_one_by_one_and_leave_room_for_another(
    hasty: Database,
) -> None:
    busy, other, third = map(hasty.on_behalf_of, ("busy", "other", "third"))
    async with busy.long_reading():
        with pytest.raises(Overloaded):
            await busy.long_reading().__aenter__()
        async with other.long_reading():
            # Two at one time, whoever asks.
            with pytest.raises(Overloaded):
                await third.long_reading().__aenter__()
            # Other reads go on.
            assert await busy.fetch("SELECT 1")
    async with third.long_reading() as connection:
        assert await connection.fetchval("SELECT 1") == 1
    assert (busy.is_idle, other.is_idle, third.is_idle) == (True, True, True)


async def test_tenants_at_rest_are_forgotten(
    narrow: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.storage.database.TENANTS_MAX", 3)
    working = narrow.on_behalf_of("working")
    async with working.connection():
        for number in range(9):
            narrow.on_behalf_of(number)
        assert narrow.on_behalf_of("working") is working
    assert len(narrow._common.tenants) <= 3


async def test_the_gateway_is_ready_while_all_its_connections_are_in_use(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Database] = []
    open_database = Database.open

    async def open_and_note(url: str, **options: object) -> Database:
        opened.append(await open_database(url, **options))  # type: ignore[arg-type]
        return opened[-1]

    monkeypatch.setattr(Database, "open", open_and_note)
    settings = Settings(data_dir=tmp_path, database_pool_size_max=1)
    application = create_application(settings, database_url)
    async with started(application), opened[0].connection():
        transport = httpx.ASGITransport(application)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            response = await client.get("/health/ready")
        # Jobs have theirs too.
        assert await opened[1].fetch("SELECT 1")
    assert (response.status_code, response.json()) == (200, {"status": "ready"})


async def test_one_statement_takes_one_core(hasty: Database) -> None:
    rows = await hasty.fetch("SELECT current_setting('max_parallel_workers_per_gather')")
    assert [row[0] for row in rows] == ["0"]


async def test_lists_are_counted_up_to_a_bound(database: Database) -> None:
    for length, counted in ((7, 7), (COUNTED_MAX, COUNTED_MAX), (COUNTED_MAX + 9, COUNTED_MAX)):
        statement = count_up_to_max(f"generate_series(1, {length})")
        assert [row[0] for row in await database.fetch(statement)] == [counted]
    ids = [new_id(), new_id()]
    source = "generate_series(1, CASE wanted.id WHEN $2::uuid THEN 200000 ELSE 3 END)"
    rows = await database.fetch(count_each_up_to_max(source, "$1"), ids, ids[0])
    assert {row[0]: row[1] for row in rows} == {ids[0]: COUNTED_MAX, ids[1]: 3}
