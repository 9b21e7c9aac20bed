"""Vendor orders: who may ask, when to ask again, and how each ends. Each function is one round trip.

Every change is a compare-and-set, and every time is the database's.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from gateway.grants.vendor_order_store import payments_from_json
from gateway.ledger.model import TransactionKind
from gateway.purchasing.model import ClaimedOrder
from gateway.storage.database import Connection
from gateway.vendors.mapping import ResponseMapping

# The lease outlives the call, which is cut off at the vendor's time-out, by as long as settling may take.
LEASE_MARGIN_SECONDS = 20.0

# Uncertain from this moment on: whatever happens to this process, the vendor may have been asked. What the column held before
# comes from the row as it was locked.
_CLAIM = """
UPDATE vendor_orders SET lease_id = $2, attempt_count = vendor_orders.attempt_count + 1, is_uncertain = true,
    due_at = now() + make_interval(secs => vendors.timeout_seconds + $3::float8)
FROM due JOIN vendors ON vendors.tenant_id = $1 AND vendors.id = due.vendor_id
WHERE vendor_orders.tenant_id = $1 AND vendor_orders.grant_id = due.grant_id
RETURNING vendor_orders.grant_id, vendor_orders.operation_id, vendor_orders.credential_id, vendor_orders.transaction_kind, vendor_orders.vendor_id,
    vendor_orders.endpoint, vendor_orders.request_template_sealed, vendor_orders.request_values, vendor_orders.payments,
    vendor_orders.attempt_count, due.was_uncertain, vendors.response_mapping, vendors.secret_header_name,
    vendors.secret_header_sealed, vendors.timeout_seconds
"""
_LOCK = """
SELECT grant_id, vendor_id, is_uncertain AS was_uncertain FROM vendor_orders
WHERE tenant_id = $1 AND status = 'PENDING' AND due_at <= now()
"""

CLAIM_ONE = f"WITH due AS ({_LOCK} AND grant_id = $4 FOR UPDATE SKIP LOCKED) {_CLAIM}"
CLAIM_DUE = f"""
WITH due AS ({_LOCK} AND vendor_id = $4 ORDER BY due_at, grant_id LIMIT $5 FOR UPDATE SKIP LOCKED) {_CLAIM}
"""

# For the worker alone, since it reads across tenants: which vendors have orders that are due, the longest due first. One probe
# of an index for each vendor.
VENDORS_WITH_DUE = """
SELECT vendors.tenant_id, vendors.id FROM vendors CROSS JOIN LATERAL (
    SELECT due_at FROM vendor_orders
    WHERE vendor_orders.tenant_id = vendors.tenant_id AND vendor_id = vendors.id AND status = 'PENDING' AND due_at <= now()
    ORDER BY due_at LIMIT 1
) AS due ORDER BY due_at
"""

VENDORS_OF = "SELECT grant_id, vendor_id FROM vendor_orders WHERE tenant_id = $1 AND grant_id = ANY($2::uuid[])"

# The holder of the lease alone may decide that nothing was issued; a voucher is a voucher whoever brings it.
SETTLE = """
UPDATE vendor_orders SET status = $3, settled_at = now(), lease_id = NULL, last_problem = $5
WHERE tenant_id = $1 AND grant_id = $2 AND status = 'PENDING' AND ($4::uuid IS NULL OR lease_id = $4)
RETURNING settled_at
"""

POSTPONE = """
UPDATE vendor_orders SET lease_id = NULL, due_at = now() + make_interval(secs => $4::float8), is_uncertain = $5,
    last_problem = $6
WHERE tenant_id = $1 AND grant_id = $2 AND status = 'PENDING' AND lease_id = $3
RETURNING true
"""

STATUS = "SELECT status FROM vendor_orders WHERE tenant_id = $1 AND grant_id = $2"


async def claim_order(
    connection: Connection, tenant_id: UUID, grant_id: UUID, lease_id: UUID
) -> ClaimedOrder | None:
    """Lease one order if it is due, so that nobody else asks for it meanwhile; None if it is settled, leased or not due."""
    rows = await connection.fetch(CLAIM_ONE, tenant_id, lease_id, LEASE_MARGIN_SECONDS, grant_id)
    return _to_order(tenant_id, lease_id, rows[0]) if rows else None


async def claim_due_orders(
    connection: Connection, tenant_id: UUID, vendor_id: UUID, lease_id: UUID, count_max: int
) -> list[ClaimedOrder]:
    """Lease the orders at a vendor that are due, the longest waiting first, passing over those that others hold."""
    rows = await connection.fetch(
        CLAIM_DUE, tenant_id, lease_id, LEASE_MARGIN_SECONDS, vendor_id, count_max
    )
    return [_to_order(tenant_id, lease_id, row) for row in rows]


async def fetch_vendors_with_due_orders(connection: Connection) -> list[tuple[UUID, UUID]]:
    """Return the tenant and the id of each vendor with orders that are due."""
    return [(row["tenant_id"], row["id"]) for row in await connection.fetch(VENDORS_WITH_DUE)]


async def fetch_vendors_of_orders(
    connection: Connection, tenant_id: UUID, grant_ids: Sequence[UUID]
) -> dict[UUID, UUID]:
    """Return the vendor of each grant's order."""
    rows = await connection.fetch(VENDORS_OF, tenant_id, list(grant_ids))
    return {row["grant_id"]: row["vendor_id"] for row in rows}


async def settle_order(
    connection: Connection,
    order: ClaimedOrder,
    status: str,
    *,
    needs_lease: bool,
    problem: str | None = None,
) -> datetime | None:
    """End a pending order and return when; None if it has ended before, or the lease that this needs has passed on."""
    settled_at: datetime | None = await connection.fetchval(
        SETTLE,
        order.tenant_id,
        order.grant_id,
        status,
        order.lease_id if needs_lease else None,
        problem,
    )
    return settled_at


async def postpone_order(
    connection: Connection,
    order: ClaimedOrder,
    delay_seconds: float,
    *,
    is_uncertain: bool,
    problem: str,
) -> bool:
    """Give the lease back and ask again later; tell whether this process still held it."""
    postponed = await connection.fetchval(
        POSTPONE,
        order.tenant_id,
        order.grant_id,
        order.lease_id,
        delay_seconds,
        is_uncertain,
        problem,
    )
    return bool(postponed)


async def fetch_status(connection: Connection, tenant_id: UUID, grant_id: UUID) -> str | None:
    """Return where the order of a grant stands: PENDING, ISSUED or DECLINED."""
    status: str | None = await connection.fetchval(STATUS, tenant_id, grant_id)
    return status


def _to_order(tenant_id: UUID, lease_id: UUID, row: asyncpg.Record) -> ClaimedOrder:
    values: dict[str, Any] = dict(row)
    return ClaimedOrder(
        **{
            **values,
            "tenant_id": tenant_id,
            "lease_id": lease_id,
            "transaction_kind": TransactionKind(values["transaction_kind"]),
            "payments": tuple(payments_from_json(values["payments"])),
            "response_mapping": ResponseMapping.from_json(values["response_mapping"]),
        }
    )
