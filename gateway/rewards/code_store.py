"""Coupon codes: load them and count them, in few round trips whatever the number of codes or pools."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gateway.rewards.codes import SealedCode
from gateway.rewards.items import CodeCounts, ItemKey
from gateway.storage.database import Connection, column

# In order of the index: two loads that share codes then wait for each other in one direction, and cannot deadlock.
# A code that stands twice in one call conflicts with itself and is skipped like any other duplicate.
INSERT = """
WITH accepted AS (
    INSERT INTO codes (tenant_id, organization_id, pool_id, id, code_index, code_sealed, status, expires_at)
    SELECT $1, $3, $4, id, code_index, code_sealed, 'FREE', $8
    FROM unnest($5::uuid[], $6::bytea[], $7::bytea[]) AS loaded (id, code_index, code_sealed) ORDER BY code_index
    ON CONFLICT (tenant_id, organization_id, code_index) DO NOTHING
    RETURNING 1
)
INSERT INTO code_imports (tenant_id, id, pool_id, accepted_count, duplicate_count, created_at)
SELECT $1, $2, $4, count(*), $9 - count(*), $10 FROM accepted
RETURNING accepted_count
"""

# Only while keys are being changed: no constraint sees that two indexes by different keys are of one code.
LOCK_ORGANIZATION = """
SELECT FROM organizations WHERE tenant_id = $1 AND id = $2 FOR NO KEY UPDATE
"""
FIND_INDEXES = """
SELECT code_index FROM codes WHERE tenant_id = $1 AND organization_id = $2 AND code_index = ANY($3::bytea[])
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
    pool: ItemKey
    codes: Sequence[SealedCode]
    expires_at: datetime | None


async def insert_codes(
    connection: Connection, tenant_id: UUID, load: CodeImport, at: datetime
) -> int:
    """Add the codes that the organization does not have, note the load, and return how many were new.

    Round trips: one; two more while the gateway has several keys, for codes that were loaded with another one.
    """
    codes = await _leave_out_known(connection, tenant_id, load)
    accepted: int = await connection.fetchval(
        INSERT,
        tenant_id,
        load.id,
        load.pool.organization_id,
        load.pool.id,
        column(codes, "id"),
        column(codes, "index"),
        column(codes, "sealed"),
        load.expires_at,
        len(load.codes),
        at,
    )
    return accepted


async def _leave_out_known(
    connection: Connection, tenant_id: UUID, load: CodeImport
) -> Sequence[SealedCode]:
    """Return the codes that are not there under the index of another key, which nobody can add before this is committed."""
    others = [index for code in load.codes for index in code.other_indexes]
    if not others:
        return load.codes
    organization_id = load.pool.organization_id
    await connection.execute(LOCK_ORGANIZATION, tenant_id, organization_id)
    rows = await connection.fetch(FIND_INDEXES, tenant_id, organization_id, others)
    known = {row["code_index"] for row in rows}
    return [code for code in load.codes if known.isdisjoint(code.other_indexes)]


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
