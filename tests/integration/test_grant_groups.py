"""Concurrent grants share commits; each answers as if it had been alone."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from uuid import UUID

import pytest

from gateway.errors import NotFound
from gateway.granting.grant_reward import grant_reward
from gateway.granting.groups import GrantGroups
from gateway.granting.model import CatalogReward, CustomReward, GrantCommand, GrantOutcome
from gateway.grants.errors import RewardUnavailable
from gateway.grants.status import StatusCode
from gateway.ids import new_id
from gateway.ledger.model import OwnerKind
from gateway.operations.model import IdempotencyConflict
from gateway.rewards.types.product import ProductConfiguration
from gateway.rewards.types.unique_coupon import UniqueCouponConfiguration
from tests.catalog import Shop
from tests.sealing import code_of
from tests.use_cases import add_members, balance, cash_of, count_commits, find_broken, named

GRANTS = 60


def custom(key: str, member_id: UUID, amount: str = "5.00") -> GrantCommand:
    return GrantCommand(key, named(member_id), CustomReward(Decimal(amount)), "a.b", {})


@pytest.mark.requirement("ALL-2", "OWN-6")
async def test_grants_at_once_share_commits(shop: Shop) -> None:
    """Sixty grants to thirty members take far fewer commits, and every amount arrives once."""
    members = await add_members(shop, GRANTS // 2)
    groups = GrantGroups(shop.database)
    outcomes = await asyncio.gather(
        *(
            grant_reward(
                shop.database, shop.caller, custom(f"k{number}", members[number // 2]), groups
            )
            for number in range(GRANTS)
        )
    )
    assert len({outcome.grant.id for outcome in outcomes}) == GRANTS
    assert not any(outcome.idempotent_replay for outcome in outcomes)
    assert [
        await balance(shop, member, cash_of(shop), OwnerKind.CLAIMABLE) for member in members
    ] == [1000] * len(members)
    # Two that found the queue idle, and the others in groups.
    assert await count_commits(shop, "grants") <= 4
    assert await find_broken(shop.database) == {}


@pytest.mark.requirement("ALL-2", "OWN-7")
async def test_each_of_a_group_keeps_its_own_failure(shop: Shop) -> None:
    """Unknown members, conflicts, replays and empty stock stand beside grants that succeed."""
    (member,) = await add_members(shop, 1)
    groups = GrantGroups(shop.database)
    first = await grant_reward(shop.database, shop.caller, custom("known", member), groups)
    empty = await shop.create_reward(ProductConfiguration(await shop.create_product(0)))
    commands = [
        *(custom(f"k{number}", member) for number in range(4)),
        custom("known", member),
        custom("known-2", new_id()),
        GrantCommand("sold-out", named(member), CatalogReward(empty.id), None, {}),
        custom("k9", member),
    ]
    granted = [grant_reward(shop.database, shop.caller, command, groups) for command in commands]
    answers = await asyncio.gather(*granted, return_exceptions=True)
    conflict = await asyncio.gather(
        *(grant_reward(shop.database, shop.caller, custom(f"n{n}", member), groups) for n in "ab"),
        grant_reward(shop.database, shop.caller, custom("known", member, "6.00"), groups),
        return_exceptions=True,
    )
    assert isinstance(conflict[2], IdempotencyConflict)
    replay, unknown, sold_out = answers[4:7]
    assert isinstance(replay, GrantOutcome)
    assert (replay.grant, replay.idempotent_replay) == (first.grant, True)
    assert isinstance(unknown, NotFound)
    assert isinstance(sold_out, RewardUnavailable)
    assert sold_out.refusal.code is StatusCode.OUT_OF_STOCK
    assert await balance(shop, member, cash_of(shop), OwnerKind.CLAIMABLE) == 500 * (1 + 5 + 2)
    keys = {row["key"] for row in await shop.database.fetch("SELECT key FROM operations")}
    assert keys.isdisjoint({"known-2", "sold-out"})
    assert await find_broken(shop.database) == {}


@pytest.mark.requirement("ALL-2")
async def test_one_key_at_once_runs_once(shop: Shop) -> None:
    """Grouping changes nothing about concurrent duplicates: one runs and the others replay it."""
    (member,) = await add_members(shop, 1)
    groups = GrantGroups(shop.database)
    outcomes = await asyncio.gather(
        *(
            grant_reward(shop.database, shop.caller, custom("same", member), groups)
            for _ in range(GRANTS)
        )
    )
    assert [outcome.idempotent_replay for outcome in outcomes].count(False) == 1
    assert len({outcome.grant.id for outcome in outcomes}) == 1
    assert await balance(shop, member, cash_of(shop), OwnerKind.CLAIMABLE) == 500


@pytest.mark.requirement("MON-10")
async def test_coupons_in_groups_are_given_once(shop: Shop) -> None:
    """Thirty codes for forty members: thirty get one, none twice, and ten are told that the pool is empty."""
    members = await add_members(shop, 40)
    pool = await shop.create_pool(*(f"C{number}" for number in range(30)))
    reward = await shop.create_reward(UniqueCouponConfiguration(pool))
    groups = GrantGroups(shop.database)
    answers = await asyncio.gather(
        *(
            grant_reward(
                shop.database,
                shop.caller,
                GrantCommand(f"c{number}", named(member), CatalogReward(reward.id), None, {}),
                groups,
            )
            for number, member in enumerate(members)
        ),
        return_exceptions=True,
    )
    codes = [code_of(shop, answer.grant) for answer in answers if isinstance(answer, GrantOutcome)]
    assert (len(codes), len(set(codes))) == (30, 30)
    assert sum(isinstance(answer, RewardUnavailable) for answer in answers) == 10
    assert await find_broken(shop.database) == {}
