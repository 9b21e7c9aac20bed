"""A payment in cash is named by the caller, and pays for one issuance only (CAP-6)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from gateway.errors import InvalidInput
from gateway.grants.errors import InsufficientBalance
from gateway.grants.status import StatusCode
from gateway.ids import new_id
from gateway.issuing.model import IssueItem, PaymentChoice
from gateway.operations.model import IdempotencyConflict
from gateway.rewards.model import PaymentMode, Reward
from gateway.rewards.payments import PaymentConfigDraft
from gateway.rewards.types.product import ProductConfiguration
from tests.catalog import Shop
from tests.issuing_cases import mug
from tests.use_cases import (
    NUL,
    add_member,
    cash_of,
    codes_of,
    costing,
    count,
    give_points,
    issue,
    item,
    points_of,
    snapshot,
)


def in_cash(shop: Shop) -> PaymentConfigDraft:
    return PaymentConfigDraft(
        PaymentMode.CASH, cash_asset_id=cash_of(shop), cash_amount=Decimal("12.50")
    )


def paid(reward: Reward, reference: str | None, **fields: Any) -> IssueItem:
    return item(reward, payment=PaymentChoice(cash_reference=reference), **fields)


@pytest.mark.requirement("CAP-6")
async def test_reference_is_kept_with_the_payment(shop: Shop) -> None:
    member_id = await add_member(shop)
    reward = await mug(shop, payment_configs=(in_cash(shop),))
    outcome = await issue(shop, "1", member_id, paid(reward, "receipt-1"))
    (result,) = outcome.items
    assert result.grant is not None
    payment = result.grant.details["payment"]
    assert (payment["mode"], payment["cash_amount_minor"], payment["cash_reference"]) == (
        "CASH",
        1250,
        "receipt-1",
    )
    again = await issue(shop, "1", member_id, paid(reward, "receipt-1"))
    assert again == replace(outcome, idempotent_replay=True)


@pytest.mark.requirement("CAP-6")
async def test_cash_part_needs_a_reference_and_nothing_else_takes_one(shop: Shop) -> None:
    member_id = await add_member(shop)
    await give_points(shop, member_id, 10)
    cash = await mug(shop, payment_configs=(in_cash(shop),))
    points = await mug(shop, payment_configs=costing(shop, 1))
    free = await shop.create_reward()
    outcome = await issue(
        shop,
        "1",
        member_id,
        item(cash),
        paid(points, "receipt-1"),
        paid(free, "receipt-1"),
        item(points),
    )
    assert codes_of(outcome) == [
        StatusCode.CASH_REFERENCE_REQUIRED,
        StatusCode.CASH_REFERENCE_UNEXPECTED,
        StatusCode.CASH_REFERENCE_UNEXPECTED,
        StatusCode.GRANTED,
    ]
    assert await count(shop, "cash_references") == 0


@pytest.mark.requirement("CAP-6")
async def test_one_payment_pays_for_several_items_of_one_call_only(shop: Shop) -> None:
    member_id = await add_member(shop)
    reward = await mug(shop, payment_configs=(in_cash(shop),))
    first = await issue(shop, "1", member_id, paid(reward, "receipt-1"), paid(reward, "receipt-1"))
    assert codes_of(first) == [StatusCode.GRANTED] * 2
    second = await issue(shop, "2", member_id, paid(reward, "receipt-1"), paid(reward, "receipt-2"))
    assert codes_of(second) == [StatusCode.CASH_REFERENCE_TAKEN, StatusCode.GRANTED]
    # Another partner names its own payments.
    other = replace(shop.caller, partner_id=new_id())
    third = await issue(shop, "1", member_id, paid(reward, "receipt-1"), caller=other)
    assert codes_of(third) == [StatusCode.GRANTED]


@pytest.mark.requirement("CAP-6")
async def test_payment_for_what_was_not_issued_can_be_used_again(shop: Shop) -> None:
    member_id = await add_member(shop)
    scarce = await shop.create_reward(
        ProductConfiguration(await shop.create_product(1)), payment_configs=(in_cash(shop),)
    )
    good = await mug(shop, payment_configs=(in_cash(shop),))
    outcome = await issue(shop, "1", member_id, paid(scarce, "a"), paid(scarce, "b"))
    assert codes_of(outcome) == [StatusCode.GRANTED, StatusCode.OUT_OF_STOCK]
    outcome = await issue(shop, "2", member_id, paid(good, "b"), paid(good, "a"))
    assert codes_of(outcome) == [StatusCode.GRANTED, StatusCode.CASH_REFERENCE_TAKEN]
    # Nothing issued at all leaves nothing behind.
    before = await snapshot(shop.database)
    outcome = await issue(shop, "3", member_id, paid(scarce, "c"))
    assert codes_of(outcome) == [StatusCode.OUT_OF_STOCK]
    assert await snapshot(shop.database) == before


@pytest.mark.requirement("CAP-2", "CAP-6")
async def test_too_few_points_beside_cash_use_no_payment_up(shop: Shop) -> None:
    member_id = await add_member(shop)
    both = PaymentConfigDraft(
        PaymentMode.POINTS_CASH,
        asset_id=points_of(shop),
        amount=Decimal(5),
        cash_asset_id=cash_of(shop),
        cash_amount=Decimal(1),
    )
    reward = await mug(shop, payment_configs=(both,))
    before = await snapshot(shop.database)
    with pytest.raises(InsufficientBalance):
        await issue(shop, "1", member_id, paid(reward, "receipt-1"))
    assert await snapshot(shop.database) == before
    await give_points(shop, member_id, 5)
    outcome = await issue(shop, "1", member_id, paid(reward, "receipt-1"))
    payment = outcome.items[0].grant.details["payment"] if outcome.items[0].grant else {}
    assert (payment["amount_minor"], payment["total_value"], payment["cash_amount_minor"]) == (
        5,
        "5",
        100,
    )


@pytest.mark.requirement("CAP-6")
async def test_concurrent_calls_with_one_payment_issue_once(shop: Shop) -> None:
    member_id = await add_member(shop)
    reward = await mug(shop, payment_configs=(in_cash(shop),))
    outcomes = await asyncio.gather(
        *(issue(shop, str(key), member_id, paid(reward, "receipt-1")) for key in range(20))
    )
    codes = [codes_of(outcome)[0] for outcome in outcomes]
    assert codes.count(StatusCode.GRANTED) == 1
    assert codes.count(StatusCode.CASH_REFERENCE_TAKEN) == 19
    assert await count(shop, "grants") == 1


async def test_calls_with_the_same_payments_in_other_orders_do_not_deadlock(shop: Shop) -> None:
    member_id = await add_member(shop)
    reward = await mug(shop, payment_configs=(in_cash(shop),))
    references = [f"receipt-{number}" for number in range(6)]
    outcomes = await asyncio.gather(
        *(
            issue(
                shop,
                str(key),
                member_id,
                *(paid(reward, one) for one in references[key:] + references[:key]),
            )
            for key in range(6)
        )
    )
    codes = [code for outcome in outcomes for code in codes_of(outcome)]
    assert codes.count(StatusCode.GRANTED) == 6


@pytest.mark.parametrize("reference", ["", NUL, "x" * 513])
async def test_malformed_reference_is_named_by_path(shop: Shop, reference: str) -> None:
    member_id = await add_member(shop)
    reward = await mug(shop, payment_configs=(in_cash(shop),))
    before = await snapshot(shop.database)
    with pytest.raises(InvalidInput) as raised:
        await issue(shop, "1", member_id, paid(reward, reference))
    assert raised.value.path == ("input", "rewards", "0", "paymentConfig", "cashReference")
    assert await snapshot(shop.database) == before


@pytest.mark.requirement("CAP-6", "CAP-8")
async def test_another_reference_under_a_used_key_is_a_conflict(shop: Shop) -> None:
    member_id = await add_member(shop)
    reward = await mug(shop, payment_configs=(in_cash(shop),))
    await issue(shop, "1", member_id, paid(reward, "receipt-1"))
    with pytest.raises(IdempotencyConflict) as raised:
        await issue(shop, "1", member_id, paid(reward, "receipt-2"))
    assert raised.value.differing_fields == ("rewards",)
