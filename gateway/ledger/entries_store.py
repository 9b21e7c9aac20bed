"""Read back the entries of a transaction."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from gateway.storage.database import Connection

FETCH = """
SELECT account_id, asset_id, amount_minor FROM ledger_entries
WHERE tenant_id = $1 AND transaction_id = $2 AND index >= $3 AND index < $4
ORDER BY index
"""

INDEX_MAX = 2**31 - 1


@dataclass(frozen=True, slots=True)
class EntryRow:
    """One side of a transfer, as posted. Units: minor, negative on the debit side."""

    account_id: UUID
    asset_id: UUID
    amount_minor: int


async def fetch_entries(
    connection: Connection,
    tenant_id: UUID,
    transaction_id: UUID,
    start: int = 0,
    stop: int = INDEX_MAX,
) -> list[EntryRow]:
    """Return the entries of a transaction from index `start` up to, not including, `stop`, in order."""
    rows = await connection.fetch(FETCH, tenant_id, transaction_id, start, stop)
    return [EntryRow(*row) for row in rows]
