"""A tenant that has nothing finds nothing under ids of another's rows."""

from __future__ import annotations

from datetime import UTC, datetime

import asyncpg

from gateway.grants.coupon_store import take_free_codes
from gateway.grants.store import fetch_grants, lock_grants
from gateway.ids import new_id
from gateway.members.store import find_members
from gateway.rewards.store import fetch_rewards
from gateway.storage.database import Database
from tests.world import live_a_little, open_world

NOW = datetime(2026, 12, 1, tzinfo=UTC)


async def test_ids_of_another_tenants_rows_find_nothing(
    database: Database, owner: asyncpg.Connection[asyncpg.Record]
) -> None:
    world = await open_world(database, codes=["first", "second", "third"])
    await live_a_little(world)
    caller, nobody_id = world.caller, new_id()
    grant_ids = [row["id"] for row in await owner.fetch("SELECT id FROM grants")]
    reward_ids = [row["id"] for row in await owner.fetch("SELECT id FROM rewards")]
    pool_id = await owner.fetchval("SELECT pool_id FROM codes WHERE status = 'FREE' LIMIT 1")
    wanted = [(None, str(member_id)) for member_id in world.members]
    found = {}
    for tenant_id in (caller.tenant_id, nobody_id):
        async with database.transaction() as connection:
            found[tenant_id] = [
                len(await fetch_grants(connection, tenant_id, grant_ids)),
                len(await lock_grants(connection, tenant_id, grant_ids)),
                len(await fetch_rewards(connection, tenant_id, caller.organization_id, reward_ids)),
                len(await take_free_codes(connection, tenant_id, {pool_id: 1}, NOW)),
                len(list(filter(None, await find_members(connection, tenant_id, wanted)))),
            ]
    assert 0 not in found[caller.tenant_id]
    assert found[nobody_id] == [0, 0, 0, 0, 0]
