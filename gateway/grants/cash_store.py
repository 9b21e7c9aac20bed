"""Payments in cash of grants that come to nothing after all."""

from __future__ import annotations

from uuid import UUID

from gateway.grants.record import GrantRecord
from gateway.storage.database import Connection

# Grants of one payment that are declined at once wait for each other here, so that the last of them sees the others.
LOCK = """
SELECT reference FROM cash_references WHERE tenant_id = $1 AND operation_id = $2 AND reference = $3 FOR UPDATE
"""

FREE = """
DELETE FROM cash_references WHERE tenant_id = $1 AND operation_id = $2 AND reference = $3 AND NOT EXISTS (
    SELECT FROM grants WHERE tenant_id = $1 AND member_id = $4 AND operation_id = $2 AND id <> $5 AND status <> 'DECLINED'
        AND details #>> '{payment,cash_reference}' = $3)
"""


async def free_cash_of(connection: Connection, tenant_id: UUID, grant: GrantRecord) -> None:
    """Set the payment in cash of a grant that is being declined free, unless it pays for another grant of its issuance.

    Round trips: none without cash, else two.
    """
    reference = grant.details.get("payment", {}).get("cash_reference")
    if reference is not None:
        payment = (tenant_id, grant.operation_id, reference)
        await connection.execute(LOCK, *payment)
        await connection.execute(FREE, *payment, grant.member_id, grant.id)
