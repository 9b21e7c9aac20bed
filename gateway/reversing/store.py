"""Which grants an operation or a transaction made; each is one round trip."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from gateway.operations.model import OperationKind
from gateway.storage.database import Connection

# Entries name their grants; a coupon has none, and is named by the transaction's event.
BY_TRANSACTION = """
SELECT grant_id FROM ledger_entries WHERE tenant_id = $1 AND transaction_id = $2 AND grant_id IS NOT NULL
UNION
SELECT jsonb_array_elements_text(payload -> 'grantIds')::uuid FROM outbox_events
WHERE tenant_id = $1 AND transaction_id = $2
"""


async def fetch_grant_ids(
    connection: Connection, tenant_id: UUID, transaction_id: UUID
) -> list[UUID]:
    """Return the grants that a transaction is about."""
    rows = await connection.fetch(BY_TRANSACTION, tenant_id, transaction_id)
    return [row["grant_id"] for row in rows]


def read_grant_ids(kind: OperationKind, answer: Mapping[str, Any]) -> list[UUID]:
    """Return the grants that a stored answer names; some may be of earlier operations."""
    if kind is OperationKind.DISTRIBUTE_REWARDS:
        return [UUID(line) for line in answer["lines"] if isinstance(line, str)]
    if kind is OperationKind.RECORD_EVENT:
        tiers = [tier for campaign in answer["campaigns"] for tier in campaign["tiers"]]
        effects = [effect for tier in tiers for effect in tier["effects"]]
        return [UUID(effect["grant_id"]) for effect in effects if effect["grant_id"]]
    items = answer["items"] if kind is OperationKind.ISSUE_REWARDS else [answer]
    return [UUID(item["grant_id"]) for item in items if item["grant_id"]]
