"""Statements are prepared once a connection, however often, for whomever and for how many lines they run."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from gateway.expiring.jobs import expire_everywhere
from gateway.storage.database import STATEMENTS_KEPT_MAX, Database
from gateway.verifying.verify import verify
from tests.sealing import KEYS
from tests.use_cases import nobody_waiting
from tests.world import depend_on_everything, live_a_little, open_world

PREPARED = "SELECT name, statement FROM pg_prepared_statements"


@pytest.fixture
async def connection_alone(owner_database_url: str) -> AsyncIterator[Database]:
    """Open a pool of one connection, which runs everything."""
    database = await Database.open(owner_database_url, pool_size_max=1, keys=KEYS)
    yield database
    await database.close()


async def live(database: Database, line_count: int) -> None:
    """Make a tenant in which every operation happens, one of them with that many lines, and check it."""
    world = await open_world(database, member_count=line_count)
    await live_a_little(world)
    await depend_on_everything(world)
    await world.distribute("many", [(member, 5, 2) for member in world.members])
    await expire_everywhere(database)
    assert await verify(database, world.caller.tenant_id) == []


async def fetch_prepared(database: Database) -> dict[str, str]:
    return {row["name"]: row["statement"] for row in await database.fetch(PREPARED)}


async def test_nothing_is_prepared_twice(connection_alone: Database):
    """A statement that is prepared anew gets a new name, whether its text differs or it had been forgotten."""
    with nobody_waiting():
        await live(connection_alone, 3)
        first = await fetch_prepared(connection_alone)
        for line_count in (4, 40):
            await live(connection_alone, line_count)
    again = await fetch_prepared(connection_alone)
    assert {text for name, text in again.items() if name not in first} == set()
    assert again == first
    assert len(set(again.values())) == len(again) < STATEMENTS_KEPT_MAX
