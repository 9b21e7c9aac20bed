"""A reward of the catalog is granted by hand: status, stock and code pool are respected (MON-5, MON-7..11, MON-13)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from gateway.errors import ErrorCode, NotFound, Overloaded
from gateway.grants import coupon_store
from gateway.grants.errors import RewardUnavailable
from gateway.grants.record import GrantKind, GrantSource, GrantStatus
from gateway.grants.status import StatusCode
from gateway.ids import new_id
from gateway.ledger.assets import AMOUNT_MINOR_MAX
from gateway.ledger.model import OwnerKind
from gateway.operations.model import IdempotencyConflict
from gateway.rewards.code_pools import ImportCodes, import_codes
from gateway.rewards.code_store import count_codes
from gateway.rewards.deleting import DeleteReward, delete_reward
from gateway.rewards.fields import RewardFields
from gateway.rewards.items import CodeCounts, ItemKey
from gateway.rewards.model import Reward, RewardStatus
from gateway.rewards.types.competition_entry import CompetitionEntryConfiguration
from gateway.rewards.types.non_unique_coupon import DiscountType, NonUniqueCouponDraft
from gateway.rewards.types.points import PointsDraft
from gateway.rewards.types.product import ProductConfiguration
from gateway.rewards.types.unique_coupon import UniqueCouponConfiguration
from gateway.rewards.updating import UpdateReward, update_reward
from gateway.rewards.version_store import fetch_reward_versions
from tests.catalog import Shop, open_shop
from tests.sealing import code_of, plain_benefits
from tests.use_cases import (
    add_member,
    add_members,
    balance,
    fail_first_attempt,
    grant,
    manual,
    points_of,
    reverse,
    snapshot,
    void_code,
)

PATH = ("input", "reward", "rewardId")


async def update(shop: Shop, reward: Reward, **fields: Any) -> Reward:
    command = UpdateReward(str(new_id()), reward.id, RewardFields(**fields))
    return (await update_reward(shop.database, shop.caller, command)).reward


async def count_pool(shop: Shop, pool_id: UUID) -> CodeCounts:
    key = ItemKey(shop.caller.organization_id, pool_id)
    async with shop.database.connection() as connection:
        return (await count_codes(connection, shop.caller.tenant_id, [key]))[key]


async def refuse(shop: Shop, member_id: UUID, reward: Reward) -> ErrorCode:
    """Return the code of the refusal, which must change nothing."""
    before = await snapshot(shop.database)
    with pytest.raises(RewardUnavailable) as raised:
        await grant(shop, manual("refused", member_id, reward.id))
    assert raised.value.path == PATH
    assert await snapshot(shop.database) == before
    return raised.value.code


@pytest.mark.requirement("MON-8", "MON-9")
async def test_points_are_credited_at_once(shop: Shop) -> None:
    member_id = await add_member(shop)
    reward = await shop.create_reward(PointsDraft(Decimal(50)))
    metadata = {"reason": "Customer service recovery", "ticketId": "TICKET-456"}
    outcome = await grant(shop, manual("1", member_id, reward.id, metadata=metadata))
    made = outcome.grant
    assert (outcome.status.code, outcome.idempotent_replay) == (StatusCode.GRANTED, False)
    assert (made.source, made.kind, made.status) == (
        GrantSource.MANUAL,
        GrantKind.POINTS,
        GrantStatus.CLAIMED,
    )
    assert (made.reward_id, made.reward_version_id) == (reward.id, reward.version_id)
    assert (made.member_id, made.metadata) == (member_id, metadata)
    assert (made.claimed_at, made.claim_transaction_id) == (made.rewarded_at, made.transaction_id)
    assert made.benefits == [
        {"kind": "ASSET_CREDIT", "asset_id": str(points_of(shop)), "amount_minor": 50}
    ]
    assert await balance(shop, member_id) == 50
    again = await grant(shop, manual("1", member_id, reward.id, metadata=metadata))
    assert again == replace(outcome, idempotent_replay=True)
    assert await balance(shop, member_id) == 50


@pytest.mark.requirement("MON-9")
async def test_product_leaves_the_stock(shop: Shop) -> None:
    member_id = await add_member(shop)
    product_id = await shop.create_product(5)
    reward = await shop.create_reward(ProductConfiguration(product_id, 2))
    made = (await grant(shop, manual("1", member_id, reward.id))).grant
    assert made.benefits == [
        {"kind": "PRODUCT_UNITS", "product_id": str(product_id), "quantity": 2}
    ]
    assert await balance(shop, product_id, product_id, OwnerKind.STOCK) == 3
    assert await balance(shop, member_id, product_id) == 2


@pytest.mark.requirement("MON-8", "MON-9")
async def test_too_little_stock_is_refused_whole(shop: Shop) -> None:
    member_id = await add_member(shop)
    product_id = await shop.create_product(5)
    reward = await shop.create_reward(ProductConfiguration(product_id, 3))
    await grant(shop, manual("1", member_id, reward.id))
    assert await refuse(shop, member_id, reward) is ErrorCode.OUT_OF_STOCK
    assert await balance(shop, product_id, product_id, OwnerKind.STOCK) == 2


@pytest.mark.requirement("MON-9")
async def test_concurrent_grants_never_take_more_than_the_stock(shop: Shop) -> None:
    members = await add_members(shop, 20)
    product_id = await shop.create_product(7)
    reward = await shop.create_reward(ProductConfiguration(product_id))
    outcomes = await asyncio.gather(
        *(grant(shop, manual(str(member_id), member_id, reward.id)) for member_id in members),
        return_exceptions=True,
    )
    refused = [outcome for outcome in outcomes if isinstance(outcome, RewardUnavailable)]
    assert [error.code for error in refused] == [ErrorCode.OUT_OF_STOCK] * 13
    assert await balance(shop, product_id, product_id, OwnerKind.STOCK) == 0
    assert sum([await balance(shop, member_id, product_id) for member_id in members]) == 7


@pytest.mark.requirement("MON-9")
async def test_entries_are_counted_in_their_competition(shop: Shop) -> None:
    member_id = await add_member(shop)
    competition_id = await shop.create_competition()
    other_id = await shop.create_competition()
    reward = await shop.create_reward(CompetitionEntryConfiguration(competition_id, 5))
    made = (await grant(shop, manual("1", member_id, reward.id))).grant
    assert made.benefits == [
        {"kind": "COMPETITION_ENTRIES", "competition_id": str(competition_id), "entries": 5}
    ]
    assert await balance(shop, member_id, competition_id) == 5
    assert await balance(shop, member_id, other_id) == 0


@pytest.mark.requirement("MON-11")
async def test_shared_coupon_gives_everyone_the_same_code(shop: Shop) -> None:
    members = await add_members(shop, 2)
    draft = NonUniqueCouponDraft("WELCOME20", DiscountType.PERCENTAGE, Decimal("20.50"))
    reward = await shop.create_reward(draft)
    outcomes = [
        await grant(shop, manual(key, member_id, reward.id))
        for key, member_id in zip("123", [*members, members[0]], strict=True)
    ]
    benefit = {
        "kind": "COUPON_CODE",
        "code": "WELCOME20",
        "expires_at": None,
        "discount_type": "PERCENTAGE",
        "discount_value": "20.5",
    }
    assert [plain_benefits(shop, outcome.grant) for outcome in outcomes] == [[benefit]] * 3
    assert len({outcome.grant.id for outcome in outcomes}) == 3
    again = await grant(shop, manual("1", members[0], reward.id))
    assert again == replace(outcomes[0], idempotent_replay=True)


@pytest.mark.requirement("MON-10")
async def test_unique_coupon_gives_each_member_a_code_of_their_own(shop: Shop) -> None:
    members = await add_members(shop, 3)
    pool_id = await shop.create_pool("A-1", "A-2", "A-3", "A-4")
    reward = await shop.create_reward(UniqueCouponConfiguration(pool_id))
    outcomes = [
        await grant(shop, manual(str(member_id), member_id, reward.id)) for member_id in members
    ]
    codes = {code_of(shop, outcome.grant) for outcome in outcomes}
    assert len(codes) == 3
    assert codes < {"A-1", "A-2", "A-3", "A-4"}
    assert await count_pool(shop, pool_id) == CodeCounts(free=1, granted=3, voided=0, loaded=4)
    again = await grant(shop, manual(str(members[0]), members[0], reward.id))
    assert again == replace(outcomes[0], idempotent_replay=True)


@pytest.mark.requirement("MON-10")
async def test_second_grant_of_a_coupon_returns_the_code_they_have(shop: Shop) -> None:
    member_id = await add_member(shop)
    pool_id = await shop.create_pool("A-1", "A-2")
    reward = await shop.create_reward(UniqueCouponConfiguration(pool_id))
    first = await grant(shop, manual("1", member_id, reward.id))
    second = await grant(shop, manual("2", member_id, reward.id))
    assert (second.status.code, second.idempotent_replay) == (StatusCode.ALREADY_ISSUED, False)
    assert second.status.is_success
    assert second.grant == first.grant
    assert await count_pool(shop, pool_id) == CodeCounts(free=1, granted=1, loaded=2)
    again = await grant(shop, manual("2", member_id, reward.id))
    assert again == replace(second, idempotent_replay=True)


@pytest.mark.requirement("MON-10")
async def test_another_reward_of_the_same_pool_gives_another_code(shop: Shop) -> None:
    member_id = await add_member(shop)
    pool_id = await shop.create_pool("A-1", "A-2")
    rewards = [await shop.create_reward(UniqueCouponConfiguration(pool_id)) for _ in range(2)]
    codes = {
        code_of(shop, (await grant(shop, manual(str(reward.id), member_id, reward.id))).grant)
        for reward in rewards
    }
    assert codes == {"A-1", "A-2"}


@pytest.mark.requirement("MON-8", "MON-10")
async def test_empty_pool_is_exhausted(shop: Shop) -> None:
    joe, ann = await add_members(shop, 2)
    pool_id = await shop.create_pool("A-1")
    reward = await shop.create_reward(UniqueCouponConfiguration(pool_id))
    await grant(shop, manual("1", joe, reward.id))
    assert await refuse(shop, ann, reward) is ErrorCode.POOL_EXHAUSTED
    # Whoever has a code keeps being told so, even if the pool is empty.
    second = await grant(shop, manual("2", joe, reward.id))
    assert second.status.code is StatusCode.ALREADY_ISSUED


@pytest.mark.requirement("MON-10")
async def test_expired_codes_are_not_given(
    shop: Shop, owner: asyncpg.Connection[asyncpg.Record]
) -> None:
    joe, ann = await add_members(shop, 2)
    pool_id = await shop.create_pool()
    soon = datetime.now(UTC) + timedelta(days=1)
    load = ImportCodes("1", pool_id, ["A-1", "A-2"], soon)
    await import_codes(shop.database, shop.caller, load)
    reward = await shop.create_reward(UniqueCouponConfiguration(pool_id))
    made = (await grant(shop, manual("1", joe, reward.id))).grant
    assert made.expires_at == soon
    assert made.benefits[0]["expires_at"] == soon.isoformat()
    await owner.execute(
        "UPDATE codes SET expires_at = now() - interval '1 second' WHERE status = 'FREE'"
    )
    assert await refuse(shop, ann, reward) is ErrorCode.POOL_EXHAUSTED


@pytest.mark.requirement("MON-10")
async def test_concurrent_takers_get_every_code_once(shop: Shop) -> None:
    members = await add_members(shop, 30)
    pool_id = await shop.create_pool(*(f"A-{number:02}" for number in range(12)))
    reward = await shop.create_reward(UniqueCouponConfiguration(pool_id))
    outcomes = await asyncio.gather(
        *(grant(shop, manual(str(member_id), member_id, reward.id)) for member_id in members),
        return_exceptions=True,
    )
    refused = [outcome for outcome in outcomes if isinstance(outcome, RewardUnavailable)]
    given = [
        code_of(shop, outcome.grant)
        for outcome in outcomes
        if not isinstance(outcome, BaseException)
    ]
    assert [error.code for error in refused] == [ErrorCode.POOL_EXHAUSTED] * 18
    assert sorted(given) == [f"A-{number:02}" for number in range(12)]
    assert await count_pool(shop, pool_id) == CodeCounts(free=0, granted=12, loaded=12)


@pytest.mark.requirement("MON-10", "ALL-4")
@pytest.mark.parametrize("is_kept", [False, True])
async def test_last_code_is_waited_for_while_its_fate_is_open(shop: Shop, is_kept: bool) -> None:
    joe, ann = await add_members(shop, 2)
    pool_id = await shop.create_pool("A-1")
    reward = await shop.create_reward(UniqueCouponConfiguration(pool_id))
    taken, decided = asyncio.Event(), asyncio.Event()
    give_codes = coupon_store.give_codes

    async def take_your_time(*arguments: Any) -> None:
        await give_codes(*arguments)
        taken.set()
        await decided.wait()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(coupon_store, "give_codes", take_your_time)
        first = asyncio.create_task(
            grant(shop, manual("1", joe, reward.id, is_dry_run=not is_kept))
        )
        await taken.wait()
    second = asyncio.create_task(grant(shop, manual("2", ann, reward.id)))
    done, _ = await asyncio.wait([second], timeout=0.2)
    assert not done
    decided.set()
    assert code_of(shop, (await first).grant) == "A-1"
    if is_kept:
        with pytest.raises(RewardUnavailable) as raised:
            await second
        assert raised.value.code is ErrorCode.POOL_EXHAUSTED
    else:
        assert code_of(shop, (await second).grant) == "A-1"


@pytest.mark.requirement("MON-10")
async def test_concurrent_grants_to_one_member_draw_one_code(shop: Shop) -> None:
    member_id = await add_member(shop)
    pool_id = await shop.create_pool("A-1", "A-2", "A-3")
    reward = await shop.create_reward(UniqueCouponConfiguration(pool_id))
    outcomes = await asyncio.gather(
        *(grant(shop, manual(str(key), member_id, reward.id)) for key in range(8))
    )
    codes = sorted(outcome.status.code for outcome in outcomes)
    assert codes == [StatusCode.ALREADY_ISSUED] * 7 + [StatusCode.GRANTED]
    assert len({outcome.grant.id for outcome in outcomes}) == 1
    assert await count_pool(shop, pool_id) == CodeCounts(free=2, granted=1, loaded=3)


@pytest.mark.requirement("MON-10", "ALL-4")
async def test_reversal_that_comes_between_frees_the_member_for_a_new_code(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    member_id = await add_member(shop)
    pool_id = await shop.create_pool("A-1", "A-2")
    reward = await shop.create_reward(UniqueCouponConfiguration(pool_id))
    first = await grant(shop, manual("1", member_id, reward.id))
    fetch_holders = coupon_store.fetch_holders
    reversals = [first.grant.id]

    async def reverse_then_fetch(*arguments: Any) -> Any:
        while reversals:
            await reverse(shop, "reversal", reversals.pop())
        return await fetch_holders(*arguments)

    monkeypatch.setattr(coupon_store, "fetch_holders", reverse_then_fetch)
    second = await grant(shop, manual("2", member_id, reward.id))
    assert second.status.code is StatusCode.GRANTED
    assert [code_of(shop, first.grant), code_of(shop, second.grant)] == ["A-1", "A-2"]
    assert await count_pool(shop, pool_id) == CodeCounts(granted=1, voided=1, loaded=2)


@pytest.mark.requirement("MON-10")
async def test_coupon_that_keeps_changing_hands_changes_nothing(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    member_id = await add_member(shop)
    reward = await shop.create_reward(UniqueCouponConfiguration(await shop.create_pool("A-1")))
    await grant(shop, manual("1", member_id, reward.id))

    async def find_nobody(*_: object) -> dict[tuple[UUID, UUID], UUID]:
        return {}

    monkeypatch.setattr(coupon_store, "fetch_holders", find_nobody)
    before = await snapshot(shop.database)
    with pytest.raises(Overloaded):
        await grant(shop, manual("2", member_id, reward.id))
    assert await snapshot(shop.database) == before


@pytest.mark.requirement("MON-10")
async def test_passing_fault_draws_one_code(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    member_id = await add_member(shop)
    pool_id = await shop.create_pool("A-1", "A-2")
    reward = await shop.create_reward(UniqueCouponConfiguration(pool_id))

    fail_first_attempt(monkeypatch, lambda: void_code(shop, "A-1"))
    first = await grant(shop, manual("1", member_id, reward.id))
    assert code_of(shop, first.grant) == "A-2"
    again = await grant(shop, manual("1", member_id, reward.id))
    assert again == replace(first, idempotent_replay=True)


@pytest.mark.requirement("MON-7")
async def test_inactive_reward_is_granted_once_it_is_active_again(shop: Shop) -> None:
    member_id = await add_member(shop)
    reward = await shop.create_reward(status=RewardStatus.INACTIVE)
    assert await refuse(shop, member_id, reward) is ErrorCode.REWARD_INACTIVE
    await update(shop, reward, status=RewardStatus.ACTIVE)
    # The refusal has not used the reference up.
    outcome = await grant(shop, manual("refused", member_id, reward.id))
    assert (outcome.status.code, outcome.idempotent_replay) == (StatusCode.GRANTED, False)
    await update(shop, reward, status=RewardStatus.INACTIVE)
    again = await grant(shop, manual("refused", member_id, reward.id))
    assert again == replace(outcome, idempotent_replay=True)


@pytest.mark.requirement("MON-5")
async def test_grant_keeps_what_the_reward_was(shop: Shop) -> None:
    member_id = await add_member(shop)
    reward = await shop.create_reward(PointsDraft(Decimal(10)), name="Quiz bonus")
    first = (await grant(shop, manual("1", member_id, reward.id))).grant
    await update(shop, reward, name="Big bonus", config=PointsDraft(Decimal(99)))
    second = (await grant(shop, manual("2", member_id, reward.id))).grant
    await delete_reward(shop.database, shop.caller, DeleteReward("1", reward.id))
    versions = [first.reward_version_id, second.reward_version_id]
    async with shop.database.connection() as connection:
        shown = await fetch_reward_versions(
            connection, shop.caller.tenant_id, [version for version in versions if version]
        )
    names = [shown[version].name for version in versions if version]
    assert names == ["Quiz bonus", "Big bonus"]
    assert [made.benefits[0]["amount_minor"] for made in (first, second)] == [10, 99]
    assert await balance(shop, member_id) == 109
    assert (await grant(shop, manual("1", member_id, reward.id))).grant == first


@pytest.mark.requirement("MON-5", "MON-6", "MON-13")
async def test_unknown_deleted_and_foreign_rewards_look_the_same(shop: Shop) -> None:
    member_id = await add_member(shop)
    deleted = await shop.create_reward()
    await delete_reward(shop.database, shop.caller, DeleteReward("1", deleted.id))
    neighbors = await Shop(shop.database, shop.neighbor, shop.caller).create_reward()
    strangers = await (await open_shop(shop.database)).create_reward()
    before = await snapshot(shop.database)
    for reward_id in (None, new_id(), deleted.id, neighbors.id, strangers.id):
        with pytest.raises(NotFound, match="No such reward") as raised:
            await grant(shop, manual("1", member_id, reward_id))
        assert raised.value.path == PATH
    assert await snapshot(shop.database) == before


@pytest.mark.requirement("ALL-2")
async def test_other_reward_or_metadata_under_a_used_reference_conflicts(shop: Shop) -> None:
    member_id = await add_member(shop)
    rewards = [await shop.create_reward() for _ in range(2)]
    await grant(shop, manual("1", member_id, rewards[0].id))
    before = await snapshot(shop.database)
    for command, differing in (
        (manual("1", member_id, rewards[1].id), ("rewardId",)),
        (manual("1", member_id, rewards[0].id, metadata={"ticket": 1}), ("metadata",)),
    ):
        with pytest.raises(IdempotencyConflict) as raised:
            await grant(shop, command)
        assert raised.value.differing_fields == differing
    assert await snapshot(shop.database) == before


async def test_balance_beyond_what_can_be_counted_is_refused(shop: Shop) -> None:
    member_id = await add_member(shop)
    reward = await shop.create_reward(PointsDraft(Decimal(AMOUNT_MINOR_MAX)))
    await grant(shop, manual("1", member_id, reward.id))
    async with shop.database.connection() as connection:
        nearly_full = 4 * 10**18 - AMOUNT_MINOR_MAX + 1
        await connection.execute("UPDATE accounts SET posted_minor = $1", nearly_full)
        assert await refuse(shop, member_id, reward) is ErrorCode.INVALID_INPUT
        await connection.execute("UPDATE accounts SET posted_minor = $1", AMOUNT_MINOR_MAX)
