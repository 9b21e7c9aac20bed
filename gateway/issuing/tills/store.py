"""Tills and codes in the database. Each function is one round trip."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from gateway.issuing.tills.model import Till
from gateway.operations.model import Operation
from gateway.storage.database import Connection
from gateway.text import to_name_key

_COLUMNS = "id, organization_id, name, created_at"

INSERT = """
INSERT INTO tills (tenant_id, id, organization_id, name, created_at, name_key) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT DO NOTHING
RETURNING id
"""

FETCH = f"""
SELECT {_COLUMNS} FROM tills
WHERE tenant_id = $1 AND organization_id = ANY($2::uuid[]) ORDER BY organization_id, name
"""

FETCH_ONE = f"SELECT {_COLUMNS} FROM tills WHERE tenant_id = $1 AND id = $2"

INSERT_CODE = """
INSERT INTO validation_codes (tenant_id, code_hash, till_id, member_id, created_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6)
"""

# Guarded by `used_at`: of two calls with one code the second waits for the first, and then finds it used.
SPEND = """
UPDATE validation_codes SET used_at = $3, operation_id = $4
WHERE tenant_id = $1 AND code_hash = ANY($2::bytea[]) AND used_at IS NULL AND expires_at > $3
RETURNING code_hash
"""

EXPLAIN = """
SELECT used_at IS NOT NULL AS is_used FROM validation_codes WHERE tenant_id = $1 AND code_hash = ANY($2::bytea[])
"""


async def insert_till(connection: Connection, tenant_id: UUID, till: Till) -> bool:
    """Write a till; False if its organization has one of this name, in whatever case."""
    row = (till.id, till.organization_id, till.name, till.created_at, to_name_key(till.name))
    return bool(await connection.fetch(INSERT, tenant_id, *row))


async def fetch_tills(
    connection: Connection, tenant_id: UUID, organization_ids: Sequence[UUID]
) -> list[Till]:
    """Return the tills of these organizations."""
    rows = await connection.fetch(FETCH, tenant_id, organization_ids)
    return [_to_till(row) for row in rows]


async def fetch_till(connection: Connection, tenant_id: UUID, till_id: UUID) -> Till | None:
    """Return a till of the tenant, or None."""
    row = await connection.fetchrow(FETCH_ONE, tenant_id, till_id)
    return _to_till(row) if row else None


async def insert_code(
    connection: Connection,
    tenant_id: UUID,
    code_hash: bytes,
    till_id: UUID,
    member_id: UUID,
    at: datetime,
    expires_at: datetime,
) -> None:
    """Write the hash of a code."""
    await connection.execute(INSERT_CODE, tenant_id, code_hash, till_id, member_id, at, expires_at)


async def spend_code(
    connection: Connection, tenant_id: UUID, hashes: Sequence[bytes], operation: Operation
) -> bool:
    """Use up a code that is neither used nor expired; tell whether there was one."""
    return bool(await connection.fetch(SPEND, tenant_id, hashes, operation.at, operation.id))


async def is_code_used(
    connection: Connection, tenant_id: UUID, hashes: Sequence[bytes]
) -> bool | None:
    """Tell whether a code that could not be spent was used before (or has expired); None if there is none."""
    is_used: bool | None = await connection.fetchval(EXPLAIN, tenant_id, hashes)
    return is_used


def _to_till(row: asyncpg.Record) -> Till:
    return Till(row["id"], row["organization_id"], row["name"], row["created_at"])
