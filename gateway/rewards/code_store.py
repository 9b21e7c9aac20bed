"""Coupon codes: load them and count them. Each function is one round trip, whatever the number of codes or pools."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gateway.rewards.items import CodeCounts, ItemKey
from gateway.storage.database import Connection

# In order of code: two loads that share codes then wait for each other in one direction, and cannot deadlock.
# A code that stands twice in one call conflicts with itself and is skipped like any other duplicate.
INSERT = """
WITH accepted AS (
    INSERT INTO codes (tenant_id, pool_id, code, status, expires_at)
    SELECT $1, $3, code, 'FREE', $5 FROM unnest($4::text[]) AS loaded (code) ORDER BY code
    ON CONFLICT (tenant_id, pool_id, code) DO NOTHING
    RETURNING 1
)
INSERT INTO code_imports (tenant_id, id, pool_id, accepted_count, duplicate_count, created_at)
SELECT $1, $2, $3, count(*), cardinality($4::text[]) - count(*), $6 FROM accepted
RETURNING accepted_count
"""

COUNT = """
SELECT code_pools.organization_id, code_pools.id, found.free, found.granted, found.voided,
    (SELECT coalesce(sum(accepted_count), 0) FROM code_imports
        WHERE tenant_id = $1 AND pool_id = code_pools.id) AS loaded
FROM code_pools CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE status = 'FREE') AS free, count(*) FILTER (WHERE status = 'GRANTED') AS granted,
        count(*) FILTER (WHERE status = 'VOIDED') AS voided
    FROM codes WHERE tenant_id = $1 AND pool_id = code_pools.id
) AS found
WHERE code_pools.tenant_id = $1
    AND (code_pools.organization_id, code_pools.id) IN (SELECT * FROM unnest($2::uuid[], $3::uuid[]))
"""


@dataclass(frozen=True, slots=True)
class CodeImport:
    """One load of codes into a pool."""

    id: UUID
    pool_id: UUID
    codes: Sequence[str]
    expires_at: datetime | None


async def insert_codes(
    connection: Connection, tenant_id: UUID, load: CodeImport, at: datetime
) -> int:
    """Add the codes that the pool does not have, note the load, and return how many were new."""
    accepted: int = await connection.fetchval(
        INSERT, tenant_id, load.id, load.pool_id, load.codes, load.expires_at, at
    )
    return accepted


async def count_codes(
    connection: Connection, tenant_id: UUID, keys: Sequence[ItemKey]
) -> dict[ItemKey, CodeCounts]:
    """Return the counts of each of these pools that exists, by key; free codes that have expired count as free."""
    rows = await connection.fetch(
        COUNT, tenant_id, [key.organization_id for key in keys], [key.id for key in keys]
    )
    return {
        ItemKey(row["organization_id"], row["id"]): CodeCounts(
            row["free"], row["granted"], row["voided"], row["loaded"]
        )
        for row in rows
    }
