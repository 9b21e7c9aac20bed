"""Vendors and their rewards around the purchase itself: rules, keys, quantities, reversal, claims, dry runs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from gateway.access import Scope
from gateway.claiming.claim_rewards import claim_rewards
from gateway.claiming.model import ClaimCommand
from gateway.errors import Forbidden, InvalidInput, NotFound
from gateway.granting.grant_reward import grant_reward
from gateway.granting.model import CatalogReward, GrantCommand
from gateway.grants.errors import InsufficientBalance, NotReversible
from gateway.grants.holding import hold_payments
from gateway.grants.line import Line
from gateway.grants.record import GrantKind, GrantSource, GrantStatus
from gateway.grants.status import StatusCode
from gateway.ids import new_id
from gateway.issuing.model import BatchOutcome, PaymentChoice
from gateway.ledger.balance import Balance
from gateway.ledger.book import Book
from gateway.ledger.model import (
    Account,
    BalanceTooLow,
    OwnerKind,
    Transaction,
    TransactionKind,
    Transfer,
)
from gateway.operations.model import IdempotencyConflict
from gateway.purchasing.model import Issued
from gateway.purchasing.purchaser import WORKER_CALLS_MAX
from gateway.purchasing.settling import settle_declined, settle_issued
from gateway.reversing.model import ReverseCommand
from gateway.reversing.reverse_grant import reverse_grant
from gateway.rewards.model import PaymentMode
from gateway.rewards.payments import PaymentConfigDraft
from gateway.rewards.types.vendor_voucher import VendorVoucherDraft
from gateway.storage.database import Database
from gateway.vendors.creating import CreateVendor, create_vendor
from gateway.vendors.mapping import ResponseMapping
from gateway.vendors.model import SecretHeader, VendorFields
from gateway.vendors.sealing import open_secret, open_template
from gateway.vendors.updating import UpdateVendor, update_vendor
from gateway.verifying.verify import verify
from tests.campaigns import codes, record, tier
from tests.campaigns import create as create_campaign
from tests.sealing import KEYS
from tests.vendor_shop import (
    MAPPING,
    POINTS,
    PRICE,
    SECURITY,
    TEMPLATE,
    NoServer,
    VendorShop,
    open_vendor_shop,
)

pytestmark = pytest.mark.requirement("CAP-5")

ENDPOINT = "https://vouchers.example.com/orders"
FIELDS = VendorFields("Vouchers", ENDPOINT, TEMPLATE, MAPPING, None, False, 5)


@pytest.fixture
async def shop(database: Database) -> AsyncIterator[VendorShop]:
    yield await open_vendor_shop(database, NoServer())
    # Whatever a test did, the books are right.
    assert await verify(database) == []


async def change(shop: VendorShop, key: str, **fields: Any) -> None:
    command = UpdateVendor(key, shop.vendor_id, VendorFields(**fields))
    await update_vendor(shop.database, shop.caller, command, SECURITY)


async def test_vendor_is_created_once(shop: VendorShop) -> None:
    command = CreateVendor("1", replace(FIELDS, secret_header=SecretHeader("X-Key", "s3cret")))
    first = await create_vendor(shop.database, shop.caller, command, SECURITY)
    again = await create_vendor(shop.database, shop.caller, command, SECURITY)
    assert (first.idempotent_replay, again.idempotent_replay) == (False, True)
    assert first.vendor == again.vendor
    assert first.vendor.secret_header_name == "X-Key"
    other = CreateVendor("1", replace(FIELDS, secret_header=SecretHeader("X-Key", "other")))
    with pytest.raises(IdempotencyConflict) as conflict:
        await create_vendor(shop.database, shop.caller, other, SECURITY)
    assert conflict.value.differing_fields == ("secretHeader",)


def read_secret(shop: VendorShop, sealed: bytes) -> str:
    return open_secret(KEYS, shop.caller.tenant_id, shop.vendor_id, sealed)


async def test_secret_stands_nowhere_in_the_database(shop: VendorShop) -> None:
    (row,) = await shop.database.fetch(
        "SELECT string_agg(vendors::text, '') || (SELECT string_agg(operations::text, '') FROM operations) "
        "AS everything, max(secret_header_sealed) AS sealed FROM vendors"
    )
    assert "vendor-secret-1" not in row["everything"]
    assert b"vendor-secret-1".hex() not in row["everything"]
    assert read_secret(shop, row["sealed"]) == "vendor-secret-1"
    assert "vendor-secret-1" not in repr(SecretHeader("X-Api-Key", "vendor-secret-1"))


@pytest.mark.parametrize(
    ("fields", "path", "rule"),
    [
        ({"name": ""}, "name", "required"),
        ({"name": "x" * 201}, "name", "length"),
        ({"name": "a\x00"}, "name", "characters"),
        ({"name": "\ud800"}, "name", "characters"),
        ({"name": None}, "name", "required"),
        ({"endpoint": "http://vouchers.example.com"}, "endpoint", "address"),
        ({"request_template": {"a": 1}}, "requestTemplate", "order_id"),
        ({"response_mapping": ResponseMapping("a[*]")}, "responseMapping.voucher", "path"),
        ({"secret_header": SecretHeader("Host", "x")}, "secretHeader.name", "header"),
        ({"secret_header": SecretHeader("X Key", "x")}, "secretHeader.name", "header"),
        ({"secret_header": SecretHeader("X-Key", "")}, "secretHeader.value", "header"),
        ({"secret_header": SecretHeader("X-Key", "a\r\nb")}, "secretHeader.value", "header"),
        ({"secret_header": SecretHeader("X-Key", "x" * 1025)}, "secretHeader.value", "header"),
        ({"timeout_seconds": 0}, "timeoutSeconds", "range"),
        ({"timeout_seconds": 31}, "timeoutSeconds", "range"),
        ({"timeout_seconds": -(2**31)}, "timeoutSeconds", "range"),
    ],
)
async def test_broken_vendor_is_refused(
    shop: VendorShop, fields: dict[str, Any], path: str, rule: str
) -> None:
    command = CreateVendor("1", replace(FIELDS, **fields))
    with pytest.raises(InvalidInput) as refused:
        await create_vendor(shop.database, shop.caller, command, SECURITY)
    assert [(".".join(error.path), error.rule) for error in refused.value.errors] == [
        (f"input.{path}", rule)
    ]
    assert len(await shop.database.fetch("SELECT FROM vendors")) == 1


async def test_change_touches_only_what_it_names(shop: VendorShop) -> None:
    await change(shop, "1", name="Better vouchers", timeout_seconds=9)
    (row,) = await shop.database.fetch("SELECT * FROM vendors")
    assert (row["name"], row["timeout_seconds"]) == ("Better vouchers", 9)
    assert row["endpoint"] == "http://127.0.0.1:1/orders"
    assert read_secret(shop, row["secret_header_sealed"])
    await change(
        shop, "2", secret_header=SecretHeader("X-New", "new"), endpoint=f"{row['endpoint']}/2"
    )
    (row,) = await shop.database.fetch("SELECT * FROM vendors")
    assert row["secret_header_name"] == "X-New"
    assert read_secret(shop, row["secret_header_sealed"]) == "new"
    assert row["endpoint"] == "http://127.0.0.1:1/orders/2"
    await change(
        shop, "3", removes_secret=True, request_template=TEMPLATE, response_mapping=MAPPING
    )
    (row,) = await shop.database.fetch("SELECT * FROM vendors")
    assert (row["secret_header_name"], row["secret_header_sealed"]) == (None, None)


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        # Whoever may change a vendor must not have its secret sent to a host of their own.
        ({"endpoint": "https://vouchers.example.com/orders"}, "origin"),
        ({"endpoint": "http://127.0.0.1:2/orders"}, "origin"),
        ({"request_template": {"order": "{orderId}"}}, "quantity"),
    ],
)
async def test_change_that_would_break_promises_is_refused(
    shop: VendorShop, fields: dict[str, Any], rule: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        await change(shop, "1", **fields)
    assert [error.rule for error in refused.value.errors] == [rule]


async def test_open_order_keeps_its_request(shop: VendorShop) -> None:
    await shop.issue(None)
    template = {"order": {"id": "{orderId}", "count": "{quantity}"}, "version": 2}
    await change(shop, "1", endpoint="http://127.0.0.1:1/v2", request_template=template)
    order = await shop.claim()
    assert order.endpoint == "http://127.0.0.1:1/orders"
    sealed = order.request_template_sealed
    assert open_template(KEYS, order.tenant_id, order.vendor_id, sealed) == TEMPLATE


@pytest.mark.requirement("MON-13")
async def test_vendor_belongs_to_its_organization(shop: VendorShop) -> None:
    neighbor = shop.shop.neighbor
    command = UpdateVendor("1", shop.vendor_id, VendorFields(name="Mine"))
    with pytest.raises(NotFound):
        await update_vendor(shop.database, neighbor, command, SECURITY)
    theirs = replace(shop.shop, caller=neighbor)
    for vendor_id in (shop.vendor_id, UUID(int=0)):
        with pytest.raises(InvalidInput) as refused:
            await theirs.create_reward(VendorVoucherDraft(vendor_id))
        assert [(error.path[-1], error.rule) for error in refused.value.errors] == [
            ("vendorId", "exists")
        ]


async def test_scope_is_needed(shop: VendorShop) -> None:
    reader = replace(shop.caller, scopes=frozenset({Scope.READ}))
    with pytest.raises(Forbidden):
        await create_vendor(shop.database, reader, CreateVendor("1", FIELDS), SECURITY)
    update = UpdateVendor("1", shop.vendor_id, VendorFields(name="x"))
    with pytest.raises(Forbidden):
        await update_vendor(shop.database, reader, update, SECURITY)


@pytest.mark.parametrize("text", ["", "x" * 201, "a\x00b"])
async def test_broken_offer_is_refused(shop: VendorShop, text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        await shop.shop.create_reward(VendorVoucherDraft(shop.vendor_id, text, text))
    assert [error.path[-1] for error in refused.value.errors] == ["offerName", "seriesId"]


@pytest.mark.requirement("CAP-4")
async def test_pending_grant_holds_its_price(shop: VendorShop) -> None:
    outcome = await shop.issue(None)
    grant = outcome.items[0].grant
    assert grant is not None
    assert (grant.status, grant.benefits, grant.entry_from, grant.entry_to) == (
        GrantStatus.PENDING,
        [],
        0,
        0,
    )
    assert await shop.balance() == (POINTS, PRICE)
    with pytest.raises(InsufficientBalance):
        await shop.issue(None, *[shop.item()] * 3)
    await shop.decline()
    assert await shop.balance() == (POINTS, 0)


async def test_pending_grant_is_neither_claimed_nor_reversed(shop: VendorShop) -> None:
    outcome = await shop.issue(None)
    grant = outcome.items[0].grant
    assert grant is not None
    claimed = await claim_rewards(
        shop.database, shop.caller, ClaimCommand("1", shop.member, [grant.id])
    )
    assert claimed.results[0].status.code is StatusCode.NOT_CLAIMABLE
    reverse = ReverseCommand("1", grant.id, None)
    with pytest.raises(NotReversible, match="not settled"):
        await reverse_grant(shop.database, shop.caller, reverse)
    await shop.decline()
    with pytest.raises(NotReversible, match="declined"):
        await reverse_grant(shop.database, shop.caller, reverse)
    assert await shop.balance() == (POINTS, 0)


async def test_settled_grant_is_reversed_with_its_payment(shop: VendorShop) -> None:
    outcome = await shop.issue(None)
    await shop.settle()
    grant = outcome.items[0].grant
    assert grant is not None
    assert await shop.balance() == (POINTS - PRICE, 0)
    await reverse_grant(shop.database, shop.caller, ReverseCommand("1", grant.id, None))
    assert await shop.balance() == (POINTS, 0)


@pytest.mark.requirement("CAP-8")
async def test_replay_shows_what_has_become_of_it(shop: VendorShop) -> None:
    """The rest of the answer is the first one's; a declined item keeps its key, because it had an effect."""
    item = shop.item(request_id="item-1", event_log_id="log-1")
    codes = []
    for step in (None, None, shop.settle):
        if step:
            await step()
        outcome = await shop.issue(None, item, key="1")
        assert outcome.items[0].item == item
        codes.append((outcome.items[0].status.code, outcome.idempotent_replay))
    assert codes == [
        (StatusCode.PENDING, False),
        (StatusCode.PENDING, True),
        (StatusCode.GRANTED, True),
    ]
    # The same item in another call: the call finds it settled.
    other = await shop.issue(None, item, key="2")
    assert (other.items[0].status.code, other.items[0].idempotent_replay) == (
        StatusCode.GRANTED,
        True,
    )
    assert len(await shop.database.fetch("SELECT FROM vendor_orders")) == 1


@pytest.mark.requirement("CAP-8")
async def test_declined_item_keeps_its_key(shop: VendorShop) -> None:
    item = shop.item(request_id="item-1")
    await shop.issue(None, item, key="1")
    await shop.decline()
    for key in ("1", "2"):
        outcome = await shop.issue(None, item, key=key)
        assert outcome.outcome is BatchOutcome.NONE
        assert outcome.items[0].status.message == ("The vendor did not issue it: it was told so.")
    assert len(await shop.database.fetch("SELECT FROM vendor_orders")) == 1


async def test_some_pending_make_the_whole_pending(shop: VendorShop) -> None:
    gift = await shop.shop.create_reward()
    other = replace(shop.item(), reward_id=gift.id)
    outcome = await shop.issue(None, other, shop.item())
    assert outcome.outcome is BatchOutcome.PENDING
    assert [item.quantity for item in outcome.items] == [1, 0]
    await shop.settle()


@pytest.mark.requirement("MON-8")
@pytest.mark.parametrize("issued", [True, False])
async def test_manual_grant_is_bought_without_payment(shop: VendorShop, issued: bool) -> None:
    command = GrantCommand("1", shop.member, CatalogReward(shop.paid_reward_id), None, {})
    first = await grant_reward(shop.database, shop.caller, command)
    assert (first.status.code, first.grant.status) == (StatusCode.PENDING, GrantStatus.PENDING)
    await (shop.settle() if issued else shop.decline())
    again = await grant_reward(shop.database, shop.caller, command)
    assert again.idempotent_replay
    assert again.status.code is (StatusCode.GRANTED if issued else StatusCode.VENDOR_DECLINED)
    assert again.grant.status is (GrantStatus.CLAIMED if issued else GrantStatus.DECLINED)
    assert await shop.balance() == (POINTS, 0)


@pytest.mark.requirement("MON-12")
@pytest.mark.parametrize("issued", [True, False])
async def test_campaign_gives_vouchers_that_are_bought_later(
    shop: VendorShop, issued: bool
) -> None:
    """A use case that knows nothing of vendors leaves orders that the worker settles."""
    campaign_shop = shop.shop
    await create_campaign(campaign_shop, tier(shop.free_reward_id, shop.paid_reward_id))
    member_id = UUID(shop.member.value)
    first = await record(campaign_shop, member_id, "e-1")
    assert codes(first) == [StatusCode.PENDING, StatusCode.PENDING]
    assert first.campaigns[0].status.code is StatusCode.PENDING
    for order in await shop.claim_all():
        assert await (
            settle_issued(shop.database, order, Issued("V", None, None, None))
            if issued
            else settle_declined(shop.database, order, "no")
        )
    again = await record(campaign_shop, member_id, "e-1")
    code = StatusCode.GRANTED if issued else StatusCode.VENDOR_DECLINED
    assert codes(again) == [code, code]
    assert again.campaigns[0].status.code is code
    assert await shop.balance() == (POINTS, 0)


async def test_hold_takes_all_or_nothing() -> None:
    """Two payments of one line count together; a line that cannot pay leaves the book as it was."""
    asset_id, member_id = new_id(), new_id()
    payer = Account(asset_id, OwnerKind.MEMBER, member_id)
    taken = Account(asset_id, OwnerKind.REDEMPTION, new_id())
    book = Book({payer.id: Balance(10, 0, 1, bytes(32))})
    transaction = Transaction(
        new_id(), TransactionKind.GRANT, new_id(), datetime(2027, 1, 1, tzinfo=UTC), {}
    )
    line = Line(
        grant_id=new_id(),
        transaction=transaction,
        organization_id=new_id(),
        member_id=member_id,
        index=0,
        source=GrantSource.MANUAL,
        kind=GrantKind.VENDOR_VOUCHER,
        status=GrantStatus.PENDING,
        transfers=(),
        benefits=(),
        payments=(Transfer(payer, taken, 6), Transfer(payer, taken, 5)),
    )
    with pytest.raises(BalanceTooLow):
        hold_payments(book, line)
    assert (book.available_minor(payer), book.placed_holds) == (10, [])
    hold_payments(book, replace(line, payments=line.payments[:1]))
    assert book.available_minor(payer) == 4


async def test_worker_begins_no_more_than_it_has_room_for(
    shop: VendorShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = WORKER_CALLS_MAX._replace(vendor_max=2)
    monkeypatch.setattr("gateway.purchasing.purchaser.WORKER_CALLS_MAX", limits)
    await shop.issue(None, *[shop.item(paid=False)] * 3)
    worker = shop.open_purchaser()
    assert (await worker.run_due(), await worker.run_due()) == (2, 0)
    await worker.finish_begun()
    assert await worker.run_due() == 1
    await worker.close()


async def test_broken_change_is_refused(shop: VendorShop) -> None:
    with pytest.raises(InvalidInput) as refused:
        await change(shop, "", name="", timeout_seconds=31)
    assert [error.path[-1] for error in refused.value.errors] == [
        "requestId",
        "name",
        "timeoutSeconds",
    ]


@pytest.mark.requirement("ALL-4")
async def test_dry_run_orders_nothing(shop: VendorShop) -> None:
    purchaser = shop.open_purchaser()
    outcome = await shop.issue(purchaser, dry_run=True)
    assert outcome.outcome is BatchOutcome.PENDING
    command = GrantCommand("1", shop.member, CatalogReward(shop.free_reward_id), None, {}, True)
    granted = await grant_reward(shop.database, shop.caller, command, purchaser=purchaser)
    assert granted.status.code is StatusCode.PENDING
    await purchaser.close()
    assert await shop.database.fetch("SELECT FROM vendor_orders") == []
    assert await shop.balance() == (POINTS, 0)


@pytest.mark.requirement("CAP-7")
@pytest.mark.parametrize("takes_quantity", [True, False])
async def test_more_than_one_is_sold_only_if_the_vendor_is_told(
    shop: VendorShop, takes_quantity: bool
) -> None:
    vendor_id = shop.vendor_id
    if not takes_quantity:
        fields = replace(FIELDS, request_template={"order": "{orderId}"})
        created = await create_vendor(
            shop.database, shop.caller, CreateVendor("1", fields), SECURITY
        )
        vendor_id = created.vendor.id
    ratio = PaymentConfigDraft(
        PaymentMode.CONV_RATIO,
        asset_id=shop.caller.standard_assets.points_id,
        conversion_ratio=Decimal("0.5"),
    )
    reward = await shop.shop.create_reward(VendorVoucherDraft(vendor_id), payment_configs=(ratio,))
    item = replace(shop.item(quantity=Decimal(3), payment=PaymentChoice()), reward_id=reward.id)
    await shop.issue(None, item, key="1")
    await shop.settle()
    outcome = await shop.issue(None, item, key="1")
    (bought,) = outcome.items
    assert bought.grant is not None
    assert bought.grant.benefits[0]["voucher_quantity"] == (3 if takes_quantity else 1)
    assert (bought.status.code, bought.quantity) == (
        (StatusCode.GRANTED, 3) if takes_quantity else (StatusCode.QUANTITY_REDUCED, 1)
    )
    assert await shop.balance() == (POINTS - (6 if takes_quantity else 2), 0)


async def test_altered_secret_reaches_nobody(shop: VendorShop) -> None:
    """Nothing is sent, and the order waits until somebody has written the secret again."""
    await shop.database.fetch("UPDATE vendors SET secret_header_sealed = 'x'::bytea RETURNING id")
    await shop.issue(None)
    purchaser = shop.open_purchaser()
    await purchaser.run_due()
    await purchaser.close()
    (order,) = await shop.database.fetch("SELECT status, last_problem FROM vendor_orders")
    problem = "the gateway cannot read its secrets: This is no sealed value."
    assert tuple(order) == ("PENDING", problem)


async def test_address_is_judged_with_every_call(shop: VendorShop) -> None:
    """An endpoint that was written when loopback was allowed is not called once it is not."""
    await shop.database.fetch("UPDATE vendors SET endpoint = 'http://10.0.0.1/' RETURNING id")
    await shop.issue(None)
    await shop.work()
    (order,) = await shop.database.fetch("SELECT status, last_problem FROM vendor_orders")
    assert tuple(order) == ("DECLINED", "its address is not permitted")
