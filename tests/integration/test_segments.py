"""A reward that is reserved for segments goes to their members only (CAP-10)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest

from gateway.access import Scope
from gateway.errors import AlreadyExists, Forbidden, InvalidInput, NotFound
from gateway.grants.status import StatusCode
from gateway.ids import new_id
from gateway.members.membership.model import (
    ERRORS_SHOWN_MAX,
    MemberSet,
    MembershipChange,
    MembersOutcome,
    SetMembers,
)
from gateway.members.membership.setting import set_members
from gateway.members.membership.store import count_set_members
from gateway.members.segments.creating import CreateSegment, create_segment
from gateway.operations.model import IdempotencyConflict
from gateway.rewards.fields import RewardFields
from gateway.rewards.updating import UpdateReward, update_reward
from gateway.storage.pages import ID_LOWEST
from tests.catalog import Shop, open_shop
from tests.issuing_cases import add_segment, change_members
from tests.use_cases import (
    NUL,
    add_members,
    codes_of,
    count,
    counting,
    grant,
    issue,
    item,
    manual,
    snapshot,
    without,
)

SEGMENT = MemberSet.SEGMENT
SET, ADD, REMOVE = MembershipChange


async def reserve(shop: Shop, reward_id: UUID, segment_ids: Sequence[UUID] | None) -> None:
    ids: Any = None if segment_ids is None else tuple(segment_ids)
    command = UpdateReward(str(new_id()), reward_id, RewardFields(segment_ids=ids))
    await update_reward(shop.database, shop.caller, command)


async def may_have(shop: Shop, member_id: UUID, reward: Any) -> bool:
    outcome = await issue(shop, str(new_id()), member_id, item(reward))
    (code,) = codes_of(outcome)
    assert code in {StatusCode.GRANTED, StatusCode.NOT_IN_SEGMENT}
    return code is StatusCode.GRANTED


async def size(shop: Shop, segment_id: UUID) -> int:
    async with shop.database.connection() as connection:
        found = await count_set_members(connection, shop.caller.tenant_id, SEGMENT, [segment_id])
    return found[segment_id]


@pytest.mark.requirement("CAP-10")
async def test_item_is_refused_to_members_outside_the_segments(shop: Shop) -> None:
    gold, silver, nobody = await add_members(shop, 3)
    segment_ids = (
        await add_segment(shop, gold, name="Gold"),
        await add_segment(shop, silver, name="Silver"),
    )
    reserved = await shop.create_reward(segment_ids=segment_ids)
    free = await shop.create_reward()
    assert await may_have(shop, gold, reserved)
    assert await may_have(shop, silver, reserved)
    outcome = await issue(shop, "1", nobody, item(reserved), item(free))
    assert codes_of(outcome) == [StatusCode.NOT_IN_SEGMENT, StatusCode.GRANTED]
    assert await count(shop, "grants") == 3


@pytest.mark.requirement("CAP-10")
async def test_segments_stand_beside_the_reward_and_change_at_once(shop: Shop) -> None:
    inside, outside = await add_members(shop, 2)
    segment_id = await add_segment(shop, inside)
    reward = await shop.create_reward()
    versions = await count(shop, "reward_versions")
    assert await may_have(shop, outside, reward)
    await reserve(shop, reward.id, [segment_id])
    assert not await may_have(shop, outside, reward)
    assert await may_have(shop, inside, reward)
    # Another change leaves them alone.
    rename = UpdateReward("1", reward.id, RewardFields(name="Other"))
    await update_reward(shop.database, shop.caller, rename)
    assert not await may_have(shop, outside, reward)
    await reserve(shop, reward.id, [])
    assert await may_have(shop, outside, reward)
    assert await count(shop, "reward_versions") == versions + 1


@pytest.mark.requirement("CAP-10", "MON-8")
async def test_manual_grant_asks_for_no_segment(shop: Shop) -> None:
    (outside,) = await add_members(shop, 1)
    reserved = await shop.create_reward(segment_ids=(await add_segment(shop),))
    await grant(shop, manual("1", outside, reserved.id))


@pytest.mark.requirement("CAP-10", "MON-13")
async def test_reward_is_reserved_for_segments_of_its_organization_only(shop: Shop) -> None:
    neighbors = Shop(shop.database, shop.neighbor, shop.caller)
    foreign_id = await add_segment(neighbors)
    reward = await shop.create_reward()
    own_id = await add_segment(shop)
    before = await snapshot(shop.database)
    for segment_id in (foreign_id, new_id(), ID_LOWEST):
        with pytest.raises(InvalidInput) as raised:
            await reserve(shop, reward.id, [own_id, segment_id])
        assert raised.value.path == ("input", "segmentIds", "1")
        with pytest.raises(InvalidInput) as raised:
            await shop.create_reward(segment_ids=(segment_id,))
        assert raised.value.path == ("input", "segmentIds", "0")
    with pytest.raises(InvalidInput):
        await reserve(shop, reward.id, [own_id] * 101)
    with pytest.raises(InvalidInput) as raised:
        await reserve(shop, reward.id, None)
    assert raised.value.path == ("input", "segmentIds")
    assert await snapshot(shop.database) == before


@pytest.mark.requirement("CAP-10")
async def test_members_are_set_added_and_removed(shop: Shop) -> None:
    ann, bob, cid = await add_members(shop, 3)
    segment_id = await add_segment(shop)

    async def change(kind: MembershipChange, *member_ids: UUID) -> tuple[int, int, int]:
        outcome = await change_members(shop, SEGMENT, segment_id, *member_ids, change=kind)
        return outcome.added_count, outcome.removed_count, await size(shop, segment_id)

    assert await change(SET, ann, bob) == (2, 0, 2)
    assert await change(ADD, bob, cid, cid) == (1, 0, 3)
    assert await change(REMOVE, ann) == (0, 1, 2)
    assert await change(REMOVE, ann) == (0, 0, 2)
    assert await change(SET, ann, cid) == (1, 1, 2)
    assert await change(SET) == (0, 2, 0)


@pytest.mark.requirement("CAP-10")
async def test_ten_thousand_members_are_one_call_and_as_many_statements_as_one(
    shop: Shop, database_url: str
) -> None:
    members = await add_members(shop, 10_000)
    segment_id = await add_segment(shop)
    async with counting(database_url) as (database, statements):
        # Whatever a connection asks once, it asks here.
        await set_members(database, shop.caller, SetMembers("0", SEGMENT, segment_id, SET, []))
        counts = []
        for key, chosen in (("1", members[:1]), ("2", members), ("3", members[:5])):
            await asyncio.sleep(0)
            statements.clear()
            command = SetMembers(key, SEGMENT, segment_id, SET, chosen)
            await set_members(database, shop.caller, command)
            await asyncio.sleep(0)
            counts.append(len(statements))
    # Key, lock, unknown members, leave, come, answer; the commit with it.
    assert counts == [6, 6, 6]
    assert await size(shop, segment_id) == 5


@pytest.mark.requirement("CAP-10", "ALL-2")
async def test_change_is_made_once(shop: Shop) -> None:
    ann, bob = await add_members(shop, 2)
    segment_id = await add_segment(shop)
    first = await change_members(shop, SEGMENT, segment_id, ann, key="1")
    await change_members(shop, SEGMENT, segment_id, bob)
    again = await change_members(shop, SEGMENT, segment_id, ann, key="1")
    assert (first.added_count, again.added_count, again.idempotent_replay) == (1, 1, True)
    assert await size(shop, segment_id) == 1
    with pytest.raises(IdempotencyConflict):
        await change_members(shop, SEGMENT, segment_id, bob, key="1")


async def test_concurrent_changes_count_each_member_once(shop: Shop) -> None:
    members = await add_members(shop, 50)
    segment_id = await add_segment(shop)

    async def add(number: int) -> MembersOutcome:
        shuffled = members[number:] + members[:number]
        return await change_members(shop, SEGMENT, segment_id, *shuffled, change=ADD)

    outcomes = await asyncio.gather(*map(add, range(10)))
    assert sum(outcome.added_count for outcome in outcomes) == 50
    assert await size(shop, segment_id) == 50


@pytest.mark.requirement("CAP-10", "MON-13")
async def test_unknown_members_and_segments_change_nothing(shop: Shop) -> None:
    (ann,) = await add_members(shop, 1)
    segment_id = await add_segment(shop, ann)
    neighbors = Shop(shop.database, shop.neighbor, shop.caller)
    foreign_id = await add_segment(neighbors)
    other = await open_shop(shop.database)
    (stranger,) = await add_members(other, 1)
    before = await snapshot(shop.database)
    with pytest.raises(InvalidInput) as raised:
        await change_members(shop, SEGMENT, segment_id, ann, stranger, None, new_id())
    assert [error.path[-1] for error in raised.value.errors] == ["1", "2", "3"]
    with pytest.raises(InvalidInput) as raised:
        await change_members(shop, SEGMENT, segment_id, *[new_id() for _ in range(500)])
    assert len(raised.value.errors) == ERRORS_SHOWN_MAX
    for set_id in (foreign_id, new_id(), None):
        with pytest.raises(NotFound) as missing:
            await change_members(shop, SEGMENT, set_id, ann)
        assert missing.value.path == ("input", "segmentId")
    for change, members in ((SET, [ann] * 10_001), (ADD, []), (REMOVE, [])):
        with pytest.raises(InvalidInput) as raised:
            await change_members(shop, SEGMENT, segment_id, *members, change=change)
        assert raised.value.path == ("input", "memberIds")
    assert await snapshot(shop.database) == before


async def test_segment_has_a_name_of_its_own(shop: Shop) -> None:
    await add_segment(shop, name="Gold")
    before = await snapshot(shop.database)
    with pytest.raises(AlreadyExists) as raised:
        await add_segment(shop, name="Gold")
    assert raised.value.path == ("input", "name")
    for name in ("", NUL, "x" * 201):
        with pytest.raises(InvalidInput):
            await add_segment(shop, name=name)
    assert await snapshot(shop.database) == before
    await add_segment(Shop(shop.database, shop.neighbor, shop.caller), name="Gold")


async def test_scope_is_needed(shop: Shop) -> None:
    caller = without(shop.caller, Scope.MEMBERS)
    with pytest.raises(Forbidden):
        await create_segment(shop.database, caller, CreateSegment("1", "Gold"))
    with pytest.raises(Forbidden):
        await set_members(shop.database, caller, SetMembers("1", SEGMENT, new_id(), SET, []))
    assert await count(shop, "operations") == 0
