"""Every way a vendor can behave, with and without payment: what is settled at once, and what is asked again."""

from __future__ import annotations

import pytest

from gateway.granting.grant_reward import grant_reward
from gateway.granting.model import CatalogReward, GrantCommand
from gateway.grants.record import GrantStatus
from gateway.grants.status import StatusCode
from gateway.issuing.model import BatchOutcome
from gateway.purchasing.purchaser import Purchaser
from tests.sealing import plain_benefits
from tests.vendor_shop import POINTS, PRICE, SECRET, VendorShop

pytestmark = pytest.mark.requirement("CAP-5")

PAYMENTS = pytest.mark.parametrize("paid", [True, False], ids=["paid", "free"])

REFUSALS = ["no_voucher", "empty_voucher", "refuse", "bad_request", "forbidden", "missing"]
# The vendor has sold, and the gateway was not told.
SOLD_UNHEARD = [
    "late",
    "fail_after",
    "malformed_after",
    "hang_up_after",
    "conflict_after",
    "created_after",
    "object_after",
    "huge_after",
]
NOT_SOLD = ["fail_before", "unavailable", "late_before", "redirect", "hang_up", "busy", "malformed"]


@PAYMENTS
@pytest.mark.requirement("CAP-17")
async def test_voucher_is_bought_and_paid_for(
    vendor_shop: VendorShop, purchaser: Purchaser, paid: bool
) -> None:
    outcome = await vendor_shop.issue(purchaser, vendor_shop.item(paid=paid))
    (item,) = outcome.items
    assert (outcome.outcome, item.status.code, item.quantity) == (
        BatchOutcome.ALL,
        StatusCode.GRANTED,
        1,
    )
    assert item.grant is not None
    assert item.grant.status is GrantStatus.CLAIMED
    voucher = {
        "kind": "VENDOR_VOUCHER",
        "code": "V-0001",
        "valid_till": "2027-11-01",
        "offer_name": "Coffee",
        "series_id": "234",
        "voucher_quantity": 1,
    }
    payment = {
        "paid_asset_id": str(vendor_shop.caller.standard_assets.points_id),
        "paid_minor": PRICE,
    }
    assert plain_benefits(vendor_shop, item.grant) == [voucher | (payment if paid else {})]
    assert await vendor_shop.balance() == (POINTS - PRICE * paid, 0)
    await vendor_shop.check_promises()


@pytest.mark.requirement("MON-8", "CAP-17")
@pytest.mark.parametrize("behavior", ["slow", "refuse"])
async def test_manual_grant_is_waited_for(
    vendor_shop: VendorShop, purchaser: Purchaser, behavior: str
) -> None:
    vendor_shop.server.behave(behavior)
    reward = CatalogReward(vendor_shop.paid_reward_id)
    command = GrantCommand("1", vendor_shop.member, reward, None, {})
    outcome = await grant_reward(
        vendor_shop.database, vendor_shop.caller, command, purchaser=purchaser
    )
    is_issued = behavior == "slow"
    assert outcome.status.code is (StatusCode.GRANTED if is_issued else StatusCode.VENDOR_DECLINED)
    found = plain_benefits(vendor_shop, outcome.grant)
    assert [benefit["code"] for benefit in found] == ["V-0001"] * is_issued
    assert await vendor_shop.balance() == (POINTS, 0)
    await vendor_shop.check_promises()


async def test_request_is_the_template_with_its_values(
    vendor_shop: VendorShop, purchaser: Purchaser
) -> None:
    outcome = await vendor_shop.issue(purchaser)
    (call,) = vendor_shop.server.calls
    grant = outcome.items[0].grant
    assert grant is not None
    assert call["body"] == {
        "order": {"id": str(grant.id), "count": 1},
        "customer": "customer-1",
        "offer": "Coffee/S1",
    }
    assert call["headers"]["idempotency-key"] == str(grant.id)
    assert call["headers"]["x-api-key"] == SECRET.value


@PAYMENTS
@pytest.mark.parametrize("behavior", REFUSALS)
async def test_refusal_frees_the_points_at_once(
    vendor_shop: VendorShop, purchaser: Purchaser, behavior: str, paid: bool
) -> None:
    vendor_shop.server.behave(behavior)
    outcome = await vendor_shop.issue(purchaser, vendor_shop.item(paid=paid), key="1")
    (item,) = outcome.items
    assert (outcome.outcome, item.status.code, item.quantity) == (
        BatchOutcome.NONE,
        StatusCode.VENDOR_DECLINED,
        0,
    )
    assert item.grant is not None
    assert item.grant.status is GrantStatus.DECLINED
    assert item.grant.benefits == []
    assert await vendor_shop.balance() == (POINTS, 0)
    await vendor_shop.check_promises()
    # It stays refused: a repeat shows it, and asks nobody.
    again = await vendor_shop.issue(purchaser, vendor_shop.item(paid=paid), key="1")
    assert again.items[0].status == item.status
    assert len(vendor_shop.server.calls) == 1


@PAYMENTS
@pytest.mark.parametrize("behavior", SOLD_UNHEARD)
async def test_voucher_sold_unheard_is_found_by_asking_again(
    vendor_shop: VendorShop, behavior: str, paid: bool
) -> None:
    """The one purchase is found under its order id: nothing is bought twice, nothing is lost."""
    vendor_shop.server.behave(behavior)
    pending = await vendor_shop.issue(None, vendor_shop.item(paid=paid), key="1")
    assert pending.outcome is BatchOutcome.PENDING
    await vendor_shop.work()
    assert len(vendor_shop.server.vouchers) == 1
    assert len({call["headers"]["idempotency-key"] for call in vendor_shop.server.calls}) == 1
    assert len({str(call["body"]) for call in vendor_shop.server.calls}) == 1
    replay = await vendor_shop.issue(None, vendor_shop.item(paid=paid), key="1")
    assert replay.idempotent_replay
    assert replay.items[0].status.code is StatusCode.GRANTED
    assert await vendor_shop.balance() == (POINTS - PRICE * paid, 0)
    await vendor_shop.check_promises()


@PAYMENTS
@pytest.mark.parametrize("behavior", NOT_SOLD)
async def test_attempt_that_sold_nothing_is_repeated(
    vendor_shop: VendorShop, behavior: str, paid: bool
) -> None:
    vendor_shop.server.behave(behavior, behavior)
    await vendor_shop.issue(None, vendor_shop.item(paid=paid))
    await vendor_shop.work()
    behaved = [call["behaved"] for call in vendor_shop.server.calls]
    assert behaved == [behavior, behavior, "succeed"]
    assert len(vendor_shop.server.vouchers) == 1
    await vendor_shop.check_promises()


async def test_slow_vendor_is_waited_for(vendor_shop: VendorShop, purchaser: Purchaser) -> None:
    vendor_shop.server.behave("slow")
    outcome = await vendor_shop.issue(purchaser)
    assert outcome.outcome is BatchOutcome.ALL
    await vendor_shop.check_promises()


@pytest.mark.parametrize("refusal", ["refuse", "no_voucher"])
async def test_order_is_refused_after_an_unknown_outcome(
    vendor_shop: VendorShop, refusal: str
) -> None:
    """A vendor that says no to the order itself says so for every time it was asked."""
    vendor_shop.server.behave("fail_before", refusal)
    await vendor_shop.issue(None)
    await vendor_shop.work()
    assert await vendor_shop.count("grants", "DECLINED") == 1
    await vendor_shop.check_promises()


@pytest.mark.parametrize("refusal", ["forbidden", "missing"])
async def test_closed_door_refuses_nothing_after_an_unknown_outcome(
    vendor_shop: VendorShop, refusal: str
) -> None:
    """The vendor may have sold the first time; that the secret is refused today does not undo it."""
    vendor_shop.server.behave("fail_after", refusal, refusal)
    await vendor_shop.issue(None)
    await vendor_shop.work()
    assert len(vendor_shop.server.calls) == 4
    assert await vendor_shop.count("grants", "CLAIMED") == 2
    await vendor_shop.check_promises()


async def test_vendor_that_is_never_reached_is_given_up(vendor_shop: VendorShop) -> None:
    """No attempt can have bought anything, so the points go back to the member."""
    vendor_shop.server.stop()
    await vendor_shop.issue(None)
    await vendor_shop.work()
    assert await vendor_shop.count("grants", "DECLINED") == 1
    (order,) = await vendor_shop.database.fetch("SELECT attempt_count FROM vendor_orders")
    assert order["attempt_count"] == 5
    vendor_shop.server.start()
    await vendor_shop.check_promises()


async def test_vendor_once_reached_is_never_given_up(vendor_shop: VendorShop) -> None:
    vendor_shop.server.behave("die_after")
    await vendor_shop.issue(None)
    await vendor_shop.work()
    assert await vendor_shop.count("grants", "PENDING") == 1
    assert await vendor_shop.balance() == (POINTS, PRICE)
    vendor_shop.server.start()
    await vendor_shop.work()
    assert len(vendor_shop.server.vouchers) == 1
    await vendor_shop.check_promises()


@pytest.mark.parametrize("behavior", ["die", "die_after"])
async def test_vendor_dies_in_the_middle_of_a_call(
    vendor_shop: VendorShop,
    purchaser: Purchaser,
    monkeypatch: pytest.MonkeyPatch,
    behavior: str,
) -> None:
    monkeypatch.setattr("gateway.issuing.issue_rewards.PATIENCE_SECONDS", 1.0)
    vendor_shop.server.behave(behavior)
    outcome = await vendor_shop.issue(purchaser, key="1")
    assert outcome.items[0].status.code is StatusCode.PENDING
    vendor_shop.server.start()
    await vendor_shop.work()
    assert len(vendor_shop.server.vouchers) == 1
    await vendor_shop.check_promises()


async def test_redirection_is_not_followed(vendor_shop: VendorShop) -> None:
    vendor_shop.server.behave("redirect")
    await vendor_shop.issue(None)
    await vendor_shop.work()
    assert "elsewhere" not in [call["behaved"] for call in vendor_shop.server.calls]
    await vendor_shop.check_promises()
