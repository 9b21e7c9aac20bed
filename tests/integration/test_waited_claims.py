"""A claim that waited for another who held the key decides on what is there when the key is its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import asyncpg
import pytest

from gateway.grants.status import StatusCode
from gateway.ids import new_id
from gateway.members.creating import create_members
from gateway.members.model import NewMember
from gateway.operations.model import OperationKind
from gateway.operations.once import READING_AGE_MAX
from gateway.rewards.fields import RewardFields
from gateway.rewards.model import RewardStatus
from gateway.rewards.updating import UpdateReward, update_reward
from tests.catalog import Shop
from tests.use_cases import add_member, codes_of, custom, grant, issue, item
from tests.waiting import wait_until_backends_wait

pytestmark = pytest.mark.requirement("OWN-6")


@asynccontextmanager
async def holding(shop: Shop, kind: OperationKind, key: str) -> AsyncIterator[None]:
    """Hold a key for the time of the block and a little longer, as a request that is undone at its end."""
    caller = shop.caller
    async with shop.database.connection() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute(
            """INSERT INTO operations (tenant_id, partner_id, organization_id, kind, key, id, field_hashes, created_at)
            VALUES ($1, $2, $3, $4, $5, $6, '{}', now())""",
            *(caller.tenant_id, caller.partner_id, caller.organization_id, kind, key, new_id()),
        )
        yield
        await asyncio.sleep(10 * READING_AGE_MAX.total_seconds())
        await transaction.rollback()


async def test_reward_made_inactive_during_the_wait_is_not_issued(
    shop: Shop, owner: asyncpg.Connection[asyncpg.Record]
) -> None:
    member_id, reward = await add_member(shop), await shop.create_reward()
    # From now on the process knows the reward, and asks for its state only.
    await issue(shop, "before", member_id, item(reward))
    async with holding(shop, OperationKind.ISSUE_REWARDS, "once"):
        repeat = asyncio.create_task(issue(shop, "once", member_id, item(reward)))
        await wait_until_backends_wait(owner)
        command = UpdateReward("1", reward.id, RewardFields(status=RewardStatus.INACTIVE))
        await update_reward(shop.database, shop.caller, command)
    assert codes_of(await repeat) == [StatusCode.REWARD_INACTIVE]


async def test_member_made_during_the_wait_is_found(
    shop: Shop, owner: asyncpg.Connection[asyncpg.Record]
) -> None:
    member_id = new_id()
    async with holding(shop, OperationKind.GRANT_REWARD, "once"):
        repeat = asyncio.create_task(grant(shop, custom("once", member_id)))
        await wait_until_backends_wait(owner)
        async with shop.database.transaction() as connection:
            members = [NewMember(member_id, ())]
            await create_members(
                connection,
                shop.caller.tenant_id,
                shop.caller.organization_id,
                members,
                datetime.now(UTC),
            )
    assert (await repeat).grant.member_id == member_id
