"""Credentials in the database. Each function is one round trip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from gateway.access import Scope
from gateway.storage.database import Connection


@dataclass(frozen=True, slots=True)
class Credential:
    """A token's record, without its secret."""

    id: UUID
    organization_id: UUID
    partner_id: UUID
    member_id: UUID | None
    label: str
    scopes: frozenset[Scope]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None = None
    reach: frozenset[UUID] = frozenset()


# Of an organization and a member of this tenant, or nothing is inserted.
INSERT = """
INSERT INTO credentials (tenant_id, id, organization_id, partner_id, member_id, label, scopes, secret_hash,
    created_at, expires_at, reach)
SELECT $1, $2, $3, $4, $5, $6, $7::text[], $8, $9, $10, $11::uuid[]
WHERE EXISTS (SELECT FROM organizations WHERE tenant_id = $1 AND id = $3)
    AND ($5::uuid IS NULL OR EXISTS (SELECT FROM members WHERE tenant_id = $1 AND id = $5))
RETURNING id
"""

# The database's clock decides, so that every gateway agrees on when a token ends.
FETCH_ACTIVE = """
SELECT credentials.id, organization_id, partner_id, member_id, scopes, reach, secret_hash,
    points_asset_id, experience_asset_id, cash_asset_id
FROM credentials JOIN tenants ON tenants.id = credentials.tenant_id
WHERE credentials.tenant_id = $1 AND credentials.id = ANY($2::uuid[]) AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())
"""

FETCH_ALL = """
SELECT id, organization_id, partner_id, member_id, label, scopes, created_at, expires_at, revoked_at, reach
FROM credentials WHERE tenant_id = $1 ORDER BY id
"""

REVOKE = """
UPDATE credentials SET revoked_at = coalesce(revoked_at, $3) WHERE tenant_id = $1 AND id = $2
RETURNING id
"""


async def insert_credential(
    connection: Connection, tenant_id: UUID, credential: Credential, secret_hash: bytes
) -> bool:
    """Insert a credential and return True; False if its organization or member is not in the tenant."""
    inserted = await connection.fetchval(
        INSERT,
        tenant_id,
        credential.id,
        credential.organization_id,
        credential.partner_id,
        credential.member_id,
        credential.label,
        sorted(credential.scopes),
        secret_hash,
        credential.created_at,
        credential.expires_at,
        sorted(credential.reach),
    )
    return inserted is not None


async def fetch_active_credentials(
    connection: Connection, tenant_id: UUID, ids: Sequence[UUID]
) -> dict[UUID, asyncpg.Record]:
    """Return what credentials may do and the hashes of their secrets, by id; without those unknown, expired or revoked."""
    rows = await connection.fetch(FETCH_ACTIVE, tenant_id, ids)
    return {row["id"]: row for row in rows}


async def fetch_credentials(connection: Connection, tenant_id: UUID) -> Sequence[Credential]:
    """Return every credential of the tenant, oldest first."""
    return [
        Credential(
            **{
                **row,
                "scopes": frozenset(map(Scope, row["scopes"])),
                "reach": frozenset(row["reach"]),
            }
        )
        for row in await connection.fetch(FETCH_ALL, tenant_id)
    ]


async def revoke_credential(
    connection: Connection, tenant_id: UUID, credential_id: UUID, at: datetime
) -> bool:
    """End a credential now, unless it ended before; False if there is none."""
    return await connection.fetchval(REVOKE, tenant_id, credential_id, at) is not None
