"""A tenant that has nothing finds nothing under ids of another's rows."""

from __future__ import annotations

from datetime import UTC, datetime

import asyncpg

from gateway.expiring.store import has_due_grants, lock_due_grants
from gateway.grants.coupon_store import (
    DrawnCode,
    give_codes,
    take_free_codes,
    unassign,
    void_codes,
)
from gateway.grants.store import fetch_grants, lock_grants
from gateway.ids import new_id
from gateway.ledger.store import END_HOLDS
from gateway.members.store import find_members
from gateway.notifying.store import mark_read
from gateway.rewards.store import fetch_rewards
from gateway.storage.database import Database
from tests.clones import double_tenant, fingerprint
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


async def test_nothing_is_changed_under_ids_of_another_tenants_rows(
    database: Database, owner: asyncpg.Connection[asyncpg.Record]
) -> None:
    world = await open_world(database, codes=["first", "second", "third"])
    await live_a_little(world)
    await owner.execute("UPDATE grants SET expires_at = now() WHERE status = 'CONFIRMED'")
    before = await fingerprint(owner, world.caller.tenant_id)
    nobody_id = new_id()
    codes = await owner.fetch("SELECT pool_id, id FROM codes WHERE status = 'FREE'")
    assignments = await owner.fetch("SELECT grant_id, reward_id, member_id FROM coupon_assignments")
    grant_ids = [row["id"] for row in await owner.fetch("SELECT id FROM grants")]
    assert codes
    assert assignments
    async with database.transaction() as connection:
        drawn = {new_id(): DrawnCode(row["pool_id"], row["id"], "code", None) for row in codes}
        await give_codes(connection, nobody_id, drawn)
        await void_codes(connection, nobody_id, grant_ids)
        pairs = {row[0]: (row[1], row[2]) for row in assignments}
        await unassign(connection, nobody_id, pairs)
        assert not await has_due_grants(connection, nobody_id)
        assert await lock_due_grants(connection, nobody_id, 10) == []
        assert await has_due_grants(connection, world.caller.tenant_id)
    assert await fingerprint(owner, world.caller.tenant_id) == before


async def test_rows_of_the_same_ids_in_another_tenant_are_left_alone(
    database: Database, owner: asyncpg.Connection[asyncpg.Record]
) -> None:
    world = await open_world(database, codes=["first", "second", "third"])
    await live_a_little(world)
    caller = world.caller
    await owner.execute("UPDATE notifications SET read_at = NULL")
    hold_ids = [row[0] for row in await owner.fetch("SELECT id FROM holds WHERE status = 'OPEN'")]
    assert hold_ids
    member_id = await owner.fetchval("SELECT member_id FROM notifications LIMIT 1")
    reward_ids = [row["id"] for row in await owner.fetch("SELECT id FROM rewards")]
    async with database.transaction() as connection:
        rewards = await fetch_rewards(
            connection, caller.tenant_id, caller.organization_id, reward_ids
        )
    double_id = await double_tenant(owner, caller.tenant_id)
    before = await fingerprint(owner, double_id)
    async with database.transaction() as connection:
        again = await fetch_rewards(
            connection, caller.tenant_id, caller.organization_id, reward_ids
        )
        assert await mark_read(connection, caller.tenant_id, member_id, None, NOW) > 0
        statuses = ["RELEASED"] * len(hold_ids)
        ended = await connection.fetch(END_HOLDS, caller.tenant_id, hold_ids, statuses, NOW)
        assert len(ended) == len(hold_ids)
    assert again == rewards
    assert await fingerprint(owner, double_id) == before
