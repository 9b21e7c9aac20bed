"""A dry run answers what would happen, changes no row, and does not use its key up (ALL-4)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal

import pytest

from gateway.distributing.model import Recipient
from gateway.distributing.outcome import DistributionRejected
from gateway.errors import NotFound
from gateway.grants.errors import InsufficientBalance, RewardUnavailable
from gateway.grants.status import StatusCode
from gateway.ids import new_id
from gateway.issuing.model import BatchOutcome, IssueItem
from gateway.members.identifiers import IdentifierKind
from gateway.operations.model import IdempotencyConflict
from gateway.rewards.model import RewardStatus
from gateway.rewards.types.points import PointsDraft
from gateway.rewards.types.product import ProductConfiguration
from gateway.rewards.types.unique_coupon import UniqueCouponConfiguration
from tests.catalog import Shop
from tests.sealing import code_of, plain_benefits
from tests.use_cases import (
    add_member,
    balance,
    codes_of,
    costing,
    custom,
    distribute,
    give_points,
    grant,
    issue,
    item,
    line,
    manual,
    snapshot,
)

pytestmark = pytest.mark.requirement("ALL-4")
STRANGER = Recipient(IdentifierKind.EMAIL, "joe@bloggs.com")


async def test_grants_are_rehearsed(shop: Shop) -> None:
    member_id = await add_member(shop)
    rewards = [
        await shop.create_reward(draft)
        for draft in (
            PointsDraft(Decimal(10)),
            ProductConfiguration(await shop.create_product(1)),
            UniqueCouponConfiguration(await shop.create_pool("A-1")),
        )
    ]
    commands = [
        custom("order-1", member_id),
        *(manual(str(reward.id), member_id, reward.id) for reward in rewards),
    ]
    before = await snapshot(shop.database)
    rehearsed = [await grant(shop, replace(one, is_dry_run=True)) for one in commands]
    assert await snapshot(shop.database) == before
    assert [(one.status.code, one.idempotent_replay) for one in rehearsed] == [
        (StatusCode.GRANTED, False)
    ] * 4
    assert code_of(shop, rehearsed[3].grant) == "A-1"
    done = [await grant(shop, one) for one in commands]
    assert not any(one.idempotent_replay for one in done)
    assert [plain_benefits(shop, one.grant) for one in done] == [
        plain_benefits(shop, one.grant) for one in rehearsed
    ]


async def test_refused_grants_are_refused_in_rehearsal_too(shop: Shop) -> None:
    member_id = await add_member(shop)
    inactive = await shop.create_reward(status=RewardStatus.INACTIVE)
    before = await snapshot(shop.database)
    with pytest.raises(RewardUnavailable):
        await grant(shop, manual("1", member_id, inactive.id, is_dry_run=True))
    with pytest.raises(NotFound):
        await grant(shop, custom("1", new_id(), is_dry_run=True))
    assert await snapshot(shop.database) == before


async def test_rehearsal_of_a_used_key_replays_or_conflicts(shop: Shop) -> None:
    member_id = await add_member(shop)
    first = await grant(shop, custom("order-1", member_id))
    before = await snapshot(shop.database)
    again = await grant(shop, custom("order-1", member_id, is_dry_run=True))
    assert again == replace(first, idempotent_replay=True)
    with pytest.raises(IdempotencyConflict):
        await grant(shop, custom("order-1", member_id, "99", is_dry_run=True))
    assert await snapshot(shop.database) == before


async def test_coupon_that_the_member_has_is_shown(shop: Shop) -> None:
    member_id = await add_member(shop)
    reward = await shop.create_reward(UniqueCouponConfiguration(await shop.create_pool("A-1")))
    first = await grant(shop, manual("1", member_id, reward.id))
    before = await snapshot(shop.database)
    rehearsed = await grant(shop, manual("2", member_id, reward.id, is_dry_run=True))
    assert (rehearsed.status.code, rehearsed.grant) == (StatusCode.ALREADY_ISSUED, first.grant)
    assert await snapshot(shop.database) == before


async def test_issuance_is_rehearsed(shop: Shop) -> None:
    member_id = await add_member(shop)
    await give_points(shop, member_id, 10)
    coupon = await shop.create_reward(
        UniqueCouponConfiguration(await shop.create_pool("A-1")), payment_configs=costing(shop, 4)
    )
    points = await shop.create_reward()
    await issue(shop, "0", member_id, item(points, request_id="known"))
    items = [
        item(coupon, request_id="item-1"),
        IssueItem(None, "rew_nonsense"),
        item(coupon),
        item(points, quantity=Decimal(2)),
        item(points, request_id="known"),
    ]
    before = await snapshot(shop.database)
    rehearsed = await issue(shop, "call-1", member_id, *items, is_dry_run=True)
    assert await snapshot(shop.database) == before
    assert (rehearsed.outcome, rehearsed.idempotent_replay) == (BatchOutcome.PARTIAL, False)
    assert codes_of(rehearsed) == [
        StatusCode.GRANTED,
        StatusCode.REWARD_NOT_FOUND,
        StatusCode.ALREADY_ISSUED,
        StatusCode.QUANTITY_REDUCED,
        StatusCode.GRANTED,
    ]
    done = await issue(shop, "call-1", member_id, *items)
    assert not done.idempotent_replay
    assert [(one.status, one.quantity, one.idempotent_replay) for one in done.items] == [
        (one.status, one.quantity, one.idempotent_replay) for one in rehearsed.items
    ]
    assert await balance(shop, member_id) == 10 + 10 - 4 + 10


async def test_issuance_that_cannot_be_paid_is_refused_in_rehearsal_too(shop: Shop) -> None:
    member_id = await add_member(shop)
    dear = await shop.create_reward(payment_configs=costing(shop, 4))
    before = await snapshot(shop.database)
    with pytest.raises(InsufficientBalance):
        await issue(shop, "call-1", member_id, item(dear), is_dry_run=True)
    nothing = await issue(
        shop, "call-1", member_id, IssueItem(None, "rew_nonsense"), is_dry_run=True
    )
    assert nothing.outcome is BatchOutcome.NONE
    assert await snapshot(shop.database) == before


async def test_distribution_is_rehearsed(shop: Shop) -> None:
    member_id = await add_member(shop)
    lines = [
        line(shop, member_id, -1),
        line(shop, member_id, 5, 7),
        line(shop, STRANGER, 5),
        line(shop, member_id, -5),
    ]
    before = await snapshot(shop.database)
    rehearsed = await distribute(shop, "r-1", *lines, is_dry_run=True)
    with pytest.raises(DistributionRejected):
        await distribute(shop, "r-1", line(shop, STRANGER, 5), is_dry_run=True)
    assert await snapshot(shop.database) == before
    assert [result.status.code for result in rehearsed.results] == [
        StatusCode.INSUFFICIENT_BALANCE,
        StatusCode.GRANTED,
        StatusCode.RECIPIENT_NOT_FOUND,
        StatusCode.GRANTED,
    ]
    assert len(rehearsed.fresh_grants) == 2
    done = await distribute(shop, "r-1", *lines)
    assert not done.idempotent_replay
    assert [(one.status, one.reasons) for one in done.results] == [
        (one.status, one.reasons) for one in rehearsed.results
    ]


async def test_rehearsal_beside_the_real_call_does_not_disturb_it(shop: Shop) -> None:
    member_id = await add_member(shop)
    await asyncio.gather(
        *(grant(shop, custom("order-1", member_id, is_dry_run=key % 3 > 0)) for key in range(12)),
        *(
            distribute(shop, "r-1", line(shop, member_id, 5), is_dry_run=key % 3 > 0)
            for key in range(12)
        ),
    )
    assert await balance(shop, member_id) == 5
    assert (await grant(shop, custom("order-1", member_id))).idempotent_replay
