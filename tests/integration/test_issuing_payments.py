"""Points are summed and checked once, taken for what is issued, and never spent twice (CAP-2, CAP-4, CAP-6)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from gateway.grants.errors import InsufficientBalance
from gateway.grants.status import StatusCode
from gateway.ids import new_id
from gateway.issuing.model import BatchOutcome, IssuanceOutcome, PaymentChoice
from gateway.ledger.assets import AMOUNT_MINOR_MAX, AssetKind
from gateway.rewards.fields import RewardFields
from gateway.rewards.model import PaymentMode, Reward, RewardStatus
from gateway.rewards.payments import PaymentConfigDraft
from gateway.rewards.types.points import PointsDraft
from gateway.rewards.types.product import ProductConfiguration
from gateway.rewards.types.unique_coupon import UniqueCouponConfiguration
from gateway.rewards.updating import UpdateReward, update_reward
from gateway.tenants.assets import CreateAsset, create_asset
from tests.catalog import Shop
from tests.use_cases import (
    add_member,
    add_members,
    balance,
    cash_of,
    codes_of,
    costing,
    count,
    distribute,
    give_points,
    issue,
    item,
    line,
    paying,
    points_of,
    snapshot,
)


async def create_currency(shop: Shop, code: str, scale: int) -> UUID:
    command = CreateAsset(str(new_id()), code, code, AssetKind.CURRENCY, scale)
    return (await create_asset(shop.database, shop.caller, command)).asset.id


async def create_entry_reward(shop: Shop, *configs: PaymentConfigDraft) -> Reward:
    """Make a reward whose benefit does not touch the balances that pay for it."""
    product_id = await shop.create_product(1_000)
    return await shop.create_reward(ProductConfiguration(product_id), payment_configs=configs)


def payment_of(outcome: IssuanceOutcome) -> dict[str, Any]:
    (result,) = outcome.items
    assert result.grant is not None
    payment: dict[str, Any] = result.grant.details["payment"]
    return payment


async def refuse(shop: Shop, member_id: UUID, *items: Any) -> list[tuple[str, int, int, int]]:
    """Return the shortfalls of a call that must change nothing: asset, required, available, missing."""
    before = await snapshot(shop.database)
    with pytest.raises(InsufficientBalance) as raised:
        await issue(shop, "refused", member_id, *items)
    assert await snapshot(shop.database) == before
    return [
        (short.asset.code, short.required_minor, short.available_minor, short.missing_minor)
        for short in raised.value.shortfalls
    ]


@pytest.mark.requirement("CAP-2")
async def test_too_few_points_for_the_whole_call_issue_nothing(shop: Shop) -> None:
    member_id = await add_member(shop)
    await give_points(shop, member_id, 25)
    reward = await create_entry_reward(shop, *costing(shop, 10))
    free = await shop.create_reward()
    # Each alone could be paid, and one is free: it is the sum that counts.
    shortfalls = await refuse(
        shop, member_id, item(reward), item(free), item(reward), item(reward, request_id="item-1")
    )
    assert shortfalls == [("PTS", 30, 25, 5)]
    # Neither the call's key nor the item's has been used up.
    await give_points(shop, member_id, 5)
    outcome = await issue(
        shop, "refused", member_id, *[item(reward)] * 2, item(reward, request_id="item-1")
    )
    assert (outcome.outcome, outcome.idempotent_replay) == (BatchOutcome.ALL, False)
    assert await balance(shop, member_id) == 0


@pytest.mark.requirement("CAP-2")
async def test_points_that_the_call_would_give_do_not_pay_for_it(shop: Shop) -> None:
    member_id = await add_member(shop)
    await give_points(shop, member_id, 4)
    generous = await shop.create_reward(PointsDraft(Decimal(100)), payment_configs=costing(shop, 5))
    assert await refuse(shop, member_id, item(generous)) == [("PTS", 5, 4, 1)]
    free = await shop.create_reward(PointsDraft(Decimal(100)))
    assert await refuse(shop, member_id, item(free), item(generous)) == [("PTS", 5, 4, 1)]


@pytest.mark.requirement("CAP-2")
async def test_every_asset_that_is_short_is_named(shop: Shop) -> None:
    member_id = await add_member(shop)
    miles_id = await create_currency(shop, "MILES", 2)
    await give_points(shop, member_id, 1)
    await distribute(shop, "1", line(shop, member_id, 7, currency_id=miles_id))
    in_miles = await create_entry_reward(
        shop, PaymentConfigDraft(PaymentMode.POINTS, asset_id=miles_id, amount=Decimal("7.25"))
    )
    in_points = await create_entry_reward(shop, *costing(shop, 3))
    assert await refuse(shop, member_id, item(in_miles), item(in_points)) == [
        ("MILES", 725, 700, 25),
        ("PTS", 3, 1, 2),
    ]
    # A member who never had any has no balance at all.
    assert await refuse(shop, await add_member(shop), item(in_points)) == [("PTS", 3, 0, 3)]


@pytest.mark.requirement("CAP-2", "CAP-3")
async def test_items_that_fail_before_the_check_are_not_counted(shop: Shop) -> None:
    member_id = await add_member(shop)
    await give_points(shop, member_id, 10)
    good = await create_entry_reward(shop, *costing(shop, 10))
    inactive = await shop.create_reward(
        status=RewardStatus.INACTIVE, payment_configs=costing(shop, 10)
    )
    empty_id = await shop.create_pool("A-1")
    exhausted = await shop.create_reward(
        UniqueCouponConfiguration(empty_id), payment_configs=costing(shop, 10)
    )
    other_id = await add_member(shop)
    await give_points(shop, other_id, 10)
    await issue(shop, "1", other_id, item(exhausted))
    outcome = await issue(shop, "2", member_id, item(inactive), item(exhausted), item(good))
    assert codes_of(outcome) == [
        StatusCode.REWARD_INACTIVE,
        StatusCode.POOL_EXHAUSTED,
        StatusCode.GRANTED,
    ]
    assert await balance(shop, member_id) == 0


@pytest.mark.requirement("CAP-3", "CAP-4")
async def test_points_leave_only_for_what_was_issued(shop: Shop) -> None:
    member_id = await add_member(shop)
    await give_points(shop, member_id, 100)
    product_id = await shop.create_product(1)
    scarce = await shop.create_reward(
        ProductConfiguration(product_id), payment_configs=costing(shop, 30)
    )
    outcome = await issue(shop, "1", member_id, item(scarce), item(scarce))
    assert outcome.outcome is BatchOutcome.PARTIAL
    assert codes_of(outcome) == [StatusCode.GRANTED, StatusCode.OUT_OF_STOCK]
    assert await balance(shop, member_id) == 70
    assert await balance(shop, member_id, product_id) == 1
    assert await count(shop, "holds") == 0
    entries = await shop.database.fetch(
        """SELECT amount_minor FROM ledger_entries JOIN ledger_transactions
        ON ledger_transactions.tenant_id = ledger_entries.tenant_id AND id = transaction_id
        WHERE kind = 'ISSUANCE' ORDER BY index"""
    )
    # The payment stands first, then the benefit.
    assert [entry["amount_minor"] for entry in entries] == [-30, 30, -1, 1]


@pytest.mark.requirement("CAP-4")
async def test_concurrent_calls_never_spend_the_same_points(shop: Shop) -> None:
    member_id = await add_member(shop)
    await give_points(shop, member_id, 100)
    reward = await create_entry_reward(shop, *costing(shop, 15))
    outcomes = await asyncio.gather(
        *(issue(shop, str(key), member_id, item(reward), item(reward)) for key in range(10)),
        return_exceptions=True,
    )
    refused = [outcome for outcome in outcomes if isinstance(outcome, InsufficientBalance)]
    # Three calls of thirty points fit into a hundred; ten points stay.
    assert len(refused) == 7
    assert await balance(shop, member_id) == 10
    assert await count(shop, "grants WHERE source = 'ISSUANCE'") == 6


@pytest.mark.requirement("CAP-4")
async def test_concurrent_issue_and_deduction_never_go_below_zero(shop: Shop) -> None:
    member_id = await add_member(shop)
    await give_points(shop, member_id, 10)
    reward = await create_entry_reward(shop, *costing(shop, 7))
    await asyncio.gather(
        *(issue(shop, str(key), member_id, item(reward)) for key in range(5)),
        *(distribute(shop, str(key), line(shop, member_id, -6)) for key in range(5)),
        return_exceptions=True,
    )
    assert await balance(shop, member_id) in {3, 4}


@pytest.mark.requirement("CAP-4")
async def test_concurrent_calls_over_many_members_and_products_do_not_deadlock(shop: Shop) -> None:
    members = await add_members(shop, 5)
    for member_id in members:
        await give_points(shop, member_id, 100)
    rewards = [await create_entry_reward(shop, *costing(shop, 1)) for _ in range(4)]

    async def issue_shuffled(number: int) -> None:
        order = rewards[number % 4 :] + rewards[: number % 4]
        await issue(shop, str(number), members[number % 5], *map(item, order))

    await asyncio.gather(*map(issue_shuffled, range(20)))
    assert [await balance(shop, member_id) for member_id in members] == [84] * 5


@pytest.mark.requirement("CAP-6")
async def test_free_reward_costs_nothing(shop: Shop) -> None:
    member_id = await add_member(shop)
    reward = await create_entry_reward(shop, PaymentConfigDraft(PaymentMode.FREE))
    payment = payment_of(await issue(shop, "1", member_id, item(reward)))
    assert (payment["mode"], payment["amount_minor"]) == ("FREE", 0)
    assert payment["config_id"] == str(reward.payment_configs[0].id)


@pytest.mark.requirement("CAP-6")
async def test_cash_is_paid_elsewhere_and_shown(shop: Shop) -> None:
    member_id = await add_member(shop)
    await give_points(shop, member_id, 9)
    cash: dict[str, Any] = {"cash_asset_id": cash_of(shop), "cash_amount": Decimal("12.50")}
    in_cash = await create_entry_reward(shop, PaymentConfigDraft(PaymentMode.CASH, **cash))
    in_both = await create_entry_reward(
        shop,
        PaymentConfigDraft(
            PaymentMode.POINTS_CASH, asset_id=points_of(shop), amount=Decimal(4), **cash
        ),
    )
    shown = ("mode", "asset_id", "amount_minor", "cash_asset_id", "cash_amount_minor")
    payments = [
        payment_of(
            await issue(
                shop,
                str(reward.id),
                member_id,
                item(reward, payment=PaymentChoice(cash_reference=str(reward.id))),
            )
        )
        for reward in (in_cash, in_both)
    ]
    assert [[payment.get(name) for name in shown] for payment in payments] == [
        ["CASH", None, 0, str(cash_of(shop)), 1250],
        ["POINTS_CASH", str(points_of(shop)), 4, str(cash_of(shop)), 1250],
    ]
    assert await balance(shop, member_id) == 5


@pytest.mark.requirement("CAP-6")
async def test_conversion_rounds_half_up_at_the_assets_scale(shop: Shop) -> None:
    member_id = await add_member(shop)
    miles_id = await create_currency(shop, "MILES", 2)
    await give_points(shop, member_id, 100)
    await distribute(shop, "1", line(shop, member_id, 100, currency_id=miles_id))
    reward = await create_entry_reward(
        shop,
        *(
            PaymentConfigDraft(PaymentMode.CONV_RATIO, asset_id=asset_id, conversion_ratio=ratio)
            for asset_id in (points_of(shop), miles_id)
            for ratio in (Decimal("0.5"), Decimal(8))
        ),
    )
    costs = []
    for index in range(4):
        outcome = await issue(
            shop,
            f"call-{index}",
            member_id,
            item(reward, quantity=Decimal("3.7"), payment=paying(reward, index, 4)),
        )
        payment = payment_of(outcome)
        assert payment["config_id"] == str(reward.payment_configs[index].id)
        assert payment["total_value"] == "12"
        costs.append((payment["conversion_ratio"], payment["amount_minor"]))
    # 12 ÷ 0.5 = 24 and 12 ÷ 8 = 1.5, which is 2 points or 1.50 miles.
    assert costs == [("0.5", 24), ("8", 2), ("0.5", 2400), ("8", 150)]
    assert await balance(shop, member_id) == 100 - 24 - 2
    assert await balance(shop, member_id, miles_id) == 10_000 - 2_400 - 150


@pytest.mark.requirement("CAP-6")
async def test_one_configuration_is_the_default_and_of_several_one_is_named(shop: Shop) -> None:
    member_id = await add_member(shop)
    await give_points(shop, member_id, 10)
    cheap, dear = (*costing(shop, 1), *costing(shop, 5))
    single = await create_entry_reward(shop, cheap)
    several = await create_entry_reward(shop, cheap, dear)
    outcome = await issue(
        shop,
        "1",
        member_id,
        item(single),
        item(single, payment=paying(single, 0)),
        item(several),
        item(several, payment=PaymentChoice()),
        item(several, payment=paying(several, 1)),
        # Another reward's configuration is as unknown as none at all.
        item(several, payment=paying(single, 0)),
        item(several, payment=PaymentChoice(None, "pay_nonsense")),
    )
    assert codes_of(outcome) == [
        StatusCode.GRANTED,
        StatusCode.GRANTED,
        StatusCode.PAYMENT_CONFIG_REQUIRED,
        StatusCode.PAYMENT_CONFIG_REQUIRED,
        StatusCode.GRANTED,
        StatusCode.PAYMENT_CONFIG_NOT_FOUND,
        StatusCode.PAYMENT_CONFIG_NOT_FOUND,
    ]
    assert await balance(shop, member_id) == 10 - 1 - 1 - 5


@pytest.mark.requirement("CAP-6")
async def test_archived_configuration_is_unknown(shop: Shop) -> None:
    member_id = await add_member(shop)
    await give_points(shop, member_id, 10)
    reward = await create_entry_reward(shop, *costing(shop, 1))
    fields = RewardFields(payment_configs=costing(shop, 2))
    await update_reward(shop.database, shop.caller, UpdateReward("1", reward.id, fields))
    outcome = await issue(shop, "1", member_id, item(reward, payment=paying(reward, 0)))
    assert codes_of(outcome) == [StatusCode.PAYMENT_CONFIG_NOT_FOUND]
    outcome = await issue(shop, "1", member_id, item(reward))
    assert payment_of(outcome)["amount_minor"] == 2


async def test_huge_price_is_a_shortfall(shop: Shop) -> None:
    member_id = await add_member(shop)
    reward = await create_entry_reward(shop, *costing(shop, AMOUNT_MINOR_MAX))
    items = [item(reward)] * 100
    required = 100 * AMOUNT_MINOR_MAX
    assert await refuse(shop, member_id, *items) == [("PTS", required, 0, required)]


@pytest.mark.requirement("CAP-4", "ALL-4")
async def test_item_that_repeats_an_earlier_one_needs_no_points(shop: Shop) -> None:
    member_id = await add_member(shop)
    await give_points(shop, member_id, 10)
    reward = await create_entry_reward(shop, *costing(shop, 10))
    first = await issue(shop, "1", member_id, item(reward, request_id="item-1"))
    second = await issue(shop, "2", member_id, item(reward, request_id="item-1"))
    assert second.items[0] == replace(first.items[0], idempotent_replay=True)
    assert await balance(shop, member_id) == 0
