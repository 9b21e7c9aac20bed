"""The end of an order, in one database transaction: the held payment is taken and the voucher given, or both are not.

Round trips: end the order, lock the grant, lock balances, ledger (2 with holds), mark the grant.
Lock order: order, grant, the reference of its cash if it is declined (2 more round trips), balances.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from gateway.grants import store
from gateway.grants.cash_store import free_cash_of
from gateway.grants.codes import seal_benefit
from gateway.grants.events import to_event
from gateway.grants.holding import holds_of
from gateway.grants.record import GrantRecord
from gateway.ledger.balance import EntryRange
from gateway.ledger.book import Book
from gateway.ledger.model import Transaction
from gateway.ledger.store import lock_balances, record
from gateway.purchasing.model import ClaimedOrder, Issued
from gateway.purchasing.order_store import settle_order
from gateway.storage.database import Connection, Database

ISSUED = "ISSUED"
DECLINED = "DECLINED"


async def settle_issued(database: Database, order: ClaimedOrder, issued: Issued) -> bool:
    """Take the payment and give the voucher, once; tell whether this call did it.

    No lease is needed: a late answer to a call whose lease has passed on brings the same voucher as the call after it.
    """

    async def work(connection: Connection) -> bool:
        at = await settle_order(connection, order, ISSUED, needs_lease=False)
        if at is None:
            return False
        grant = await _lock_grant(connection, order)
        book = await lock_balances(
            connection, order.tenant_id, [payment.debit for payment in order.payments], at
        )
        entries = _capture(book, order, grant, at)
        await record(connection, order.tenant_id, book, at)
        benefit = seal_benefit(
            connection.keys, order.tenant_id, grant.id, _to_benefit(order, issued)
        )
        await store.mark_issued(connection, order.tenant_id, grant.id, [benefit], entries, at)
        return True

    return await database.run_transaction(work)


async def settle_declined(database: Database, order: ClaimedOrder, reason: str) -> bool:
    """Free the payment and decline the grant, if this process still holds the order's lease; tell whether it did."""

    async def work(connection: Connection) -> bool:
        at = await settle_order(connection, order, DECLINED, needs_lease=True, problem=reason)
        if at is None:
            return False
        grant = await _lock_grant(connection, order)
        await free_cash_of(connection, order.tenant_id, grant)
        accounts = [payment.debit for payment in order.payments]
        book = await lock_balances(connection, order.tenant_id, accounts, at)
        for hold in holds_of(grant.id, order.operation_id, order.payments):
            book.release(hold)
        await record(connection, order.tenant_id, book, at)
        await store.mark_declined(connection, order.tenant_id, grant.id, reason)
        return True

    return await database.run_transaction(work)


async def _lock_grant(connection: Connection, order: ClaimedOrder) -> GrantRecord:
    grants = await store.lock_grants(connection, order.tenant_id, [order.grant_id])
    return grants[order.grant_id]


def _capture(book: Book, order: ClaimedOrder, grant: GrantRecord, at: datetime) -> EntryRange:
    """Turn each hold into a transfer of the grant's own transaction, which is recorded even if it was free."""
    transaction = Transaction(
        id=grant.transaction_id,
        kind=order.transaction_kind,
        operation_id=order.operation_id,
        occurred_at=at,
        payload=to_event(grant.id, grant.member_id, grant.details.get("group_id")),
        credential_id=order.credential_id,
    )
    book.open(transaction)
    holds = holds_of(grant.id, order.operation_id, order.payments)
    ranges = [
        book.capture(hold, transaction, payment.credit, grant.id)
        for hold, payment in zip(holds, order.payments, strict=True)
    ]
    return EntryRange(0, ranges[-1].stop if ranges else 0)


def _to_benefit(order: ClaimedOrder, issued: Issued) -> dict[str, Any]:
    """Return what the member gets, its code in plain; what the answer does not say, the order knows."""
    benefit = {
        "kind": "VENDOR_VOUCHER",
        "code": issued.voucher,
        "valid_till": issued.valid_till,
        "offer_name": issued.offer_name or order.request_values["offerName"],
        "series_id": issued.series_id or order.request_values["seriesId"],
        "voucher_quantity": order.request_values["quantity"],
    }
    if order.payments:
        # All payments of a grant are of one asset: a payment configuration names one.
        benefit["paid_asset_id"] = str(order.payments[0].debit.asset_id)
        benefit["paid_minor"] = sum(payment.amount_minor for payment in order.payments)
    return benefit
