"""The round trips that the headers of the use cases count: as many for one line as for a thousand.

Beginning takes none, and committing none if something is written last.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass, replace
from uuid import UUID

import pytest

from gateway.ids import new_id
from gateway.issuing.model import IssueItem
from gateway.rewards.model import Reward
from gateway.rewards.types.product import ProductConfiguration
from gateway.rewards.types.unique_coupon import UniqueCouponConfiguration
from gateway.storage.database import Database
from tests.catalog import Shop, open_shop
from tests.use_cases import (
    add_member,
    add_members,
    as_member,
    claim,
    costing,
    counting,
    custom,
    distribute,
    give_points,
    grant,
    issue,
    item,
    line,
    manual,
    reverse,
)


@dataclass(frozen=True, slots=True)
class Counter:
    """A shop whose database counts, and what it has counted."""

    shop: Shop
    statements: list[str]

    async def count(self, call: Awaitable[object]) -> int:
        """Return the round trips of one call."""
        await asyncio.sleep(0)
        self.statements.clear()
        await call
        # The loggers are called in the next round of the event loop.
        await asyncio.sleep(0)
        return len(self.statements)


@pytest.fixture
async def counter(database: Database, database_url: str) -> AsyncIterator[Counter]:
    shop = await open_shop(database)
    async with counting(database_url) as (counted, statements):
        counter = Counter(replace(shop, database=counted), statements)
        # Whatever a connection and a process ask once, they ask here.
        warm_id = await add_member(counter.shop)
        await give_points(counter.shop, warm_id, 1)
        yield counter


async def create_coupon(shop: Shop, code_count: int) -> Reward:
    codes = (f"{number:04}" for number in range(code_count))
    pool_id = await shop.create_pool(*codes)
    return await shop.create_reward(
        UniqueCouponConfiguration(pool_id), payment_configs=costing(shop, 1)
    )


async def create_thing(shop: Shop) -> Reward:
    product_id = await shop.create_product(1_000)
    return await shop.create_reward(
        ProductConfiguration(product_id), payment_configs=costing(shop, 1)
    )


async def owe(shop: Shop, member_id: UUID, count: int) -> list[UUID]:
    return [(await grant(shop, custom(str(new_id()), member_id))).grant.id for _ in range(count)]


async def test_grant_of_a_custom_reward(counter: Counter) -> None:
    shop = counter.shop
    member_id = await add_member(shop)
    # Key with answer and member, award 2, whether or not the balance is new.
    assert await counter.count(grant(shop, custom("1", member_id))) == 3
    assert await counter.count(grant(shop, custom("2", member_id))) == 3
    # Key, the answer, the grant, commit.
    assert await counter.count(grant(shop, custom("1", member_id))) == 4


async def test_grant_of_a_catalog_reward(counter: Counter) -> None:
    shop = counter.shop
    member_id = await add_member(shop)
    thing, coupon = await create_thing(shop), await create_coupon(shop, 2)
    # The reward as well.
    assert await counter.count(grant(shop, manual("0", member_id, thing.id))) == 4
    assert await counter.count(grant(shop, manual("1", member_id, thing.id))) == 4
    # A code costs three more, and no balance is locked: key and member, reward, mark the member as holder, take a code, ledger
    # and grant, give the code.
    assert await counter.count(grant(shop, manual("2", member_id, coupon.id))) == 6
    # Key and member, reward, mark (in vain), who holds it, answer, the grant, commit.
    assert await counter.count(grant(shop, manual("3", member_id, coupon.id))) == 7


@pytest.mark.parametrize("item_count", [1, 100])
async def test_issue(counter: Counter, item_count: int) -> None:
    shop = counter.shop
    member_id = await add_member(shop)
    await give_points(shop, member_id, 1_000)
    thing, coupon = await create_thing(shop), await create_coupon(shop, 2)
    unknown = IssueItem(None, "rew_nonsense")
    plain_items = [item(thing)] * item_count
    keyed_items = [item(thing, request_id=str(number)) for number in range(item_count)]
    # The accounts are there from now on, and the process knows the reward.
    await issue(shop, "0", member_id, item(thing))
    # Key with the answer beside the member and what decides about the items, award 2, notes.
    assert await counter.count(issue(shop, "1", member_id, *plain_items)) == 4
    # Key, the answer, the grants, commit.
    assert await counter.count(issue(shop, "1", member_id, *plain_items)) == 4
    # The items' keys are claimed, with their answers.
    assert await counter.count(issue(shop, "2", member_id, *keyed_items)) == 5
    # Key, member and what decides, the items' keys 2, notes, answer, the grants, commit.
    assert await counter.count(issue(shop, "3", member_id, *keyed_items)) == 7
    # A reward that is new to the process, and three for a code; an item that failed costs the answer, and its key one to free.
    mixed = [item(coupon), *plain_items[2:], replace(unknown, request_id="failing")]
    assert await counter.count(issue(shop, "4", member_id, *mixed)) == 5 + 1 + 3 + 2


@pytest.mark.requirement("ON3-1")
@pytest.mark.parametrize(("line_count", "copy_count"), [(1, 0), (249, 0), (1_000, 2)])
async def test_distribute(counter: Counter, line_count: int, copy_count: int) -> None:
    shop = counter.shop
    members = await add_members(shop, line_count)
    lines = [line(shop, member_id, 5, 7) for member_id in members]
    # Key, members, award 2, notify, answer; many entries and grants are copied.
    assert await counter.count(distribute(shop, "0", *lines)) == 6 + copy_count
    assert await counter.count(distribute(shop, "1", *lines)) == 6 + copy_count
    # Key, the answer, commit.
    assert await counter.count(distribute(shop, "1", *lines)) == 3


@pytest.mark.parametrize("grant_count", [1, 100])
async def test_claim(counter: Counter, grant_count: int) -> None:
    shop = counter.shop
    member_id = await add_member(shop)
    owed = await owe(shop, member_id, 2 * grant_count)
    mine, yours = owed[:grant_count], owed[grant_count:]
    # Key, member, grants, balances, ledger, mark, answer.
    assert await counter.count(claim(shop, "1", member_id, *mine)) == 7
    # Key, the answer, commit.
    assert await counter.count(claim(shop, "1", member_id, *mine)) == 3
    # No member to be found.
    member = as_member(shop, member_id)
    assert await counter.count(claim(shop, "1", None, *yours, caller=member)) == 6


async def test_reverse(counter: Counter) -> None:
    shop = counter.shop
    member_id = await add_member(shop)
    await give_points(shop, member_id, 1)
    owed, claimed = await owe(shop, member_id, 2)
    await claim(shop, "1", member_id, claimed)
    coupon = await create_coupon(shop, 1)
    given = (await issue(shop, "1", member_id, item(coupon))).items[0].grant
    assert given is not None
    # Key, grant, entries (those of a claim with them), balances, ledger, mark, answer, the grant.
    assert await counter.count(reverse(shop, "1", owed)) == 8
    assert await counter.count(reverse(shop, "2", claimed)) == 8
    # A code to void, and its holder to unmark.
    assert await counter.count(reverse(shop, "3", given.id)) == 10
    # Key, the answer, commit, the grant.
    assert await counter.count(reverse(shop, "1", owed)) == 4
