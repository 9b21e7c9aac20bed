"""Vouchers of vendors under issuing's other rules: a group pays when the vendor issues, and cash is free when it declines."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal

import pytest

from gateway.grants.status import StatusCode
from gateway.ids import IdKind, encode_id, new_id
from gateway.issuing.model import IssueItem, PaymentChoice
from gateway.ledger.model import OwnerKind
from gateway.purchasing.settling import settle_declined
from gateway.rewards.fields import RewardFields
from gateway.rewards.model import PaymentMode
from gateway.rewards.payments import PaymentConfigDraft
from gateway.rewards.updating import UpdateReward, update_reward
from gateway.storage.database import Database
from gateway.verifying.verify import verify
from tests.catalog import open_shop
from tests.issuing_cases import add_group, by_id, fund
from tests.use_cases import add_member, balance, cash_of, codes_of, count, give_points, issue, named
from tests.vendor_shop import NoServer, VendorShop, sell_vouchers


@pytest.fixture
async def vouchers(database: Database) -> AsyncIterator[VendorShop]:
    shop = await open_shop(database)
    member_id = await add_member(shop)
    await give_points(shop, member_id, 100)
    yield await sell_vouchers(shop, NoServer(), named(member_id), 30)
    assert await verify(database) == []


@pytest.mark.requirement("CAP-5", "CAP-12")
async def test_groups_points_are_held_and_taken_when_the_vendor_issues(
    vouchers: VendorShop,
) -> None:
    shop = vouchers.shop
    ann = await add_member(shop)
    await give_points(shop, ann, 100)
    group = await add_group(shop, ann)
    await fund(shop, group.id, ann, 70)
    for end, left in ((vouchers.settle, 40), (vouchers.decline, 40)):
        outcome = await issue(shop, str(new_id()), ann, vouchers.item(), group=by_id(group.id))
        assert codes_of(outcome) == [StatusCode.PENDING]
        await end()
        assert await balance(shop, group.id, kind=OwnerKind.GROUP) == left
    assert await balance(shop, ann) == 30
    (event,) = await shop.database.fetch(
        "SELECT payload FROM outbox_events WHERE kind = 'ISSUANCE'"
    )
    assert event["payload"]["groupRedemption"] is True
    assert event["payload"]["groupId"] == str(group.id)


@pytest.mark.requirement("CAP-5", "CAP-6")
async def test_cash_for_what_the_vendor_declined_can_be_used_again(vouchers: VendorShop) -> None:
    shop = vouchers.shop
    ann = await add_member(shop)
    cash = PaymentConfigDraft(PaymentMode.CASH, cash_asset_id=cash_of(shop), cash_amount=Decimal(9))
    change = UpdateReward("cash", vouchers.free_reward_id, RewardFields(payment_configs=(cash,)))
    await update_reward(shop.database, shop.caller, change)
    reward_id = vouchers.free_reward_id
    item = IssueItem(
        reward_id,
        encode_id(IdKind.REWARD, reward_id),
        payment=PaymentChoice(cash_reference="receipt-1"),
    )
    # Two items of one payment: it is free when neither came to anything.
    outcome = await issue(shop, "1", ann, item, replace(item, event_log_id="2"))
    assert codes_of(outcome) == [StatusCode.PENDING] * 2
    assert codes_of(await issue(shop, "2", ann, item)) == [StatusCode.CASH_REFERENCE_TAKEN]
    first, second = await vouchers.claim_all()
    assert await settle_declined(shop.database, first, "it was told so")
    assert codes_of(await issue(shop, "3", ann, item)) == [StatusCode.CASH_REFERENCE_TAKEN]
    assert await settle_declined(shop.database, second, "it was told so")
    assert await count(shop, "cash_references") == 0
    assert codes_of(await issue(shop, "4", ann, item)) == [StatusCode.PENDING]
    await vouchers.settle()
    assert codes_of(await issue(shop, "5", ann, item)) == [StatusCode.CASH_REFERENCE_TAKEN]
