"""Vendor orders, placed with the pending grants they buy for; one round trip for any number of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from gateway.grants.line import Line
from gateway.ids import IdKind, encode_id
from gateway.ledger.model import Account, OwnerKind, Transfer
from gateway.storage.database import Connection, to_json

# The vendor's endpoint and template, sealed for the vendor, are copied, so that asking again sends the same request whatever has changed since.
INSERT = """
INSERT INTO vendor_orders (tenant_id, grant_id, vendor_id, operation_id, credential_id, transaction_kind, endpoint,
    request_template_sealed, request_values, payments, status, attempt_count, is_uncertain, due_at, created_at)
SELECT $1, placed.grant_id, placed.vendor_id, placed.operation_id, placed.credential_id, placed.transaction_kind, vendors.endpoint,
    vendors.request_template_sealed,
    placed.request_values || jsonb_build_object('memberExternalId', (
        SELECT value FROM member_identifiers
        WHERE tenant_id = $1 AND member_id = placed.member_id AND kind = 'EXTERNAL_ID'
        ORDER BY created_at, value LIMIT 1)),
    placed.payments, 'PENDING', 0, false, $10, $10
FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::uuid[], $8::jsonb[], $9::jsonb[])
    AS placed (grant_id, vendor_id, operation_id, credential_id, transaction_kind, member_id, request_values, payments)
JOIN vendors ON vendors.tenant_id = $1 AND vendors.id = placed.vendor_id
RETURNING grant_id
"""

FETCH_PENDING = """
SELECT grant_id FROM vendor_orders
WHERE tenant_id = $1 AND grant_id = ANY($2::uuid[]) AND status = 'PENDING'
"""


async def insert_orders(
    connection: Connection, tenant_id: UUID, lines: Sequence[Line], at: datetime
) -> None:
    """Place the orders of pending lines; they are due at once.

    Raises:
        ValueError: a line's vendor does not exist; the lines come from checked configurations.
    """
    rows = [_to_row(line) for line in lines]
    placed = await connection.fetch(INSERT, tenant_id, *map(list, zip(*rows, strict=True)), at)
    if len(placed) != len(lines):
        message = "a pending line names no vendor of the tenant"
        raise ValueError(message)


async def fetch_pending(
    connection: Connection, tenant_id: UUID, grant_ids: Sequence[UUID]
) -> set[UUID]:
    """Return which of these grants still wait for their vendor."""
    rows = await connection.fetch(FETCH_PENDING, tenant_id, list(grant_ids))
    return {row["grant_id"] for row in rows}


def payments_from_json(payments: Sequence[Mapping[str, Any]]) -> list[Transfer]:
    """Read the payments of an order."""
    return [
        Transfer(
            _to_account(payment["asset_id"], payment["debit"]),
            _to_account(payment["asset_id"], payment["credit"]),
            payment["amount_minor"],
        )
        for payment in payments
    ]


def _to_row(line: Line) -> tuple[Any, ...]:
    purchase = line.purchase
    assert purchase is not None  # noqa: S101 - callers pass pending lines only
    reward_id = line.reward_id and encode_id(IdKind.REWARD, line.reward_id)
    values = {
        "orderId": str(line.grant_id),
        "organizationId": encode_id(IdKind.ORGANIZATION, line.organization_id),
        "memberId": encode_id(IdKind.MEMBER, line.member_id),
        "rewardId": reward_id,
        "offerName": purchase.offer_name,
        "seriesId": purchase.series_id,
        "quantity": purchase.quantity,
    }
    return (
        line.grant_id,
        purchase.vendor_id,
        line.transaction.operation_id,
        line.transaction.credential_id,
        line.transaction.kind,
        line.member_id,
        to_json(values),
        to_json([_to_json(payment) for payment in line.payments]),
    )


def _to_json(payment: Transfer) -> dict[str, Any]:
    return {
        "asset_id": str(payment.debit.asset_id),
        "debit": [payment.debit.owner_kind.value, str(payment.debit.owner_id)],
        "credit": [payment.credit.owner_kind.value, str(payment.credit.owner_id)],
        "amount_minor": payment.amount_minor,
    }


def _to_account(asset_id: str, owner: Sequence[str]) -> Account:
    kind, owner_id = owner
    return Account(UUID(asset_id), OwnerKind(kind), UUID(owner_id))
