"""References of payments in cash. Each function is one round trip, whatever the number of references."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.access import Caller
from gateway.operations.model import Operation
from gateway.storage.database import Connection

# Ordered, so that two issuances with the same references wait for each other in one direction only.
CLAIM = """
INSERT INTO cash_references (tenant_id, partner_id, reference, operation_id, created_at)
SELECT $1, $2, reference, $4, $5 FROM unnest($3::text[]) AS wanted (reference) ORDER BY reference
ON CONFLICT (tenant_id, partner_id, reference) DO NOTHING
RETURNING reference
"""

FREE = """
DELETE FROM cash_references
WHERE tenant_id = $1 AND partner_id = $2 AND reference = ANY($3::text[]) AND operation_id = $4
"""


async def claim_references(
    connection: Connection, caller: Caller, references: Iterable[str], operation: Operation
) -> set[str]:
    """Make the references this operation's and return those that were nobody's; wait for others' uncommitted claims."""
    rows = await connection.fetch(
        CLAIM,
        caller.tenant_id,
        caller.partner_id,
        sorted(references),
        operation.id,
        operation.at,
    )
    return {row["reference"] for row in rows}


async def free_references(
    connection: Connection, caller: Caller, references: Iterable[str], operation: Operation
) -> None:
    """Make the references nobody's again, those that are this operation's."""
    await connection.execute(
        FREE, caller.tenant_id, caller.partner_id, sorted(references), operation.id
    )
